package handles

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

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

// roles are their names, in the order of Roles.
var roles = [...]string{"owner", "admin", "bill", "tech"}

// each goes through the roles by name, and gives the errors of fn.
func (r *Roles) each(fn func(role string, handle *string) error) error {
	return errors.Join(fn("owner", &r.Owner), fn("admin", &r.Admin), fn("bill", &r.Bill), fn("tech", &r.Tech))
}

// Of gives the handle of a role.
func (r Roles) Of(role string) string {
	switch role {
	case "owner":
		return r.Owner
	case "admin":
		return r.Admin
	case "bill":
		return r.Bill
	}
	return r.Tech
}

// set gives a role a handle.
func (r *Roles) set(role, to string) {
	r.each(func(name string, handle *string) error {
		if name == role {
			*handle = to
		}
		return nil
	})
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

// Clone is a key that holds on to nothing but itself.
func (k domainKey) Clone() domainKey {
	return domainKey{strings.Clone(k.Tenant), strings.Clone(k.FQDN)}
}

// DomainID gives the integer id of a tenant's domain, the same for ever.
func (b *Book) DomainID(tenant, fqdn string) (int64, error) {
	k, err := b.known(tenant, fqdn)
	if err != nil {
		return 0, err
	}
	if k.ID != 0 {
		return k.ID, nil
	}
	var d Domain
	err = b.db.Update(func(tx *store.Tx) (err error) {
		d, err = b.domain(tx, tenant, fqdn)
		return err
	})
	return d.ID, err
}

// readDomain reads a domain's record; one that is not there is zero.
func readDomain(tx *store.Tx, tenant, fqdn string) (d Domain, err error) {
	_, err = store.GetJSON(tx, store.DomainKey(tenant, fqdn), &d)
	return d, err
}

// domain reads a domain, minting its id at first sight.
func (b *Book) domain(tx *store.Tx, tenant, fqdn string) (Domain, error) {
	d, err := readDomain(tx, tenant, fqdn)
	if err != nil || d.ID != 0 {
		return d, err
	}
	if d.ID, err = tx.NextID("domain", b.floors.ID); err != nil {
		return d, err
	}
	return d, errors.Join(
		store.PutJSON(tx, store.DomainKey(tenant, fqdn), d),
		store.PutJSON(tx, store.DomainIDKey(d.ID), domainKey{tenant, fqdn}))
}

// Epoch counts the changes of domains that came through this gateway. A reading
// that was begun in an earlier epoch may not show the last of them.
func (b *Book) Epoch() uint64 { return b.epoch.Load() }

// Changed begins a new epoch.
func (b *Book) Changed() { b.epoch.Add(1) }

// SetRoles records which handles a domain now uses, in the caller's
// transaction. A role that is "" stays as it was. versions are those of the
// contacts that v5 was given, by handle. Whoever calls it has seen the domain
// changed, so it begins a new epoch.
func (b *Book) SetRoles(tx *store.Tx, tenant, fqdn string, roles Roles, versions map[string]int64) error {
	b.Changed()
	if err := b.assign(tx, tenant, fqdn, roles); err != nil {
		return fmt.Errorf("set contacts of %s: %w", fqdn, err)
	}
	seen, err := readSeen(tx, tenant, fqdn)
	if err != nil {
		return err
	}
	seen.Changes++
	roles.each(func(role string, handle *string) error {
		if *handle != "" {
			*seen.of(role) = Sight{Version: versions[*handle]}
		}
		return nil
	})
	return store.PutJSON(tx, store.SeenKey(tenant, fqdn), seen)
}

// assign writes a domain's handles and the index of their uses.
func (b *Book) assign(tx *store.Tx, tenant, fqdn string, roles Roles) error {
	d, err := b.domain(tx, tenant, fqdn)
	if err != nil {
		return err
	}
	given, next := map[string]string{}, d
	roles.each(func(role string, handle *string) error { given[role] = *handle; return nil })
	err = next.Roles.each(func(role string, handle *string) (err error) {
		now := given[role]
		if now == "" || now == *handle {
			return nil
		}
		if *handle != "" {
			err = tx.Delete(store.UsesKey(*handle, tenant, fqdn, role))
		}
		*handle = now
		return errors.Join(err, tx.Put(store.UsesKey(now, tenant, fqdn, role), nil))
	})
	if next != d {
		err = errors.Join(err, store.PutJSON(tx, store.DomainKey(tenant, fqdn), next))
	}
	return err
}

// Present gives roles without the handles that are no longer there.
func (b *Book) Present(tx *store.Tx, roles Roles) Roles {
	roles.each(func(_ string, handle *string) error {
		if tx.Get(store.ContactKey(*handle)) == nil {
			*handle = ""
		}
		return nil
	})
	return roles
}

// EachUse calls fn for each domain and role of a tenant in which a handle is used, a
// domain's roles one after the other. fn must not write.
func (b *Book) EachUse(tx *store.Tx, tenant, handle string, fn func(fqdn, role string) error) error {
	return tx.ScanKeys(store.UsesOfPrefix(handle, tenant), func(key []byte) error {
		parts := store.KeyStrings(key)
		return fn(parts[3], parts[4])
	})
}

// Forget takes off a domain that is no longer the tenant's what was known of it:
// its handles and what was kept of its mailboxes. Its id stays.
func (b *Book) Forget(tenant, fqdn string) error {
	return b.db.Update(func(tx *store.Tx) error { return b.ForgetIn(tx, tenant, fqdn) })
}

// ForgetIn is Forget in the caller's transaction.
func (b *Book) ForgetIn(tx *store.Tx, tenant, fqdn string) error {
	b.gone.Add(1)
	b.Changed()
	err := forgetMailboxes(tx, tenant, fqdn)
	d, unread := readDomain(tx, tenant, fqdn)
	if unread != nil || d.ID == 0 {
		return errors.Join(err, unread)
	}
	err = errors.Join(err, d.Roles.each(func(role string, handle *string) error {
		return tx.Delete(store.UsesKey(*handle, tenant, fqdn, role))
	}))
	d.Roles = Roles{}
	return errors.Join(err, store.PutJSON(tx, store.DomainKey(tenant, fqdn), d), tx.Delete(store.SeenKey(tenant, fqdn)))
}

// Gone counts the domains that were forgotten: whose a domain is may be another
// matter then.
func (b *Book) Gone() uint64 { return b.gone.Load() }

// In gives a role's contact. v5 may leave out all but the owner; they are then the
// owner's (v5 documentation).
func In(c *v5.Contacts, role string) *v5.Contact {
	contact := c.Owner
	switch role {
	case "admin":
		contact = c.Admin
	case "bill":
		contact = c.Bill
	case "tech":
		contact = c.Tech
	}
	return cmp.Or(contact, c.Owner)
}
