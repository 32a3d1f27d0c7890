// Package zones keeps what v5 no longer has: v3's zones with their versions and
// records, each tenant's own, and which domain is linked to which zone.
//
// A version's records lie in pages, runs of records in their order. A page never
// changes: what changes a version writes other pages. So a new version is a copy
// of the list of pages, and shares the pages themselves (page.go).
package zones

import (
	"errors"
	"fmt"
	"time"

	"v3gate/internal/store"
)

// Zone is one v3 zone.
type Zone struct {
	ID      int64
	Tenant  string
	Name    string
	Owner   string // handle
	Active  int64  // number of the active version
	Last    int64  // the last number given to a version; none is given twice
	Updated time.Time
	// Unread names the domain whose records in LiveDNS are version 1, until
	// somebody wants to see them.
	Unread string `json:",omitempty"`
	// Pages is the number of the last page that was written.
	Pages int64 `json:",omitempty"`

	// Public is the zone that every tenant sees and nobody changes.
	Public bool `json:"-"`
}

// Why is what is wrong with a call.
type Why int

const (
	NoZone    Why = iota // there is none, or it is another tenant's
	NoVersion            // of the zone
	NoRecord             // of the version
	NoRight              // the zone is public
	Attached             // a domain needs it
	BadRecord            // the record, or a line of a zone text, cannot be
	Twice                // the record is there already
	TooMany              // the version would get too large
	Drifted              // a domain's records were changed past the gateway
	Misplaced            // the domain's records cannot be had: it is not on LiveDNS
)

// Error is the error of all calls here that a caller is to blame for, or who is
// too late. Reason is for people, and says of a record what is wrong with it.
type Error struct {
	Why           Why
	Zone, Version int64
	Reason        string
	// Field is the member of a record that it is about: name, type, ttl or value.
	Field string
}

func (e *Error) Error() string {
	return fmt.Sprintf("zone %d version %d: %s", e.Zone, e.Version, e.Reason)
}

func noZone(id int64) error { return &Error{Why: NoZone, Zone: id, Reason: "no such zone"} }

// Book is the zones in the store.
type Book struct {
	db     *store.DB
	public int64
	now    func() time.Time
	links  store.Memo[linkKey, Link] // every domain.info reads one
}

// New gives the zones of a store. firstID is the id of the public zone; those
// that are made count on from there, and stay below 2^31.
func New(db *store.DB, firstID int64, now func() time.Time) *Book {
	return &Book{db: db, public: firstID, now: now}
}

// Get finds a zone that the tenant may see.
func (b *Book) Get(tenant string, id int64) (z Zone, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		found, err := b.zone(tx, tenant, id)
		if err == nil {
			z = *found
		}
		return err
	})
	return z, err
}

func (b *Book) zone(tx *store.Tx, tenant string, id int64) (*Zone, error) {
	if id == b.public {
		return b.publicZone(), nil
	}
	z := &Zone{}
	ok, err := store.GetJSON(tx, store.ZoneKey(id), z)
	switch {
	case err != nil:
		return nil, err
	case !ok || z.Tenant != tenant:
		return nil, noZone(id)
	}
	return z, nil
}

// own is zone for what is to be changed.
func (b *Book) own(tx *store.Tx, tenant string, id int64) (*Zone, error) {
	z, err := b.zone(tx, tenant, id)
	if err == nil && z.Public {
		err = &Error{Why: NoRight, Zone: id, Reason: "the zone is public"}
	}
	return z, err
}

// List calls fn for the zones that the tenant may see, in the order of their
// ids or backward. fn may give store.Stop.
func (b *Book) List(tenant string, backward bool, fn func(*Zone) error) error {
	if !backward {
		if err := fn(b.publicZone()); err != nil {
			return ignoreStop(err)
		}
	}
	stopped := false
	err := b.db.View(func(tx *store.Tx) error {
		scan := tx.Scan
		if backward {
			scan = tx.ScanBack
		}
		return scan(store.ZoneTenantPrefix(tenant), func(key, _ []byte) error {
			z, err := b.zone(tx, tenant, store.TrailingID(key))
			if err == nil {
				err = fn(z)
			}
			stopped = errors.Is(err, store.Stop)
			return err
		})
	})
	if err == nil && backward && !stopped {
		err = ignoreStop(fn(b.publicZone()))
	}
	return err
}

func ignoreStop(err error) error {
	if errors.Is(err, store.Stop) {
		return nil
	}
	return err
}

// Create makes a zone with one version that has no records.
func (b *Book) Create(tenant, owner, name string) (z Zone, err error) {
	err = b.db.Update(func(tx *store.Tx) error {
		made, err := b.mint(tx, tenant, owner, name)
		if err != nil {
			return err
		}
		v, err := b.begin(tx, made)
		if err != nil {
			return err
		}
		z = *made
		return errors.Join(putVersion(tx, made, v), store.PutJSON(tx, store.ZoneKey(made.ID), made))
	})
	return z, err
}

// Clone makes a zone whose version 1 has the records of a version of another.
// version 0 is the active one; name "" keeps the name.
func (b *Book) Clone(tenant, owner string, id, version int64, name string) (z Zone, err error) {
	err = b.db.Update(func(tx *store.Tx) error {
		from, v, err := b.version(tx, tenant, id, version)
		if err != nil {
			return err
		}
		records, err := b.all(tx, from, v)
		if err != nil {
			return err
		}
		if name == "" {
			name = from.Name
		}
		made, err := b.mint(tx, tenant, owner, name)
		if err != nil {
			return err
		}
		z = *made
		return b.fill(tx, made, records)
	})
	return z, err
}

// mint makes a zone that is not written yet.
func (b *Book) mint(tx *store.Tx, tenant, owner, name string) (*Zone, error) {
	id, err := tx.NextID("zone", b.public+1)
	if err != nil {
		return nil, err
	}
	z := &Zone{ID: id, Tenant: tenant, Name: name, Owner: owner, Active: 1, Updated: b.now().UTC()}
	return z, tx.Put(store.ZoneTenantKey(tenant, id), nil)
}

// Rename gives a zone another name.
func (b *Book) Rename(tenant string, id int64, name string) (z Zone, err error) {
	err = b.db.Update(func(tx *store.Tx) error {
		found, err := b.own(tx, tenant, id)
		if err != nil {
			return err
		}
		found.Name = name
		z, err = *found, b.put(tx, found)
		z.Updated = found.Updated
		return err
	})
	return z, err
}

// put writes a zone that was changed.
func (b *Book) put(tx *store.Tx, z *Zone) error {
	z.Updated = b.now().UTC()
	return store.PutJSON(tx, store.ZoneKey(z.ID), z)
}

// Delete takes a zone away with all its versions and records. While a domain is
// linked to it that is still the tenant's, that is Attached.
func (b *Book) Delete(tenant string, id int64) error {
	return b.db.Update(func(tx *store.Tx) error {
		z, err := b.own(tx, tenant, id)
		if err != nil {
			return err
		}
		domains, err := linked(tx, tenant, id)
		if err != nil {
			return err
		}
		keys := [][]byte{store.ZoneKey(id), store.ZoneTenantKey(z.Tenant, id)}
		for _, fqdn := range domains {
			l, err := link(tx, tenant, fqdn)
			if err == nil && !l.Gone {
				err = &Error{Why: Attached, Zone: id, Reason: fqdn + " is linked to it"}
			}
			if err != nil {
				return err
			}
			keys = append(keys, store.ZoneLinkKey(tenant, fqdn), store.ZoneDomainKey(tenant, id, fqdn))
		}
		for _, prefix := range [][]byte{store.ZoneVersionsPrefix(id), store.ZonePagesPrefix(id)} {
			err = errors.Join(err, tx.ScanKeys(prefix, func(key []byte) error {
				keys = append(keys, append([]byte(nil), key...))
				return nil
			}))
		}
		for _, key := range keys {
			err = errors.Join(err, tx.Delete(key))
		}
		return err
	})
}
