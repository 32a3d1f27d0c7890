package ops

import (
	"errors"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

func TestAChangeOfContactsIsDoneWhenV5ShowsIt(t *testing.T) {
	for _, normalise := range []bool{false, true} {
		ownerRig(t, sandbox.Options{StepTime: 3 * time.Second, Normalise: normalise, IntContactType: normalise}, func(r *rig) {
			op := r.submitted(contactsIntent("Carol"))
			if op.Step != Run || op.State != Accepted {
				t.Errorf("at once: %s, %s", op.Step, op.State)
			}
			time.Sleep(5 * time.Second)
			r.check(op.ID, end{Done, Accepted, "", 0, 1})
		})
	}
}

func TestAnUnknownChangeOfContactsIsSentAgain(t *testing.T) {
	patch := func(kind string, times int) func(*rig) {
		return func(r *rig) { r.wire.fail(trouble{kind: kind, method: "PATCH", times: times}) }
	}
	for _, c := range []struct {
		name    string
		sending func(*rig)
		want    end
	}{
		{"answer lost", patch("lose-after", 1), end{Done, Accepted, "", 0, 1}},
		{"request lost", patch("lose-before", 1), end{Done, Accepted, "", 0, 1}},
		{"a page with 500", patch("html", 1), end{Done, Accepted, "", 0, 1}},
		{"v5 never answers", patch("hang-before", 1), end{Done, Accepted, "", 0, 1}},
		{"no connection for a while", patch("refuse", 6), end{Done, Accepted, "", 0, 1}},
		{"no connection", patch("refuse", 0), end{Error, Refused, "could not be reached", 0, 0}},
		{"lost for ever", patch("lose-before", 0), end{Support, Unknown, "nobody knows", 0, 0}},
		{"taken and never shown", patch("accept", 0), end{Support, Accepted, "v5 took the change but does not show it", 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ownerRig(t, sandbox.Options{}, func(r *rig) {
				r.once("sending", func() { c.sending(r) })
				op := r.submitted(contactsIntent("Carol"))
				time.Sleep(2 * time.Hour)
				r.check(op.ID, c.want)
			})
		})
	}
}

func TestAChangeOfContactsMayTakeAWhileToShow(t *testing.T) {
	ownerRig(t, sandbox.Options{StepTime: 14 * time.Minute}, func(r *rig) {
		op := r.submitted(contactsIntent("Carol"))
		time.Sleep(13 * time.Minute)
		if now := r.get(op.ID); now.Step != Run {
			t.Errorf("after 13 minutes: %s", now.Step)
		}
		time.Sleep(90 * time.Second)
		r.check(op.ID, end{Done, Accepted, "", 0, 1})
	})
	ownerRig(t, sandbox.Options{StepTime: time.Hour}, func(r *rig) { // and even come back
		op := r.submitted(contactsIntent("Carol"))
		time.Sleep(17 * time.Minute)
		if now := r.get(op.ID); now.Step != Support {
			t.Errorf("after 17 minutes: %s", now.Step)
		}
		time.Sleep(time.Hour)
		r.check(op.ID, end{Done, Accepted, "", 0, 1})
	})
}

func TestARefusedChangeOfContactsIsAnError(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		op, err := r.submit(contactsIntent("Carol")) // of a domain that is not there
		if e := (*v5.Error)(nil); !errors.As(err, &e) || !e.Absent() {
			t.Errorf("err = %v", err)
		}
		r.check(op.ID, end{Error, Refused, "could not be found", 0, 1})
	})
}

// Without a Dry-Run, an intent that a dead process left is certainly unsent.
func TestAnIntentWithoutDryRunGoesOnAfterARestart(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn}}})
		r.die("intended", false, contactsIntent("Carol"))
		r.e.Start()
		time.Sleep(3 * time.Second)
		r.check(1_000_000_000, end{Done, Accepted, "", 0, 1})
	})
}
