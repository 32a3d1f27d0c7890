package ops

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

// asking is one kind of call that can be asked about.
var asking = []struct {
	name string
	rig  func(*testing.T, sandbox.Options, func(*rig))
	in   Intent
}{
	{"create", createRig, createIntent(fqdn)},
	{"owner", ownerRig, ownerIntent("Carol")},
	{"renew", renewRig, renewIntent(1)},
	{"transfer", transferRig, transferIntent(rightCode)},
}

// untouched fails when a question left a trace.
func (r *rig) untouched() {
	r.t.Helper()
	if n := len(r.sim.Ledger()); n != 0 || r.everything() != 0 || r.departed() != 0 || !r.free() || r.isSpent(tenantA) {
		r.t.Errorf("%d charges, %d operations, %d real requests, free %t, spent %t", n, r.everything(), r.departed(), r.free(), r.isSpent(tenantA))
	}
	if counts, _ := r.e.Tally(); len(counts) != 0 {
		r.t.Errorf("tally %v", counts)
	}
}

func TestCheckLeavesNothing(t *testing.T) {
	ctx := context.Background()
	for _, c := range asking {
		t.Run(c.name, func(t *testing.T) {
			c.rig(t, sandbox.Options{}, func(r *rig) {
				if err := r.e.Check(ctx, c.in); err != nil {
					t.Errorf("v5 would take it: %v", err)
				}
				r.untouched()
				r.seed(sandbox.Seed{Balance: "0.00"})
				if err := r.e.Check(ctx, c.in); c.name != "owner" && !errors.As(err, new(*v5.DryRunError)) {
					t.Errorf("v5 would refuse it: %v", err)
				}
				for _, kind := range []string{"html", "lose-before", "refuse", "hang-before", "forbidden"} {
					r.wire.fail(trouble{kind: kind, method: "POST", times: 1})
					if err := r.e.Check(ctx, c.in); err == nil {
						t.Errorf("%s is taken for a yes", kind)
					}
					r.wire.heal()
				}
				time.Sleep(3 * time.Hour)
				r.untouched()
			})
		})
	}
	restoreRig(t, sandbox.Options{}, func(r *rig) { // it has no Dry-Run
		if err := r.e.Check(ctx, restoreIntent()); err != nil {
			t.Error(err)
		}
		r.untouched()
	})
}

// v5 may take the question for the call. That is bought, and so it is followed.
func TestACheckThatV5TakesForTheCall(t *testing.T) {
	for _, c := range asking {
		t.Run(c.name, func(t *testing.T) {
			c.rig(t, sandbox.Options{IgnoreDryRun: true, StepTime: 5 * time.Second}, func(r *rig) {
				err := r.e.Check(context.Background(), c.in)
				var taken *TakenError
				if !errors.As(err, &taken) {
					t.Fatalf("answer %v", err)
				}
				op := r.get(taken.ID)
				if op.Step != Bill || op.State != Accepted || op.Sends != 1 || op.Started.IsZero() || r.free() {
					t.Errorf("journalled as %s, %s, %d sends, free %t", op.Step, op.State, op.Sends, r.free())
				}
				if ignored, _ := r.events(); ignored != 1 {
					t.Errorf("told %d times", ignored)
				}
				if same := r.submitted(c.in); same.ID != op.ID {
					t.Errorf("the call itself is operation %d", same.ID)
				}
				time.Sleep(time.Hour)
				r.check(op.ID, end{Done, Accepted, "", 1, 0})
			})
			c.rig(t, sandbox.Options{IgnoreDryRun: true, StepTime: 5 * time.Second}, func(r *rig) { // and the process ends
				r.e.Check(context.Background(), c.in)
				r.restart()
				r.e.Start()
				time.Sleep(time.Hour)
				r.check(1_000_000_000, end{Done, Accepted, "", 1, 0})
				if n := r.rehearsals(); n != 1 {
					t.Errorf("asked %d times", n)
				}
			})
		})
	}
}

// A caller who leaves does not keep the journal from hearing that it was bought.
func TestACheckOutlivesItsCaller(t *testing.T) {
	renewRig(t, sandbox.Options{IgnoreDryRun: true}, func(r *rig) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r.wire.fail(trouble{kind: "late", method: "POST", times: 1})
		begin := time.Now()
		if err := r.e.Check(ctx, renewIntent(1)); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		var all sync.WaitGroup
		all.Go(func() { // who comes meanwhile waits for what becomes of it
			if op := r.submitted(renewIntent(1)); op.ID != 1_000_000_000 {
				t.Errorf("operation %d", op.ID)
			}
		})
		all.Wait()
		time.Sleep(time.Minute)
		r.check(1_000_000_000, end{Done, Accepted, "", 1, 0})
		if n := r.rehearsals(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
	renewRig(t, sandbox.Options{}, func(r *rig) { // Close waits for it
		r.wire.fail(trouble{kind: "late", method: "POST", times: 1})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r.e.Check(ctx, renewIntent(1))
		begin := time.Now()
		r.e.Close(context.Background())
		if took := time.Since(begin); took != 9*time.Second {
			t.Errorf("closed after %v", took)
		}
		if err := r.e.Check(context.Background(), renewIntent(1)); !errors.Is(err, ErrClosed) {
			t.Errorf("of a closed engine: %v", err)
		}
	})
}

// What the call itself would not send is not asked either: v5 might take it.
func TestACheckOfWhatIsDoneAsksNothing(t *testing.T) {
	renewRig(t, sandbox.Options{StepTime: time.Minute}, func(r *rig) {
		op := r.submitted(renewIntent(1))
		asked := r.rehearsals()
		r.sim.SetChaos(sandbox.Chaos{IgnoreDryRun: true})
		other := createIntent(fqdn)
		foreign := renewIntent(1)
		foreign.Tenant = tenantB
		for range 2 {
			if err := r.e.Check(context.Background(), renewIntent(2)); err != nil {
				t.Errorf("the same year: %v", err)
			}
			if err := r.e.Check(context.Background(), foreign); !errors.As(err, new(*SpentError)) {
				t.Errorf("another tenant: %v", err)
			}
			if r.get(op.ID).Step == Bill {
				if err := r.e.Check(context.Background(), other); !errors.As(err, new(*BusyError)) {
					t.Errorf("another call: %v", err)
				}
			}
			time.Sleep(time.Hour)
		}
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
		if n := r.rehearsals(); n != asked {
			t.Errorf("asked %d times", n-asked)
		}
	})
}

// A purchase that cannot be written down is at least told to people.
func TestACheckThatCannotBeJournalled(t *testing.T) {
	renewRig(t, sandbox.Options{IgnoreDryRun: true}, func(r *rig) {
		r.wire.fail(trouble{kind: "late", method: "POST", times: 1})
		time.AfterFunc(time.Second, func() { r.db.Close() })
		err := r.e.Check(context.Background(), renewIntent(1))
		if err == nil || errors.As(err, new(*TakenError)) {
			t.Errorf("answer %v", err)
		}
		if n := r.logs.FilterMessageSnippet("took a Dry-Run for the real call").Len(); n != 1 {
			t.Errorf("logged %v", r.logs.All())
		}
	})
}

// An operator who does not trust v5's Dry-Run can do without it.
func TestWithoutDryRuns(t *testing.T) {
	for _, c := range asking {
		t.Run(c.name, func(t *testing.T) {
			c.rig(t, sandbox.Options{IgnoreDryRun: true, StepTime: 5 * time.Second}, func(r *rig) {
				r.opt.SkipDryRun = true
				r.restart()
				r.e.Start()
				if err := r.e.Check(context.Background(), c.in); err != nil {
					t.Errorf("check: %v", err)
				}
				r.untouched()
				op := r.submitted(c.in)
				time.Sleep(time.Hour)
				r.check(op.ID, end{Done, Accepted, "", 1, 1})
				if n := r.rehearsals(); n != 0 {
					t.Errorf("%d dry runs", n)
				}
			})
		})
	}
	for point, want := range map[string]end{ // and renewals know what was sent all the same
		"intended": {Done, Accepted, "", 1, 1},
		"sending":  {Support, Unknown, "nobody knows", 0, 0},
		"sent":     {Done, Accepted, "", 1, 1},
	} {
		renewRig(t, sandbox.Options{}, func(r *rig) {
			r.opt.SkipDryRun = true
			r.restart()
			r.die(point, point == "sent", renewIntent(1))
			r.e.Start()
			time.Sleep(3 * time.Hour)
			r.check(1_000_000_000, want)
		})
	}
}
