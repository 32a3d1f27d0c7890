package ops

import (
	"time"

	"go.uber.org/zap"

	"v3gate/internal/v5"
)

// Sighting is what reading v5 tells about an operation's call.
type Sighting struct {
	// Happened: the call is proven to have happened. Step is then where it
	// stands: BILL, WAIT, RUN, DONE, ERROR or SUPPORT.
	Happened bool
	Step     Step
	// Error is v5's text, with ERROR and SUPPORT.
	Error string
	// Absent: as of this reading the call is proven not to have happened.
	Absent bool
	// With neither, the reading proves nothing; Note says why, for operators.
	Note string
}

// look reads v5 once and moves the operation by what it shows. A reading that
// fails or proves nothing moves nothing, until time is up.
func (e *Engine) look(kind Kind, s *v5.Session, op Operation) (Operation, error) {
	seen, err := kind.Look(e.ctx, s, &op)
	now := e.opt.Now().UTC()
	e.mu.Lock()
	e.looked[op.ID] = now
	e.mu.Unlock()
	switch {
	case err != nil:
		e.opt.Log.Warn("v5 cannot be read for an operation", zap.Int64("operation", op.ID), zap.Error(err))
		return e.undecided(op, now, "v5 cannot be read")
	case seen.Happened:
		return e.happened(op, now, seen)
	case !seen.Absent:
		return e.undecided(op, now, seen.Note)
	}
	switch op.State {
	case Intended: // resumed; nothing was sent, and v5 agrees
		return e.send(kind, s, op)
	case Unknown:
		return e.absent(kind, s, op, now)
	}
	return e.undecided(op, now, "v5 took the call but does not show it")
}

func (e *Engine) happened(op Operation, now time.Time, seen Sighting) (Operation, error) {
	return e.change(op.ID, func(op *Operation) {
		op.State, op.AbsentAt, op.UnknownSince = Accepted, time.Time{}, time.Time{}
		if op.Started.IsZero() {
			op.Started = now
		}
		switch seen.Step {
		case Error, Support:
			op.Step, op.LastError = seen.Step, seen.Error
		default:
			op.LastError = ""
			op.advance(seen.Step)
		}
	})
}

// absent is the only way to a second send: two looks, far enough apart, that
// both prove that the first one did not happen, and never more than once.
func (e *Engine) absent(kind Kind, s *v5.Session, op Operation, now time.Time) (Operation, error) {
	switch {
	case op.AbsentAt.IsZero():
		return e.change(op.ID, func(op *Operation) { op.AbsentAt = now })
	case now.Sub(op.AbsentAt) < e.opt.LookGap:
		return op, nil
	case !kind.MayResend || op.Sends > 1:
		return e.toSupport(op, "the call was sent and v5 does not show it; nobody knows whether it happened")
	}
	op, err := e.change(op.ID, func(op *Operation) { op.State, op.AbsentAt = Intended, time.Time{} })
	if err != nil {
		return op, err
	}
	return e.send(kind, s, op)
}

// undecided leaves the operation as it is while there is hope.
func (e *Engine) undecided(op Operation, now time.Time, note string) (Operation, error) {
	switch {
	case op.Step == Support:
		return op, nil
	case op.State == Unknown && now.Sub(op.UnknownSince) >= e.opt.GiveUp:
		return e.toSupport(op, "outcome unknown: "+note)
	case op.State == Accepted && !e.kinds[op.Kind].Paid && now.Sub(op.Started) >= e.opt.SettleFor:
		return e.toSupport(op, "v5 took the change but does not show it: "+note)
	}
	return op, nil
}

func (e *Engine) toSupport(op Operation, text string) (Operation, error) {
	op, err := e.change(op.ID, func(op *Operation) { op.Step, op.LastError = Support, text })
	if err == nil {
		e.opt.Undecided(&op)
		e.opt.Log.Error("operation needs an operator", zap.Int64("operation", op.ID),
			zap.String("type", op.Type), zap.String("fqdn", op.FQDN), zap.String("reason", text))
	}
	return op, err
}
