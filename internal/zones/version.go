package zones

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"v3gate/internal/store"
)

// Version is one version of a zone.
type Version struct {
	N       int64     `json:"-"` // its number in the zone
	Created time.Time `json:"created"`
	// Serial is never the same for two versions, of whatever zone: the ids of
	// the records begin with it.
	Serial int64 `json:"serial"`
	// Slots is the last slot that was given to a record; see Record.
	Slots int64 `json:"slots,omitempty"`
	// Digest is that of the rrsets that LiveDNS can be given; see digest.
	Digest []byte    `json:"digest,omitempty"`
	Pages  []pageRef `json:"pages,omitempty"`
}

// Count is how many records it has.
func (v *Version) Count() (n int) {
	for i := range v.Pages {
		n += v.Pages[i].N
	}
	return n
}

// version finds a version of a zone that the tenant may see; 0 is the active one.
func (b *Book) version(tx *store.Tx, tenant string, id, n int64) (*Zone, *Version, error) {
	z, err := b.zone(tx, tenant, id)
	if err != nil {
		return nil, nil, err
	}
	v, err := b.load(tx, z, n)
	return z, v, err
}

func (b *Book) load(tx *store.Tx, z *Zone, n int64) (*Version, error) {
	if n == 0 {
		n = z.Active
	}
	v := &Version{N: n}
	if z.Public && n == z.Active {
		return publicVersion(), nil
	}
	ok, err := store.GetJSON(tx, store.ZoneVersionKey(z.ID, n), v)
	if err == nil && !ok {
		err = &Error{Why: NoVersion, Zone: z.ID, Version: n, Reason: "no such version"}
	}
	return v, err
}

// Version finds a version; 0 is the active one.
func (b *Book) Version(tenant string, id, n int64) (z Zone, v Version, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		zone, version, err := b.version(tx, tenant, id, n)
		if zone != nil {
			z = *zone
		}
		if err == nil {
			v = *version
		}
		return err
	})
	return z, v, err
}

// Numbers gives the numbers of a zone's versions, in ascending order, without
// reading them.
func (b *Book) Numbers(tenant string, id int64) (list []int64, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		list = []int64{}
		z, err := b.zone(tx, tenant, id)
		if err != nil || z.Public {
			list = []int64{1}
			return err
		}
		return tx.ScanKeys(store.ZoneVersionsPrefix(id), func(key []byte) error {
			list = append(list, store.TrailingID(key))
			return nil
		})
	})
	return list, err
}

// Versions gives the numbers of a zone's versions and when each was made, in
// ascending order.
func (b *Book) Versions(tenant string, id int64) (list []Version, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		list = nil
		z, err := b.zone(tx, tenant, id)
		if err != nil {
			return err
		}
		list, err = b.versions(tx, z)
		return err
	})
	return list, err
}

func (b *Book) versions(tx *store.Tx, z *Zone) (list []Version, err error) {
	if z.Public {
		return []Version{*publicVersion()}, nil
	}
	err = tx.Scan(store.ZoneVersionsPrefix(z.ID), func(key, value []byte) error {
		v := Version{N: store.TrailingID(key)}
		if err := readVersion(value, &v); err != nil {
			return fmt.Errorf("read %q: %w", key, err)
		}
		list = append(list, v)
		return nil
	})
	return list, err
}

// NewVersion makes a version with the records of another; 0 is the active one.
// The pages are shared, and the records have other ids. It gives the number.
func (b *Book) NewVersion(tenant string, id, from int64) (n int64, err error) {
	err = b.db.Update(func(tx *store.Tx) error {
		z, err := b.own(tx, tenant, id)
		if err != nil {
			return err
		}
		old, err := b.load(tx, z, from)
		if err != nil {
			return err
		}
		v, err := b.begin(tx, z)
		if err != nil {
			return err
		}
		v.Slots, v.Digest, v.Pages = old.Slots, old.Digest, old.Pages
		n = v.N
		if v.Slots > mostSlots/2 { // the slots are dense again in a version that shares nothing
			records, err := b.all(tx, z, old)
			if err != nil {
				return err
			}
			v.Slots, v.Pages = 0, nil
			if err := b.write(tx, z, v, fresh(v, records)); err != nil {
				return err
			}
		}
		return errors.Join(putVersion(tx, z, v), b.put(tx, z))
	})
	return n, err
}

// begin makes a version that is not written yet, and is the last of its zone.
func (b *Book) begin(tx *store.Tx, z *Zone) (*Version, error) {
	serial, err := tx.NextID("zone-version", 1)
	z.Last++
	return &Version{N: z.Last, Created: b.now().UTC(), Serial: serial, Digest: digest(nil)}, err
}

func putVersion(tx *store.Tx, z *Zone, v *Version) error {
	return store.PutJSON(tx, store.ZoneVersionKey(z.ID, v.N), v)
}

// DeleteVersion takes a version away. The active one, and one that a domain
// still carries, are Attached.
func (b *Book) DeleteVersion(tenant string, id, n int64) error {
	return b.db.Update(func(tx *store.Tx) error {
		z, err := b.own(tx, tenant, id)
		if err != nil {
			return err
		}
		v, err := b.load(tx, z, n)
		if err != nil {
			return err
		}
		if v.N == z.Active {
			return &Error{Why: Attached, Zone: id, Version: v.N, Reason: "it is the active version"}
		}
		domains, err := linked(tx, tenant, id)
		if err != nil {
			return err
		}
		active, err := b.load(tx, z, 0)
		if err != nil {
			return err
		}
		for _, fqdn := range domains {
			l, err := link(tx, tenant, fqdn)
			if err == nil && l.Carries(id, v.N) && !bytes.Equal(l.Digest, active.Digest) {
				err = &Error{Why: Attached, Zone: id, Version: v.N, Reason: fqdn + " carries it"}
			}
			if err != nil {
				return err
			}
		}
		if err := tx.Delete(store.ZoneVersionKey(id, v.N)); err != nil {
			return err
		}
		return errors.Join(dropUnused(tx, z, v.Pages), b.put(tx, z))
	})
}
