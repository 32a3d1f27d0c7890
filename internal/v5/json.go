package v5

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// mostDepth bounds how deep an answer may be nested.
const mostDepth = 100

// reader reads one JSON text in one pass. encoding/json goes over a value that
// has an UnmarshalJSON of its own three times and more, and a domain consists of
// such values: that was a quarter of the time of a domain.info.
//
// It takes what encoding/json takes, but compares names exactly and refuses what
// is nested deeper than mostDepth. After the first thing that is wrong it reads
// nothing more.
type reader struct {
	s     string      // texts without escapes are parts of it
	dates []time.Time // that pointers lead to, made together
	at    int
	depth int
	err   error
}

// selfReader is a type with a form that its fields alone do not tell.
type selfReader interface{ read(*reader) }

// readJSON reads a text into what v points to.
func readJSON(text string, v any) error {
	r := &reader{s: text}
	r.value(reflect.ValueOf(v).Elem())
	if r.peek(); r.err == nil && r.at < len(r.s) {
		r.wrong("the end")
	}
	return r.err
}

// value reads into a variable by its type. null empties a pointer or list, and
// leaves everything else alone.
func (r *reader) value(v reflect.Value) {
	if r.null() {
		if v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice {
			v.SetZero()
		}
		return
	}
	switch to := v.Addr().Interface().(type) {
	case *string:
		*to = r.text()
	case *[]string:
		*to = make([]string, 0, 4)
		r.array(func() { *to = append(*to, r.text()) })
	case *bool:
		*to = r.truth()
	case *int:
		*to = r.whole()
	case *time.Time:
		*to = r.date()
	case **time.Time:
		if t := r.date(); !t.IsZero() {
			if len(r.dates) == cap(r.dates) {
				r.dates = make([]time.Time, 0, 12)
			}
			r.dates = append(r.dates, t)
			*to = &r.dates[len(r.dates)-1]
		}
	case selfReader:
		to.read(r)
	default:
		r.compound(v)
	}
}

// compound is value for what is made of other values.
func (r *reader) compound(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		r.value(v.Elem())
	case reflect.Slice:
		v.SetZero()
		r.array(func() {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			r.value(v.Index(v.Len() - 1))
		})
	case reflect.Struct:
		fields := fieldsOf(v.Type())
		r.object(func(name string) { r.member(v, fields, name) })
	default:
		panic("read JSON: no rule for " + v.Type().String())
	}
}

// member reads one member of a struct; unknown ones are passed over.
func (r *reader) member(v reflect.Value, fields map[string]int, name string) {
	if i, ok := fields[name]; ok {
		r.value(v.Field(i))
	} else {
		r.skip()
	}
}

// known holds the fields of the structs that were read, by their JSON names.
var known sync.Map

func fieldsOf(t reflect.Type) map[string]int {
	if fields, ok := known.Load(t); ok {
		return fields.(map[string]int)
	}
	fields := map[string]int{}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" && name != "-" {
			fields[name] = i
		}
	}
	known.Store(t, fields)
	return fields
}

// object calls member for each member, which has to read its value.
func (r *reader) object(member func(name string)) {
	if !r.open('{') {
		return
	}
	for more := !r.take('}'); more && r.err == nil; more = r.more('}') {
		name := r.quoted()
		if !r.take(':') {
			r.wrong("a colon")
			return
		}
		if member(name); r.err != nil {
			r.err = fmt.Errorf("%.40s: %w", name, r.err)
		}
	}
	r.depth--
}

// array calls item for each item, which has to read it.
func (r *reader) array(item func()) {
	if !r.open('[') {
		return
	}
	for more := !r.take(']'); more && r.err == nil; more = r.more(']') {
		item()
	}
	r.depth--
}

// open begins an object or array.
func (r *reader) open(bracket byte) bool {
	if !r.take(bracket) {
		r.wrong(strconv.QuoteRune(rune(bracket)))
		return false
	}
	if r.depth++; r.depth > mostDepth {
		r.wrong("less depth")
		return false
	}
	return true
}

// more tells whether a comma or the end follows.
func (r *reader) more(end byte) bool {
	if r.take(',') {
		return true
	}
	if !r.take(end) {
		r.wrong("a comma or the end of a list")
	}
	return false
}

// peek gives the next byte that is no blank, 0 at the end and after an error.
func (r *reader) peek() byte {
	for ; r.at < len(r.s) && r.err == nil; r.at++ {
		switch c := r.s[r.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (r *reader) take(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.at++
	return true
}

func (r *reader) word(w string) bool {
	if r.peek() != w[0] || !strings.HasPrefix(r.s[r.at:], w) {
		return false
	}
	r.at += len(w)
	return true
}

func (r *reader) null() bool { return r.word("null") }

func (r *reader) wrong(wanted string) {
	if r.err == nil {
		r.err = fmt.Errorf("byte %d: %s was expected", r.at, wanted)
	}
}

// text reads a string; null as "".
func (r *reader) text() string {
	if r.null() {
		return ""
	}
	return r.quoted()
}

func (r *reader) quoted() string {
	if !r.take('"') {
		r.wrong("a string")
		return ""
	}
	start := r.at
	for ; r.at < len(r.s); r.at++ {
		switch c := r.s[r.at]; {
		case c == '"':
			r.at++
			return r.s[start : r.at-1]
		case c < ' ' || c == '\\' || c >= 0x80:
			return r.escaped(start)
		}
	}
	r.wrong("the end of a string")
	return ""
}

// escaped reads a string that is not just its characters.
func (r *reader) escaped(start int) (text string) {
	for ; r.at < len(r.s) && r.s[r.at] != '"'; r.at++ {
		if r.s[r.at] == '\\' {
			r.at++
		}
	}
	r.at = min(r.at+1, len(r.s))
	if err := json.Unmarshal([]byte(r.s[start-1:r.at]), &text); err != nil {
		r.wrong("a string")
	}
	return text
}

func (r *reader) truth() bool {
	if r.word("true") {
		return true
	}
	if !r.word("false") {
		r.wrong("true or false")
	}
	return false
}

func (r *reader) whole() int {
	n, err := strconv.Atoi(r.number())
	if err != nil {
		r.wrong("a whole number")
	}
	return n
}

// number reads the text of a number.
func (r *reader) number() string {
	r.peek()
	rest := r.s[r.at:]
	end := strings.IndexFunc(rest, func(c rune) bool { return !strings.ContainsRune("+-.eE0123456789", c) })
	if end < 0 {
		end = len(rest)
	}
	if !json.Valid([]byte(rest[:end])) {
		r.wrong("a value")
		return ""
	}
	r.at += end
	return rest[:end]
}

// date reads a date as laxTime does.
func (r *reader) date() time.Time {
	t, err := parseDate(r.lax())
	if err != nil && r.err == nil {
		r.err = err
	}
	return t
}

// lax reads any value as laxString does.
func (r *reader) lax() string {
	if r.peek() == '"' {
		return r.quoted()
	}
	var text laxString
	if raw := r.skip(); r.err == nil {
		r.err = text.UnmarshalJSON([]byte(raw))
	}
	return string(text)
}

// laxTexts reads an object of such values.
func (r *reader) laxTexts() map[string]string {
	if r.null() {
		return nil
	}
	texts := map[string]string{}
	r.object(func(name string) { texts[name] = r.lax() })
	return texts
}

// skip passes over a value and gives it as it stands.
func (r *reader) skip() string {
	c := r.peek()
	start := r.at
	switch c {
	case '{':
		r.object(func(string) { r.skip() })
	case '[':
		r.array(func() { r.skip() })
	case '"':
		r.quoted()
	case 't', 'f':
		r.truth()
	default:
		if !r.null() {
			r.number()
		}
	}
	return r.s[start:r.at]
}
