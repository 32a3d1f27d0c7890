package ops

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

// Of twelve items four are done and four under way when another list comes: by
// name of the list, or by id.
func TestAListReplacesTheRestOfOneAtWork(t *testing.T) {
	for _, byID := range []bool{false, true} {
		workshop(t, 13, sandbox.Options{}, func(s *shop) {
			s.sim.SetChaos(sandbox.Chaos{Latency: 10 * time.Second})
			in := pushIntent(items(12, "Carol")...)
			in.List = "AD1-GANDI"
			op := s.submitted(in)
			time.Sleep(15 * time.Second)
			if got := s.tally(op.ID); got != "4 done, 4 sending, 4 todo" {
				t.Fatalf("before: %s", got)
			}
			next := []Item{
				item(name(1), "Carol"),                        // done, and stays so
				item(name(2), "Dave"),                         // done, and to be done again
				item(name(5), "Carol"), item(name(6), "Dave"), // under way
				item(name(9), "Dave"),  // not begun
				item(name(12), "Dave"), // new
			}
			in.Items, in.Params, in.Fingerprint = ListOf(next...), []byte(`{"b":2}`), "second"
			same, err := op, error(nil)
			if byID {
				same, err = s.e.Replace(tenantA, op.ID, in.Items)
			} else {
				same, err = s.submit(in)
			}
			s.must(err)
			if same.ID != op.ID || same.Step != Run || string(same.Params) == `{"b":2}` == byID {
				t.Errorf("it gave %d in %s with %s", same.ID, same.Step, same.Params)
			}
			s.wait(op.ID, 2*time.Minute)
			s.ends(op.ID, Done, "", "10 done")
			_, patches := s.admins(0)
			s.sim.SetChaos(sandbox.Chaos{})
			session, _ := s.opt.Session(tenantA)
			for i, want := range map[int]string{0: "Carol 1", 1: "Carol 1", 2: "Dave 2", 3: "Carol 1", 4: "Carol 1",
				5: "Carol 1", 6: "Dave 2", 7: "Carol 1", 8: "Alice 0", 9: "Dave 1", 10: "Alice 0", 11: "Alice 0", 12: "Dave 1"} {
				c, err := session.DomainContacts(context.Background(), name(i))
				s.must(err)
				if got := fmt.Sprint(c.Admin.Given, " ", patches[name(i)]); got != want {
					t.Errorf("%s: %s, want %s", name(i), got, want)
				}
			}
			if _, err := s.e.Replace(tenantA, op.ID, in.Items); !errors.Is(err, ErrStep) {
				t.Errorf("a list that has ended was replaced: %v", err)
			}
			if fresh := s.submitted(in); fresh.ID == op.ID {
				t.Error("a list that has ended took another one")
			}
		})
	}
}

// A list is replaced again and again, among deaths and lost answers; what was
// asked for last is what v5 has in the end.
func TestTheLastListWins(t *testing.T) {
	for _, point := range []string{"", "item", "item-sent", "item-outcome"} {
		for _, kind := range []string{"late", "lose-after", "lose-before", "html"} {
			t.Run(point+" "+kind, func(t *testing.T) {
				workshop(t, 10, sandbox.Options{}, func(s *shop) {
					s.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
					var op Operation
					for n := range 4 {
						in := pushIntent(items(10, "Carol"+string(rune('a'+n)))...)
						in.List = "AD1-GANDI"
						s.wire.fail(trouble{kind: kind, method: "PATCH", times: 3})
						op = s.submitted(in)
						time.Sleep(2500 * time.Millisecond)
						if point != "" {
							s.once(point, func() { s.db.Close() })
							time.Sleep(12 * time.Second)
							s.again()
						}
					}
					s.wire.heal()
					s.wait(op.ID, 10*time.Minute)
					s.ends(op.ID, Done, "", "10 done")
					if given, _ := s.admins(10); !slices.Equal(given, []string{"Carold"}) {
						t.Errorf("v5 has %v", given)
					}
				})
			})
		}
	}
}

func TestAListMayBecomeShorter(t *testing.T) {
	workshop(t, 40, sandbox.Options{}, func(s *shop) {
		s.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
		op := s.submitted(pushIntent(items(40, "Carol")...))
		time.Sleep(1500 * time.Millisecond)
		if _, err := s.e.Replace(tenantA, op.ID, ListOf()); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		s.ends(op.ID, Done, "", "8 done")
	})
}

// A list that stands still because of what failed takes up the new at once.
func TestAListThatWaitsIsReplaced(t *testing.T) {
	for _, byID := range []bool{false, true} {
		workshop(t, 2, sandbox.Options{}, func(s *shop) {
			s.wire.fail(trouble{kind: "html", method: "PATCH", path: name(0) + "/contacts"})
			in := pushIntent(items(1, "Carol")...)
			in.List = "AD1-GANDI"
			op := s.submitted(in)
			time.Sleep(16 * time.Minute)
			in.Items = ListOf(items(2, "Dave")...)
			var err error
			if byID {
				_, err = s.e.Replace(tenantA, op.ID, in.Items)
			} else {
				_, err = s.submit(in)
			}
			s.must(err)
			time.Sleep(time.Second)
			if got := s.tally(op.ID); got != "1 done, 1 sending" {
				t.Errorf("after a second: %s", got)
			}
			s.wire.heal()
			s.wait(op.ID, 15*time.Minute)
			s.ends(op.ID, Done, "", "2 done")
		})
	}
}

func TestWhoMayReplaceAList(t *testing.T) {
	workshop(t, 20, sandbox.Options{}, func(s *shop) {
		s.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
		in := pushIntent(items(20, "Carol")...)
		in.List = "AD1-GANDI"
		op := s.submitted(in)
		if _, err := s.e.Replace(tenantB, op.ID, ListOf()); !errors.Is(err, ErrForeign) {
			t.Errorf("another tenant: %v", err)
		}
		if _, err := s.e.Replace(tenantA, 7, ListOf()); !errors.Is(err, ErrUnknown) {
			t.Errorf("no operation: %v", err)
		}
		plain := s.submitted(createIntent(fqdn))
		if _, err := s.e.Replace(tenantA, plain.ID, ListOf()); !errors.Is(err, ErrStep) {
			t.Errorf("an operation without a list: %v", err)
		}
		foreign := in
		foreign.Tenant, foreign.Items = tenantB, ListOf()
		if other := s.submitted(foreign); other.ID == op.ID {
			t.Error("two tenants share a list")
		}
		s.opt.Kinds["test-other"] = s.opt.Kinds[kindPush]
		s.again()
		other := in
		other.Kind = "test-other"
		var busy *BusyError
		if _, err := s.submit(other); !errors.As(err, &busy) || busy.ID != op.ID {
			t.Errorf("another kind: %v", err)
		}
		s.wait(op.ID, time.Minute)
		var seen []string
		s.must(s.e.Items(tenantA, op.ID, func(it Item) error { seen = append(seen, it.Name); return nil }))
		if len(seen) != 20 || seen[19] != name(19) {
			t.Errorf("items %v", seen)
		}
		if err := s.e.Items(tenantB, op.ID, nil); !errors.Is(err, ErrForeign) {
			t.Errorf("another tenant's items: %v", err)
		}
	})
}

// In the moment in which a list ends, it either takes the new one or has ended.
func TestAListIsReplacedAsItEnds(t *testing.T) {
	for _, point := range []string{"item-sent", "item-outcome", "list-end"} {
		workshop(t, 2, sandbox.Options{}, func(s *shop) {
			in := pushIntent(items(1, "Carol")...)
			in.List = "AD1-GANDI"
			next := in
			next.Items = ListOf(items(2, "Dave")...)
			var second Operation
			s.once(point, func() {
				var err error
				if second, err = s.submit(next); err != nil {
					t.Error(err)
				}
			})
			op := s.submitted(in)
			s.wait(op.ID, time.Minute)
			s.wait(second.ID, time.Minute)
			if (second.ID == op.ID) != (point != "list-end") {
				t.Errorf("%s: the operations are %d and %d", point, op.ID, second.ID)
			}
			s.ends(second.ID, Done, "", "2 done")
			if given, _ := s.admins(2); !slices.Equal(given, []string{"Dave"}) {
				t.Errorf("%s: v5 has %v", point, given)
			}
		})
	}
}

// Ten thousand items, of which no more than a few are in memory.
func TestALongList(t *testing.T) {
	const n = 10_000
	workshop(t, 0, sandbox.Options{}, func(s *shop) {
		s.close()
		if dir, err := os.MkdirTemp("/dev/shm", "worklist"); err == nil { // 20,000 commits that wait for no disk
			t.Cleanup(func() { os.RemoveAll(dir) })
			s.path = filepath.Join(dir, "store.db")
		}
		commits := atomic.Int64{}
		var err error
		s.db, err = store.Open(s.path, time.Second, store.BeforeCommit(func() error { commits.Add(1); return nil }))
		s.must(err)
		s.opt.Kinds[kindPush] = Kind{DoItem: s.do, ShownItem: s.shown}
		s.e, err = New(s.db, s.opt)
		s.must(err)
		s.e.Start()
		s.wire.fail(trouble{kind: "accept"})
		in := pushIntent()
		in.Items = func(*store.Tx) (out []Item, err error) {
			for i := range n {
				out = append(out, Item{Name: fmt.Sprintf("d%05d.com", i), Request: marshal("Carol" + strings.Repeat("l", 700))})
			}
			return out, nil
		}
		heap := func() int64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		var done, first, most atomic.Int64
		s.on("item-outcome", func() {
			switch at := done.Add(1); {
			case at == 100:
				first.Store(heap())
			case at%2000 == 0:
				most.Store(max(most.Load(), heap()))
			}
		})
		before := commits.Load()
		op := s.submitted(in)
		s.wait(op.ID, time.Hour)
		s.ends(op.ID, Done, "", "10000 done")
		if begins := s.begins(); len(begins) != n || begins[n-1] < "d09000.com" {
			t.Errorf("%d sends, the last is %s", len(begins), begins[len(begins)-1])
		}
		if got := commits.Load() - before; got > 2*n+10 {
			t.Errorf("%d commits", got)
		}
		// The test itself keeps the names, and the store its pages; the items'
		// contents alone would be over 8 MiB with what holds them.
		if grew := most.Load() - first.Load(); grew > 8<<20 {
			t.Errorf("the heap grew by %d bytes", grew)
		}
		if size := len(marshal(s.get(op.ID))); size > 2000 {
			t.Errorf("the operation has %d bytes", size)
		}
		time.Sleep(time.Hour)
		if n, err := s.e.Prune(time.Now(), &strings.Builder{}, func() error { return nil }); n != 1 || err != nil || len(s.list(op.ID)) != 0 {
			t.Errorf("pruned %d, %v; %d items are left", n, err, len(s.list(op.ID)))
		}
	})
}

// A list that is replaced again and again is no longer than one.
func TestAListReplacedAgainAndAgain(t *testing.T) {
	workshop(t, 20, sandbox.Options{}, func(s *shop) {
		s.want = func(_ *store.Tx, it *Item) error {
			if !strings.Contains(string(it.Request), "Zoe") {
				return &LaterError{"not that one"}
			}
			return nil
		}
		op := s.submitted(pushIntent(items(20, "A")...))
		for i := range 200 {
			_, err := s.e.Replace(tenantA, op.ID, ListOf(items(20, fmt.Sprint("B", i))...))
			s.must(err)
		}
		_, err := s.e.Replace(tenantA, op.ID, ListOf(items(20, "Zoe")...))
		s.must(err)
		if n := len(s.list(op.ID)); n != 20 {
			t.Errorf("%d items are kept", n)
		}
		s.wait(op.ID, time.Minute)
		s.ends(op.ID, Done, "", "20 done")
		s.onceEach(20, "Zoe")
	})
}
