package store

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func TestABackupDuringWritesIsWhole(t *testing.T) {
	db := open(t)
	var acked [8]atomic.Int64
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for w := range acked {
		writers.Go(func() {
			for n := int64(1); ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				err := db.Update(func(tx *Tx) error {
					return errors.Join(
						tx.Put(Key("a", int64(w), n), make([]byte, 300)), PutID(tx, Key("last", int64(w)), n))
				})
				if err != nil {
					t.Error(err)
					return
				}
				acked[w].Store(n)
			}
		})
	}
	for range 4 {
		time.Sleep(30 * time.Millisecond)
		var before [len(acked)]int64
		for w := range acked {
			before[w] = acked[w].Load()
		}
		copied := restore(t, db)
		sound(t, copied)
		for w := range acked {
			var last int64
			copied.View(func(tx *Tx) error { last = GetID(tx, Key("last", int64(w))); return nil })
			if n := int64(count(t, copied, Key("a", int64(w)))); last < before[w] || n != last {
				t.Errorf("writer %d: %d entries, the last is %d, %d were acknowledged before", w, n, last, before[w])
			}
		}
		if err := copied.Update(putN(1)); err != nil {
			t.Error(err)
		}
		copied.Close()
	}
	close(stop)
	writers.Wait()
}

// sound runs the engine's own check over every page.
func sound(t *testing.T, db *DB) {
	t.Helper()
	db.bolt.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Errorf("the file is damaged: %v", err)
		}
		return nil
	})
}

// restore backs db up into a file and opens that.
func restore(t *testing.T, db *DB) *DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup.db")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := db.Backup(f)
	if err != nil {
		t.Fatal(err)
	}
	if fi, err := f.Stat(); err != nil || fi.Size() != n {
		t.Errorf("a backup of %d bytes says it has %d (%v)", fi.Size(), n, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	copied, err := Open(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

// stuck takes nothing until it is released.
type stuck struct {
	*os.File
	begun   sync.Once
	reached chan struct{}
	release chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	s.begun.Do(func() { close(s.reached) })
	<-s.release
	return s.File.Write(p)
}

// The file grows by much while the backup stands still. An engine that has to
// map it anew would stop everybody until the backup ends.
func TestABackupThatStandsStillStopsNobody(t *testing.T) {
	db := open(t)
	if err := db.Update(putN(1)); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "backup.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := &stuck{File: f, reached: make(chan struct{}), release: make(chan struct{})}
	backed := make(chan error, 1)
	go func() { _, err := db.Backup(w); backed <- err }()
	<-w.reached
	wrote := make(chan error, 1)
	go func() {
		var err error
		for i := range 32 {
			err = errors.Join(err,
				db.Update(func(tx *Tx) error { return tx.Put(Key("big", int64(i)), make([]byte, 1<<20)) }),
				db.View(func(*Tx) error { return nil }))
		}
		wrote <- err
	}()
	select {
	case err := <-wrote:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("updates wait for the backup")
	}
	close(w.release)
	if err := <-backed; err != nil {
		t.Fatal(err)
	}
	copied, err := Open(f.Name(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if n, big := count(t, copied, Key("n")), count(t, copied, Key("big")); n != 1 || big != 0 {
		t.Errorf("the backup has %d of 1 from before it began and %d from after", n, big)
	}
}

func TestABackupThatFailsSaysSoAndHoldsNothing(t *testing.T) {
	db := open(t)
	if err := db.Update(putN(1)); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(db.Path()) // not for writing
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := db.Backup(f); err == nil {
		t.Error("a backup that was not written succeeded")
	}
	if n := db.bolt.Stats().OpenTxN; n != 0 {
		t.Errorf("%d snapshots are held", n)
	}
	db.Close()
	if _, err := db.Backup(f); !errors.Is(err, ErrClosed) {
		t.Errorf("backup after Close: %v", err)
	}
}

func TestStatsShowFreePages(t *testing.T) {
	db := open(t)
	big := func(tx *Tx) error { return tx.Put([]byte("big"), make([]byte, 1<<20)) }
	drop := func(tx *Tx) error { return tx.Delete([]byte("big")) }
	if err := errors.Join(db.Update(big), db.Update(drop)); err != nil {
		t.Fatal(err)
	}
	s := db.Stats()
	fi, err := os.Stat(db.Path())
	if err != nil {
		t.Fatal(err)
	}
	free := int64(s.FreePages) * int64(s.PageSize)
	if s.PageSize != os.Getpagesize() || free < 1<<20 || free > s.FileBytes || s.FileBytes > fi.Size() {
		t.Errorf("%+v of a file of %d bytes with 1 MiB freed", s, fi.Size())
	}
	db.Close()
	if s := db.Stats(); s != (Stats{}) {
		t.Errorf("after Close: %+v", s)
	}
}
