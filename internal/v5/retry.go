package v5

import (
	"context"
	"errors"
	"net/http"
	"time"
)

const (
	// mostAttempts bounds the requests of one call.
	mostAttempts = 4
	// mostWaiting bounds the time that one call spends between its attempts. A
	// Retry-After beyond it ends the call with what v5 said.
	mostWaiting = 20 * time.Second
	// firstBackoff and lastBackoff are the bounds of the random wait before the
	// second and before a late attempt.
	firstBackoff = 250 * time.Millisecond
	lastBackoff  = 4 * time.Second
)

// failure is an attempt without the wanted answer. network tells that no whole
// answer came.
type failure struct {
	*Error
	network bool
}

// again tells whether a class allows another attempt after a failure.
func (c Class) again(f *failure) bool {
	switch c {
	case Read, Idempotent:
		return f.network || f.Status == http.StatusTooManyRequests || f.Status >= 500
	case Once:
		return f.Status == http.StatusTooManyRequests || (f.network && !f.MaybeSent)
	}
	return false // Paid, and any class that is not known
}

// backoff is the wait before attempt n+1 (n from 1): random between nothing and
// a bound that doubles, after what v5 asked for.
func (c *Client) backoff(n int, asked time.Duration) time.Duration {
	return asked + c.jitter(min(firstBackoff<<(n-1), lastBackoff))
}

// do sends a request, and sends it again as far as the class of its route
// allows. A nil error means an answer with a wanted status.
func (s *Session) do(ctx context.Context, r request) (*answer, error) {
	p, err := s.prepare(r)
	if err != nil {
		return nil, r.refused(err)
	}
	left := mostWaiting
	var sum *Error // of all attempts until now
	for n := 1; ; n++ {
		ans, f := s.attempt(ctx, p)
		if f == nil {
			return ans, nil
		}
		sum = f.after(sum, p.class)
		pause := s.c.backoff(n, f.RetryAfter)
		if n == mostAttempts || !p.class.again(f) || pause > left || ctx.Err() != nil || tooLate(ctx, pause) {
			return nil, sum
		}
		left -= pause
		if err := sleep(ctx, pause); err != nil {
			sum.Err = errors.Join(sum.Err, err)
			return nil, sum
		}
	}
}

// after gives the error of a call whose attempts until now came to before (nil
// where there was none) and then to e. The result is a copy: e has been shown
// to an observer.
func (e *Error) after(before *Error, c Class) *Error {
	sum := *e
	if before == nil {
		return &sum
	}
	if !e.MaybeSent && before.MaybeSent {
		// The later attempt did not leave: what came of the earlier one stands.
		sum = *before
		sum.Err = errors.Join(before.Err, e.Err)
		return &sum
	}
	sum.Unclear = c != Read && !before.DefiniteNo()
	return &sum
}
