package ops

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

// A kind that panics, on an answer that nobody thought of, stops neither the
// process nor any other operation, and what it was about is still decided.
func TestAPanicInAKindIsAnUnknownOutcome(t *testing.T) {
	for _, c := range []struct {
		name  string
		times int
		where string
		want  end
	}{
		{"dry run once", 1, "dry-run", end{Done, Accepted, "", 1, 1}},
		{"before the send", 1, "send", end{Done, Accepted, "", 1, 1}},
		{"after the send", 1, "sent", end{Done, Accepted, "", 1, 1}},
		{"look once", 1, "look", end{Done, Accepted, "", 1, 1}},
		{"dry run for ever", 1 << 30, "dry-run", end{Error, Refused, "v5 does not take the call", 0, 0}},
		{"before the send, for ever", 1 << 30, "send", end{Support, Unknown, "nobody knows", 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.e.kinds[KindCreate] = panicking(c.where, c.times)
				r.e.Start()
				op := r.submitted(createIntent(fqdn))
				if op.Step != Bill {
					t.Errorf("at once: %s", op.Step)
				}
				time.Sleep(2 * time.Hour)
				r.check(op.ID, c.want)
			})
		})
	}
}

// panicking is create, but for the first times at one place.
func panicking(where string, times int) Kind {
	kind := create
	oops := func(here string) {
		if here == where && times > 0 {
			times--
			panic("no such answer")
		}
	}
	kind.DryRun = func(ctx context.Context, s *v5.Session, op *Operation) error {
		oops("dry-run")
		return create.DryRun(ctx, s, op)
	}
	kind.Send = func(ctx context.Context, s *v5.Session, op *Operation) error {
		oops("send")
		err := create.Send(ctx, s, op)
		oops("sent")
		return err
	}
	kind.Look = func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		oops("look")
		return create.Look(ctx, s, op)
	}
	return kind
}

func TestAPanicInALookForEverGoesToSupport(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.kinds[KindCreate] = panicking("look", 1<<30)
		r.e.Start()
		lost(r, nil)
		op := r.submitted(createIntent(fqdn))
		time.Sleep(2 * time.Hour)
		r.check(op.ID, end{Support, Unknown, "cannot be read", 0, 0})
	})
}

// One name on which v5 hangs does not keep the background from the others.
func TestAHungReadDoesNotStopTheBackground(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		for i := range 3 * atOnce {
			name := fmt.Sprintf("hang%d.com", i)
			r.submitted(createIntent(name))
			r.wire.fail(trouble{kind: "hang-before", method: "GET", path: name + "/createstatus"})
		}
		time.Sleep(5 * time.Second) // every slot hangs
		op := r.submitted(createIntent(fqdn))
		time.Sleep(40 * time.Second)
		if now := r.get(op.ID); now.Step != Done {
			t.Errorf("after 40 s: %s", now.Step)
		}
		r.wire.heal()
		time.Sleep(10 * time.Minute)
		if counts, _ := r.e.Tally(); counts[[2]string{"domain_create", "DONE"}] != 3*atOnce+1 {
			t.Errorf("tally %v", counts)
		}
	})
}

func TestATenantThatIsNoLongerConfigured(t *testing.T) {
	gone := errors.New("tenant alpha is no longer configured")
	lose := func(r *rig, err error) { r.mu.Lock(); defer r.mu.Unlock(); r.lost = err }
	bubble(t, sandbox.Options{StepTime: time.Minute}, func(r *rig) { // v5 took its call
		r.e.Start()
		op := r.submitted(createIntent(fqdn))
		lose(r, gone)
		time.Sleep(24 * time.Hour)
		if now := r.get(op.ID); now.Step != Bill || now.State != Accepted {
			t.Errorf("without a tenant: %s, %s", now.Step, now.State)
		}
		if _, err := r.submit(createIntent("other.com")); !errors.Is(err, gone) {
			t.Errorf("Submit: %v", err)
		}
		lose(r, nil)
		time.Sleep(10 * time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
	bubble(t, sandbox.Options{}, func(r *rig) { // nobody knows
		r.e.Start()
		r.once("sending", func() { r.wire.fail(trouble{kind: "lose-after", method: "POST", real: true, times: 1}) })
		op := r.submitted(createIntent(fqdn))
		lose(r, gone)
		time.Sleep(2 * time.Hour)
		r.check(op.ID, end{Support, Unknown, "v5 cannot be asked for its tenant", 1, 1})
		lose(r, nil)
		time.Sleep(2 * time.Hour)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}

func TestNothingIsKeptOfWhatHasEnded(t *testing.T) {
	bubble(t, sandbox.Options{Balance: "100000.00"}, func(r *rig) {
		r.e.Start()
		for i := range 100 {
			in := createIntent(fmt.Sprintf("name%d.com", i))
			if i%10 == 0 {
				r.once("sending", func() { r.wire.fail(trouble{kind: "lose-before", method: "POST", real: true, times: 1}) })
			}
			if i%10 == 1 {
				r.once("intended", func() { r.wire.fail(trouble{kind: "refuse", method: "POST", times: 1}) })
			}
			op := r.submitted(in)
			if i%10 == 2 {
				time.Sleep(time.Second)
				r.refresh(op.ID)
			}
		}
		r.restart()
		r.e.Start()
		time.Sleep(time.Hour)
		r.e.mu.Lock()
		defer r.e.mu.Unlock()
		if n := len(r.e.open) + len(r.e.due) + len(r.e.looked) + len(r.e.absent) + len(r.e.unsent) + len(r.e.turns) + len(r.e.entering); n != 0 {
			t.Errorf("%d entries: %+v", n, r.e.counts)
		}
		if n := r.e.counts[[2]string{"domain_create", "DONE"}]; n != 100 {
			t.Errorf("tally %v", r.e.counts)
		}
	})
}

// An operation of a kind that only a newer program knows keeps its name and
// waits for that program.
func TestAnUnknownKindWaits(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		op := r.submitted(createIntent(fqdn))
		r.restart()
		delete(r.e.kinds, KindCreate)
		r.e.Start()
		time.Sleep(time.Hour)
		if now := r.get(op.ID); now.Step != Bill || r.free() {
			t.Errorf("%s, free %t", now.Step, r.free())
		}
		r.restart()
		r.e.Start()
		time.Sleep(time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}
