package sandbox

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"v3gate/internal/contract"
)

// meant are the differences between the sandbox and testdata/v5/routes.txt that
// are meant, with the reason. where is a path of the members below a route, or
// below an object of the documents; members of a query have a question mark in
// front.
var meant = []struct{ where, what, reason string }{
	{"Contact type", "refuses reseller", "only the owner of an owner change can be one"},
	{"PUT /domain/domains/{d}/contacts/owner type", "refuses reseller", "likewise"},
	{"ExtraParameters x-cy_reg_identity_no", "unknown extra parameter", "for corporate accounts; no organization here is one"},
	{"ExtraParameters x-il_registrant_company_type", "unknown extra parameter", "likewise"},
	{"ExtraParameters x-kr_reg_identity_no", "unknown extra parameter", "likewise"},
	{"GET /domain/changeowner/{d} ?sharing_id", "refused", "not settled for this route, and a client must not rely on it"},
}

// documented reads the contract of v5.
func documented(t *testing.T) *contract.V5 {
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

func TestRoutesAreDocumented(t *testing.T) {
	s := New(Options{})
	c := comparison{t: t, types: &documented(t).Types}
	rest := documented(t)
	for i, r := range s.Routes() {
		where := r.Method + " " + r.Path
		d := rest.Route(r.Method, apiRoot+r.Path)
		if d == nil || d.Path != apiRoot+r.Path {
			c.differ(where, "not documented")
			continue
		}
		if r.DryRun != d.DryRun {
			c.differ(where, fmt.Sprintf("Dry-Run honoured: %t, documented: %t", r.DryRun, d.DryRun))
		}
		if !slices.ContainsFunc(d.Answers, func(a contract.Answer) bool { return a.Status == r.Success }) {
			c.differ(where, fmt.Sprintf("success %d, documented %v", r.Success, d.Statuses()))
		}
		row := &s.routes[i]
		c.compareMembers(where+" ?", row.query, d.Query)
		c.compareNames(where+" ?", r.Query, nil, nil, row.query)
		if row.body != nil {
			c.compareMembers(where+" ", row.body.members, d.Body)
			c.compareNames(where+" ", nil, r.Required, r.Optional, row.body.members)
		} else if len(d.Body) > 0 {
			c.differ(where, "takes no body")
		}
	}
	required, optional := ContactMembers()
	c.compareNames("Contact ", nil, required, optional, fullContact().members)
	c.report()
}

// comparison keeps what differs.
type comparison struct {
	t     *testing.T
	types *contract.Types
	found [][2]string
}

func (c *comparison) differ(where, what string) { c.found = append(c.found, [2]string{where, what}) }

func (c *comparison) report() {
	c.t.Helper()
	for _, m := range meant {
		found := slices.DeleteFunc(slices.Clone(c.found), func(d [2]string) bool { return d == [2]string{m.where, m.what} })
		if len(found) == len(c.found) {
			c.t.Errorf("%s differs no longer: %s", m.where, m.what)
		}
		c.found = found
	}
	for _, d := range c.found {
		c.t.Errorf("%s: %s", d[0], d[1])
	}
}

// compareNames holds what Routes tells against what the pipeline looks at.
func (c *comparison) compareNames(where string, query, required, optional []string, used []member) {
	if told := len(query) + len(required) + len(optional); told != len(used) {
		c.differ(where, fmt.Sprintf("tells of %d members, has %d", told, len(used)))
	}
	for _, m := range used {
		if list := slices.Concat(query, required, optional); !slices.Contains(list, m.name) ||
			query == nil && m.need != slices.Contains(required, m.name) {
			c.differ(where+m.name, "not told of as it is")
		}
	}
}

// compareMembers compares both ways, by name.
func (c *comparison) compareMembers(where string, have []member, want contract.Members) {
	for i := range have {
		m, d := &have[i], want.Get(have[i].name)
		if d == nil {
			d = spelled(want, m.name)
		}
		switch {
		case d == nil:
			c.differ(where+m.name, "not documented")
		case d.ReadOnly:
			c.differ(where+m.name, "taken, documented for answers only")
		default:
			if m.need != d.Required() {
				c.differ(where+m.name, fmt.Sprintf("required: %t, documented: %s", m.need, d.Need))
			}
			c.compareMember(where+m.name, m, d)
		}
	}
	for _, d := range want {
		if !d.ReadOnly && find(have, d.Name) == nil {
			c.differ(where+d.Name, "refused")
		}
	}
}

// spelled finds a member by its other spelling, where which one holds is not
// settled.
func spelled(want contract.Members, name string) *contract.Member {
	i := slices.IndexFunc(want, func(m contract.Member) bool { return m.Unsettled && m.Alt == name })
	if i < 0 {
		return nil
	}
	return &want[i]
}

// compareMember compares type, words and bounds.
func (c *comparison) compareMember(where string, m *member, d *contract.Member) {
	if d.Type.Kind == "?" {
		return
	}
	want := map[kind]string{text: "string", note: "string", whole: "int", amount: "number", truth: "bool", list: "array",
		nested: "object", mapping: "object"}[m.kind]
	if m.kind == mapping && d.Type.Kind == "map" {
		want = "map"
	}
	if want != d.Type.Kind {
		c.differ(where, "wants "+want+", documented "+d.Type.String())
		return
	}
	switch m.kind {
	case nested:
		c.compareMembers(d.Type.Name+" ", m.shape.members, c.types.Struct(d.Type.Name).Members)
	case list:
		c.compareMember(where, m.item, &contract.Member{Type: d.Type.Elems[0], Enum: d.Enum, OneOf: d.OneOf})
	case mapping:
		if d.Type.Kind == "map" {
			c.compareMember(where+".*", m.item, &contract.Member{Type: d.Type.Elems[0]})
			return
		}
		for _, key := range c.types.Struct(d.Type.Name).Members {
			if wrong := m.check(key.Name); wrong != "" {
				c.differ("ExtraParameters "+key.Name, wrong)
			}
		}
	case text, note:
		c.compareWords(where, m, d)
	case whole:
		if bounds := fmt.Sprintf("%d-%d", m.min, m.max); d.Range != "" && bounds != d.Range {
			c.differ(where, bounds+", documented "+d.Range)
		}
	}
}

// compareWords compares the words that a string can be. A check of its own may
// stand in for a list.
func (c *comparison) compareWords(where string, m *member, d *contract.Member) {
	want := d.OneOf
	if d.Enum != "" {
		want = c.types.Enum(d.Enum).Values
	}
	for _, word := range m.words {
		if strings.HasSuffix(where, "?sort_by") {
			word = strings.TrimPrefix(word, "-") // turns the order around on every list
		}
		if want != nil && !slices.Contains(want, word) {
			c.differ(where, "takes "+word)
		}
	}
	for _, word := range want {
		if m.words != nil && !slices.Contains(m.words, word) || m.check != nil && m.check(word) != "" {
			c.differ(where, "refuses "+word)
		}
	}
	if want != nil && m.words == nil && m.check == nil {
		c.differ(where, "takes any word, documented "+strings.Join(want, " "))
	}
}
