package ops

import (
	"sync/atomic"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

// offClock lets the engine's clock be set back and forth; what it gives has no
// monotonic reading, as a date that came from elsewhere.
func offClock(r *rig) *atomic.Int64 {
	var off atomic.Int64
	r.opt.Now = func() time.Time { return time.Now().Add(time.Duration(off.Load())).Round(0) }
	r.restart()
	r.e.Start()
	return &off
}

func TestAClockThatIsSetBackStopsNothing(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: 5 * time.Second}, func(r *rig) { // what is followed
		off := offClock(r)
		op := r.submitted(createIntent(fqdn))
		time.Sleep(3 * time.Second)
		off.Store(int64(-24 * time.Hour))
		time.Sleep(4 * time.Second)
		if now := r.refresh(op.ID); now.Step != Wait {
			t.Errorf("asked after the jump: %s", now.Step)
		}
		time.Sleep(15 * time.Second)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
	bubble(t, sandbox.Options{}, func(r *rig) { // what is to be decided
		off := offClock(r)
		lost(r, nil)
		op := r.submitted(createIntent(fqdn))
		time.Sleep(5 * time.Second)
		if !r.asked("/check") {
			t.Fatal("not absent yet")
		}
		off.Store(int64(-24 * time.Hour))
		jump := time.Now()
		time.Sleep(2 * time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
		if gap := r.wire.departures()[1].at.Sub(jump); gap < 10*time.Second {
			t.Errorf("sent again %v after the jump", gap)
		}
	})
}

// What the store loses between the steps is found out by reading, in the same
// process too.
func TestAStoreThatFailsBetweenTheSteps(t *testing.T) {
	for _, c := range []struct {
		point   string
		ignored bool
		posts   int
	}{
		{"intended", false, 1},
		{"dry-run", false, 1},
		{"dry-run", true, 0}, // and that was the purchase
		{"sending", false, 1},
		{"sent", false, 1},
	} {
		t.Run(c.point, func(t *testing.T) {
			bubble(t, sandbox.Options{IgnoreDryRun: c.ignored}, func(r *rig) {
				r.once(c.point, func() { r.db.Close() })
				r.submit(createIntent(fqdn)) // cannot even read what it journalled
				if r.logs.FilterMessage("operation cannot be moved").Len() != 1 {
					t.Errorf("logged %v", r.logs.All())
				}
				healed := r.e
				r.open()
				healed.db, r.e = r.db, healed
				for range 20 {
					<-r.e.turn(1_000_000_000).done
					time.Sleep(2 * time.Second)
				}
				r.check(1_000_000_000, end{Done, Accepted, "", 1, c.posts})
			})
		})
	}
}

func TestADoneThatCannotBeSettledIsTriedAgain(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.mu.Lock()
		r.settle = errNothing
		r.mu.Unlock()
		op := r.submitted(createIntent(fqdn))
		time.Sleep(30 * time.Second)
		if now := r.get(op.ID); now.Step == Done || r.logs.Len() == 0 {
			t.Errorf("%s, %d lines logged", now.Step, r.logs.Len())
		}
		r.mu.Lock()
		r.settle = nil
		r.mu.Unlock()
		time.Sleep(2 * time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}

// A commit may fail and be kept all the same; asked again, the operation moves.
func TestAnOperationThatNobodyMovesIsTakenUp(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		op, _, err := r.e.intend(createIntent(fqdn), []byte("null"))
		r.must(err)
		r.e.mu.Lock()
		delete(r.e.due, op.ID)
		delete(r.e.unsent, op.ID)
		r.e.mu.Unlock()
		time.Sleep(time.Hour)
		r.check(op.ID, end{Bill, Intended, "", 0, 0})
		if same := r.submitted(createIntent(fqdn)); same.ID != op.ID {
			t.Errorf("another operation: %d", same.ID)
		}
		time.Sleep(time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}

// A caller who never comes to the first turn leaves it to the background.
func TestAnIntentWhoseCallerIsGoneGoesOn(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		op, _, err := r.e.intend(createIntent(fqdn), []byte("null"))
		r.must(err)
		time.Sleep(2 * time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}

func TestADefiniteNoNeedsAClearAnswer(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		op, _, err := r.e.intend(contactsIntent("Carol"), nil)
		r.must(err)
		// Refused for lack of a turn, after an attempt that may have worked.
		op, err = r.e.failed(op, &v5.Error{MaybeSent: true, Unclear: true, Status: 429})
		if err != nil || op.State != Unknown {
			t.Errorf("%s, %v", op.State, err)
		}
	})
}
