package ops

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"v3gate/internal/store"
)

// Everywhere calls fn for the operations of all tenants, the newest first, for
// operators.
func (e *Engine) Everywhere(fn func(Operation) error) error {
	return e.db.View(func(tx *store.Tx) error {
		return tx.ScanBack(store.OpsPrefix(), func(_, value []byte) error {
			var op Operation
			if err := json.Unmarshal(value, &op); err != nil {
				return err
			}
			return fn(op)
		})
	})
}

// pruneBatch bounds what one commit of Prune deletes.
const pruneBatch = 500

// Prune takes operations that ended before a time out of the store, after it has
// written each to archive as a line of JSON. What was done once stays done: that
// is never pruned. synced is called before anything is deleted.
func (e *Engine) Prune(before time.Time, archive io.Writer, synced func() error) (n int, err error) {
	for {
		batch, err := e.ended(before, pruneBatch)
		if err != nil || len(batch) == 0 {
			return n, err
		}
		enc := json.NewEncoder(archive)
		for i := range batch {
			if err := enc.Encode(&batch[i]); err != nil {
				return n, fmt.Errorf("archive operation %d: %w", batch[i].ID, err)
			}
		}
		if err := synced(); err != nil {
			return n, fmt.Errorf("archive operations: %w", err)
		}
		err = e.db.Update(func(tx *store.Tx) error {
			var errs []error
			for i := range batch {
				errs = append(errs, tx.Delete(store.OpKey(batch[i].ID)), tx.Delete(store.OpTenantKey(batch[i].Tenant, batch[i].ID)))
			}
			return errors.Join(errs...)
		})
		if err != nil {
			return n, fmt.Errorf("prune operations: %w", err)
		}
		for i := range batch {
			e.uncount(&batch[i])
		}
		n += len(batch)
	}
}

// ended lists operations that ended before a time, the oldest first. Ids grow
// with time, so the scan stops where operations are too young to have ended.
func (e *Engine) ended(before time.Time, most int) (out []Operation, err error) {
	err = e.db.View(func(tx *store.Tx) error {
		return tx.Scan(store.OpsPrefix(), func(_, value []byte) error {
			var op Operation
			if err := json.Unmarshal(value, &op); err != nil {
				return err
			}
			if !op.Created.Before(before) || len(out) == most {
				return store.Stop
			}
			if op.Step.AtEnd() && op.Updated.Before(before) {
				out = append(out, op)
			}
			return nil
		})
	})
	return out, err
}

func (e *Engine) uncount(op *Operation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts[[2]string{op.Type, string(op.Step)}]--
}
