package ops

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"v3gate/internal/store"
)

// stock makes a work list the operation's, or takes it for the rest of the one
// it has.
func stock(tx *store.Tx, op *Operation, list func(*store.Tx) ([]Item, error)) error {
	if list == nil {
		return nil
	}
	items, err := list(tx)
	if err != nil {
		return err
	}
	fresh, err := byName(items)
	if err != nil {
		return err
	}
	op.Work.Next = max(op.Work.Next, 1)
	if err := giveWay(tx, op, fresh); err != nil {
		return err
	}
	for _, given := range items {
		request, ok := fresh[given.Name]
		if !ok {
			continue // one that is there already stands for it
		}
		it := &Item{Name: given.Name, Request: request, State: ItemTodo, N: op.Work.Next}
		if err := putItem(tx, op.ID, it); err != nil {
			return err
		}
		op.Work.Next++
	}
	return nil
}

// byName gives the requests of items, in the form in which they are stored.
func byName(items []Item) (map[string]json.RawMessage, error) {
	requests := make(map[string]json.RawMessage, len(items))
	for _, it := range items {
		if _, twice := requests[it.Name]; twice || it.Name == "" {
			return nil, fmt.Errorf("make work list: item %q is there twice, or has no name", it.Name)
		}
		request, err := json.Marshal(it.Request) // nil is null
		if err != nil {
			return nil, fmt.Errorf("make work list: request of item %q: %w", it.Name, err)
		}
		requests[it.Name] = request
	}
	return requests, nil
}

// giveWay takes the items there are out of the way of fresh ones, and those out
// of fresh that an item there is stands for.
func giveWay(tx *store.Tx, op *Operation, fresh map[string]json.RawMessage) error {
	// A list that was replaced often has its items far apart.
	there, err := allItems(tx, op.ID)
	if err != nil {
		return err
	}
	for _, it := range there {
		request, again := fresh[it.Name]
		switch {
		case it.State == ItemSending:
			delete(fresh, it.Name)
			if it.Then = nil; again && !bytes.Equal(request, it.Request) {
				it.Then = request
			}
			err = putItem(tx, op.ID, it)
		case it.State == ItemTaken && (!again || bytes.Equal(request, it.Request)):
			delete(fresh, it.Name)
		case it.State == ItemDone && again && bytes.Equal(digest(request), it.Digest):
			delete(fresh, it.Name)
		case it.State == ItemDone && !again:
		default:
			err = tx.Delete(store.OpItemKey(op.ID, it.N))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func digest(request json.RawMessage) []byte {
	sum := sha256.Sum256(request)
	return sum[:16]
}

// end sets an item at its end.
func (it *Item) end(state ItemState, text string) {
	if state == ItemDone {
		it.Digest = digest(it.Request)
	}
	it.State, it.LastError = state, text
	it.Request, it.Then, it.NotBefore = nil, nil, time.Time{}
}

// succeed puts the request that is to follow in the place of the one before. It
// is to be sent even if v5 shows it: the one before may be about to change that.
func (it *Item) succeed() {
	it.State, it.Request, it.Then, it.LastError = ItemTodo, it.Then, nil, ""
	it.Tries, it.Sent = 0, 0
}

// loadItem gives nil where there is none.
func loadItem(tx *store.Tx, id, n int64) (*Item, error) {
	it := &Item{N: n}
	ok, err := store.GetJSON(tx, store.OpItemKey(id, n), it)
	if err != nil || !ok {
		return nil, err
	}
	return it, nil
}

func putItem(tx *store.Tx, id int64, it *Item) error {
	return store.PutJSON(tx, store.OpItemKey(id, it.N), it)
}

func eachItem(tx *store.Tx, id int64, fn func(*Item) error) error {
	return tx.Scan(store.OpItemsPrefix(id), func(key, value []byte) error {
		it := &Item{N: store.TrailingID(key)}
		if err := json.Unmarshal(value, it); err != nil {
			return fmt.Errorf("read %q: %w", key, err)
		}
		return fn(it)
	})
}

// putWork keeps what belongs to a work list true to its operation: the name is
// taken until the end, and nothing of what was not begun is kept after it.
func putWork(tx *store.Tx, op *Operation) error {
	if op.Work.Next == 0 {
		return nil
	}
	if op.List != "" {
		key := store.OpListKey(op.Tenant, op.List)
		holder := store.GetID(tx, key)
		switch {
		case op.Step.AtEnd() && holder == op.ID:
			if err := tx.Delete(key); err != nil {
				return err
			}
		case !op.Step.AtEnd() && holder == 0:
			if err := store.PutID(tx, key, op.ID); err != nil {
				return err
			}
		}
	}
	if !op.Step.AtEnd() || op.Step == Done {
		return nil
	}
	left, err := allItems(tx, op.ID)
	for _, it := range left {
		if !it.State.AtEnd() {
			it.end(ItemSkipped, "the operation ended before")
			err = errors.Join(err, putItem(tx, op.ID, it))
		}
	}
	return err
}

// allItems reads a list for who is going to write it.
func allItems(tx *store.Tx, id int64) (all []*Item, err error) {
	err = eachItem(tx, id, func(it *Item) error { all = append(all, it); return nil })
	return all, err
}

// dropItems takes the items of an operation out of the store, in commits that
// are not too large, while it is as it was archived.
func (e *Engine) dropItems(archived *Operation) error {
	for left := archived.Work.Next > 0; left; {
		err := e.db.Update(func(tx *store.Tx) error {
			left = false
			op, err := load(tx, archived.ID)
			if errors.Is(err, ErrUnknown) || err == nil && !(op.Step.AtEnd() && op.Updated.Equal(archived.Updated)) {
				return nil
			}
			if err != nil {
				return err
			}
			var keys [][]byte
			err = tx.Scan(store.OpItemsPrefix(op.ID), func(key, _ []byte) error {
				if keys = append(keys, bytes.Clone(key)); len(keys) == 2*pruneBatch {
					return store.Stop
				}
				return nil
			})
			left = len(keys) == 2*pruneBatch
			for _, key := range keys {
				err = errors.Join(err, tx.Delete(key))
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("drop items of operation %d: %w", archived.ID, err)
		}
	}
	return nil
}
