package translate

import (
	"strings"
	"testing"

	"v3gate/internal/handles"
)

// What an extension needs is documented for both sides, and says where it is from.
func TestNeededKeysAreDocumented(t *testing.T) {
	v3, rest := reference(t), registrar(t)
	for _, n := range neededKeys {
		if word, _, ok := strings.Cut(n.source, ": "); !ok || word != "documented" && word != "inferred" {
			t.Errorf(".%s: source %q", n.tld, n.source)
		}
		for _, key := range n.keys {
			if v3.Struct("DomainExtraParameters").Members.Get(key) == nil && rest.Struct("ExtraParameters").Members.Get(key) == nil {
				t.Errorf(".%s needs %s, which nobody knows", n.tld, key)
			}
			if wrong := checkExtra(map[string]string{key: "x"}); len(wrong) > 0 {
				t.Errorf("%s cannot be given: %v", key, wrong)
			}
		}
	}
}

// The example of the contact FAQ, word by word.
func TestBirthRulesAreThoseOfTheFAQ(t *testing.T) {
	want := [][4]string{
		{"birth_city", "String", "EC_INVALIDPARAM1+EC_STRTOOFEWCHARS", "BirthCity: string '' has less than 1 characters"},
		{"birth_date", "Date", "EC_INTERNALERR2", "BirthDate: time data '' does not match format '%Y-%m-%d'"},
		{"birth_department", "String", "EC_INVALIDPARAM1+!EC_STRMATCH", `BirthDepartment: string '' does not match '^(2A|2B|\d{1,3})$'`},
		{"birth_country", "Enum", "EC_INVALIDPARAM1+!EC_ENUMIN", "BirthCountryIso:  not in list " + countries},
	}
	wrong := birth(nil)
	if len(wrong) != len(want) {
		t.Fatalf("%d are wrong: %v", len(wrong), wrong)
	}
	for i, w := range wrong {
		if got := [4]string{w.Field, w.Type, w.Error, w.Reason}; got != want[i] {
			t.Errorf("%v, want %v", got, want[i])
		}
	}
	if n := strings.Count(countries, ",") + 1; n != 249 || !strings.HasPrefix(countries, "AF,ZA,AL") || !strings.HasSuffix(countries, "SJ,WF,EP") {
		t.Errorf("%d countries", n)
	}
	for department, fits := range map[string]bool{"75": true, "2A": true, "2B": true, "1": true, "974": true, "2C": false, "1234": false, "": false, "75\n": false} {
		whole := map[string]string{"birth_city": "Paris", "birth_date": "1980-01-01", "birth_country": "FR", "birth_department": department}
		if got := len(birth(whole)) == 0; got != fits {
			t.Errorf("department %q fits: %t", department, got)
		}
	}
}

// The rules of an extension are about persons, owners and that extension.
func TestWhomTheRulesAreAbout(t *testing.T) {
	person, company := handles.Contact{}, handles.Contact{Fields: handles.Fields{Type: 1}}
	for _, c := range []struct {
		contact   *handles.Contact
		extension string
		roles     []string
		wrong     int
	}{
		{&person, "fr", []string{"owner", "admin"}, 4},
		{&person, "re", []string{"owner"}, 4},
		{&person, "asso.fr", []string{"owner"}, 4},
		{&person, "fr", []string{"admin", "bill", "tech"}, 0},
		{&company, "fr", []string{"owner"}, 0},
		{&person, "com", []string{"owner"}, 0},
		{&person, "us", []string{"owner"}, 2},
		{&person, "com.au", []string{"owner"}, 2},
		{&company, "ca", []string{"owner"}, 1},
		{&person, "ca", []string{"tech"}, 0},
	} {
		if wrong := unfit(c.contact, c.extension, c.roles); len(wrong) != c.wrong {
			t.Errorf("type %d as %v of .%s: %v", c.contact.Type, c.roles, c.extension, wrong)
		}
	}
	if roles := (associationSpec{Domain: "x.fr"}).roles(); len(roles) != 1 || roles[0] != "owner" {
		t.Errorf("without a role: %v", roles)
	}
}
