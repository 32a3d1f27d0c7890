package oldv3

import (
	"fmt"
	"testing"

	"v3gate/internal/xmlrpc"
)

func TestCompare(t *testing.T) {
	s, m := xmlrpc.String, xmlrpc.M
	contact := func(id int64, more ...xmlrpc.Member) xmlrpc.Value {
		return xmlrpc.Struct(append([]xmlrpc.Member{m("id", xmlrpc.Int(id)), m("name", s("x"))}, more...)...)
	}
	for _, c := range []struct {
		here, there xmlrpc.Value
		want        string
	}{
		{contact(1), xmlrpc.Struct(m("name", s("x")), m("id", xmlrpc.Int(1))), "[]"},
		{contact(1), contact(2), "[id (value)]"},
		{xmlrpc.Int(1), s("1"), "[answer (type)]"},
		{xmlrpc.Nil(), xmlrpc.Nil(), "[]"},
		{xmlrpc.Array(contact(1), contact(2)), xmlrpc.Array(contact(1)), "[[] (length)]"},
		{xmlrpc.Array(contact(1), contact(2)), xmlrpc.Array(contact(3), contact(4)), "[[].id (value)]"},
		{contact(1, m("contacts", contact(7))), contact(1, m("contacts", contact(8)), m("more", s(""))), "[contacts.id (value) more (missing)]"},
		{xmlrpc.Struct(m("mydomain.net", s("available"))), xmlrpc.Struct(m("mydomain.net", s("pending"))), "[{} (value)]"},
		{contact(1, m("ignored", s("a"))), contact(1, m("ignored", s("b"))), "[]"},
	} {
		got := Compare(c.here, c.there, func(path string) bool { return path == "ignored" })
		if fmt.Sprint(got) != c.want {
			t.Errorf("%v, want %s", got, c.want)
		}
	}
	f := func(code int, text string) *xmlrpc.Fault { return &xmlrpc.Fault{Code: code, Text: text} }
	for _, c := range []struct {
		here, there *xmlrpc.Fault
		want        string
	}{
		{nil, nil, "[]"}, {f(1, "a"), nil, "[fault (added)]"}, {nil, f(1, "a"), "[fault (missing)]"},
		{f(1, "a"), f(1, "a"), "[]"}, {f(1, "a"), f(2, "b"), "[fault.code (value) fault.text (value)]"},
	} {
		if got := CompareFaults(c.here, c.there, func(string) bool { return false }); fmt.Sprint(got) != c.want {
			t.Errorf("%v, want %s", got, c.want)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"domain.info", "domain.info", true}, {"domain.info", "domain.infos", false}, {"domain.*", "domain.zone.list", true},
		{"*.list", "domain.zone.list", true}, {"*.list", "list", false}, {"*", "", true}, {"a*b*c", "abc", true}, {"a*b*c", "acb", false},
	} {
		if got := Match(c.pattern, c.text); got != c.want {
			t.Errorf("%s, %s: %v", c.pattern, c.text, got)
		}
	}
}
