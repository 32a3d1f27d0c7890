package ops

import (
	"context"
	"errors"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

// A process that dies between any two steps leaves a store from which the next
// one finds out what happened.
func TestDeathAtEveryPoint(t *testing.T) {
	for _, kind := range []struct {
		name string
		in   Intent
	}{{"create", createIntent(fqdn)}, {"owner", ownerIntent("Carol")}} {
		for _, c := range []struct {
			point   string
			network bool
			ignored bool  // Dry-Run
			found   State // by the next process
			posts   int
		}{
			{"intended", false, false, Intended, 1},
			{"intended", false, true, Intended, 0}, // the next process's dry run is the purchase
			{"dry-run", false, false, Intended, 1},
			{"dry-run", false, true, Intended, 0},
			{"sending", false, false, Sending, 1},
			{"sending", true, false, Sending, 1}, // the request left
			{"sent", true, false, Sending, 1},
			{"outcome", true, false, Accepted, 1},
			{"outcome", true, true, Accepted, 0},
		} {
			name := kind.name + " " + c.point
			if c.network {
				name += ", network up"
			}
			if c.ignored {
				name += ", dry run ignored"
			}
			t.Run(name, func(t *testing.T) {
				bubble(t, sandbox.Options{IgnoreDryRun: c.ignored}, func(r *rig) {
					if kind.name == "owner" {
						r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn}}})
					}
					r.die(c.point, c.network, kind.in)
					op := r.get(1_000_000_000)
					if op.State != c.found || op.Step != Bill {
						t.Errorf("found %s, %s; want %s", op.Step, op.State, c.found)
					}
					r.e.Start()
					again := r.submitted(kind.in)
					time.Sleep(time.Minute)
					if again.ID != op.ID {
						t.Errorf("asked again, it is operation %d", again.ID)
					}
					r.check(op.ID, end{Done, Accepted, "", 1, c.posts})
				})
			})
		}
	}
}

// The dry run that was the purchase is not repeated because the first look of
// the next process fails, or because v5 takes its time to show it.
func TestTheNextProcessDoesNotTrustItsFirstLook(t *testing.T) {
	for _, kind := range []string{"html", "hang-before", "absent", "forbidden"} {
		t.Run(kind, func(t *testing.T) {
			bubble(t, sandbox.Options{IgnoreDryRun: true}, func(r *rig) {
				r.die("dry-run", false, createIntent(fqdn))
				r.wire.fail(trouble{kind: kind, method: "GET", path: "/createstatus"})
				r.wire.fail(trouble{kind: kind, method: "GET", path: "/domains/" + fqdn})
				r.e.Start()
				time.Sleep(9 * time.Second)
				r.wire.heal()
				dry := r.all()
				time.Sleep(2 * time.Minute)
				r.check(1_000_000_000, end{Done, Accepted, "", 1, 0})
				for _, q := range r.sim.Requests()[dry:] {
					if q.Method == "POST" {
						t.Errorf("sent again: %s %s", q.Method, q.Path)
					}
				}
			})
		})
	}
}

func TestCloseWaitsForATurnInFlight(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.once("sending", func() { r.sim.SetChaos(sandbox.Chaos{Latency: 8 * time.Second}) })
		op := r.submitted(createIntent(fqdn)) // back after 4 s
		begin := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		r.e.Close(ctx)
		if took := time.Since(begin); took != 4*time.Second {
			t.Errorf("closed after %v", took)
		}
		r.check(op.ID, end{Bill, Accepted, "", 1, 1})
	})
}

// What Close cuts is written down as unknown, since it still can be.
func TestCloseCutsAndTheNextEngineFindsOut(t *testing.T) {
	for kind, posts := range map[string]int{"hang-after": 1, "hang-before": 1} {
		t.Run(kind, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.e.Start()
				r.once("sending", func() { r.wire.fail(trouble{kind: kind, method: "POST", times: 1}) })
				op := r.submitted(createIntent(fqdn))
				begin := time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
				defer cancel()
				r.e.Close(ctx)
				if took := time.Since(begin); took != 3*time.Second {
					t.Errorf("closed after %v", took)
				}
				if now := r.get(op.ID); now.State != Unknown || now.Step != Bill {
					t.Errorf("left as %s, %s", now.Step, now.State)
				}
				r.restart()
				r.e.Start()
				time.Sleep(time.Minute)
				r.check(op.ID, end{Done, Accepted, "", 1, posts})
			})
		})
	}
}

func TestCloseDoesNotWaitForWhatIsOnlyDue(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: time.Hour}, func(r *rig) {
		for _, name := range []string{"a.com", "b.com", "c.com"} {
			r.submitted(createIntent(name))
		}
		r.e.Start()
		time.Sleep(time.Minute)
		begin := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		r.e.Close(ctx)
		if took := time.Since(begin); took != 0 {
			t.Errorf("closed after %v", took)
		}
	})
}

func TestAClosedEngineAnswersAtOnce(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		op := r.submitted(createIntent(fqdn))
		r.e.Close(context.Background())
		r.e.Close(context.Background())
		begin := time.Now()
		if _, err := r.submit(createIntent("other.com")); !errors.Is(err, ErrClosed) || !errors.Is(err, context.Canceled) {
			t.Errorf("Submit: %v", err)
		}
		time.Sleep(2 * time.Second)
		if now := r.refresh(op.ID); now.Step != Bill || time.Since(begin) != 2*time.Second {
			t.Errorf("Refresh: %s after %v", now.Step, time.Since(begin))
		}
	})
}

// A call that our own end keeps from leaving is no error, however old.
func TestClosingIsNoReasonForAnError(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		op, _, err := r.e.intend(createIntent(fqdn), []byte("null"))
		r.must(err)
		time.Sleep(time.Hour)
		r.e.Close(context.Background())
		op, err = r.e.failed(op, &v5.Error{Err: context.Canceled})
		if err != nil || op.State != Intended || op.Step != Bill {
			t.Errorf("%s, %s, %v", op.Step, op.State, err)
		}
	})
}
