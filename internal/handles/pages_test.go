package handles

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"v3gate/internal/store"
)

func TestPagesOfContactsLeaveNoneOut(t *testing.T) {
	b := newBook(t)
	for i := range 25 {
		if _, err := b.Create(string(rune('a'+i%2)), faq()); err != nil {
			t.Fatal(err)
		}
	}
	for _, most := range []int{1, 7, 24, 25, 26} {
		var got []string
		for after, more := "", true; more; {
			var page []Contact
			var err error
			if page, more, err = b.Page(after, most); err != nil || len(page) > most || more && len(page) < most {
				t.Fatalf("%d of %d, %v", len(page), most, err)
			}
			for _, c := range page {
				got = append(got, c.Handle)
			}
			after = got[len(got)-1]
		}
		var want []string
		for i := range 25 {
			want = append(want, fmt.Sprintf("FLN%d-GANDI", 5_000_000+i))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d: %s", most, diff)
		}
	}
	for after, want := range map[string]int{"FLN5000020": 5, "FLN5000024-GANDI": 0, "zzz": 0, "\xff\xff": 0} {
		if page, more, err := b.Page(after, 10); len(page) != want || more || err != nil {
			t.Errorf("after %q: %d, %t, %v", after, len(page), more, err)
		}
	}
}

func TestFindGivesAnyTenantsContact(t *testing.T) {
	b := newBook(t)
	made, err := b.Create("a", faq())
	if err != nil {
		t.Fatal(err)
	}
	found, err := b.Find(made.Handle)
	if diff := cmp.Diff(made, found); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if _, err := b.Find("FLN500000"); !errors.Is(err, ErrUnknown) {
		t.Errorf("a part of a handle: %v", err)
	}
}

func TestPagesOfUses(t *testing.T) {
	b := newBook(t)
	c, err := b.Create("a", faq())
	if err != nil {
		t.Fatal(err)
	}
	var want []Use
	err = b.db.Update(func(tx *store.Tx) error {
		want = nil
		for _, tenant := range []string{"a", "b"} {
			for i := range 3 {
				fqdn := fmt.Sprintf("d%d.com", i)
				if err := b.SetRoles(tx, tenant, fqdn, Roles{Owner: c.Handle, Tech: c.Handle, Admin: c.Handle + "0"}, nil); err != nil {
					return err
				}
				want = append(want, Use{tenant, fqdn, "owner"}, Use{tenant, fqdn, "tech"})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, most := range []int{1, 5, 12, 13} {
		var got []Use
		var after Use
		for more := true; more; {
			var page []Use
			if page, more, err = b.Uses(c.Handle, after, most); err != nil || len(page) > most {
				t.Fatalf("%d of %d, %v", len(page), most, err)
			}
			got = append(got, page...)
			after = got[len(got)-1]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d: %s", most, diff)
		}
	}
	if page, more, err := b.Uses("FLN5", Use{}, 9); len(page) != 0 || more || err != nil {
		t.Errorf("a handle that nobody has: %v %t %v", page, more, err)
	}
}
