package translate

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"v3gate/internal/contract"
	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/query"
	"v3gate/internal/v5"
)

// registrar reads the contract of v5.
func registrar(t *testing.T) *contract.V5 {
	t.Helper()
	f, err := os.Open("../../testdata/v5/routes.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := contract.ReadV5(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCountriesKeepTheReference(t *testing.T) {
	countries := reference(t).Enum("CountryIso")
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if code := string([]rune{a, b}); knownCountry(code) != countries.Has(code) {
				t.Errorf("country %s is known: %t, documented: %t", code, knownCountry(code), countries.Has(code))
			}
		}
	}
	for _, wrong := range []string{"", "F", "FRA", "FR,", ",F", "fr"} {
		if knownCountry(wrong) {
			t.Errorf("country %q is known", wrong)
		}
	}
}

// Divergence 33 names the keys that v5 has nothing for.
func TestExtraParameters(t *testing.T) {
	v3, rest := reference(t), registrar(t)
	domain, contacts := v3.Struct("DomainExtraParameters").Members, v3.Struct("ContactExtraParameters").Members
	known, shared := rest.Struct("ContactExtraParameters").Members, rest.Struct("ExtraParameters").Members
	var missing []string
	for _, m := range slices.Concat(domain, contacts) {
		if wrong := checkExtra(map[string]string{m.Name: "x"}); len(wrong) > 0 {
			t.Errorf("%s is refused: %s", m.Name, wrong[0].Reason)
		}
		if known.Get(m.Name) == nil || domain.Get(m.Name) != nil && shared.Get(m.Name) == nil {
			missing = append(missing, m.Name)
		}
	}
	want := []string{"x-fi_based_on_person_name", "x-fi_name_registration_id", "x-fi_name_registration_number",
		"x-hu_idnumber", "x-hu_owner_vatid", "x-ir_login_id", "x-ir_login_password", "x-rs_reg_identity_no",
		"x-rs_reg_tax_no", "x-ru_registrant_passport_data", "x-sk_registrant_idnumber"}
	if diff := cmp.Diff(want, missing); diff != "" {
		t.Errorf("keys that v5 lacks (-want +got):\n%s", diff)
	}
	for _, m := range known {
		if wrong := checkExtra(map[string]string{m.Name: "x"}); len(wrong) > 0 {
			t.Errorf("%s, which v5 knows, is refused: %s", m.Name, wrong[0].Reason)
		}
	}
	for _, name := range []string{"birthdate", "x-", "X-CA_legaltype", "ca_legaltype"} {
		if len(checkExtra(map[string]string{name: "x"})) == 0 {
			t.Errorf("%s is taken", name)
		}
	}
}

// The words of field errors, and the fields they name, are documented.
func TestFieldErrorsAreDocumented(t *testing.T) {
	v3, no, company, reseller := reference(t), false, int64(1), int64(4)
	wrong := checkContact(&contactParams{Type: &company, Country: "XX", Email: "x", Phone: "1", Fax: "1", Mobile: "1",
		Password: "x", Lang: "x", SecurityQuestionNum: 7, AcceptContract: &no, ExtraParameters: map[string]string{"y": ""}}, nil)
	wrong = append(wrong, checkContact(&contactParams{Type: &reseller, Country: "FR", Email: "a@example.com", Phone: "+33.1", Password: "123456"}, nil)...)
	if len(wrong) != 12 {
		t.Errorf("%d field errors, want 12: %v", len(wrong), wrong)
	}
	fields, codes := v3.Struct("ContactCreate").Members, v3.Enum("FieldErrorCode")
	for _, e := range wrong {
		if fields.Get(e.Field) == nil && e.Error != "EC_UNKNOWNFIELD" {
			t.Errorf("%s is no field", e.Field)
		}
		for _, word := range strings.Split(e.Error, "+") {
			if !codes.Has(strings.TrimPrefix(word, "!")) {
				t.Errorf("%s: %s is no code of a field error", e.Field, word)
			}
		}
		if f := e.Fault(); f.Code() < 500000 || f.Object.String() == "" || f.Cause.String() == "" {
			t.Errorf("%s: fault %v", e.Field, f)
		}
	}
}

// What v3 gives as a number or word reaches v5 as a word that v5 knows.
func TestContactWordsReachV5(t *testing.T) {
	v3, rest := reference(t), registrar(t)
	for i, word := range rest.Enum("ContactType").Values {
		c := handles.Contact{Fields: handles.Fields{Type: i}}
		if got := c.Expand().Contact.Type; got != word || v3.Enum("ContactType").Values[i] != string(rune('0'+i)) {
			t.Errorf("type %d is sent as %q, want %q", i, got, word)
		}
	}
	languages := rest.Struct("Contact").Members.Get("lang").OneOf
	for _, lang := range []string{"en", "ES", "fr", "ja", "zh", "zh-hant", "de"} {
		c := handles.Contact{Fields: handles.Fields{Lang: lang}}
		e := c.Expand()
		if sent := e.Contact.Lang; (sent == "") != slices.Contains(e.Dropped, "lang") || sent != "" && !slices.Contains(languages, sent) {
			t.Errorf("lang %s is sent as %q", lang, sent)
		}
	}
}

func TestDomainWordsAreDocumented(t *testing.T) {
	v3, rest := reference(t), registrar(t)
	for _, word := range rest.Enum("DomainService").Values {
		if shown := services([]string{word}); len(shown) != 1 || !v3.Enum("DomainServices").Has(shown[0]) {
			t.Errorf("service %s is shown as %v, which v3 does not know", word, shown)
		}
	}
	for _, word := range rest.Enum("DomainStatus").Values {
		// Divergence 35.
		if known := v3.Enum("DomainStatus").Has(word); known == (word == "pendingTransfer") {
			t.Errorf("status %s is known to v3: %t", word, known)
		}
	}
	for _, word := range rest.Enum("AvailableStatus").Values {
		check := &v5.Check{Products: []v5.Product{{Process: "create", Status: word}}}
		if shown, err := availability(check, nil); err != nil || shown != word || !v3.Enum("AvailableStatus").Has(shown) {
			t.Errorf("availability %s is shown as %s, %v", word, shown, err)
		}
	}
	for _, word := range append(v3.Enum("TldPhaseDomainAvailable").Values, "golive", "eap1", "") {
		period, err := tldPeriod("opts.phase", word)
		if f, ok := fault.As(err); ok && f.Cause == fault.CauseBadParameter && word == "claims" {
			continue // divergence 45
		}
		if err != nil || (period != "") != (word != "") || period != "" && !rest.Enum("Period").Has(period) {
			t.Errorf("phase %q is sent as %q, %v", word, period, err)
		}
	}
}

func TestOperationWordsAreDocumented(t *testing.T) {
	v3 := reference(t)
	var steps []string
	for _, s := range ops.Steps {
		steps = append(steps, string(s))
	}
	slices.Sort(steps)
	if diff := cmp.Diff(slices.Sorted(slices.Values(v3.Enum("OperationStep").Values)), steps); diff != "" {
		t.Errorf("steps (-documented +known):\n%s", diff)
	}
	for _, m := range v3.Struct("Operation").Members {
		if slices.Contains([]string{"id", "type", "step"}, m.Name) || strings.HasPrefix(m.Name, "date_") {
			if _, err := operationOptions().Parse([]query.Option{{Key: "sort_by", Value: m.Name + " DESC"}}); err != nil {
				t.Errorf("sort_by %s: %v", m.Name, err)
			}
		}
	}
}

// What operations can fail with is shown only by the identifiers that v3
// documents.
func TestErrorTypesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, e := range reference(t).Errors {
		for _, one := range e.Errors {
			documented[one.ID] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(documented)), errorTypes); diff != "" {
		t.Errorf("(-documented +known):\n%s", diff)
	}
}
