package ops

import "v3gate/internal/store"

// EachOpen calls fn, in the caller's transaction, for the operations of all
// tenants that are not at their end, the oldest first. fn may give store.Stop and
// must not write.
func EachOpen(tx *store.Tx, fn func(*Operation) error) error {
	return tx.ScanKeys(store.OpOpenPrefix(), func(key []byte) error {
		op, err := load(tx, store.TrailingID(key))
		if err != nil {
			return err
		}
		return fn(op)
	})
}

// EachOn is EachOpen for the operations of a tenant on one name.
func EachOn(tx *store.Tx, tenant, fqdn string, fn func(*Operation) error) error {
	return tx.ScanKeys(store.OpAboutPrefix(tenant, fqdn), func(key []byte) error {
		op, err := load(tx, store.TrailingID(key))
		if err != nil {
			return err
		}
		return fn(op)
	})
}
