// Package portfolio is a durable mirror of a tenant's domains, so that a list of
// them costs no request to v5 for each.
//
// v5 lists names with a few members only; what v3 showed in a list is in the detail
// of each domain. The mirror walks v5's list now and then, reads the details of what
// is new or was changed since, and of everything once in a while. What the gateway
// itself changes is marked, and read anew before it is shown. It begins with the
// first call that needs it, so a tenant whose integration asks for no list costs
// nothing, and ends a week after the last one.
//
// It is for lists alone: what costs money, and what changes a domain, asks v5.
package portfolio

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// ErrNotOurs is given by Options.Read for a domain that the tenant does not have:
// it is gone, or somebody else's.
var ErrNotOurs = errors.New("the domain is not on the account")

// Options are what a Mirror works with.
type Options struct {
	// Page reads a page of v5's list of names, from 1, of a tenant. last tells that
	// none comes after it.
	Page func(ctx context.Context, tenant string, page int) (items []v5.DomainItem, last bool, err error)
	// Owns tells whether an item of that list is surely the tenant's; that another
	// is not shows only in its detail.
	Owns func(tenant string, item *v5.DomainItem) bool
	// Read reads the detail of a domain, or gives ErrNotOurs.
	Read func(ctx context.Context, tenant, fqdn string) (Shown, error)
	// Account names the account at v5 that a tenant has at present. Where it becomes
	// another one, the mirror of the tenant begins anew.
	Account func(tenant string) string
	// Refresh is how often the list is walked, Reread how long a detail is good for
	// that nothing seems to have changed.
	Refresh, Reread time.Duration
	Now             func() time.Time
	// Failed is told of a refresh that ended early.
	Failed func(tenant string, err error)
	// Progress is told how many domains of a tenant there are, how many of them
	// have to be read, and when the list was last walked.
	Progress func(tenant string, domains, unread int, walked time.Time)
}

// Mirror is the mirrors of all tenants. It is safe for concurrent use.
type Mirror struct {
	db  *store.DB
	opt Options

	names store.Memo[string, []Name]

	ctx  context.Context // of what goes on in the background
	stop context.CancelFunc
	work sync.WaitGroup

	mu        sync.Mutex
	refreshes map[string]*refresh // the last of each tenant
	reads     map[[2]string]*read // under way
}

// New makes the mirrors that are in a store. It asks v5 for nothing yet.
func New(db *store.DB, opt Options) *Mirror {
	m := &Mirror{db: db, opt: opt, refreshes: map[string]*refresh{}, reads: map[[2]string]*read{}}
	m.ctx, m.stop = context.WithCancel(v5.Background(context.Background()))
	return m
}

// Close ends what goes on in the background, and waits for it. What was read is
// kept.
func (m *Mirror) Close() {
	m.mu.Lock() // so that nothing begins meanwhile
	m.stop()
	m.mu.Unlock()
	m.work.Wait()
}

// Keep refreshes the mirrors that are in use, until ctx ends.
func (m *Mirror) Keep(ctx context.Context) {
	for {
		tenants, err := m.inUse()
		if err != nil {
			m.opt.Failed("", err)
		}
		for _, tenant := range tenants {
			m.begin(tenant)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(m.opt.Refresh):
		}
	}
}

// View runs fn on what is mirrored, for Each and Get.
func (m *Mirror) View(fn func(*store.Tx) error) error { return m.db.View(fn) }

// UnreadError says that too much has to be read yet for an answer in time.
type UnreadError struct {
	Read, Domains int // how many of how many domains; 0 of 0 while their names are being read
	Err           error
}

func (e *UnreadError) Error() string {
	return fmt.Sprintf("domain list is being read: %d of %d", e.Read, e.Domains)
}

func (e *UnreadError) Unwrap() error { return e.Err }

// unread is err, or an UnreadError where ctx ended.
func (m *Mirror) unread(tenant string, ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	domains, left, scanErr := m.tally(tenant)
	return &UnreadError{Read: domains - left, Domains: domains, Err: errors.Join(ctx.Err(), scanErr)}
}

// Open begins the mirror of a tenant, or has it kept up to date for longer. It comes
// before anything else that is asked of it.
func (m *Mirror) Open(tenant string) error {
	_, err := m.asked(tenant)
	return err
}

// Ready waits until the names of a tenant's domains are known. In a mirror that
// was not walked for long they are not. Its errors are those of v5, or an
// UnreadError when ctx ends.
func (m *Mirror) Ready(ctx context.Context, tenant string) error {
	s, err := m.asked(tenant)
	if err != nil {
		return err
	}
	switch age := m.opt.Now().Sub(s.Walked); {
	case age < m.opt.Refresh:
		return nil
	case age < goodFor*m.opt.Refresh:
		m.begin(tenant)
		return nil
	}
	r := m.begin(tenant)
	select {
	case <-r.walked: // what comes of the readings is not waited for
		return nil
	case <-r.done:
		return m.unread(tenant, ctx, r.err)
	case <-ctx.Done():
		return m.unread(tenant, ctx, ctx.Err())
	}
}

// goodFor is how many times Refresh a walk is good for when no later one went well.
const goodFor = 4

// atOnce bounds the details that one caller, or one refresh, has read at a time.
const atOnce = 4

// mostInCall is how many details are read for a caller; more are left to a refresh,
// which stands back behind what others ask of v5.
const mostInCall = 100

// Fresh reads domains anew that a caller is to see. Its errors are those of v5, or
// an UnreadError when ctx ends.
func (m *Mirror) Fresh(ctx context.Context, tenant string, names []string) error {
	if len(names) <= mostInCall {
		return m.unread(tenant, ctx, m.readAll(ctx, tenant, names, func() {}))
	}
	r := m.begin(tenant)
	select {
	case <-r.done:
		return m.unread(tenant, ctx, r.err)
	case <-ctx.Done():
		return m.unread(tenant, ctx, ctx.Err())
	}
}

// readAll reads the details of domains, a few at a time, and calls each behind
// every one. It ends with the first error.
func (m *Mirror) readAll(ctx context.Context, tenant string, names []string, each func()) error {
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, fqdn := range names {
		if reading.Err() != nil {
			break
		}
		group.Go(func() error {
			err := m.readOne(reading, tenant, fqdn)
			if err == nil {
				each()
			}
			return err
		})
	}
	err := group.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// read is the reading of one detail, which all who want it share.
type read struct {
	done chan struct{}
	err  error
}

// readOne reads a detail, or waits for whoever is reading it. A reader that gave up
// is no reason for another one to.
func (m *Mirror) readOne(ctx context.Context, tenant, fqdn string) error {
	key := [2]string{tenant, fqdn}
	for {
		m.mu.Lock()
		r := m.reads[key]
		if r == nil {
			r = &read{done: make(chan struct{})}
			m.reads[key] = r
			m.mu.Unlock()
			return m.lead(ctx, key, r)
		}
		m.mu.Unlock()
		select {
		case <-r.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if r.err == nil || !errors.Is(r.err, context.Canceled) && !errors.Is(r.err, context.DeadlineExceeded) {
			return r.err
		}
	}
}

func (m *Mirror) lead(ctx context.Context, key [2]string, r *read) (err error) {
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.reads, key)
		r.err = err
		close(r.done)
	}()
	tenant, fqdn := key[0], key[1]
	changes, err := m.changes(tenant, fqdn)
	if err != nil {
		return err
	}
	shown, err := m.opt.Read(ctx, tenant, fqdn)
	if err != nil && !errors.Is(err, ErrNotOurs) {
		return err
	}
	return m.keep(tenant, fqdn, shown, err == nil, changes)
}
