package ops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

// follow checks an operation that is a create with a list.
func (s *shop) follow(id int64, want end, tally string) {
	s.t.Helper()
	s.check(id, want)
	if got := s.tally(id); got != tally {
		s.t.Errorf("items: %s; want %s", got, tally)
	}
}

func TestWhatFollowsAPurchaseIsDoneAfterItAndInOrder(t *testing.T) {
	workshop(t, 4, sandbox.Options{StepTime: 5 * time.Second}, func(s *shop) {
		s.opt.Settle = func(tx *store.Tx, op *Operation) error { // what is bought is, before anything follows
			key := settledKey(op.ID)
			return errors.Join(eachItem(tx, op.ID, func(it *Item) error {
				if it.State != ItemTodo {
					return errors.New(it.Name + " is begun")
				}
				return nil
			}), store.PutID(tx, key, store.GetID(tx, key)+1))
		}
		s.again()
		op := s.submitted(buildIntent(item(fqdn, "Dave"), item(name(3), "Dave"), item(name(0), "Dave"), item(name(1), "Dave")))
		if op.Step != Bill || op.Work.Begun || len(s.begins()) != 0 {
			t.Errorf("at once: %s, %v", op.Step, s.begins())
		}
		time.Sleep(14 * time.Second)
		if now := s.refresh(op.ID); now.Step != Run || len(s.begins()) != 0 || s.free() {
			t.Errorf("before the domain is there: %s, %v", now.Step, s.begins())
		}
		s.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
		time.Sleep(5500 * time.Millisecond)
		if now := s.refresh(op.ID); now.Step != Run || len(s.begins()) == 0 || len(s.begins()) == 4 || s.free() {
			t.Errorf("at work: %s, %v", now.Step, s.begins())
		}
		s.wait(op.ID, time.Minute)
		s.follow(op.ID, end{Done, Accepted, "", 1, 5}, "4 done")
		if got := s.begins(); s.top != 1 || !slices.Equal(got, []string{fqdn, name(3), name(0), name(1)}) {
			t.Errorf("order %v, %d at once", got, s.top)
		}
		if !s.free() {
			t.Error("the name is still held")
		}
	})
}

// An item waits for the one before, however long that takes, and is not begun
// when that one fails.
func TestWhatBuildsOnAnItemWaitsForIt(t *testing.T) {
	for kind, c := range map[string]struct {
		times int
		want  end
		tally string
	}{
		"html":        {6, end{Done, Accepted, "", 1, 5}, "4 done"},
		"lose-before": {2, end{Done, Accepted, "", 1, 5}, "4 done"},
		"refuse":      {9, end{Done, Accepted, "", 1, 5}, "4 done"},
		"absent":      {1, end{Error, Accepted, "bought and stays so; what had to follow is not done: " + name(1) + ": v5 answered 404; 2 after that not begun", 1, 2}, "1 done, 1 failed, 2 skipped"},
	} {
		t.Run(kind, func(t *testing.T) {
			workshop(t, 4, sandbox.Options{}, func(s *shop) {
				s.wire.fail(trouble{kind: kind, method: "PATCH", path: name(1) + "/contacts", times: c.times})
				op := s.submitted(buildIntent(items(4, "Dave")...))
				s.wait(op.ID, 3*time.Hour)
				s.follow(op.ID, c.want, c.tally)
				if got := slices.Compact(s.begins()); !slices.IsSorted(got) {
					t.Errorf("order %v", got)
				}
				if !s.free() {
					t.Error("the name is still held")
				}
			})
		})
	}
}

func TestAPurchaseThatFailsHasNoSequel(t *testing.T) {
	for _, c := range []struct {
		name  string
		begin func(*shop)
		want  end
	}{
		{"refused", func(s *shop) {
			s.nextError("POST", "/domain/domains", 400, map[string]any{"code": 400, "message": "no"}, false)
		}, end{Error, Refused, "no", 0, 0}},
		{"failed at the registry", func(s *shop) {
			s.seed(sandbox.Seed{FailCreate: map[string]sandbox.FailedOrder{fqdn: {ErrorType: "registry:refused"}}})
		}, end{Error, Accepted, "registry:refused", 1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			workshop(t, 3, sandbox.Options{}, func(s *shop) {
				c.begin(s)
				op, _ := s.submit(buildIntent(items(3, "Dave")...))
				time.Sleep(time.Hour)
				s.follow(s.get(1_000_000_000).ID, c.want, "3 skipped")
				for _, it := range s.list(1_000_000_000) {
					if it.Request != nil {
						t.Errorf("%s keeps %s", it.Name, it.Request)
					}
				}
				if len(s.begins()) != 0 {
					t.Errorf("operation %d: sent %v", op.ID, s.begins())
				}
				// Relaunched, it needs its list again, and does it then.
				if c.want.charges == 0 {
					in := createIntent(fqdn)
					if _, err := s.e.Relaunch(context.Background(), 1_000_000_000, in, Wait); err == nil {
						t.Error("relaunched without its list")
					}
					if _, err := s.e.Relaunch(context.Background(), 1_000_000_000, buildIntent(items(3, "Dave")...), Wait); err != nil {
						t.Error(err)
					}
					s.wait(1_000_000_000, time.Minute)
					s.follow(1_000_000_000, end{Done, Accepted, "", 1, 4}, "3 done")
				}
			})
		})
	}
}

// Dead at any point of purchase and list: one purchase, each item once.
func TestAPurchaseWithASequelSurvivesDeath(t *testing.T) {
	for _, point := range []string{"intended", "dry-run", "sending", "sent", "outcome", "item", "item-sent", "item-outcome", "list-end"} {
		for _, network := range []bool{true, false} {
			if !network && point == "sending" {
				continue // the request is lost and sent again
			}
			t.Run(fmt.Sprint(point, network), func(t *testing.T) {
				workshop(t, 3, sandbox.Options{}, func(s *shop) {
					s.once(point, func() {
						s.db.Close()
						if !network {
							s.wire.fail(trouble{kind: "lose-before"})
						}
					})
					s.submit(buildIntent(items(3, "Dave")...))
					time.Sleep(time.Minute)
					s.wire.heal()
					s.again()
					s.wait(1_000_000_000, 5*time.Minute)
					s.follow(1_000_000_000, end{Done, Accepted, "", 1, 4}, "3 done")
					s.onceEach(3, "Dave")
					var order []string
					for _, q := range s.sim.Requests() {
						if q.Method == "PATCH" {
							order = append(order, q.Path)
						}
					}
					if !slices.IsSorted(order) {
						t.Errorf("order %v", order)
					}
				})
			})
		}
	}
}

// An operator's word on the purchase is not one on the list.
func TestAResolvedPurchaseIsNotDoneBeforeItsList(t *testing.T) {
	workshop(t, 2, sandbox.Options{}, func(s *shop) {
		s.once("sending", func() { s.wire.fail(trouble{kind: "accept", method: "POST", real: true, times: 1}) })
		op := s.submitted(buildIntent(items(2, "Dave")...))
		time.Sleep(3 * time.Hour)
		if now := s.get(op.ID); now.Step != Support {
			t.Fatalf("after 3 hours: %s", now.Step)
		}
		now, err := s.e.Resolve(op.ID, true)
		if err != nil || now.Step != Run {
			t.Errorf("resolved: %s, %v", now.Step, err)
		}
		s.wait(op.ID, 10*time.Minute)
		s.ends(op.ID, Done, "", "2 done")
	})
}

// A purchase that is not needed still has its list.
func TestNothingToBuyAndSomethingToDo(t *testing.T) {
	workshop(t, 2, sandbox.Options{}, func(s *shop) {
		in := buildIntent(items(2, "Dave")...)
		in.Nothing = true
		op := s.submitted(in)
		s.wait(op.ID, time.Minute)
		s.follow(op.ID, end{Done, Accepted, "", 0, 2}, "2 done")
	})
}

func TestAListThatIsCancelled(t *testing.T) {
	workshop(t, 5, sandbox.Options{}, func(s *shop) {
		in := pushIntent(items(5, "Carol")...)
		in.List = "AD1-GANDI"
		op, _, err := s.e.intend(in, nil)
		s.must(err)
		s.must(s.e.Cancel(tenantA, op.ID))
		time.Sleep(time.Hour)
		if s.tally(op.ID) != "5 skipped" || len(s.begins()) != 0 || s.list(op.ID)[0].Request != nil {
			t.Errorf("%s, %v", s.tally(op.ID), s.begins())
		}
		again := s.submitted(in)
		if again.ID == op.ID {
			t.Error("a cancelled list took another")
		}
		if err := s.e.Cancel(tenantA, again.ID); !errors.Is(err, ErrStep) {
			t.Errorf("a list at work was cancelled: %v", err)
		}
		s.wait(again.ID, time.Minute)
		s.ends(again.ID, Done, "", "5 done")
	})
}

// A list whose kind only a newer program knows waits for that program.
func TestAListOfAnUnknownKindWaits(t *testing.T) {
	workshop(t, 3, sandbox.Options{}, func(s *shop) {
		op, _, err := s.e.intend(pushIntent(items(3, "Carol")...), nil)
		s.must(err)
		kinds := s.opt.Kinds
		s.opt.Kinds = nil
		s.again()
		time.Sleep(time.Hour)
		if got := s.tally(op.ID); got != "3 todo" || !strings.Contains(fmt.Sprint(s.logs.All()), "cannot be moved") {
			t.Errorf("%s", got)
		}
		s.opt.Kinds = kinds
		s.again()
		s.wait(op.ID, time.Minute)
		s.ends(op.ID, Done, "", "3 done")
	})
}

// A list that ended in ERROR and is relaunched does what failed, and nothing
// that was done, once more.
func TestAListThatIsRelaunched(t *testing.T) {
	workshop(t, 6, sandbox.Options{}, func(s *shop) {
		for _, i := range []int{1, 4} {
			s.wire.fail(trouble{kind: "absent", method: "PATCH", path: name(i) + "/contacts"})
		}
		in := pushIntent(items(6, "Carol")...)
		in.List = "AD1-GANDI"
		op := s.submitted(in)
		s.wait(op.ID, time.Minute)
		s.ends(op.ID, Error, name(1)+": ", "4 done, 2 failed")
		s.wire.heal()
		s.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
		other := s.submitted(in)
		var busy *BusyError
		if _, err := s.e.Relaunch(context.Background(), op.ID, in, Wait); !errors.As(err, &busy) || busy.ID != other.ID {
			t.Errorf("beside another list of its name: %v", err)
		}
		s.wait(other.ID, time.Minute)
		begun := len(s.begins())
		if _, err := s.e.Relaunch(context.Background(), op.ID, in, Wait); err != nil {
			t.Error(err)
		}
		s.wait(op.ID, time.Minute)
		s.ends(op.ID, Done, "", "6 done")
		if got := s.begins()[begun:]; len(got) != 2 {
			t.Errorf("done once more: %v", got)
		}
	})
}
