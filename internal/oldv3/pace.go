// Package oldv3 speaks with a server that still answers v3: as one account, no
// faster than the old service let an account, each request at most once.
package oldv3

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Pace keeps calls to a number in each window of time. It is safe for concurrent
// use: who comes first has the first turn.
type Pace struct {
	most   int
	window time.Duration

	mu    sync.Mutex
	times []time.Time // of the last calls
}

// NewPace is that of the old service: 30 in 2 seconds for an account, of which its
// integrations need some, too.
func NewPace() *Pace { return &Pace{most: 28, window: 2 * time.Second} }

// turn takes the next turn and tells how long the call that comes at now has to
// wait for it. A turn that would come after more than most is not taken.
func (p *Pace) turn(now time.Time, most time.Duration) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.times) < p.most {
		p.times = append(p.times, now)
		return 0, true
	}
	turn := p.times[0].Add(p.window)
	if turn.Before(now) {
		turn = now
	}
	if turn.Sub(now) > most {
		return turn.Sub(now), false
	}
	p.times = append(p.times[1:], turn)
	return turn.Sub(now), true
}

// Wait waits for a turn. It is an error at once where the turn would come after
// the end of ctx.
func (p *Pace) Wait(ctx context.Context) error {
	now, most := time.Now(), time.Duration(1<<62)
	if end, ok := ctx.Deadline(); ok {
		most = end.Sub(now)
	}
	d, ok := p.turn(now, most)
	if !ok {
		return fmt.Errorf("wait for a turn at the old server: it would come in %s: %w", d.Round(time.Millisecond), context.DeadlineExceeded)
	}
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}
