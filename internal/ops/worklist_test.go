package ops

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

func TestAWorkListIsDoneInItsOrderAndNotAllAtOnce(t *testing.T) {
	for most, top := range map[int]int{0: itemsAtOnce, 1: 1, 7: 7} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			workshop(t, 30, sandbox.Options{}, func(s *shop) {
				s.alter(func(k *Kind) { k.ItemsAtOnce = most })
				s.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
				op := s.submitted(pushIntent(items(30, "Carol")...))
				if op.Step != Run || op.State != Accepted || op.Started.IsZero() {
					t.Errorf("at once: %s, %s", op.Step, op.State)
				}
				took := time.Now()
				s.wait(op.ID, time.Minute)
				if want := time.Duration(30+top-1) / time.Duration(top) * time.Second; time.Since(took) > want+2*time.Second {
					t.Errorf("took %v with %d at once", time.Since(took), top)
				}
				s.ends(op.ID, Done, "", "30 done")
				s.onceEach(30, "Carol")
				if s.top != top {
					t.Errorf("%d at once, want %d", s.top, top)
				}
				for i, began := range s.begins() {
					if n := slices.Index(s.begins()[max(0, i-top):min(30, i+top)], name(i)); n < 0 || top == 1 && began != name(i) {
						t.Errorf("%s began as number %d", began, i)
					}
				}
			})
		})
	}
}

func TestAllListsTogetherAreBounded(t *testing.T) {
	workshop(t, 100, sandbox.Options{}, func(s *shop) {
		s.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
		var ids []int64
		for i := range 10 {
			in := pushIntent(items(100, "Carol")[10*i : 10*i+10]...)
			ids = append(ids, s.submitted(in).ID)
		}
		for _, id := range ids {
			s.wait(id, time.Minute)
			s.ends(id, Done, "", "10 done")
		}
		if s.onceEach(100, "Carol"); s.top != itemsInAll {
			t.Errorf("%d at once", s.top)
		}
	})
}

// Whoever polls gets what is written down: no read of v5, no write.
func TestAskingForAListCostsNothing(t *testing.T) {
	workshop(t, 20, sandbox.Options{}, func(s *shop) {
		s.alter(func(k *Kind) { k.ItemsAtOnce = 1 })
		s.sim.SetChaos(sandbox.Chaos{Latency: 5 * time.Second})
		op := s.submitted(pushIntent(items(20, "Carol")...))
		time.Sleep(2 * time.Second)
		asked, stored := s.all(), s.snapshot()
		for range 100 {
			begin := time.Now()
			if now := s.refresh(op.ID); now.Step != Run || time.Since(begin) != 0 {
				t.Errorf("%s after %v", now.Step, time.Since(begin))
			}
			time.Sleep(10 * time.Millisecond)
		}
		if s.all() != asked || len(changed(stored, s.snapshot())) != 0 {
			t.Errorf("%d requests; changed: %q", s.all()-asked, changed(stored, s.snapshot()))
		}
		s.wait(op.ID, 2*time.Minute)
	})
}

func TestTheEndOfAnItemWritesThatItemOnly(t *testing.T) {
	workshop(t, 10, sandbox.Options{}, func(s *shop) {
		s.alter(func(k *Kind) { k.ItemsAtOnce = 1 })
		s.sim.SetChaos(sandbox.Chaos{Latency: 2 * time.Second})
		op := s.submitted(pushIntent(items(10, "Carol")...))
		time.Sleep(time.Second)
		for n := int64(1); n < 10; n++ {
			before := s.snapshot()
			time.Sleep(2 * time.Second)
			want := []string{string(store.OpItemKey(op.ID, n)), string(store.OpItemKey(op.ID, n+1))}
			if got := changed(before, s.snapshot()); !slices.Equal(got, want) {
				t.Errorf("the end of item %d and the start of the next wrote %q", n, got)
			}
		}
		s.wait(op.ID, time.Minute)
	})
}

func (s *shop) snapshot() map[string]string {
	all := map[string]string{}
	s.must(s.db.View(func(tx *store.Tx) error {
		return tx.Scan(nil, func(k, v []byte) error { all[string(k)] = string(v); return nil })
	}))
	return all
}

func changed(before, after map[string]string) (keys []string) {
	for k, v := range after {
		if before[k] != v {
			keys = append(keys, k)
		}
	}
	for k := range before {
		if _, ok := after[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

func TestItemsThatAreRefusedAreNamed(t *testing.T) {
	workshop(t, 40, sandbox.Options{}, func(s *shop) {
		var all []Item
		for i := range 40 { // every other one is not there
			all = append(all, item(name(i), "Carol"), item("x"+name(i), "Carol"))
		}
		op := s.submitted(pushIntent(all...))
		s.wait(op.ID, time.Minute)
		s.ends(op.ID, Error, "xd004.com: ", "40 done, 40 failed")
		text := s.get(op.ID).LastError
		if !strings.HasPrefix(text, "xd000.com: ") || !strings.HasSuffix(text, "; and 35 more") || len(text) > 1000 {
			t.Errorf("last error %q", text)
		}
		if s.onceEach(40, "Carol"); len(s.begins()) != 80 {
			t.Errorf("%d sends", len(s.begins()))
		}
	})
	workshop(t, 2, sandbox.Options{}, func(s *shop) { // a loud v5
		s.alter(func(k *Kind) { k.ItemsAtOnce = 1 })
		s.nextError("PATCH", "/domain/domains/"+name(0)+"/contacts", 400, map[string]any{"code": 400, "message": strings.Repeat("é", 5000)}, false)
		op := s.submitted(pushIntent(items(2, "Carol")...))
		s.wait(op.ID, time.Minute)
		s.ends(op.ID, Error, name(0)+": é", "1 done, 1 failed")
		if n := len([]rune(s.get(op.ID).LastError)); n > 200 {
			t.Errorf("last error has %d characters", n)
		}
	})
}

func TestAnItemIsLookedAtAgainWhenItsTimeHasCome(t *testing.T) {
	workshop(t, 8, sandbox.Options{}, func(s *shop) {
		s.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
		gone := store.Key("test-gone")
		s.want = func(tx *store.Tx, item *Item) error {
			item.Loaded = "for " + item.Name
			if tx.Get(gone) != nil && item.Name >= name(4) {
				return &SkipError{"it is no longer used"}
			}
			return nil
		}
		s.alter(func(k *Kind) {
			do := k.DoItem
			k.DoItem = func(ctx ctx, session session, op *Operation, item *Item) error {
				if item.Loaded != "for "+item.Name || item.Tries != 1 {
					t.Errorf("%s has %v at try %d", item.Name, item.Loaded, item.Tries)
				}
				if item.Name == name(2) {
					return &SkipError{"v5 has it no more"}
				}
				return do(ctx, session, op, item)
			}
		})
		op := s.submitted(pushIntent(items(8, "Carol")...))
		s.must(s.db.Update(func(tx *store.Tx) error { return tx.Put(gone, nil) }))
		s.wait(op.ID, time.Minute)
		s.ends(op.ID, Done, "", "3 done, 5 skipped")
		if it := s.list(op.ID)[5]; it.LastError != "it is no longer used" {
			t.Errorf("%+v", it)
		}
		if n := len(s.begins()); n != 3 {
			t.Errorf("%d sends", n)
		}
	})
}

// Callers' requests go before those of lists: of two requests in flight
// background work can have one.
func TestListsAreBackgroundWork(t *testing.T) {
	workshop(t, 8, sandbox.Options{}, func(s *shop) {
		client, err := v5.New(v5.Options{BaseURL: "http://v5.test/v5", Transport: s.wire, MaxInFlight: 2})
		s.must(err)
		s.opt.Session = func(string) (*v5.Session, error) {
			return client.Session(v5.Credential{Scheme: "Bearer", Secret: sandbox.DefaultToken}, sandbox.DefaultSharingID), nil
		}
		s.again()
		s.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
		begin := time.Now()
		op := s.submitted(pushIntent(items(8, "Carol")...))
		s.wait(op.ID, time.Minute)
		if s.onceEach(8, "Carol"); time.Since(begin) < 8*time.Second {
			t.Errorf("8 items took %v", time.Since(begin))
		}
	})
}

// A function that does not return by itself is made to.
func TestAnItemThatHangs(t *testing.T) {
	workshop(t, 6, sandbox.Options{}, func(s *shop) {
		s.alter(func(k *Kind) {
			do := k.DoItem
			k.DoItem = func(c ctx, v session, op *Operation, item *Item) error {
				if item.Name < name(4) && item.Tries == 1 {
					<-c.Done()
					return c.Err()
				}
				return do(c, v, op, item)
			}
		})
		op := s.submitted(pushIntent(items(6, "Carol")...))
		s.wait(op.ID, 10*time.Minute)
		s.ends(op.ID, Done, "", "6 done")
		s.onceEach(6, "Carol")
	})
}

// What cannot even be looked at is tried again, and given up at last.
func TestAFaultyKindStopsOnlyItsItems(t *testing.T) {
	for _, where := range []string{"want", "do", "shown"} {
		t.Run(where, func(t *testing.T) {
			workshop(t, 3, sandbox.Options{}, func(s *shop) {
				oops := func(item *Item) {
					if item.Name == name(1) {
						panic("no such answer")
					}
				}
				s.alter(func(k *Kind) {
					want, do, shown := k.WantItem, k.DoItem, k.ShownItem
					switch where {
					case "want":
						k.WantItem = func(tx *store.Tx, op *Operation, item *Item) error { oops(item); return want(tx, op, item) }
					case "shown":
						k.ShownItem = func(c ctx, v session, op *Operation, item *Item) (bool, error) {
							oops(item)
							return shown(c, v, op, item)
						}
						fallthrough
					case "do":
						k.DoItem = func(c ctx, v session, op *Operation, item *Item) error { oops(item); return do(c, v, op, item) }
					}
				})
				op := s.submitted(pushIntent(items(3, "Carol")...))
				time.Sleep(time.Minute)
				if got := s.tally(op.ID); !strings.HasPrefix(got, "2 done") {
					t.Errorf("after a minute: %s", got)
				}
				s.wait(op.ID, 3*time.Hour)
				s.ends(op.ID, Error, name(1)+": the gateway could not carry it out", "2 done, 1 failed")
			})
		})
	}
}

func TestListsThatCannotBe(t *testing.T) {
	workshop(t, 2, sandbox.Options{}, func(s *shop) {
		twice := pushIntent(item("a", "B"), item("a", "C"))
		unnamed := pushIntent(item("", "B"))
		noJSON := pushIntent(Item{Name: "a", Request: []byte("{")})
		none := pushIntent()
		none.Items = nil
		failing := pushIntent()
		failing.Items = func(*store.Tx) ([]Item, error) { return nil, errors.New("no uses") }
		foreign := renewIntent(1)
		foreign.Items = ListOf(item("a", "B"))
		named := buildIntent(item("a", "B"))
		named.List = "a"
		for i, in := range []Intent{twice, unnamed, noJSON, none, failing, foreign, named} {
			if op, err := s.submit(in); err == nil || op.ID != 0 {
				t.Errorf("intent %d: operation %d, %v", i, op.ID, err)
			}
		}
		if n := len(s.snapshot()); n != 1 { // the schema
			t.Errorf("%d keys are left", n)
		}
	})
}

func TestAnEmptyListIsDoneAtOnce(t *testing.T) {
	workshop(t, 1, sandbox.Options{}, func(s *shop) {
		op := s.submitted(pushIntent())
		if s.ends(op.ID, Done, "", ""); op.Step != Done {
			t.Errorf("at once: %s", op.Step)
		}
	})
}

func TestNothingIsKeptOfAListThatHasEnded(t *testing.T) {
	workshop(t, 20, sandbox.Options{}, func(s *shop) {
		in := pushIntent(items(20, "Carol")...)
		in.List = "AD1-GANDI"
		op := s.submitted(in)
		s.wait(op.ID, time.Minute)
		time.Sleep(time.Second)
		s.e.mu.Lock()
		if n := len(s.e.lists) + len(s.e.open) + len(s.e.due) + len(s.e.turns) + len(s.e.unsent) + len(s.e.slots); n != 0 {
			t.Errorf("%d entries", n)
		}
		s.e.mu.Unlock()
		for key := range s.snapshot() {
			if strings.HasPrefix(key, "op-list") || strings.HasPrefix(key, "op-open") {
				t.Errorf("key %q is left", key)
			}
		}
		time.Sleep(time.Hour)
		var archive strings.Builder
		if n, err := s.e.Prune(time.Now(), &archive, func() error { return nil }); n != 1 || err != nil {
			t.Errorf("pruned %d, %v", n, err)
		}
		for key := range s.snapshot() {
			if strings.HasPrefix(key, "op") {
				t.Errorf("key %q is left", key)
			}
		}
	})
}
