package v5

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// defaultWaiting is the number of waiting requests where Options names none.
	defaultWaiting = 10_000
	// backgroundTurn is how often background work gets a turn while foreground
	// work waits: one in so many.
	backgroundTurn = 10
)

// ErrQueueFull means that so many requests wait for their turn that this one was
// not let in.
var ErrQueueFull = errors.New("too many requests to v5 wait already")

// priority says who goes first.
type priority int

const (
	foreground priority = iota // somebody waits for the answer
	background
)

type backgroundKey struct{}

// Background marks the work of a context as such that nobody waits for: reads
// of a reconciler, of a mirror. Its requests leave when no other waits, and in
// one of ten turns while others do. Paid calls are never background work.
func Background(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, true)
}

// priorityOf is the priority of a request of a class under a context.
func priorityOf(ctx context.Context, c Class) priority {
	if c != Paid && ctx.Value(backgroundKey{}) != nil {
		return background
	}
	return foreground
}

// queue decides which request leaves next. All tenants share one source address
// and so one token bucket and one number of requests in flight; whatever one of
// them asks for, the others' requests take turns with its own.
//
// There is no goroutine behind it. Who comes, who ends and a timer for the next
// token or the end of a pause each hand out the turns that can be had.
type queue struct {
	most   int // requests in flight
	share  int // of them, what one tenant can hold
	aside  int // of them, what background work can hold
	room   int // requests that wait
	sure   int // of them, what a line can hold although others fill the room
	waited func(time.Duration)

	mu       sync.Mutex
	bucket   bucket
	until    time.Time // the end of a pause: no request leaves before
	tenants  map[string]*tenant
	spare    *tenant                   // one that was forgotten, with nothing left in it
	turns    [background + 1]list.List // of the lines in which somebody waits, the next one in front
	waiting  int
	inFlight [background + 1]int
	passed   int // turns of the foreground since background work began to wait
	timer    *time.Timer
}

// tenant is one name with what it has waiting and in flight; it is forgotten
// when that is nothing.
type tenant struct {
	name     string
	inFlight int
	lines    [background + 1]line
}

// line is what waits for one tenant in one priority, in the order in which it
// came.
type line struct {
	tenant  *tenant
	waiting list.List     // of *turn
	place   *list.Element // among the turns; nil while nobody waits here
}

// turn is one request's way through the queue: it waits, it is granted, it ends.
type turn struct {
	queue    *queue
	tenant   *tenant
	priority priority
	place    *list.Element // in the line; nil when it waits no longer
	over     chan struct{} // closed when the wait has ended; nil where there was none
	granted  bool
	err      error // why it was not granted
}

// newQueue reads the limits out of the options, which New has checked.
//
// Shares of the requests in flight are held back because answers can take as
// long as attemptTimeout: without them, hung requests of one tenant, or of
// background work, would keep everybody else waiting.
func newQueue(o Options) *queue {
	q := &queue{most: o.MaxInFlight, room: o.MaxWaiting, waited: o.Waited,
		bucket: newBucket(o.PerMinute), tenants: map[string]*tenant{}}
	if q.most == 0 {
		q.most = defaultInFlight
	}
	if q.room == 0 {
		q.room = defaultWaiting
	}
	q.share = q.most - q.most/4
	q.aside = max(1, q.most/2)
	q.sure = max(1, q.room/100)
	return q
}

// enter returns when one request of a tenant may leave; the turn has to be ended
// after it. An error means that the request does not leave and that it has used
// nothing up: its context ended, or is known to end before its turn can come, or
// the queue is full, or refuse was called.
func (q *queue) enter(ctx context.Context, name string, p priority) (*turn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	start := time.Now()
	t, err := q.join(ctx, start, name, p)
	if err != nil {
		return nil, err
	}
	var waited time.Duration
	if t.over != nil {
		select {
		case <-t.over:
		case <-ctx.Done():
		}
		waited = time.Since(start)
	}
	// When both have come at the same time, select takes either.
	if err := ctx.Err(); err != nil {
		t.leave()
		t.err = err
	}
	if q.waited != nil {
		q.waited(waited)
	}
	if t.err != nil {
		return nil, t.err
	}
	return t, nil
}

// join grants a request its turn, or puts it at the end of its line.
func (q *queue) join(ctx context.Context, now time.Time, name string, p priority) (*turn, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.tenants[name]
	ahead := 0
	if t != nil {
		ahead = t.lines[p].waiting.Len()
	}
	if q.waiting >= q.room && ahead >= q.sure {
		return nil, fmt.Errorf("%w: %d", ErrQueueFull, q.waiting)
	}
	// Those ahead in the same line leave before in any case.
	d := later(q.until, q.bucket.due(now, ahead)).Sub(now)
	if d > 0 && tooLate(ctx, d) {
		return nil, errTooLate(d)
	}
	if t == nil {
		t = q.newTenant(name)
	}
	l, w := &t.lines[p], &turn{queue: q, tenant: t, priority: p}
	if d <= 0 && q.waiting == 0 && q.free(t, p) {
		q.passed = 0
		q.grant(w, now)
		return w, nil
	}
	w.over = make(chan struct{})
	w.place = l.waiting.PushBack(w)
	if q.waiting++; l.place == nil {
		l.place = q.turns[p].PushBack(l)
	}
	q.handOut(now)
	return w, nil
}

// newTenant makes a tenant that is not there. Most have a request at a time, and
// come and go with it.
func (q *queue) newTenant(name string) *tenant {
	t := q.spare
	if q.spare = nil; t == nil {
		t = &tenant{}
		for i := range t.lines {
			t.lines[i].tenant = t
		}
	}
	t.name, q.tenants[name] = name, t
	return t
}

// handOut grants all turns that can be had now. Where time alone keeps the next
// one back it sees to it that it is called again; else the end of a request in
// flight will. One call too many does no harm.
func (q *queue) handOut(now time.Time) {
	for q.waiting > 0 && !q.full() {
		if at := later(q.until, q.bucket.due(now, 0)); at.After(now) {
			q.wake(at.Sub(now))
			return
		}
		t := q.next()
		if t == nil {
			return
		}
		l := &t.tenant.lines[t.priority]
		q.drop(t)
		if l.place != nil {
			q.turns[t.priority].MoveToBack(l.place)
		}
		q.grant(t, now)
		close(t.over)
	}
}

// grant lets a request leave.
func (q *queue) grant(t *turn, now time.Time) {
	q.bucket.take(now)
	q.inFlight[t.priority]++
	t.tenant.inFlight++
	t.granted = true
}

// full tells whether as many requests are in flight as there may be.
func (q *queue) full() bool { return q.inFlight[foreground]+q.inFlight[background] >= q.most }

// free tells whether one more request of a tenant may be in flight.
func (q *queue) free(t *tenant, p priority) bool {
	return !q.full() && t.inFlight < q.share && (p == foreground || q.inFlight[p] < q.aside)
}

// next chooses who leaves next, nil where all that wait have to wait on.
func (q *queue) next() *turn {
	order := [...]priority{foreground, background}
	if q.passed >= backgroundTurn-1 {
		order = [...]priority{background, foreground}
	}
	for _, p := range order {
		if p == background && q.inFlight[background] >= q.aside {
			continue
		}
		for e := q.turns[p].Front(); e != nil; e = e.Next() {
			l := e.Value.(*line)
			if l.tenant.inFlight >= q.share {
				continue
			}
			if p == background || q.turns[background].Len() == 0 {
				q.passed = 0
			} else {
				q.passed++
			}
			return l.waiting.Front().Value.(*turn)
		}
	}
	return nil
}

// wake has turns handed out after d.
func (q *queue) wake(d time.Duration) {
	if q.timer != nil {
		q.timer.Reset(d)
		return
	}
	q.timer = time.AfterFunc(d, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.handOut(time.Now())
	})
}

// drop takes a turn that waits out of its line.
func (q *queue) drop(t *turn) {
	l := &t.tenant.lines[t.priority]
	l.waiting.Remove(t.place)
	t.place = nil
	if q.waiting--; l.waiting.Len() == 0 {
		q.turns[t.priority].Remove(l.place)
		l.place = nil
	}
}

// forget lets go of a tenant that has nothing left here.
func (q *queue) forget(t *tenant) {
	if t.inFlight == 0 && t.lines[foreground].place == nil && t.lines[background].place == nil {
		delete(q.tenants, t.name)
		q.spare = t
	}
}

// leave gives up a turn that may wait still or may just have been granted.
func (t *turn) leave() {
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case t.granted:
		q.end(t, false)
	case t.place != nil:
		q.drop(t)
		q.forget(t.tenant)
	}
}

// end ends a turn that was granted. One that was not used gives its token back.
func (t *turn) end(used bool) {
	t.queue.mu.Lock()
	defer t.queue.mu.Unlock()
	t.queue.end(t, used)
}

func (q *queue) end(t *turn, used bool) {
	if !used {
		q.bucket.giveBack()
	}
	q.inFlight[t.priority]--
	t.tenant.inFlight--
	if q.forget(t.tenant); q.waiting > 0 {
		q.handOut(time.Now())
	}
}

// refuse ends the wait of all that wait now with an error.
func (q *queue) refuse(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for p := range q.turns {
		for e := q.turns[p].Front(); e != nil; e = q.turns[p].Front() {
			t := e.Value.(*line).waiting.Front().Value.(*turn)
			q.drop(t)
			q.forget(t.tenant)
			t.err = err
			close(t.over)
		}
	}
}

// pause keeps every request back for d, or for longer where a longer pause is
// on already.
func (q *queue) pause(d time.Duration) {
	if d <= 0 {
		d = unsaidPause
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.until = later(q.until, time.Now().Add(min(d, longestPause)))
}
