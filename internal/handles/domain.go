package handles

import (
	"errors"
	"fmt"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// Roles are the handles of a domain's contacts; "" where it is not known.
type Roles struct {
	Owner string `json:"owner,omitempty"`
	Admin string `json:"admin,omitempty"`
	Bill  string `json:"bill,omitempty"`
	Tech  string `json:"tech,omitempty"`
}

// each goes through the roles by name.
func (r *Roles) each(fn func(role string, handle *string)) {
	fn("owner", &r.Owner)
	fn("admin", &r.Admin)
	fn("bill", &r.Bill)
	fn("tech", &r.Tech)
}

// Domain is what the gateway itself knows about a domain.
type Domain struct {
	ID    int64 `json:"id"`
	Roles Roles `json:"roles"`
}

// domainKey is what a domain id leads back to.
type domainKey struct {
	Tenant string `json:"tenant"`
	FQDN   string `json:"fqdn"`
}

// DomainID gives the integer id of a tenant's domain, the same for ever.
func (b *Book) DomainID(tenant, fqdn string) (int64, error) {
	var d Domain
	err := b.db.View(func(tx *store.Tx) (err error) {
		d, err = b.read(tx, domainKey{tenant, fqdn})
		return err
	})
	if err != nil || d.ID != 0 {
		return d.ID, err
	}
	err = b.db.Update(func(tx *store.Tx) error {
		d, err = b.domain(tx, tenant, fqdn)
		return err
	})
	return d.ID, err
}

// domain reads a domain, minting its id at first sight.
func (b *Book) domain(tx *store.Tx, tenant, fqdn string) (Domain, error) {
	var d Domain
	key := store.DomainKey(tenant, fqdn)
	ok, err := store.GetJSON(tx, key, &d)
	if err != nil || ok {
		return d, err
	}
	if d.ID, err = tx.NextID("domain", b.floors.ID); err != nil {
		return d, err
	}
	return d, errors.Join(
		store.PutJSON(tx, key, d),
		store.PutJSON(tx, store.DomainIDKey(d.ID), domainKey{tenant, fqdn}))
}

// Epoch counts the changes of domains that came through this gateway. A reading
// that was begun in an earlier epoch may not show the last of them.
func (b *Book) Epoch() uint64 { return b.epoch.Load() }

// Changed begins a new epoch.
func (b *Book) Changed() { b.epoch.Add(1) }

// SetRoles records which handles a domain now uses, in the caller's
// transaction. A role that is "" stays as it was. Whoever calls it has seen the
// domain changed, so it begins a new epoch.
func (b *Book) SetRoles(tx *store.Tx, tenant, fqdn string, roles Roles) error {
	b.Changed()
	d, err := b.domain(tx, tenant, fqdn)
	if err != nil {
		return fmt.Errorf("set contacts of %s: %w", fqdn, err)
	}
	var errs []error
	next := d
	change := func(role, was, now string) {
		if was != "" {
			errs = append(errs, tx.Delete(store.UsesKey(was, tenant, fqdn, role)))
		}
		errs = append(errs, tx.Put(store.UsesKey(now, tenant, fqdn, role), nil))
	}
	given := map[string]string{}
	roles.each(func(role string, handle *string) { given[role] = *handle })
	next.Roles.each(func(role string, handle *string) {
		if now := given[role]; now != "" && now != *handle {
			change(role, *handle, now)
			*handle = now
		}
	})
	if next != d {
		errs = append(errs, store.PutJSON(tx, store.DomainKey(tenant, fqdn), next))
	}
	return errors.Join(errs...)
}

// Recognise names the contacts of a domain by handles. Where the domain was
// written through the gateway it knows them; the rest are recognised by their
// content, or minted, and then kept.
func (b *Book) Recognise(tenant, fqdn string, shown v5.Contacts) (Domain, error) {
	var d Domain
	err := b.db.View(func(tx *store.Tx) (err error) {
		d, err = b.read(tx, domainKey{tenant, fqdn})
		return err
	})
	if err != nil || d.ID != 0 && !d.missing(shown) {
		return d, err
	}
	err = b.db.Update(func(tx *store.Tx) error {
		var err error
		if d, err = b.domain(tx, tenant, fqdn); err != nil {
			return err
		}
		found := d.Roles
		found.each(func(role string, handle *string) {
			if c := contactIn(shown, role); *handle == "" && c != nil && err == nil {
				*handle, err = b.recognise(tx, tenant, c)
			}
		})
		if err != nil {
			return err
		}
		if err = b.SetRoles(tx, tenant, fqdn, found); err != nil {
			return err
		}
		d.Roles = found
		return nil
	})
	return d, err
}

// missing tells whether v5 shows a contact in a role that has no handle yet.
func (d *Domain) missing(shown v5.Contacts) (missing bool) {
	d.Roles.each(func(role string, handle *string) {
		missing = missing || *handle == "" && contactIn(shown, role) != nil
	})
	return missing
}

// contactIn gives a role's contact. v5 may leave out all but the owner; they
// are then the owner's (v5 documentation).
func contactIn(c v5.Contacts, role string) *v5.Contact {
	contact := map[string]*v5.Contact{"owner": c.Owner, "admin": c.Admin, "bill": c.Bill, "tech": c.Tech}[role]
	if contact == nil {
		return c.Owner
	}
	return contact
}
