package zones

import (
	"errors"
	"testing"

	"v3gate/internal/query"
	"v3gate/internal/store"
)

// The numbers of records in a version do not run out: a new version of one in
// which many were given begins anew.
func TestSlotsDoNotRunOut(t *testing.T) {
	b, db := open(t)
	z := large(t, b, 100)
	add := func(n int64, name string) error {
		return b.Commit(func(tx *store.Tx) error {
			_, err := b.Add(tx, acme, z.ID, n, Record{Name: name, Type: "A", Value: "192.0.2.1", TTL: 300})
			return err
		})
	}
	err := b.Commit(func(tx *store.Tx) error {
		zone, v, err := b.version(tx, acme, z.ID, 1)
		if err != nil {
			return err
		}
		v.Slots = mostSlots - 2
		return putVersion(tx, zone, v)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := add(1, "last"); err != nil {
		t.Errorf("the last slot: %v", err)
	}
	if err := add(1, "more"); !is(err, TooMany) {
		t.Errorf("one more: %v", err)
	}
	n, err := b.NewVersion(acme, z.ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := add(n, "more"); err != nil {
		t.Errorf("in a new version: %v", err)
	}
	_, was, err := b.Version(acme, z.ID, 1)
	_, now, err2 := b.Version(acme, z.ID, n)
	if errors.Join(err, err2) != nil || now.Slots != 102 || now.Count() != was.Count()+1 {
		t.Errorf("%d records in %d slots: %v", now.Count(), now.Slots, errors.Join(err, err2))
	}
	sound(t, db)
}

func TestAVersionIsBounded(t *testing.T) {
	b, _ := open(t)
	z := large(t, b, 3)
	err := b.Commit(func(tx *store.Tx) error {
		_, err := b.Set(tx, acme, z.ID, 1, make([]Record, mostRecords+1))
		return err
	})
	if !is(err, TooMany) {
		t.Errorf("%v", err)
	}
}

// A new version has none of the bytes of the one that it is a copy of.
func TestVersionsSharePages(t *testing.T) {
	b, db := open(t)
	z := large(t, b, 1000)
	pages := func() (n int) {
		if err := db.View(func(tx *store.Tx) error {
			return tx.ScanKeys(store.ZonePagesPrefix(z.ID), func([]byte) error { n++; return nil })
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := pages()
	for range 10 {
		if _, err := b.NewVersion(acme, z.ID, 0); err != nil {
			t.Fatal(err)
		}
	}
	if now := pages(); now != before {
		t.Errorf("%d pages, %d before", now, before)
	}
	list, err := b.Page(acme, z.ID, 5, records(t, query.Option{Key: "name", Value: "host-00100"}))
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	err = b.Commit(func(tx *store.Tx) error {
		_, err := b.Update(tx, acme, z.ID, 5, list[0].ID, func(old Record) Record { old.Value = "192.0.2.251"; return old })
		return err
	})
	if now := pages(); err != nil || now != before+1 {
		t.Errorf("%d pages, %d before one change: %v", now, before, err)
	}
	if err := b.DeleteVersion(acme, z.ID, 5); err != nil || pages() != before {
		t.Errorf("%d pages, %d before: %v", pages(), before, err)
	}
}
