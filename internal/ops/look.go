package ops

import (
	"cmp"
	"context"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/v5"
)

// lookFor bounds one look. v5 may hang on one name; that must not keep the
// background from all others.
const lookFor = 30 * time.Second

// dryRunShows is how many times GiveUp a Dry-Run that was taken for the real call
// may take to show, where reading cannot tell work that is under way from none.
const dryRunShows = 24

// Sighting is what reading v5 tells about an operation's call.
type Sighting struct {
	// Happened: the call is proven to have happened. Step is then where it
	// stands: BILL, WAIT, RUN, DONE, ERROR or SUPPORT.
	Happened bool
	Step     Step
	// Error is v5's text, and ErrorType its identifier, with ERROR and SUPPORT.
	Error, ErrorType string
	// Overshoot: more was done than was asked for, by whomever.
	Overshoot bool
	// Absent: as of this reading the call is proven not to have happened.
	Absent bool
	// With neither, the reading proves nothing; Note says why, for operators.
	Note string
}

// look reads v5 once and moves the operation by what it shows. A reading that
// fails or proves nothing moves nothing, until time is up.
func (e *Engine) look(ctx context.Context, kind Kind, s *v5.Session, op Operation) (Operation, error) {
	var seen Sighting
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	err := safely(func() (err error) {
		seen, err = kind.Look(ctx, s, &op)
		return err
	})
	absentFor := e.saw(op.ID, err == nil, seen.Absent)
	switch {
	case err != nil:
		e.opt.Log.Warn("v5 cannot be read for an operation", zap.Int64("operation", op.ID), zap.Error(err))
		return e.unread(op, "v5 cannot be read")
	case seen.Happened:
		return e.happened(op, seen)
	case !seen.Absent:
		return e.unproven(op, seen.Note)
	case op.State == Unknown:
		return e.absence(kind, s, op, absentFor)
	}
	return e.unproven(op, "v5 took the call but does not show it")
}

// saw notes a look, and tells for how long all that could be read has proven
// absence. That is kept by the process and not in the journal: its clock then
// is one that nobody sets, and the next process has to prove it anew.
func (e *Engine) saw(id int64, read, absent bool) (absentFor time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.opt.Now()
	e.looked[id] = now
	if !read {
		return 0
	}
	first, ok := e.absent[id]
	switch {
	case !absent:
		delete(e.absent, id)
	case !ok || now.Before(first):
		e.absent[id] = now
	default:
		absentFor = now.Sub(first)
	}
	return absentFor
}

func (e *Engine) happened(op Operation, seen Sighting) (Operation, error) {
	now, forget, was := e.opt.Now().UTC(), e.kinds[op.Kind].Forget, op.Step
	op, err := e.change(op, func(op *Operation) {
		op.State, op.UnknownSince, op.Refusal = Accepted, time.Time{}, ""
		if forget != nil {
			op.Request = forget(op.Request)
		}
		if op.Sends = max(op.Sends, 1); op.Started.IsZero() { // a Dry-Run may have been the send
			op.Started = now
		}
		switch seen.Step {
		case Error, Support:
			op.Step, op.LastError, op.ErrorType = seen.Step, seen.Error, seen.ErrorType
		default:
			op.LastError, op.ErrorType = "", ""
			op.advance(seen.Step)
		}
	})
	if err == nil && seen.Overshoot && was != Done && op.Step == Done {
		e.opt.Overshoot(&op)
	}
	return op, err
}

// absence is the only way to a second send: two looks, far enough apart, that
// both prove that the first one did not happen, and never more than once. In
// SUPPORT people have been told, so nothing is sent behind their backs.
func (e *Engine) absence(kind Kind, s *v5.Session, op Operation, lasted time.Duration) (Operation, error) {
	if lasted < e.opt.LookGap {
		return op, nil
	}
	e.mu.Lock()
	delete(e.absent, op.ID)
	e.mu.Unlock()
	enough := op.Step == Support || op.Refusal != "" || e.opt.Now().Sub(op.UnknownSince) >= e.opt.GiveUp
	switch {
	case op.Sends == 0 && enough && (kind.MayResend || e.opt.Now().Sub(op.UnknownSince) >= dryRunShows*e.opt.GiveUp):
		// Only Dry-Runs went out, and they were not taken for the real call.
		return e.toError(op, cmp.Or(op.Refusal, "v5 does not take the call"))
	case op.Sends == 0 && enough:
		return e.toSupport(op, "v5's answer to the Dry-Run got lost; nobody knows whether it took that for the real call")
	case op.Sends <= 1 && !kind.MayResend && !enough:
		return op, nil // not even a Dry-Run is sent again: what there was may still show
	case op.Sends > 1 || op.Sends == 1 && enough:
		text := "the call was sent and v5 does not show it; nobody knows whether it happened"
		if op.Refusal != "" {
			text += ". To a second one v5 said: " + op.Refusal
		}
		return e.toSupport(op, text)
	}
	return e.send(kind, s, op)
}

// unread leaves the operation as it is while there is hope. That v5 cannot be
// read says nothing about a call that it took.
func (e *Engine) unread(op Operation, note string) (Operation, error) {
	if op.State == Unknown && e.opt.Now().Sub(op.UnknownSince) >= e.opt.GiveUp {
		return e.toSupport(op, "outcome unknown: "+note)
	}
	return op, nil
}

// unproven is unread for a reading that went well and shows neither that the
// call happened nor that it did not.
func (e *Engine) unproven(op Operation, note string) (Operation, error) {
	now, hope, prefix := e.opt.Now().UTC(), e.opt.GiveUp, "outcome unknown: "
	if op.State == Accepted && !e.kinds[op.Kind].Paid {
		hope, prefix = e.opt.SettleFor, "v5 took the change but does not show it: "
	}
	if !op.UnknownSince.IsZero() && now.Sub(op.UnknownSince) >= hope {
		return e.toSupport(op, prefix+note)
	}
	return e.change(op, func(op *Operation) {
		if op.UnknownSince.IsZero() {
			op.UnknownSince = now
		}
	})
}

// toSupport hands an operation over to people. A paid one keeps its name.
func (e *Engine) toSupport(op Operation, text string) (Operation, error) {
	if op.Step == Support {
		return op, nil
	}
	paid := e.kinds[op.Kind].Paid
	op, err := e.change(op, func(op *Operation) {
		op.Step, op.LastError = Support, text
		if paid {
			op.State = Unknown
		}
	})
	if err == nil {
		e.told(&op)
	}
	return op, err
}

// told tells those who watch that an operation has come to SUPPORT.
func (e *Engine) told(op *Operation) {
	e.opt.Undecided(op)
	e.opt.Log.Error("operation needs an operator", zap.Int64("operation", op.ID),
		zap.String("type", op.Type), zap.String("fqdn", op.FQDN), zap.String("reason", op.LastError))
}
