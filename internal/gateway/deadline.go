package gateway

import (
	"context"
	"sync"
	"time"

	"v3gate/internal/xmlrpc"
)

// deadline bounds a call. Work that must not be cut off runs on its own context.
func (g *Gateway) deadline(next handler) handler {
	return func(ctx context.Context, c *call) (xmlrpc.Answer, error) {
		l := &lazyDeadline{Context: ctx, end: time.Now().Add(g.cfg.CallTimeout)}
		defer l.release()
		return next(l, c)
	}
}

// lazyDeadline is what context.WithTimeout makes, but for its timer, which it starts
// only when somebody waits for its end. Most calls are over before anybody does:
// a read of v5 looks at the deadline.
type lazyDeadline struct {
	context.Context // the caller's
	end             time.Time

	mu     sync.Mutex
	timed  context.Context // nil until it is needed
	cancel context.CancelFunc
}

// timer gives the context that ends by itself, and makes it where there is none.
func (l *lazyDeadline) timer() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timed == nil {
		l.timed, l.cancel = context.WithDeadline(l.Context, l.end)
	}
	return l.timed
}

// present gives timer's context, or the caller's as long as there is none.
func (l *lazyDeadline) present() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timed == nil {
		return l.Context
	}
	return l.timed
}

// Deadline implements context.Context.
func (l *lazyDeadline) Deadline() (time.Time, bool) {
	if end, ok := l.Context.Deadline(); ok && end.Before(l.end) {
		return end, true
	}
	return l.end, true
}

// Done implements context.Context.
func (l *lazyDeadline) Done() <-chan struct{} { return l.timer().Done() }

// Err implements context.Context.
func (l *lazyDeadline) Err() error {
	if err := l.present().Err(); err != nil || time.Now().Before(l.end) {
		return err
	}
	return l.timer().Err() // it begins with its end, and stays there
}

// Value implements context.Context. By way of timer's context, package context
// ties those that are made of this one to it, without a goroutine for each.
func (l *lazyDeadline) Value(key any) any { return l.present().Value(key) }

// release stops the timer, if one runs, and ends what waits for it.
func (l *lazyDeadline) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timed != nil {
		l.cancel()
	}
}
