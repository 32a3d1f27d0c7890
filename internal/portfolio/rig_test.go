package portfolio

import (
	"context"
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
	t        *testing.T
	account  *account
	db       *store.DB
	failed   []error
	progress string // the last that was told
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
		Failed: func(_ string, err error) { r.failed = append(r.failed, err) },
		Progress: func(tenant string, domains, unread int, walked time.Time) {
			r.progress = fmt.Sprintf("%s: %d domains, %d unread, walked %s ago", tenant, domains, unread, time.Since(walked))
		},
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

// keepAMinute lets the mirrors be kept for a minute.
func (r *rig) keepAMinute() {
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	r.Keep(ctx)
	r.settled()
}
