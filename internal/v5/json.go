package v5

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostDepth bounds how deep an answer may be nested.
const mostDepth = 100

// reader reads one JSON text in one pass, without reflection. encoding/json goes
// over a value that has an UnmarshalJSON of its own three times and more, and a
// domain consists of such values: that was a quarter of the time of a domain.info.
//
// It takes what encoding/json takes, but compares names exactly and refuses what
// is nested deeper than mostDepth. null is nothing: "", false, 0, nil. After the
// first thing that is wrong it reads nothing more.
type reader struct {
	s     string      // texts without escapes are parts of it
	dates []time.Time // that pointers lead to, made together
	list  []string    // of which arrays of strings are parts, made together
	at    int
	depth int
	err   error
}

// selfReader is a type that the reader fills. Its members stand twice, in its tags
// and in read; a test fails when one is forgotten.
type selfReader interface{ read(*reader) }

// readJSON reads a text into v.
func readJSON(text string, v selfReader) error {
	r := &reader{s: text}
	v.read(r)
	if r.peek(); r.err == nil && r.at < len(r.s) {
		r.wrong("the end")
	}
	return r.err
}

// maybe reads what may be null into a new T.
func maybe[T any](r *reader, read func(*T, *reader)) *T {
	if r.null() {
		return nil
	}
	v := new(T)
	read(v, r)
	return v
}

// several reads an array of T.
func several[T any](r *reader, read func(*T, *reader)) []T {
	if r.null() {
		return nil
	}
	items := []T{}
	r.array(func() {
		var item T
		read(&item, r)
		items = append(items, item)
	})
	return items
}

// object calls member for each member, which has to read its value.
func (r *reader) object(member func(name string)) {
	if r.null() || !r.open('{') {
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
	if r.null() || !r.open('[') {
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
	start, rest := r.at, r.s[r.at:]
	for i := range len(rest) {
		switch c := rest[i]; {
		case c == '"':
			r.at += i + 1
			return rest[:i]
		case c < ' ' || c == '\\' || c >= 0x80:
			r.at += i
			return r.escaped(start)
		}
	}
	r.at = len(r.s)
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

// texts reads an array of strings.
func (r *reader) texts() []string {
	if r.null() {
		return nil
	}
	if cap(r.list)-len(r.list) < 4 {
		r.list = make([]string, 0, 16) // a new one, so that none holds on to those of a whole page
	}
	from := len(r.list)
	r.array(func() { r.list = append(r.list, r.text()) })
	return slices.Clip(r.list[from:])
}

func (r *reader) truth() bool {
	if r.word("true") {
		return true
	}
	if !r.word("false") && !r.null() {
		r.wrong("true or false")
	}
	return false
}

func (r *reader) maybeTruth() *bool {
	return maybe(r, func(b *bool, r *reader) { *b = r.truth() })
}

func (r *reader) whole() int {
	if r.null() {
		return 0
	}
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

// maybeDate reads a date; nil for none.
func (r *reader) maybeDate() *time.Time {
	t := r.date()
	if t.IsZero() {
		return nil
	}
	if len(r.dates) == cap(r.dates) {
		r.dates = make([]time.Time, 0, 12)
	}
	r.dates = append(r.dates, t)
	return &r.dates[len(r.dates)-1]
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
