package ops

import (
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

// ownerRig has a domain of Alice's.
func ownerRig(t *testing.T, o sandbox.Options, fn func(*rig)) {
	t.Helper()
	bubble(t, o, func(r *rig) {
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn}}})
		r.e.Start()
		fn(r)
	})
}

func TestAnOwnerChangeIsDoneWhenTheNewOwnerReadsBack(t *testing.T) {
	for name, o := range map[string]sandbox.Options{
		"progress stays readable": {StepTime: 10 * time.Second},
		"progress is forgotten":   {StepTime: 10 * time.Second, ForgetOwnerChange: true},
		"contacts are normalised": {StepTime: 10 * time.Second, Normalise: true, IntContactType: true},
	} {
		t.Run(name, func(t *testing.T) {
			ownerRig(t, o, func(r *rig) {
				op := r.submitted(ownerIntent("Carol"))
				if op.Step != Bill || op.State != Accepted {
					t.Errorf("at once: %s, %s", op.Step, op.State)
				}
				time.Sleep(9 * time.Second)
				if now := r.refresh(op.ID); now.Step != Wait {
					t.Errorf("after 9 s: %s", now.Step)
				}
				time.Sleep(10 * time.Second)
				if now := r.refresh(op.ID); now.Step != Run || r.settled(op.ID) != 0 {
					t.Errorf("after 19 s: %s", now.Step)
				}
				time.Sleep(3 * time.Second)
				r.check(op.ID, end{Done, Accepted, "", 1, 1})
			})
		})
	}
}

func TestAnUnknownOwnerChangeIsDecidedByLooking(t *testing.T) {
	lose := func(kind string) func(*rig) {
		return func(r *rig) { r.wire.fail(trouble{kind: kind, method: "POST", real: true, times: 1}) }
	}
	for _, c := range []struct {
		name    string
		options sandbox.Options
		earlier bool // an older change has ended
		sending func(*rig)
		want    end
		left    int
	}{
		{"answer lost", sandbox.Options{}, false, lose("lose-after"), end{Done, Accepted, "", 1, 1}, 1},
		{"answer lost, progress forgotten", sandbox.Options{ForgetOwnerChange: true}, false, lose("lose-after"), end{Done, Accepted, "", 1, 1}, 1},
		{"request lost, no progress", sandbox.Options{}, false, lose("lose-before"), end{Done, Accepted, "", 1, 1}, 2},
		{"request lost, old progress", sandbox.Options{}, true, lose("lose-before"), end{Done, Accepted, "", 2, 2}, 3},
		{"answer lost, old progress", sandbox.Options{}, true, lose("lose-after"), end{Done, Accepted, "", 2, 2}, 2},
		{"dry run ignored", sandbox.Options{IgnoreDryRun: true}, false, func(*rig) {}, end{Done, Accepted, "", 1, 0}, 0},
		{"it failed", sandbox.Options{}, false, func(r *rig) {
			lose("lose-after")(r)
			r.seed(sandbox.Seed{FailChangeOwner: map[string]sandbox.FailedOrder{fqdn: {ErrorType: "owner:refused_by_mail"}}})
		}, end{Error, Accepted, "owner:refused_by_mail", 1, 1}, 1},
		{"somebody else owns it now", sandbox.Options{}, false, func(r *rig) {
			lose("lose-before")(r)
			r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, Owner: map[string]any{
				"type": "individual", "given": "Eve", "family": "Roe", "streetaddr": "x", "country": "FR", "email": "eve@example.org",
			}}}})
		}, end{Support, Unknown, "the owner changed to somebody else", 0, 0}, 1},
		{"it cannot be read", sandbox.Options{}, false, func(r *rig) {
			lose("lose-after")(r)
			r.wire.fail(trouble{kind: "forbidden", method: "GET", path: "/contacts"})
			r.wire.fail(trouble{kind: "html-404", method: "GET"})
		}, end{Support, Unknown, "cannot be read", 1, 1}, 1},
		{"lost for ever", sandbox.Options{}, false, func(r *rig) {
			r.wire.fail(trouble{kind: "lose-before", method: "POST", real: true})
		}, end{Support, Unknown, "nobody knows", 0, 0}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			ownerRig(t, c.options, func(r *rig) {
				if c.earlier {
					op := r.submitted(ownerIntent("Dave"))
					time.Sleep(10 * time.Second)
					r.check(op.ID, end{Done, Accepted, "", 1, 1})
				}
				r.once("sending", func() { c.sending(r) })
				op := r.submitted(ownerIntent("Carol"))
				time.Sleep(2 * time.Hour)
				r.check(op.ID, c.want)
				if n := len(r.wire.departures()); n != c.left {
					t.Errorf("%d left, want %d", n, c.left)
				}
			})
		})
	}
}

// A failed change stays readable; the next one is not taken for it.
func TestAnOlderFailedOwnerChangeIsNotOurs(t *testing.T) {
	for _, kind := range []string{"lose-before", "lose-after"} {
		ownerRig(t, sandbox.Options{}, func(r *rig) {
			r.seed(sandbox.Seed{FailChangeOwner: map[string]sandbox.FailedOrder{fqdn: {ErrorType: "owner:refused"}}})
			first := r.submitted(ownerIntent("Carol"))
			time.Sleep(10 * time.Second)
			r.check(first.ID, end{Error, Accepted, "owner:refused", 1, 1})
			r.once("sending", func() { r.wire.fail(trouble{kind: kind, method: "POST", real: true, times: 1}) })
			second := r.submitted(ownerIntent("Carol"))
			time.Sleep(time.Minute)
			r.check(second.ID, end{Done, Accepted, "", 2, 2})
		})
	}
}

// An equal change may end between the caller's own reading and the baseline.
func TestAnOwnerWhoIsThereAlreadyIsNotBoughtAgain(t *testing.T) {
	ownerRig(t, sandbox.Options{}, func(r *rig) {
		first := r.submitted(ownerIntent("Carol"))
		time.Sleep(10 * time.Second)
		r.check(first.ID, end{Done, Accepted, "", 1, 1})
		second := r.submitted(ownerIntent("Carol"))
		if second.ID == first.ID || second.Step != Done {
			t.Errorf("second answer %d, %s", second.ID, second.Step)
		}
		r.check(second.ID, end{Done, Accepted, "", 1, 1})
	})
}

func TestWhatAsksForNothingIsDoneAtOnce(t *testing.T) {
	ownerRig(t, sandbox.Options{}, func(r *rig) {
		r.wire.fail(trouble{kind: "refuse"}) // and needs no v5
		in := ownerIntent("Carol")
		in.Nothing = true
		op := r.submitted(in)
		r.check(op.ID, end{Done, Accepted, "", 0, 0})
		if op.Step != Done || op.Started.IsZero() || !r.free() {
			t.Errorf("answer %+v", op)
		}
	})
}
