package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"v3gate/internal/store"
)

// ErrClosed is given to a Submit after Close: nothing was written.
var ErrClosed = fmt.Errorf("submit operation: the gateway is stopping: %w", context.Canceled)

// Submit journals an intent, sends it and waits a few seconds for v5's word.
// It gives:
//   - the operation, in BILL or WAIT or further on, when v5 took the call, when
//     it is still under way, or when the same call is open already;
//   - the operation in ERROR and v5's error when v5 definitely refused it;
//   - a *BusyError when another operation holds the name;
//   - a *v5.Error when v5 could not be read before anything was written.
//
// Once the intent is written the work goes on whether the caller waits or not.
func (e *Engine) Submit(ctx context.Context, in Intent) (Operation, error) {
	if e.isClosed() {
		return Operation{}, ErrClosed
	}
	kind, ok := e.kinds[in.Kind]
	if !ok {
		return Operation{}, fmt.Errorf("submit: no kind %q", in.Kind)
	}
	op, fresh, err := e.journal(ctx, kind, in)
	if err != nil || !fresh || op.Step.AtEnd() {
		return op, err
	}
	e.opt.At("intended")
	return e.await(ctx, op)
}

// journal reads the baseline and commits the intent with it.
func (e *Engine) journal(ctx context.Context, kind Kind, in Intent) (op Operation, fresh bool, err error) {
	if in.Nothing {
		return e.intend(in, nil)
	}
	if kind.guards() {
		leave, err := e.enter(ctx, in.FQDN)
		if err != nil {
			return op, false, err
		}
		defer leave()
		if running, err := e.running(in); err != nil {
			return op, false, err
		} else if running != nil {
			if !running.Step.AtEnd() {
				e.schedule(running.ID, 0)
			}
			return *running, false, nil
		}
	}
	session, err := e.opt.Session(in.Tenant)
	if err != nil {
		return op, false, err
	}
	baseline, err := kind.baseline(ctx, session, &in)
	if errors.Is(err, errNothing) {
		in.Nothing, baseline = true, json.RawMessage(nil)
	} else if err != nil {
		return op, false, err
	}
	return e.intend(in, baseline)
}

// enter lets one caller at a time go from "nobody holds the name" to its own
// intent. Otherwise an operation could begin and end while another caller reads
// its baseline, and the same call would be bought twice: the guard only knows
// operations that are open.
func (e *Engine) enter(ctx context.Context, fqdn string) (leave func(), err error) {
	for {
		e.mu.Lock()
		ahead := e.entering[fqdn]
		if ahead == nil {
			mine := make(chan struct{})
			e.entering[fqdn] = mine
			e.mu.Unlock()
			return func() {
				e.mu.Lock()
				delete(e.entering, fqdn)
				e.mu.Unlock()
				close(mine)
			}, nil
		}
		e.mu.Unlock()
		select {
		case <-ahead:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// running spares the baseline's reads when the name is held anyway. The guard
// that counts is the one taken inside intend's commit.
func (e *Engine) running(in Intent) (op *Operation, err error) {
	err = e.db.View(func(tx *store.Tx) error {
		op, err = made(tx, in)
		return err
	})
	return op, err
}

// await runs the first turn detached from the caller and waits for it, for the
// caller or for the set time, whichever ends first. An error that leaves the
// operation open is ours to log and no answer: the work goes on.
func (e *Engine) await(ctx context.Context, op Operation) (Operation, error) {
	first := e.turn(op.ID)
	if first == nil {
		return op, nil // closed meanwhile: the next process goes on
	}
	timer := time.NewTimer(e.opt.Wait)
	defer timer.Stop()
	select {
	case <-first.done:
		// What the store has may be of a later turn, which may already run.
		if first.op.Step.AtEnd() || first.err == nil && first.op.ID == op.ID {
			return first.op, first.err
		}
	case <-timer.C:
	case <-ctx.Done():
	}
	return e.Get(op.Tenant, op.ID)
}

// Refresh gives the operation after a look at v5, unless it is at its end, was
// not sent yet, or was looked at within the last second. Callers that ask at
// once share a look. When ctx ends first the stored state is given.
func (e *Engine) Refresh(ctx context.Context, tenant string, id int64) (Operation, error) {
	op, err := e.Get(tenant, id)
	if err != nil || op.Step.AtEnd() {
		return op, err
	}
	look := e.glance(&op)
	if look == nil {
		return op, nil
	}
	select {
	case <-look.done:
	case <-ctx.Done():
	}
	return e.Get(tenant, id)
}
