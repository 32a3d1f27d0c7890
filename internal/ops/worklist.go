package ops

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"v3gate/internal/store"
)

// A work list is for an operation that is many calls of v5, none of them paid.
// Each item has a key of its own, so the end of one writes that one only; the
// operation itself is written when its list begins and ends. What is at its end
// is looked up and not counted: in the commit that makes an operation DONE,
// every item is.

// ItemState is how far one item of a work list has come.
type ItemState string

const (
	// ItemTodo: not sent, or certainly without an effect.
	ItemTodo ItemState = "todo"
	// ItemSending: its call may be on its way, or nobody knows what became of it.
	ItemSending ItemState = "sending"
	// ItemTaken: v5 took its call, and does not show it yet; see Kind.AwaitItem.
	ItemTaken   ItemState = "taken"
	ItemDone    ItemState = "done"
	ItemFailed  ItemState = "failed"  // refused, or tried too often
	ItemSkipped ItemState = "skipped" // no longer wanted, or not begun
)

// AtEnd tells whether the item will not change any more.
func (s ItemState) AtEnd() bool { return s == ItemDone || s == ItemFailed || s == ItemSkipped }

// Item is one call of a work list.
type Item struct {
	// Name is what it is about, such as a fqdn and a role. No two of a list have
	// the same one. It is shown in last_error.
	Name string
	// Request is what the kind sends. All that makes the content of an item
	// another must be in it, be it the number of a version: items of equal name
	// and request are the same item. It is wiped at the item's end.
	Request json.RawMessage `json:",omitempty"`

	// The rest is the engine's.

	State     ItemState
	Tries     int       `json:",omitempty"`
	Sent      int       `json:",omitempty"` // the last try that may have sent it
	LastError string    `json:",omitempty"`
	NotBefore time.Time `json:",omitzero"`
	// Then is the request that is to follow when the one that is on its way has
	// ended; see Replace.
	Then json.RawMessage `json:",omitempty"`
	// Doubt: it failed, and nobody knows whether it happened; see LostError.
	Doubt bool `json:",omitempty"`
	// Digest is that of the request that was done.
	Digest []byte `json:",omitempty"`

	// N is the item's place in its list.
	N int64 `json:"-"`
	// Loaded is what WantItem read for this one send.
	Loaded any `json:"-"`
}

// Work is the standing of an operation's work list; zero where there is none.
type Work struct {
	Next  int64 // places count from 1; the next list's items go on from here
	Begun bool  // what comes before the list is done
	// Settled: what comes before the list is written down as true; see Kind.Sequel.
	Settled bool `json:",omitempty"`
	// Resolved: an operator has said that what was in doubt happened.
	Resolved bool `json:",omitempty"`
}

// SkipError ends an item of a work list that is no longer wanted. It is nobody's
// failure.
type SkipError struct{ Reason string }

func (e *SkipError) Error() string { return e.Reason }

// LaterError puts an item of a work list off: it cannot be sent yet. It counts as
// a try, so that nothing waits for ever.
type LaterError struct{ Reason string }

func (e *LaterError) Error() string { return e.Reason }

// LostError ends an item of which nobody knows whether it happened, and which must
// not be sent again. Its operation goes to SUPPORT, and keeps its name.
type LostError struct{ Reason string }

func (e *LostError) Error() string { return e.Reason }

// ListOf is a work list that is known beforehand, for Intent.Items.
func ListOf(items ...Item) func(*store.Tx) ([]Item, error) {
	return func(*store.Tx) ([]Item, error) { return items, nil }
}

// Items calls fn for the items of a tenant's operation, in their order.
func (e *Engine) Items(tenant string, id int64, fn func(Item) error) error {
	if _, err := e.Get(tenant, id); err != nil {
		return err
	}
	return e.db.View(func(tx *store.Tx) error {
		return eachItem(tx, id, func(it *Item) error { return fn(*it) })
	})
}

// Replace gives an operation that is not at its end another work list, made as
// Intent.Items is. It takes the place of all that was not sent yet. An item that
// is on its way, or that nobody knows the outcome of, ends first; when the new
// list names it with another request, that is then done in its place. What is
// done and asked for with the same request stays done. ErrStep when the
// operation is at its end or has no list.
func (e *Engine) Replace(tenant string, id int64, items func(*store.Tx) ([]Item, error)) (Operation, error) {
	op, err := store.Committed(e.db, func(tx *store.Tx) (Operation, error) {
		op, err := load(tx, id)
		switch {
		case err != nil:
			return Operation{}, err
		case op.Tenant != tenant:
			return Operation{}, ErrForeign
		case op.Step.AtEnd() || op.Work.Next == 0:
			return Operation{}, ErrStep
		}
		op.Updated = e.opt.Now().UTC()
		err = errors.Join(stock(tx, op, items), store.PutJSON(tx, store.OpKey(id), op))
		return *op, err
	})
	if err == nil {
		e.wakeList(id)
	}
	return op, err
}

// joined lets an intent replace the rest of a list of the same name that is at
// work, and gives that operation; nil where there is none.
func (e *Engine) joined(tx *store.Tx, in Intent) (*Operation, error) {
	if in.List == "" {
		return nil, nil
	}
	id := store.GetID(tx, store.OpListKey(in.Tenant, in.List))
	if id == 0 {
		return nil, nil
	}
	op, err := load(tx, id)
	if err != nil {
		return nil, fmt.Errorf("read work list %s: %w", in.List, err)
	}
	if op.Kind != in.Kind {
		return nil, &BusyError{FQDN: in.List, ID: id, Type: op.Type}
	}
	op.Params, op.Infos, op.Fingerprint, op.Request = in.Params, in.Infos, in.Fingerprint, in.Request
	op.Updated = e.opt.Now().UTC()
	return op, errors.Join(stock(tx, op, in.Items), put(tx, op, false))
}

// restock gives an operation that is set going again the list of its new intent.
// One that had a list must not lose it in silence.
func (e *Engine) restock(op Operation, in Intent) error {
	if in.Items == nil && op.Work.Next == 0 {
		return nil
	}
	kind := e.kinds[in.Kind]
	if err := kind.accepts(in); err != nil {
		return err
	}
	if in.Items == nil {
		return fmt.Errorf("relaunch operation %d: it has a work list and the intent has none", op.ID)
	}
	return e.db.Update(func(tx *store.Tx) error {
		op, err := load(tx, op.ID)
		if err != nil {
			return err
		}
		holder := store.GetID(tx, store.OpListKey(op.Tenant, op.List))
		if op.List != "" && holder != 0 {
			return &BusyError{FQDN: op.List, ID: holder, Type: op.Type}
		}
		op.Work.Begun = false
		return errors.Join(stock(tx, op, in.Items), store.PutJSON(tx, store.OpKey(op.ID), op))
	})
}

// accepts checks an intent's list against its kind.
func (k *Kind) accepts(in Intent) error {
	switch {
	case in.Items != nil && k.DoItem == nil:
		return fmt.Errorf("submit: kind %q has no work lists", in.Kind)
	case in.Items == nil && k.Send == nil:
		return fmt.Errorf("submit: kind %q is nothing without a work list", in.Kind)
	case in.List != "" && k.Send != nil:
		return fmt.Errorf("submit: a work list that follows a call cannot be named")
	}
	return nil
}

// follows checks an intent that is written without a caller.
func (k Kind) follows(in Intent) error {
	if k.Send != nil || in.Items == nil || in.List == "" {
		return fmt.Errorf("follow: kind %q is no named work list", in.Kind)
	}
	return k.accepts(in)
}

// weigh decides, in the commit that would make an operation DONE, whether its
// work list lets it: while items are left it goes on with those, and when some
// failed it is in ERROR.
func (e *Engine) weigh(tx *store.Tx, op *Operation) error {
	if op.Step != Done || op.Work.Next == 0 {
		return nil
	}
	kind := e.kinds[op.Kind]
	sequential := kind.Sequential
	op.Work.Begun = op.Work.Begun || kind.Sequel
	left, failed, doubtful := 0, 0, 0
	var named []string
	err := eachItem(tx, op.ID, func(it *Item) error {
		switch {
		case it.State == ItemFailed && it.Doubt && op.Work.Resolved:
		case it.State == ItemFailed:
			if it.Doubt {
				doubtful++
			}
			if failed++; failed <= mostNamed {
				named = append(named, clipped(it.Name)+": "+clipped(it.LastError))
			}
		case !it.State.AtEnd():
			if left++; !sequential || failed == 0 {
				return store.Stop
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case left > 0 && (!sequential || failed == 0):
		if op.Step, op.Work.Begun = Run, true; op.Started.IsZero() {
			op.Started = op.Updated
		}
		return nil
	case failed == 0:
		return nil
	}
	text := strings.Join(named, "; ")
	if more := failed - len(named); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	if left > 0 {
		text += fmt.Sprintf("; %d after that not begun", left)
	}
	if kind.Sequel {
		text = "the domain is bought and stays so; what had to follow is not done: " + text
	}
	if op.Step, op.LastError = Error, text; doubtful > 0 {
		op.Step, op.State = Support, Unknown
	}
	return nil
}

// mostNamed and mostText bound what last_error says of items that failed.
const (
	mostNamed = 5
	mostText  = 150
)

func clipped(s string) string {
	if r := []rune(s); len(r) > mostText {
		return string(r[:mostText]) + "…"
	}
	return s
}
