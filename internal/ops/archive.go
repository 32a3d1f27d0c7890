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
		gone, err := e.drop(batch)
		if err != nil {
			return n, fmt.Errorf("prune operations: %w", err)
		}
		for _, op := range gone {
			e.uncount(op)
		}
		n += len(gone)
	}
}

// drop deletes operations that still are as they were archived, and gives those.
// One that was relaunched meanwhile is at work again.
func (e *Engine) drop(batch []Operation) ([]*Operation, error) {
	for i := range batch {
		if err := e.dropItems(&batch[i]); err != nil {
			return nil, err
		}
	}
	return store.Committed(e.db, func(tx *store.Tx) ([]*Operation, error) {
		var gone []*Operation
		for i := range batch {
			op, err := load(tx, batch[i].ID)
			switch {
			case errors.Is(err, ErrUnknown):
				continue
			case err != nil:
				return nil, err
			case !op.Step.AtEnd() || !op.Updated.Equal(batch[i].Updated):
				continue
			}
			if err := errors.Join(tx.Delete(store.OpKey(op.ID)), tx.Delete(store.OpTenantKey(op.Tenant, op.ID))); err != nil {
				return nil, err
			}
			gone = append(gone, op)
		}
		return gone, nil
	})
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
