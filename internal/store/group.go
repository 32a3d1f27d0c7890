package store

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	"go.etcd.io/bbolt"
)

// A commit costs two waits for the disk, whatever is in it. So while one
// transaction is on its way to the disk, the updates that arrive are queued, and
// all of them together are the next transaction. No timer is involved: an update
// that finds nobody writing commits at once, on its caller's goroutine.
const (
	// maxBatch and maxBatchBytes bound what one transaction takes from the
	// queue: all of it is in memory until the commit, and every caller in it
	// waits for the slowest.
	maxBatch      = 1000
	maxBatchBytes = 4 << 20
	// maxSpoilt is how many updates may spoil one batch before the rest is run
	// one by one: each costs all the others another run.
	maxSpoilt = 8
)

var (
	// ErrClosed is what a store gives after Close.
	ErrClosed = errors.New("the store is closed")
	// ErrCommit is in the error of an Update that the disk did not take.
	ErrCommit = errors.New("the disk did not take it")
	// ErrUnsure is in the error of an Update of which the disk may or may not
	// have kept all: it failed after the transaction was written out, and so did
	// the attempt to find out. Any other error means that nothing was kept.
	ErrUnsure = errors.New("it is not known whether the disk kept it")

	errNothing   = errors.New("nothing was written")
	errRehearsed = errors.New("that was the rehearsal")
)

// update is a call of Update in the queue.
type update struct {
	fn    func(*Tx) error
	done  chan struct{} // closed when err or alone is set for good
	err   error
	alone bool // its caller has to run it itself
}

// Update runs fn and commits what it wrote, durably, unless fn gives an error or
// panics; then nothing of it is written. It returns after the commit.
//
// Updates of several goroutines may share a transaction, one running after the
// other. Each sees what those before it wrote, and is only answered when all of
// that is committed. One that fails is taken out, and the others run again
// without it.
//
// So fn may be run more than once, and on another goroutine. It must do nothing
// but read and write through tx and assign to variables of its caller: assign,
// not append, count or send, and assign on every path, since what an earlier
// run left is still there. What it assigned means something only when Update
// gives nil; then it is from the run that was committed. Committed takes care of
// that. No network call belongs in fn, and no other Update or View.
func (db *DB) Update(fn func(*Tx) error) error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return fmt.Errorf("update %s: %w", db.path, ErrClosed)
	}
	db.work.Add(1)
	defer db.work.Done()
	if !db.writing {
		db.writing = true
		db.mu.Unlock()
		defer db.passOn() // whichever way fn ends
		return db.transact(fn)
	}
	u := &update{fn: fn, done: make(chan struct{})}
	db.queue = append(db.queue, u)
	db.mu.Unlock()
	if <-u.done; u.alone {
		return db.transact(fn)
	}
	return u.err
}

// Committed is Update for a closure with a result. It gives the result of the
// run that was committed, or none.
func Committed[T any](db *DB, fn func(*Tx) (T, error)) (T, error) {
	var got, none T
	err := db.Update(func(tx *Tx) (err error) {
		got, err = fn(tx)
		return err
	})
	if err != nil {
		return none, err
	}
	return got, nil
}

// passOn ends the turn of a caller that wrote by itself. What was queued
// meanwhile becomes the work of a goroutine, so that no caller is held up by
// others' updates.
func (db *DB) passOn() {
	db.mu.Lock()
	defer db.mu.Unlock()
	if len(db.queue) == 0 {
		db.writing = false
		return
	}
	db.work.Go(db.drain)
}

// drain commits batch after batch until nobody is waiting.
func (db *DB) drain() {
	for batch := db.take(); len(batch) > 0; batch = db.take() {
		db.commit(batch)
		// Those who were answered are the likeliest to come again. Letting them
		// run first makes one batch of them instead of one and a rest.
		runtime.Gosched()
	}
}

// take gives the next batch. After an empty one the next caller of Update writes
// by itself.
func (db *DB) take() []*update {
	db.mu.Lock()
	defer db.mu.Unlock()
	n := min(len(db.queue), maxBatch)
	batch := db.queue[:n:n]
	if db.queue = db.queue[n:]; len(db.queue) == 0 {
		db.queue = nil
	}
	db.writing = n > 0
	return batch
}

// commit answers every update of a batch, in as few transactions as it can.
func (db *DB) commit(batch []*update) {
	for spoilt := 0; len(batch) > 0; {
		if spoilt == maxSpoilt {
			for _, u := range batch {
				u.alone = true
				close(u.done)
			}
			return
		}
		n, spoiler, err := db.attempt(batch)
		if spoiler {
			spoilt++
			u := batch[n]
			// The first of a batch has seen nothing uncommitted, so its error is
			// its own. The others, and what did not return, run again by
			// themselves; a panic then is its caller's.
			u.alone = n > 0 || u.err == nil
			close(u.done)
			batch = slices.Delete(batch, n, n+1)
			continue
		}
		for _, u := range batch[:n] {
			if err != nil {
				u.err = err
			}
			close(u.done)
		}
		batch = batch[n:]
	}
}

// attempt runs a batch in one transaction, or as much of it as fits. It gives
// how many updates were run and what became of the commit, unless the update
// after those spoilt the transaction. One that fails before it writes spoils
// nothing, and is right in what it saw when the others are committed.
func (db *DB) attempt(batch []*update) (n int, spoiler bool, err error) {
	err = errors.New("commit: the engine panicked") // unless it returns
	ended := make(chan struct{})
	// A closure may panic, or end its goroutine (t.FailNow does). On a goroutine
	// of its own neither stops the others.
	go func() {
		defer close(ended)
		defer func() { _ = recover() }()
		err = db.transact(func(tx *Tx) error {
			n = 0
			for n < len(batch) && tx.bytes < maxBatchBytes {
				u, before := batch[n], tx.writes
				spoiler, u.err = true, nil
				if u.err = tx.run(u.fn); u.err != nil && tx.writes > before {
					return u.err
				}
				spoiler = false
				n++
			}
			return nil
		})
	}()
	<-ended
	return n, spoiler, err
}

// transact runs fn in a transaction and commits that, if fn gives no error and
// wrote anything.
func (db *DB) transact(fn func(*Tx) error) (err error) {
	db.writer.Lock()
	defer db.writer.Unlock()
	if db.runTwice {
		_ = db.bolt.Update(func(bt *bbolt.Tx) error {
			return errors.Join(fn(db.tx(bt)), errRehearsed)
		})
	}
	id, committing := 0, false
	defer func() {
		if !committing {
			return // fn failed, and neither its error nor its panic is ours
		}
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			err = db.settle(id, err)
		}
		db.commits.Add(1)
		db.noteCommit(err)
	}()
	err = db.bolt.Update(func(bt *bbolt.Tx) error {
		tx := db.tx(bt)
		if err := tx.run(fn); err != nil {
			return err
		}
		if tx.writes == 0 {
			return errNothing
		}
		id, committing = bt.ID(), true
		db.commits.Add(1)
		return db.beforeCommit()
	})
	if err == errNothing {
		return nil
	}
	return err
}

// noteCommit keeps how the last commit ended, for Health.
func (db *DB) noteCommit(err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.lastCommit = err
}

// Health tells whether the disk takes what is written: the error of the last
// commit. After one that failed it tries another, since nothing else may write
// for as long as the store is thought to be broken.
func (db *DB) Health() error {
	db.mu.Lock()
	failed := db.lastCommit != nil
	db.mu.Unlock()
	if !failed {
		return nil
	}
	return db.Update(func(tx *Tx) error { return tx.Put(Key(kindMeta, "health"), nil) })
}

// settle finds out what became of a commit that gave an error, while no other
// can begin. Mostly nothing did: the old root page still counts. But when the
// very last sync fails, the new root page is written: readers see the
// transaction, and a restart may, too. Calling that a failure would be wrong, so
// another commit, into the other root page, is made to confirm it.
func (db *DB) settle(id int, failed error) error {
	newest := id
	err := db.bolt.View(func(bt *bbolt.Tx) error {
		newest = bt.ID()
		return nil
	})
	if err == nil && newest < id {
		return fmt.Errorf("commit to %s, %w: %w", db.path, ErrCommit, failed)
	}
	if err == nil {
		err = db.bolt.Update(func(*bbolt.Tx) error { return nil })
	}
	if err != nil {
		return fmt.Errorf("commit to %s, %w, %w: %w", db.path, ErrCommit, ErrUnsure, failed)
	}
	return nil
}
