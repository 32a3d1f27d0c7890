package ops

import (
	"errors"
	"fmt"

	"v3gate/internal/store"
)

// SpentError says that a call that may be made once was made, and that its
// operation cannot be given back: it is another tenant's, or pruned.
type SpentError struct{ FQDN, Once string }

func (e *SpentError) Error() string { return fmt.Sprintf("%s was done once for %s", e.Once, e.FQDN) }

// Spent tells whether the tenant's call that may be made once was made. A
// *SpentError says so too, where the operation cannot be given back.
func (e *Engine) Spent(tenant, fqdn, once string) (spent bool, err error) {
	err = e.db.View(func(tx *store.Tx) error {
		op, err := doneOnce(tx, Intent{Tenant: tenant, FQDN: fqdn, Once: once})
		spent = op != nil
		return err
	})
	return spent, err
}

// doneOnce finds the operation that made a call that may be made once; nil when
// it was not made.
func doneOnce(tx *store.Tx, in Intent) (*Operation, error) {
	if in.Once == "" {
		return nil, nil
	}
	id := store.GetID(tx, store.OpOnceKey(in.FQDN, in.Once))
	if id == 0 {
		return nil, nil
	}
	op, err := load(tx, id)
	switch {
	case errors.Is(err, ErrUnknown): // long finished and pruned
		return nil, &SpentError{in.FQDN, in.Once}
	case err != nil:
		return nil, err
	case op.Tenant != in.Tenant:
		return nil, &SpentError{in.FQDN, in.Once}
	}
	return op, nil
}

// made finds the operation that a paid intent would only repeat: one that did
// what may be done once, or the same call that still is open. A *BusyError says
// that something else holds the name.
func made(tx *store.Tx, in Intent) (*Operation, error) {
	if op, err := doneOnce(tx, in); op != nil || err != nil {
		return op, err
	}
	return held(tx, in)
}

// Running tells whether a purchase of the tenant's, of a type, holds a name: the
// same call is then answered with it, whatever v5 shows meanwhile.
func (e *Engine) Running(tenant, typ, fqdn string) (running bool, err error) {
	err = e.db.View(func(tx *store.Tx) error {
		running = false
		id := store.GetID(tx, store.OpGuardKey(fqdn))
		if id == 0 {
			return nil
		}
		op, err := load(tx, id)
		running = err == nil && op.Open() && op.Tenant == tenant && op.Type == typ
		return err
	})
	return running, err
}
