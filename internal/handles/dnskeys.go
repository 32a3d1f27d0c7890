package handles

import (
	"errors"

	"v3gate/internal/store"
)

// SawKeys keeps which domain DNSSEC keys belong to: v3 deletes a key by its id
// alone.
func (b *Book) SawKeys(tenant, fqdn string, ids []int64) error {
	known := true
	err := b.db.View(func(tx *store.Tx) error {
		for _, id := range ids {
			known = known && string(tx.Get(store.DNSKeyKey(tenant, id))) == fqdn
		}
		return nil
	})
	if err != nil || known {
		return err
	}
	return b.db.Update(func(tx *store.Tx) error {
		var errs []error
		for _, id := range ids {
			errs = append(errs, tx.Put(store.DNSKeyKey(tenant, id), []byte(fqdn)))
		}
		return errors.Join(errs...)
	})
}

// KeyDomain gives the domain of a DNSSEC key; "" for one that was not seen.
func (b *Book) KeyDomain(tenant string, id int64) (fqdn string, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		fqdn = string(tx.Get(store.DNSKeyKey(tenant, id)))
		return nil
	})
	return fqdn, err
}
