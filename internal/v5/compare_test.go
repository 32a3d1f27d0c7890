package v5

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode"
)

func alice() *Contact {
	return &Contact{Type: "individual", Given: "Alice", Family: "Doe", StreetAddr: "5 rue neuve", City: "Paris", Zip: "75001",
		Country: "FR", Email: "alice@example.org", Phone: "+33.123456789"}
}

// What v5 normalises must not look like another contact, and what makes another
// contact must.
func TestShowsAndDigestKnowNormalisationFromChange(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Contact)
		same   bool
	}{
		{"nothing", func(*Contact) {}, true},
		{"upper case city", func(c *Contact) { c.City = "PARIS" }, true},
		{"added state", func(c *Contact) { c.State = "FR-IDF" }, true},
		{"added flags", func(c *Contact) { yes := true; c.DataObfuscated, c.MailObfuscated = &yes, &yes }, true},
		{"added language", func(c *Contact) { c.Lang = "fr" }, true},
		{"blanks", func(c *Contact) { c.StreetAddr = " 5  rue neuve " }, true},
		{"phone without dot", func(c *Contact) { c.Phone = "+33123456789" }, true},
		{"placeholder orgname of a person", func(c *Contact) { c.OrgName = "unspecified" }, true},
		{"unset personal keys", func(c *Contact) { c.ExtraParameters = map[string]string{"birth_city": ""} }, true},
		{"other street", func(c *Contact) { c.StreetAddr = "6 rue neuve" }, false},
		{"other phone", func(c *Contact) { c.Phone = "+33.123456780" }, false},
		{"other type", func(c *Contact) { c.Type = "company" }, false},
		{"other mail", func(c *Contact) { c.Email = "bob@example.org" }, false},
		{"other given name", func(c *Contact) { c.Given = "Bob" }, false},
		{"fields swapped", func(c *Contact) { c.Given, c.Family = c.Family, c.Given }, false},
	} {
		got := alice()
		c.change(got)
		if shows := got.Shows(alice()); shows != c.same {
			t.Errorf("%s: Shows = %v", c.name, shows)
		}
		if equal := got.Digest() == alice().Digest(); equal != c.same {
			t.Errorf("%s: equal digest = %v", c.name, equal)
		}
	}
}

func TestShowsWithMissingSides(t *testing.T) {
	var none *Contact
	if !none.Shows(nil) || !alice().Shows(nil) || none.Shows(alice()) {
		t.Error("nil is not handled")
	}
	if none.Digest() != "" {
		t.Error("no contact has a digest")
	}
	want, got := alice(), alice()
	want.ExtraParameters = map[string]string{"x-it_pin": "1"}
	if !got.Shows(want) {
		t.Error("an extra parameter that v5 does not answer hides the contact")
	}
	got.ExtraParameters = map[string]string{"x-it_pin": "2"}
	if got.Shows(want) {
		t.Error("another extra parameter passes")
	}
}

func TestOwnsLooksAtBothSharingSpaces(t *testing.T) {
	for _, c := range []struct {
		name   string
		id     string
		domain Domain
		want   bool
	}{
		{"no organization: what can be read", "", Domain{}, true},
		{"own", "org", Domain{SharingSpace: &SharingSpace{ID: "org"}}, true},
		{"a customer's", "org", Domain{SharingSpace: &SharingSpace{ID: "c", SharingSpace: &SharingSpace{ID: "org"}}}, true},
		{"another's", "org", Domain{SharingSpace: &SharingSpace{ID: "x", SharingSpace: &SharingSpace{ID: "y"}}}, false},
		{"not said", "org", Domain{}, false},
	} {
		s := &Session{sharingID: c.id}
		if got := s.Owns(&c.domain); got != c.want {
			t.Errorf("%s: Owns = %v", c.name, got)
		}
	}
}

// Same sees every difference that Digest sees.
func TestSameIsAsStrictAsDigest(t *testing.T) {
	whole := Contact{Type: "company", Given: "a", Family: "b", OrgName: "c", StreetAddr: "d", City: "e", Zip: "f", Country: "FR", Email: "g",
		Phone: "+33.1", Mobile: "+33.2", Fax: "+33.3", Siren: "h", BrandNumber: "i", JOAnnounceNumber: "j", JOAnnouncePage: "k",
		JODeclarationDate: "l", JOPublicationDate: "m", ExtraParameters: map[string]string{"birth_city": "n"}}
	twin := whole
	twin.ExtraParameters = map[string]string{"birth_city": "n"}
	if !whole.Same(&twin) || !whole.Same(&whole) {
		t.Error("equal contacts differ")
	}
	v := reflect.ValueOf(&twin).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		old := reflect.ValueOf(f.Interface())
		switch f.Kind() {
		case reflect.String:
			f.SetString("9")
		case reflect.Map:
			f.Set(reflect.ValueOf(map[string]string{"birth_city": "9"}))
		}
		if twin.Digest() != whole.Digest() && twin.Same(&whole) {
			t.Errorf("%s is not looked at", v.Type().Field(i).Name)
		}
		f.Set(old)
	}
}

// A digest that is in a store must be found again, so its form stays: this is how
// it was first defined, field by field.
func TestDigestStaysAsItWas(t *testing.T) {
	folded := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
	number := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return r
			}
			return -1
		}, s)
	}
	for _, text := range []string{"", " ", "a", "A b", " A\t\n b\v\f\rC ", "É  À", "x É", "a\u0085b", "\u00a0a", "\x00", "٣ 4", "\xff A", "Straße İ"} {
		c := &Contact{Type: text, Given: "x" + text, Family: text + "y", OrgName: text, Phone: text + "1", Fax: "+3" + text,
			Siren: text, JOPublicationDate: text, ExtraParameters: map[string]string{"b": text, "a": text + text}}
		var b strings.Builder
		for _, field := range []string{
			folded(c.Type), folded(c.Given), folded(c.Family), folded(c.OrgName), "", "", "", "", "", number(c.Phone), "", number(c.Fax),
			folded(c.Siren), "", "", "", "", folded(c.JOPublicationDate),
		} {
			b.WriteString(field + "\x00")
		}
		for _, key := range []string{"a", "b"} {
			if value := folded(c.ExtraParameters[key]); value != "" {
				b.WriteString(key + "=" + value + "\x00")
			}
		}
		if want := fmt.Sprintf("%x", sha256.Sum256([]byte(b.String()))); c.Digest() != want {
			t.Errorf("%q: %s, want %s", text, c.Digest(), want)
		}
	}
}
