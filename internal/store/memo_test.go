package store

import (
	"encoding/binary"
	"errors"
	"sync"
	"testing"
)

func putNumber(tx *Tx, n uint64) error {
	return tx.Put([]byte("n"), binary.BigEndian.AppendUint64(nil, n))
}

func readNumber(tx *Tx, key string) (uint64, error) {
	value := tx.Get([]byte(key))
	if value == nil {
		return 0, errors.New("it is not there")
	}
	return binary.BigEndian.Uint64(value), nil
}

func TestMemoFollowsTheStore(t *testing.T) {
	db := open(t)
	var m Memo[string, uint64]
	reads := 0
	get := func() uint64 {
		t.Helper()
		n, err := m.Get(db, "n", func(tx *Tx, key string) (uint64, error) { reads++; return readNumber(tx, key) })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := m.Get(db, "n", readNumber); err == nil {
		t.Error("there is a value before one was put")
	}
	if err := db.Update(func(tx *Tx) error { return putNumber(tx, 1) }); err != nil {
		t.Fatal(err)
	}
	if a, b := get(), get(); a != 1 || b != 1 || reads != 1 {
		t.Errorf("%d, %d with %d reads", a, b, reads)
	}
	if err := db.Update(func(tx *Tx) error { return errors.Join(putNumber(tx, 2), errors.New("no")) }); err == nil {
		t.Fatal("the update did not fail")
	}
	if n := get(); n != 1 || reads != 1 {
		t.Errorf("%d with %d reads after an update that failed", n, reads)
	}
	if err := db.Update(func(tx *Tx) error { return putNumber(tx, 3) }); err != nil {
		t.Fatal(err)
	}
	if n := get(); n != 3 || reads != 2 {
		t.Errorf("%d with %d reads after a change", n, reads)
	}
}

// While a commit is on its way nothing is kept: the reader may be on either side
// of it.
func TestMemoDuringACommit(t *testing.T) {
	g := openGated(t)
	g.free.Store(true)
	if err := g.Update(func(tx *Tx) error { return putNumber(tx, 1) }); err != nil {
		t.Fatal(err)
	}
	g.free.Store(false)
	var m Memo[string, uint64]
	done := start(g.DB, func(tx *Tx) error { return putNumber(tx, 2) })
	<-g.begun
	if n, err := m.Get(g.DB, "n", readNumber); n != 1 || err != nil || len(m.kept) != 0 {
		t.Errorf("%d, %v with %d kept during the commit", n, err, len(m.kept))
	}
	g.answer <- nil
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n, err := m.Get(g.DB, "n", readNumber); n != 2 || err != nil || len(m.kept) != 1 {
		t.Errorf("%d, %v with %d kept after the commit", n, err, len(m.kept))
	}
}

// A reader never sees an older value than one it has seen, and sees its own
// writes, whoever else fills the memo.
func TestMemoAmongWriters(t *testing.T) {
	db := open(t)
	if err := db.Update(func(tx *Tx) error { return putNumber(tx, 0) }); err != nil {
		t.Fatal(err)
	}
	var m Memo[string, uint64]
	get := func() uint64 {
		n, err := m.Get(db, "n", readNumber)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	var readers sync.WaitGroup
	written := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for last := uint64(0); ; {
				n := get()
				if n < last {
					t.Errorf("%d after %d", n, last)
					return
				}
				last = n
				select {
				case <-written:
					return
				default:
				}
			}
		})
	}
	for i := range uint64(200) {
		if err := db.Update(func(tx *Tx) error { return putNumber(tx, i) }); err != nil {
			t.Error(err)
		}
		if n := get(); n != i {
			t.Errorf("%d after %d was written", n, i)
		}
	}
	close(written)
	readers.Wait()
}

func TestMemoIsBounded(t *testing.T) {
	var m Memo[int, int]
	for i := range 2*mostKept + 1 {
		if m.keep(i, kept[int]{value: -i}); m.kept[i].value != -i || len(m.kept) > mostKept {
			t.Fatalf("%d of %d", i, len(m.kept))
		}
	}
}

// cloned is a key that tells of its clones.
type cloned struct {
	name string
	copy bool
}

func (c cloned) Clone() cloned { return cloned{c.name, true} }

// A key that was cut out of a larger text does not hold on to that.
func TestMemoKeepsCloneOfKey(t *testing.T) {
	db := open(t)
	var m Memo[cloned, int]
	if _, err := m.Get(db, cloned{name: "a"}, func(*Tx, cloned) (int, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	if _, ok := m.kept[cloned{"a", true}]; !ok || len(m.kept) != 1 {
		t.Errorf("kept %v", m.kept)
	}
}
