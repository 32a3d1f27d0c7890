package ops

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

func doneKey(item string) []byte { return store.Key("test-done", item) }

// awaiting makes the list kind one whose items are done when v5 shows them.
func (s *shop) awaiting() {
	s.alter(func(k *Kind) {
		k.AwaitItem = true
		shown := k.ShownItem
		k.ShownItem = func(c ctx, v session, op *Operation, item *Item) (bool, error) {
			item.Loaded = "seen"
			return shown(c, v, op, item)
		}
		k.DoneItem = func(tx *store.Tx, op *Operation, item *Item) error {
			if item.Loaded != "seen" || item.Request == nil {
				return fmt.Errorf("item %s is done with %v and %s", item.Name, item.Loaded, item.Request)
			}
			key := doneKey(item.Name)
			return store.PutID(tx, key, store.GetID(tx, key)+1)
		}
	})
}

// noted checks that the end of each of the first n items was written once.
func (s *shop) noted(n int) {
	s.t.Helper()
	s.must(s.db.View(func(tx *store.Tx) error {
		for i := range n {
			if times := store.GetID(tx, doneKey(name(i))); times != 1 {
				s.t.Errorf("%s is noted %d times", name(i), times)
			}
		}
		return nil
	}))
}

func TestAnItemIsDoneWhenV5ShowsIt(t *testing.T) {
	workshop(t, 12, sandbox.Options{}, func(s *shop) {
		s.awaiting()
		op := s.submitted(pushIntent(items(12, "Carol")...))
		time.Sleep(time.Second)
		if got := s.tally(op.ID); got != "12 taken" {
			t.Errorf("after a second: %s", got)
		}
		s.wait(op.ID, time.Minute)
		s.ends(op.ID, Done, "", "12 done")
		s.onceEach(12, "Carol")
		s.noted(12)
	})
}

// What v5 took is never sent again, however long it takes to show.
func TestWhatV5TookAndDoesNotShow(t *testing.T) {
	for _, after := range []time.Duration{2 * time.Minute, time.Hour} {
		workshop(t, 3, sandbox.Options{}, func(s *shop) {
			s.awaiting()
			begin := time.Now()
			s.alter(func(k *Kind) {
				shown := k.ShownItem
				k.ShownItem = func(c ctx, v session, op *Operation, item *Item) (bool, error) {
					ok, err := shown(c, v, op, item)
					return ok && (item.Name != name(1) || time.Since(begin) > after), err
				}
			})
			op := s.submitted(pushIntent(items(3, "Carol")...))
			s.wait(op.ID, 30*time.Minute)
			if after < time.Hour {
				s.ends(op.ID, Done, "", "3 done")
				s.noted(3)
			} else {
				s.ends(op.ID, Error, name(1)+": v5 took the change and does not show it", "2 done, 1 failed")
			}
			s.onceEach(3, "Carol")
		})
	}
}

// Nor does an outage, a stop or a death send it again.
func TestWhatV5TookOutlivesTheProcess(t *testing.T) {
	for _, point := range []string{"item-sent", "item-outcome"} {
		for _, nth := range []int{1, 7, 13, 20} { // in the first round sends, in the second looks
			t.Run(fmt.Sprint(point, nth), func(t *testing.T) {
				workshop(t, 12, sandbox.Options{}, func(s *shop) {
					s.awaiting()
					seen := atomic.Int64{}
					s.on(point, func() {
						if seen.Add(1) == int64(nth) {
							s.db.Close()
						}
					})
					op := s.submitted(pushIntent(items(12, "Carol")...))
					time.Sleep(2 * time.Minute)
					s.on(point, nil)
					s.again()
					s.wait(op.ID, 2*time.Minute)
					s.ends(op.ID, Done, "", "12 done")
					s.onceEach(12, "Carol")
					s.noted(12)
				})
			})
		}
	}
	workshop(t, 4, sandbox.Options{}, func(s *shop) {
		s.awaiting()
		op := s.submitted(pushIntent(items(4, "Carol")...))
		time.Sleep(time.Second)
		s.wire.fail(trouble{kind: "lose-before", times: 20})
		time.Sleep(time.Minute)
		s.wire.heal()
		s.wait(op.ID, 20*time.Minute)
		s.ends(op.ID, Done, "", "4 done")
		s.onceEach(4, "Carol")
	})
}

// A new list takes the place of what v5 took for the old one: equal content is
// not sent again, other content at once.
func TestReplacingWhatV5Took(t *testing.T) {
	workshop(t, 3, sandbox.Options{}, func(s *shop) {
		s.awaiting()
		op := s.submitted(pushIntent(items(3, "Carol")...))
		time.Sleep(time.Second)
		_, err := s.e.Replace(tenantA, op.ID, ListOf(item(name(0), "Carol"), item(name(1), "Dora")))
		s.must(err)
		s.wait(op.ID, time.Minute)
		s.ends(op.ID, Done, "", "3 done")
		given, patches := s.admins(3)
		if fmt.Sprint(given) != "[Carol Dora]" || patches[name(0)] != 1 || patches[name(1)] != 2 || patches[name(2)] != 1 {
			t.Errorf("%v in %v", given, patches)
		}
	})
}

func TestAnItemThatIsPutOff(t *testing.T) {
	workshop(t, 2, sandbox.Options{}, func(s *shop) {
		begin := time.Now()
		s.want = func(_ *store.Tx, item *Item) error {
			if item.Name == name(1) && time.Since(begin) < 20*time.Second {
				return &LaterError{"it is not there yet"}
			}
			return nil
		}
		op := s.submitted(pushIntent(items(2, "Carol")...))
		time.Sleep(time.Second)
		if it := s.list(op.ID)[1]; it.State != ItemTodo || it.LastError != "it is not there yet" {
			t.Errorf("%+v", it)
		}
		s.wait(op.ID, time.Minute)
		s.ends(op.ID, Done, "", "2 done")
		s.onceEach(2, "Carol")
	})
	workshop(t, 1, sandbox.Options{}, func(s *shop) {
		s.want = func(*store.Tx, *Item) error { return &LaterError{"it is not there yet"} }
		op := s.submitted(pushIntent(items(1, "Carol")...))
		s.wait(op.ID, 3*time.Hour)
		s.ends(op.ID, Error, name(0)+": it is not there yet", "1 failed")
	})
}

// An end that cannot be written is no end: the item is looked at again.
func TestAnEndThatCannotBeNoted(t *testing.T) {
	workshop(t, 2, sandbox.Options{}, func(s *shop) {
		s.awaiting()
		begin := time.Now()
		s.alter(func(k *Kind) {
			note := k.DoneItem
			k.DoneItem = func(tx *store.Tx, op *Operation, item *Item) error {
				if item.Name == name(1) && time.Since(begin) < 15*time.Second {
					return errors.New("no")
				}
				return note(tx, op, item)
			}
		})
		op := s.submitted(pushIntent(items(2, "Carol")...))
		s.wait(op.ID, 10*time.Minute)
		s.ends(op.ID, Done, "", "2 done")
		s.onceEach(2, "Carol")
		s.noted(2)
		if logs := s.logs.TakeAll(); len(logs) != 1 || !strings.Contains(logs[0].Message, "cannot go on") {
			t.Errorf("logs: %v", logs)
		}
	})
}

// What may have reached v5 is only looked for until v5 has had time to show it,
// counted from the last send, whatever dies in between.
func TestALostAnswerIsLookedForFirst(t *testing.T) {
	workshop(t, 2, sandbox.Options{}, func(s *shop) {
		s.awaiting()
		begin := time.Now()
		s.alter(func(k *Kind) {
			k.Looks = 2
			k.ShownItem = func(ctx, session, *Operation, *Item) (bool, error) { return false, nil }
		})
		s.wire.fail(trouble{kind: "lose-after", method: "PATCH", path: name(1) + "/contacts", times: 2})
		s.submitted(pushIntent(items(2, "Carol")...))
		var sent []time.Duration
		for range 800 {
			time.Sleep(time.Second)
			if n := s.sends(name(1)); n > len(sent) {
				sent = append(sent, time.Since(begin).Truncate(10*time.Second))
				s.again() // and Sent outlives the process
			}
		}
		if want := "[0s 1m10s 10m30s]"; fmt.Sprint(sent) != want {
			t.Errorf("sent after %v, want %s", sent, want)
		}
	})
}

func (s *shop) sends(name string) (n int) {
	for _, began := range s.begins() {
		if began == name {
			n++
		}
	}
	return n
}
