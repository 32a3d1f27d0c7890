package ops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"v3gate/internal/v5"
)

// ErrStep: the operation is in a step that does not allow what is asked.
var ErrStep = errors.New("operation is in a step that does not allow it")

// reserve keeps turns off an operation while fn changes it from outside; ErrStep
// when one is in flight.
func (e *Engine) reserve(id int64, fn func() (Operation, error)) (Operation, error) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return Operation{}, ErrClosed
	}
	if e.turns[id] != nil {
		e.mu.Unlock()
		return Operation{}, ErrStep
	}
	t := &turn{done: make(chan struct{})}
	e.turns[id] = t
	e.work.Add(1)
	e.mu.Unlock()
	defer e.work.Done()
	defer func() { e.end(id, t) }()
	t.op, t.err = fn()
	return t.op, t.err
}

// Cancel ends an operation of which nothing was sent; ErrStep when it is too
// late. v5 has no way to call work back.
func (e *Engine) Cancel(tenant string, id int64) error {
	if _, err := e.Get(tenant, id); err != nil {
		return err
	}
	_, err := e.reserve(id, func() (Operation, error) {
		op, err := e.Get(tenant, id)
		if err != nil {
			return op, err
		}
		if op.State != Intended || op.Step.AtEnd() || !e.knownUnsent(id) {
			return op, ErrStep
		}
		return e.revise(op, func(op *Operation) { op.Step = Cancel })
	})
	return err
}

func (e *Engine) knownUnsent(id int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.unsent[id]
}

// Relaunch sets an operation that ended in ERROR going again, as v3's
// operation.relaunch did. in says what it is to send now; its baseline is read
// afresh. The new try is subject to the same rules as the first.
func (e *Engine) Relaunch(ctx context.Context, id int64, in Intent, step Step) (Operation, error) {
	kind, ok := e.kinds[in.Kind]
	if !ok {
		return Operation{}, fmt.Errorf("relaunch: no kind %q", in.Kind)
	}
	leave, err := e.enter(ctx, in.FQDN)
	if err != nil {
		return Operation{}, err
	}
	defer leave()
	session, err := e.opt.Session(in.Tenant)
	if err != nil {
		return Operation{}, err
	}
	baseline, err := kind.Baseline(ctx, session, &in)
	if err != nil {
		return Operation{}, err
	}
	op, err := e.reserve(id, func() (Operation, error) {
		op, err := e.Get(in.Tenant, id)
		if err != nil {
			return op, err
		}
		if op.Step != Error && (op.Step != Support || op.State != Accepted) {
			return op, ErrStep
		}
		return e.revise(op, func(op *Operation) {
			op.Kind, op.Step, op.State = in.Kind, step, Intended
			op.Params, op.Request, op.Fingerprint, op.Baseline = in.Params, in.Request, in.Fingerprint, baseline
			op.LastError, op.ErrorType, op.Refusal = "", "", ""
			op.Sends, op.UnknownSince = 0, time.Time{}
		})
	})
	if err != nil {
		return op, err
	}
	e.markUnsent(id)
	return e.await(ctx, op)
}

// Reconsider takes an operation with an unknown outcome out of SUPPORT: it is
// looked for anew, and sent once more where two looks prove that the first send
// did not happen. ErrStep where the table of kinds never allows a second send
// and v5 still does not show it.
func (e *Engine) Reconsider(ctx context.Context, tenant string, id int64) (Operation, error) {
	op, err := e.Get(tenant, id)
	if err != nil {
		return op, err
	}
	if op.Step != Support || op.State != Unknown {
		return op, ErrStep
	}
	if !e.kinds[op.Kind].MayResend {
		if t := e.turn(id); t != nil {
			select {
			case <-t.done:
			case <-ctx.Done():
			}
		}
		if op, err = e.Get(tenant, id); err == nil && op.Step == Support {
			err = ErrStep
		}
		return op, err
	}
	op, err = e.reserve(id, func() (Operation, error) {
		op, err := e.Get(tenant, id)
		if err != nil {
			return op, err
		}
		if op.Step != Support || op.State != Unknown {
			return op, ErrStep
		}
		now := e.opt.Now().UTC()
		e.mu.Lock()
		delete(e.absent, id)
		e.mu.Unlock()
		return e.revise(op, func(op *Operation) {
			op.Step, op.LastError, op.ErrorType, op.Refusal = Wait, "", "", ""
			op.Sends, op.UnknownSince = min(op.Sends, 1), now
		})
	})
	if err != nil {
		return op, err
	}
	return e.await(ctx, op)
}

// Resolve is an operator's word on an operation in SUPPORT: it happened and is
// DONE, or it did not and is in ERROR. Either way its name is free again.
func (e *Engine) Resolve(id int64, happened bool) (Operation, error) {
	return e.reserve(id, func() (Operation, error) {
		op, err := e.get(id)
		if err != nil {
			return op, err
		}
		if op.Step != Support {
			return op, ErrStep
		}
		return e.revise(op, func(op *Operation) {
			if happened {
				op.Step, op.State, op.LastError, op.ErrorType = Done, Accepted, "", ""
				return
			}
			op.Step, op.State, op.LastError = Error, Refused, "an operator found that it did not happen"
		})
	})
}

// TakenError says that v5 took a Dry-Run for the real call. The operation follows
// it.
type TakenError struct{ ID int64 }

func (e *TakenError) Error() string { return "v5 took a dry run for the real call" }

// Check asks v5's Dry-Run about an intent that is not to be carried out; nil for
// yes, and for kinds that have none. Should v5 take it for the real call, that
// is journalled and followed like any other, and the error says so.
func (e *Engine) Check(ctx context.Context, in Intent) error {
	kind := e.kinds[in.Kind]
	if kind.DryRun == nil || in.Nothing {
		return nil
	}
	session, err := e.opt.Session(in.Tenant)
	if err != nil {
		return err
	}
	baseline, err := kind.Baseline(ctx, session, &in)
	if errors.Is(err, errNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	err = kind.DryRun(ctx, session, &Operation{FQDN: in.FQDN, Request: in.Request})
	if !errors.Is(err, v5.ErrDryRunIgnored) {
		return err
	}
	op, _, err := e.intend(in, baseline)
	if err == nil {
		op, err = e.ignored(op)
	}
	if err != nil {
		return fmt.Errorf("journal a Dry-Run that was taken for the real call on %s: %w", in.FQDN, err)
	}
	return &TakenError{op.ID}
}
