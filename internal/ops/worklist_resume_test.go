package ops

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

// A process that dies at any point of a list leaves a store from which the next
// one goes on, without a second request for what v5 has done.
func TestAListSurvivesDeathAtEveryPoint(t *testing.T) {
	for _, point := range []string{"list", "item", "item-sent", "item-outcome", "list-end"} {
		for _, nth := range []int{1, 2, 7, 12} {
			for _, network := range []bool{true, false} {
				if (point == "list" || point == "list-end") && nth > 1 {
					continue
				}
				t.Run(fmt.Sprintf("%s %d %t", point, nth, network), func(t *testing.T) {
					workshop(t, 12, sandbox.Options{}, func(s *shop) {
						seen := atomic.Int64{}
						s.on(point, func() {
							if seen.Add(1) == int64(nth) {
								s.db.Close()
								if !network {
									s.wire.fail(trouble{kind: "lose-before"})
								}
							}
						})
						in := pushIntent(items(12, "Carol")...)
						s.submit(in)
						time.Sleep(2 * time.Minute)
						if s.db.View(func(*store.Tx) error { return nil }) == nil {
							t.Fatal("it did not die")
						}
						s.on(point, nil)
						s.wire.heal()
						s.again()
						s.wait(1_000_000_000, time.Minute)
						s.ends(1_000_000_000, Done, "", "12 done")
						s.onceEach(12, "Carol")
					})
				})
			}
		}
	}
}

// And so does one that is stopped, in time or not.
func TestAListSurvivesItsEngine(t *testing.T) {
	for _, patience := range []time.Duration{0, time.Minute} {
		workshop(t, 12, sandbox.Options{}, func(s *shop) {
			s.sim.SetChaos(sandbox.Chaos{Latency: 2 * time.Second})
			op := s.submitted(pushIntent(items(12, "Carol")...))
			time.Sleep(3 * time.Second)
			begin := time.Now()
			until, cancel := contextFor(patience)
			defer cancel()
			s.e.Close(until)
			if took := time.Since(begin); took != min(patience, time.Second) {
				t.Errorf("closed after %v", took)
			}
			want := map[bool]string{true: "8 done, 4 todo", false: "4 done, 4 sending, 4 todo"}[patience > 0]
			if got := s.tally(op.ID); got != want {
				t.Errorf("left as %s, want %s", got, want)
			}
			for _, it := range s.list(op.ID) {
				if it.State == ItemSending && it.Tries != 0 {
					t.Errorf("our own end counts as a try of %s", it.Name)
				}
			}
			s.again()
			s.wait(op.ID, time.Minute)
			s.ends(op.ID, Done, "", "12 done")
			s.onceEach(12, "Carol")
		})
	}
}

// Whatever becomes of an answer, each item is done, and v5 is not asked again for
// what it shows.
func TestAnAnswerThatGetsLost(t *testing.T) {
	for kind, sends := range map[string]int{
		"lose-after": 1, "lose-before": 2, "html": 2, "html-after": 1, "hang-before": 2, "hang-after": 1,
		"late": 1, "html-404": 2, "refuse": 1, "cut": 1, "accept": 1,
	} {
		t.Run(kind, func(t *testing.T) {
			workshop(t, 6, sandbox.Options{}, func(s *shop) {
				s.wire.fail(trouble{kind: kind, method: "PATCH", path: name(2) + "/contacts", times: 1})
				op := s.submitted(pushIntent(items(6, "Carol")...))
				time.Sleep(5 * time.Second)
				if got := s.tally(op.ID); !strings.HasPrefix(got, "5 done") && !strings.HasPrefix(got, "6 done") {
					t.Errorf("it kept the others: %s", got)
				}
				s.wait(op.ID, 10*time.Minute)
				s.ends(op.ID, Done, "", "6 done")
				if n := len(s.begins()) - 5; n != sends {
					t.Errorf("sent %d times, want %d", n, sends)
				}
				if kind != "accept" { // what v5 took is done
					s.onceEach(6, "Carol")
				}
			})
		})
	}
}

// A refusal that may be the effect of an earlier request is none.
func TestARefusalAfterALostAnswer(t *testing.T) {
	for shows, want := range map[bool]string{true: "2 done", false: "1 done, 1 failed"} {
		workshop(t, 2, sandbox.Options{}, func(s *shop) {
			looks := atomic.Int64{}
			s.alter(func(k *Kind) {
				k.ShownItem = func(ctx, session, *Operation, *Item) (bool, error) { return looks.Add(1) > 1 && shows, nil }
			})
			path := "/domain/domains/" + name(1) + "/contacts"
			s.wire.fail(trouble{kind: "lose-after", method: "PATCH", path: path, times: 1})
			op := s.submitted(pushIntent(items(2, "Carol")...))
			time.Sleep(2 * time.Second)
			s.nextError("PATCH", path, 409, map[string]any{"code": 409, "message": "it is so already"}, false)
			s.wait(op.ID, time.Minute)
			step, text := Done, ""
			if !shows {
				step, text = Error, "it is so already"
			}
			if s.ends(op.ID, step, text, want); looks.Load() != 2 {
				t.Errorf("%d looks", looks.Load())
			}
		})
	}
}

func TestATryThatV5DoesNotTakeIsRepeated(t *testing.T) {
	for _, c := range []struct {
		name  string
		most  int // sends in the outage
		begin func(*shop)
		end   func(*shop)
	}{
		{"429", 20, func(s *shop) { s.sim.SetChaos(sandbox.Chaos{Reject429: 1}) }, func(s *shop) { s.sim.SetChaos(sandbox.Chaos{}) }},
		{"no connection", 40, func(s *shop) { s.wire.fail(trouble{kind: "refuse"}) }, func(s *shop) { s.wire.heal() }},
		{"a page with 500", 40, func(s *shop) { s.wire.fail(trouble{kind: "html"}) }, func(s *shop) { s.wire.heal() }},
		{"no answer", 40, func(s *shop) { s.wire.fail(trouble{kind: "lose-before"}) }, func(s *shop) { s.wire.heal() }},
		{"the token is refused", 20, func(s *shop) { s.wire.fail(trouble{kind: "unauthorized"}) }, func(s *shop) { s.wire.heal() }},
		{"the tenant is gone", 0, func(s *shop) { s.lose(errors.New("not configured")) }, func(s *shop) { s.lose(nil) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			workshop(t, 50, sandbox.Options{}, func(s *shop) {
				s.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
				op := s.submitted(pushIntent(items(50, "Carol")...))
				time.Sleep(3 * time.Second)
				c.begin(s)
				before := len(s.begins())
				time.Sleep(30 * time.Minute)
				// An outage neither fails items nor has them all tried in vain.
				if got := s.tally(op.ID); strings.Contains(got, "failed") || s.get(op.ID).Step != Run {
					t.Errorf("in the outage: %s", got)
				}
				if n := len(s.begins()); n > before+c.most {
					t.Errorf("%d sends in the outage", n-before)
				}
				c.end(s)
				s.wait(op.ID, 30*time.Minute)
				s.ends(op.ID, Done, "", "50 done")
				if given, _ := s.admins(50); !slices.Equal(given, []string{"Carol"}) {
					t.Errorf("v5 has %v", given)
				}
			})
		})
	}
}

func (s *shop) lose(err error) { s.rig.mu.Lock(); defer s.rig.mu.Unlock(); s.lost = err }

func TestAnItemIsNotTriedForEver(t *testing.T) {
	for kind, text := range map[string]string{"html": "v5 answered 500", "lose-before": "v5 could not be reached", "refuse": "v5 could not be reached"} {
		t.Run(kind, func(t *testing.T) {
			workshop(t, 5, sandbox.Options{}, func(s *shop) {
				s.wire.fail(trouble{kind: kind, path: name(1) + "/contacts", method: "PATCH"})
				op := s.submitted(pushIntent(items(5, "Carol")...))
				time.Sleep(30 * time.Second)
				if got := s.tally(op.ID); !strings.HasPrefix(got, "4 done") {
					t.Errorf("after 30 seconds: %s", got)
				}
				begin := time.Now()
				s.wait(op.ID, 3*time.Hour)
				s.ends(op.ID, Error, name(1)+": "+text, "4 done, 1 failed")
				if n := len(s.begins()) - 4; n != mostTries || time.Since(begin) < 30*time.Minute {
					t.Errorf("%d tries in %v", n, time.Since(begin))
				}
			})
		})
	}
}

// Each commit of a list fails once, and it ends as if none had.
func TestACommitThatFails(t *testing.T) {
	for _, c := range []struct{ most, lost, commits int }{{1, 0, 15}, {1, 3, 21}, {4, 0, 12}, {4, 3, 15}} {
		for nth := int64(1); nth <= int64(c.commits); nth++ {
			workshop(t, 6, sandbox.Options{}, func(s *shop) {
				s.alter(func(k *Kind) { k.ItemsAtOnce = c.most })
				s.close()
				n := atomic.Int64{}
				var err error
				s.db, err = store.Open(s.path, time.Second, store.RunTwice(), store.BeforeCommit(func() error {
					if n.Add(1) == nth {
						return errors.New("the disk is full")
					}
					return nil
				}))
				s.must(err)
				s.e, err = New(s.db, s.opt)
				s.must(err)
				s.e.Start()
				if c.lost > 0 {
					s.wire.fail(trouble{kind: "lose-after", method: "PATCH", times: c.lost})
				}
				in := pushIntent(items(6, "Carol")...)
				op, err := s.submit(in)
				if err != nil { // the first commit is the intent
					op = s.submitted(in)
				}
				s.wait(op.ID, time.Hour)
				s.ends(op.ID, Done, "", "6 done")
				s.onceEach(6, "Carol")
				if n.Load() < nth && c.most == 1 { // others share commits
					t.Errorf("there is no commit %d", nth)
				}
			})
		}
	}
}

func TestADoneListThatCannotBeSettledIsTriedAgain(t *testing.T) {
	workshop(t, 4, sandbox.Options{}, func(s *shop) {
		set := func(err error) { s.rig.mu.Lock(); defer s.rig.mu.Unlock(); s.settle = err }
		set(errors.New("no"))
		op := s.submitted(pushIntent(items(4, "Carol")...))
		time.Sleep(time.Minute)
		if now := s.get(op.ID); now.Step != Run || s.logs.Len() == 0 {
			t.Errorf("%s, %d lines logged", now.Step, s.logs.Len())
		}
		set(nil)
		s.wait(op.ID, time.Minute)
		s.ends(op.ID, Done, "", "4 done")
		s.onceEach(4, "Carol")
	})
}

// In real time, since a bubble does not see locks: while a request of an item
// is under way, the store can be written.
func TestNoItemIsSentInsideATransaction(t *testing.T) {
	r := newRig(t, sandbox.Options{StepTime: time.Millisecond})
	s := &shop{rig: r}
	r.opt.Kinds = map[string]Kind{kindPush: {DoItem: s.do, ShownItem: s.shown}}
	r.opt.LookGap = time.Millisecond
	r.restart()
	r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: name(0)}, {FQDN: name(1)}, {FQDN: name(2)}}})
	r.wire.fail(trouble{kind: "lose-before", method: "PATCH", times: 2})
	r.wire.during = func(q *http.Request) {
		written := make(chan error, 1)
		go func() {
			written <- r.db.Update(func(tx *store.Tx) error { return tx.Put(store.Key("test"), nil) })
		}()
		select {
		case err := <-written:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			panic("a transaction is open during " + q.Method + " " + q.URL.Path)
		}
	}
	op := r.submitted(pushIntent(items(3, "Carol")...))
	for end := time.Now().Add(20 * time.Second); !op.Step.AtEnd() && time.Now().Before(end); time.Sleep(time.Millisecond) {
		op = r.get(op.ID)
	}
	s.ends(op.ID, Done, "", "3 done")
}

// The request before may be on its way still when its successor's turn comes: v5
// then shows what it is about to lose.
func TestASuccessorIsSentThoughV5ShowsIt(t *testing.T) {
	workshop(t, 1, sandbox.Options{StepTime: 30 * time.Second}, func(s *shop) {
		op := s.submitted(pushIntent(items(1, "Carol")...))
		s.wait(op.ID, time.Minute)
		time.Sleep(time.Hour)
		in := pushIntent(items(1, "Dave")...)
		in.List = "AD1-GANDI"
		s.wire.fail(trouble{kind: "lose-after", method: "PATCH", times: 1})
		op = s.submitted(in)
		time.Sleep(time.Second)
		in.Items = ListOf(items(1, "Carol")...)
		s.submitted(in)
		s.wait(op.ID, time.Minute)
		time.Sleep(time.Hour)
		if given, patches := s.admins(1); !slices.Equal(given, []string{"Carol"}) || patches[name(0)] != 3 {
			t.Errorf("v5 has %v after %v", given, patches)
		}
	})
}
