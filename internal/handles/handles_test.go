package handles

import (
	"errors"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

func newBook(t *testing.T) *Book {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "store.db"), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return New(db, DefaultFloors(), time.Now)
}

func faq() Fields {
	return Fields{Given: "First Name", Family: "Last Name", Email: "example@example.com", StreetAddr: "My Street Address",
		Zip: "75011", City: "Paris", Country: "FR", Phone: "+33.123456789"}
}

func TestHandlesAreMadeFromTheName(t *testing.T) {
	for _, c := range []struct{ given, family, want string }{
		{"First Name", "Last Name", "FLN"}, // migration FAQ
		{"Alice", "Doe", "AD"},
		{"Émile", "de la Tour", "EDLT"},
		{"a", "b c d e f g", "ABCDE"},
		{"", "", "X"},
		{"王", "小明", "X"},
		{"王", "Ming", "M"},
		{"'t", "1 2 x", "TX"},
	} {
		if got := letters(c.given, c.family); got != c.want {
			t.Errorf("letters(%q, %q) = %s, want %s", c.given, c.family, got, c.want)
		}
	}
}

func TestCreateGivesEachContactItsOwnHandleAndId(t *testing.T) {
	b := newBook(t)
	first, err := b.Create("a", faq())
	if err != nil {
		t.Fatal(err)
	}
	second, _ := b.Create("a", faq())
	if first.Handle != "FLN5000000-GANDI" || second.Handle != "FLN5000001-GANDI" || first.ID != 1_000_000_000 || second.ID != 1_000_000_001 {
		t.Errorf("%s %d, %s %d", first.Handle, first.ID, second.Handle, second.ID)
	}
	got, err := b.Get("a", first.Handle)
	if diff := cmp.Diff(first, got); err != nil || diff != "" {
		t.Errorf("read back: %v %s", err, diff)
	}
	if _, err := b.Get("b", first.Handle); !errors.Is(err, ErrForeign) {
		t.Errorf("another tenant reads it: %v", err)
	}
	if _, err := b.Get("a", "ZZ1-GANDI"); !errors.Is(err, ErrUnknown) {
		t.Errorf("an unknown handle: %v", err)
	}
	if n, err := b.Count(); n != 2 || err != nil {
		t.Errorf("Count = %d, %v", n, err)
	}
}

func TestHandlesAreUniqueUnderConcurrency(t *testing.T) {
	b := newBook(t)
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				c, err := b.Create("a", faq())
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				if seen[c.Handle] {
					t.Errorf("%s was given twice", c.Handle)
				}
				seen[c.Handle] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestOwnContact(t *testing.T) {
	b := newBook(t)
	minted, err := b.Own("a", "")
	if err != nil || !regexp.MustCompile(`^A5\d+-GANDI$`).MatchString(minted) {
		t.Fatalf("minted %s, %v", minted, err)
	}
	if again, _ := b.Own("a", ""); again != minted {
		t.Errorf("a second one was minted: %s", again)
	}
	configured, err := b.Own("b", "AD42-GANDI")
	if err != nil || configured != "AD42-GANDI" {
		t.Fatalf("configured: %s, %v", configured, err)
	}
	if c, err := b.Get("b", configured); err != nil || !c.Empty {
		t.Errorf("its contact: %+v, %v", c, err)
	}
	filled, err := b.Fill(configured, faq())
	if err != nil || filled.Empty || filled.Given != "First Name" {
		t.Errorf("filled: %+v, %v", filled, err)
	}
	other := faq()
	other.Given = "Changed"
	if again, _ := b.Fill(configured, other); again.Given != "First Name" {
		t.Error("a contact was filled twice")
	}
	// The operator may name another handle later.
	if now, _ := b.Own("b", "AD43-GANDI"); now != "AD43-GANDI" {
		t.Errorf("after a change of configuration: %s", now)
	}
}

func TestExpand(t *testing.T) {
	yes := true
	for _, c := range []struct {
		name    string
		change  func(*Fields)
		want    func(*v5.Contact)
		dropped []string
	}{
		{"a person", func(*Fields) {}, func(*v5.Contact) {}, nil},
		{"a company", func(f *Fields) { f.Type, f.OrgName, f.Siren = 1, "ACME", "1" },
			func(c *v5.Contact) { c.Type, c.OrgName, c.Siren = "company", "ACME", "1" }, nil},
		{"an association", func(f *Fields) { f.Type, f.OrgName, f.JOAnnouncePage = 2, "X", "3" },
			func(c *v5.Contact) { c.Type, c.OrgName, c.JOAnnouncePage = "association", "X", "3" }, nil},
		{"a public body", func(f *Fields) { f.Type, f.OrgName = 3, "X" }, func(c *v5.Contact) { c.Type, c.OrgName = "publicbody", "X" }, nil},
		{"lower case country", func(f *Fields) { f.Country = "fr" }, func(*v5.Contact) {}, nil},
		{"a state by name", func(f *Fields) { f.State = "Île de France" }, func(c *v5.Contact) { c.State = "FR-IDF" }, nil},
		{"a state by code", func(f *Fields) { f.State = "idf" }, func(c *v5.Contact) { c.State = "FR-IDF" }, nil},
		{"a whole code", func(f *Fields) { f.Country, f.State = "DE", "DE-BY" }, func(c *v5.Contact) { c.Country, c.State = "DE", "DE-BY" }, nil},
		{"a code of another country", func(f *Fields) { f.State = "US-CA" }, func(*v5.Contact) {}, []string{"state"}},
		{"a state that is none", func(f *Fields) { f.State = "somewhere" }, func(*v5.Contact) {}, []string{"state"}},
		{"overseas", func(f *Fields) { f.Country, f.State = "RE", "whatever" }, func(c *v5.Contact) { c.State = "FR-RE" }, nil},
		{"a language v5 has", func(f *Fields) { f.Lang = "zh" }, func(c *v5.Contact) { c.Lang = "zh-hans" }, nil},
		{"a language v5 lacks", func(f *Fields) { f.Lang = "de" }, func(*v5.Contact) {}, []string{"lang"}},
		{"flags", func(f *Fields) { f.DataObfuscated, f.Newsletter = &yes, &yes }, func(c *v5.Contact) { c.DataObfuscated = &yes }, nil},
		{"extra parameters, empty ones out", func(f *Fields) { f.ExtraParameters = map[string]string{"birth_city": "Paris", "birth_date": ""} },
			func(c *v5.Contact) { c.ExtraParameters = map[string]string{"birth_city": "Paris"} }, nil},
	} {
		contact := Contact{Fields: faq()}
		c.change(&contact.Fields)
		want := v5.Contact{Type: "individual", Given: "First Name", Family: "Last Name", Email: "example@example.com",
			StreetAddr: "My Street Address", Zip: "75011", City: "Paris", Country: "FR", Phone: "+33.123456789"}
		c.want(&want)
		got := contact.Expand()
		if diff := cmp.Diff(want, got.Contact); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.dropped, got.Dropped); diff != "" {
			t.Errorf("%s, dropped: %s", c.name, diff)
		}
	}
}

func TestDottedPhones(t *testing.T) {
	for in, want := range map[string]string{
		"+33123456789": "+33.123456789", "+12125551234": "+1.2125551234", "+352123456": "+352.123456",
		"+33.123456789": "+33.123456789", "+390612345": "+39.0612345", "": "", "0123": "0123", "+1": "+1",
	} {
		if got := dotted(in); got != want {
			t.Errorf("dotted(%q) = %q, want %q", in, got, want)
		}
	}
}

// A domain made elsewhere: equal content is one handle, known content the handle
// that has it, and the second reading changes nothing.
func TestRecognise(t *testing.T) {
	b := newBook(t)
	known, _ := b.Create("a", faq())
	b.Create("a", faq()) // a younger twin is not taken
	shown := known.Expand().Contact
	shown.City = "PARIS" // as v5 may normalise
	stranger := shown
	stranger.Given = "Bob"
	contacts := v5.Contacts{Owner: &shown, Admin: &stranger, Tech: &stranger}
	first := recognise(t, b, "a", "x.net", contacts)
	want := Roles{Owner: known.Handle, Admin: first.Roles.Admin, Bill: known.Handle, Tech: first.Roles.Admin}
	if diff := cmp.Diff(want, first.Roles); diff != "" || first.Roles.Admin == known.Handle {
		t.Errorf("roles %+v: %s", first.Roles, diff)
	}
	before, _ := b.Count()
	again := recognise(t, b, "a", "x.net", contacts)
	if after, _ := b.Count(); again != first || after != before {
		t.Errorf("the second reading: %+v, %d contacts more", again, after-before)
	}
	elsewhere := recognise(t, b, "b", "y.net", contacts)
	if elsewhere.Roles.Owner == known.Handle {
		t.Error("another tenant was given the handle")
	}
}

func TestSetRolesKeepsTheIndexOfUses(t *testing.T) {
	b := newBook(t)
	uses := func(handle string) (keys [][]string) {
		b.db.View(func(tx *store.Tx) error {
			return tx.Scan(store.UsesPrefix(handle), func(k, _ []byte) error {
				keys = append(keys, store.KeyStrings(k)[1:])
				return nil
			})
		})
		return keys
	}
	set := func(r Roles) {
		if err := b.db.Update(func(tx *store.Tx) error { return b.SetRoles(tx, "a", "x.net", r, nil) }); err != nil {
			t.Fatal(err)
		}
	}
	set(Roles{Owner: "A1-GANDI", Admin: "A1-GANDI", Bill: "A1-GANDI", Tech: "A1-GANDI"})
	set(Roles{Tech: "B2-GANDI"})
	set(Roles{Tech: "B2-GANDI"})
	if diff := cmp.Diff([][]string{{"B2-GANDI", "a", "x.net", "tech"}}, uses("B2-GANDI")); diff != "" {
		t.Error(diff)
	}
	if n := len(uses("A1-GANDI")); n != 3 {
		t.Errorf("A1-GANDI is used in %d roles", n)
	}
	id, err := b.DomainID("a", "x.net")
	other, _ := b.DomainID("b", "x.net")
	if err != nil || id != 1_000_000_000 || other != id+1 {
		t.Errorf("domain ids %d and %d, %v", id, other, err)
	}
}
