package ops

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/v5"
)

// send asks v5's Dry-Run where there is one, commits that the request is on its
// way, sends it once, and commits what became of it.
func (e *Engine) send(kind Kind, s *v5.Session, op Operation) (Operation, error) {
	op, err := e.transmit(kind, s, op)
	e.opt.At("outcome")
	return op, err
}

func (e *Engine) transmit(kind Kind, s *v5.Session, op Operation) (Operation, error) {
	if kind.DryRun != nil && !e.opt.SkipDryRun {
		var yes bool
		var err error
		if op, yes, err = e.rehearse(kind, s, op); err != nil || !yes {
			return op, err
		}
	}
	if kind.Ready != nil {
		if err := safely(func() error { return kind.Ready(e.ctx, s, &op) }); err != nil {
			return e.notReady(op, err)
		}
	}
	op, err := e.change(op, func(op *Operation) {
		op.State = Sending
		op.Sends++
	})
	if err != nil || op.State != Sending {
		return op, err // not committed, so not sent
	}
	e.opt.At("sending")
	err = safely(func() error { return kind.Send(e.ctx, s, &op) })
	e.opt.At("sent")
	if err != nil {
		return e.failed(op, err)
	}
	return e.accepted(op, op.Sends)
}

// rehearse asks v5's Dry-Run, and tells whether to go on to the request itself.
func (e *Engine) rehearse(kind Kind, s *v5.Session, op Operation) (_ Operation, yes bool, err error) {
	if !kind.MayResend {
		op, err = e.change(op, func(op *Operation) { op.Rehearsed = true })
		if err != nil || !op.Rehearsed {
			return op, false, err // not committed, so not asked
		}
	}
	err = safely(func() error { return kind.DryRun(e.ctx, s, &op) })
	e.opt.At("dry-run")
	switch {
	case errors.Is(err, v5.ErrDryRunIgnored):
		e.ignored(&op)
		op, err = e.accepted(op, op.Sends+1)
	case err != nil:
		op, err = e.failed(op, err)
	default:
		return op, true, nil
	}
	return op, false, err
}

// ignored tells those who watch that a Dry-Run was the real call.
func (e *Engine) ignored(op *Operation) {
	e.opt.DryRunIgnored(op)
	e.opt.Log.Error("v5 took a Dry-Run for the real call; the real one is not sent",
		zap.Int64("operation", op.ID), zap.String("fqdn", op.FQDN))
}

// notReady ends an operation whose ground has gone, or puts it off while v5
// cannot be read. Nothing of this try was sent; of an earlier one nobody knows,
// and that is for looking to find out.
func (e *Engine) notReady(op Operation, cause error) (Operation, error) {
	gone, isGone := stale(cause)
	switch {
	case !op.UnknownSince.IsZero():
		return e.unknown(op, func(*Operation) {})
	case isGone:
		op, err := e.toError(op, gone.Reason)
		return op, errors.Join(err, cause)
	case e.stillTries(op):
		e.markUnsent(op.ID)
		return e.change(op, func(op *Operation) { op.Rehearsed = false })
	}
	return e.refused(op, cause)
}

// stillTries tells whether a call that could not be sent is to be tried again: for
// a while, and at the next start where the engine is closing.
func (e *Engine) stillTries(op Operation) bool {
	since := op.Created
	if op.Relaunched.After(since) {
		since = op.Relaunched
	}
	return e.opt.Now().Sub(since) < e.opt.UnsentFor || e.ctx.Err() != nil
}

func (e *Engine) accepted(op Operation, sends int) (Operation, error) {
	now, forget := e.opt.Now().UTC(), e.kinds[op.Kind].Forget
	return e.change(op, func(op *Operation) {
		if forget != nil {
			op.Request = forget(op.Request)
		}
		op.State, op.Sends, op.Started, op.LastError = Accepted, sends, now, ""
		op.UnknownSince, op.Refusal = time.Time{}, ""
		if !e.kinds[op.Kind].Paid {
			op.advance(Run)
		}
	})
}

// failed decides what an error of a Dry-Run or a send means. Only three things
// are a definite no; everything else is unknown and is decided by looking. When
// an earlier request of the operation is only believed not to have happened,
// even a no to this one is not the end: it may be that request's effect.
func (e *Engine) failed(op Operation, cause error) (Operation, error) {
	var rejected *v5.DryRunError
	var answer *v5.Error
	no := errors.As(cause, &rejected) || errors.As(cause, &answer) && answer.DefiniteNo()
	unsent := no && rejected == nil && (!answer.MaybeSent || answer.Status == 429)
	inDoubt := !op.UnknownSince.IsZero()
	sends, refusal := op.Sends, ""
	if unsent && op.State == Sending {
		sends--
	}
	switch {
	case unsent && !inDoubt && e.stillTries(op):
		e.markUnsent(op.ID)
		return e.change(op, func(op *Operation) { op.State, op.Sends, op.Rehearsed = Intended, sends, false })
	case no && !inDoubt:
		return e.refused(op, cause)
	case no && !unsent:
		refusal = reason(cause)
	}
	e.opt.Log.Warn("outcome of a v5 call is not known; looking for it",
		zap.Int64("operation", op.ID), zap.String("fqdn", op.FQDN), zap.Error(cause))
	return e.unknown(op, func(op *Operation) { op.Sends, op.Refusal = sends, refusal })
}

// unknown commits that only looking can tell what became of the call, with what
// else mutate says. The time of the first such moment stays, so that no
// sequence of them goes on for ever.
func (e *Engine) unknown(op Operation, mutate func(*Operation)) (Operation, error) {
	now := e.opt.Now().UTC()
	return e.change(op, func(op *Operation) {
		op.State = Unknown
		if op.UnknownSince.IsZero() {
			op.UnknownSince = now
		}
		mutate(op)
	})
}

// refused ends an operation that v5 did not take. The cause is given back too,
// for a caller who is still waiting.
func (e *Engine) refused(op Operation, cause error) (Operation, error) {
	op, err := e.toError(op, reason(cause))
	if err != nil {
		return op, err
	}
	return op, cause
}

func (e *Engine) toError(op Operation, text string) (Operation, error) {
	return e.change(op, func(op *Operation) { op.State, op.Step, op.LastError = Refused, Error, text })
}

// reason is the text of an error for last_error: v5's own words, never ours.
func reason(err error) string {
	var rejected *v5.DryRunError
	var answer *v5.Error
	switch {
	case errors.As(err, &rejected) && len(rejected.Fields) > 0:
		return fieldText(rejected.Fields)
	case errors.As(err, &answer) && len(answer.Fields) > 0:
		return fieldText(answer.Fields)
	case errors.As(err, &answer) && answer.Message != "":
		return answer.Message
	case errors.As(err, &answer) && answer.Status > 0:
		return fmt.Sprintf("v5 answered %d", answer.Status)
	case rejected != nil:
		return "v5 refused the dry run"
	}
	return "v5 could not be reached"
}

func fieldText(fields []v5.FieldError) string {
	text := ""
	for i, f := range fields {
		if i > 0 {
			text += "; "
		}
		text += f.Name + ": " + f.Description
	}
	return text
}
