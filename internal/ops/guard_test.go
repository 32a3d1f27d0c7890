package ops

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

func TestEqualCallsAtOnceAreOnePurchase(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.sim.SetChaos(sandbox.Chaos{Latency: 50 * time.Millisecond})
		var all sync.WaitGroup
		ids := make([]int64, 50)
		for i := range ids {
			all.Go(func() {
				op, err := r.submit(createIntent(fqdn))
				if err != nil {
					t.Error(err)
				}
				ids[i] = op.ID
			})
		}
		all.Wait()
		for _, id := range ids {
			if id != 1_000_000_000 {
				t.Errorf("operation %d", id)
			}
		}
		if n := r.all(); n != 4 { // two for the baseline, the dry run, the purchase
			t.Errorf("%d requests", n)
		}
		time.Sleep(10 * time.Second)
		r.check(1_000_000_000, end{Done, Accepted, "", 1, 1})
	})
}

func TestAHeldNameIsBusyForEverythingElse(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: time.Minute}, func(r *rig) {
		op := r.submitted(createIntent(fqdn))
		other := createIntent(fqdn)
		other.Fingerprint = "create for 2 years"
		foreign := createIntent(fqdn)
		foreign.Tenant = tenantB
		for name, in := range map[string]Intent{"other parameters": other, "another type": ownerIntent("Carol")} {
			_, err := r.submit(in)
			var busy *BusyError
			if !errors.As(err, &busy) || *busy != (BusyError{FQDN: fqdn, ID: op.ID, Type: "domain_create"}) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := r.submit(foreign)
		var busy *BusyError
		if !errors.As(err, &busy) || *busy != (BusyError{FQDN: fqdn}) {
			t.Errorf("another tenant: %v", err)
		}
		if counts, _ := r.e.Tally(); len(counts) != 1 {
			t.Errorf("written: %v", counts)
		}
		r.check(op.ID, end{Bill, Accepted, "", 1, 1})
	})
}

// The guard inside the commit holds where the look before it saw nothing.
func TestTheGuardCountsInsideTheCommit(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		first, fresh, err := r.e.intend(createIntent(fqdn), nil)
		if err != nil || !fresh {
			t.Fatal(err)
		}
		second, fresh, err := r.e.intend(createIntent(fqdn), nil)
		if err != nil || fresh || second.ID != first.ID {
			t.Errorf("second: %d, fresh %t, %v", second.ID, fresh, err)
		}
		foreign := createIntent(fqdn)
		foreign.Tenant = tenantB
		if _, _, err := r.e.intend(foreign, nil); !errors.As(err, new(*BusyError)) {
			t.Errorf("foreign: %v", err)
		}
	})
}

// While one caller reads the baseline, an equal operation must not begin and
// end: it would be bought again on a baseline from before.
func TestNoOperationSlipsBetweenBaselineAndIntent(t *testing.T) {
	ownerRig(t, sandbox.Options{}, func(r *rig) {
		r.wire.fail(trouble{kind: "late", method: "GET", path: "/contacts", times: 1})
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() { r.submit(ownerIntent("Carol")) })
		}
		all.Wait()
		time.Sleep(time.Minute)
		if n := len(r.sim.Ledger()); n != 1 || r.posts() != 1 {
			t.Errorf("bought %d times", n)
		}
	})
}

func TestACallerMayLeaveTheQueueForAName(t *testing.T) {
	ownerRig(t, sandbox.Options{}, func(r *rig) {
		r.wire.fail(trouble{kind: "late", method: "GET", path: "/contacts", times: 1})
		var all sync.WaitGroup
		all.Go(func() { r.submit(ownerIntent("Carol")) })
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := r.e.Submit(ctx, ownerIntent("Carol")); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		all.Wait()
		if len(r.e.entering) != 0 {
			t.Errorf("still entering: %v", r.e.entering)
		}
	})
}

func TestTheGuardOutlivesTheProcessUntilTheOutcomeIsKnown(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.once("sending", func() {
			r.wire.fail(trouble{kind: "lose-after", method: "POST", real: true, times: 1})
			r.wire.fail(trouble{kind: "html", method: "GET"})
		})
		op := r.submitted(createIntent(fqdn))
		for _, wait := range []time.Duration{time.Second, 2 * time.Hour} { // unknown, then SUPPORT
			time.Sleep(wait)
			r.restart()
			r.e.Start()
			if same := r.submitted(createIntent(fqdn)); same.ID != op.ID || r.free() {
				t.Errorf("after %v: operation %d, free %t", wait, same.ID, r.free())
			}
		}
		r.check(op.ID, end{Support, Unknown, "cannot be read", 1, 1})
		r.wire.heal()
		time.Sleep(time.Hour)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
		if !r.free() {
			t.Error("the name is still held")
		}
	})
}

// v5's own SUPPORT frees the name. Who takes it keeps it when the first goes on.
func TestANameIsNotTakenFromItsHolder(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		holder := func() (id int64) {
			r.db.View(func(tx *store.Tx) error { id = store.GetID(tx, store.OpGuardKey(fqdn)); return nil })
			return id
		}
		change := func(op Operation, step Step) Operation {
			op, err := r.e.change(op, func(op *Operation) { op.Step, op.State = step, Accepted })
			r.must(err)
			return op
		}
		first, _, _ := r.e.intend(createIntent(fqdn), nil)
		first = change(first, Support)
		second, fresh, err := r.e.intend(createIntent(fqdn), nil)
		if err != nil || !fresh || holder() != second.ID {
			t.Fatalf("second: fresh %t, %v, holder %d", fresh, err, holder())
		}
		first = change(first, Run)
		if holder() != second.ID {
			t.Errorf("the first took the name back")
		}
		first = change(first, Done)
		if holder() != second.ID {
			t.Errorf("the end of the first freed the name of the second")
		}
		change(second, Error)
		if holder() != 0 {
			t.Errorf("held by %d", holder())
		}
	})
}
