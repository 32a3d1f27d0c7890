package handles

import (
	"encoding/json"
	"fmt"
	"sync"

	"v3gate/internal/store"
)

// mostKept bounds each of memo's maps; a full one begins anew.
const mostKept = 10_000

// memo keeps decoded what every domain.info reads. It cannot be out of date, and
// who writes need not know of it: a contact has its id and its tenant for ever,
// no handle is given out twice, and none that a domain uses is deleted; what a domain's record says follows from its
// bytes, which are read from the store each time and compared.
type memo struct {
	mu      sync.RWMutex
	refs    map[string]ref
	domains map[domainKey]decoded
	sights  map[domainKey]sighted
}

type sighted struct {
	key  []byte // in the store
	raw  string
	seen Seen
}

type ref struct {
	tenant string
	id     int64
}

type decoded struct {
	key    []byte // in the store
	raw    string
	domain Domain
}

// Ref gives the id of a contact of a tenant, with the errors of Get.
func (b *Book) Ref(tenant, handle string) (id int64, err error) {
	b.memo.mu.RLock()
	r, ok := b.memo.refs[handle]
	b.memo.mu.RUnlock()
	if !ok {
		c, err := b.Get(tenant, handle)
		if err != nil {
			return 0, err
		}
		r = ref{c.Tenant, c.ID}
		b.memo.mu.Lock()
		keep(&b.memo.refs, handle, r)
		b.memo.mu.Unlock()
	}
	if r.tenant != tenant {
		return 0, ErrForeign
	}
	return r.id, nil
}

// read reads a domain's record; one that is not there is zero.
func (b *Book) read(tx *store.Tx, key domainKey) (Domain, error) {
	b.memo.mu.RLock()
	d, ok := b.memo.domains[key]
	b.memo.mu.RUnlock()
	if !ok {
		d.key = store.DomainKey(key.Tenant, key.FQDN)
	}
	raw := tx.Get(d.key)
	switch {
	case raw == nil:
		return Domain{}, nil
	case ok && d.raw == string(raw):
		return d.domain, nil
	}
	d = decoded{key: d.key, raw: string(raw)}
	if err := json.Unmarshal(raw, &d.domain); err != nil {
		return Domain{}, fmt.Errorf("read %s of tenant %s: %w", key.FQDN, key.Tenant, err)
	}
	b.memo.mu.Lock()
	keep(&b.memo.domains, key, d)
	b.memo.mu.Unlock()
	return d.domain, nil
}

// seen reads what v5 showed of a domain; zero where that is not known.
func (b *Book) seen(tx *store.Tx, key domainKey) (Seen, error) {
	b.memo.mu.RLock()
	d, ok := b.memo.sights[key]
	b.memo.mu.RUnlock()
	if !ok {
		d.key = store.SeenKey(key.Tenant, key.FQDN)
	}
	raw := tx.Get(d.key)
	switch {
	case raw == nil:
		return Seen{}, nil
	case ok && d.raw == string(raw):
		return d.seen, nil
	}
	d = sighted{key: d.key, raw: string(raw)}
	if err := json.Unmarshal(raw, &d.seen); err != nil {
		return Seen{}, fmt.Errorf("read contacts of %s of tenant %s: %w", key.FQDN, key.Tenant, err)
	}
	b.memo.mu.Lock()
	keep(&b.memo.sights, key, d)
	b.memo.mu.Unlock()
	return d.seen, nil
}

func keep[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil || len(*m) >= mostKept {
		*m = map[K]V{}
	}
	(*m)[key] = value
}
