package ops

import (
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

// lost prepares a POST that never arrived and what v5 shows from then on.
func lost(r *rig, then func()) {
	r.once("sending", func() {
		r.wire.fail(trouble{kind: "lose-before", method: "POST", real: true, times: 1})
		if then != nil {
			then()
		}
	})
}

func TestWhatReadingCannotProveGoesToSupport(t *testing.T) {
	for _, c := range []struct {
		name string
		then func(*rig)
		text string
	}{
		{"the name was taken meanwhile", func(r *rig) { r.seed(sandbox.Seed{Taken: []string{fqdn}}) }, "its name is unavailable"},
		{"the name is looked up for ever", func(r *rig) {
			r.seed(sandbox.Seed{CheckStatus: map[string]string{fqdn: "pending"}})
		}, "its name is pending"},
		{"v5 refuses to be read", func(r *rig) { r.wire.fail(trouble{kind: "forbidden", method: "GET"}) }, "cannot be read"},
		{"the domain alone cannot be read", func(r *rig) {
			r.wire.fail(trouble{kind: "forbidden", method: "GET", path: "/domains/" + fqdn})
		}, "cannot be read"},
		{"a page with 404", func(r *rig) { r.wire.fail(trouble{kind: "html-404", method: "GET"}) }, "cannot be read"},
		{"a page with 500", func(r *rig) { r.wire.fail(trouble{kind: "html", method: "GET"}) }, "cannot be read"},
		{"reading times out", func(r *rig) { r.wire.fail(trouble{kind: "hang-before", method: "GET"}) }, "cannot be read"},
		{"v5 cannot be reached", func(r *rig) { r.wire.fail(trouble{kind: "refuse", method: "GET"}) }, "cannot be read"},
		{"the domain is somebody else's", func(r *rig) {
			r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, SharingID: "99999999-2222-3333-4444-555555555555"}}})
		}, "cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.e.Start()
				lost(r, func() { c.then(r) })
				op := r.submitted(createIntent(fqdn))
				time.Sleep(59 * time.Minute)
				if now := r.get(op.ID); now.Step != Bill || now.State != Unknown || r.free() {
					t.Errorf("after 59 minutes: %s, %s", now.Step, now.State)
				}
				time.Sleep(12 * time.Hour)
				r.check(op.ID, end{Support, Unknown, c.text, 0, 0})
				if _, undecided := r.events(); undecided != 1 || r.free() {
					t.Errorf("an operator was called %d times; free %t", undecided, r.free())
				}
			})
		})
	}
}

func TestSupportEndsWhenALaterLookProvesTheOutcome(t *testing.T) {
	for _, c := range []struct {
		name    string
		lost    string
		dry     bool // and not the real call
		prepare func(*rig)
		want    end
	}{
		{"it happened", "lose-after", false, nil, end{Done, Accepted, "", 1, 1}},
		{"it happened and failed", "lose-after", false, func(r *rig) {
			r.seed(sandbox.Seed{FailCreate: map[string]sandbox.FailedOrder{fqdn: {ErrorType: "registry:refused"}}})
		}, end{Error, Accepted, "registry:refused", 1, 1}},
		// People have been told by then: nothing is bought behind their backs.
		{"it did not happen", "lose-before", false, nil, end{Support, Unknown, "cannot be read", 0, 0}},
		{"only a dry run was lost", "lose-before", true, nil, end{Error, Refused, "v5 does not take the call", 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.e.Start()
				if c.prepare != nil {
					c.prepare(r)
				}
				point := map[bool]string{true: "intended", false: "sending"}[c.dry]
				r.once(point, func() {
					r.wire.fail(trouble{kind: c.lost, method: "POST", times: 1})
					r.wire.fail(trouble{kind: "html", method: "GET"})
				})
				op := r.submitted(createIntent(fqdn))
				time.Sleep(2 * time.Hour)
				if now := r.get(op.ID); now.Step != Support {
					t.Errorf("after 2 hours: %s", now.Step)
				}
				r.wire.heal()
				time.Sleep(2 * time.Hour)
				r.check(op.ID, c.want)
			})
		})
	}
}

// An order that v5 took and forgot must not hold its name in silence.
func TestWhatV5TookAndDoesNotShowGoesToSupport(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.once("sending", func() { r.wire.fail(trouble{kind: "accept", method: "POST", real: true, times: 1}) })
		op := r.submitted(createIntent(fqdn))
		time.Sleep(59 * time.Minute)
		if now := r.get(op.ID); now.Step != Bill {
			t.Errorf("after 59 minutes: %s", now.Step)
		}
		time.Sleep(5 * time.Hour)
		r.check(op.ID, end{Support, Unknown, "does not show it", 0, 0})
		if _, undecided := r.events(); undecided != 1 || r.free() {
			t.Errorf("an operator was called %d times; free %t", undecided, r.free())
		}
	})
}

// Nor one that v5 took as a dry run, and whose name is not free for another.
func TestAForgottenDryRunThatWasThePurchaseGoesToSupport(t *testing.T) {
	for _, kind := range []string{"accept", "lose-after"} {
		bubble(t, sandbox.Options{IgnoreDryRun: true, StepTime: 30 * time.Second}, func(r *rig) {
			r.e.Start()
			r.once("intended", func() { r.wire.fail(trouble{kind: kind, method: "POST", times: 1}) })
			op := r.submitted(createIntent(fqdn))
			time.Sleep(20 * time.Second)
			r.sim.Reset()
			time.Sleep(5 * time.Hour)
			r.check(op.ID, end{Support, Unknown, "does not show it", 0, 0})
			if r.free() {
				t.Errorf("%s: the name is free", kind)
			}
		})
	}
}

// While v5 is away, an operation that it took stays as it is, however long.
func TestAnOutageIsNoReasonForSupport(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: time.Minute}, func(r *rig) {
		r.e.Start()
		op := r.submitted(createIntent(fqdn))
		r.wire.fail(trouble{kind: "refuse"})
		time.Sleep(24 * time.Hour)
		if now := r.get(op.ID); now.Step != Bill || now.State != Accepted {
			t.Errorf("in the outage: %s, %s", now.Step, now.State)
		}
		r.wire.heal()
		time.Sleep(10 * time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}
