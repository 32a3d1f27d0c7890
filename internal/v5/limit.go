package v5

import (
	"context"
	"fmt"
	"time"
)

const (
	// longestPause bounds how long a 429 silences the whole client. v5's limit
	// is counted by the minute (v5 documentation); a longer Retry-After, such as
	// that of a weekly quota on one resource, must not stop everything else.
	longestPause = time.Minute
	// unsaidPause is the pause after a 429 that names no time.
	unsaidPause = time.Second
)

// bucket is a token bucket. Its whole state is the time at which it is full
// again, in whole nanoseconds, so that nothing is rounded away and a token can
// be given back exactly. It runs on the real clock, because it has to agree with
// timers. Its owner locks.
type bucket struct {
	interval time.Duration // between two tokens; 0 is no limit
	burst    int           // tokens of a full bucket
	full     time.Time     // when it is full, if nobody takes anything
}

// newBucket makes a full bucket of perMinute tokens in any span of a minute, of
// which burst at once; 0 or less is no limit. The steady rate is perMinute less
// the burst, so that a burst after a quiet time stays within the limit too.
func newBucket(perMinute int) bucket {
	if perMinute <= 0 {
		return bucket{}
	}
	burst := max(1, min(max(10, perMinute/60), perMinute/2))
	steady := time.Duration(max(1, perMinute-burst))
	return bucket{interval: (time.Minute + steady - 1) / steady, burst: burst}
}

// due is when a token is there for one who comes after ahead others; a time
// that is past means now.
func (b *bucket) due(now time.Time, ahead int) time.Time {
	if b.interval == 0 {
		return now
	}
	return later(b.full, now).Add(time.Duration(ahead+1-b.burst) * b.interval)
}

// take takes the token that is due by now.
func (b *bucket) take(now time.Time) { b.full = later(b.full, now).Add(b.interval) }

// giveBack undoes one take.
func (b *bucket) giveBack() { b.full = b.full.Add(-b.interval) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// tooLate tells whether the deadline of ctx lies before the end of d.
func tooLate(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < d
}

// errTooLate is the error of a wait that is not begun.
func errTooLate(d time.Duration) error {
	return fmt.Errorf("wait %s: longer than the deadline: %w", d.Round(time.Millisecond), context.DeadlineExceeded)
}

// sleep returns after d, or with the error of ctx when that ends first. It does
// not begin to wait for what would be too late.
func sleep(ctx context.Context, d time.Duration) error {
	if tooLate(ctx, d) {
		return errTooLate(d)
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
