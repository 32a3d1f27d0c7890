package ops

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

// The same name and year is answered with the first operation, whatever the
// duration, however late and however the first one went; nothing is sent.
func TestASpentYearIsAnsweredWithItsOperation(t *testing.T) {
	again := func(t *testing.T, r *rig, first int64, when string) {
		t.Helper()
		before, left := r.all(), r.departed()
		for _, in := range []Intent{renewIntent(2), renewIntent(1), renewIntent(9)} {
			op, err := r.submit(in)
			if err != nil || op.ID != first {
				t.Errorf("%s, %s: operation %d, %v", when, in.Fingerprint, op.ID, err)
			}
		}
		for _, q := range r.sim.Requests()[before:] {
			if q.Method != "GET" {
				t.Errorf("%s: sent %s %s", when, q.Method, q.Path)
			}
		}
		if r.departed() != left || !r.isSpent(tenantA) {
			t.Errorf("%s: %d left, spent %t", when, r.departed()-left, r.isSpent(tenantA))
		}
	}
	for _, c := range []struct {
		name    string
		prepare func(*rig)
		want    end
	}{
		{"it goes well", func(*rig) {}, end{Done, Accepted, "", 1, 1}},
		{"the answer is lost", func(r *rig) { r.lose("lose-after") }, end{Done, Accepted, "", 1, 1}},
		{"the request is lost", func(r *rig) { r.lose("lose-before") }, end{Support, Unknown, "nobody knows", 0, 0}},
		{"the dry run is lost", func(r *rig) {
			r.once("intended", func() { r.wire.fail(trouble{kind: "lose-before", method: "POST", times: 1}) })
		}, end{Support, Unknown, "Dry-Run got lost", 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			renewRig(t, sandbox.Options{}, func(r *rig) {
				c.prepare(r)
				op := r.submitted(renewIntent(2))
				again(t, r, op.ID, "at once")
				time.Sleep(time.Second)
				again(t, r, op.ID, "after a second")
				r.restart()
				r.e.Start()
				again(t, r, op.ID, "after a restart")
				time.Sleep(3 * time.Hour)
				r.check(op.ID, c.want)
				again(t, r, op.ID, "at the end")
				r.restart()
				r.e.Start()
				again(t, r, op.ID, "after another restart")
				time.Sleep(15 * time.Hour)
				r.check(op.ID, c.want)
				if c.want.step != Done {
					return
				}
				time.Sleep(100 * 24 * time.Hour)
				again(t, r, op.ID, "after months")
				r.check(op.ID, c.want)
			})
		})
	}
}

// While nothing was sent the year is not spent, but the name is held.
func TestAYearIsSpentByTheSend(t *testing.T) {
	renewRig(t, sandbox.Options{}, func(r *rig) {
		r.once("intended", func() { r.wire.fail(trouble{kind: "refuse", method: "POST", times: 2}) })
		op := r.submitted(renewIntent(1))
		if r.isSpent(tenantA) {
			t.Error("spent with nothing sent")
		}
		if same := r.submitted(renewIntent(1)); same.ID != op.ID {
			t.Errorf("the same call: operation %d", same.ID)
		}
		var busy *BusyError
		if _, err := r.submit(renewIntent(2)); !errors.As(err, &busy) || busy.ID != op.ID {
			t.Errorf("another duration: %v", err)
		}
		spent := false
		r.on("sending", func() { spent = r.isSpent(tenantA) })
		time.Sleep(time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
		if !spent {
			t.Error("not spent before the request left")
		}
	})
}

// A definite no frees the year; the next call is another operation.
func TestADefiniteNoFreesTheYear(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*rig)
		posts   int // of the first
	}{
		{"the dry run says no", func(r *rig) { r.seed(sandbox.Seed{Balance: "0.00"}) }, 0},
		{"400 to the request", func(r *rig) {
			r.once("sending", func() {
				r.nextError("POST", "/domain/domains/"+fqdn+"/renew", 400, map[string]any{"code": 400, "message": "not like this"}, false)
			})
		}, 1},
		{"no connection for long", func(r *rig) {
			r.once("sending", func() { r.wire.fail(trouble{kind: "refuse", method: "POST", real: true}) })
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			renewRig(t, sandbox.Options{}, func(r *rig) {
				c.prepare(r)
				first, _ := r.submit(renewIntent(1))
				time.Sleep(30 * time.Minute)
				if now := r.get(first.ID); now.Step != Error || now.State != Refused || r.isSpent(tenantA) || !r.free() {
					t.Fatalf("%s, %s, spent %t, free %t", now.Step, now.State, r.isSpent(tenantA), r.free())
				}
				r.wire.heal()
				r.seed(sandbox.Seed{Balance: "1000.00"})
				second := r.submitted(renewIntent(2))
				if second.ID == first.ID {
					t.Error("answered with what was refused")
				}
				time.Sleep(time.Minute)
				r.check(second.ID, end{Done, Accepted, "", 1, c.posts + 1})
			})
		})
	}
}

// Another tenant learns that the year is spent, and nothing of by whom.
func TestASpentYearOfAnotherTenant(t *testing.T) {
	renewRig(t, sandbox.Options{}, func(r *rig) {
		op := r.submitted(renewIntent(1))
		foreign := renewIntent(1)
		foreign.Tenant = tenantB
		for _, wait := range []time.Duration{0, time.Minute, time.Hour} {
			time.Sleep(wait)
			got, err := r.submit(foreign)
			var spent *SpentError
			if !errors.As(err, &spent) || got.ID != 0 || strings.Contains(err.Error(), "1000000000") || strings.Contains(err.Error(), tenantA) {
				t.Errorf("after %v: operation %d, %v", wait, got.ID, err)
			}
		}
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}

// What was done once stays done when its operation is archived.
func TestASpentYearOutlivesItsOperation(t *testing.T) {
	renewRig(t, sandbox.Options{}, func(r *rig) {
		op := r.submitted(renewIntent(1))
		time.Sleep(time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
		if n, err := r.e.Prune(time.Now(), io.Discard, func() error { return nil }); n != 1 || err != nil {
			t.Fatalf("pruned %d, %v", n, err)
		}
		for range 2 {
			for _, tenant := range []string{tenantA, tenantB} {
				in := renewIntent(3)
				in.Tenant = tenant
				_, err := r.submit(in)
				if !errors.As(err, new(*SpentError)) || strings.Contains(err.Error(), "1000000000") {
					t.Errorf("%s: %v", tenant, err)
				}
			}
			r.restart()
			r.e.Start()
		}
		if n := len(r.sim.Ledger()); n != 1 || r.departed() != 1 || r.everything() != 0 {
			t.Errorf("%d charges, %d left, %d operations", n, r.departed(), r.everything())
		}
	})
}

func TestRenewalsAtOnceAreOne(t *testing.T) {
	for _, c := range []struct {
		name  string
		years func(i int) int
		lost  string
	}{
		{"equal", func(int) int { return 1 }, ""},
		{"of different durations", func(i int) int { return 1 + i%5 }, ""},
		{"whose answer is lost", func(i int) int { return 1 + i%2 }, "lose-after"},
	} {
		t.Run(c.name, func(t *testing.T) {
			renewRig(t, sandbox.Options{}, func(r *rig) {
				r.sim.SetChaos(sandbox.Chaos{Latency: 50 * time.Millisecond})
				if c.lost != "" {
					r.lose(c.lost)
				}
				var all sync.WaitGroup
				for i := range 50 {
					all.Go(func() {
						for range 20 {
							op, err := r.submit(renewIntent(c.years(i)))
							if err != nil && !errors.As(err, new(*BusyError)) || err == nil && op.ID != 1_000_000_000 {
								t.Errorf("operation %d, %v", op.ID, err)
							}
							time.Sleep(300 * time.Millisecond)
						}
					})
				}
				all.Wait()
				time.Sleep(10 * time.Minute)
				if n := len(r.sim.Ledger()); n != 1 || r.departed() != 1 || r.everything() != 1 {
					t.Errorf("%d charges, %d left, %d operations", n, r.departed(), r.everything())
				}
			})
		})
	}
}
