package portfolio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// account is what v5 has of one tenant, with what was read of it.
type account struct {
	mu      sync.Mutex
	updated map[string]time.Time // by name
	foreign map[string]bool      // names that are somebody else's
	hidden  map[string]bool      // names that a page leaves out
	reads   map[string]int
	pages   int
	fails   error
	took    time.Duration // of one reading
	name    string        // of the account at v5
}

func newAccount(names ...string) *account {
	a := &account{updated: map[string]time.Time{}, foreign: map[string]bool{}, hidden: map[string]bool{}, reads: map[string]int{}}
	for _, name := range names {
		a.updated[name] = time.Unix(1_000_000, 0)
	}
	return a
}

const pageSize = 3

func (a *account) page(_ context.Context, _ string, page int) (items []v5.DomainItem, last bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pages++
	if a.fails != nil {
		return nil, false, a.fails
	}
	for _, name := range slices.Sorted(maps.Keys(a.updated)) {
		if !a.hidden[name] {
			items = append(items, v5.DomainItem{FQDN: name, UpdatedAt: a.updated[name]})
		}
	}
	from := min((page-1)*pageSize, len(items))
	to := min(from+pageSize, len(items))
	return items[from:to], to-from < pageSize, nil
}

func (a *account) read(ctx context.Context, _, fqdn string) (Shown, error) {
	a.mu.Lock()
	a.reads[fqdn]++
	fails, took := a.fails, a.took
	at, there := a.updated[fqdn]
	foreign := a.foreign[fqdn]
	a.mu.Unlock()
	if took > 0 {
		select {
		case <-time.After(took):
		case <-ctx.Done():
			return Shown{}, ctx.Err()
		}
	}
	switch {
	case fails != nil:
		return Shown{}, fails
	case !there || foreign:
		return Shown{}, ErrNotOurs
	}
	return Shown{TLD: "net", Updated: &at}, nil
}

// readOf takes what was read since it was last asked.
func (a *account) readOf() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(a.reads)) {
		all = append(all, fmt.Sprint(name, ":", a.reads[name]))
	}
	clear(a.reads)
	return strings.Join(all, " ")
}

func (a *account) change(name string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.updated[name] = at
}

// rig is a mirror of an account that tenant "a" has.
type rig struct {
	*Mirror
	t       *testing.T
	account *account
	db      *store.DB
	failed  []error
}

func rigs(t *testing.T, a *account, fn func(*rig)) {
	path := filepath.Join(t.TempDir(), "store.db")
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(path, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		r := &rig{t: t, account: a, db: db}
		r.start()
		defer func() { r.Close() }()
		fn(r)
	})
}

func (r *rig) start() {
	r.Mirror = New(r.db, Options{
		Page: r.account.page, Read: r.account.read, Owns: func(string, *v5.DomainItem) bool { return false },
		Account: func(string) string { return r.account.name },
		Refresh: 15 * time.Minute, Reread: 24 * time.Hour, Now: time.Now,
		Failed:   func(_ string, err error) { r.failed = append(r.failed, err) },
		Progress: func(string, int, int, time.Time) {},
	})
}

// ready waits until the names are known and everything under way is done.
func (r *rig) ready() {
	r.t.Helper()
	if err := r.Ready(r.t.Context(), "a"); err != nil {
		r.t.Fatal(err)
	}
	r.settled()
}

func (r *rig) settled() {
	r.mu.Lock()
	last := r.refreshes["a"]
	r.mu.Unlock()
	if last != nil {
		<-last.done
	}
}

// names gives the domains as they are mirrored; one that cannot be shown as it is
// has a mark.
func (r *rig) names() string {
	r.t.Helper()
	var all []string
	err := r.View(func(tx *store.Tx) error {
		return Each(tx, "a", false, func(row *Row) error {
			name := row.FQDN
			if !row.Fresh() {
				name += "?"
			}
			all = append(all, name)
			return nil
		})
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func (r *rig) wants(names, reads string) {
	r.t.Helper()
	if got := r.names(); got != names {
		r.t.Errorf("mirrored %q, want %q", got, names)
	}
	if got := r.account.readOf(); got != reads {
		r.t.Errorf("read %q, want %q", got, reads)
	}
}

func TestARefreshReadsWhatIsNewOrChanged(t *testing.T) {
	a := newAccount("a.net", "b.net", "c.net", "d.net")
	a.foreign["c.net"] = true
	rigs(t, a, func(r *rig) {
		r.ready()
		r.wants("a.net b.net d.net", "a.net:1 b.net:1 c.net:1 d.net:1")

		time.Sleep(16 * time.Minute) // due, and answered from what there is
		a.change("b.net", time.Unix(2_000_000, 0))
		a.change("e.net", time.Unix(2_000_000, 0))
		r.ready()
		r.wants("a.net b.net d.net e.net", "b.net:1 e.net:1")

		r.ready() // not due
		if a.pages != 4 {
			t.Errorf("%d pages were read", a.pages)
		}
		r.wants("a.net b.net d.net e.net", "")

		time.Sleep(25 * time.Hour) // everything is read anew
		r.ready()
		r.wants("a.net b.net d.net e.net", "a.net:1 b.net:1 c.net:1 d.net:1 e.net:1")
		if len(r.failed) > 0 {
			t.Error(r.failed)
		}
	})
}

// That a list leaves a name out proves nothing: the detail does.
func TestWhatIsNoLongerListed(t *testing.T) {
	a := newAccount("a.net", "b.net", "c.net")
	rigs(t, a, func(r *rig) {
		r.ready()
		a.readOf()
		a.hidden["b.net"] = true
		delete(a.updated, "c.net")
		time.Sleep(2 * time.Hour)
		r.ready()
		r.wants("a.net b.net", "b.net:1 c.net:1")
		time.Sleep(2 * time.Hour)
		r.ready() // c.net is forgotten, b.net looked for again
		r.wants("a.net b.net", "b.net:1")
		if row := r.row("c.net"); row != nil {
			t.Errorf("still there: %+v", row)
		}
	})
}

func (r *rig) row(name string) (row *Row) {
	r.t.Helper()
	err := r.View(func(tx *store.Tx) (err error) {
		row, err = get(tx, "a", name)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return row
}

func (r *rig) touch(name string) {
	r.t.Helper()
	if err := r.db.Update(func(tx *store.Tx) error { return Touch(tx, "a", name) }); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) fresh(names ...string) {
	r.t.Helper()
	if err := r.Fresh(r.t.Context(), "a", names); err != nil {
		r.t.Fatal(err)
	}
}

func TestWhatTheGatewayDoesShowsAtOnce(t *testing.T) {
	a := newAccount("a.net", "b.net")
	rigs(t, a, func(r *rig) {
		r.touch("a.net") // nobody has asked for a list yet
		if r.row("a.net") != nil {
			t.Error("a mirror began by itself")
		}
		r.ready()
		a.readOf()

		r.touch("b.net")
		a.change("new.net", time.Unix(3_000_000, 0))
		r.touch("new.net")
		r.wants("a.net b.net? new.net?", "")
		r.fresh("b.net", "new.net")
		r.wants("a.net b.net new.net", "b.net:1 new.net:1")

		delete(a.updated, "a.net")
		r.touch("a.net")
		r.fresh("a.net")
		r.wants("b.net new.net", "a.net:1")
		a.change("a.net", time.Unix(4_000_000, 0)) // it comes back
		r.touch("a.net")
		r.fresh("a.net")
		r.wants("a.net b.net new.net", "a.net:1")

		r.fresh("nobodys.net") // leaves nothing behind
		if row := r.row("nobodys.net"); row != nil {
			t.Errorf("%+v", row)
		}
	})
}

// A change that comes while a detail is read is not covered by what was read.
func TestAChangeDuringAReading(t *testing.T) {
	a := newAccount("a.net")
	rigs(t, a, func(r *rig) {
		r.ready()
		a.took = time.Second
		r.touch("a.net")
		done := make(chan error)
		go func() { done <- r.Fresh(r.t.Context(), "a", []string{"a.net"}) }()
		synctest.Wait()
		r.touch("a.net")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := r.names(); got != "a.net?" {
			t.Errorf("mirrored %s", got)
		}
	})
}

func TestCallersShareAReading(t *testing.T) {
	a := newAccount("a.net")
	rigs(t, a, func(r *rig) {
		r.ready()
		a.readOf()
		a.took = time.Second
		r.touch("a.net")
		impatient, cancel := context.WithTimeout(r.t.Context(), time.Millisecond)
		defer cancel()
		var callers sync.WaitGroup
		callers.Go(func() {
			var unread *UnreadError
			if err := r.Fresh(impatient, "a", []string{"a.net"}); !errors.As(err, &unread) || unread.Domains != 1 || unread.Read != 0 {
				t.Errorf("who has no time gets %v", err)
			}
		})
		synctest.Wait()
		for range 10 {
			callers.Go(func() {
				if err := r.Fresh(r.t.Context(), "a", []string{"a.net"}); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		r.wants("a.net", "a.net:2") // that of the impatient one, and one for all others
	})
}

// A process that ends in the middle goes on with what it has.
func TestARestartGoesOn(t *testing.T) {
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprintf("d%02d.net", i))
	}
	a := newAccount(names...)
	a.took = time.Second
	rigs(t, a, func(r *rig) {
		if err := r.Ready(r.t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5500 * time.Millisecond)
		r.Close()
		if got := strings.Count(r.names(), "?"); got != 20 {
			t.Fatalf("%d are not read", got)
		}
		a.readOf()
		r.start()
		r.keepAMinute()
		if got := strings.Count(r.names(), "?"); got != 0 {
			t.Errorf("%d are not read", got)
		}
		if got := len(strings.Fields(a.readOf())); got != 20 {
			t.Errorf("%d were read", got)
		}
	})
}

// keepAMinute lets the mirrors be kept for a minute.
func (r *rig) keepAMinute() {
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	r.Keep(ctx)
	r.settled()
}

func TestAMirrorThatNobodyAsksForEnds(t *testing.T) {
	a := newAccount("a.net")
	rigs(t, a, func(r *rig) {
		r.keepAMinute()
		if a.pages != 0 {
			t.Error("v5 was asked for a tenant who asks for no list")
		}
		r.ready()
		time.Sleep(6 * 24 * time.Hour)
		r.keepAMinute()
		if a.pages != 2 {
			t.Errorf("%d pages", a.pages)
		}
		time.Sleep(2 * 24 * time.Hour)
		r.keepAMinute()
		if a.pages != 2 {
			t.Errorf("%d pages, and nobody asked for a week", a.pages)
		}
	})
}

func TestWhenV5Fails(t *testing.T) {
	a := newAccount("a.net", "b.net")
	a.fails = errors.New("out of order")
	rigs(t, a, func(r *rig) {
		if err := r.Ready(r.t.Context(), "a"); !errors.Is(err, a.fails) {
			t.Errorf("Ready: %v", err)
		}
		if len(r.failed) != 1 {
			t.Errorf("failed: %v", r.failed)
		}
		wrong := a.fails
		a.fails = nil
		r.ready()
		r.wants("a.net b.net", "a.net:1 b.net:1")
		a.fails = wrong
		time.Sleep(30 * time.Minute)
		r.ready() // what there is is young enough
		time.Sleep(time.Hour)
		if err := r.Ready(r.t.Context(), "a"); !errors.Is(err, wrong) {
			t.Errorf("Ready with an old mirror: %v", err)
		}
		if err := r.Fresh(r.t.Context(), "a", []string{"a.net"}); !errors.Is(err, wrong) {
			t.Errorf("Fresh: %v", err)
		}
	})
}

// Too many for a call are left to a refresh, and the caller is told how far it is.
func TestTooManyForACall(t *testing.T) {
	var names []string
	for i := range 2 * mostInCall {
		names = append(names, fmt.Sprintf("d%03d.net", i))
	}
	a := newAccount(names...)
	a.took = time.Second
	rigs(t, a, func(r *rig) {
		if err := r.Ready(r.t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(r.t.Context(), 10500*time.Millisecond)
		defer cancel()
		err := r.Fresh(ctx, "a", names)
		var unread *UnreadError
		if !errors.As(err, &unread) || err.Error() != "domain list is being read: 40 of 200" {
			t.Errorf("%v", err)
		}
		r.fresh(names...)
		if got := strings.Count(r.names(), "?"); got != 0 {
			t.Errorf("%d are not read", got)
		}
		for name, n := range a.reads {
			if n != 1 {
				t.Errorf("%s was read %d times", name, n)
			}
		}
	})
}

// A tenant that gets another account at v5 is not shown the domains of the old one.
func TestAnotherAccount(t *testing.T) {
	a := newAccount("a.net", "b.net")
	rigs(t, a, func(r *rig) {
		r.ready()
		r.account = newAccount("c.net")
		r.account.name = "other"
		r.Close()
		r.start()
		if err := r.Open("a"); err != nil {
			t.Fatal(err)
		}
		if got := r.names(); got != "" {
			t.Errorf("still mirrored: %s", got)
		}
		r.ready()
		r.wants("c.net", "c.net:1")
	})
}

func TestNamesArePagedThroughWithoutTheirRows(t *testing.T) {
	a := newAccount("a.net", "b.net", "c.net")
	a.foreign["b.net"] = true
	rigs(t, a, func(r *rig) {
		r.ready()
		r.touch("c.net")
		r.touch("new.net")
		names, err := r.Names("a")
		if got := fmt.Sprint(names, err); got != "[{a.net true} {c.net true} {new.net false}] <nil>" {
			t.Error(got)
		}
	})
	for _, wrong := range []string{"", "{}", `{"f":`, `{"f":-1}`, `{"f":12}`, `{"g":1}`} {
		if got := peek([]byte(wrong)); got >= 0 {
			t.Errorf("%s: %d", wrong, got)
		}
	}
}

func TestTenantsAreApart(t *testing.T) {
	a := newAccount("a.net")
	rigs(t, a, func(r *rig) {
		r.ready()
		if err := r.View(func(tx *store.Tx) error {
			row, err := Get(tx, "b", "a.net")
			if row != nil {
				t.Error("another tenant has it")
			}
			return errors.Join(err, Each(tx, "b", false, func(*Row) error { t.Error("another tenant has one"); return nil }))
		}); err != nil {
			t.Fatal(err)
		}
	})
}
