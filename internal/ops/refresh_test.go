package ops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

func TestCallersWhoAskAtOnceShareALook(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: time.Hour}, func(r *rig) {
		op := r.submitted(createIntent(fqdn))
		for _, latency := range []time.Duration{0, time.Second} {
			r.sim.SetChaos(sandbox.Chaos{Latency: latency})
			time.Sleep(2 * time.Second)
			before := r.all()
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() {
					if now := r.refresh(op.ID); now.ID != op.ID || now.Step != Bill {
						t.Errorf("refreshed %+v", now)
					}
				})
			}
			all.Wait()
			if n := r.all() - before; n != 1 { // createstatus alone, while in BILL
				t.Errorf("%d requests with a latency of %v", n, latency)
			}
		}
	})
}

func TestNoLookWithinASecondOfTheLast(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: time.Hour}, func(r *rig) {
		op := r.submitted(createIntent(fqdn))
		before := r.all()
		for range 100 {
			r.refresh(op.ID)
			time.Sleep(100 * time.Millisecond)
		}
		if n := r.all() - before; n != 10 {
			t.Errorf("%d looks in 10 s", n)
		}
	})
}

func TestRefreshGivesWhatIsStoredWhenItsCallerLeaves(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		op := r.submitted(createIntent(fqdn))
		r.wire.fail(trouble{kind: "hang-before", times: 1})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		begin := time.Now()
		now, err := r.e.Refresh(ctx, tenantA, op.ID)
		if err != nil || now.Step != Bill || time.Since(begin) != time.Second {
			t.Errorf("%s, %v after %v", now.Step, err, time.Since(begin))
		}
	})
}

// A caller who polls during the first turn waits for it and does not begin one.
func TestRefreshJoinsASend(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		var polled Operation
		var all sync.WaitGroup
		r.once("sending", func() {
			r.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
			all.Go(func() { polled = r.refresh(1_000_000_000) })
		})
		r.submitted(createIntent(fqdn))
		all.Wait()
		if polled.State != Accepted {
			t.Errorf("polled %s", polled.State)
		}
		r.check(polled.ID, end{Bill, Accepted, "", 1, 1})
	})
}

func TestOperationsAreTheirTenants(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		op := r.submitted(createIntent(fqdn))
		for name, read := range map[string]func(string, int64) error{
			"Get": func(tenant string, id int64) error { _, err := r.e.Get(tenant, id); return err },
			"Refresh": func(tenant string, id int64) error {
				_, err := r.e.Refresh(context.Background(), tenant, id)
				return err
			},
		} {
			if err := read(tenantB, op.ID); !errors.Is(err, ErrForeign) {
				t.Errorf("%s of another's: %v", name, err)
			}
			if err := read(tenantA, op.ID+1); !errors.Is(err, ErrUnknown) {
				t.Errorf("%s of none: %v", name, err)
			}
			if err := read(tenantA, op.ID); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := r.submit(Intent{Tenant: tenantA, Kind: "odd"}); err == nil {
			t.Error("an unknown kind was taken")
		}
	})
}

// Callers, pollers and the background at once: each operation has one turn at a
// time, and each name is bought once.
func TestManyAtOnceBuyOnce(t *testing.T) {
	bubble(t, sandbox.Options{Balance: "100000.00", StepTime: 3 * time.Second}, func(r *rig) {
		r.e.Start()
		r.sim.SetChaos(sandbox.Chaos{Latency: 20 * time.Millisecond, DropAfterWork: 0.2, ErrorRate: 0.2})
		var all sync.WaitGroup
		for i := range 20 {
			for range 4 {
				all.Go(func() {
					for range 10 {
						op, err := r.submit(createIntent(fmt.Sprintf("name%d.com", i)))
						if err == nil {
							r.refresh(op.ID)
						}
						time.Sleep(300 * time.Millisecond)
					}
				})
			}
		}
		all.Wait()
		time.Sleep(5 * time.Minute)
		r.sim.SetChaos(sandbox.Chaos{})
		time.Sleep(3 * time.Hour)
		bought := map[string]int{}
		for _, c := range r.sim.Ledger() {
			bought[c.FQDN]++
		}
		for name, n := range bought {
			if n != 1 {
				t.Errorf("%s was bought %d times", name, n)
			}
		}
		var open []Operation
		r.must(r.e.List(tenantA, false, func(op Operation) error {
			if bought[op.FQDN] == 1 && op.Step == Bill || slices.Contains([]Step{Wait, Run}, op.Step) {
				open = append(open, op)
			}
			return nil
		}))
		if len(open) > 0 {
			t.Errorf("still open: %s", steps(open...))
		}
	})
}
