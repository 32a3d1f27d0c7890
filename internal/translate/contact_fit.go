package translate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
)

// afnic are the extensions of the registry that asks persons for their birth: the
// contact FAQ has the rule for .fr, the others are the same registry's (inferred).
var afnic = []string{"fr", "pm", "re", "tf", "wf", "yt"}

// neededKeys are the extra_parameters without which a registry takes no owner. All
// are optional in v3's and v5's own lists, which name them; what registries ask
// for is inferred from their rules, but for the one that v3 documents. v5 judges
// what is not in here.
var neededKeys = []struct {
	tld    string
	keys   []string
	when   func(*handles.Contact) bool // nil: always
	source string
}{
	{"aero", []string{"x-aero_ens_authid", "x-aero_ens_authkey"}, nil, "inferred: the registry's id; the keys are in the v3 domain reference"},
	{"au", []string{"x-au_registrant_id_number", "x-au_registrant_id_type"}, nil, "inferred: ABN, ACN or TM number; the keys are in the v3 domain reference"},
	{"ca", []string{"x-ca_legaltype"}, nil, "inferred: the registry's presence rules; the key is in the v3 contact reference"},
	{"es", []string{"x-es_owner_identification", "x-es_owner_tipo_identification"}, nil, "inferred: the holder's identity number; the keys are in the v3 domain reference"},
	{"hk", []string{"x-hk_registrant_document_type", "x-hk_registrant_document_number"}, nil, "inferred: the holder's document; the keys are in the v3 domain reference"},
	{"hk", []string{"x-hk_registrant_other_document_type"}, otherDocument, "documented: v3 domain reference"},
	{"no", []string{"x-no_registrant_identity"}, nil, "inferred: the organization number of 9 digits; the key is in the v3 domain reference"},
	{"se", []string{"x-se_ident_number"}, nil, "inferred: the identity number; the key is in the v3 domain reference"},
	{"sg", []string{"x-sg_idnumber"}, nil, "inferred: the identity number; the key is in the v3 domain reference"},
	{"us", []string{"x-us_app_purpose", "x-us_nexus_category"}, nil, "inferred: the nexus rules; the keys are seen in a client of v5"},
}

func otherDocument(c *handles.Contact) bool {
	return slices.Contains([]string{"OTHIDV", "OTHORG"}, c.ExtraParameters["x-hk_registrant_document_type"])
}

// unfit finds what the known rules of an extension have against a contact in some
// roles. They are about the owner.
func unfit(c *handles.Contact, extension string, roles []string) (wrong []FieldError) {
	if !slices.Contains(roles, "owner") {
		return nil
	}
	last := extension[strings.LastIndexByte(extension, '.')+1:]
	if c.Type == 0 && slices.Contains(afnic, last) {
		wrong = birth(c.ExtraParameters)
	}
	for _, n := range neededKeys {
		if n.tld != last || n.when != nil && !n.when(c) {
			continue
		}
		for _, key := range n.keys {
			if c.ExtraParameters[key] == "" {
				wrong = append(wrong, FieldError{Field: key, Type: "String", Error: "EC_MISSINGMANDATORY", Object: fault.Struct,
					Cause: fault.CauseExpected, Reason: fmt.Sprintf("extra_parameters.%s is missing; .%s needs it", key, extension)})
			}
		}
	}
	return wrong
}

const departmentPattern = `^(2A|2B|\d{1,3})$`

var departmentForm = regexp.MustCompile(departmentPattern)

// birth checks the four birth_ members, with the words and in the order of the
// contact FAQ. It prints the backslash of the pattern twice, as Python's repr
// does; on the wire there is one.
func birth(extra map[string]string) (wrong []FieldError) {
	if extra["birth_city"] == "" {
		wrong = append(wrong, FieldError{Field: "birth_city", Type: "String", Error: "EC_INVALIDPARAM1+EC_STRTOOFEWCHARS",
			Object: fault.String, Cause: fault.CauseSize, Reason: "BirthCity: string '' has less than 1 characters"})
	}
	date := extra["birth_date"]
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		wrong = append(wrong, FieldError{Field: "birth_date", Type: "Date", Error: "EC_INTERNALERR2",
			Object: fault.Date, Cause: fault.CauseSyntax,
			Reason: fmt.Sprintf("BirthDate: time data '%s' does not match format '%%Y-%%m-%%d'", clip(date))})
	}
	if department := extra["birth_department"]; !departmentForm.MatchString(department) {
		wrong = append(wrong, FieldError{Field: "birth_department", Type: "String", Error: "EC_INVALIDPARAM1+!EC_STRMATCH",
			Object: fault.FrenchDepartment, Cause: fault.CauseBadParameter,
			Reason: fmt.Sprintf("BirthDepartment: string '%s' does not match '%s'", clip(department), departmentPattern)})
	}
	if country := extra["birth_country"]; !knownCountry(country) {
		wrong = append(wrong, FieldError{Field: "birth_country", Type: "Enum", Error: "EC_INVALIDPARAM1+!EC_ENUMIN",
			Object: fault.CountryCode, Cause: fault.CauseValue,
			Reason: fmt.Sprintf("BirthCountryIso: %s not in list %s", clip(country), countries)})
	}
	return wrong
}
