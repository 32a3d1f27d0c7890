package oldv3

import (
	"slices"
	"strings"

	"v3gate/internal/xmlrpc"
)

// mostDifferences bounds how many paths one comparison gives.
const mostDifferences = 50

// Difference is a place in which two answers differ. Path never has a value in
// it: items of lists are [], and members whose names are data, such as domain
// names, are {}.
type Difference struct {
	Path string `json:"path"`
	// Kind is missing (only the old server has it), added (only this gateway has
	// it), type, value or length.
	Kind string `json:"kind"`
}

// String is the difference on one line.
func (d Difference) String() string { return d.Path + " (" + d.Kind + ")" }

// Compare gives the places in which an answer of this gateway, here, differs from
// the old server's, there, each once. The order of members makes no difference,
// that of items does.
func Compare(here, there xmlrpc.Value, ignore func(path string) bool) []Difference {
	c := &comparison{ignore: ignore}
	c.value("", here, there)
	return c.found
}

// CompareFaults is Compare for faults, of which either can be nil: the answer then
// was none.
func CompareFaults(here, there *xmlrpc.Fault, ignore func(path string) bool) []Difference {
	c := &comparison{ignore: ignore}
	switch {
	case here == nil && there != nil:
		c.add("fault", "missing")
	case here != nil && there == nil:
		c.add("fault", "added")
	case here != nil:
		if here.Code != there.Code {
			c.add("fault.code", "value")
		}
		if here.Text != there.Text {
			c.add("fault.text", "value")
		}
	}
	return c.found
}

type comparison struct {
	ignore func(path string) bool
	found  []Difference
}

func (c *comparison) add(path, kind string) {
	if path == "" {
		path = "answer"
	}
	d := Difference{path, kind}
	if len(c.found) < mostDifferences && !c.ignore(path) && !slices.Contains(c.found, d) {
		c.found = append(c.found, d)
	}
}

func (c *comparison) value(path string, here, there xmlrpc.Value) {
	switch {
	case here.IsNil() && there.IsNil():
	case here.Kind() != there.Kind():
		c.add(path, "type")
	case here.Kind() == xmlrpc.KindArray:
		if here.Len() != there.Len() {
			c.add(path+"[]", "length")
		}
		for i := range min(here.Len(), there.Len()) {
			c.value(path+"[]", here.Index(i), there.Index(i))
		}
	case here.Kind() == xmlrpc.KindStruct:
		c.members(path, here, there)
	case !here.Equal(there):
		c.add(path, "value")
	}
}

func (c *comparison) members(path string, here, there xmlrpc.Value) {
	if path != "" {
		path += "."
	}
	for i := range there.Len() {
		m := there.Member(i)
		if v, ok := here.Get(m.Name); ok {
			c.value(path+shown(m.Name), v, m.Value)
		} else {
			c.add(path+shown(m.Name), "missing")
		}
	}
	for i := range here.Len() {
		name := here.Member(i).Name
		if _, ok := there.Get(name); !ok {
			c.add(path+shown(name), "added")
		}
	}
}

// shown is a member's name where it is one of the protocol.
func shown(name string) string {
	plain := func(r rune) bool { return r == '_' || r == '-' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9' }
	if name == "" || len(name) > 40 || strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }) {
		return "{}"
	}
	return name
}

// Match tells whether a text has the form of a pattern, in which * is any text.
func Match(pattern, text string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	for i := range len(text) + 1 {
		if Match(rest, text[i:]) {
			return true
		}
	}
	return false
}
