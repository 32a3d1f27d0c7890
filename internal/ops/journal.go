package ops

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"v3gate/internal/store"
)

// Intent is what a handler asks the journal to carry out. Everything in it is
// checked already; what is left is to send it.
type Intent struct {
	Tenant string
	Type   string // v3's operation type
	Kind   string
	Source string
	FQDN   string
	Params json.RawMessage
	Infos  Infos
	// Fingerprint must be equal for two calls that ask for the same thing, and
	// differ whenever a parameter does.
	Fingerprint string
	// Once names what may be done once only; see Operation.
	Once    string
	Request json.RawMessage
	// Basis is what the request was made from, kept for Options.Settle and Follow.
	Basis json.RawMessage
	// Items makes the work list of a kind that has them, in the commit of the
	// intent: what it reads is what the list stands for, and what it writes is
	// written with it. It may be run twice.
	Items func(*store.Tx) ([]Item, error)
	// List names what a work list is about, where its kind has no call of its
	// own: while the tenant's list of that name is at work, this intent replaces
	// the rest of it, and no other operation begins.
	List string
	// Still tells, in the commit of the intent, whether that holds yet what it was
	// made from; its error is given back and nothing is written. nil where nothing
	// can have changed. It may be run twice and must not write.
	Still func(*store.Tx) error
	// Nothing tells that v5 already is as the caller wants it: no call is made
	// and the operation is DONE at once.
	Nothing bool

	taken bool // v5 has taken the call already; see Check
}

// load reads an operation; ErrUnknown when there is none.
func load(tx *store.Tx, id int64) (*Operation, error) {
	var op Operation
	ok, err := store.GetJSON(tx, store.OpKey(id), &op)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrUnknown
	}
	return &op, nil
}

// put writes an operation and its indexes, all in the caller's transaction.
func put(tx *store.Tx, op *Operation, guards bool) error {
	if op.Step.AtEnd() {
		op.Request = nil
	}
	op.pass()
	open := func() error {
		about := store.OpAboutKey(op.Tenant, op.FQDN, op.ID)
		if op.Step.AtEnd() {
			return errors.Join(tx.Delete(store.OpOpenKey(op.ID)), tx.Delete(about))
		}
		return errors.Join(tx.Put(store.OpOpenKey(op.ID), nil), tx.Put(about, nil))
	}
	guard := func() error {
		key := store.OpGuardKey(op.FQDN)
		holder := store.GetID(tx, key)
		switch {
		case guards && op.Open() && holder != op.ID:
			// One that comes back from v5's SUPPORT may find another in its
			// place, which must not lose the name.
			if other, err := load(tx, holder); err == nil && other.Open() {
				return nil
			}
			return store.PutID(tx, key, op.ID)
		case !(guards && op.Open()) && holder == op.ID:
			return tx.Delete(key)
		}
		return nil
	}
	return errors.Join(
		store.PutJSON(tx, store.OpKey(op.ID), op),
		tx.Put(store.OpTenantKey(op.Tenant, op.ID), nil),
		open(), guard(), spend(tx, op), putWork(tx, op))
}

// spend keeps what may be done once: it is spent when the request may be on its
// way, and free again only after a definite no.
func spend(tx *store.Tx, op *Operation) error {
	if op.Once == "" {
		return nil
	}
	key := store.OpOnceKey(op.FQDN, op.Once)
	holder := store.GetID(tx, key)
	sent := op.State == Sending || op.State == Unknown || op.State == Accepted
	switch {
	case sent && holder == 0:
		return store.PutID(tx, key, op.ID)
	case !sent && holder == op.ID:
		return tx.Delete(key)
	}
	return nil
}

// held looks who holds the name of a paid intent: nobody (nil, nil), the same
// call (that operation), or something else (BusyError).
func held(tx *store.Tx, in Intent) (*Operation, error) {
	id := store.GetID(tx, store.OpGuardKey(in.FQDN))
	if id == 0 {
		return nil, nil
	}
	op, err := load(tx, id)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read guard of %s: %w", in.FQDN, err)
	case !op.Open():
		return nil, nil
	case op.Tenant != in.Tenant:
		return nil, &BusyError{FQDN: in.FQDN}
	case op.Type == in.Type && op.Fingerprint == in.Fingerprint:
		return op, nil
	}
	return nil, &BusyError{FQDN: in.FQDN, ID: op.ID, Type: op.Type}
}

// intend commits the intent: the first of the two commits that precede the
// socket. When the same call is open already, that operation is given back and
// fresh is false.
func (e *Engine) intend(in Intent, baseline json.RawMessage) (op Operation, fresh bool, err error) {
	kind := e.kinds[in.Kind]
	now := e.opt.Now().UTC()
	if err := kind.accepts(in); err != nil {
		return op, false, err
	}
	var next []Operation
	err = e.db.Update(func(tx *store.Tx) (err error) {
		next = nil
		running, err := e.joined(tx, in)
		if kind.guards() && !in.Nothing && !in.taken {
			running, err = made(tx, in)
		}
		if err != nil {
			return err
		}
		if fresh = running == nil; !fresh {
			op = *running
			return nil
		}
		if in.Still != nil && !in.taken {
			if err := in.Still(tx); err != nil {
				return err
			}
		}
		if op, err = e.draft(tx, in, now); err != nil {
			return err
		}
		op.Baseline = baseline
		switch {
		case in.Nothing || kind.Send == nil && op.Work.Next == 1:
			op.Step, op.State, op.Started = Done, Accepted, now
			next, err = e.write(tx, &op)
			return err
		case in.taken:
			op.State, op.Sends, op.Started = Accepted, 1, now
			if kind.Forget != nil {
				op.Request = kind.Forget(op.Request)
			}
		}
		return put(tx, &op, kind.guards())
	})
	if err != nil {
		return Operation{}, false, err // what op holds was not committed
	}
	if !fresh && op.Work.Next > 0 {
		e.wakeList(op.ID)
	}
	e.begun(next)
	if fresh {
		e.count("", &op)
		switch {
		case in.taken:
			e.schedule(op.ID, time.Second)
		case !op.Step.AtEnd():
			e.markUnsent(op.ID)
			e.schedule(op.ID, time.Minute) // lest its caller never comes to its first turn
		}
	}
	return op, fresh, err
}

// draft makes the operation of an intent, with its work list.
func (e *Engine) draft(tx *store.Tx, in Intent, now time.Time) (op Operation, err error) {
	op = Operation{
		Tenant: in.Tenant, Type: in.Type, Kind: in.Kind, Step: Wait, Source: in.Source,
		FQDN: in.FQDN, Params: in.Params, Infos: in.Infos,
		Created: now, Updated: now, State: Intended,
		Fingerprint: in.Fingerprint, Once: in.Once, Request: in.Request, Basis: in.Basis, List: in.List,
	}
	if e.kinds[in.Kind].Paid {
		op.Step = Bill
	}
	if op.ID, err = tx.NextID("operation", e.opt.FirstID); err != nil {
		return op, err
	}
	if op.Session, err = tx.NextID("session", e.opt.FirstID); err != nil {
		return op, err
	}
	return op, stock(tx, &op, in.Items)
}

// change commits one change that the engine itself makes of an operation and
// gives it as it then is; after an error, as it was. An operation at its end does
// not change by itself: mutate then has no effect.
func (e *Engine) change(op Operation, mutate func(*Operation)) (Operation, error) {
	return e.commit(op, Step.AtEnd, mutate)
}

// revise is change for callers and operators, who may take an operation out of
// ERROR. DONE and CANCEL never change.
func (e *Engine) revise(op Operation, mutate func(*Operation)) (Operation, error) {
	return e.commit(op, Step.Final, mutate)
}

// commit writes a change unless the operation's step is closed to it. Becoming
// DONE settles, in the same commit, what the operation was about. What mutate
// leaves as it was is not written.
func (e *Engine) commit(op Operation, closed func(Step) bool, mutate func(*Operation)) (Operation, error) {
	same := op
	if mutate(&same); reflect.DeepEqual(same, op) {
		return op, nil
	}
	var after Operation
	var before Step
	var next []Operation
	err := e.db.Update(func(tx *store.Tx) error {
		next = nil
		op, err := load(tx, op.ID)
		if err != nil {
			return err
		}
		before = op.Step
		if !closed(op.Step) {
			mutate(op)
			op.Updated = e.opt.Now().UTC()
			if next, err = e.write(tx, op); err != nil {
				return err
			}
		}
		after = *op
		return nil
	})
	if err != nil {
		return op, fmt.Errorf("journal operation %d: %w", op.ID, err)
	}
	if before != after.Step {
		e.count(before, &after)
	}
	e.begun(next)
	return after, nil
}

// write puts an operation, which is DONE only when its work list is; that
// settles what it was about, and begins what has to follow. A purchase with a
// sequel is settled when that begins.
func (e *Engine) write(tx *store.Tx, op *Operation) (next []Operation, err error) {
	if err := e.weigh(tx, op); err != nil {
		return nil, err
	}
	kind := e.kinds[op.Kind]
	bought := kind.Sequel && op.Work.Begun
	settles := !op.Work.Settled && (op.Step == Done || bought)
	op.Work.Settled = op.Work.Settled || bought
	if err := put(tx, op, kind.guards()); err != nil {
		return nil, err
	}
	if !settles {
		return nil, nil
	}
	if err := e.opt.Settle(tx, op); err != nil || e.opt.Follow == nil {
		return nil, err
	}
	intents, err := e.opt.Follow(tx, op)
	for _, in := range intents {
		if err == nil {
			next, err = e.follow(tx, in, next)
		}
	}
	return next, err
}

func (e *Engine) get(id int64) (op Operation, err error) {
	err = e.db.View(func(tx *store.Tx) error {
		found, err := load(tx, id)
		if err == nil {
			op = *found
		}
		return err
	})
	return op, err
}

// Find gives an operation of whichever tenant, for operators.
func (e *Engine) Find(id int64) (Operation, error) { return e.get(id) }

// Get gives a tenant's operation: ErrUnknown or ErrForeign when it is not to be
// had.
func (e *Engine) Get(tenant string, id int64) (Operation, error) {
	op, err := e.get(id)
	if err == nil && op.Tenant != tenant {
		return Operation{}, ErrForeign
	}
	return op, err
}

// List calls fn for the tenant's operations, the oldest first, or the newest
// first with newest. fn may give store.Stop to end early.
func (e *Engine) List(tenant string, newest bool, fn func(Operation) error) error {
	return e.list(store.OpTenantPrefix(tenant), newest, fn)
}

// ListOpen is List for the operations that are not at their end. It reads none of
// the others, however many there are.
func (e *Engine) ListOpen(tenant string, newest bool, fn func(Operation) error) error {
	return e.list(store.OpOpenPrefix(), newest, func(op Operation) error {
		if op.Tenant != tenant {
			return nil
		}
		return fn(op)
	})
}

func (e *Engine) list(index []byte, newest bool, fn func(Operation) error) error {
	return e.db.View(func(tx *store.Tx) error {
		scan := tx.Scan
		if newest {
			scan = tx.ScanBack
		}
		return scan(index, func(key, _ []byte) error {
			op, err := load(tx, store.TrailingID(key))
			if err != nil {
				return err
			}
			return fn(*op)
		})
	})
}

// Tally is how many operations there are of each type and step, and how long
// the oldest open one has been open.
func (e *Engine) Tally() (counts map[[2]string]int, oldest time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	counts = make(map[[2]string]int, len(e.counts))
	for k, n := range e.counts {
		counts[k] = n
	}
	now := e.opt.Now()
	for _, s := range e.open {
		oldest = max(oldest, now.Sub(s.Created))
	}
	return counts, oldest
}

// count keeps the tally true after a commit.
func (e *Engine) count(before Step, op *Operation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if before != "" {
		e.counts[[2]string{op.Type, string(before)}]--
	}
	e.counts[[2]string{op.Type, string(op.Step)}]++
	if op.Step.AtEnd() {
		delete(e.open, op.ID)
	} else {
		e.open[op.ID] = Standing{ID: op.ID, Type: op.Type, Step: op.Step, Created: op.Created, Since: op.Updated}
	}
}
