package handles

import (
	"encoding/json"
	"fmt"

	"v3gate/internal/store"
)

// Use is a domain that uses a contact, and in which role.
type Use struct{ Tenant, FQDN, Role string }

// Page gives contacts of all tenants in the order of their handles, for
// operators: those after a handle, "" for the first, and at most so many. more
// tells whether others follow.
func (b *Book) Page(after string, most int) (page []Contact, more bool, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		return tx.ScanFrom(store.ContactsPrefix(), behind(store.ContactKey(after)), func(key, value []byte) error {
			if more = len(page) == most; more {
				return store.Stop
			}
			var c Contact
			if err := json.Unmarshal(value, &c); err != nil {
				return fmt.Errorf("read contact %s: %w", store.Readable(key), err)
			}
			page = append(page, c)
			return nil
		})
	})
	return page, more, err
}

// Find gives a contact of whichever tenant, for operators; ErrUnknown when there
// is none.
func (b *Book) Find(handle string) (Contact, error) {
	var c Contact
	err := b.db.View(func(tx *store.Tx) error {
		ok, err := store.GetJSON(tx, store.ContactKey(handle), &c)
		if err == nil && !ok {
			err = ErrUnknown
		}
		return err
	})
	return c, err
}

// Uses gives where a contact is used, in the order of tenants, domains and
// roles: what comes after a use, the zero one for the first, and at most so many.
func (b *Book) Uses(handle string, after Use, most int) (page []Use, more bool, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		start := behind(store.UsesKey(handle, after.Tenant, after.FQDN, after.Role))
		return tx.ScanFrom(store.UsesPrefix(handle), start, func(key, _ []byte) error {
			if more = len(page) == most; more {
				return store.Stop
			}
			parts := store.KeyStrings(key)
			if len(parts) != 5 {
				return fmt.Errorf("read use of %s: %d parts in its key", handle, len(parts))
			}
			page = append(page, Use{parts[2], parts[3], parts[4]})
			return nil
		})
	})
	return page, more, err
}

// behind is the first key after key.
func behind(key []byte) []byte { return append(key, 0) }
