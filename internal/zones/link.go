package zones

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"v3gate/internal/store"
)

// Link is the zone of a domain.
type Link struct {
	Zone int64
	// Digest is that of the rrsets that the domain has in LiveDNS, as far as
	// this gateway read or wrote them; empty when it did neither.
	Digest []byte `json:",omitempty"`
	// Source and Version are where they came from.
	Source  int64 `json:",omitempty"`
	Version int64 `json:",omitempty"`
	// Away: the domain was not on LiveDNS when it was last looked at. Nothing is
	// written to it, as the old service's zones were of no effect then.
	Away bool `json:",omitempty"`
	// Gone: it is away because it was not on the account any more.
	Gone bool `json:",omitempty"`
	// Seen is when it was last read or written.
	Seen time.Time `json:",omitzero"`
}

// Carries tells whether the domain has the records of a version.
func (l *Link) Carries(zone, version int64) bool { return l.Source == zone && l.Version == version }

// link finds the link of a domain; one that is not there is zero.
func link(tx *store.Tx, tenant, fqdn string) (l Link, err error) {
	_, err = store.GetJSON(tx, store.ZoneLinkKey(tenant, fqdn), &l)
	return l, err
}

// putLink writes a link with its index.
func putLink(tx *store.Tx, tenant, fqdn string, l Link) error {
	was, err := link(tx, tenant, fqdn)
	if err == nil && was.Zone != 0 && was.Zone != l.Zone {
		err = tx.Delete(store.ZoneDomainKey(tenant, was.Zone, fqdn))
	}
	return errors.Join(err,
		store.PutJSON(tx, store.ZoneLinkKey(tenant, fqdn), l),
		tx.Put(store.ZoneDomainKey(tenant, l.Zone, fqdn), nil))
}

// linked gives the domains of a zone, in the order of their names.
func linked(tx *store.Tx, tenant string, zone int64) (domains []string, err error) {
	prefix := store.ZoneDomainsPrefix(tenant, zone)
	err = tx.ScanKeys(prefix, func(k []byte) error {
		domains = append(domains, strings.Join(store.KeyStrings(k[len(prefix):]), ""))
		return nil
	})
	return domains, err
}

// Linked gives the domains that are linked to a zone.
func (b *Book) Linked(tenant string, zone int64) (domains []string, err error) {
	err = b.db.View(func(tx *store.Tx) (err error) {
		domains, err = linked(tx, tenant, zone)
		return err
	})
	return domains, err
}

// Link gives the link of a domain; zero when the gateway knows of none.
func (b *Book) Link(tenant, fqdn string) (Link, error) {
	return b.links.Get(b.db, linkKey{tenant, fqdn}, func(tx *store.Tx, key linkKey) (Link, error) {
		return link(tx, key.tenant, key.fqdn)
	})
}

// LinkOf is Link in the caller's transaction.
func (b *Book) LinkOf(tx *store.Tx, tenant, fqdn string) (Link, error) { return link(tx, tenant, fqdn) }

// NameOf gives the name of a zone that the tenant may see, in the caller's
// transaction.
func (b *Book) NameOf(tx *store.Tx, tenant string, id int64) (string, error) {
	z, err := b.zone(tx, tenant, id)
	if err != nil {
		return "", err
	}
	return z.Name, nil
}

type linkKey struct{ tenant, fqdn string }

// Clone is a key that holds on to nothing but itself.
func (k linkKey) Clone() linkKey { return linkKey{strings.Clone(k.tenant), strings.Clone(k.fqdn)} }

// Own gives the link of a domain that is on LiveDNS. One that was never linked
// here gets a zone of its own, whose version 1 is what LiveDNS has; that is read
// when somebody wants to see it.
func (b *Book) Own(tenant, owner, fqdn string) (l Link, err error) {
	if l, err = b.Link(tenant, fqdn); err != nil || l.Zone != 0 {
		return l, err
	}
	err = b.db.Update(func(tx *store.Tx) error {
		if l, err = link(tx, tenant, fqdn); err != nil || l.Zone != 0 {
			return err
		}
		z, err := b.mint(tx, tenant, owner, fqdn)
		if err != nil {
			return err
		}
		z.Unread, l = fqdn, Link{Zone: z.ID}
		return errors.Join(store.PutJSON(tx, store.ZoneKey(z.ID), z), putLink(tx, tenant, fqdn, l))
	})
	return l, err
}

// Read makes version 1 of a zone that is unread from what LiveDNS shows of its
// domain. Where another caller was first it does nothing.
func (b *Book) Read(tenant string, id int64, shown []RRset) error {
	return b.db.Update(func(tx *store.Tx) error {
		z, err := b.own(tx, tenant, id)
		if err != nil || z.Unread == "" {
			return err
		}
		fqdn := z.Unread
		z.Unread, z.Updated = "", b.now().UTC()
		if err := b.fill(tx, z, recordsOf(shown)); err != nil {
			return err
		}
		l, err := link(tx, tenant, fqdn)
		if err != nil || l.Digest != nil {
			return err // it was linked elsewhere, and written
		}
		if l.Zone == 0 {
			l.Zone = id
		}
		l = Link{Zone: l.Zone, Digest: digest(shown), Source: id, Version: 1, Seen: b.now().UTC()}
		return putLink(tx, tenant, fqdn, l)
	})
}

// recordsOf makes records of rrsets, with the ttl of each. Values that are there
// twice are one.
func recordsOf(sets []RRset) (records []Record) {
	seen := map[string]bool{}
	for _, s := range sets {
		for _, value := range s.Values {
			r := Record{Name: s.Name, Type: s.Type, Value: value, TTL: s.TTL}
			if s.Type == "TXT" || s.Type == "SPF" {
				if text, err := textOf(value); err == nil {
					r.Value = quote(text)
				}
			}
			if what := r.identity(); !seen[what] {
				seen[what] = true
				records = append(records, r)
			}
		}
	}
	return records
}

// Adopt keeps what LiveDNS shows of a domain, and nobody here wrote, as a version
// of the zone that the domain is linked to, and gives its number: a new one, or
// one that says the same. It is not made the active one. A domain of the public
// zone gets a zone of its own for it.
func (b *Book) Adopt(tenant, owner, fqdn string, shown []RRset) (zone, n int64, err error) {
	now := digest(shown)
	err = b.db.Update(func(tx *store.Tx) error {
		l, err := link(tx, tenant, fqdn)
		if err != nil {
			return err
		}
		if bytes.Equal(l.Digest, now) {
			zone, n = l.Source, l.Version // another caller was first
			return nil
		}
		z, err := b.zone(tx, tenant, l.Zone)
		if err == nil && z.Public {
			if z, err = b.mint(tx, tenant, owner, fqdn); err == nil {
				err = b.fill(tx, z, recordsOf(shown))
			}
			n = 1
		} else if err == nil {
			n, err = b.saying(tx, z, shown, now)
		}
		if err != nil {
			return err
		}
		zone = z.ID
		l = Link{Zone: l.Zone, Digest: now, Source: zone, Version: n, Seen: b.now().UTC()}
		return putLink(tx, tenant, fqdn, l)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("adopt records of %s: %w", fqdn, err)
	}
	return zone, n, nil
}

// saying finds the version of a zone that says what LiveDNS shows, or makes one.
func (b *Book) saying(tx *store.Tx, z *Zone, shown []RRset, sum []byte) (int64, error) {
	versions, err := b.versions(tx, z)
	if err != nil {
		return 0, err
	}
	for i := range versions {
		if bytes.Equal(versions[i].Digest, sum) {
			return versions[i].N, nil
		}
	}
	v, err := b.begin(tx, z)
	if err != nil {
		return 0, err
	}
	if err := b.write(tx, z, v, fresh(v, recordsOf(shown))); err != nil {
		return 0, err
	}
	v.Digest = sum
	return v.N, errors.Join(putVersion(tx, z, v), b.put(tx, z))
}

// Follow makes an adopted version the active one, where the zone is one domain's
// alone and no operation is at work on it: it is what the domain has.
func (b *Book) Follow(tenant string, id, n int64, list string) error {
	return b.db.Update(func(tx *store.Tx) error {
		domains, err := linked(tx, tenant, id)
		if err != nil || len(domains) != 1 || store.GetID(tx, store.OpListKey(tenant, list)) != 0 {
			return err
		}
		l, err := link(tx, tenant, domains[0])
		if err != nil || !l.Carries(id, n) {
			return err
		}
		_, err = b.Activate(tx, tenant, id, n)
		return err
	})
}

// Wrote records what a domain has in LiveDNS now.
func (b *Book) Wrote(tenant, fqdn string, sum []byte, zone, version int64) error {
	return b.db.Update(func(tx *store.Tx) error {
		l, err := link(tx, tenant, fqdn)
		if err != nil {
			return err
		}
		l = Link{Zone: l.Zone, Digest: sum, Source: zone, Version: version, Seen: b.now().UTC()}
		return putLink(tx, tenant, fqdn, l)
	})
}

// Left records that a linked domain is not on LiveDNS, or with gone not on the
// account, or with neither is there again. What it has is then not known. The link
// stays: v5 may be wrong.
func (b *Book) Left(tenant, fqdn string, away, gone bool) error {
	return b.db.Update(func(tx *store.Tx) error { return b.LeftIn(tx, tenant, fqdn, away, gone) })
}

// LeftIn is Left in the caller's transaction.
func (b *Book) LeftIn(tx *store.Tx, tenant, fqdn string, away, gone bool) error {
	l, err := link(tx, tenant, fqdn)
	if err != nil || l.Zone == 0 || l.Away == away && l.Gone == gone {
		return err
	}
	return putLink(tx, tenant, fqdn, Link{Zone: l.Zone, Away: away, Gone: gone})
}

// Unlink takes the link away of a domain that was gone and is registered anew: the
// zone was that of the earlier registration.
func (b *Book) Unlink(tx *store.Tx, tenant, fqdn string) error {
	l, err := link(tx, tenant, fqdn)
	if err != nil || !l.Gone {
		return err
	}
	return errors.Join(tx.Delete(store.ZoneLinkKey(tenant, fqdn)), tx.Delete(store.ZoneDomainKey(tenant, l.Zone, fqdn)))
}
