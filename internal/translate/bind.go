package translate

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"v3gate/internal/fault"
	"v3gate/internal/xmlrpc"
)

// A row's In struct describes its parameters. Its fields are the positional
// parameters in order; a field that is itself a struct is a struct parameter.
//
//	v3:"name"       required
//	v3:"name,opt"   optional; nil, "" and <value/> mean "not given"
//	v3:"name,strict" an int that was never taken as a string by the original
//	ignore:"why"    taken and counted, without effect
//	refuse:"why"    a fault when given
//
// Field types are string, int64, bool, time.Time, []string, map[string]string,
// map[string][]string, xmlrpc.Value, options, keyed, oneOrMore, wholeYears, zoneNumber, recordSet, structs of
// these, and pointers where absence must be told from a zero.
type field struct {
	name     string
	optional bool
	strict   bool
	ignore   string
	refuse   string
}

func fieldOf(f reflect.StructField) field {
	name, options, _ := strings.Cut(f.Tag.Get("v3"), ",")
	out := field{name: name, ignore: f.Tag.Get("ignore"), refuse: f.Tag.Get("refuse")}
	for _, o := range strings.Split(options, ",") {
		out.optional = out.optional || o == "opt"
		out.strict = out.strict || o == "strict"
	}
	out.optional = out.optional || out.ignore != "" || out.refuse != ""
	return out
}

// tagged holds what fieldOf says of the fields of each type that was bound.
var tagged sync.Map

func fieldsOf(t reflect.Type) []field {
	if fields, ok := tagged.Load(t); ok {
		return fields.([]field)
	}
	fields := make([]field, t.NumField())
	for i := range fields {
		fields[i] = fieldOf(t.Field(i))
	}
	tagged.Store(t, fields)
	return fields
}

// bind fills in, a pointer to an In struct, from the positional parameters.
func bind(c *Call, params []xmlrpc.Value, in any) error {
	v := reflect.ValueOf(in).Elem()
	fields := fieldsOf(v.Type())
	if len(params) > len(fields) {
		return fault.New(fault.Method, fault.CauseUnexpected, "%s takes at most %d parameters (the API key not counted), not %d",
			c.Method, len(fields), len(params))
	}
	for i, f := range fields {
		if i >= len(params) || f.absent(params[i], v.Field(i)) {
			if !f.optional {
				return fault.New(fault.Method, fault.CauseExpected, "parameter %d, %s, is missing", i+1, f.name).About(f.name)
			}
			continue
		}
		if err := set(c, f, f.name, params[i], v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

// absent tells whether a value stands for "not given": nil, an untyped empty
// value (XMLRPC::Lite, kolo, phpxmlrpc), or an empty string (PHP's extension).
func (f field) absent(v xmlrpc.Value, into reflect.Value) bool {
	if into.Type() == reflect.TypeFor[xmlrpc.Value]() && f.ignore == "" && f.refuse == "" {
		return false // the handler wants to see it as it is
	}
	return v.IsNil() || v.Kind() == xmlrpc.KindString && v.Text() == ""
}

// set stores one given value. path names it in faults.
func set(c *Call, f field, path string, v xmlrpc.Value, into reflect.Value) error {
	switch {
	case f.refuse != "":
		return unsupported(path, f.refuse)
	case f.ignore != "":
		c.ignored(path)
		return nil
	case into.Kind() == reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	switch to := into.Addr().Interface().(type) {
	case *xmlrpc.Value:
		*to = v
		return nil
	case *string:
		return setText(path, v, to)
	case *int64:
		return setInt(f, path, v, to)
	case *bool:
		return setBool(path, v, to)
	case *time.Time:
		return setTime(path, v, to)
	case *options:
		return setOptions(path, v, to)
	case *keyed:
		return setMembers(path, v, to)
	case *zoneNumber:
		return setZoneNumber(path, v, to)
	case *recordSet:
		return setRecords(c, path, v, to)
	case *[]string:
		return setList(path, v, to)
	case *oneOrMore:
		if v.Kind() == xmlrpc.KindArray {
			return setList(path, v, (*[]string)(to))
		}
		*to = oneOrMore{""}
		return setText(path, v, &(*to)[0])
	case *wholeYears:
		return setYears(f, path, v, to)
	case *map[string]string:
		return setMap(path, v, to)
	case *map[string][]string:
		return setLists(path, v, to)
	}
	if into.Kind() != reflect.Struct {
		panic(fmt.Sprintf("bind %s: no rule for %s", path, into.Type()))
	}
	return setStruct(c, path, v, into)
}

// setStruct fills a struct parameter from its members. PHP writes an empty
// struct as an empty array.
func setStruct(c *Call, path string, v xmlrpc.Value, into reflect.Value) error {
	if err := isStruct(path, v); err != nil {
		return err
	}
	fields := fieldsOf(into.Type())
	given := make([]bool, len(fields))
	for i := range structLen(v) {
		m := v.Member(i)
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == m.Name })
		if at < 0 {
			return fault.New(fault.Struct, fault.CauseUnexpected, "%s has no member %q", path, clip(m.Name)).About(clip(m.Name))
		}
		f := fields[at]
		if f.absent(m.Value, into.Field(at)) {
			continue
		}
		given[at] = true
		if err := set(c, f, path+"."+m.Name, m.Value, into.Field(at)); err != nil {
			return err
		}
	}
	for i, f := range fields {
		if !f.optional && !given[i] {
			return fault.New(fault.Struct, fault.CauseExpected, "%s.%s is missing", path, f.name).About(f.name)
		}
	}
	return nil
}

func isStruct(path string, v xmlrpc.Value) error {
	if v.Kind() == xmlrpc.KindStruct || v.Kind() == xmlrpc.KindArray && v.Len() == 0 {
		return nil
	}
	return wrongType(fault.Struct, path, "struct", v)
}

func structLen(v xmlrpc.Value) int {
	if v.Kind() != xmlrpc.KindStruct {
		return 0
	}
	return v.Len()
}

// setText takes a string, and also what Perl's libraries make of one by
// guessing: numbers keep their raw text, so that the zip code 01000 stays, and
// non-ASCII text comes as base64.
func setText(path string, v xmlrpc.Value, to *string) error {
	switch v.Kind() {
	case xmlrpc.KindString, xmlrpc.KindInt, xmlrpc.KindDouble:
		*to = v.Text()
		return nil
	case xmlrpc.KindBase64:
		*to = textOfBytes(v.Text())
		return nil
	}
	return wrongType(fault.String, path, "string", v)
}

// textOfBytes reads base64 that stands for a string. XMLRPC::Lite sends the
// bytes that Perl holds: UTF-8, or Latin-1 for a string of characters.
func textOfBytes(b string) string {
	if utf8.ValidString(b) {
		return b
	}
	text := make([]rune, len(b))
	for i := range len(b) {
		text[i] = rune(b[i])
	}
	return string(text)
}

// setInt takes an int, digits in a string (seen in a .NET and in PHP clients),
// or a boolean, which is an int in Python.
func setInt(f field, path string, v xmlrpc.Value, to *int64) error {
	if n, ok := v.Int(); ok {
		*to = n
		return nil
	}
	if b, ok := v.Bool(); ok && !f.strict {
		if b {
			*to = 1
		}
		return nil
	}
	if v.Kind() == xmlrpc.KindString && !f.strict {
		if n, err := strconv.ParseInt(strings.TrimSpace(v.Text()), 10, 64); err == nil {
			*to = n
			return nil
		}
	}
	return wrongType(fault.Integer, path, "int", v)
}

// oneOrMore is a parameter that is a string or an array of them.
type oneOrMore []string

// wholeYears is a duration: documented as a double, and sent as an int.
type wholeYears int64

func setYears(f field, path string, v xmlrpc.Value, to *wholeYears) error {
	if d, ok := v.Double(); ok {
		if d != math.Trunc(d) || math.Abs(d) > 1000 {
			return fault.New(fault.Duration, fault.CauseValue, "%s must be a number of whole years", path).About(path)
		}
		*to = wholeYears(d)
		return nil
	}
	return setInt(f, path, v, (*int64)(to))
}

// setBool takes a boolean, or 0 and 1 as int or string (seen in clients).
func setBool(path string, v xmlrpc.Value, to *bool) error {
	if b, ok := v.Bool(); ok {
		*to = b
		return nil
	}
	if v.Kind() == xmlrpc.KindInt || v.Kind() == xmlrpc.KindString {
		if b, err := strconv.ParseBool(strings.TrimSpace(v.Text())); err == nil {
			*to = b
			return nil
		}
	}
	return wrongType(fault.Boolean, path, "boolean", v)
}

// setTime takes a dateTime, or the text form that v3 documents for filters.
func setTime(path string, v xmlrpc.Value, to *time.Time) error {
	if t, ok := v.Time(); ok {
		*to = t
		return nil
	}
	if v.Kind() == xmlrpc.KindString {
		for _, layout := range []string{time.DateTime, time.DateOnly, "2006-01-02T15:04:05", "20060102T15:04:05"} {
			if t, err := time.Parse(layout, strings.TrimSpace(v.Text())); err == nil {
				*to = t
				return nil
			}
		}
	}
	return wrongType(fault.Date, path, "dateTime", v)
}

func setList(path string, v xmlrpc.Value, to *[]string) error {
	if v.Kind() != xmlrpc.KindArray {
		return wrongType(fault.List, path, "array of string", v)
	}
	*to = make([]string, v.Len())
	for i := range v.Len() {
		if err := setText(fmt.Sprintf("%s[%d]", path, i), v.Index(i), &(*to)[i]); err != nil {
			return err
		}
	}
	return nil
}

// setMembers takes a struct of whatever members.
func setMembers(path string, v xmlrpc.Value, to *keyed) error {
	if err := isStruct(path, v); err != nil {
		return err
	}
	for i := range structLen(v) {
		*to = append(*to, v.Member(i))
	}
	return nil
}

func setMap(path string, v xmlrpc.Value, to *map[string]string) error {
	if err := isStruct(path, v); err != nil {
		return err
	}
	*to = make(map[string]string, v.Len())
	for i := range structLen(v) {
		m := v.Member(i)
		var text string
		if b, ok := m.Value.Bool(); ok {
			text = strconv.FormatBool(b)
		} else if !m.Value.IsNil() {
			if err := setText(path+"."+m.Name, m.Value, &text); err != nil {
				return err
			}
		}
		(*to)[m.Name] = text
	}
	return nil
}

func setLists(path string, v xmlrpc.Value, to *map[string][]string) error {
	if err := isStruct(path, v); err != nil {
		return err
	}
	*to = make(map[string][]string, v.Len())
	for i := range structLen(v) {
		m := v.Member(i)
		var list []string
		if err := setList(path+"."+m.Name, m.Value, &list); err != nil {
			return err
		}
		(*to)[m.Name] = list
	}
	return nil
}

func wrongType(o fault.Object, path, want string, v xmlrpc.Value) error {
	return fault.New(o, fault.CauseType, "%s must be of type %s, not %s", path, want, v.Kind()).About(path)
}

// unsupported is the fault of a parameter that exists in v3 and cannot be
// honoured.
func unsupported(path, reason string) error {
	return fault.New(fault.Method, fault.CauseBadParameter, "%s is not supported: %s", path, reason).About(path)
}

// clip bounds a caller's text that is shown back to them.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
