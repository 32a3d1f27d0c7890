package store

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// gated is a store whose commits wait for permission, so that a test knows what
// is in the queue.
type gated struct {
	*DB
	begun  chan struct{} // one for each commit that waits
	answer chan error    // what becomes of it
	free   atomic.Bool   // commits wait no longer
}

func openGated(t *testing.T) *gated {
	g := &gated{begun: make(chan struct{}), answer: make(chan error)}
	g.DB = open(t, BeforeCommit(func() error {
		if g.free.Load() {
			return nil
		}
		g.begun <- struct{}{}
		return <-g.answer
	}))
	return g
}

// behind starts fns in order while a commit is under way, so that they are the
// next batch.
func (g *gated) behind(t *testing.T, fns ...func(*Tx) error) []chan error {
	t.Helper()
	first := start(g.DB, func(tx *Tx) error { return tx.Put([]byte("first"), nil) })
	<-g.begun
	var results []chan error
	for i, fn := range fns {
		results = append(results, start(g.DB, fn))
		g.queued(t, i+1)
	}
	g.answer <- nil
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	return results
}

func start(db *DB, fn func(*Tx) error) chan error {
	result := make(chan error, 1)
	go func() {
		defer close(result) // with nothing in it after a Goexit
		defer func() {
			if p := recover(); p != nil {
				result <- fmt.Errorf("panicked: %v", p)
			}
		}()
		result <- db.Update(fn)
	}()
	return result
}

func (g *gated) queued(t *testing.T, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		g.mu.Lock()
		have := len(g.queue)
		g.mu.Unlock()
		if have == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d updates are queued, want %d", have, n)
		}
	}
}

// rest lets everything through and counts the commits.
func (g *gated) rest(done func()) (commits int) {
	ended := make(chan struct{})
	go func() { defer close(ended); done() }()
	for {
		select {
		case <-g.begun:
			commits++
			g.answer <- nil
		case <-ended:
			return commits
		}
	}
}

func putN(i int) func(*Tx) error {
	return func(tx *Tx) error { return PutID(tx, Key("n", int64(i)), int64(i)) }
}

func count(t *testing.T, db *DB, prefix []byte) (n int) {
	t.Helper()
	err := db.View(func(tx *Tx) error {
		return tx.Scan(prefix, func(_, _ []byte) error { n++; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestALoneWriterCommitsOnceOnItsOwnGoroutine(t *testing.T) {
	var commits int
	db := open(t, BeforeCommit(func() error { commits++; return nil }))
	id := func() (id int) {
		db.View(func(tx *Tx) error { id = tx.b.Tx().ID(); return nil })
		return id
	}
	before := id()
	for i := range 10 {
		var stack [4096]byte
		err := db.Update(func(tx *Tx) error {
			if here := string(stack[:runtime.Stack(stack[:], false)]); !strings.Contains(here, t.Name()+"(") {
				t.Errorf("ran on another goroutine:\n%s", here)
			}
			return putN(i)(tx)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := id() - before; got != 10 || commits != 10 {
		t.Errorf("10 updates made %d transactions and %d commits", got, commits)
	}
	if err := db.Update(func(*Tx) error { return nil }); err != nil || id()-before != 10 {
		t.Errorf("an update that wrote nothing was committed (%v)", err)
	}
}

func TestWhatQueuedDuringACommitIsTheNextOne(t *testing.T) {
	g := openGated(t)
	var fns []func(*Tx) error
	for i := range 50 {
		fns = append(fns, putN(i))
	}
	results := g.behind(t, fns...)
	<-g.begun
	for i, r := range results {
		select {
		case err := <-r:
			t.Fatalf("update %d was answered (%v) before its commit", i, err)
		default:
		}
	}
	if n := count(t, g.DB, Key("n")); n != 0 {
		t.Errorf("%d updates can be seen before their commit", n)
	}
	g.answer <- nil
	for _, r := range results {
		if err := <-r; err != nil {
			t.Error(err)
		}
	}
	if n := count(t, g.DB, Key("n")); n != 50 {
		t.Errorf("%d of 50 are there", n)
	}
	g.free.Store(true)
	if err := g.Update(putN(50)); err != nil {
		t.Errorf("after the queue was empty: %v", err)
	}
}

func TestABatchIsBoundedInUpdatesAndBytes(t *testing.T) {
	for _, tt := range []struct{ updates, bytes, commits int }{
		{updates: 2*maxBatch + 1, bytes: 10, commits: 3},
		{updates: 10, bytes: maxBatchBytes / 4, commits: 3},
		{updates: 2, bytes: 2 * maxBatchBytes, commits: 2},
	} {
		g := openGated(t)
		var fns []func(*Tx) error
		for i := range tt.updates {
			fns = append(fns, func(tx *Tx) error { return tx.Put(Key("n", int64(i)), make([]byte, tt.bytes)) })
		}
		results := g.behind(t, fns...)
		commits := g.rest(func() {
			for _, r := range results {
				if err := <-r; err != nil {
					t.Error(err)
				}
			}
		})
		if commits != tt.commits || count(t, g.DB, Key("n")) != tt.updates {
			t.Errorf("%+v: %d commits, %d updates", tt, commits, count(t, g.DB, Key("n")))
		}
	}
}

func TestCloseWaitsForTheQueueAndLeavesNothingRunning(t *testing.T) {
	g := openGated(t)
	results := g.behind(t, putN(1), putN(2), func(tx *Tx) error { tx.Put([]byte("x"), nil); panic("x") })
	<-g.begun
	results = append(results, start(g.DB, putN(3)))
	g.queued(t, 1)
	closed := make(chan error, 1)
	go func() { closed <- g.Close() }()
	for closing := false; !closing; runtime.Gosched() {
		g.mu.Lock()
		closing = g.closed
		g.mu.Unlock()
	}
	select {
	case err := <-closed:
		t.Fatalf("Close gave %v with updates in the queue", err)
	case <-time.After(20 * time.Millisecond):
	}
	g.free.Store(true)
	g.answer <- nil
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if err := <-r; (err != nil) != (i == 2) {
			t.Errorf("update %d: %v", i, err)
		}
	}
	for name, err := range map[string]error{
		"Update": g.Update(putN(5)), "View": g.View(func(*Tx) error { return nil }),
	} {
		if !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), "closed") || !strings.Contains(err.Error(), g.Path()) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	if err := g.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	noGoroutines(t)
	again, err := Open(g.Path(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if n := count(t, again, Key("n")); n != 3 {
		t.Errorf("%d of 3 are there", n)
	}
}

// noGoroutines looks for any that this package's DB still runs.
func noGoroutines(t *testing.T) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		all := string(stacks[:runtime.Stack(stacks, true)])
		if !strings.Contains(all, "store.(*DB)") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left running:\n%s", all)
		}
	}
}

func TestUpdatesAreWhatTheyWereInSequence(t *testing.T) {
	db := open(t)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 20 {
				if err := db.Update(func(tx *Tx) error {
					return PutID(tx, []byte("sum"), GetID(tx, []byte("sum"))+1)
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	db.View(func(tx *Tx) error {
		if sum := GetID(tx, []byte("sum")); sum != 32*20 {
			t.Errorf("sum %d, want %d", sum, 32*20)
		}
		return nil
	})
}
