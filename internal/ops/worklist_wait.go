package ops

import (
	"context"
	"time"
)

// WaitList gives a tenant's operation when its work list is at its end, or as it
// then is when ctx or the time ends, or when the engine is closed. It does not
// hurry the work.
func (e *Engine) WaitList(ctx context.Context, tenant string, id int64, most time.Duration) (Operation, error) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		op, err := e.Get(tenant, id)
		if err != nil || op.Step.AtEnd() {
			return op, err
		}
		e.mu.Lock()
		var over <-chan struct{}
		if l := e.lists[id]; l != nil {
			over = l.over
		} else if t := e.turns[id]; t != nil {
			over = t.done
		}
		e.mu.Unlock()
		if over == nil {
			return e.Get(tenant, id) // nothing is at work on it; its next turn is
		}
		select {
		case <-over:
		case <-timer.C:
			return e.Get(tenant, id)
		case <-ctx.Done():
			return e.Get(tenant, id)
		}
	}
}
