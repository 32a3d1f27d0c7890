package ops

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/v5"
)

type result struct {
	op  Operation
	err error
}

// turn moves an operation as far as it can go now: sends it if it is intended,
// looks at v5 if it was sent. Turns of one operation never overlap; who asks
// during one shares it. The channel gives one result, or is never written to
// when the engine is closed.
func (e *Engine) turn(id int64) <-chan result {
	out := make(chan result, 1)
	e.mu.Lock()
	closed := e.closed
	if !closed {
		e.work.Add(1)
	}
	e.mu.Unlock()
	if closed {
		return out
	}
	go func() {
		defer e.work.Done()
		shared, _, _ := e.turns.Do(strconv.FormatInt(id, 10), func() (any, error) {
			op, err := e.move(id)
			return result{op, err}, nil
		})
		out <- shared.(result)
	}()
	return out
}

func (e *Engine) move(id int64) (Operation, error) {
	op, kind, session, err := e.prepare(id)
	if err != nil {
		e.opt.Log.Error("operation cannot be moved", zap.Int64("operation", id), zap.Error(err))
		e.later(id, time.Minute)
		return op, err
	}
	if op.Step.AtEnd() {
		return op, nil
	}
	switch {
	case op.State == Intended && !e.takeResumed(id):
		op, err = e.send(kind, session, op)
	case op.State == Sending:
		// Only an earlier process can have left it so.
		op, err = e.change(id, func(op *Operation) { op.State, op.UnknownSince = Unknown, e.opt.Now().UTC() })
		if err == nil {
			op, err = e.look(kind, session, op)
		}
	default:
		op, err = e.look(kind, session, op)
	}
	if !op.Step.AtEnd() {
		e.later(id, e.interval(&op))
	}
	return op, err
}

func (e *Engine) prepare(id int64) (Operation, Kind, *v5.Session, error) {
	op, err := e.get(id)
	if err != nil {
		return op, Kind{}, nil, err
	}
	kind, ok := e.kinds[op.Kind]
	if !ok {
		return op, kind, nil, fmt.Errorf("operation %d has unknown kind %q", id, op.Kind)
	}
	session, err := e.opt.Session(op.Tenant)
	return op, kind, session, err
}

// takeResumed tells, once, that an operation was found by this process and not
// made by it. Such a one is looked at before anything is sent: its Dry-Run may
// have been taken for the real call.
func (e *Engine) takeResumed(id int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	was := e.resumed[id]
	delete(e.resumed, id)
	return was
}

// send asks v5's Dry-Run where there is one, commits that the request is on its
// way, and sends it once.
func (e *Engine) send(kind Kind, s *v5.Session, op Operation) (Operation, error) {
	if kind.DryRun != nil {
		err := kind.DryRun(e.ctx, s, &op)
		e.opt.At("dry-run")
		if errors.Is(err, v5.ErrDryRunIgnored) {
			e.opt.DryRunIgnored(&op)
			e.opt.Log.Error("v5 took a Dry-Run for the real call; the real one is not sent",
				zap.Int64("operation", op.ID), zap.String("fqdn", op.FQDN))
			return e.accepted(op)
		}
		if err != nil {
			return e.failed(op, err)
		}
	}
	op, err := e.change(op.ID, func(op *Operation) {
		op.State = Sending
		op.Sends++
	})
	if err != nil {
		return op, err // not committed, so not sent
	}
	e.opt.At("sending")
	err = kind.Send(e.ctx, s, &op)
	e.opt.At("sent")
	if err != nil {
		return e.failed(op, err)
	}
	return e.accepted(op)
}

func (e *Engine) accepted(op Operation) (Operation, error) {
	now := e.opt.Now().UTC()
	return e.change(op.ID, func(op *Operation) {
		op.State, op.Started, op.LastError = Accepted, now, ""
		if !e.kinds[op.Kind].Paid {
			op.advance(Run)
		}
	})
}

// failed decides what an error of a Dry-Run or a send means. Only three things
// are a definite no; everything else is unknown and is decided by looking.
func (e *Engine) failed(op Operation, cause error) (Operation, error) {
	now := e.opt.Now().UTC()
	var rejected *v5.DryRunError
	var answer *v5.Error
	switch {
	case errors.As(cause, &rejected):
		return e.refused(op, cause)
	case !errors.As(cause, &answer):
		return op, cause // our own bug, before anything was sent
	case !answer.MaybeSent || answer.Status == 429:
		if now.Sub(op.Created) < e.opt.UnsentFor {
			return e.change(op.ID, func(op *Operation) { op.State = Intended })
		}
		return e.refused(op, cause)
	case answer.DefiniteNo():
		return e.refused(op, cause)
	}
	e.opt.Log.Warn("outcome of a v5 call is not known; looking for it",
		zap.Int64("operation", op.ID), zap.String("fqdn", op.FQDN), zap.Error(cause))
	return e.change(op.ID, func(op *Operation) {
		op.State, op.UnknownSince, op.AbsentAt = Unknown, now, time.Time{}
	})
}

// refused ends an operation that v5 did not take. The cause is given back too,
// for a caller who is still waiting.
func (e *Engine) refused(op Operation, cause error) (Operation, error) {
	op, err := e.change(op.ID, func(op *Operation) {
		op.State, op.Step, op.LastError = Refused, Error, reason(cause)
	})
	if err != nil {
		return op, err
	}
	return op, cause
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
