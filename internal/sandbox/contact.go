package sandbox

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// contact is a contact as it is stored: the members that were sent, without the
// empty ones, plus the documented defaults. v5 has no contact entity; every
// domain carries its own four.
type contact map[string]any

// contactTypes are the documented type words; their positions are the integers
// that recorded answers carry instead.
var contactTypes = []string{"individual", "company", "association", "publicbody", "reseller"}

var contactRoles = []string{"admin", "bill", "tech"}

var (
	phoneForm = regexp.MustCompile(`^\+[1-9][0-9]{0,2}\.[0-9]{4,14}$`)
	emailForm = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s.]+$`)
	stateForm = regexp.MustCompile(`^[A-Z]{2}-[A-Z0-9]{1,3}$`)
	dateForm  = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`)
	idForm    = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	langForm  = regexp.MustCompile(`^[a-z]{2,3}$`)
)

// longest is this sandbox's own bound for a free text.
const longest = 255

func formed(form *regexp.Regexp, what string) func(string) string {
	return func(s string) string {
		if !form.MatchString(s) {
			return "is not " + what
		}
		return ""
	}
}

// contactMembers are the members of a contact in a request (v5 documentation).
// validation, reachability, same_as_owner and sharing_id only occur in answers
// and are refused here.
func contactMembers(required []string, types ...string) []member {
	ms := []member{
		{name: "type", kind: text, words: types},
		{name: "given", kind: text, check: short},
		{name: "family", kind: text, check: short},
		{name: "streetaddr", kind: text, check: short},
		{name: "country", kind: text, check: knownCountry},
		{name: "email", kind: text, check: formed(emailForm, "an email address")},
		{name: "phone", kind: text, check: formed(phoneForm, "of the form +CC.number")},
		{name: "city", kind: note, check: short},
		{name: "zip", kind: note, check: short},
		{name: "state", kind: text, check: formed(stateForm, "an ISO 3166-2 code")},
		{name: "orgname", kind: note, check: short},
		{name: "fax", kind: note, check: formed(phoneForm, "of the form +CC.number")},
		{name: "mobile", kind: note, check: formed(phoneForm, "of the form +CC.number")},
		{name: "lang", kind: text, words: []string{"en", "es", "fr", "ja", "zh-hans", "zh-hant"}},
		{name: "siren", kind: note, check: short},
		{name: "brand_number", kind: note, check: short},
		{name: "jo_announce_number", kind: note, check: short},
		{name: "jo_announce_page", kind: note, check: short},
		{name: "jo_publication_date", kind: note, check: short},
		{name: "jo_declaration_date", kind: note, check: short},
		{name: "data_obfuscated", kind: truth},
		{name: "mail_obfuscated", kind: truth},
		{name: "icann_contract_accept", kind: truth},
		{name: "extra_parameters", kind: mapping, check: contactExtra, item: &member{kind: note}},
	}
	for i := range ms {
		ms[i].need = slices.Contains(required, ms[i].name)
	}
	return ms
}

// fullContact is a whole contact: six members are required (v5 documentation).
func fullContact(types ...string) *shape {
	required := []string{"type", "given", "family", "streetaddr", "country", "email"}
	return &shape{members: contactMembers(required, types...), rule: contactRule}
}

// contactMember is a body member that holds a whole contact. Only the owner of
// an owner change may also be of type reseller.
func contactMember(name string) member {
	return member{name: name, kind: nested, shape: fullContact(contactTypes[:4]...)}
}

// ContactMembers are the names a whole contact in a request must and may have.
func ContactMembers() (required, optional []string) {
	return fullContact(contactTypes[:4]...).names()
}

// contactRule is what needs more than one member: the organization's name, the
// state inside its country, the form of birth_date.
func contactRule(in map[string]any, at string) []problem {
	var out []problem
	if t := textOf(in, "type"); t != "" && t != "individual" && textOf(in, "orgname") == "" {
		out = append(out, problem{"body", join(at, "orgname"), "required for this type"})
	}
	country, state := textOf(in, "country"), textOf(in, "state")
	switch {
	case state == "":
	case !strings.HasPrefix(state, country+"-"):
		out = append(out, problem{"body", join(at, "state"), "does not belong to the country"})
	case country == "FR" && !slices.Contains(frenchStates, state[3:]):
		out = append(out, problem{"body", join(at, "state"), "is not a region of this country"})
	}
	if d := textOf(objectOf(in, "extra_parameters"), "birth_date"); d != "" && !dateForm.MatchString(d) {
		out = append(out, problem{"body", join(at, "extra_parameters.birth_date"), "must be YYYY-MM-DD"})
	}
	return out
}

func short(s string) string {
	if len(s) > longest {
		return "is too long"
	}
	return ""
}

func knownCountry(s string) string {
	if !slices.Contains(countryCodes(), s) {
		return "is not a country code"
	}
	return ""
}

// keep turns a validated contact of a request into a stored one.
func (s *Sandbox) keep(in map[string]any) contact {
	c := contact{"data_obfuscated": true, "mail_obfuscated": true, "extra_parameters": map[string]any{}}
	for name, v := range in {
		if v == "" || name == "icann_contract_accept" {
			continue
		}
		c[name] = v
	}
	if s.opts.Normalise {
		c.normalise()
	}
	return c
}

func (c contact) normalise() {
	if city, ok := c["city"].(string); ok {
		c["city"] = strings.ToUpper(city)
	}
	zip, _ := c["zip"].(string)
	if c["country"] == "FR" && strings.HasPrefix(zip, "75") && c["state"] == nil {
		c["state"] = "FR-IDF"
	}
}

// same tells whether two contacts say the same.
func (c contact) same(other contact) bool {
	a, _ := json.Marshal(c.content())
	b, _ := json.Marshal(other.content())
	return string(a) == string(b)
}

func (c contact) content() contact {
	out := maps.Clone(c)
	delete(out, "validation")
	return out
}

// showContact is the contact as an answer carries it. same_as_owner only stands on
// admin, bill and tech, reachability on the owner.
func (s *Sandbox) showContact(d *domain, role string) members {
	c := d.contacts[role]
	out := members(maps.Clone(c))
	if s.opts.IntContactType {
		out["type"] = slices.Index(contactTypes, textOf(c, "type"))
	}
	if out["validation"] == nil {
		out["validation"] = "none"
	}
	if role == "owner" {
		out["reachability"] = d.reachability
	} else {
		out["same_as_owner"] = c.same(d.contacts["owner"])
	}
	return out
}

func (s *Sandbox) showContacts(d *domain) members {
	out := members{"owner": s.showContact(d, "owner")}
	for _, role := range contactRoles {
		out[role] = s.showContact(d, role)
	}
	return out
}
