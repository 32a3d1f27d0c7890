package ops

import "v3gate/internal/store"

// follow writes the intent of a work list that another operation has made needed,
// in the commit that made it so. It gives the operations to begin with it.
func (e *Engine) follow(tx *store.Tx, in Intent, next []Operation) ([]Operation, error) {
	if err := e.kinds[in.Kind].follows(in); err != nil {
		return next, err
	}
	op, err := e.joined(tx, in)
	if err != nil {
		return next, err
	}
	if op == nil {
		fresh, err := e.draft(tx, in, e.opt.Now().UTC())
		if err != nil || fresh.Work.Next == 1 { // nothing is to be done
			return next, err
		}
		if err := put(tx, &fresh, false); err != nil {
			return next, err
		}
		op = &fresh
	}
	return append(next, *op), nil
}

// begun begins what was written with the end of another operation.
func (e *Engine) begun(next []Operation) {
	for _, op := range next {
		e.mu.Lock()
		_, known := e.open[op.ID]
		e.mu.Unlock()
		if !known {
			e.count("", &op)
		}
		e.wakeList(op.ID)
	}
}
