package ops

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

func TestCreateIsBilledAtOnceAndThenFollowsV5(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: 3 * time.Second}, func(r *rig) {
		op := r.submitted(createIntent(fqdn))
		if op.Step != Bill || op.State != Accepted || op.Started.IsZero() || op.ID != 1_000_000_000 {
			t.Errorf("first answer: %+v", op)
		}
		seen := []Step{op.Step}
		for range 100 {
			time.Sleep(time.Second / 4)
			op = r.refresh(op.ID)
			if op.Step != seen[len(seen)-1] {
				seen = append(seen, op.Step)
			}
		}
		if want := []Step{Bill, Wait, Run, Done}; !slices.Equal(seen, want) {
			t.Errorf("steps %v, want %v", seen, want)
		}
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
		if !r.free() {
			t.Error("the name is still held")
		}
	})
}

func TestCreateIsDoneWithinASecondOfV5WhenAsked(t *testing.T) {
	for _, first := range []time.Duration{100 * time.Millisecond, 700 * time.Millisecond, 1790 * time.Millisecond} {
		bubble(t, sandbox.Options{StepTime: 600 * time.Millisecond}, func(r *rig) {
			begin := time.Now()
			op := r.submitted(createIntent(fqdn))
			for time.Sleep(first); op.Step != Done; time.Sleep(100 * time.Millisecond) {
				op = r.refresh(op.ID)
			}
			if late := time.Since(begin) - 1800*time.Millisecond; late > 1100*time.Millisecond {
				t.Errorf("first asked after %v: DONE %v after v5", first, late)
			}
		})
	}
}

func TestTheBackgroundReachesDoneByItself(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: 20 * time.Second}, func(r *rig) {
		r.e.Start()
		op := r.submitted(createIntent(fqdn))
		time.Sleep(63 * time.Second)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
		if n := r.all(); n > 90 {
			t.Errorf("%d requests for a minute of one operation", n)
		}
	})
}

func TestDoneNeverChanges(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		op := r.submitted(createIntent(fqdn))
		time.Sleep(5 * time.Second)
		done := r.get(op.ID)
		requests := r.all()
		if _, err := r.e.change(done, func(op *Operation) { op.Step, op.LastError = Error, "no" }); err != nil {
			t.Fatal(err)
		}
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, SharingID: "somebody else"}}})
		time.Sleep(2 * time.Hour)
		if now := r.refresh(op.ID); now.Step != Done || now.Updated != done.Updated || r.all() != requests {
			t.Errorf("DONE became %+v, with %d requests", now, r.all()-requests)
		}
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}

func TestALookThatShowsNothingNewIsNotAnUpdate(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: time.Hour}, func(r *rig) {
		op := r.submitted(createIntent(fqdn))
		time.Sleep(2 * time.Second)
		first := r.refresh(op.ID)
		time.Sleep(2 * time.Second)
		requests := r.all()
		if again := r.refresh(op.ID); again.Updated != first.Updated || r.all() == requests {
			t.Errorf("updated %v, then %v", first.Updated, again.Updated)
		}
	})
}

func TestSubmitReturnsAfterWaitAndTheWorkGoesOn(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.once("intended", func() { r.sim.SetChaos(sandbox.Chaos{Latency: 10 * time.Second}) })
		begin := time.Now()
		op := r.submitted(createIntent(fqdn))
		if took := time.Since(begin); took != 4*time.Second || op.Step != Bill || op.State != Intended {
			t.Errorf("after %v: %s, %s", took, op.Step, op.State)
		}
		time.Sleep(2 * time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}

func TestTheWorkOutlivesItsCaller(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		ctx, cancel := context.WithCancel(context.Background())
		r.once("sending", func() { cancel(); time.Sleep(time.Second) })
		begin := time.Now()
		op, err := r.e.Submit(ctx, createIntent(fqdn))
		if err != nil || time.Since(begin) != 0 || op.State != Sending {
			t.Errorf("cancelled caller: %v, %s, after %v", err, op.State, time.Since(begin))
		}
		time.Sleep(10 * time.Second)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}

func TestACallerWhoLeavesBeforeTheIntentLeavesNothing(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.sim.SetChaos(sandbox.Chaos{Latency: 10 * time.Second})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := r.e.Submit(ctx, createIntent(fqdn)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
		if counts, _ := r.e.Tally(); len(counts) != 0 {
			t.Errorf("written: %v", counts)
		}
	})
}

func TestWhatExistsIsNotRegistered(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn}}})
		_, err := r.submit(createIntent(fqdn))
		var exists *ErrExists
		if !errors.As(err, &exists) || exists.FQDN != fqdn {
			t.Errorf("err = %v", err)
		}
		if counts, _ := r.e.Tally(); len(counts) != 0 || !r.free() || r.posts() != 0 {
			t.Errorf("written: %v", counts)
		}
	})
}

// v5 may answer 403 where a name is not on the account; the Dry-Run judges.
func TestANameThatV5DoesNotShowCanBeRegistered(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.wire.fail(trouble{kind: "forbidden", path: "/domains/" + fqdn, times: 1})
		op := r.submitted(createIntent(fqdn))
		time.Sleep(5 * time.Second)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, SharingID: "somebody else"}}})
		op, err := r.submit(createIntent(fqdn))
		var rejected *v5.DryRunError
		if !errors.As(err, &rejected) {
			t.Errorf("err = %v", err)
		}
		r.check(op.ID, end{Error, Refused, "already exists", 0, 0})
	})
}

func TestAnUnreadableV5LeavesNothingWritten(t *testing.T) {
	for _, kind := range []string{"html", "html-404", "refuse", "hang-before"} {
		bubble(t, sandbox.Options{}, func(r *rig) {
			r.wire.fail(trouble{kind: kind})
			_, err := r.submit(createIntent(fqdn))
			if e := (*v5.Error)(nil); !errors.As(err, &e) {
				t.Errorf("%s: err = %v", kind, err)
			}
			if counts, _ := r.e.Tally(); len(counts) != 0 {
				t.Errorf("%s: written: %v", kind, counts)
			}
		})
	}
}

func TestADefiniteNoEndsInErrorAtOnce(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*rig)
		want    end
		target  any
	}{
		{"dry run says no", func(r *rig) { r.seed(sandbox.Seed{Taken: []string{fqdn}}) },
			end{Error, Refused, "fqdn: the domain is not available", 0, 0}, new(*v5.DryRunError)},
		{"no money", func(r *rig) { r.seed(sandbox.Seed{Balance: "0.00"}) },
			end{Error, Refused, "not enough money", 0, 0}, new(*v5.DryRunError)},
		{"400 to the POST", func(r *rig) {
			r.once("sending", func() {
				r.nextError("POST", "/domain/domains", 400, map[string]any{"code": 400, "message": "not like this"}, false)
			})
		}, end{Error, Refused, "not like this", 0, 1}, new(*v5.Error)},
		{"409 to the POST", func(r *rig) {
			r.once("sending", func() { r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, SharingID: "other"}}}) })
		}, end{Error, Refused, "already exists", 0, 1}, new(*v5.Error)},
		{"403 to the dry run", func(r *rig) {
			r.once("intended", func() { r.wire.fail(trouble{kind: "forbidden", method: "POST"}) })
		}, end{Error, Refused, "no", 0, 0}, new(*v5.Error)},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.e.Start()
				c.prepare(r)
				begin := time.Now()
				op, err := r.submit(createIntent(fqdn))
				if !errors.As(err, c.target) || op.Step != Error || time.Since(begin) != 0 {
					t.Errorf("answer %s, %v after %v", op.Step, err, time.Since(begin))
				}
				time.Sleep(3 * time.Hour)
				r.check(op.ID, c.want)
				if !r.free() {
					t.Error("the name is still held")
				}
			})
		})
	}
}
