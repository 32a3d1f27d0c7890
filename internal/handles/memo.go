package handles

import (
	"strings"
	"sync"

	"v3gate/internal/store"
)

// mostRefs bounds refs; a full one begins anew.
const mostRefs = 10_000

// refs keeps what never changes: a contact has its id and its tenant for ever, no
// handle is given out twice, and none that a domain uses is deleted.
type refs struct {
	mu   sync.RWMutex
	kept map[string]ref
}

type ref struct {
	tenant string
	id     int64
}

// Ref gives the id of a contact of a tenant, with the errors of Get.
func (b *Book) Ref(tenant, handle string) (id int64, err error) {
	b.refs.mu.RLock()
	r, ok := b.refs.kept[handle]
	b.refs.mu.RUnlock()
	if !ok {
		c, err := b.Get(tenant, handle)
		if err != nil {
			return 0, err
		}
		r = ref{c.Tenant, c.ID}
		b.refs.keep(handle, r)
	}
	if r.tenant != tenant {
		return 0, ErrForeign
	}
	return r.id, nil
}

func (r *refs) keep(handle string, to ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil || len(r.kept) >= mostRefs {
		r.kept = map[string]ref{}
	}
	r.kept[strings.Clone(handle)] = to
}

func (r *refs) drop(handle string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.kept, handle)
}

// known is all that the gateway knows of a domain's contacts.
type known struct {
	Domain
	seen Seen
}

// known reads what is known of a domain; zero where nothing is. It is shared, and
// not to be changed.
func (b *Book) known(tenant, fqdn string) (*known, error) {
	return b.domains.Get(b.db, domainKey{tenant, fqdn}, func(tx *store.Tx, key domainKey) (*known, error) {
		k := &known{}
		var err error
		if k.Domain, err = readDomain(tx, key.Tenant, key.FQDN); err == nil {
			k.seen, err = readSeen(tx, key.Tenant, key.FQDN)
		}
		return k, err
	})
}
