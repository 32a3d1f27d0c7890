package handles

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"v3gate/internal/store"
)

// Floors are the numbers that minted ones start from. The old service gave out
// smaller ones, so a minted number cannot equal one that an integration kept
// and nobody imported.
type Floors struct {
	Handle int64 // the number in a handle: 5,000,000
	ID     int64 // contact and domain ids: 1,000,000,000; they stay below 2^31
}

// DefaultFloors lie above everything the old service is known to have given out.
func DefaultFloors() Floors { return Floors{Handle: 5_000_000, ID: 1_000_000_000} }

// Book is the tenants' contacts and domains in the store.
type Book struct {
	db     *store.DB
	floors Floors
	now    func() time.Time
	epoch  atomic.Uint64
	gone   atomic.Uint64

	// What every domain.info reads.
	refs    refs
	domains store.Memo[domainKey, *known]
	own     store.Memo[string, string]
}

// New gives the book of a store.
func New(db *store.DB, floors Floors, now func() time.Time) *Book {
	return &Book{db: db, floors: floors, now: now}
}

// Create keeps a new contact under a new handle. Equal content twice gives two
// handles, as in v3.
func (b *Book) Create(tenant string, f Fields) (Contact, error) {
	var c Contact
	err := b.db.Update(func(tx *store.Tx) (err error) {
		c, err = b.mint(tx, tenant, f, false)
		return err
	})
	if err != nil {
		return Contact{}, fmt.Errorf("create contact: %w", err)
	}
	return c, nil
}

func (b *Book) mint(tx *store.Tx, tenant string, f Fields, empty bool) (Contact, error) {
	return b.mintShown(tx, tenant, f, "", empty)
}

func (b *Book) mintShown(tx *store.Tx, tenant string, f Fields, shown string, empty bool) (Contact, error) {
	number, err := tx.NextID("handle", b.floors.Handle)
	if err != nil {
		return Contact{}, err
	}
	id, err := tx.NextID("contact", b.floors.ID)
	if err != nil {
		return Contact{}, err
	}
	c := Contact{
		Handle: letters(f.Given, f.Family) + strconv.FormatInt(number, 10) + "-GANDI",
		ID:     id, Tenant: tenant, Created: b.now().UTC(), Empty: empty, Shown: shown, Fields: f,
	}
	return c, putContact(tx, &c)
}

// putContact writes a contact with its indexes.
func putContact(tx *store.Tx, c *Contact) error {
	content := func() error {
		if c.Empty {
			return nil
		}
		return tx.Put(store.ContactContentKey(c.Tenant, tx.Digest(c.digest()), c.ID), []byte(c.Handle))
	}
	return errors.Join(
		store.PutJSON(tx, store.ContactKey(c.Handle), c),
		tx.Put(store.ContactIDKey(c.ID), []byte(c.Handle)),
		tx.Put(store.ContactTenantKey(c.Tenant, c.ID), []byte(c.Handle)),
		content())
}

// Get finds a contact of a tenant: ErrUnknown or ErrForeign when there is none
// to be had.
func (b *Book) Get(tenant, handle string) (Contact, error) {
	var c Contact
	err := b.db.View(func(tx *store.Tx) (err error) {
		c, err = b.Read(tx, tenant, handle)
		return err
	})
	return c, err
}

// View runs fn on what is committed, for Read and its like.
func (b *Book) View(fn func(*store.Tx) error) error { return b.db.View(fn) }

// Read is Get in the caller's transaction.
func (b *Book) Read(tx *store.Tx, tenant, handle string) (Contact, error) {
	var c Contact
	ok, err := store.GetJSON(tx, store.ContactKey(handle), &c)
	switch {
	case err != nil:
		return Contact{}, err
	case !ok:
		return Contact{}, ErrUnknown
	case c.Tenant != tenant:
		return Contact{}, ErrForeign
	}
	return c, nil
}

// Own gives the handle of the tenant's own contact. configured is taken when it
// is not empty, and kept as an empty contact if nothing is known of it yet;
// otherwise one is minted once.
func (b *Book) Own(tenant, configured string) (string, error) {
	handle, err := b.own.Get(b.db, tenant, func(tx *store.Tx, tenant string) (string, error) {
		return string(tx.Get(store.OwnKey(tenant))), nil
	})
	if err != nil || handle != "" && (configured == "" || configured == handle) {
		return handle, err
	}
	err = b.db.Update(func(tx *store.Tx) error {
		if handle = string(tx.Get(store.OwnKey(tenant))); handle != "" && configured == "" {
			return nil // another caller was first
		}
		if configured == "" {
			c, err := b.mint(tx, tenant, Fields{Family: tenant}, true)
			if err != nil {
				return err
			}
			handle = c.Handle
		} else if handle = configured; tx.Get(store.ContactKey(handle)) == nil {
			id, err := tx.NextID("contact", b.floors.ID)
			if err != nil {
				return err
			}
			if err := putContact(tx, &Contact{Handle: handle, ID: id, Tenant: tenant, Created: b.now().UTC(), Empty: true}); err != nil {
				return err
			}
		}
		return tx.Put(store.OwnKey(tenant), []byte(handle))
	})
	if err != nil {
		return "", fmt.Errorf("own contact of tenant %s: %w", tenant, err)
	}
	return handle, nil
}

// Fill gives an empty contact its content, once.
func (b *Book) Fill(handle string, f Fields) (Contact, error) {
	var c Contact
	err := b.db.Update(func(tx *store.Tx) error {
		c = Contact{}
		ok, err := store.GetJSON(tx, store.ContactKey(handle), &c)
		if err == nil && !ok {
			err = ErrUnknown
		}
		if err != nil || !c.Empty {
			return err
		}
		c.Fields, c.Empty = f, false
		return putContact(tx, &c)
	})
	return c, err
}

// Count is how many contacts there are, of all tenants.
func (b *Book) Count() (n int, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		return tx.ScanKeys(store.ContactsPrefix(), func([]byte) error { n++; return nil })
	})
	return n, err
}
