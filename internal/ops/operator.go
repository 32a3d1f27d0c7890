package ops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// ErrStep: the operation is in a step that does not allow what is asked.
var ErrStep = errors.New("operation is in a step that does not allow it")

// reserve keeps turns off an operation while fn changes it from outside. When
// one is in flight it waits for its end until ctx ends; with a nil ctx it is
// ErrStep. An error of fn leaves the operation to the background as it was.
func (e *Engine) reserve(ctx context.Context, id int64, fn func() (Operation, error)) (Operation, error) {
	e.mu.Lock()
	for e.turns[id] != nil && !e.closed {
		running := e.turns[id]
		e.mu.Unlock()
		if ctx == nil {
			return Operation{}, ErrStep
		}
		select {
		case <-running.done:
		case <-ctx.Done():
			return Operation{}, ctx.Err()
		}
		e.mu.Lock()
	}
	if e.closed {
		e.mu.Unlock()
		return Operation{}, ErrClosed
	}
	t := &turn{done: make(chan struct{})}
	e.turns[id] = t
	due, isDue := e.due[id]
	delete(e.due, id)
	e.work.Add(1)
	e.mu.Unlock()
	defer e.work.Done()
	if t.op, t.err = fn(); t.err == nil {
		e.end(id, t)
		return t.op, nil
	}
	e.mu.Lock()
	delete(e.turns, id)
	if isDue {
		e.due[id] = due
	}
	e.mu.Unlock()
	close(t.done)
	e.poke()
	return t.op, t.err
}

// Cancel ends an operation of which nothing was sent, neither now nor in a life
// before a relaunch; ErrStep when it is too late. v5 has no way to call work back.
func (e *Engine) Cancel(tenant string, id int64) error {
	if _, err := e.Get(tenant, id); err != nil {
		return err
	}
	_, err := e.reserve(nil, id, func() (Operation, error) {
		op, err := e.Get(tenant, id)
		if err != nil {
			return op, err
		}
		if op.State != Intended || op.Step.AtEnd() || !op.Started.IsZero() || !e.knownUnsent(id) {
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
// afresh. The new try is subject to the same rules as the first: a *BusyError
// when something else holds the name by now.
func (e *Engine) Relaunch(ctx context.Context, id int64, in Intent, step Step) (Operation, error) {
	op, err := e.reopen(ctx, id, in, step)
	if err != nil || op.Step.AtEnd() {
		return op, err
	}
	e.opt.At("intended")
	return e.await(ctx, op)
}

// reopen writes the second intent of an operation.
func (e *Engine) reopen(ctx context.Context, id int64, in Intent, step Step) (Operation, error) {
	kind, ok := e.kinds[in.Kind]
	if !ok {
		return Operation{}, fmt.Errorf("relaunch: no kind %q", in.Kind)
	}
	leave, err := e.enter(ctx, in.FQDN)
	if err != nil {
		return Operation{}, err
	}
	defer leave()
	if op, err := e.relaunchable(in, id); err != nil {
		return op, err
	}
	session, err := e.opt.Session(in.Tenant)
	if err != nil {
		return Operation{}, err
	}
	baseline, err := kind.baseline(ctx, session, &in)
	if errors.Is(err, errNothing) {
		in.Nothing, err = true, nil
	}
	if err != nil {
		return Operation{}, err
	}
	return e.reserve(ctx, id, func() (Operation, error) {
		op, err := e.relaunchable(in, id)
		if err != nil {
			return op, err
		}
		if err := e.restock(op, in); err != nil {
			return op, err
		}
		now := e.opt.Now().UTC()
		op, err = e.revise(op, func(op *Operation) {
			op.Kind, op.Step, op.State = in.Kind, step, Intended
			op.Params, op.Request, op.Fingerprint, op.Baseline = in.Params, in.Request, in.Fingerprint, baseline
			if in.Basis != nil { // else v5 goes on with the first request
				op.Basis = in.Basis
			}
			op.LastError, op.ErrorType, op.Refusal = "", "", ""
			op.Sends, op.UnknownSince, op.Rehearsed = 0, time.Time{}, false
			op.Relaunched = now
			if in.Nothing {
				op.Step, op.State, op.Started = Done, Accepted, now
			}
		})
		if err == nil && !op.Step.AtEnd() {
			e.markUnsent(id)
		}
		return op, err
	})
}

// relaunchable gives an operation that can be relaunched: in ERROR, and with a
// name that nothing else holds. Who relaunches has entered the name, so that
// stays true.
func (e *Engine) relaunchable(in Intent, id int64) (op Operation, err error) {
	if op, err = e.Get(in.Tenant, id); err != nil {
		return op, err
	}
	if op.Step != Error || op.FQDN != in.FQDN {
		return op, ErrStep
	}
	err = e.db.View(func(tx *store.Tx) error {
		other, err := held(tx, in)
		if other != nil { // the same call again is another operation all the same
			err = &BusyError{FQDN: in.FQDN, ID: other.ID, Type: other.Type}
		}
		return err
	})
	return op, err
}

// Reconsider takes an operation with an unknown outcome out of SUPPORT: it is
// looked for anew, and sent once more where two looks prove that the first send
// did not happen. ErrStep where the table of kinds never allows a second send,
// or what it would need is forgotten, and v5 still does not show it.
func (e *Engine) Reconsider(ctx context.Context, tenant string, id int64) (Operation, error) {
	op, err := e.undecided(tenant, id)
	if err != nil {
		return op, err
	}
	kind := e.kinds[op.Kind]
	forgotten := kind.Forget != nil && !op.Started.IsZero() // with v5's 202 went the secret
	if !kind.MayResend || forgotten {
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
	op, err = e.reserve(ctx, id, func() (Operation, error) {
		op, err := e.undecided(tenant, id)
		if err != nil {
			return op, err
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

// undecided gives an operation that is in SUPPORT because nobody knows its
// outcome; ErrStep for others.
func (e *Engine) undecided(tenant string, id int64) (Operation, error) {
	op, err := e.Get(tenant, id)
	if err == nil && (op.Step != Support || op.State != Unknown) {
		err = ErrStep
	}
	return op, err
}

// Resolve is an operator's word on an operation in SUPPORT: it happened and is
// DONE, or it did not and is in ERROR. Either way its name is free again; what
// may be done once is free only when it did not happen.
func (e *Engine) Resolve(id int64, happened bool) (Operation, error) {
	op, err := e.reserve(e.ctx, id, func() (Operation, error) {
		op, err := e.get(id)
		if err != nil {
			return op, err
		}
		if op.Step != Support {
			return op, ErrStep
		}
		return e.revise(op, func(op *Operation) {
			op.LastError, op.ErrorType = "", ""
			if happened {
				op.Step, op.State, op.Work.Resolved = Done, Accepted, op.Work.Begun
				return
			}
			op.Step, op.State, op.LastError = Error, Refused, "an operator found that it did not happen"
		})
	})
	if err == nil {
		e.opt.Log.Warn("an operator resolved an operation", zap.Int64("operation", id),
			zap.String("type", op.Type), zap.String("fqdn", op.FQDN), zap.Bool("happened", happened))
	}
	return op, err
}

// TakenError says that v5 took a Dry-Run for the real call. The operation follows
// it.
type TakenError struct{ ID int64 }

func (e *TakenError) Error() string { return "v5 took a dry run for the real call" }

// Check asks v5's Dry-Run about an intent that is not to be carried out; nil for
// yes, for kinds that have none, and for a call that would be answered with what
// was done before. Should v5 take it for the real call, that is journalled and
// followed like any other, and the error says so.
func (e *Engine) Check(ctx context.Context, in Intent) error {
	kind := e.kinds[in.Kind]
	if in.Nothing || !kind.Paid {
		return nil
	}
	leave, err := e.enter(ctx, in.FQDN)
	if err != nil {
		return err
	}
	asked := make(chan error, 1)
	if ask, err := e.question(ctx, kind, in); err != nil || ask == nil {
		leave()
		return err
	} else if !e.detach(func() { defer leave(); asked <- safely(ask) }) {
		leave()
		return ErrClosed
	}
	select {
	case err := <-asked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// detach runs work that outlives its caller, unless the engine is closed.
func (e *Engine) detach(work func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.work.Go(work)
	}
	return !e.closed
}

// question makes what asks the Dry-Run; nil when there is nothing to ask. The
// name is entered, so that no purchase comes in between.
func (e *Engine) question(ctx context.Context, kind Kind, in Intent) (ask func() error, err error) {
	if same, err := e.running(in); same != nil || err != nil {
		return nil, err
	}
	if kind.DryRun == nil || e.opt.SkipDryRun {
		return nil, nil
	}
	session, err := e.opt.Session(in.Tenant)
	if err != nil {
		return nil, err
	}
	baseline, err := kind.Baseline(ctx, session, &in)
	if errors.Is(err, errNothing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return func() error {
		err := kind.DryRun(e.ctx, session, &Operation{FQDN: in.FQDN, Request: in.Request})
		if !errors.Is(err, v5.ErrDryRunIgnored) {
			return err
		}
		in.taken = true
		op, _, err := e.intend(in, baseline)
		if err != nil {
			op = Operation{Type: in.Type, FQDN: in.FQDN} // there is none
		}
		e.ignored(&op)
		if err != nil {
			return fmt.Errorf("journal a Dry-Run that was taken for the real call on %s: %w", in.FQDN, err)
		}
		return &TakenError{op.ID}
	}, nil
}
