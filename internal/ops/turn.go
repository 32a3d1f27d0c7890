package ops

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"
)

// turn is one move of one operation. Turns of one operation never overlap: who
// asks during one shares it.
type turn struct {
	done chan struct{} // closed at the end; op and err are set by then
	op   Operation
	err  error
}

// turn begins a turn or joins the one in flight; nil when the engine is closed.
func (e *Engine) turn(id int64) *turn {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.begin(e.ctx, id)
}

// glance is turn for callers who poll: it joins what is in flight, and begins
// only a look, and not within a second of the last. Sending is not theirs to
// hurry. Nil means that there is nothing to wait for.
func (e *Engine) glance(op *Operation) *turn {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.turns[op.ID]; t != nil {
		return t
	}
	since := e.opt.Now().Sub(e.looked[op.ID])
	if op.State == Intended || op.Work.Begun || since >= 0 && since < time.Second {
		return nil
	}
	return e.begin(e.ctx, op.ID)
}

// begin is turn with e.mu held. ctx says who waits for what it reads of v5.
func (e *Engine) begin(ctx context.Context, id int64) *turn {
	if t := e.turns[id]; t != nil {
		return t
	}
	if e.closed {
		return nil
	}
	t := &turn{done: make(chan struct{})}
	e.turns[id] = t
	delete(e.due, id)
	e.work.Add(1)
	go func() {
		defer e.work.Done()
		defer e.end(id, t)
		t.err = safely(func() (err error) {
			t.op, err = e.move(ctx, id)
			return err
		})
	}()
	return t
}

// end puts the next turn on the schedule in the moment in which this one is
// over, so that no wake-up falls between the two.
func (e *Engine) end(id int64, t *turn) {
	if t.err != nil && !t.op.Step.AtEnd() {
		e.opt.Log.Error("operation cannot be moved", zap.Int64("operation", id), zap.Error(t.err))
	}
	e.mu.Lock()
	delete(e.turns, id)
	switch now := e.opt.Now(); {
	case t.op.Step.AtEnd():
		delete(e.open, id)
		delete(e.due, id)
		delete(e.looked, id)
		delete(e.absent, id)
		delete(e.unsent, id)
	case t.err != nil:
		e.due[id] = now.Add(time.Minute)
	default:
		e.due[id] = now.Add(e.interval(&t.op, now))
	}
	e.mu.Unlock()
	close(t.done)
	e.poke()
}

// safely turns a panic into an error. What v5 answers reaches the kinds, and
// one answer that nobody thought of must not end the process, and then again at
// each start.
func safely(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic with %T: %s", p, debug.Stack())
		}
	}()
	return fn()
}

// move sends an operation if that is safe, and looks at v5 otherwise. It is
// safe when nothing of it was sent: a kind with a Dry-Run may have had that
// taken for the real call, which only the process that tried can rule out,
// unless it is written down that none was asked.
func (e *Engine) move(ctx context.Context, id int64) (Operation, error) {
	op, err := e.get(id)
	if err != nil || op.Step.AtEnd() {
		return op, err
	}
	kind, ok := e.kinds[op.Kind]
	if !ok {
		return op, fmt.Errorf("operation %d has unknown kind %q", id, op.Kind)
	}
	session, lost := e.opt.Session(op.Tenant)
	if kind.Send == nil || op.Work.Begun {
		return e.advanceList(kind, op, lost)
	}
	unsent := e.takeUnsent(id) || kind.DryRun == nil || !kind.MayResend && !op.Rehearsed
	if op.State == Intended && unsent && lost == nil {
		return e.send(kind, session, op)
	}
	if op.State == Intended || op.State == Sending {
		// An earlier process left it so, or an earlier turn that could not
		// write down how it ended.
		if op, err = e.unknown(op, func(*Operation) {}); err != nil {
			return op, err
		}
	}
	if lost != nil {
		e.opt.Log.Warn("operation has no v5 session", zap.Int64("operation", id), zap.Error(lost))
		return e.unread(op, "v5 cannot be asked for its tenant")
	}
	if op, err = e.look(ctx, kind, session, op); err == nil && op.Work.Begun {
		return e.advanceList(kind, op, nil)
	}
	return op, err
}

// takeUnsent tells, once, that nothing of an operation was sent.
func (e *Engine) takeUnsent(id int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	was := e.unsent[id]
	delete(e.unsent, id)
	return was
}

func (e *Engine) markUnsent(id int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unsent[id] = true
}
