package ops

import (
	"errors"
	"fmt"

	"v3gate/internal/store"
)

// SpentError says that a call that may be made once was made, and that its
// operation cannot be given back.
type SpentError struct {
	FQDN string
	Once string
	ID   int64 // 0 when it was another tenant's
}

func (e *SpentError) Error() string { return fmt.Sprintf("%s was done once for %s", e.Once, e.FQDN) }

// Spent tells whether the tenant's call that may be made once was made.
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
	case errors.Is(err, ErrUnknown):
		return nil, &SpentError{in.FQDN, in.Once, id} // long finished and pruned
	case err != nil:
		return nil, err
	case op.Tenant != in.Tenant:
		return nil, &SpentError{in.FQDN, in.Once, 0}
	}
	return op, nil
}
