//go:build linux

package store

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	childRole  = flag.String("child", "", "what this process does instead of tests: fill, write or rekey")
	childStore = flag.String("child-store", "", "the file it does it to")
)

func TestMain(m *testing.M) {
	flag.Parse()
	switch *childRole {
	case "":
		os.Exit(m.Run())
	case "fill":
		fill(*childStore)
	case "write":
		write(*childStore)
	case "rekey":
		rekeyForEver(*childStore)
	}
}

// child starts this test program in another role.
func child(t *testing.T, role, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-child="+role, "-child-store="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

// say writes a line in one piece, which a pipe keeps whole even when the process
// is killed.
func say(format string, args ...any) {
	os.Stdout.Write(fmt.Appendf(nil, format+"\n", args...))
}

func fatal(format string, args ...any) {
	say("bad "+format, args...)
	os.Exit(1)
}

// entry is what a child writes and says: a number of a writer's own. It is
// written twice, with an id, and into its batch, that is, its transaction.
type entry struct{ writer, n, id int64 }

func (e entry) put(tx *Tx, size int) (int64, error) {
	id, err := tx.NextID("entry", 1)
	batch := int64(tx.b.Tx().ID())
	return id, errors.Join(err,
		tx.Put(Key("a", e.writer, e.n, id), make([]byte, size)),
		tx.Put(Key("b", e.writer, e.n, id), make([]byte, size)),
		tx.Put(Key("batch", batch, id), nil),
		PutID(tx, Key("batch-size", batch), GetID(tx, Key("batch-size", batch))+1))
}

// whole looks whether exactly whole entries and whole batches are there, and all
// that were acknowledged.
func whole(t *testing.T, db *DB, acked []entry) {
	t.Helper()
	err := db.View(func(tx *Tx) error {
		for _, e := range acked {
			for _, kind := range []string{"a", "b"} {
				if tx.Get(Key(kind, e.writer, e.n, e.id)) == nil {
					t.Errorf("%v was acknowledged and is not there", e)
				}
			}
		}
		n := map[string]int64{}
		for _, kind := range []string{"a", "b", "batch"} {
			tx.Scan(Key(kind), func(_, _ []byte) error { n[kind]++; return nil })
		}
		tx.Scan(Key("batch-size"), func(k, v []byte) error {
			var in int64
			tx.Scan(Key("batch", TrailingID(k)), func(_, _ []byte) error { in++; return nil })
			if in != TrailingID(v) {
				t.Errorf("%d of %d of a batch are there", in, TrailingID(v))
			}
			return nil
		})
		if last := GetID(tx, Key(kindCounter, "entry")); n["a"] != last || n["b"] != last || n["batch"] != last {
			t.Errorf("%d ids were given, there are %v entries", last, n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// write has many writers write and say so, until it is killed.
func write(path string) {
	db, err := Open(path, 5*time.Second)
	if err != nil {
		fatal("open: %v", err)
	}
	for w := range int64(16) {
		go func() {
			for n := int64(0); ; n++ {
				id, err := Committed(db, func(tx *Tx) (int64, error) { return entry{writer: w, n: n}.put(tx, 100) })
				if err != nil {
					fatal("update: %v", err)
				}
				say("ack %d %d %d", w, n, id)
			}
		}()
	}
	select {}
}

func TestKilledAmongWritersKeepsAllItAcknowledged(t *testing.T) {
	path := t.TempDir() + "/store.db"
	var acked []entry
	for range 5 {
		cmd, lines := child(t, "write", path)
		for until := len(acked) + 100 + rand.IntN(1500); lines.Scan(); {
			var e entry
			if _, err := fmt.Sscanf(lines.Text(), "ack %d %d %d", &e.writer, &e.n, &e.id); err != nil {
				t.Fatalf("the child says %q", lines.Text())
			}
			if acked = append(acked, e); len(acked) == until {
				cmd.Process.Kill() // and read what it said until then
			}
		}
		cmd.Wait()
		db, err := Open(path, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		whole(t, db, acked)
		sound(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func limitFiles(bytes uint64) {
	var l syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l)
	if l.Cur = min(bytes, l.Max); err == nil {
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l)
	}
	if err != nil {
		fatal("limit the size of files: %v", err)
	}
}

// fill has writers write until the disk is full, looks what the store then does,
// and ends without closing it.
func fill(path string) {
	signal.Ignore(syscall.SIGXFSZ)
	limitFiles(10 << 20)
	db, err := Open(path, 5*time.Second)
	if err != nil {
		fatal("open: %v", err)
	}
	var acked atomic.Int64
	var writers sync.WaitGroup
	add := func(e entry, size int) error {
		id, err := Committed(db, func(tx *Tx) (int64, error) { return e.put(tx, size) })
		if err == nil {
			acked.Add(1)
			say("ack %d %d %d", e.writer, e.n, id)
		}
		return err
	}
	for w := range int64(8) {
		writers.Go(func() {
			for n := int64(0); ; n++ {
				if err := add(entry{writer: w, n: n}, 5000); err != nil {
					say("full %v", err)
					return
				}
			}
		})
	}
	writers.Wait()
	look := func() {
		var n int64
		err := db.View(func(tx *Tx) error {
			return tx.Scan(Key("a"), func(_, _ []byte) error { n++; return nil })
		})
		if err != nil || n != acked.Load() {
			fatal("a view shows %d of %d, %v", n, acked.Load(), err)
		}
	}
	look()
	if err := db.Close(); err != nil {
		fatal("close: %v", err)
	}
	if db, err = Open(path, 5*time.Second); err != nil {
		fatal("open on a full disk: %v", err)
	}
	look()
	if err := add(entry{writer: 8}, 5<<20); err == nil {
		fatal("the disk was not full")
	}
	limitFiles(1 << 40)
	if err := add(entry{writer: 9}, 5<<20); err != nil {
		fatal("update when there is room again: %v", err)
	}
	os.Exit(0)
}

func TestAFullDiskLosesNothing(t *testing.T) {
	path := t.TempDir() + "/store.db"
	cmd, lines := child(t, "fill", path)
	var acked []entry
	full := 0
	for lines.Scan() {
		var e entry
		switch word, rest, _ := strings.Cut(lines.Text(), " "); word {
		case "ack":
			if _, err := fmt.Sscan(rest, &e.writer, &e.n, &e.id); err != nil {
				t.Fatal(err)
			}
			acked = append(acked, e)
		case "full":
			if full++; !strings.Contains(rest, "file too large") || strings.Contains(rest, ErrUnsure.Error()) {
				t.Errorf("a full disk gives: %s", rest)
			}
		default:
			t.Errorf("the child says %q", lines.Text())
		}
	}
	if err := cmd.Wait(); err != nil || full != 8 || len(acked) < 100 {
		t.Errorf("%v; %d of 8 writers found the disk full, %d updates before", err, full, len(acked))
	}
	db, err := Open(path, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	whole(t, db, acked)
	sound(t, db)
	if n := count(t, db, Key("a")); n != len(acked) {
		t.Errorf("%d entries are there, %d were acknowledged", n, len(acked))
	}
	if _, err := db.Backup(io.Discard); err != nil {
		t.Error(err)
	}
}
