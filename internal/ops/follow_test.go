package ops

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

// following gives engines a list that follows each registration, on n domains.
func (s *shop) following(n int) {
	s.opt.Follow = func(_ *store.Tx, op *Operation) ([]Intent, error) {
		if op.Type != "domain_create" {
			return nil, nil
		}
		in := pushIntent(items(n, "Carol")...)
		in.List = "list of " + string(op.Basis)
		return []Intent{in}, nil
	}
	s.again()
}

func basedIntent() Intent {
	in := createIntent(fqdn)
	in.Basis = json.RawMessage(`"version 7"`)
	return in
}

// What has to follow an operation begins with its end.
func TestAListFollowsAnOperation(t *testing.T) {
	workshop(t, 5, sandbox.Options{}, func(s *shop) {
		s.following(5)
		op := s.submitted(basedIntent())
		s.wait(op.ID, time.Minute)
		next := s.wait(op.ID+1, time.Minute)
		if next.Type != "contact_update" || next.List != `list of "version 7"` || next.Source == "" {
			t.Errorf("%+v", next)
		}
		s.ends(next.ID, Done, "", "5 done")
		s.onceEach(5, "Carol")
		counts, _ := s.e.Tally()
		if counts[[2]string{"contact_update", "DONE"}] != 1 || counts[[2]string{"contact_update", "WAIT"}] != 0 {
			t.Errorf("tally %v", counts)
		}
	})
}

// Of a list without items there is no operation; a list that is at work is
// replaced.
func TestWhatFollowsNothingOrAListAtWork(t *testing.T) {
	workshop(t, 4, sandbox.Options{}, func(s *shop) {
		s.following(0)
		op := s.submitted(basedIntent())
		s.wait(op.ID, time.Minute)
		if _, err := s.e.get(op.ID + 1); !errors.Is(err, ErrUnknown) {
			t.Errorf("an empty list: %v", err)
		}
	})
	workshop(t, 4, sandbox.Options{}, func(s *shop) {
		s.following(2)
		begin := time.Now()
		s.want = func(*store.Tx, *Item) error {
			if time.Since(begin) < time.Minute {
				return &LaterError{"not yet"}
			}
			return nil
		}
		in := pushIntent(items(4, "Dora")...)
		in.List = `list of "version 7"`
		list := s.submitted(in)
		op := s.submitted(basedIntent())
		s.wait(op.ID, 5*time.Minute)
		s.wait(list.ID, 5*time.Minute)
		if _, err := s.e.get(op.ID + 1); !errors.Is(err, ErrUnknown) {
			t.Errorf("a list of the same name: %v", err)
		}
		if given, _ := s.admins(2); fmt.Sprint(given) != "[Carol]" {
			t.Errorf("v5 has %v", given)
		}
	})
}

// A process that dies around the end of an operation leaves both the end and what
// follows, or neither.
func TestWhatFollowsSurvivesDeath(t *testing.T) {
	for _, point := range []string{"outcome", "list", "item-sent", "list-end"} {
		t.Run(point, func(t *testing.T) {
			workshop(t, 3, sandbox.Options{}, func(s *shop) {
				s.following(3)
				s.once(point, func() { s.db.Close() })
				s.submit(basedIntent())
				time.Sleep(time.Minute)
				s.again()
				s.wait(1_000_000_000, 5*time.Minute)
				s.wait(1_000_000_001, 5*time.Minute)
				s.ends(1_000_000_001, Done, "", "3 done")
				s.onceEach(3, "Carol")
				if _, err := s.e.get(1_000_000_002); !errors.Is(err, ErrUnknown) {
					t.Errorf("it follows twice: %v", err)
				}
			})
		})
	}
}

// What a call was made from may be gone when it is to be written down.
func TestAnIntentThatDoesNotHoldAnyMore(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		gone := errors.New("the contact was changed")
		in := createIntent(fqdn)
		in.Still = func(*store.Tx) error { return gone }
		if op, err := r.submit(in); !errors.Is(err, gone) || op.ID != 0 {
			t.Errorf("%+v, %v", op, err)
		}
		if r.posts() != 0 || !r.free() {
			t.Error("something was done")
		}
		in.Still = func(*store.Tx) error { return nil }
		r.submitted(in)
	})
}

// Only a named list can begin without a caller.
func TestWhatCannotFollow(t *testing.T) {
	workshop(t, 1, sandbox.Options{}, func(s *shop) {
		s.opt.Follow = func(*store.Tx, *Operation) ([]Intent, error) { return []Intent{createIntent("other.com")}, nil }
		s.again()
		op := s.submitted(createIntent(fqdn))
		time.Sleep(time.Minute)
		if now := s.get(op.ID); now.Step == Done {
			t.Errorf("it is %s", now.Step)
		}
		if logs := s.logs.TakeAll(); len(logs) == 0 || !strings.Contains(fmt.Sprint(logs[0].ContextMap()), "no named work list") {
			t.Errorf("logs %v", logs)
		}
	})
}

func TestEachOn(t *testing.T) {
	workshop(t, 1, sandbox.Options{}, func(s *shop) {
		on := func(tenant, name string) (ids []int64) {
			s.must(s.db.View(func(tx *store.Tx) error {
				return EachOn(tx, tenant, name, func(op *Operation) error { ids = append(ids, op.ID); return nil })
			}))
			return ids
		}
		op := s.submitted(createIntent(fqdn))
		if got := on(tenantA, fqdn); len(got) != 1 || got[0] != op.ID || len(on(tenantB, fqdn)) != 0 || len(on(tenantA, "other.com")) != 0 {
			t.Errorf("%v", got)
		}
		s.wait(op.ID, time.Minute)
		if got := on(tenantA, fqdn); len(got) != 0 {
			t.Errorf("after its end: %v", got)
		}
	})
}
