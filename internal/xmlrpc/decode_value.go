package xmlrpc

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
)

// push puts one member on the stack and gives its index. Values are written to
// the stack by index, since a nested push may move it.
func (d *decoder) push(m Member) int {
	d.stack = append(d.stack, m)
	d.used = max(d.used, len(d.stack))
	return len(d.stack) - 1
}

// countValue counts one more value and refuses the one that is too many.
func (d *decoder) countValue() bool {
	d.values++
	if d.values > d.lim.MaxValues {
		return d.fail(ReasonLimit, "more than "+strconv.Itoa(d.lim.MaxValues)+" values")
	}
	return true
}

// anyValue reads the value that begins with tag t, found inside outer. Usually t
// is <value>, but the type may also stand there alone: a .NET client sends
// <param><struct>.
func (d *decoder) anyValue(t tag, at int, outer tag) bool {
	if t.close {
		return d.misplaced(t, outer)
	}
	if t.local() != "value" {
		return d.countValue() && d.typed(t, at)
	}
	if t.empty {
		d.stack[at].Value = Value{kind: KindString, flags: flagUntyped}
		return d.countValue()
	}
	if t.name == "value" {
		return d.value(at)
	}
	return d.countValue() && d.valueBody(t, at)
}

// value reads what follows a <value> tag, its end tag included, into the stack
// entry at. It knows the common types in their usual spelling; valueBody reads
// everything else.
func (d *decoder) value(at int) bool {
	if !d.countValue() {
		return false
	}
	if len(d.doc)-d.pos > 2 && d.doc[d.pos] == '<' {
		switch d.doc[d.pos+1] {
		case 's':
			if text, ok := d.plain("<string>", "</string></value>"); ok {
				d.stack[at].Value = Value{kind: KindString, text: text}
				return true
			}
			if d.take("<struct>") {
				return d.structure(tag{name: "struct"}, at) && (d.take("</value>") || d.end(tag{name: "value"}))
			}
		case 'i':
			if text, ok := d.plain("<int>", "</int></value>"); ok {
				return d.scalar(KindInt, text, at)
			}
			if text, ok := d.plain("<i4>", "</i4></value>"); ok {
				return d.scalar(KindInt, text, at)
			}
		case 'a':
			if d.take("<array>") {
				return d.array(tag{name: "array"}, at) && (d.take("</value>") || d.end(tag{name: "value"}))
			}
		case 'n':
			if d.take("<nil/></value>") {
				return true
			}
		case 'b':
			if text, ok := d.plain("<boolean>", "</boolean></value>"); ok {
				return d.scalar(KindBool, text, at)
			}
		case 'd':
			if text, ok := d.plain("<dateTime.iso8601>", "</dateTime.iso8601></value>"); ok {
				return d.scalar(KindDateTime, text, at)
			}
		}
	}
	return d.valueBody(tag{name: "value"}, at)
}

// valueBody reads what follows the value tag open: text without a type, which is
// a string with all its blanks, or one typed element.
func (d *decoder) valueBody(open tag, at int) bool {
	text, ok := d.text()
	if !ok {
		return false
	}
	t, ok := d.tag()
	if !ok {
		return false
	}
	if t.close {
		if t.name != open.name {
			return d.misplaced(t, open)
		}
		d.stack[at].Value = Value{kind: KindString, flags: flagUntyped, text: text}
		return true
	}
	if trimBlanks(text) != "" {
		return d.wrong(t, "unexpected text before "+t.String())
	}
	return d.typed(t, at) && d.end(open)
}

// typed reads the element that gives a value its type, from after its start tag
// t. Apache's extension types are known with any prefix, and without one.
func (d *decoder) typed(t tag, at int) bool {
	var kind Kind
	switch t.local() {
	case "string":
		kind = KindString
	case "int", "i4", "i8", "i1", "i2", "biginteger":
		kind = KindInt
	case "boolean":
		kind = KindBool
	case "double", "float", "bigdecimal":
		kind = KindDouble
	case "dateTime.iso8601", "dateTime":
		kind = KindDateTime
	case "base64":
		kind = KindBase64
	case "nil":
		return d.end(t)
	case "array":
		return d.array(t, at)
	case "struct":
		return d.structure(t, at)
	default:
		return d.wrong(t, "unknown element "+t.String()+" as a value")
	}
	text, ok := d.scalarText(t)
	return ok && d.scalar(kind, text, at)
}

// scalarText reads the text of an element and its end tag.
func (d *decoder) scalarText(t tag) (string, bool) {
	if t.empty {
		return "", true
	}
	text, ok := d.text()
	return text, ok && d.end(t)
}

// scalar stores a value of the given kind made of its text. A text that Python's
// library refuses is refused in Python's words, except for the booleans "true"
// and "false", which mattn/go-xmlrpc sends, and a date, which is kept as text.
func (d *decoder) scalar(kind Kind, text string, at int) bool {
	v := Value{kind: kind, flags: flagRaw, text: trimBlanks(text)}
	switch kind {
	case KindString:
		v.flags, v.text = 0, text
	case KindInt:
		n, fits, ok := parseInt(v.text)
		if !ok {
			return d.refuse("invalid literal for int() with base 10: " + pythonRepr(text))
		}
		if v.num = n; !fits {
			v.flags |= flagBig
		}
	case KindBool:
		switch v.text {
		case "1", "true":
			v.num = 1
		case "0", "false":
		default:
			return d.refuse("bad boolean value: " + pythonRepr(text))
		}
	case KindDouble:
		f, ok := parseDouble(v.text)
		if !ok {
			return d.refuse("could not convert string to float: " + pythonRepr(text))
		}
		v.num = int64(math.Float64bits(f))
	case KindDateTime:
		date, ok := parseDate(v.text)
		if v.num = date.wall; !ok {
			v.flags |= flagNoTime
		}
	case KindBase64:
		b, err := base64.StdEncoding.DecodeString(dropBlanks(text))
		if err != nil {
			return d.refuse("bad base64 value: " + pythonRepr(text))
		}
		v.flags, v.text = 0, string(b)
	}
	d.stack[at].Value = v
	return true
}

// refuse records a scalar that cannot be read. Its text stands in the message, so
// there is no position: the recorded message of the original has none either.
func (d *decoder) refuse(what string) bool {
	if d.err == nil {
		d.err = invalidInput(ReasonMalformed, "%s", what)
	}
	return false
}

// array reads what follows an <array> tag, its end tag included. Items may stand
// in <data>, as they should, or directly in the array.
func (d *decoder) array(t tag, at int) bool {
	if !d.enter() {
		return false
	}
	mark := len(d.stack)
	if d.take("<data>") {
		if !d.data(tag{name: "data"}) {
			return false
		}
		if d.take("</array>") {
			return d.leave(KindArray, mark, at)
		}
	}
	for !t.empty {
		item, ok := d.next()
		if !ok {
			return false
		}
		if item.close && item.name == t.name {
			break
		}
		if item.local() == "data" && !item.close {
			ok = d.data(item)
		} else {
			ok = d.anyValue(item, d.push(Member{}), t)
		}
		if !ok {
			return false
		}
	}
	return d.leave(KindArray, mark, at)
}

// data reads what follows a <data> tag, its end tag included.
func (d *decoder) data(t tag) bool {
	for !t.empty {
		if d.take("<value>") {
			if !d.value(d.push(Member{})) {
				return false
			}
			continue
		}
		item, ok := d.next()
		if !ok {
			return false
		}
		if item.close && item.name == t.name {
			break
		}
		if !d.anyValue(item, d.push(Member{}), t) {
			return false
		}
	}
	return true
}

// structure reads what follows a <struct> tag, its end tag included.
func (d *decoder) structure(t tag, at int) bool {
	if !d.enter() {
		return false
	}
	mark := len(d.stack)
	for !t.empty {
		if d.take("<member>") {
			if !d.member(tag{name: "member"}) {
				return false
			}
			continue
		}
		m, ok := d.next()
		if !ok {
			return false
		}
		if m.close && m.name == t.name {
			break
		}
		if m.close || m.local() != "member" {
			return d.misplaced(m, t)
		}
		if !d.member(m) {
			return false
		}
	}
	return d.leave(KindStruct, mark, at)
}

// member reads what follows a <member> tag, its end tag included: a name and a
// value, in either order.
func (d *decoder) member(t tag) bool {
	at := d.push(Member{})
	named, valued := false, false
	d.blanks()
	if name, ok := d.plain("<name>", "</name>"); ok {
		d.stack[at].Name, named = name, true
		if d.take("<value>") {
			if !d.value(at) {
				return false
			}
			if valued = true; d.take("</member>") {
				return true
			}
		}
	}
	for !t.empty {
		part, ok := d.next()
		if !ok {
			return false
		}
		if part.close && part.name == t.name {
			break
		}
		switch {
		case part.local() == "name" && !part.close && !named:
			d.stack[at].Name, ok = d.scalarText(part)
			named = true
		case valued:
			ok = d.misplaced(part, t)
		default:
			ok, valued = d.anyValue(part, at, t), true
		}
		if !ok {
			return false
		}
	}
	if !named {
		return d.malformed("struct member without a name")
	}
	if !valued {
		return d.malformed("struct member without a value: " + pythonRepr(d.stack[at].Name))
	}
	return true
}

// enter goes one level deeper and refuses the one that is too deep.
func (d *decoder) enter() bool {
	d.depth++
	if d.depth > d.lim.MaxDepth {
		return d.fail(ReasonLimit, "nesting deeper than "+strconv.Itoa(d.lim.MaxDepth)+" levels")
	}
	return true
}

// bytesPerMember is a low guess of what one member takes in a document written
// as Python does, used to size the slab.
const bytesPerMember = 64

// leave moves the stack entries from mark on to the slab, as the items of the
// array or struct at. The slab is sized for all that can still come, so that a
// usual document needs one, but no more than 4096 at a time, so that a small
// document with one huge string does not pay for it.
func (d *decoder) leave(kind Kind, mark, at int) bool {
	d.depth--
	n := len(d.stack) - mark
	if n > cap(d.slab)-len(d.slab) {
		guess := len(d.stack) + (len(d.doc)-d.pos)/bytesPerMember
		d.slab = make([]Member, 0, max(n, min(guess, 4096)))
	}
	start := len(d.slab)
	d.slab = append(d.slab, d.stack[mark:]...)
	d.stack[at].Value = Value{kind: kind, items: d.slab[start:len(d.slab):len(d.slab)]}
	d.stack = d.stack[:mark]
	return true
}

// trimBlanks cuts the white space of XML from both ends.
func trimBlanks(s string) string {
	if s == "" || !blank(s[0]) && !blank(s[len(s)-1]) {
		return s
	}
	return strings.Trim(s, " \t\r\n")
}
