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

// Passage is an operation's coming to a step or a state.
type Passage struct {
	Step  Step
	State State
	At    time.Time
}

// mostPassed bounds what is kept: a caller may relaunch as often as it likes.
const mostPassed = 32

// pass notes where the operation has come.
func (op *Operation) pass() {
	n := len(op.Passed)
	if n > 0 && op.Passed[n-1].Step == op.Step && op.Passed[n-1].State == op.State {
		return
	}
	op.Passed = append(op.Passed[max(0, n+1-mostPassed):n:n], Passage{op.Step, op.State, op.Updated})
}
