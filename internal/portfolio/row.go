package portfolio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"v3gate/internal/store"
)

// Shown is what v5 shows of a domain, as far as a list needs it. The transfer code
// is not among it: nobody should find those of all domains in one file. Nor are
// contacts, which package handles knows by their handles.
type Shown struct {
	TLD         string   `json:"tld,omitempty"`
	Status      []string `json:"status,omitempty"` // v5's words
	Nameservers []string `json:"ns,omitempty"`
	Services    []string `json:"services,omitempty"` // v5's words
	Tags        []string `json:"tags,omitempty"`
	AutoRenew   bool     `json:"autorenew,omitempty"`
	Resold      bool     `json:"resold,omitempty"` // it is a customer's of the tenant

	Created         *time.Time `json:"created,omitempty"`
	Updated         *time.Time `json:"updated,omitempty"`
	Registered      *time.Time `json:"registered,omitempty"`
	Ends            *time.Time `json:"ends,omitempty"`
	AuthinfoExpires *time.Time `json:"authinfo_expires,omitempty"`
	Deletes         *time.Time `json:"deletes,omitempty"`
	HoldBegins      *time.Time `json:"hold_begins,omitempty"`
	HoldEnds        *time.Time `json:"hold_ends,omitempty"`
}

// Row is a domain in the mirror.
type Row struct {
	FQDN string `json:"-"`
	// Flags stand first, where Names finds them without reading the rest.
	Flags flags `json:"f"`
	Shown
	// Read is when v5 showed that; zero for a name whose detail was never read.
	Read time.Time `json:"read,omitzero"`
	// Changes counts what happened to the domain since it is known here, as far as
	// the gateway did it or v5's list told. Seen is the count that the detail is
	// from: when they differ, it has to be read anew.
	Changes int64 `json:"changes,omitempty"`
	Seen    int64 `json:"seen,omitempty"`
	// Listed is the updated_at that v5's list had last.
	Listed time.Time `json:"listed,omitzero"`
	// Ours tells that the domain is surely the tenant's, Foreign that it is surely
	// not: v5 lists all that a credential can see.
	Ours    bool `json:"ours,omitempty"`
	Foreign bool `json:"foreign,omitempty"`
}

// flags are a digit: what paging through names has to know of a row.
type flags int

const (
	known   flags = 1 << iota // it is not Foreign, and surely the tenant's or read
	foreign                   // it is Foreign
)

// Fresh tells whether the row can be shown as it is.
func (r *Row) Fresh() bool { return !r.Read.IsZero() && r.Seen == r.Changes }

// Each calls fn for the domains of a tenant that are not known to be somebody
// else's, in the order of their names or backward. fn must not write, and may give
// store.Stop.
func Each(tx *store.Tx, tenant string, backward bool, fn func(*Row) error) error {
	scan := tx.Scan
	if backward {
		scan = tx.ScanBack
	}
	prefix := store.PortfolioPrefix(tenant)
	return scan(prefix, func(key, value []byte) error {
		r, err := decode(key, value)
		if err != nil || r.Foreign {
			return err
		}
		return fn(r)
	})
}

// Get gives the row of a name; nil where the tenant has no such domain, or none is
// known.
func Get(tx *store.Tx, tenant, fqdn string) (*Row, error) {
	r, err := get(tx, tenant, fqdn)
	if r != nil && r.Foreign {
		return nil, err
	}
	return r, err
}

// Touch marks a domain as changed, in the caller's transaction, also one that is
// not known yet. Nothing is written for a tenant who asks for no lists.
func Touch(tx *store.Tx, tenant, fqdn string) error {
	if tx.Get(store.PortfolioStateKey(tenant)) == nil {
		return nil
	}
	r, err := get(tx, tenant, fqdn)
	if err != nil {
		return err
	}
	if r == nil {
		r = &Row{FQDN: fqdn}
	}
	r.Changes++
	r.Foreign = false // it may have come to the account
	return put(tx, tenant, r)
}

// Mark is Touch in a transaction of its own.
func (m *Mirror) Mark(tenant, fqdn string) error {
	return m.db.Update(func(tx *store.Tx) error { return Touch(tx, tenant, fqdn) })
}

// Name is a domain that is not known to be somebody else's. Known tells that it is
// surely the tenant's.
type Name struct {
	FQDN  string
	Known bool
}

// Names gives the names of a tenant's domains in their order, and those that are
// not known to be the tenant's among them. It is for paging, where only the rows of
// the page are looked at: the list is made once for as long as nothing is committed.
func (m *Mirror) Names(tenant string) ([]Name, error) {
	return m.names.Get(m.db, tenant, func(tx *store.Tx, tenant string) (names []Name, err error) {
		err = tx.Scan(store.PortfolioPrefix(tenant), func(key, value []byte) error {
			parts := store.KeyStrings(key)
			switch f := peek(value); {
			case f < 0:
				return fmt.Errorf("read %s of the mirror: its flags are not in their place", parts[len(parts)-1])
			case f&foreign == 0:
				names = append(names, Name{parts[len(parts)-1], f&known != 0})
			}
			return nil
		})
		return names, err
	})
}

// peek reads the flags of a row, below 0 for what is no row.
func peek(value []byte) flags {
	digit, ok := bytes.CutPrefix(value, []byte(`{"f":`))
	if !ok || len(digit) < 2 || digit[0] < '0' || digit[0] > '9' || digit[1] >= '0' && digit[1] <= '9' {
		return -1
	}
	return flags(digit[0] - '0')
}

func decode(key, value []byte) (*Row, error) {
	parts := store.KeyStrings(key)
	r := &Row{FQDN: parts[len(parts)-1]}
	if err := json.Unmarshal(value, r); err != nil {
		return nil, fmt.Errorf("read %s of the mirror: %w", r.FQDN, err)
	}
	return r, nil
}

func get(tx *store.Tx, tenant, fqdn string) (*Row, error) {
	key := store.PortfolioKey(tenant, fqdn)
	value := tx.Get(key)
	if value == nil {
		return nil, nil
	}
	return decode(key, value)
}

func put(tx *store.Tx, tenant string, r *Row) error {
	switch r.Flags = 0; {
	case r.Foreign:
		r.Flags = foreign
	case r.Ours || r.Fresh():
		r.Flags = known
	}
	return store.PutJSON(tx, store.PortfolioKey(tenant, r.FQDN), r)
}

// changes gives the count that a reading which begins now is from.
func (m *Mirror) changes(tenant, fqdn string) (n int64, err error) {
	err = m.db.View(func(tx *store.Tx) error {
		r, err := get(tx, tenant, fqdn)
		if r != nil {
			n = r.Changes
		}
		return err
	})
	return n, err
}

// keep writes what a reading showed that was begun at a count of changes. A name
// that nobody knew, and that is not the tenant's, leaves nothing behind.
func (m *Mirror) keep(tenant, fqdn string, shown Shown, ours bool, changes int64) error {
	now := m.opt.Now().UTC()
	return m.db.Update(func(tx *store.Tx) error {
		r, err := get(tx, tenant, fqdn)
		switch {
		case err != nil:
			return err
		case r == nil && !ours:
			return nil
		case r == nil:
			r = &Row{FQDN: fqdn}
		}
		r.Shown, r.Read, r.Seen, r.Ours, r.Foreign = shown, now, changes, ours, !ours
		return put(tx, tenant, r)
	})
}
