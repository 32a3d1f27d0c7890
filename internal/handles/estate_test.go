package handles

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"v3gate/internal/store"
)

// estateBook is a book on a store that runs each update twice.
func estateBook(t *testing.T) *Book {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "store.db"), time.Second, store.RunTwice())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return New(db, DefaultFloors(), func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) })
}

func brought(t *testing.T, b *Book, batch Batch) []Outcome {
	t.Helper()
	out, err := b.Import(batch)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func exported(t *testing.T, b *Book) (all []Entry) {
	t.Helper()
	if err := b.Export(func(e *Entry) error { all = append(all, *e); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func person(handle string, id int64) Entry {
	return Entry{Tenant: "acme", Handle: handle, ID: id, Fields: Fields{Given: "Bob", Family: "Doe", Email: "b@example.net", Country: "FR"}}
}

// What is minted after an import is above all of it, whatever the floors are.
func TestMintedNumbersAreAboveImportedOnes(t *testing.T) {
	b := estateBook(t)
	brought(t, b, Batch{Entries: []Entry{person("BD7000000-GANDI", 1_500_000_000), person("BD3-GANDI", 12),
		{Tenant: "acme", FQDN: "x.net", ID: 1_600_000_000, Roles: Roles{Owner: "BD3-GANDI"}}}})
	c, err := b.Create("acme", Fields{Given: "A", Family: "B"})
	if err != nil || c.Handle != "AB7000001-GANDI" || c.ID != 1_500_000_001 {
		t.Errorf("%s %d, %v", c.Handle, c.ID, err)
	}
	if id, err := b.DomainID("acme", "y.net"); err != nil || id != 1_600_000_001 {
		t.Errorf("%d, %v", id, err)
	}
}

// A backup of an imported store that comes into use leaves out what may have been
// minted since, though nothing had been minted when it was taken.
func TestABackupOfAnImportMintsNothingTwice(t *testing.T) {
	b := estateBook(t)
	brought(t, b, Batch{Entries: []Entry{person("BD3-GANDI", 12), {Tenant: "acme", FQDN: "x.net", ID: 7, Roles: Roles{Owner: "BD3-GANDI"}}}})
	path := filepath.Join(t.TempDir(), "backup.db")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.db.Backup(f); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Close(), store.StampBackup(path, b.now())); err != nil {
		t.Fatal(err)
	}
	since, err := b.Create("acme", Fields{Given: "A", Family: "B"})
	if err != nil {
		t.Fatal(err)
	}
	domain, err := b.DomainID("acme", "y.net")
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.TakeIntoUse(); err != nil {
		t.Fatal(err)
	}
	restored := New(db, DefaultFloors(), b.now)
	c, err := restored.Create("acme", Fields{Given: "A", Family: "B"})
	if err != nil || c.ID <= since.ID || c.Handle == since.Handle {
		t.Errorf("%s %d after %s %d, %v", c.Handle, c.ID, since.Handle, since.ID, err)
	}
	if id, err := restored.DomainID("acme", "z.net"); err != nil || id <= domain {
		t.Errorf("%d after %d, %v", id, domain, err)
	}
}

func TestADryRunWritesNothingAndSaysTheSame(t *testing.T) {
	b := estateBook(t)
	entries := []Entry{person("BD1-GANDI", 1), person("BD2-GANDI", 1), {Tenant: "acme", FQDN: "x.net", Roles: Roles{Owner: "BD1-GANDI", Tech: "ZZ9-GANDI"}},
		{Tenant: "acme", FQDN: "y.net", Roles: Roles{Owner: "BD1-GANDI"}}, {Counter: "handle", ID: 8_000_000}}
	rehearsed := brought(t, b, Batch{Entries: entries, DryRun: true})
	if all := exported(t, b); all != nil {
		t.Errorf("it wrote %+v", all)
	}
	if diff := cmp.Diff(rehearsed, brought(t, b, Batch{Entries: entries})); diff != "" {
		t.Error(diff)
	}
	var states []State
	for _, o := range rehearsed {
		states = append(states, o.State)
	}
	if diff := cmp.Diff([]State{Added, Refused, Refused, Added, Replaced}, states); diff != "" {
		t.Error(diff)
	}
}

// Not even --overwrite takes a handle or an id from somebody, or gives a contact
// another id.
func TestOverwriteLeavesWhatIsForEver(t *testing.T) {
	b := estateBook(t)
	brought(t, b, Batch{Entries: []Entry{person("BD1-GANDI", 1), person("BD2-GANDI", 2), {Tenant: "acme", FQDN: "x.net", ID: 5, Roles: Roles{Owner: "BD1-GANDI"}}}})
	before := exported(t, b)
	foreign, renumbered, taken := person("BD1-GANDI", 1), person("BD1-GANDI", 3), person("BD4-GANDI", 2)
	foreign.Tenant = "other"
	for i, o := range brought(t, b, Batch{Overwrite: true, Entries: []Entry{foreign, renumbered, taken,
		{Tenant: "acme", FQDN: "y.net", ID: 5, Roles: Roles{Owner: "BD1-GANDI"}},
		{Tenant: "other", FQDN: "z.net", Roles: Roles{Owner: "BD1-GANDI"}}}}) {
		if o.State != Refused || o.Why == "" {
			t.Errorf("%d: %+v", i, o)
		}
	}
	if diff := cmp.Diff(before, exported(t, b)); diff != "" {
		t.Error(diff)
	}
}

// The content by which v5's contacts are recognised follows an overwritten contact.
func TestOverwrittenContentIsRecognised(t *testing.T) {
	b := estateBook(t)
	first, second := person("BD1-GANDI", 1), person("BD2-GANDI", 2)
	brought(t, b, Batch{Entries: []Entry{first, second}})
	old := Contact{Fields: first.Fields}
	first.Email = "new@example.net"
	if out := brought(t, b, Batch{Overwrite: true, Entries: []Entry{first}}); out[0].State != Replaced {
		t.Errorf("%+v", out)
	}
	shown := old.Expand().Contact
	out := brought(t, b, Batch{Entries: []Entry{{Tenant: "acme", FQDN: "x.net"}}, Shown: map[string]Shown{"x.net": {Owner: &shown}}})
	if out[0].Minted != 0 || !out[0].Whole {
		t.Errorf("%+v", out)
	}
	d, _, err := b.Recognise(Reading{Tenant: "acme", FQDN: "x.net", Shown: Shown{Owner: &shown}})
	if err != nil || d.Roles.Owner != "BD2-GANDI" {
		t.Errorf("%+v, %v", d, err)
	}
}

// The own contact that the gateway made for itself is filled, not overwritten.
func TestAnEmptyOwnContactIsFilled(t *testing.T) {
	b := estateBook(t)
	if _, err := b.Own("acme", "RS42-GANDI"); err != nil {
		t.Fatal(err)
	}
	e := person("RS42-GANDI", 0)
	e.Own = true
	if out := brought(t, b, Batch{Entries: []Entry{e}}); out[0].State != Replaced {
		t.Errorf("%+v", out)
	}
	if c, err := b.Get("acme", "RS42-GANDI"); err != nil || c.Empty || c.Email != "b@example.net" {
		t.Errorf("%+v, %v", c, err)
	}
}
