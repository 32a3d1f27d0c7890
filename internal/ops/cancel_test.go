package ops

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

// Cancelled is what was not sent, and then it never is.
func TestCancelWhileNothingWasSent(t *testing.T) {
	for _, c := range []struct {
		name  string
		seed  sandbox.Seed
		in    Intent
		begin func(*rig)
	}{
		{"no connection for the dry run", sandbox.Seed{}, createIntent(fqdn), func(r *rig) {
			r.once("intended", func() { r.wire.fail(trouble{kind: "refuse", method: "POST"}) })
		}},
		{"no connection for the request", sandbox.Seed{}, createIntent(fqdn), func(r *rig) {
			r.once("sending", func() { r.wire.fail(trouble{kind: "refuse", method: "POST", real: true}) })
		}},
		{"429", sandbox.Seed{}, createIntent(fqdn), func(r *rig) {
			r.sim.SetChaos(sandbox.Chaos{})
			r.once("intended", func() { r.sim.SetChaos(sandbox.Chaos{Reject429: 1}) })
		}},
		{"a renewal", sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, RegistryEndsAt: firstEnd}}}, renewIntent(1), func(r *rig) {
			r.once("intended", func() { r.wire.fail(trouble{kind: "refuse", method: "POST"}) })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.e.Start()
				r.seed(c.seed)
				c.begin(r)
				op := r.submitted(c.in)
				time.Sleep(time.Second)
				if err := r.e.Cancel(tenantB, op.ID); !errors.Is(err, ErrForeign) {
					t.Errorf("by another tenant: %v", err)
				}
				if err := r.e.Cancel(tenantA, op.ID); err != nil {
					t.Fatal(err)
				}
				r.wire.heal()
				r.sim.SetChaos(sandbox.Chaos{})
				left := r.departed()
				for range 2 {
					time.Sleep(time.Hour)
					if now := r.get(op.ID); now.Step != Cancel || now.State != Intended || now.Request != nil ||
						len(r.sim.Ledger()) != 0 || r.departed() != left || r.settled(op.ID) != 0 {
						t.Errorf("%s, %s, %d charges", now.Step, now.State, len(r.sim.Ledger()))
					}
					r.restart()
					r.e.Start()
				}
				if r.isSpent(tenantA) || !r.free() {
					t.Errorf("spent %t, free %t", r.isSpent(tenantA), r.free())
				}
				again := r.submitted(c.in) // and it can be asked for anew
				time.Sleep(time.Minute)
				if now := r.get(again.ID); again.ID == op.ID || now.Step != Done {
					t.Errorf("asked again: operation %d, %s", again.ID, now.Step)
				}
			})
		})
	}
}

func TestCancelIsTooLate(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		if err := r.e.Cancel(tenantA, 42); !errors.Is(err, ErrUnknown) {
			t.Errorf("none: %v", err)
		}
	})
	tooLate := func(r *rig, when string) {
		r.t.Helper()
		if err := r.e.Cancel(tenantA, 1_000_000_000); !errors.Is(err, ErrStep) {
			r.t.Errorf("%s: %v", when, err)
		}
	}
	for _, point := range []string{"dry-run", "sending", "sent", "outcome"} {
		bubble(t, sandbox.Options{StepTime: time.Minute}, func(r *rig) {
			r.e.Start()
			r.on(point, func() { tooLate(r, point) })
			op := r.submitted(createIntent(fqdn))
			tooLate(r, "when v5 took it")
			time.Sleep(time.Hour)
			tooLate(r, "when it is done")
			r.check(op.ID, end{Done, Accepted, "", 1, 1})
		})
	}
	bubble(t, sandbox.Options{}, func(r *rig) { // nobody knows
		r.e.Start()
		lost(r, nil)
		op := r.submitted(createIntent(fqdn))
		tooLate(r, "when nobody knows")
		r.wire.fail(trouble{kind: "html", method: "GET"})
		time.Sleep(3 * time.Hour)
		tooLate(r, "in SUPPORT")
		r.check(op.ID, end{Support, Unknown, "cannot be read", 0, 0})
	})
	bubble(t, sandbox.Options{IgnoreDryRun: true, StepTime: time.Minute}, func(r *rig) { // the dry run was the purchase
		r.die("dry-run", false, createIntent(fqdn))
		tooLate(r, "in the next process")
		r.e.Start()
		time.Sleep(time.Hour)
		r.check(1_000_000_000, end{Done, Accepted, "", 1, 0})
	})
	bubble(t, sandbox.Options{}, func(r *rig) { // it was paid for in its first life
		r.e.Start()
		r.seed(sandbox.Seed{FailCreate: map[string]sandbox.FailedOrder{fqdn: {ErrorType: "registry:down"}}})
		op := r.submitted(createIntent(fqdn))
		time.Sleep(time.Minute)
		r.once("intended", func() { r.wire.fail(trouble{kind: "refuse", method: "POST", times: 1}) })
		r.relaunch(op.ID, createIntent(fqdn), Wait)
		tooLate(r, "after a relaunch of what v5 took")
	})
}

// Asking in vain does not keep the background from its work.
func TestAFailingCancelDisturbsNothing(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: 5 * time.Second}, func(r *rig) {
		r.e.Start()
		op := r.submitted(createIntent(fqdn))
		for range 40 {
			time.Sleep(500 * time.Millisecond)
			if err := r.e.Cancel(tenantA, op.ID); !errors.Is(err, ErrStep) {
				t.Error(err)
			}
		}
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
		if r.logs.Len() != 0 {
			t.Errorf("logged %v", r.logs.All())
		}
	})
}

// Whatever the moment, there is never a purchase with CANCEL.
func TestCancelRacesWithTheSend(t *testing.T) {
	const names = 400
	bubble(t, sandbox.Options{Balance: "100000.00"}, func(r *rig) {
		r.e.Start()
		r.sim.SetChaos(sandbox.Chaos{Latency: 2 * time.Millisecond, Reject429: 0.3})
		for _, point := range []string{"intended", "dry-run", "sending", "sent", "outcome"} {
			r.on(point, func() { time.Sleep(rand.N(2 * time.Millisecond)) })
		}
		var cancelled [names]atomic.Bool
		var all sync.WaitGroup
		for i := range names {
			all.Go(func() {
				op, err := r.submit(createIntent(fmt.Sprintf("race%d.com", i)))
				if err != nil {
					return // not even its baseline could be read
				}
				for range 5 {
					time.Sleep(rand.N(20 * time.Millisecond))
					r.e.Cancel(tenantA, op.ID)
				}
			})
			all.Go(func() { // and who does not wait for an answer
				for range 200 {
					time.Sleep(rand.N(time.Millisecond))
					id := int64(1_000_000_000 + rand.N(names))
					if r.e.Cancel(tenantA, id) == nil {
						cancelled[id-1_000_000_000].Store(true)
					}
				}
			})
		}
		all.Wait()
		r.sim.SetChaos(sandbox.Chaos{})
		time.Sleep(time.Hour)
		bought := map[string]int{}
		for _, c := range r.sim.Ledger() {
			bought[c.FQDN]++
		}
		count := map[Step]int{}
		r.must(r.e.List(tenantA, false, func(op Operation) error {
			count[op.Step]++
			want := map[Step]int{Done: 1}[op.Step]
			if bought[op.FQDN] != want || cancelled[op.ID-1_000_000_000].Load() && op.Step != Cancel {
				t.Errorf("%s is %s, bought %d times", op.FQDN, op.Step, bought[op.FQDN])
			}
			return nil
		}))
		if count[Done] == 0 || count[Cancel] == 0 || count[Done]+count[Cancel] < names/2 {
			t.Errorf("the race had one side only: %v", count)
		}
	})
}
