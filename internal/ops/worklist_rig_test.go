package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

const (
	kindPush  = "test-push"  // a list alone
	kindBuild = "test-build" // create, and then a list
)

// shop is a rig with two kinds of lists. An item sets the admin contact of the
// domain that it is named after, to the person of its request.
type shop struct {
	*rig

	mu       sync.Mutex
	want     func(tx *store.Tx, item *Item) error
	began    []string // in order, one entry a send
	now, top int      // sends at the moment, and at most
}

// workshop makes the shop and n domains, d000.com and so on.
func workshop(t *testing.T, n int, o sandbox.Options, fn func(*shop)) {
	t.Helper()
	bubble(t, o, func(r *rig) {
		s := &shop{rig: r}
		push := Kind{
			DoItem: s.do, ShownItem: s.shown,
			WantItem: func(tx *store.Tx, _ *Operation, item *Item) error {
				if s.want == nil {
					return nil
				}
				return s.want(tx, item)
			},
		}
		build := create
		build.DoItem, build.ShownItem, build.Sequential, build.Sequel = push.DoItem, push.ShownItem, true, true
		r.opt.Kinds = map[string]Kind{kindPush: push, kindBuild: build}
		r.restart()
		var domains []sandbox.SeedDomain
		for i := range n {
			domains = append(domains, sandbox.SeedDomain{FQDN: name(i)})
		}
		r.seed(sandbox.Seed{Domains: domains})
		r.e.Start()
		fn(s)
	})
}

// alter changes the list kind, for the engines from now on.
func (s *shop) alter(do func(*Kind)) {
	k := s.opt.Kinds[kindPush]
	do(&k)
	s.opt.Kinds[kindPush] = k
	s.again()
}

func (s *shop) again() {
	s.t.Helper()
	s.restart()
	s.e.Start()
}

func name(i int) string { return fmt.Sprintf("d%03d.com", i) }

func (s *shop) do(ctx context.Context, session *v5.Session, _ *Operation, item *Item) error {
	s.mu.Lock()
	s.began = append(s.began, item.Name)
	s.now++
	s.top = max(s.top, s.now)
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.now--; s.mu.Unlock() }()
	given, err := request[string](item.Request)
	if err != nil {
		return err
	}
	return session.SetContacts(ctx, item.Name, v5.Contacts{Admin: person(given)})
}

func (s *shop) shown(ctx context.Context, session *v5.Session, _ *Operation, item *Item) (bool, error) {
	given, err := request[string](item.Request)
	if err != nil {
		return false, err
	}
	now, err := session.DomainContacts(ctx, item.Name)
	if err != nil {
		return false, err
	}
	return now.Admin.Shows(person(given)), nil
}

// begins is the order of the sends until now.
func (s *shop) begins() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.began)
}

// items are the first n domains' items, with a person for all.
func items(n int, given string) (out []Item) {
	for i := range n {
		out = append(out, item(name(i), given))
	}
	return out
}

func item(name, given string) Item { return Item{Name: name, Request: marshal(given)} }

func pushIntent(items ...Item) Intent {
	return Intent{
		Tenant: tenantA, Type: "contact_update", Kind: kindPush, Source: "AD1-GANDI", FQDN: "AD1-GANDI",
		Params: json.RawMessage(`{}`), Fingerprint: "push", Request: json.RawMessage(`{}`), Items: ListOf(items...),
	}
}

func buildIntent(items ...Item) Intent {
	in := createIntent(fqdn)
	in.Kind, in.Items = kindBuild, ListOf(items...)
	return in
}

// list reads the items of an operation.
func (s *shop) list(id int64) (out []Item) {
	s.t.Helper()
	s.must(s.db.View(func(tx *store.Tx) error {
		return eachItem(tx, id, func(it *Item) error { out = append(out, *it); return nil })
	}))
	return out
}

// tally writes how many items are in each state.
func (s *shop) tally(id int64) string {
	s.t.Helper()
	n := map[ItemState]int{}
	for _, it := range s.list(id) {
		n[it.State]++
	}
	var out []string
	for _, state := range slices.Sorted(maps.Keys(n)) {
		out = append(out, fmt.Sprintf("%d %s", n[state], state))
	}
	return strings.Join(out, ", ")
}

// admins are the given names that v5 has for the admins of the first n domains,
// each once, and in how many requests v5 was asked for changes of each domain.
func (s *shop) admins(n int) (given []string, patches map[string]int) {
	s.t.Helper()
	time.Sleep(time.Second) // a change takes a while to show
	session, _ := s.opt.Session(tenantA)
	patches = map[string]int{}
	for _, q := range s.sim.Requests() {
		if q.Method == "PATCH" {
			patches[strings.Split(q.Path, "/")[4]]++
		}
	}
	for i := range n {
		c, err := session.DomainContacts(context.Background(), name(i))
		s.must(err)
		if !slices.Contains(given, c.Admin.Given) {
			given = append(given, c.Admin.Given)
		}
	}
	slices.Sort(given)
	return given, patches
}

// ends checks an operation that is all its list.
func (s *shop) ends(id int64, step Step, text, tally string) {
	s.t.Helper()
	op := s.get(id)
	if op.Step != step || op.State != Accepted {
		s.t.Errorf("operation is %s and %s, want %s", op.Step, op.State, step)
	}
	if text == "" && op.LastError != "" || !strings.Contains(op.LastError, text) {
		s.t.Errorf("last error %q, want %q in it", op.LastError, text)
	}
	if got := s.tally(id); got != tally {
		s.t.Errorf("items: %s; want %s", got, tally)
	}
	if settled := s.settled(id); settled != map[bool]int64{true: 1}[step == Done] {
		s.t.Errorf("settled %d times in step %s", settled, op.Step)
	}
	for _, it := range s.list(id) {
		if it.State.AtEnd() != (it.Request == nil) || it.State.AtEnd() && it.Then != nil {
			s.t.Errorf("item %s is %s with request %s", it.Name, it.State, it.Request)
		}
	}
}

// once checks that each of the first n domains was patched once, for one person.
func (s *shop) onceEach(n int, want string) {
	s.t.Helper()
	given, patches := s.admins(n)
	for i := range n {
		if patches[name(i)] != 1 {
			s.t.Errorf("%s was patched %d times", name(i), patches[name(i)])
		}
	}
	if !slices.Equal(given, []string{want}) {
		s.t.Errorf("v5 has %v, want %s", given, want)
	}
}

// wait lets time pass until the operation is at its end.
func (s *shop) wait(id int64, most time.Duration) Operation {
	s.t.Helper()
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(time.Second) {
		if op := s.get(id); op.Step.AtEnd() {
			return op
		}
	}
	s.t.Fatalf("after %v: %s, %s", most, s.get(id).Step, s.tally(id))
	return Operation{}
}

func contextFor(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}

type (
	ctx     = context.Context
	session = *v5.Session
)
