package handles

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

func TestRefIsTheContactsId(t *testing.T) {
	b := newBook(t)
	if _, err := b.Ref("a", "X1-GANDI"); err != ErrUnknown {
		t.Errorf("a handle that nobody has: %v", err)
	}
	c, err := b.Create("a", faq())
	if err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"at first", "from memory"} {
		if id, err := b.Ref("a", c.Handle); id != c.ID || err != nil {
			t.Errorf("%s: %d, %v, want %d", when, id, err, c.ID)
		}
		if _, err := b.Ref("b", c.Handle); err != ErrForeign {
			t.Errorf("%s, to another tenant: %v", when, err)
		}
	}
}

// What is kept in memory follows the store: a change shows at once, and one that
// was not committed never does.
func TestWhatIsKeptFollowsTheStore(t *testing.T) {
	b := newBook(t)
	contacts := v5.Contacts{Owner: &v5.Contact{Given: "A", Family: "B", Email: "a@b"}}
	first := recognise(t, b, "a", "x.net", contacts)
	if err := b.db.Update(func(tx *store.Tx) error {
		return errors.Join(putContact(tx, &Contact{Handle: "NEW1-GANDI", ID: 1, Tenant: "a"}), putContact(tx, &Contact{Handle: "NEW2-GANDI", ID: 2, Tenant: "a"}))
	}); err != nil {
		t.Fatal(err)
	}
	look := func() Domain { t.Helper(); return recognise(t, b, "a", "x.net", contacts) }
	set := func(tech string, end error) error {
		return b.db.Update(func(tx *store.Tx) error {
			return errors.Join(b.SetRoles(tx, "a", "x.net", Roles{Tech: tech}, nil), end)
		})
	}
	look()
	if err := set("NEW1-GANDI", nil); err != nil {
		t.Fatal(err)
	}
	if d := look(); d.Roles.Tech != "NEW1-GANDI" || d.Roles.Owner != first.Roles.Owner || d.ID != first.ID {
		t.Errorf("after the change: %+v", d)
	}
	if err := set("NEW2-GANDI", errors.New("no")); err == nil {
		t.Fatal("the update did not fail")
	}
	if d := look(); d.Roles.Tech != "NEW1-GANDI" {
		t.Errorf("after a change that was not committed: %+v", d)
	}
	other := recognise(t, b, "b", "x.net", contacts)
	if other.ID == first.ID || other.Roles.Owner == first.Roles.Owner {
		t.Errorf("another tenant has %+v", other)
	}
}

// Readers among writers see some committed record, and in the end the last one.
func TestReadersAmongWriters(t *testing.T) {
	b := newBook(t)
	contacts := v5.Contacts{Owner: &v5.Contact{Given: "A", Family: "B", Email: "a@b"}}
	var writers, readers sync.WaitGroup
	written := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for last := ""; ; {
				d, _, err := b.Recognise(Reading{Tenant: "a", FQDN: "x.net", Shown: contacts, Changes: -1})
				if err != nil || d.Roles.Tech < last {
					t.Errorf("%q after %q, %v", d.Roles.Tech, last, err)
				}
				last = d.Roles.Tech
				select {
				case <-written:
					return
				default:
				}
			}
		})
	}
	recognise(t, b, "a", "x.net", contacts)
	name := func(i int) string { return fmt.Sprintf("Z%03d-GANDI", i) } // behind the minted AB…
	writers.Go(func() {
		for i := range 100 {
			if err := b.db.Update(func(tx *store.Tx) error {
				return b.SetRoles(tx, "a", "x.net", Roles{Tech: name(i)}, nil)
			}); err != nil {
				t.Error(err)
			}
		}
	})
	writers.Wait()
	close(written)
	readers.Wait()
	if d, _, err := b.Recognise(Reading{Tenant: "a", FQDN: "x.net", Shown: contacts, Changes: -1}); err != nil || d.Roles.Tech != name(99) {
		t.Errorf("in the end %q, %v", d.Roles.Tech, err)
	}
}

func TestRefsAreBounded(t *testing.T) {
	var r refs
	for i := range 2*mostRefs + 1 {
		handle := strconv.Itoa(i)
		if r.keep(handle, ref{"a", int64(i)}); r.kept[handle].id != int64(i) || len(r.kept) > mostRefs {
			t.Fatalf("%d of %d", i, len(r.kept))
		}
	}
}

func TestAChangedDomainBeginsAnEpoch(t *testing.T) {
	b := newBook(t)
	before := b.Epoch()
	if err := b.db.Update(func(tx *store.Tx) error { return b.SetRoles(tx, "a", "x.net", Roles{}, nil) }); err != nil {
		t.Fatal(err)
	}
	if b.Epoch() == before {
		t.Error("the epoch is the same")
	}
}
