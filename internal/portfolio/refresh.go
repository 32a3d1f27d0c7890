package portfolio

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"v3gate/internal/store"
)

// state is what is kept of a tenant's mirror as a whole.
type state struct {
	// Account is the one at v5 whose domains these are.
	Account string `json:"account,omitempty"`
	// Asked is when a list was last asked for, to the day.
	Asked time.Time `json:"asked"`
	// Walked is when the last walk through v5's list began that came to its end.
	Walked time.Time `json:"walked,omitzero"`
}

// keptFor is how long a mirror is kept up to date after it was last asked for.
const keptFor = 7 * 24 * time.Hour

func readState(tx *store.Tx, tenant string) (s state, err error) {
	_, err = store.GetJSON(tx, store.PortfolioStateKey(tenant), &s)
	return s, err
}

// asked notes that a tenant asks for a list, and gives the state of its mirror.
func (m *Mirror) asked(tenant string) (s state, err error) {
	now, account := m.opt.Now().UTC(), m.opt.Account(tenant)
	err = m.db.View(func(tx *store.Tx) (err error) {
		s, err = readState(tx, tenant)
		return err
	})
	switch {
	case err != nil:
		return s, err
	case s.Account != account && !s.Asked.IsZero():
		if err := m.forget(tenant); err != nil {
			return s, err
		}
	case now.Sub(s.Asked) < 24*time.Hour:
		return s, nil
	}
	return store.Committed(m.db, func(tx *store.Tx) (state, error) {
		s, err := readState(tx, tenant)
		if err != nil {
			return s, err
		}
		if s.Account != account {
			s = state{Account: account}
		}
		s.Asked = now
		return s, store.PutJSON(tx, store.PortfolioStateKey(tenant), s)
	})
}

// inOne bounds the rows that one commit changes.
const inOne = 500

// forget drops the rows of a tenant whose account is another one now.
func (m *Mirror) forget(tenant string) error {
	for {
		var keys [][]byte
		err := m.db.View(func(tx *store.Tx) error {
			return tx.ScanKeys(store.PortfolioPrefix(tenant), func(key []byte) error {
				if keys = append(keys, bytes.Clone(key)); len(keys) == inOne {
					return store.Stop
				}
				return nil
			})
		})
		if err != nil || len(keys) == 0 {
			return err
		}
		err = m.db.Update(func(tx *store.Tx) (err error) {
			for _, key := range keys {
				err = errors.Join(err, tx.Delete(key))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
}

// inUse gives the tenants whose mirrors are to be kept up to date.
func (m *Mirror) inUse() (tenants []string, err error) {
	now := m.opt.Now()
	err = m.db.View(func(tx *store.Tx) error {
		return tx.ScanKeys(store.PortfolioStatesPrefix(), func(key []byte) error {
			parts := store.KeyStrings(key)
			s, err := readState(tx, parts[len(parts)-1])
			if now.Sub(s.Asked) < keptFor {
				tenants = append(tenants, parts[len(parts)-1])
			}
			return err
		})
	})
	return tenants, err
}

// refresh is one walk with the readings that it makes needed.
type refresh struct {
	walked chan struct{} // closed when all names are known
	done   chan struct{} // closed at the end
	err    error         // set before done is closed
}

// begin begins a refresh of a tenant's mirror, or gives the one that is under way.
func (m *Mirror) begin(tenant string) *refresh {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.refreshes[tenant]; r != nil {
		select {
		case <-r.done:
		default:
			return r
		}
	}
	r := &refresh{walked: make(chan struct{}), done: make(chan struct{})}
	m.refreshes[tenant] = r
	if r.err = m.ctx.Err(); r.err != nil {
		close(r.done)
		return r
	}
	m.work.Go(func() {
		defer close(r.done)
		if r.err = m.refresh(tenant, r.walked); r.err != nil && m.ctx.Err() == nil {
			m.opt.Failed(tenant, r.err)
		}
	})
	return r
}

func (m *Mirror) refresh(tenant string, walked chan struct{}) error {
	if err := m.walk(tenant); err != nil {
		return err
	}
	close(walked)
	names, domains, walkedAt, err := m.due(tenant)
	if err != nil {
		return err
	}
	var telling sync.Mutex // so that the last that is told is the last that was read
	unread := len(names)
	m.opt.Progress(tenant, domains, unread, walkedAt)
	err = m.readAll(m.ctx, tenant, names, func() {
		telling.Lock()
		defer telling.Unlock()
		unread--
		m.opt.Progress(tenant, domains, unread, walkedAt)
	})
	if err != nil {
		return err
	}
	// Some may have turned out to be somebody else's.
	if domains, unread, err = m.tally(tenant); err == nil {
		m.opt.Progress(tenant, domains, unread, walkedAt)
	}
	return err
}

// walk goes through v5's list. What is new in it, or was changed, is marked to be
// read; so is what is no longer in it: a list that changes while it is paged can
// leave one out, so that alone proves nothing.
func (m *Mirror) walk(tenant string) error {
	begun := m.opt.Now().UTC()
	listed := map[string]bool{}
	for page, last := 1, false; !last; page++ {
		items, end, err := m.opt.Page(m.ctx, tenant, page)
		if err != nil {
			return err
		}
		last = end
		for i := range items {
			items[i].FQDN = strings.Clone(items[i].FQDN) // not v5's whole answer with it
			listed[items[i].FQDN] = true
		}
		err = m.db.Update(func(tx *store.Tx) error {
			for i := range items {
				r, err := get(tx, tenant, items[i].FQDN)
				if err != nil {
					return err
				}
				fresh := r == nil
				if fresh {
					r = &Row{FQDN: items[i].FQDN}
				}
				if !fresh && r.Listed.Equal(items[i].UpdatedAt) {
					continue
				}
				r.Listed, r.Ours = items[i].UpdatedAt, !r.Foreign && (r.Ours || m.opt.Owns(tenant, &items[i]))
				r.Changes++
				if err := put(tx, tenant, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return m.walkedThrough(tenant, begun, listed)
}

// walkedThrough ends a walk: it marks what was not in the list, and forgets what
// was found not to be the tenant's before.
func (m *Mirror) walkedThrough(tenant string, begun time.Time, listed map[string]bool) error {
	var missing []string
	prefix := store.PortfolioPrefix(tenant)
	err := m.db.View(func(tx *store.Tx) error {
		return tx.ScanKeys(prefix, func(key []byte) error {
			parts := store.KeyStrings(key)
			if fqdn := parts[len(parts)-1]; !listed[fqdn] {
				missing = append(missing, fqdn)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for some := range slices.Chunk(missing, inOne) {
		err := m.db.Update(func(tx *store.Tx) error {
			for _, fqdn := range some {
				r, err := get(tx, tenant, fqdn)
				switch {
				case err != nil:
					return err
				case r == nil:
					continue
				case r.Foreign && r.Fresh():
					err = tx.Delete(store.PortfolioKey(tenant, fqdn))
				case r.Read.Before(begun):
					r.Changes++
					r.Listed = time.Time{}
					err = put(tx, tenant, r)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return m.db.Update(func(tx *store.Tx) error {
		s, err := readState(tx, tenant)
		if err != nil {
			return err
		}
		s.Walked = begun
		return store.PutJSON(tx, store.PortfolioStateKey(tenant), s)
	})
}

// due gives the names whose detail is to be read: first what cannot be shown
// without, then what was read long ago. domains is how many the tenant has, as far
// as that is known.
func (m *Mirror) due(tenant string) (names []string, domains int, walked time.Time, err error) {
	before := m.opt.Now().Add(-m.opt.Reread)
	var old []string
	err = m.db.View(func(tx *store.Tx) error {
		s, err := readState(tx, tenant)
		if err != nil {
			return err
		}
		walked = s.Walked
		return eachRow(tx, tenant, func(r *Row) error {
			switch {
			case !r.Fresh():
				names = append(names, r.FQDN)
			case r.Read.Before(before):
				old = append(old, r.FQDN)
			}
			if !r.Foreign {
				domains++
			}
			return nil
		})
	})
	return append(names, old...), domains, walked, err
}

// tally is how many domains a tenant has, as far as that is known, and how many of
// them have to be read before they can be shown.
func (m *Mirror) tally(tenant string) (domains, unread int, err error) {
	err = m.db.View(func(tx *store.Tx) error {
		return Each(tx, tenant, false, func(r *Row) error {
			domains++
			if !r.Fresh() {
				unread++
			}
			return nil
		})
	})
	return domains, unread, err
}

// eachRow is Each with those of others.
func eachRow(tx *store.Tx, tenant string, fn func(*Row) error) error {
	return tx.Scan(store.PortfolioPrefix(tenant), func(key, value []byte) error {
		r, err := decode(key, value)
		if err != nil {
			return err
		}
		return fn(r)
	})
}
