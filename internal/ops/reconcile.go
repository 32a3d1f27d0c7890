package ops

import (
	"sync"
	"time"

	"v3gate/internal/store"
)

// atOnce bounds the turns that the background makes at the same time; v5's
// rate limit is the real bound.
const atOnce = 8

// reconcile moves every open operation when its time has come.
func (e *Engine) reconcile() {
	defer e.work.Done()
	slots := make(chan struct{}, atOnce)
	var turns sync.WaitGroup
	defer turns.Wait()
	for {
		ids, next, closed := e.takeDue()
		if closed {
			return
		}
		for _, id := range ids {
			slots <- struct{}{}
			turns.Go(func() {
				defer func() { <-slots }()
				select {
				case <-e.turn(id):
				case <-e.ctx.Done():
				}
			})
		}
		timer := time.NewTimer(next)
		select {
		case <-timer.C:
		case <-e.wake:
		}
		timer.Stop()
	}
}

// takeDue takes what is due off the schedule and tells how long nothing else
// will be.
func (e *Engine) takeDue() (ids []int64, next time.Duration, closed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.opt.Now()
	next = time.Hour
	for id, at := range e.due {
		if wait := at.Sub(now); wait > 0 {
			next = min(next, wait)
			continue
		}
		delete(e.due, id)
		ids = append(ids, id)
	}
	return ids, next, e.closed
}

// later puts the next turn of an operation on the schedule.
func (e *Engine) later(id int64, d time.Duration) {
	e.mu.Lock()
	e.due[id] = e.opt.Now().Add(d)
	e.mu.Unlock()
	e.poke()
}

func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// interval grows with the operation's age: callers poll young operations, and
// each look costs v5 requests.
func (e *Engine) interval(op *Operation) time.Duration {
	age := e.opt.Now().Sub(op.Created)
	switch {
	case op.Step == Support:
		return 10 * time.Minute
	case age < time.Minute:
		return 2 * time.Second
	case age < 5*time.Minute:
		return 5 * time.Second
	case age < time.Hour:
		return 30 * time.Second
	}
	return 5 * time.Minute
}

func (e *Engine) get(id int64) (op Operation, err error) {
	err = e.db.View(func(tx *store.Tx) error {
		found, err := load(tx, id)
		if err == nil {
			op = *found
		}
		return err
	})
	return op, err
}
