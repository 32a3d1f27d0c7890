package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// content is all that a store holds, as its callers see it.
func content(t *testing.T, path string, ring *Ring) map[string]string {
	t.Helper()
	db, err := Inspect(path, time.Second, WithKeys(ring))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := map[string]string{}
	err = db.View(func(tx *Tx) error {
		return tx.Scan(nil, func(k, v []byte) error { all[string(k)] = string(v); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func equalMaps(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: %s is %q, want %q", what, Readable([]byte(k)), got[k], v)
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d keys, want %d", what, len(got), len(want))
	}
}

func TestCompactKeepsAllAndFreesWhatIsFree(t *testing.T) {
	for _, ring := range []*Ring{nil, NewRing(sealKey(t, 1))} {
		db := open(t, WithKeys(ring))
		populate(t, db, 200)
		big := make([]byte, 8<<20)
		if err := errors.Join(
			db.Update(func(tx *Tx) error { return tx.Put(OpKey(90), append(big, "Wilhelmina"...)) }),
			db.Update(func(tx *Tx) error { return tx.Delete(OpKey(90)) }), db.Close()); err != nil {
			t.Fatal(err)
		}
		before := content(t, db.Path(), ring)
		done, err := Compact(t.Context(), db.Path(), time.Second) // without the key
		if err != nil {
			t.Fatal(err)
		}
		if done.Before < 8<<20 || done.After > 1<<20 || done.After != sizeOf(db.Path()) || done.Keys != len(before) {
			t.Errorf("%+v of %d keys, now %d bytes", done, len(before), sizeOf(db.Path()))
		}
		equalMaps(t, "compacted", content(t, db.Path(), ring), before)
		if inFile(t, db.Path(), "Wilhelmina") {
			t.Error("what was deleted is still in the file")
		}
		if fi, err := os.Stat(db.Path()); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", fi.Mode(), err)
		}
		leftAlone(t, db.Path())
		again, err := Open(db.Path(), time.Second, WithKeys(ring))
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Update(putN(1)); err != nil {
			t.Error(err)
		}
		again.Close()
	}
}

// leftAlone looks that nothing is beside a store.
func leftAlone(t *testing.T, path string) {
	t.Helper()
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(list) != 1 {
		t.Errorf("beside the store: %v, %v", list, err)
	}
}

func TestCompactRefusesWhatIsInUseAndMakesNothing(t *testing.T) {
	db := open(t)
	populate(t, db, 1)
	if _, err := Compact(t.Context(), db.Path(), 20*time.Millisecond); !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "stop that gateway") {
		t.Errorf("in use: %v", err)
	}
	if err := db.Update(putN(1)); err != nil {
		t.Error(err)
	}
	absent := filepath.Join(t.TempDir(), "absent.db")
	if _, err := Compact(t.Context(), absent, time.Second); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	db.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Compact(ctx, db.Path(), time.Second); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	leftAlone(t, db.Path())
}

// Whoever waited for the lock while the file was replaced must get the new one.
func TestOpenDoesNotWriteToAFileThatWasReplaced(t *testing.T) {
	db := open(t)
	populate(t, db, 1)
	held := make(chan struct{})
	go func() {
		defer close(held)
		waiting, err := Open(db.Path(), 10*time.Second)
		if err != nil {
			t.Error(err)
			return
		}
		defer waiting.Close()
		if n := count(t, waiting, Key("n")); n != 1 || waiting.Replaced() {
			t.Errorf("it got the old file: %d, %t", n, waiting.Replaced())
		}
	}()
	time.Sleep(50 * time.Millisecond)
	copied := restore(t, db)
	if err := errors.Join(copied.Update(putN(1)), copied.Close(), os.Rename(copied.Path(), db.Path())); err != nil {
		t.Fatal(err)
	}
	if !db.Replaced() {
		t.Error("it is not noticed that the file was replaced")
	}
	db.Close()
	<-held
}

func TestCompactFollowsALink(t *testing.T) {
	db := open(t)
	populate(t, db, 1)
	db.Close()
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(db.Path(), link); err != nil {
		t.Fatal(err)
	}
	if _, err := Compact(t.Context(), link, time.Second); err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Lstat(link); err != nil || fi.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", fi.Mode(), err)
	}
	leftAlone(t, db.Path())
}

// The store goes from the clear to one key, to another, and back. At each stop
// all is there and consistent, and nothing of what is sealed is in the file.
func TestRekeySealsRotatesAndUnseals(t *testing.T) {
	db := open(t)
	populate(t, db, 300)
	// What was there once is in free pages.
	named := func(name string) error {
		return db.Update(func(tx *Tx) error {
			return PutJSON(tx, ContactKey("AB2-GANDI"), someContact{2, "AB2-GANDI", "acme", name})
		})
	}
	if err := errors.Join(named("Wilhelmina"), named("Zebulon"), db.Close()); err != nil {
		t.Fatal(err)
	}
	path := db.Path()
	if !inFile(t, path, "Quackenbush 7") || !inFile(t, path, "Wilhelmina") {
		t.Fatal("the test itself is wrong")
	}
	plain := content(t, path, nil)
	a, b := NewRing(sealKey(t, 1)), NewRing(sealKey(t, 2))
	var before *Ring
	for _, now := range []*Ring{a, b, nil, b} {
		done, err := Rekey(t.Context(), path, time.Second, before, now, someRecords())
		if err != nil || done.AsItWas || done.LeftOut != 0 || (now == nil) != (done.Sealed == "") {
			t.Fatalf("%+v, %v", done, err)
		}
		got := content(t, path, now)
		if now != nil {
			if mark := string(sealMark()); got[mark] != now.keys[0].id {
				t.Errorf("marked with %q", got[mark])
			}
			delete(got, string(sealMark()))
			for _, text := range []string{"Quackenbush", "Wilhelmina", "Zebulon", `"Tenant"`} {
				if inFile(t, path, text) {
					t.Errorf("%s is in the file", text)
				}
			}
			if !inFile(t, path, "AB1-GANDI") || !inFile(t, path, "a.net") {
				t.Error("keys are not readable")
			}
		}
		want := map[string]string{}
		for k, v := range plain {
			if e, _ := parse([]byte(k)); e.kind == kindContactContent && now != nil {
				k = string(ContactContentKey(e.strings[0], (&sealing{with: &now.keys[0]}).digest(e.strings[1]), e.numbers[0]))
			}
			want[k] = v
		}
		equalMaps(t, "rekeyed", got, want)
		opened, err := Open(path, time.Second, WithKeys(now))
		if err != nil {
			t.Fatal(err)
		}
		if found := checked(t, opened, false); len(found) > 0 {
			t.Errorf("found %q", found)
		}
		opened.Close()
		again, err := Rekey(t.Context(), path, time.Second, before, now, someRecords())
		if err != nil || !again.AsItWas {
			t.Errorf("once more: %+v, %v", again, err)
		}
		before = now
	}
	leftAlone(t, path)
}

func TestRekeyRefusesWithoutTheOldKey(t *testing.T) {
	a, b, c := NewRing(sealKey(t, 1)), NewRing(sealKey(t, 2)), NewRing(sealKey(t, 3))
	db := open(t, WithKeys(a))
	populate(t, db, 3)
	if _, err := Rekey(t.Context(), db.Path(), 10*time.Millisecond, a, b, someRecords()); !errors.Is(err, ErrHeld) {
		t.Errorf("in use: %v", err)
	}
	db.Close()
	before, _ := os.ReadFile(db.Path())
	for _, to := range []*Ring{b, nil} {
		if _, err := Rekey(t.Context(), db.Path(), time.Second, nil, to, someRecords()); !errors.Is(err, ErrSealed) || !strings.Contains(err.Error(), "--old-key-file") {
			t.Errorf("without the old key: %v", err)
		}
		if _, err := Rekey(t.Context(), db.Path(), time.Second, c, to, someRecords()); !errors.Is(err, ErrWrongKey) {
			t.Errorf("with a wrong old key: %v", err)
		}
	}
	if after, _ := os.ReadFile(db.Path()); string(before) != string(after) {
		t.Error("the file changed")
	}
	leftAlone(t, db.Path())
}

// An index that leads nowhere cannot be made anew; it is left out, and said.
// A value that does not open stops it all.
func TestRekeyOfADamagedStore(t *testing.T) {
	db := open(t)
	populate(t, db, 3)
	err := db.Update(func(tx *Tx) error {
		return errors.Join(tx.Put(ContactContentKey("acme", "nobody", 1), []byte("ZZ1-GANDI")), tx.Put(ContactContentKey("acme", "other", 1), []byte("AB1-GANDI")))
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	a, b := NewRing(sealKey(t, 1)), NewRing(sealKey(t, 2))
	done, err := Rekey(t.Context(), db.Path(), time.Second, nil, a, someRecords())
	if err != nil || done.LeftOut != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	again, err := Open(db.Path(), time.Second, WithKeys(a))
	if err != nil {
		t.Fatal(err)
	}
	again.seal = nil // put it in the clear
	if err := errors.Join(again.Update(func(tx *Tx) error { return tx.Put(OpKey(21), []byte("{}")) }), again.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Rekey(t.Context(), db.Path(), time.Second, a, b, someRecords()); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "op 21") {
		t.Errorf("a damaged value: %v", err)
	}
	leftAlone(t, db.Path())
}

func TestABackupSkipsNumbersWhenItComesIntoUse(t *testing.T) {
	db := open(t)
	err := db.Update(func(tx *Tx) error {
		_, err := tx.NextID("operation", 1_000_000_000)
		return errors.Join(err, PutID(tx, Key(kindCounter, "full"), 1<<31-1))
	})
	if err != nil {
		t.Fatal(err)
	}
	if taken, err := db.TakeIntoUse(); err != nil || !taken.IsZero() {
		t.Errorf("a store in use was taken for a backup of %v, %v", taken, err)
	}
	copied := restore(t, db)
	copied.Close()
	at := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	if err := StampBackup(copied.Path(), at); err != nil {
		t.Fatal(err)
	}
	used, err := Open(copied.Path(), time.Second, RunTwice())
	if err != nil {
		t.Fatal(err)
	}
	defer used.Close()
	for i, want := range []time.Time{at, {}} {
		if taken, err := used.TakeIntoUse(); err != nil || !taken.Equal(want) {
			t.Errorf("time %d: taken %v, %v", i, taken, err)
		}
	}
	id, err := Committed(used, func(tx *Tx) (int64, error) { return tx.NextID("operation", 1_000_000_000) })
	if err != nil || id != 1_001_000_001 {
		t.Errorf("the next id is %d, %v", id, err)
	}
	full, err := Committed(used, func(tx *Tx) (int64, error) { return GetID(tx, Key(kindCounter, "full")), nil })
	if err != nil || full != 1<<31-1 {
		t.Errorf("a counter at its end is at %s", fmt.Sprint(full))
	}
}
