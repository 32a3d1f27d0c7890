package handles

import (
	"errors"
	"slices"

	"v3gate/internal/store"
)

// Excerpt gives, as of one moment, a tenant's own contact, those of the named
// handles that are the tenant's, the named domains that it has ids for, and the
// contacts of these. What is not there is left out; contacts come first. In
// difference to Export, no entry has the form in which v5 shows a contact.
func (b *Book) Excerpt(tenant string, wanted, fqdns []string) (entries []Entry, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		own := string(tx.Get(store.OwnKey(tenant)))
		wanted = slices.Clone(wanted)
		if own != "" {
			wanted = append(wanted, own)
		}
		var domains []Entry
		for _, fqdn := range fqdns {
			var d Domain
			there, err := store.GetJSON(tx, store.DomainKey(tenant, fqdn), &d)
			if err != nil {
				return err
			}
			if !there {
				continue
			}
			roles := b.Present(tx, d.Roles)
			domains = append(domains, Entry{Tenant: tenant, FQDN: fqdn, ID: d.ID, Roles: roles})
			wanted = append(wanted, roles.Owner, roles.Admin, roles.Bill, roles.Tech)
		}
		slices.Sort(wanted)
		for _, handle := range slices.Compact(wanted) {
			c, err := b.Read(tx, tenant, handle)
			if errors.Is(err, ErrUnknown) || errors.Is(err, ErrForeign) {
				continue
			}
			if err != nil {
				return err
			}
			entries = append(entries, Entry{Tenant: tenant, Handle: c.Handle, ID: c.ID, Created: &c.Created, Empty: c.Empty,
				Own: c.Handle == own, Version: c.Version, Fields: c.Fields})
		}
		entries = append(entries, domains...)
		return nil
	})
	return entries, err
}
