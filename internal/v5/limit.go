package v5

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// longestPause bounds how long a 429 silences the whole client. v5's limit
	// is counted by the minute (v5 documentation); a longer Retry-After, such as
	// that of a weekly quota on one resource, must not stop everything else.
	longestPause = time.Minute
	// unsaidPause is the pause after a 429 that names no time.
	unsaidPause = time.Second
)

// limiter lets requests leave at the rate that v5 grants to one source address,
// for all tenants together, in the order in which they came. It runs on the
// real clock, because it has to agree with timers.
type limiter struct {
	bucket *rate.Limiter // nil: no limit
	waited func(time.Duration)

	mu    sync.Mutex
	until time.Time // no request leaves before
}

// newLimiter makes a limiter of perMinute requests in any span of a minute, of
// which burst at once; 0 or less is no limit. The steady rate is perMinute less
// the burst, so that a burst after a quiet time stays within the limit too.
func newLimiter(perMinute int, waited func(time.Duration)) *limiter {
	l := &limiter{waited: waited}
	if perMinute > 0 {
		burst := max(1, min(max(10, perMinute/60), perMinute/2))
		l.bucket = rate.NewLimiter(rate.Limit(max(1, perMinute-burst))/60, burst)
	}
	return l
}

// wait returns when one request may leave. It fails, and takes nothing from the
// bucket, when ctx ends first or is known to end before the turn comes.
func (l *limiter) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	start, slept := time.Now(), false
	defer func() {
		if slept && l.waited != nil {
			l.waited(time.Since(start))
		}
	}()
	for taken := false; ; {
		if d := l.paused(); d > 0 {
			slept = true
			if err := sleep(ctx, d); err != nil {
				return err
			}
			// Whoever waited through a pause takes a new turn: all tokens of
			// the waiting are due by now, and a rush would bring the next 429.
			taken = false
			continue
		}
		if taken || l.bucket == nil {
			return nil
		}
		now := time.Now()
		turn := l.bucket.ReserveN(now, 1)
		if d := turn.DelayFrom(now); d > 0 {
			slept = true
			if err := sleep(ctx, d); err != nil {
				turn.CancelAt(time.Now())
				return err
			}
		}
		taken = true
	}
}

// pause keeps every request back for d, or for longer where a longer pause is
// on already.
func (l *limiter) pause(d time.Duration) {
	if d <= 0 {
		d = unsaidPause
	}
	until := time.Now().Add(min(d, longestPause))
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.until) {
		l.until = until
	}
}

// paused is what is left of a pause; 0 or less where there is none.
func (l *limiter) paused() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Until(l.until)
}

// tooLate tells whether the deadline of ctx lies before the end of d.
func tooLate(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < d
}

// sleep returns after d, or with the error of ctx when that ends first. It does
// not begin to wait for what would be too late.
func sleep(ctx context.Context, d time.Duration) error {
	if tooLate(ctx, d) {
		return fmt.Errorf("wait %s: longer than the deadline: %w", d.Round(time.Millisecond), context.DeadlineExceeded)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
