//go:build linux

package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// rings are the states that a store is rekeyed through: in the clear first.
func rings() []*Ring {
	var keys []SealKey
	for _, fill := range []byte{1, 2} {
		secret := [32]byte{fill}
		k, err := NewSealKey(secret)
		if err != nil {
			fatal("make key: %v", err)
		}
		keys = append(keys, k)
	}
	return []*Ring{nil, NewRing(keys[0]), NewRing(keys[1])}
}

// rekeyForEver rekeys and compacts a store, from whatever it finds it sealed
// with, until it is killed.
func rekeyForEver(path string) {
	all := rings()
	for n := 0; ; n++ {
		from := sealedAs(path, all)
		say("begin %d", n)
		if _, err := Rekey(context.Background(), path, time.Second, all[from], all[(from+1)%len(all)], someRecords()); err != nil {
			fatal("rekey: %v", err)
		}
		if _, err := Compact(context.Background(), path, time.Second); err != nil {
			fatal("compact: %v", err)
		}
	}
}

func sealedAs(path string, all []*Ring) int {
	db, err := Inspect(path, time.Second)
	if err != nil {
		fatal("inspect: %v", err)
	}
	defer db.Close()
	id, _ := db.SealedWith()
	for i, r := range all {
		if r == nil && id == "" || r.find(id) != nil {
			return i
		}
	}
	fatal("sealed with %s", id)
	return 0
}

// Killed at any moment, it leaves the old store or the new one, whole, and is
// run again; the file is never sealed in part.
func TestRekeyKilledLeavesTheOldStoreOrTheNew(t *testing.T) {
	db := open(t)
	populate(t, db, 500)
	db.Close()
	path, all := db.Path(), rings()
	want, left := content(t, path, nil), 0
	seen := map[int]bool{}
	for range 25 {
		cmd, lines := child(t, "rekey", path)
		if !lines.Scan() || lines.Text() != "begin 0" {
			t.Fatalf("the child says %q", lines.Text())
		}
		time.Sleep(time.Duration(rand.IntN(60_000)) * time.Microsecond)
		cmd.Process.Kill()
		for lines.Scan() {
			var n int
			if _, err := fmt.Sscanf(lines.Text(), "begin %d", &n); err != nil {
				t.Fatalf("the child says %q", lines.Text())
			}
		}
		cmd.Wait()
		if _, err := os.Stat(path + ".new"); err == nil {
			left++
		}
		as := sealedAs(path, all)
		seen[as] = true
		opened, err := Open(path, time.Second, WithKeys(all[as]))
		if err != nil {
			t.Fatal(err)
		}
		if found := checked(t, opened, false); len(found) > 0 {
			t.Fatalf("found %q", found)
		}
		opened.Close()
		if n := len(content(t, path, all[as])); n != len(want) && n != len(want)+1 { // and the mark
			t.Errorf("%d keys of %d", n, len(want))
		}
		if all[as] != nil && inFile(t, path, "Quackenbush") {
			t.Error("a sealed file is in part in the clear")
		}
	}
	t.Logf("killed %d times while the new file was there; sealed as %v", left, seen)
	if as := sealedAs(path, all); as != 0 {
		if _, err := Rekey(t.Context(), path, time.Second, all[as], nil, someRecords()); err != nil {
			t.Fatal(err)
		}
	} else if _, err := Compact(t.Context(), path, time.Second); err != nil {
		t.Fatal(err)
	}
	equalMaps(t, "in the end", content(t, path, nil), want)
	if list, _ := filepath.Glob(path + "*"); len(list) != 1 {
		t.Errorf("left behind: %v", list)
	}
}
