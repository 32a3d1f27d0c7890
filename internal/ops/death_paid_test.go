package ops

import (
	"context"
	"fmt"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

// death is where a process dies during a purchase, and what becomes of that days
// later.
type death struct {
	point   string
	network bool // outlives the process
	ignored bool // Dry-Run
	want    end
}

func (d death) String() string {
	name := d.point
	if d.network {
		name += ", network up"
	}
	if d.ignored {
		name += ", dry run ignored"
	}
	return name
}

func paidOnce(posts int) end { return end{Done, Accepted, "", 1, posts} }

var (
	nobodyKnows = end{Support, Unknown, "nobody knows", 0, 0}

	renewDeaths = []death{
		{"intended", false, false, paidOnce(1)},
		{"intended", false, true, paidOnce(0)},
		// A dry run went out: whether it was the purchase only time can tell.
		{"dry-run", false, false, end{Error, Refused, "v5 does not take the call", 0, 0}},
		{"dry-run", false, true, paidOnce(0)},
		{"sending", false, false, nobodyKnows},
		{"sending", true, false, paidOnce(1)},
		{"sent", true, false, paidOnce(1)},
		{"outcome", true, false, paidOnce(1)},
		{"outcome", true, true, paidOnce(0)},
	}
	restoreDeaths = []death{
		{"intended", false, false, paidOnce(1)},
		{"sending", false, false, nobodyKnows},
		{"sending", true, false, paidOnce(1)},
		{"sent", true, false, paidOnce(1)},
		{"outcome", true, false, paidOnce(1)},
	}
	transferDeaths = []death{
		{"intended", false, false, paidOnce(1)},
		{"intended", false, true, paidOnce(0)},
		{"dry-run", false, false, paidOnce(1)},
		{"dry-run", false, true, paidOnce(0)},
		{"sending", false, false, paidOnce(1)},
		{"sending", true, false, paidOnce(1)},
		{"sent", true, false, paidOnce(1)},
		{"outcome", true, false, paidOnce(1)},
		{"outcome", true, true, paidOnce(0)},
	}
)

// A process that dies between any two steps of a purchase leaves a store from
// which the next one finds out as much as can be, and buys nothing twice, however
// long v5 takes to show what it did.
func TestDeathOfEveryPurchase(t *testing.T) {
	for _, kind := range []struct {
		name   string
		rig    func(*testing.T, sandbox.Options, func(*rig))
		in     Intent
		deaths []death
	}{
		{"renew", renewRig, renewIntent(1), renewDeaths},
		{"restore", restoreRig, restoreIntent(), restoreDeaths},
		{"transfer", transferRig, transferIntent(rightCode), transferDeaths},
	} {
		for _, d := range kind.deaths {
			for _, slow := range []time.Duration{time.Second, 30 * time.Minute} {
				t.Run(fmt.Sprintf("%s %s, %s", kind.name, d, slow), func(t *testing.T) {
					kind.rig(t, sandbox.Options{IgnoreDryRun: d.ignored, StepTime: slow}, func(r *rig) {
						r.die(d.point, d.network, kind.in)
						r.e.Start()
						again := r.submitted(kind.in)
						if again.ID != 1_000_000_000 {
							t.Errorf("asked again: operation %d", again.ID)
						}
						time.Sleep(30 * time.Hour)
						r.check(again.ID, d.want)
						if n := r.rehearsals(); kind.in.Kind == KindRenew && n > 1 {
							t.Errorf("%d dry runs", n)
						}
					})
				})
			}
		}
	}
}

// A relaunch is subject to the same rules.
func TestDeathOfARelaunch(t *testing.T) {
	for _, c := range []struct {
		point   string
		network bool
		ignored bool
		posts   int
	}{
		{"intended", false, false, 1}, {"intended", false, true, 0}, {"dry-run", false, false, 1}, {"dry-run", false, true, 0},
		{"sending", false, false, 1}, {"sending", true, false, 1}, {"sent", true, false, 1}, {"outcome", true, false, 1},
	} {
		t.Run(c.point, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.seed(sandbox.Seed{Balance: "0.00"})
				op, _ := r.submit(createIntent(fqdn))
				r.seed(sandbox.Seed{Balance: "1000.00"})
				r.sim.SetChaos(sandbox.Chaos{IgnoreDryRun: c.ignored})
				r.once(c.point, func() {
					r.db.Close()
					if !c.network {
						r.wire.fail(trouble{kind: "lose-before"})
					}
				})
				r.e.Relaunch(context.Background(), op.ID, createIntent(fqdn), Wait)
				r.wire.heal()
				r.restart()
				r.e.Start()
				time.Sleep(time.Hour)
				r.check(op.ID, end{Done, Accepted, "", 1, c.posts})
			})
		})
	}
}

// The store may fail where the process goes on.
func TestAStoreThatFailsDuringARenewal(t *testing.T) {
	for point, want := range map[string]end{
		"intended": {Done, Accepted, "", 1, 1},
		"dry-run":  {Error, Refused, "v5 does not take the call", 0, 0},
		"sending":  {Done, Accepted, "", 1, 1},
		"sent":     {Done, Accepted, "", 1, 1},
	} {
		t.Run(point, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.seedEnd(firstEnd)
				r.once(point, func() { r.db.Close() })
				r.submit(renewIntent(1))
				healed := r.e
				r.open()
				healed.db, r.e = r.db, healed
				for range 200 {
					<-r.e.turn(1_000_000_000).done
					time.Sleep(10 * time.Minute)
				}
				r.check(1_000_000_000, want)
			})
		})
	}
}
