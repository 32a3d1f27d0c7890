package ops

import "time"

// Standing is where an operation that is not at its end stands.
type Standing struct {
	ID      int64
	Type    string
	Step    Step
	Created time.Time
	// Since is when it came to the step. For one that an earlier process brought
	// there it is when that last wrote it, which may be later.
	Since time.Time
}

// Standings are those of all tenants, in no order. No store is read.
func (e *Engine) Standings() []Standing {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := make([]Standing, 0, len(e.open))
	for _, s := range e.open {
		list = append(list, s)
	}
	return list
}
