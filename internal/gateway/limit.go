package gateway

import (
	"container/list"
	"context"
	"sync"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/tenant"
	"v3gate/internal/xmlrpc"
)

// limit makes a call wait for its tenant's rate and then for a place among the
// calls in flight. v3's clients take no hint to come back later (none retries),
// so a call is refused only when it cannot be served in its time.
func (g *Gateway) limit(next handler) handler {
	return func(ctx context.Context, c *call) (xmlrpc.Answer, error) {
		name := "" // of calls without a key, which share a lane
		if c.Tenant != nil {
			name = c.Tenant.Name
		}
		if err := g.limiter.enter(ctx, name); err != nil {
			return nil, err
		}
		defer g.limiter.leave(name)
		return next(ctx, c)
	}
}

// The names of the limits in the metrics.
const (
	byRate     = "rate"
	byInFlight = "in_flight"
)

// limiter holds calls back in two stages. The first is a bucket of a tenant's
// own and does not touch the others. In the second the tenants in which
// somebody waits take turns, past those whose own limit holds them back.
//
// It runs on the real clock, because it has to agree with timers.
type limiter struct {
	waited  func(limit string, d time.Duration)
	refused func(limit string)
	most    int // calls in flight
	room    int // calls of one tenant that wait, so that its connections leave some to others

	mu       sync.Mutex
	inFlight int
	lanes    map[string]*lane
	turns    list.List // of the lanes in which somebody waits for a place, the next one in front
}

// lane is one tenant's part. There are as many as there ever were names.
type lane struct {
	limits   tenant.Limits
	bucket   bucket
	slowed   int           // calls that wait for the rate
	inFlight int           // calls with a place
	waiting  list.List     // of chan struct{}, closed for who gets a place
	turn     *list.Element // among the turns; nil while nobody waits
}

func newLimiter(most, connections int, waited func(string, time.Duration), refused func(string)) *limiter {
	return &limiter{most: most, room: max(1, connections/4), waited: waited, refused: refused, lanes: map[string]*lane{}}
}

// configure sets the limits of a set of tenants. Calls that have a place keep
// it, and those that wait for a lower rate do so for as long as they were told.
func (l *limiter) configure(set *tenant.Set) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, t := range set.All() {
		lane := l.lane(t.Name)
		lane.limits = t.Limits
		lane.bucket.resize(t.Limits.Rate, t.Limits.Window, now)
	}
	l.handOut()
}

func (l *limiter) lane(name string) *lane {
	if l.lanes[name] == nil {
		l.lanes[name] = &lane{}
	}
	return l.lanes[name]
}

// enter returns when a call of a tenant may go on; leave is to be called at its end.
// The error is a fault, or that of ctx: then nothing is to be left.
func (l *limiter) enter(ctx context.Context, name string) error {
	start, patience := time.Now(), time.Hour
	if deadline, ok := ctx.Deadline(); ok {
		// What is left is for the call itself.
		patience = deadline.Sub(start) * 3 / 4
	}
	waited, err := l.awaitRate(ctx, name, start, patience)
	if err != nil {
		return err
	}
	return l.awaitPlace(ctx, name, patience-waited)
}

// awaitRate waits for a token of the tenant's bucket. It does not begin to wait
// for one that comes too late.
func (l *limiter) awaitRate(ctx context.Context, name string, now time.Time, patience time.Duration) (waited time.Duration, err error) {
	l.mu.Lock()
	lane := l.lane(name)
	wait := lane.bucket.wait(now)
	if wait > patience || wait > 0 && lane.slowed+lane.waiting.Len() >= l.room {
		limits := lane.limits
		l.mu.Unlock()
		return 0, l.refuse(byRate, "too many calls: this account may make %d in %s, and more wait already than can be served in time; "+
			"send them more slowly, or ask the gateway's operator for a higher rate", limits.Rate, limits.Window)
	}
	lane.bucket.take(now)
	if wait <= 0 {
		l.mu.Unlock()
		l.waited(byRate, 0)
		return 0, nil
	}
	lane.slowed++
	l.mu.Unlock()
	err = sleep(ctx, wait)
	l.mu.Lock()
	if lane.slowed--; err != nil {
		lane.bucket.giveBack()
	}
	l.mu.Unlock()
	l.waited(byRate, wait)
	return time.Since(now), err
}

// awaitPlace waits for a place among the calls in flight.
func (l *limiter) awaitPlace(ctx context.Context, name string, patience time.Duration) error {
	l.mu.Lock()
	lane := l.lane(name)
	if lane.waiting.Len() >= l.room {
		defer l.mu.Unlock()
		return l.tooMany(lane)
	}
	if l.turns.Len() == 0 && l.inFlight < l.most && !lane.full() {
		l.take(lane)
		l.mu.Unlock()
		l.waited(byInFlight, 0)
		return nil
	}
	granted := make(chan struct{})
	mine := lane.waiting.PushBack(granted)
	if lane.turn == nil {
		lane.turn = l.turns.PushBack(lane)
	}
	l.handOut()
	l.mu.Unlock()

	begin := time.Now()
	select {
	case <-granted:
		l.waited(byInFlight, 0)
		return nil
	default:
	}
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-granted:
	case <-patient.Done():
	}
	l.waited(byInFlight, time.Since(begin))
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-granted: // also when both have come at the same time
		return nil
	default:
	}
	lane.waiting.Remove(mine)
	l.settle(lane)
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.tooMany(lane)
}

// tooMany refuses a call of a lane by the limit that holds it back.
func (l *limiter) tooMany(lane *lane) error {
	if lane.full() {
		return l.refuse(byInFlight, "too many calls at a time: this account may make %d, and more wait already than can be served in time; "+
			"make fewer at a time, or ask the gateway's operator for a higher limit", lane.limits.InFlight)
	}
	return l.refuse(byInFlight, "the gateway has too many calls at a time; try again later, or ask its operator for a higher limit than %d", l.most)
}

func (l *limiter) refuse(limit, format string, args ...any) error {
	l.refused(limit)
	return fault.New(fault.Application, fault.CauseServerTooMany, format, args...)
}

// handOut gives the free places to the lanes in turn.
func (l *limiter) handOut() {
	for l.inFlight < l.most {
		lane := l.next()
		if lane == nil {
			return
		}
		close(lane.waiting.Remove(lane.waiting.Front()).(chan struct{}))
		l.take(lane)
		l.turns.MoveToBack(lane.turn)
		l.settle(lane)
	}
}

// take gives a place to a lane.
func (l *limiter) take(lane *lane) {
	lane.inFlight++
	l.inFlight++
}

// next is the first lane whose own limit leaves a place.
func (l *limiter) next() *lane {
	for e := l.turns.Front(); e != nil; e = e.Next() {
		if lane := e.Value.(*lane); !lane.full() {
			return lane
		}
	}
	return nil
}

func (l *lane) full() bool { return l.limits.InFlight > 0 && l.inFlight >= l.limits.InFlight }

// settle takes a lane in which nobody waits out of the turns.
func (l *limiter) settle(lane *lane) {
	if lane.waiting.Len() == 0 && lane.turn != nil {
		l.turns.Remove(lane.turn)
		lane.turn = nil
	}
}

// leave ends what enter began.
func (l *limiter) leave(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	l.lane(name).inFlight--
	l.handOut()
}

// sleep returns after d, or with the error of ctx when that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bucket is a token bucket. Its whole state is the time at which it is full
// again, so that a token can be taken before it is there and be given back. Its
// owner locks and brings the time.
type bucket struct {
	interval time.Duration // between two tokens; 0 is no limit
	burst    int           // tokens of a full bucket
	full     time.Time
}

// resize makes it a bucket of rate tokens in a window, all of which may be taken
// at once. A caller that never made more than rate calls in any window, as v3
// wanted it, never waits. What was taken stays taken.
func (b *bucket) resize(rate int, window time.Duration, now time.Time) {
	old := b.interval
	b.interval, b.burst = 0, rate
	if rate > 0 {
		b.interval = max(1, window/time.Duration(rate))
	}
	if owed := b.full.Sub(now); old > 0 && owed > 0 {
		b.full = now.Add(time.Duration(float64(owed) / float64(old) * float64(b.interval)))
	}
}

// wait is the time until a token is there; not above 0 means now.
func (b *bucket) wait(now time.Time) time.Duration {
	if b.interval == 0 {
		return 0
	}
	return b.since(now).Add(time.Duration(1-b.burst) * b.interval).Sub(now)
}

func (b *bucket) take(now time.Time) { b.full = b.since(now).Add(b.interval) }

func (b *bucket) giveBack() { b.full = b.full.Add(-b.interval) }

func (b *bucket) since(now time.Time) time.Time {
	if b.full.After(now) {
		return b.full
	}
	return now
}
