package handles

import (
	"errors"
	"fmt"
	"maps"
	"reflect"

	"v3gate/internal/store"
)

// ErrOwn: the contact is the tenant's own, which is always there.
var ErrOwn = errors.New("it is the account's own contact")

// UsedError says that a contact is in use.
type UsedError struct{ Handle, FQDN, Role string }

func (e *UsedError) Error() string { return e.Handle + " is the " + e.Role + " of " + e.FQDN }

// With gives the contact with its fields changed. The version grows
// when v5 is to get something else than before. Nothing is written.
func (c *Contact) With(change func(*Fields)) Contact {
	is := *c
	is.ExtraParameters, is.ShippingAddress = maps.Clone(c.ExtraParameters), maps.Clone(c.ShippingAddress)
	if change(&is.Fields); !reflect.DeepEqual(c.Expand().Contact, is.Expand().Contact) {
		is.Version, is.Shown = c.Version+1, ""
	}
	return is
}

// Change changes a contact of a tenant in the caller's transaction, and gives it
// as it was and as it is. change gets the fields and may be run twice.
func (b *Book) Change(tx *store.Tx, tenant, handle string, change func(*Fields)) (was, is Contact, err error) {
	if was, err = b.Read(tx, tenant, handle); err != nil {
		return was, is, err
	}
	if is = was.With(change); reflect.DeepEqual(was, is) {
		return was, is, nil
	}
	err = tx.Delete(store.ContactContentKey(tenant, tx.Digest(was.digest()), was.ID))
	return was, is, errors.Join(err, putContact(tx, &is))
}

// Stale calls fn for each domain and role in which a contact is used, with whether
// v5 was given another version than this one there. fn must not write.
func (b *Book) Stale(tx *store.Tx, c *Contact, fn func(fqdn, role string, stale bool) error) error {
	var last string
	var seen Seen
	return b.EachUse(tx, c.Tenant, c.Handle, func(fqdn, role string) (err error) {
		if fqdn != last {
			if seen, err = readSeen(tx, c.Tenant, fqdn); err != nil {
				return err
			}
			last = fqdn
		}
		return fn(fqdn, role, seen.of(role).Version != c.Version)
	})
}

// Roles gives the handles of a domain, in the caller's transaction.
func (b *Book) Roles(tx *store.Tx, tenant, fqdn string) (Roles, error) {
	d, err := b.Domain(tx, tenant, fqdn)
	return d.Roles, err
}

// Domain gives the id and the handles of a domain, in the caller's transaction; zero
// for one that was never seen.
func (b *Book) Domain(tx *store.Tx, tenant, fqdn string) (Domain, error) {
	return readDomain(tx, tenant, fqdn)
}

// Sight gives what is known of one role of a domain, in the caller's transaction.
func (b *Book) Sight(tx *store.Tx, tenant, fqdn, role string) (Sight, error) {
	seen, err := readSeen(tx, tenant, fqdn)
	return *seen.of(role), err
}

// Delete takes a contact of a tenant away: ErrUnknown, ErrForeign, ErrOwn, a
// *UsedError for one that a domain uses, or the error of free, which looks for
// other uses.
func (b *Book) Delete(tenant, handle string, free func(*store.Tx) error) error {
	err := b.db.Update(func(tx *store.Tx) error {
		c, err := b.Read(tx, tenant, handle)
		if err != nil {
			return err
		}
		if string(tx.Get(store.OwnKey(tenant))) == handle {
			return ErrOwn
		}
		var used error
		if err := b.EachUse(tx, tenant, handle, func(fqdn, role string) error {
			used = &UsedError{handle, fqdn, role}
			return store.Stop
		}); err != nil || used != nil {
			return errors.Join(err, used)
		}
		if err := free(tx); err != nil {
			return err
		}
		return errors.Join(
			tx.Delete(store.ContactKey(handle)), tx.Delete(store.ContactIDKey(c.ID)),
			tx.Delete(store.ContactTenantKey(tenant, c.ID)),
			tx.Delete(store.ContactContentKey(tenant, tx.Digest(c.digest()), c.ID)))
	})
	if err != nil {
		return fmt.Errorf("delete contact: %w", err)
	}
	b.refs.drop(handle)
	return nil
}

// All calls fn for a tenant's contacts, the oldest first, or the newest first
// with newest. An own contact that was not read from v5 yet is not among them.
func (b *Book) All(tenant string, newest bool, fn func(*Contact) error) error {
	return b.db.View(func(tx *store.Tx) error {
		scan := tx.Scan
		if newest {
			scan = tx.ScanBack
		}
		return scan(store.ContactTenantPrefix(tenant), func(_, handle []byte) error {
			c, err := b.Read(tx, tenant, string(handle))
			if err != nil || c.Empty {
				return err
			}
			return fn(&c)
		})
	})
}
