package v5

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// defaultBreakAfter and defaultBreakFor stand where Options names nothing.
	defaultBreakAfter = 5
	defaultBreakFor   = 10 * time.Second
	// fairChance is the time that v5 has to have had before the end of a
	// caller's deadline counts against it.
	fairChance = 5 * time.Second
)

// ErrOpen means that a request was not sent because the last ones went without
// an answer or with a 5xx. It will be tried again after a while.
var ErrOpen = errors.New("v5 is not answering; not tried for a while")

// What a request says about the health of v5, in the form in which gobreaker
// takes it.
var (
	errUnwell = errors.New("no answer, or a 5xx")
	errUntold = errors.New("nothing can be told")
)

// breaker keeps requests from a v5 that does not answer: callers are told at
// once in place of waiting for a time-out each, and v5 is left alone. After a
// while one request is let through, and its outcome decides for all.
type breaker struct {
	circuit  *gobreaker.CircuitBreaker[struct{}]
	answered atomic.Uint64 // how often v5 was found well
	broken   atomic.Bool   // the circuit is open or half-open
}

// newBreaker makes a closed breaker. refuse is called whenever it begins to
// refuse all, with ErrOpen, before Options.BreakerChanged; both under gobreaker's
// lock, so in order.
func newBreaker(o Options, refuse func(error)) *breaker {
	after, wait := uint32(o.BreakAfter), o.BreakFor
	if after == 0 {
		after = defaultBreakAfter
	}
	if wait == 0 {
		wait = defaultBreakFor
	}
	b := &breaker{}
	b.circuit = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: 1, // at a time while half-open
		Timeout:     wait,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= after },
		IsExcluded:  func(err error) bool { return err == errUntold },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			b.broken.Store(to != gobreaker.StateClosed)
			if to == gobreaker.StateOpen {
				refuse(ErrOpen)
			}
			// Half-open is no news: all but one are refused then too.
			if o.BreakerChanged != nil && (from == gobreaker.StateClosed || to == gobreaker.StateClosed) {
				o.BreakerChanged(to != gobreaker.StateClosed)
			}
		},
	})
	return b
}

// refuses tells whether a request that came now would be refused, so that it
// need not wait for a turn.
func (b *breaker) refuses() bool {
	if !b.broken.Load() {
		return false
	}
	switch b.circuit.State() {
	case gobreaker.StateOpen:
		return true
	case gobreaker.StateHalfOpen:
		c := b.circuit.Counts()
		return c.Requests > c.TotalExclusions // one is on its way
	}
	return false
}

// run calls send with the present, whose result is nil for a wanted answer, unless
// v5 is to be left alone: then it returns ErrOpen.
//
// A failure counts only if v5 has answered nothing since the request left. Else
// a few names on which v5 hangs, whose time-outs come together at last, would
// close the way for all others, which are answered meanwhile.
func (b *breaker) run(ctx context.Context, send func(start time.Time) *failure) error {
	_, err := b.circuit.Execute(func() (struct{}, error) {
		start, before := time.Now(), b.answered.Load()
		f := send(start)
		err := health(ctx, f, start)
		switch {
		case err == nil:
			b.answered.Add(1)
		case b.answered.Load() != before:
			err = errUntold
		}
		return struct{}{}, err
	})
	if err == gobreaker.ErrOpenState || err == gobreaker.ErrTooManyRequests {
		return ErrOpen
	}
	return nil
}

// health says what an attempt tells about v5. Every answer below 500 tells that
// it is there, a 429 too. A caller that hangs up tells nothing. The end of a
// caller's deadline is v5's time-out if v5 had a fair chance: else callers with
// deadlines shorter than attemptTimeout would wait for a hung v5 for ever.
func health(ctx context.Context, f *failure, start time.Time) error {
	switch {
	case f == nil:
		return nil
	case f.Status >= 500:
		return errUnwell
	case !f.network:
		return nil
	case ctx.Err() == nil, errors.Is(ctx.Err(), context.DeadlineExceeded) && time.Since(start) >= fairChance:
		return errUnwell
	}
	return errUntold
}
