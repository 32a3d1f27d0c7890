package ops

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

func (r *rig) reconsider(id int64) (Operation, error) {
	return r.e.Reconsider(context.Background(), tenantA, id)
}

// stuck lets the rig's next operation end in SUPPORT, with a request that was
// lost or an answer that was, and v5 readable again.
func (r *rig) stuck(in Intent, kind string) Operation {
	r.t.Helper()
	r.lose(kind, func() { r.wire.fail(trouble{kind: "html", method: "GET"}) })
	op := r.submitted(in)
	time.Sleep(90 * time.Minute)
	if op = r.get(op.ID); op.Step != Support || op.State != Unknown {
		r.t.Fatalf("not in SUPPORT but %s, %s", op.Step, op.State)
	}
	r.wire.heal()
	return op
}

// An operation that nobody knows the outcome of is looked for first, and sent
// once more only where that is allowed and proven.
func TestReconsider(t *testing.T) {
	for _, c := range []struct {
		name string
		rig  func(*testing.T, sandbox.Options, func(*rig))
		in   Intent
		lost string
		err  error
		want end // an hour later
		left int
	}{
		{"create that happened", createRig, createIntent(fqdn), "lose-after", nil, end{Done, Accepted, "", 1, 1}, 1},
		{"create that did not", createRig, createIntent(fqdn), "lose-before", nil, end{Done, Accepted, "", 1, 1}, 2},
		{"owner that happened", ownerRig, ownerIntent("Carol"), "lose-after", nil, end{Done, Accepted, "", 1, 1}, 1},
		{"owner that did not", ownerRig, ownerIntent("Carol"), "lose-before", nil, end{Done, Accepted, "", 1, 1}, 2},
		{"transfer that happened", transferRig, transferIntent(rightCode), "lose-after", nil, end{Done, Accepted, "", 1, 1}, 1},
		{"transfer that did not", transferRig, transferIntent(rightCode), "lose-before", nil, end{Done, Accepted, "", 1, 1}, 2},
		{"renewal that happened", renewRig, renewIntent(1), "lose-after", nil, end{Done, Accepted, "", 1, 1}, 1},
		{"renewal that did not", renewRig, renewIntent(1), "lose-before", ErrStep, end{Support, Unknown, "cannot be read", 0, 0}, 1},
		{"restoration that happened", restoreRig, restoreIntent(), "lose-after", nil, end{Done, Accepted, "", 1, 1}, 1},
		{"restoration that did not", restoreRig, restoreIntent(), "lose-before", ErrStep, end{Support, Unknown, "cannot be read", 0, 0}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rig(t, sandbox.Options{}, func(r *rig) {
				op := r.stuck(c.in, c.lost)
				looked := r.all()
				if _, err := r.reconsider(op.ID); !errors.Is(err, c.err) {
					t.Errorf("answer %v, want %v", err, c.err)
				}
				if r.all() == looked || r.departed() != 1 {
					t.Errorf("%d requests, %d left: it did not look first", r.all()-looked, r.departed())
				}
				time.Sleep(time.Hour)
				r.check(op.ID, c.want)
				if r.departed() != c.left || r.free() != c.want.step.AtEnd() {
					t.Errorf("%d left, free %t", r.departed(), r.free())
				}
				if _, err := r.e.Reconsider(context.Background(), tenantB, op.ID); !errors.Is(err, ErrForeign) {
					t.Errorf("by another tenant: %v", err)
				}
			})
		})
	}
}

// Each time it takes two looks, and a call that never arrives ends in SUPPORT
// again.
func TestReconsiderWaitsForTheGapEachTime(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		op := r.stuck(createIntent(fqdn), "lose-before")
		r.wire.fail(trouble{kind: "lose-before", method: "POST", real: true})
		for n := range 3 {
			asked := time.Now()
			if now, err := r.reconsider(op.ID); err != nil || now.Step != Wait || now.State != Unknown {
				t.Errorf("answer %s, %s, %v", now.Step, now.State, err)
			}
			time.Sleep(2 * time.Hour)
			sent := r.wire.departures()
			if gap := sent[len(sent)-1].at.Sub(asked); len(sent) != n+2 || gap < 10*time.Second {
				t.Errorf("%d left, the last %v after the call", len(sent), gap)
			}
			r.check(op.ID, end{Support, Unknown, "nobody knows", 0, 0})
		}
	})
}

// A look that is under way does not make an operation one in a wrong step.
func TestReconsiderAndResolveWaitForALook(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		op := r.stuck(createIntent(fqdn), "lose-before")
		r.sim.SetChaos(sandbox.Chaos{Latency: 2 * time.Second})
		var all sync.WaitGroup
		all.Go(func() { r.refresh(op.ID) })
		time.Sleep(time.Second)
		if _, err := r.reconsider(op.ID); err != nil {
			t.Errorf("reconsider: %v", err)
		}
		all.Wait()
	})
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		op := r.stuck(createIntent(fqdn), "lose-before")
		r.sim.SetChaos(sandbox.Chaos{Latency: 2 * time.Second})
		var all sync.WaitGroup
		all.Go(func() { r.refresh(op.ID) })
		time.Sleep(time.Second)
		if now, err := r.e.Resolve(op.ID, false); err != nil || now.Step != Error {
			t.Errorf("resolve: %s, %v", now.Step, err)
		}
		all.Wait()
	})
}

// An operator's word ends what the gateway could not decide.
func TestResolve(t *testing.T) {
	for _, c := range []struct {
		name     string
		rig      func(*testing.T, sandbox.Options, func(*rig))
		in       Intent
		happened bool
		want     end
	}{
		{"a renewal that happened", renewRig, renewIntent(1), true, end{Done, Accepted, "", 0, 0}},
		{"a renewal that did not", renewRig, renewIntent(1), false, end{Error, Refused, "operator", 0, 0}},
		{"a restoration that happened", restoreRig, restoreIntent(), true, end{Done, Accepted, "", 0, 0}},
		{"a restoration that did not", restoreRig, restoreIntent(), false, end{Error, Refused, "operator", 0, 0}},
		{"a transfer that did not", transferRig, transferIntent(rightCode), false, end{Error, Refused, "operator", 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rig(t, sandbox.Options{}, func(r *rig) {
				op := r.stuck(c.in, "lose-before")
				r.wire.fail(trouble{kind: "html", method: "GET"}) // nothing is found out meanwhile
				if r.free() || r.settled(op.ID) != 0 {
					t.Error("free or settled before")
				}
				got, err := r.e.Resolve(op.ID, c.happened)
				if err != nil || got.Step != c.want.step {
					t.Errorf("answer %s, %v", got.Step, err)
				}
				r.check(op.ID, c.want)
				if !r.free() || r.isSpent(tenantA) != (c.in.Once != "" && c.happened) || strings.Contains(r.raw(op.ID), rightCode) {
					t.Errorf("free %t, spent %t, stored %s", r.free(), r.isSpent(tenantA), r.raw(op.ID))
				}
				if _, err := r.e.Resolve(op.ID, !c.happened); !errors.Is(err, ErrStep) {
					t.Errorf("resolved again: %v", err)
				}
				r.restart()
				r.wire.heal()
				r.e.Start()
				time.Sleep(3 * time.Hour)
				r.check(op.ID, c.want)
				again, err := r.submit(c.in)
				time.Sleep(time.Hour)
				if same := again.ID == op.ID; same != (c.in.Once != "" && c.happened) {
					t.Errorf("asked again: operation %d, %v", again.ID, err)
				}
			})
		})
	}
}

func TestResolveNeedsSupport(t *testing.T) {
	renewRig(t, sandbox.Options{StepTime: time.Minute}, func(r *rig) {
		op := r.submitted(renewIntent(1))
		if _, err := r.e.Resolve(op.ID, false); !errors.Is(err, ErrStep) || !r.isSpent(tenantA) {
			t.Errorf("in BILL: %v", err)
		}
		if _, err := r.e.Resolve(op.ID+1, false); !errors.Is(err, ErrUnknown) {
			t.Errorf("none: %v", err)
		}
		time.Sleep(time.Hour)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
	bubble(t, sandbox.Options{}, func(r *rig) { // v5's own SUPPORT, with an error type
		r.e.Start()
		r.seed(sandbox.Seed{FailCreate: map[string]sandbox.FailedOrder{fqdn: {Step: "SUPPORT", ErrorType: "registry:odd"}}})
		op := r.submitted(createIntent(fqdn))
		time.Sleep(time.Minute)
		if now := r.get(op.ID); now.Step != Support || now.ErrorType != "registry:odd" {
			t.Fatalf("%s, %q", now.Step, now.ErrorType)
		}
		if now, err := r.e.Resolve(op.ID, false); err != nil || now.ErrorType != "" {
			t.Errorf("%v, error type %q of a text that is the operator's", err, now.ErrorType)
		}
		r.check(op.ID, end{Error, Refused, "operator", 1, 1})
	})
}

// A settlement that fails keeps the operation in SUPPORT.
func TestAResolutionThatCannotBeSettled(t *testing.T) {
	renewRig(t, sandbox.Options{}, func(r *rig) {
		op := r.stuck(renewIntent(1), "lose-before")
		r.mu.Lock()
		r.settle = errNothing
		r.mu.Unlock()
		if _, err := r.e.Resolve(op.ID, true); err == nil || r.get(op.ID).Step != Support {
			t.Errorf("%v, %s", err, r.get(op.ID).Step)
		}
		r.mu.Lock()
		r.settle = nil
		r.mu.Unlock()
		if _, err := r.e.Resolve(op.ID, true); err != nil {
			t.Error(err)
		}
		r.check(op.ID, end{Done, Accepted, "", 0, 0})
	})
}

// A transfer that v5 took and does not show cannot be sent again: its code is
// forgotten, and without it the transfer would be another one.
func TestReconsiderDoesNotSendWithoutTheCode(t *testing.T) {
	transferRig(t, sandbox.Options{}, func(r *rig) {
		r.lose("accept")
		op := r.submitted(transferIntent(rightCode))
		time.Sleep(2 * time.Hour)
		r.check(op.ID, end{Support, Unknown, "does not show it", 0, 0})
		if _, err := r.reconsider(op.ID); !errors.Is(err, ErrStep) {
			t.Errorf("answer %v", err)
		}
		time.Sleep(2 * time.Hour)
		r.check(op.ID, end{Support, Unknown, "does not show it", 0, 0})
		if r.departed() != 1 {
			t.Errorf("%d left", r.departed())
		}
	})
}
