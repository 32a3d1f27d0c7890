package translate

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"v3gate/internal/contract"
)

// accepted are the differences between the table and testdata/v3/reference.txt
// that are meant, each with its entry in docs/divergences.md. member is the path
// below the method ("returned" for the answer, "" for the row itself); several
// members with the same difference stand in one line.
var accepted = []struct {
	method, members, what string
	number                int
}{
	{"version.info", "", "key none, documented optional", 25},
	{"version.info", "apikey", "undocumented", 25},
	{"contact.create", "returned.jo_announce_number returned.jo_announce_page returned.jo_declaration_date returned.jo_publication_date",
		"undocumented", 30},
	{"contact.info", "returned.jo_announce_number returned.jo_announce_page returned.jo_declaration_date returned.jo_publication_date",
		"undocumented", 30},
	{"contact.update", "returned.jo_announce_number returned.jo_announce_page returned.jo_declaration_date returned.jo_publication_date",
		"undocumented", 30},
	{"contact.list", "returned.jo_announce_number returned.jo_announce_page returned.jo_declaration_date returned.jo_publication_date",
		"undocumented", 30},
	{"contact.balance", "returned.prepaid.date_created returned.prepaid.date_updated", "type dateTime.iso8601 or nil, documented dateTime.iso8601", 60},
	{"contact.can_associate", "returned.attr", "need always, documented sometimes", 23},
	{"contact.can_associate", "returned.attr", "type array of string, documented array of string or nil", 23},
	{"contact.can_associate_domain", "returned.attr", "need always, documented sometimes", 23},
	{"contact.can_associate_domain", "returned.attr", "type array of string, documented array of string or nil", 23},
	{"domain.list", "returned.date_registry_creation returned.date_registry_end returned.date_updated returned.authinfo_expiration_date " +
		"returned.date_delete returned.date_hold_begin returned.date_hold_end",
		"type dateTime.iso8601 or nil, documented dateTime.iso8601", 34},
	{"domain.info", "returned.date_created returned.date_updated returned.date_delete returned.date_hold_begin returned.date_hold_end " +
		"returned.date_registry_creation returned.date_registry_end returned.date_renew_begin returned.date_restore_end " +
		"returned.date_pending_delete_end returned.authinfo_expiration_date",
		"type dateTime.iso8601 or nil, documented dateTime.iso8601", 34},
	{"domain.zone.set", "returned.date_created returned.date_updated returned.date_delete returned.date_hold_begin returned.date_hold_end " +
		"returned.date_registry_creation returned.date_registry_end returned.date_renew_begin returned.date_restore_end " +
		"returned.date_pending_delete_end returned.authinfo_expiration_date",
		"type dateTime.iso8601 or nil, documented dateTime.iso8601", 34},
	{"domain.nameservers.set", "options.override", "undocumented", 73},
	{"domain.dnssec.list", "returned.date_created", "type dateTime.iso8601 or nil, documented dateTime.iso8601", 75},
	{"operation.list", "opts.id", "undocumented", 37},
	{"operation.list", "opts.domain", "type array of string or string, documented string", 37},
	{"operation.count", "opts.id", "undocumented", 37},
	{"operation.relaunch", "", "class paid, documented write", 49},
	{"domain.mailbox.responder.activate", "params.date", "type dateTime.iso8601, documented string", 83},
	{"domain.mailbox.responder.deactivate", "params.date", "type dateTime.iso8601, documented string", 83},
	{"operation.count", "opts.domain", "type array of string or string, documented string", 37},
}

// difference is one place where the table is not as documented.
type difference struct{ method, member, what string }

func TestTableKeepsTheReference(t *testing.T) {
	v3, table, numbers := reference(t), NewTable(), divergences(t)
	c := comparison{types: &v3.Types}
	for i := range table.Rows {
		r := &table.Rows[i]
		c.method = r.Name
		if m := v3.Method(r.Name); m == nil {
			c.differ("", "undocumented")
		} else {
			c.compareRow(r, m)
		}
	}
	for _, m := range v3.Methods {
		if _, ok := table.Find(m.Name); !ok {
			c.method = m.Name
			c.differ("", "missing")
		}
	}
	for _, a := range accepted {
		if !numbers[a.number] {
			t.Errorf("docs/divergences.md has no entry %d, which %s %s refers to", a.number, a.method, a.members)
		}
		if r, ok := table.Find(a.method); ok && !slices.Contains(r.Divergences, a.number) {
			t.Errorf("%s: the row does not name divergence %d", a.method, a.number)
		}
		for _, member := range strings.Split(a.members, " ") {
			i := slices.Index(c.found, difference{a.method, member, a.what})
			if i < 0 {
				t.Errorf("%s %s differs no longer: %s", a.method, member, a.what)
				continue
			}
			c.found = slices.Delete(c.found, i, i+1)
		}
	}
	for _, d := range c.found {
		t.Errorf("%s %s: %s", d.method, d.member, d.what)
	}
	for _, err := range table.Validate(numbers) {
		t.Error(err)
	}
}

// comparison compares one row after the other and keeps what differs.
type comparison struct {
	types  *contract.Types
	method string
	found  []difference
}

func (c *comparison) differ(member, what string) {
	c.found = append(c.found, difference{c.method, member, what})
}

func (c *comparison) compareRow(r *Row, m *contract.Method) {
	if string(r.Key) != m.Key {
		c.differ("", "key "+string(r.Key)+", documented "+m.Key)
	}
	if string(r.Class) != m.Class {
		c.differ("", "class "+string(r.Class)+", documented "+m.Class)
	}
	if r.Support == Refused {
		return
	}
	if !m.ArgsUnknown {
		c.compareArgs(r.Params, m.Args)
	}
	if !answers(r.ReturnType, wordOf(m.Returns)) {
		c.differ("returned", "type "+r.ReturnType+", documented "+wordOf(m.Returns))
	}
	if s := c.structOf(m.Returns); s != nil {
		c.compareMembers("returned", r.Returns, s, answers)
	}
}

// compareArgs compares the positional parameters, in their order.
func (c *comparison) compareArgs(have []Param, documented contract.Members) {
	for i := range max(len(have), len(documented)) {
		switch {
		case i >= len(have):
			c.differ(documented[i].Name, "missing")
		case i >= len(documented):
			c.differ(have[i].Name, "undocumented")
		case have[i].Name != documented[i].Name:
			c.differ(have[i].Name, "documented as "+documented[i].Name)
		default:
			c.compareMember(have[i].Name, have[i], &documented[i], takes)
		}
	}
}

// compareMembers compares the members of a struct by their names. A struct
// without a list of members carries whatever has a name and a text.
func (c *comparison) compareMembers(path string, have []Param, s *contract.Struct, fit func(have, documented string) bool) {
	if have == nil {
		for _, m := range s.Members {
			if m.Type.Kind != "string" {
				c.differ(path+"."+m.Name, "carried as text, documented "+wordOf(m.Type))
			}
		}
		return
	}
	for _, m := range s.Members {
		i := slices.IndexFunc(have, func(p Param) bool { return p.Name == m.Name })
		if i < 0 {
			c.differ(path+"."+m.Name, "missing")
			continue
		}
		c.compareMember(path+"."+m.Name, have[i], &m, fit)
	}
	for _, p := range have {
		if s.Members.Get(p.Name) == nil {
			c.differ(path+"."+p.Name, "undocumented")
		}
	}
}

// compareMember compares one parameter or member. What is ignored or refused is
// so whatever its type is.
func (c *comparison) compareMember(path string, have Param, m *contract.Member, fit func(have, documented string) bool) {
	if have.Need != m.Need {
		c.differ(path, "need "+have.Need+", documented "+m.Need)
	}
	if have.Support != "honoured" {
		return
	}
	if !fit(have.Type, wordOf(m.Type)) {
		c.differ(path, "type "+have.Type+", documented "+wordOf(m.Type))
	}
	if s := c.structOf(m.Type); s != nil {
		c.compareMembers(path, have.Members, s, fit)
	}
}

// structOf is the struct with known members that a type is, or is a list of.
func (c *comparison) structOf(t contract.Type) *contract.Struct {
	if t.Name != "" {
		return c.types.Struct(t.Name)
	}
	for _, e := range t.Elems {
		if s := c.structOf(e); s != nil {
			return s
		}
	}
	return nil
}

// wordOf is a documented type in the words of the table.
func wordOf(t contract.Type) string {
	var elems []string
	for _, e := range t.Elems {
		elems = append(elems, wordOf(e))
	}
	switch {
	case t.Kind == "datetime":
		return "dateTime.iso8601"
	case t.Kind == "map":
		return "struct"
	case t.Kind == "array" && len(elems) > 0:
		return "array of " + elems[0]
	case t.Kind == "union":
		return strings.Join(elems, " or ")
	}
	return t.Kind
}

// takes tells whether a parameter of the table takes all of a documented type;
// bind.go is where the words of the table are read.
func takes(have, documented string) bool {
	switch documented {
	case "?", have:
		return true
	case "int or boolean":
		return have == "boolean"
	case "dateTime.iso8601 or string":
		return have == "dateTime.iso8601"
	case "int or string":
		return have == "int" // digits in a string are taken
	case "string or array of string":
		return have == "array of string or string"
	}
	return false
}

var arrayOf = regexp.MustCompile(`^array of [A-Za-z0-9.]+`)

// answers tells whether a member of the table answers a documented type. What is
// composed elsewhere is any in the table, and always a struct of loose members.
func answers(have, documented string) bool {
	switch documented {
	case "?", have:
		return true
	case "array", "array or nil":
		return arrayOf.ReplaceAllString(have, "array") == documented
	case "struct":
		return have == "any"
	}
	return false
}

// reference reads the contract of v3.
func reference(t *testing.T) *contract.V3 {
	t.Helper()
	f, err := os.Open("../../testdata/v3/reference.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v3, err := contract.ReadV3(f)
	if err != nil {
		t.Fatal(err)
	}
	return v3
}

var entryForm = regexp.MustCompile(`(?m)^<a id="(\d+)"></a>\n\n?## (\d+)\. \S.*$`)

// divergences reads the numbers of docs/divergences.md, which count from 1
// without a gap, each with the anchor that docs/methods.md leads to.
func divergences(t *testing.T) map[int]bool {
	t.Helper()
	text, err := os.ReadFile("../../docs/divergences.md")
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[int]bool{}
	for _, found := range entryForm.FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.Atoi(found[2])
		if err != nil || found[1] != found[2] || n != len(numbers)+1 {
			t.Errorf("docs/divergences.md: anchor %s and heading %s; the next entry is %d", found[1], found[2], len(numbers)+1)
		}
		numbers[n] = true
	}
	if entries := strings.Count("\n"+string(text), "\n## "); entries != len(numbers) {
		t.Errorf("docs/divergences.md: %d headings, of which %d have an anchor in front", entries, len(numbers))
	}
	return numbers
}
