package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var errBoom = errors.New("boom")

// mixed takes an id and writes number i, or fails in a way that i decides.
func mixed(tx *Tx, i int, id *int64) (err error) {
	if i == 3 {
		return fmt.Errorf("%d before it wrote: %w", i, errBoom)
	}
	if *id, err = tx.NextID("n", 100); err != nil {
		return err
	}
	if err := putN(i)(tx); err != nil {
		return err
	}
	switch i {
	case 0, 7:
		return fmt.Errorf("%d after it wrote: %w", i, errBoom)
	case 11:
		panic("boom 11")
	case 13:
		runtime.Goexit()
	}
	return nil
}

func TestAFailureIsItsCallersAndNobodyElses(t *testing.T) {
	g := openGated(t)
	ids := make([]int64, 20)
	fns := make([]func(*Tx) error, len(ids))
	for i := range fns {
		fns[i] = func(tx *Tx) error { return mixed(tx, i, &ids[i]) }
	}
	results := g.behind(t, fns...)
	g.rest(func() {
		for i, r := range results {
			err, answered := <-r
			switch i {
			case 0, 3, 7:
				if !errors.Is(err, errBoom) || !strings.HasPrefix(err.Error(), fmt.Sprint(i)) {
					t.Errorf("update %d: %v, want its own boom", i, err)
				}
			case 11:
				if err == nil || err.Error() != "panicked: boom 11" {
					t.Errorf("update %d: %v, want its own panic", i, err)
				}
			case 13:
				if answered {
					t.Errorf("update %d: answered %v, want its goroutine ended", i, err)
				}
			default:
				if err != nil {
					t.Errorf("update %d: %v", i, err)
				}
			}
		}
	})
	var good []int64
	for i, id := range ids {
		if !slices.Contains([]int{0, 3, 7, 11, 13}, i) {
			good = append(good, id)
		}
	}
	for i, id := range good {
		if id != 100+int64(i) {
			t.Errorf("ids %v, want a row from 100: those of the run that was committed", good)
			break
		}
	}
	if n := count(t, g.DB, Key("n")); n != len(good) {
		t.Errorf("%d keys, want those of the %d that succeeded", n, len(good))
	}
}

// The error of one that did not write is what it saw among the others, and is
// only right when they are committed.
func TestARefusalStandsOnlyWithTheCommitItSaw(t *testing.T) {
	taken := errors.New("taken")
	guard := func(tx *Tx) error {
		if tx.Get([]byte("guard")) != nil {
			return taken
		}
		return tx.Put([]byte("guard"), nil)
	}
	g := openGated(t)
	full := errors.New("no space left")
	results := g.behind(t, guard, guard)
	<-g.begun
	g.answer <- full
	for i, r := range results {
		if err := <-r; !errors.Is(err, full) || errors.Is(err, taken) {
			t.Errorf("update %d: %v, want the commit's error", i, err)
		}
	}
	results = g.behind(t, guard, guard)
	<-g.begun
	g.answer <- nil
	if first, second := <-results[0], <-results[1]; first != nil || second != taken {
		t.Errorf("got %v and %v, want one guard taken", first, second)
	}
}

// A batch in which very many fail must not run the others again for each.
func TestManyFailuresCostEachUpdateFewRuns(t *testing.T) {
	g := openGated(t)
	var runs atomic.Int64
	var fns []func(*Tx) error
	for i := range 200 {
		fns = append(fns, func(tx *Tx) error {
			runs.Add(1)
			if err := putN(i)(tx); err != nil || i%2 == 1 {
				return errors.Join(err, errBoom)
			}
			return nil
		})
	}
	results := g.behind(t, fns...)
	g.rest(func() {
		for i, r := range results {
			if err := <-r; (err != nil) != (i%2 == 1) {
				t.Errorf("update %d: %v", i, err)
			}
		}
	})
	if n := runs.Load(); n > 200*3 {
		t.Errorf("200 updates were run %d times", n)
	}
	if n := count(t, g.DB, Key("n")); n != 100 {
		t.Errorf("%d of 100 are there", n)
	}
}

func TestAFailedCommitIsEverybodysAndTheNextMaySucceed(t *testing.T) {
	g := openGated(t)
	full := errors.New("no space left")
	results := g.behind(t, putN(1), putN(2), putN(3))
	<-g.begun
	g.answer <- full
	for i, r := range results {
		if err := <-r; !errors.Is(err, full) || errors.Is(err, ErrUnsure) || !strings.Contains(err.Error(), g.Path()) {
			t.Errorf("update %d: %v", i, err)
		}
	}
	if n := count(t, g.DB, Key("n")); n != 0 {
		t.Errorf("%d updates of a failed commit are there", n)
	}
	g.free.Store(true)
	if err := g.Update(putN(4)); err != nil || count(t, g.DB, Key("n")) != 1 {
		t.Errorf("after a failed commit: %v", err)
	}
}

// When the last sync fails the transaction is in the file and readers see it.
func TestACommitThatFailedTooLateIsConfirmed(t *testing.T) {
	db := open(t)
	if err := db.Update(putN(1)); err != nil {
		t.Fatal(err)
	}
	var id int
	db.View(func(tx *Tx) error { id = tx.b.Tx().ID(); return nil })
	sync := errors.New("sync failed")
	if err := db.settle(id, sync); err != nil {
		t.Errorf("a transaction that can be seen: %v", err)
	}
	if err := db.settle(id+10, sync); !errors.Is(err, sync) || errors.Is(err, ErrUnsure) {
		t.Errorf("a transaction that cannot be seen: %v", err)
	}
	db.bolt.Close()
	if err := db.settle(id, sync); !errors.Is(err, sync) || !errors.Is(err, ErrUnsure) {
		t.Errorf("a transaction of which nothing can be said: %v", err)
	}
}

func TestUpdateSurvivesACallerThatPanicsOrEnds(t *testing.T) {
	db := open(t)
	for _, fn := range []func(*Tx) error{
		func(*Tx) error { panic("alone") },
		func(*Tx) error { runtime.Goexit(); return nil },
	} {
		for range start(db, fn) {
		}
		if err := db.Update(putN(1)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRunTwiceShowsAClosureThatAppends(t *testing.T) {
	db := open(t, RunTwice())
	var appended []int64
	for want := int64(1); want <= 3; want++ {
		id, err := Committed(db, func(tx *Tx) (int64, error) {
			id, err := tx.NextID("n", 1)
			appended = append(appended, id)
			return id, err
		})
		if err != nil || id != want {
			t.Errorf("got id %d, %v; want %d: the rehearsal must leave nothing", id, err, want)
		}
	}
	if len(appended) != 6 {
		t.Errorf("ran %d times, want 6", len(appended))
	}
}

func TestRunTwiceHoldsForABatchToo(t *testing.T) {
	g := openGated(t)
	g.runTwice = true
	var runs atomic.Int64
	counted := func(i int) func(*Tx) error {
		return func(tx *Tx) error { runs.Add(1); return putN(i)(tx) }
	}
	results := g.behind(t, counted(0), counted(1), counted(2))
	<-g.begun
	g.answer <- nil
	for i, r := range results {
		if err := <-r; err != nil {
			t.Errorf("update %d: %v", i, err)
		}
	}
	if n := count(t, g.DB, Key("n")); n != 3 || runs.Load() != 6 {
		t.Errorf("%d of 3 are there after %d runs", n, runs.Load())
	}
}

func TestCommittedGivesNothingWithAnError(t *testing.T) {
	full := errors.New("no space left")
	db := open(t, BeforeCommit(func() error { return full }))
	id, err := Committed(db, func(tx *Tx) (int64, error) { return tx.NextID("n", 1) })
	if id != 0 || !errors.Is(err, full) {
		t.Errorf("got %d, %v", id, err)
	}
}

// Whether the disk takes what is written is tried again when asked, since a
// store that is thought to be broken gets no other writes.
func TestHealthTellsWhenTheDiskTakesWritesAgain(t *testing.T) {
	full := errors.New("no space left on device")
	var failing atomic.Pointer[error]
	db, err := Open(filepath.Join(t.TempDir(), "store.db"), time.Second, BeforeCommit(func() error {
		if err := failing.Load(); err != nil {
			return *err
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	put := func() error { return db.Update(func(tx *Tx) error { return tx.Put([]byte("a"), nil) }) }
	if err := put(); err != nil || db.Health() != nil {
		t.Fatalf("at first: %v, %v", err, db.Health())
	}
	failing.Store(&full)
	if err := put(); !errors.Is(err, ErrCommit) || !errors.Is(err, full) {
		t.Errorf("a failed commit: %v", err)
	}
	if err := db.Health(); !errors.Is(err, full) {
		t.Errorf("Health = %v", err)
	}
	failing.Store(nil)
	if err := db.Health(); err != nil {
		t.Errorf("Health with room again = %v", err)
	}
}
