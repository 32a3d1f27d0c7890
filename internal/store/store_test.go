package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func open(t testing.TB, options ...Option) *DB {
	t.Helper()
	db, err := Open(filepath.Join(t.TempDir(), "store.db"), time.Second, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestOpenIsPrivateAndExclusive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	db, err := Open(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", fi.Mode(), err)
	}
	if _, err := Open(path, time.Millisecond); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("second open: %v, want an error that names %s", err, path)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path, time.Second)
	if err != nil {
		t.Fatalf("open after close: %v", err)
	}
	again.Close()
}

func TestOpenRefusesANewerSchemaAndForeignFiles(t *testing.T) {
	db := open(t)
	db.Update(func(tx *Tx) error { return tx.Put(Key(kindMeta, "schema"), []byte("99")) })
	if err := db.migrate(migrations); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("newer schema: %v", err)
	}
	path := filepath.Join(t.TempDir(), "x")
	os.WriteFile(path, []byte(strings.Repeat("not a store", 1000)), 0o600)
	if _, err := Open(path, time.Second); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("foreign file: %v", err)
	}
}

func TestMigrationsRunOnceInOrderOrNotAtAll(t *testing.T) {
	db := open(t)
	var ran []int
	step := func(n int, err error) migration {
		return func(tx *Tx, _ Records) error {
			ran = append(ran, n)
			return errors.Join(err, tx.Put(Key("x", int64(n)), nil))
		}
	}
	broken := append(migrations[:len(migrations):len(migrations)], step(1, nil), step(2, errors.New("no")))
	if err := db.migrate(broken); err == nil {
		t.Fatal("a failing migration was taken")
	}
	db.View(func(tx *Tx) error {
		if tx.Get(Key("x", int64(1))) != nil {
			t.Error("half a migration was committed")
		}
		return nil
	})
	ran = nil
	whole := append(migrations[:len(migrations):len(migrations)], step(1, nil), step(2, nil))
	for range 2 {
		if err := db.migrate(whole); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(ran, []int{1, 2}) {
		t.Errorf("ran %v, want each step once", ran)
	}
}

// A store of version 1 has one contact a content, and no list of a tenant's.
func TestContactsOfVersion1AreIndexed(t *testing.T) {
	for _, ring := range []*Ring{nil, NewRing(sealKey(t, 1))} {
		path := filepath.Join(t.TempDir(), "store.db")
		db, err := Open(path, time.Second, WithKeys(ring))
		if err != nil {
			t.Fatal(err)
		}
		populate(t, db, 3)
		err = db.Update(func(tx *Tx) error {
			var made [][]byte
			for _, kind := range []string{kindContactContent, kindContactTenant, kindOpAbout} {
				tx.ScanKeys(Key(kind), func(k []byte) error { made = append(made, bytes.Clone(k)); return nil })
			}
			var errs []error
			for _, k := range made {
				errs = append(errs, tx.Delete(k))
			}
			return errors.Join(append(errs, tx.Put(Key(kindMeta, "schema"), []byte("1")),
				tx.Put(Key(kindContactContent, "acme", tx.Digest("Zebulon")), []byte("AB1-GANDI")))...)
		})
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, time.Second, WithKeys(ring)); err == nil || !strings.Contains(err.Error(), "start the gateway") {
			t.Fatalf("without records: %v", err)
		}
		if db, err = Open(path, time.Second, WithKeys(ring), WithRecords(someRecords())); err != nil {
			t.Fatal(err)
		}
		if found := checked(t, db, false); len(found) > 0 {
			t.Errorf("sealed %t: %q", ring != nil, found)
		}
		db.View(func(tx *Tx) error {
			var first []string
			tx.Scan(ContactContentPrefix("acme", tx.Digest("Zebulon")), func(_, v []byte) error { first = append(first, string(v)); return nil })
			if !slices.Equal(first, []string{"AB1-GANDI", "AB2-GANDI"}) {
				t.Errorf("content leads to %v", first)
			}
			return nil
		})
		db.Close()
	}
}

func TestAFailedUpdateWritesNothing(t *testing.T) {
	db := open(t)
	boom := errors.New("boom")
	err := db.Update(func(tx *Tx) error {
		if _, err := tx.NextID("n", 5); err != nil {
			return err
		}
		return errors.Join(tx.Put([]byte("a"), []byte("1")), boom)
	})
	if !errors.Is(err, boom) {
		t.Fatalf("Update = %v", err)
	}
	db.Update(func(tx *Tx) error {
		if tx.Get([]byte("a")) != nil {
			t.Error("the write stayed")
		}
		if id, _ := tx.NextID("n", 5); id != 5 {
			t.Errorf("the counter moved to %d", id)
		}
		return nil
	})
}

func TestNextIDStartsAtFirstAndNeverRepeats(t *testing.T) {
	db := open(t)
	var got []int64
	for _, first := range []int64{1000, 1000, 500, 2000} {
		id, err := Committed(db, func(tx *Tx) (int64, error) { return tx.NextID("op", first) })
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, id)
	}
	if want := []int64{1000, 1001, 1002, 2000}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestScansKeepOrderAndPrefix(t *testing.T) {
	db := open(t)
	err := db.Update(func(tx *Tx) error {
		for _, k := range [][]byte{
			OpTenantKey("a", 2), OpTenantKey("a", 1), OpTenantKey("a", 300), OpTenantKey("b", 1),
			OpTenantKey("a\x00", 7), OpTenantKey("aa", 1), Key("zz"),
		} {
			if err := tx.Put(k, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var up, down, first []int64
	db.View(func(tx *Tx) error {
		tx.Scan(OpTenantPrefix("a"), func(k, v []byte) error {
			if v == nil {
				t.Error("an empty value reads as absent")
			}
			up = append(up, TrailingID(k))
			return nil
		})
		tx.ScanBack(OpTenantPrefix("a"), func(k, _ []byte) error { down = append(down, TrailingID(k)); return nil })
		return tx.ScanBack(OpTenantPrefix("a"), func(k, _ []byte) error { first = append(first, TrailingID(k)); return Stop })
	})
	if want := []int64{1, 2, 300}; !slices.Equal(up, want) {
		t.Errorf("up %v, want %v", up, want)
	}
	if want := []int64{300, 2, 1}; !slices.Equal(down, want) {
		t.Errorf("down %v, want %v", down, want)
	}
	if !slices.Equal(first, []int64{300}) {
		t.Errorf("Stop did not stop: %v", first)
	}
}

// The engine's own cursor ends at a page that was emptied in the transaction.
func TestScansPassPagesEmptiedInTheSameTransaction(t *testing.T) {
	db := open(t)
	err := db.Update(func(tx *Tx) error {
		for id := range int64(3000) {
			if err := tx.Put(OpOpenKey(id), make([]byte, 50)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *Tx) error {
		var want []int64
		for id := range int64(3000) {
			if id%1000 == 7 {
				want = append(want, id)
			} else if err := tx.Delete(OpOpenKey(id)); err != nil {
				return err
			}
		}
		var up, down []int64
		if err := tx.Scan(OpOpenPrefix(), func(k, _ []byte) error { up = append(up, TrailingID(k)); return nil }); err != nil {
			return err
		}
		if err := tx.ScanBack(OpOpenPrefix(), func(k, _ []byte) error { down = append(down, TrailingID(k)); return nil }); err != nil {
			return err
		}
		if slices.Reverse(down); !slices.Equal(up, want) || !slices.Equal(down, want) {
			t.Errorf("up %v, down in reverse %v, want %v", up, down, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPutIsReadBackInTheSameTransactionAsAfterIt(t *testing.T) {
	db := open(t)
	check := func(tx *Tx) error {
		if v := tx.Get([]byte("empty")); v == nil || len(v) != 0 {
			t.Errorf("an empty value reads as %#v", v)
		}
		if v := tx.Get([]byte("kept")); string(v) != "1" {
			t.Errorf("a value changed with its caller's slice to %q", v)
		}
		return nil
	}
	err := db.Update(func(tx *Tx) error {
		v := []byte("1")
		err := errors.Join(tx.Put([]byte("empty"), nil), tx.Put([]byte("kept"), v))
		v[0] = '2'
		return errors.Join(err, check(tx))
	})
	if err != nil {
		t.Fatal(err)
	}
	db.View(check)
}

func TestOpeningWritesNothingWhenTheSchemaIsCurrent(t *testing.T) {
	db := open(t)
	path := db.Path()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	if after, err := os.ReadFile(path); err != nil || !slices.Equal(before, after) {
		t.Errorf("opening changed the file (%v)", err)
	}
}

func TestKeyStringsReadsBackHostileParts(t *testing.T) {
	want := []string{kindUses, "H\x00\x01X", "", "é.com", "\x00\xff"}
	got := KeyStrings(Key(want[0], want[1], want[2], want[3], want[4]))
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJSONValues(t *testing.T) {
	db := open(t)
	db.Update(func(tx *Tx) error {
		if ok, err := GetJSON(tx, []byte("j"), new(int)); ok || err != nil {
			t.Errorf("absent: %v, %v", ok, err)
		}
		if err := PutJSON(tx, []byte("j"), 7); err != nil {
			t.Error(err)
		}
		var n int
		if ok, err := GetJSON(tx, []byte("j"), &n); !ok || err != nil || n != 7 {
			t.Errorf("read %d, %v, %v", n, ok, err)
		}
		tx.Put([]byte("j"), []byte("{"))
		if _, err := GetJSON(tx, []byte("j"), &n); err == nil {
			t.Error("broken JSON was read")
		}
		return nil
	})
}

func TestScanFromStaysInItsPrefix(t *testing.T) {
	db := open(t)
	err := db.Update(func(tx *Tx) error {
		return errors.Join(tx.Put(OpKey(9), nil), tx.Put(OpOpenKey(1), nil), tx.Put(OpOpenKey(3), nil),
			tx.Put(OpOpenKey(5), nil), tx.Put(OpTenantKey("a", 7), nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		start []byte
		want  []int64
	}{
		{nil, []int64{1, 3, 5}}, {OpKey(9), []int64{1, 3, 5}}, {OpOpenPrefix(), []int64{1, 3, 5}},
		{OpOpenKey(3), []int64{3, 5}}, {OpOpenKey(4), []int64{5}}, {OpOpenKey(6), nil}, {OpTenantKey("a", 7), nil}, {[]byte{0xff}, nil},
	} {
		var got []int64
		err := db.View(func(tx *Tx) error {
			return tx.ScanFrom(OpOpenPrefix(), c.start, func(k, _ []byte) error { got = append(got, TrailingID(k)); return nil })
		})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("from %s: %v, %v, want %v", Readable(c.start), got, err, c.want)
		}
	}
}
