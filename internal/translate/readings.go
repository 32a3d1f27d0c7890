package translate

import (
	"context"
	"errors"
	"sync"

	"v3gate/internal/v5"
)

// readings lets callers who ask for the same domain at the same time share one
// request to v5, of which there are few to be had.
//
// A caller joins only a reading that was begun in the present epoch of the book:
// one who has just been told that an operation is DONE is not given what v5 said
// before.
type readings struct {
	mu   sync.Mutex
	open map[readingKey]*reading
}

type readingKey struct {
	tenant, fqdn string
	epoch        uint64
}

// reading is one request under way. The caller who began it makes it in its own
// time, and the others wait for done.
type reading struct {
	done   chan struct{} // nil as long as nobody waits
	told   bool          // whether v5 has decided its end, and not its caller's time
	domain *v5.Domain    // shared: not to be changed
	err    error
}

// do gives what read gives, to this caller or to one who began before. Nobody
// waits longer than its own ctx allows. When the caller who makes the request
// gives up or runs out of time, one of the others makes it anew.
func (rs *readings) do(ctx context.Context, key readingKey, read func(context.Context) (*v5.Domain, error)) (*v5.Domain, error) {
	for {
		r, done := rs.join(key)
		if done == nil {
			return rs.lead(ctx, key, r, read)
		}
		select {
		case <-done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if r.told {
			return r.domain, r.err
		}
	}
}

// join finds the open reading of a key, and what tells its end; or it opens one,
// for which there is nothing to wait.
func (rs *readings) join(key readingKey) (r *reading, done <-chan struct{}) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r = rs.open[key]; r != nil {
		if r.done == nil {
			r.done = make(chan struct{})
		}
		return r, r.done
	}
	if rs.open == nil {
		rs.open = map[readingKey]*reading{}
	}
	r = &reading{}
	rs.open[key] = r
	return r, nil
}

// lead makes the request.
func (rs *readings) lead(ctx context.Context, key readingKey, r *reading, read func(context.Context) (*v5.Domain, error)) (*v5.Domain, error) {
	defer func() { // also after a panic
		rs.mu.Lock()
		defer rs.mu.Unlock()
		delete(rs.open, key)
		if r.done != nil {
			close(r.done)
		}
	}()
	r.domain, r.err = read(ctx)
	r.told = r.err == nil || ctx.Err() == nil && !errors.Is(r.err, context.DeadlineExceeded)
	return r.domain, r.err
}
