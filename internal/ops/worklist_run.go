package ops

import (
	"encoding/json"
	"fmt"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/store"
)

const (
	// itemsAtOnce bounds the items of one list that are under way where its kind
	// names nothing, and itemsInAll those of all lists.
	itemsAtOnce = 4
	itemsInAll  = 16
	// mostTries bounds how often an item is tried. With the delays between them
	// that is about an hour.
	mostTries = 12
	// firstHold is how long a list stands still when v5 is not to be had.
	firstHold = 10 * time.Second
	// longestDelay bounds the time between two tries.
	longestDelay = 10 * time.Minute
	// itemFor bounds one try, with its wait for a turn.
	itemFor = 5 * time.Minute
)

// worklist is a list at work, of which only what is under way or waits is in
// memory. Its fields belong to one goroutine, but for the
// channels.
type worklist struct {
	id     int64
	tenant string
	kind   Kind
	most   int           // items under way at a time
	wake   chan struct{} // the list was replaced, or the engine is closed
	news   chan tried    // of items under way
	over   chan struct{} // closed at its end

	hand    map[int64]bool      // items under way
	cursor  int64               // the first place that this process has not come to
	waiting map[int64]time.Time // items that may be tried again, and when
	broken  bool                // an item failed on which the others build
	held    int                 // how often in a row v5 was not to be had
	hold    time.Time           // nothing is begun before
}

// tried is what became of one try of an item.
type tried struct {
	n      int64
	again  bool          // it is to be tried again,
	after  time.Duration // after this time
	failed bool
	hold   bool // v5 did not look at the request: it is not about the item
	err    error
}

// advanceList begins an operation's work list, or sees to it that it is at work.
// That waits for the tenant where it is lost.
func (e *Engine) advanceList(kind Kind, op Operation, lost error) (Operation, error) {
	if lost != nil {
		e.opt.Log.Warn("operation has no v5 session", zap.Int64("operation", op.ID), zap.Error(lost))
		return op, nil
	}
	if !op.Work.Begun {
		now := e.opt.Now().UTC()
		var err error
		op, err = e.change(op, func(op *Operation) {
			op.State, op.Started, op.Work.Begun = Accepted, now, true
			op.advance(Run)
		})
		if err != nil || op.Step.AtEnd() {
			return op, err
		}
		e.opt.At("list")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.lists[op.ID] != nil || op.Step == Support {
		return op, nil // in SUPPORT it is through, and people have it
	}
	l := &worklist{
		id: op.ID, tenant: op.Tenant, kind: kind, most: kind.ItemsAtOnce,
		wake: make(chan struct{}, 1), news: make(chan tried), over: make(chan struct{}), hand: map[int64]bool{},
	}
	l.rewind()
	if l.most == 0 {
		l.most = itemsAtOnce
	}
	e.lists[op.ID] = l
	e.work.Go(func() { e.runList(l) })
	return op, nil
}

// rewind lets a list be gone through from its begin.
func (l *worklist) rewind() { l.cursor, l.waiting = 1, map[int64]time.Time{} }

// wakeList tells a list at work that there is something new, or has it begun.
func (e *Engine) wakeList(id int64) {
	e.mu.Lock()
	l := e.lists[id]
	e.mu.Unlock()
	if l == nil {
		e.schedule(id, 0)
		return
	}
	l.poke()
}

// Wake has work lists and the background look at the clock again, for one that was
// moved under them.
func (e *Engine) Wake() {
	e.mu.Lock()
	for _, l := range e.lists {
		l.poke()
	}
	e.mu.Unlock()
	e.poke()
}

func (l *worklist) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// runList works until a list is at its end. When something keeps it from that,
// the operation's next turn begins it anew.
func (e *Engine) runList(l *worklist) {
	over := false
	err := safely(func() (err error) {
		// No item outlives its list.
		defer func() {
			for range l.hand {
				<-l.news
			}
		}()
		over, err = e.workThrough(l)
		return err
	})
	if err != nil {
		e.opt.Log.Error("work list cannot go on", zap.Int64("operation", l.id), zap.Error(err))
	}
	e.mu.Lock()
	delete(e.lists, l.id)
	e.mu.Unlock()
	close(l.over)
	if over {
		e.turn(l.id) // it forgets the operation
	}
}

// workThrough begins item after item. It gives true when the operation is at its
// end.
func (e *Engine) workThrough(l *worklist) (over bool, err error) {
	for {
		n, wait, ended, err := e.nextItem(l)
		switch {
		case err != nil:
			return false, err
		case e.isClosed():
			if n = 0; len(l.hand) == 0 {
				return false, nil
			}
		case ended:
			op, err := e.change(Operation{ID: l.id}, func(op *Operation) { op.Step, op.LastError, op.ErrorType = Done, "", "" })
			if err != nil {
				return false, err
			}
			if op.Step == Support {
				e.told(&op)
			}
			if op.Step.AtEnd() || op.Step == Support {
				e.opt.At("list-end")
				return true, nil
			}
			l.rewind() // items came in between
			l.hold = time.Now().Add(time.Second)
			continue
		}
		var slot chan<- struct{}
		if n > 0 {
			slot = e.slots
		}
		timer := time.NewTimer(wait)
		select {
		case slot <- struct{}{}:
			err = e.beginItem(l, n)
		case t := <-l.news:
			delete(l.hand, t.n)
			err = l.note(t)
		case <-timer.C:
		case <-l.wake:
			l.rewind()
		}
		timer.Stop()
		if err != nil {
			return false, err
		}
	}
}

// nextItem finds the first item that may be begun now, 0 for none; then wait is
// how long there will be none. ended tells that there is nothing left to do.
func (e *Engine) nextItem(l *worklist) (n int64, wait time.Duration, ended bool, err error) {
	now, most := time.Now(), l.most
	if l.held > 0 || l.kind.Sequential {
		most = 1
	}
	if len(l.hand) >= most {
		return 0, longestDelay, false, nil
	}
	if d := l.hold.Sub(now); d > 0 {
		return 0, d, false, nil
	}
	wait = longestDelay
	for id, at := range l.waiting {
		if d := at.Sub(now); d > 0 {
			wait = min(wait, d)
		} else if n == 0 || at.Before(l.waiting[n]) || at.Equal(l.waiting[n]) && id < n {
			n = id // the one that waits for longest, lest an outage uses up the tries of one
		}
	}
	if n > 0 || l.kind.Sequential && len(l.waiting) > 0 {
		return n, wait, false, nil
	}
	err = e.db.View(func(tx *store.Tx) error {
		return tx.ScanFrom(store.OpItemsPrefix(l.id), store.OpItemKey(l.id, l.cursor), func(key, value []byte) error {
			it := &Item{N: store.TrailingID(key)}
			if err := json.Unmarshal(value, it); err != nil {
				return fmt.Errorf("read %q: %w", key, err)
			}
			if l.broken {
				return store.Stop
			}
			l.cursor = it.N
			switch d := min(it.NotBefore.Sub(e.opt.Now()), longestDelay); {
			case l.hand[it.N]:
			case it.State.AtEnd():
				l.broken = l.kind.Sequential && it.State == ItemFailed
			case d > 0: // a clock that was set back would seem to put it off for long
				l.waiting[it.N] = now.Add(d)
				if wait = min(wait, d); l.kind.Sequential {
					return store.Stop
				}
			default:
				n = it.N
				return store.Stop // it is still the next if it is not begun now
			}
			l.cursor++
			return nil
		})
	})
	return n, wait, n == 0 && len(l.hand) == 0 && len(l.waiting) == 0, err
}

// note takes in what became of a try.
func (l *worklist) note(t tried) error {
	now := time.Now()
	if t.again {
		l.waiting[t.n] = now.Add(t.after)
	}
	l.broken = l.broken || t.failed && l.kind.Sequential
	switch {
	case !t.hold:
		l.held, l.hold = 0, time.Time{}
	case !now.Before(l.hold): // and not for each of those that were under way
		l.held++
		l.hold = now.Add(max(t.after, delay(l.held, firstHold)))
	}
	return t.err
}
