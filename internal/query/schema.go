// Package query has the options of v3's list, count and delete methods, once
// for all of them: filters with the prefixes ~ < > ! and =, arrays of values,
// sort_by, items_per_page and page.
//
// A Schema is built once a method from what is documented for it. Parse turns
// a caller's options into a Query, or says by name what is wrong with them. A
// Query filters, sorts and cuts what the caller's iterator gives.
package query

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Can is what the options may do with a field: the operators, each with the
// prefix that its key has, and how the field behaves.
type Can uint16

const (
	Eq      Can = 1 << iota // name: equal. =name means the same and is taken wherever name is
	EqSign                  // =name: documented as a key of its own; brings Eq
	Ne                      // !name: not equal
	Lt                      // <name: less, and not equal; ints and times only
	Gt                      // >name: greater, and not equal; ints and times only
	Like                    // ~name: SQL's LIKE with % only, in any case; texts only
	Many                    // name and !name take an array too: one of these, none of these
	Cased                   // ~name tells capitals from small letters
	Sort                    // sort_by may name the field
	Natural                 // the items come in the ascending order of this field
)

// operators are the keys of a field.
var operators = []struct {
	prefix string
	op     Can
}{{"", Eq}, {"=", EqSign}, {"!", Ne}, {"<", Lt}, {">", Gt}, {"~", Like}}

// Kind is the type of the values that an option takes.
type Kind int

const (
	KindText Kind = iota
	KindInt
	KindBool
	KindTime
)

// String is v3's word for the type.
func (k Kind) String() string {
	return [...]string{"string", "int", "boolean", "dateTime"}[k]
}

// None is given by the accessor of an int field for an item that has no value
// there. Such an item is matched by ! only, and is the first in ascending order.
// So is a zero time.
const None int64 = math.MinInt64

// Field is one field of the items. Its accessor is of the form that its kind
// needs: ints, booleans and times are compared as numbers.
type Field[T any] struct {
	name    string
	kind    Kind
	can     Can
	num     func(*T) int64
	text    func(*T) string
	texts   func(*T) []string
	zone    *time.Location
	form    func(string) (string, error)
	usually any
	refused string
}

// Int is a field with a number in it, or None.
func Int[T any](name string, can Can, get func(*T) int64) Field[T] {
	return Field[T]{name: name, kind: KindInt, can: can, num: get}
}

// Text is a field with a string in it. An empty one is a value like others.
func Text[T any](name string, can Can, get func(*T) string) Field[T] {
	return Field[T]{name: name, kind: KindText, can: can, text: get}
}

// Texts is a field with strings in it, such as status or tag: it is equal to a
// value that is one of them, and not equal when none is.
func Texts[T any](name string, can Can, get func(*T) []string) Field[T] {
	return Field[T]{name: name, kind: KindText, can: can, texts: get}
}

// Bool is a field that is true or false.
func Bool[T any](name string, can Can, get func(*T) bool) Field[T] {
	return Field[T]{name: name, kind: KindBool, can: can, num: func(item *T) int64 { return truth(get(item)) }}
}

// Time is a field with a date in it, compared to the second, which is all that a
// v3 client sees of it. Dates of callers have no zone: theirs is the wall clock of
// this one, the zone in which the field is shown.
func Time[T any](name string, can Can, zone *time.Location, get func(*T) time.Time) Field[T] {
	return Field[T]{name: name, kind: KindTime, can: can, zone: zone, num: func(item *T) int64 {
		if t := get(item); !t.IsZero() {
			return t.Unix()
		}
		return None
	}}
}

// Form gives the field a function that brings a caller's text into the form that
// the items have: a domain name into lower case, a handle into upper case. Its
// error becomes that of the option. It sees the values of name and !name; those
// of ~name are no whole values.
func (f Field[T]) Form(form func(string) (string, error)) Field[T] {
	f.form = form
	return f
}

// Default gives the field the value that it is filtered by when no option names
// the field.
func (f Field[T]) Default(value any) Field[T] {
	f.usually = value
	return f
}

// Refuse makes the options of the field known and their use an error with this
// reason. Its accessor is not called and may be nil.
func (f Field[T]) Refuse(reason string) Field[T] {
	f.refused = reason
	return f
}

// Schema is what a method takes. It does not change and may be shared.
type Schema[T any] struct {
	perPage  int64
	fields   map[string]*Field[T]
	defaults []filter[T]
}

// DefaultPerPage is items_per_page where the documents say nothing else.
const DefaultPerPage = 100

// New makes a schema of fields; perPage is the default of items_per_page. With 0
// the method has no page, items_per_page and sort_by, as those that delete. A
// mistake in the fields is one of the program and panics.
func New[T any](perPage int64, fields ...Field[T]) *Schema[T] {
	s := &Schema[T]{perPage: perPage, fields: make(map[string]*Field[T], len(fields))}
	for _, f := range fields {
		if f.can&EqSign != 0 {
			f.can |= Eq
		}
		if f.zone == nil {
			f.zone = time.UTC
		}
		number := f.kind == KindInt || f.kind == KindTime
		switch {
		case f.name == "" || s.fields[f.name] != nil:
			panic(fmt.Sprintf("field %q is there twice, or has no name", f.name))
		case f.num == nil && f.text == nil && f.texts == nil && f.refused == "":
			panic(fmt.Sprintf("field %s has no accessor", f.name))
		case f.can&(Lt|Gt) != 0 && !number, f.can&(Like|Cased) != 0 && f.kind != KindText:
			panic(fmt.Sprintf("field %s has operators that a %s cannot have", f.name, f.kind))
		}
		s.fields[f.name] = &f
		if f.usually != nil {
			usual, err := newFilter(&f, Eq, Option{f.name, f.usually})
			if err != nil {
				panic(err)
			}
			s.defaults = append(s.defaults, usual)
		}
	}
	return s
}

// Documented is the description of one option.
type Documented struct {
	Key     string // with its prefix
	Type    string // in v3's words
	Default string
	Sort    []string // what sort_by may name
	Refused string   // why it cannot be used
}

// Describe lists the options by their keys, in the order of the v3 reference.
func (s *Schema[T]) Describe() []Documented {
	var out []Documented
	if s.perPage > 0 {
		out = []Documented{
			{Key: "items_per_page", Type: "int", Default: strconv.FormatInt(s.perPage, 10)},
			{Key: "page", Type: "int", Default: "0"},
			{Key: "sort_by", Type: "string", Sort: s.sortable()},
		}
	}
	for name, f := range s.fields {
		for _, o := range operators {
			if f.can&o.op == 0 {
				continue
			}
			d := Documented{Key: o.prefix + name, Type: f.word(o.op), Refused: f.refused}
			if o.op == Eq && f.usually != nil {
				d.Default = fmt.Sprint(f.usually)
			}
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b Documented) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// word is the type of an option of the field, as the v3 reference words it:
// dates are strings there.
func (f *Field[T]) word(op Can) string {
	word := f.kind.String()
	if f.kind == KindTime {
		word = KindText.String()
	}
	switch {
	case f.can&Many == 0 || op&(Eq|EqSign|Ne) == 0:
		return word
	case f.kind == KindInt:
		return "int or array of int"
	}
	return "array of " + word + " or " + word
}

// keys are the keys of the field, and all keys when it is nil.
func (s *Schema[T]) keys(f *Field[T]) []string {
	var keys []string
	for _, d := range s.Describe() {
		if _, name := split(d.Key); f == nil || name == f.name {
			keys = append(keys, d.Key)
		}
	}
	return keys
}

func (s *Schema[T]) sortable() []string {
	var names []string
	for name, f := range s.fields {
		if f.can&Sort != 0 && f.refused == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
