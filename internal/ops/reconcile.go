package ops

import (
	"slices"
	"time"

	"v3gate/internal/v5"
)

const (
	// atOnce bounds the turns that the background makes at the same time; v5's
	// rate limit is the real bound.
	atOnce = 8
	// pace is the time between two looks of the background at operations that
	// are only watched: a look takes two or three of v5's thousand requests a
	// minute, and callers need the rest.
	pace = 500 * time.Millisecond
)

// reconcile moves every open operation when its time has come.
func (e *Engine) reconcile() {
	defer e.work.Done()
	free := make(chan struct{}, atOnce)
	for busy := 0; ; {
		begun, next, closed := e.beginDue(atOnce - busy)
		if closed {
			return
		}
		for _, t := range begun {
			busy++
			e.work.Go(func() {
				<-t.done
				free <- struct{}{}
			})
		}
		timer := time.NewTimer(next)
		select {
		case <-free:
			busy--
		case <-timer.C:
		case <-e.wake:
		}
		timer.Stop()
	}
}

// beginDue begins as many turns that are due as there are free slots, the
// newest operations first, since callers wait for those. It tells how long
// nothing else will be due.
func (e *Engine) beginDue(slots int) (begun []*turn, next time.Duration, closed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next = time.Hour
	if e.closed || slots == 0 {
		return nil, next, e.closed
	}
	now, longest := e.opt.Now(), e.longest()
	var ids []int64
	for id, at := range e.due {
		// A clock that was set back would seem to put everything off.
		if wait := at.Sub(now); wait > 0 && wait <= longest {
			next = min(next, wait)
			continue
		}
		if ids = append(ids, id); len(ids) > 16*atOnce {
			ids = newest(ids, slots)
		}
	}
	for _, id := range newest(ids, slots) {
		begun = append(begun, e.begin(v5.Background(e.ctx), id))
	}
	return begun, next, false
}

func newest(ids []int64, most int) []int64 {
	slices.Sort(ids)
	return ids[max(0, len(ids)-most):]
}

// schedule gives an open operation a next turn where it has none. A commit that
// failed and was kept all the same leaves an operation that nobody moves.
func (e *Engine) schedule(id int64, d time.Duration) {
	e.mu.Lock()
	if _, ok := e.due[id]; !ok && e.turns[id] == nil {
		e.due[id] = e.opt.Now().Add(d)
	}
	e.mu.Unlock()
	e.poke()
}

func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// interval grows with the age of the operation, of v5's work on it, or of the
// doubt about it: callers poll what is young, and each look costs v5 requests.
// It grows, too, with the number of operations, for those that are only watched.
// e.mu is held.
func (e *Engine) interval(op *Operation, now time.Time) time.Duration {
	begin := op.Created
	switch {
	case op.State == Unknown:
		begin = op.UnknownSince
	case op.State == Accepted:
		begin = op.Started
	}
	d, age := 5*time.Minute, now.Sub(begin)
	switch {
	case op.Step == Support:
		d = 10 * time.Minute
	case age < time.Minute:
		d = 2 * time.Second
	case age < 5*time.Minute:
		d = 5 * time.Second
	case age < time.Hour:
		d = 30 * time.Second
	}
	if op.followed() && age >= 5*time.Minute {
		d = max(d, time.Duration(len(e.open))*pace)
	}
	return d
}

// longest is the longest that interval gives, with e.mu held.
func (e *Engine) longest() time.Duration {
	return max(10*time.Minute, time.Duration(len(e.open))*pace)
}
