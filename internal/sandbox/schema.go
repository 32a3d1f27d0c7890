package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// kind is the JSON type of a member.
type kind int

const (
	text    kind = iota // a string that is not empty
	note                // a string that may be empty
	whole               // a number without fraction
	amount              // any number
	truth               // true or false
	list                // an array
	nested              // an object with a shape of its own
	mapping             // an object with free names and values of one kind
)

// member is a member of a body, or a query parameter.
type member struct {
	name string
	need bool
	kind kind
	// min and max bound a whole number, min the length of a list.
	min, max int
	// words are the only strings allowed.
	words []string
	// check says what is wrong with a string, "" meaning nothing.
	check func(string) string
	// item is the entry of a list, or the value of a mapping.
	item *member
	// shape is the inside of a nested object.
	shape *shape
}

// shape is the list of an object's members; every other one is refused.
type shape struct {
	members []member
	// rule reports what needs more than one member, or more than a type. It is
	// only asked when every member is well-formed.
	rule func(in map[string]any, at string) []problem
}

// need marks members as required.
func need(ms ...member) []member {
	ms = slices.Clone(ms)
	for i := range ms {
		ms[i].need = true
	}
	return ms
}

func find(ms []member, name string) *member {
	for i := range ms {
		if ms[i].name == name {
			return &ms[i]
		}
	}
	return nil
}

// names are the required and the optional members, sorted.
func (s *shape) names() (required, optional []string) {
	required, optional = []string{}, []string{}
	for _, m := range s.members {
		if m.need {
			required = append(required, m.name)
		} else {
			optional = append(optional, m.name)
		}
	}
	slices.Sort(required)
	slices.Sort(optional)
	return required, optional
}

// validate reports everything that is wrong with an object. at is its path,
// "" for the body itself.
func (s *shape) validate(in map[string]any, at string) []problem {
	var out []problem
	for _, m := range s.members {
		if v, given := in[m.name]; given {
			out = append(out, m.validate(v, join(at, m.name))...)
		} else if m.need {
			out = append(out, problem{"body", join(at, m.name), "required"})
		}
	}
	unknown := []string{}
	for name := range in {
		if find(s.members, name) == nil {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		out = append(out, problem{"body", join(at, name), "unknown field"})
	}
	if len(out) == 0 && s.rule != nil {
		out = s.rule(in, at)
	}
	return out
}

func (m *member) validate(v any, at string) []problem {
	wrong := ""
	switch m.kind {
	case text, note:
		wrong = m.checkText(v)
	case whole:
		wrong = m.checkWhole(v)
	case amount:
		if _, ok := v.(json.Number); !ok {
			wrong = "must be a number"
		}
	case truth:
		if _, ok := v.(bool); !ok {
			wrong = "must be a boolean"
		}
	case list:
		return m.validateList(v, at)
	case nested, mapping:
		in, ok := v.(map[string]any)
		if !ok {
			wrong = "must be an object"
		} else if m.kind == nested {
			return m.shape.validate(in, at)
		} else {
			return m.validateMapping(in, at)
		}
	}
	if wrong != "" {
		return []problem{{"body", at, wrong}}
	}
	return nil
}

func (m *member) validateList(v any, at string) []problem {
	entries, ok := v.([]any)
	if !ok {
		return []problem{{"body", at, "must be an array"}}
	}
	var out []problem
	for i := len(entries); i < m.min; i++ {
		out = append(out, problem{"body", join(at, strconv.Itoa(i)), fmt.Sprintf("at least %d required", m.min)})
	}
	for i, entry := range entries {
		out = append(out, m.item.validate(entry, join(at, strconv.Itoa(i)))...)
	}
	return out
}

func (m *member) validateMapping(in map[string]any, at string) []problem {
	var out []problem
	for name, v := range in {
		if m.check != nil {
			if wrong := m.check(name); wrong != "" {
				out = append(out, problem{"body", join(at, name), wrong})
				continue
			}
		}
		out = append(out, m.item.validate(v, join(at, name))...)
	}
	slices.SortFunc(out, func(a, b problem) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}

func (m *member) checkText(v any) string {
	s, ok := v.(string)
	switch {
	case !ok:
		return "must be a string"
	case s == "" && m.kind == text:
		return "must not be empty"
	case len(m.words) > 0 && !slices.Contains(m.words, s):
		return fmt.Sprintf("must be one of %v", m.words)
	case m.check != nil && s != "":
		return m.check(s)
	}
	return ""
}

func (m *member) checkWhole(v any) string {
	n, ok := v.(json.Number)
	if !ok {
		return "must be an integer"
	}
	i, err := strconv.Atoi(n.String())
	switch {
	case err != nil:
		return "must be an integer"
	case i < m.min || m.max > 0 && i > m.max:
		return fmt.Sprintf("must be between %d and %d", m.min, m.max)
	}
	return ""
}

// checkQuery applies the same rules to a query parameter.
func (m *member) checkQuery(v string) string {
	switch m.kind {
	case whole:
		return m.checkWhole(json.Number(v))
	case list:
		return m.item.checkText(v)
	case truth:
		if v != "true" && v != "false" {
			return "must be true or false"
		}
		return ""
	}
	return m.checkText(v)
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// The readers below take members out of a validated object.

func textOf(in map[string]any, name string) string {
	s, _ := in[name].(string)
	return s
}

func wholeOf(in map[string]any, name string, otherwise int) int {
	n, ok := in[name].(json.Number)
	if !ok {
		return otherwise
	}
	i, _ := strconv.Atoi(n.String())
	return i
}

func truthOf(in map[string]any, name string, otherwise bool) bool {
	b, ok := in[name].(bool)
	if !ok {
		return otherwise
	}
	return b
}

func textsOf(in map[string]any, name string) []string {
	entries, _ := in[name].([]any)
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		s, _ := e.(string)
		out = append(out, s)
	}
	return out
}

func objectOf(in map[string]any, name string) map[string]any {
	o, _ := in[name].(map[string]any)
	return o
}
