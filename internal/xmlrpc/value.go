package xmlrpc

import (
	"math"
	"strconv"
	"time"
)

// Kind says which of the XML-RPC types a [Value] has.
type Kind uint8

// The kinds. KindNil is zero, so that the zero Value is nil.
const (
	KindNil      Kind = iota // <nil/>, or an absent value
	KindInt                  // <int>, <i4>, <i8> and Apache's <i1>, <i2>, <biginteger>
	KindBool                 // <boolean>
	KindDouble               // <double>, and Apache's <float> and <bigdecimal>
	KindString               // <string>, or a value without a type
	KindDateTime             // <dateTime.iso8601>
	KindBase64               // <base64>
	KindArray                // <array>
	KindStruct               // <struct>
)

// kindNames holds the element names of the XML-RPC specification by Kind.
var kindNames = [...]string{
	KindNil: "nil", KindInt: "int", KindBool: "boolean", KindDouble: "double", KindString: "string",
	KindDateTime: "dateTime.iso8601", KindBase64: "base64", KindArray: "array", KindStruct: "struct",
}

// String gives the name of the kind's element on the wire, such as "boolean".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// trait holds what a Value's kind alone does not say.
type trait uint8

const (
	flagRaw     trait = 1 << iota // text holds the scalar's text as it was received
	flagUntyped                   // a string that stood in <value> without a type
	flagBig                       // an int that does not fit int64; only text has it
	flagNoTime                    // a dateTime whose text is no date; only text has it
)

// Value is one XML-RPC value: a scalar, an array or a struct. The zero Value is
// nil. A Value is passed by value and must be treated as unchangeable: the
// members of a decoded tree share one slab and their texts share one string, so
// that whoever keeps a text for long should keep a [strings.Clone] of it.
type Value struct {
	kind  Kind
	flags trait
	num   int64    // int; boolean 0 or 1; bits of a double; wall clock seconds of a dateTime
	text  string   // string, base64 (the decoded bytes), or the received text under flagRaw
	items []Member // array (with empty names) and struct
}

// Member is one name and value of a struct, in the order of the wire.
type Member struct {
	Name  string
	Value Value
}

// Nil gives the nil value, the same as the zero Value.
func Nil() Value { return Value{} }

// Int gives an int. Only 32 bits can be sent: [AppendResponse] refuses the rest.
func Int(n int64) Value { return Value{kind: KindInt, num: n} }

// Bool gives a boolean.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.num = 1
	}
	return v
}

// Double gives a double, infinities and NaN included.
func Double(f float64) Value { return Value{kind: KindDouble, num: int64(math.Float64bits(f))} }

// String gives a string, which has to be valid UTF-8.
func String(s string) Value { return Value{kind: KindString, text: s} }

// DateTime gives the wall clock that t shows in its own zone, to the second:
// dates travel without a zone, so the caller chooses it with [time.Time.In].
func DateTime(t time.Time) Value {
	_, offset := t.Zone()
	return Value{kind: KindDateTime, num: t.Unix() + int64(offset)}
}

// Base64 gives a binary value holding a copy of b.
func Base64(b []byte) Value { return Value{kind: KindBase64, text: string(b)} }

// Array gives an array of the given values.
func Array(values ...Value) Value {
	return ArrayOf(len(values), func(i int) Value { return values[i] })
}

// ArrayOf gives an array of n values.
func ArrayOf(n int, value func(i int) Value) Value {
	items := make([]Member, n)
	for i := range items {
		items[i].Value = value(i)
	}
	return Value{kind: KindArray, items: items}
}

// Struct gives a struct of the given members, which keeps the slice and its
// order. Names are not checked for repetition.
func Struct(members ...Member) Value { return Value{kind: KindStruct, items: members} }

// M pairs a name with a value, to be used inside [Struct].
func M(name string, v Value) Member { return Member{Name: name, Value: v} }

// Kind gives the type of the value. An untyped value is a KindString.
func (v Value) Kind() Kind { return v.kind }

// IsNil tells whether the value is nil, or an untyped empty <value/>, which is
// what XMLRPC::Lite, kolo/xmlrpc and phpxmlrpc write for nil. An explicit
// <string></string> is not nil: whether it means "not given" is the reader's
// affair.
func (v Value) IsNil() bool {
	return v.kind == KindNil || v.kind == KindString && v.flags&flagUntyped != 0 && v.text == ""
}

// Text gives the text of a scalar: a string itself, the bytes of a base64, and
// for other kinds the received text without blanks around it, so that an <int>
// of "007" stays "007" and a phone number sent as <double> keeps its digits. For
// a value built here it is the text that would be sent. Arrays, structs and nil
// have none.
func (v Value) Text() string {
	switch {
	case v.kind == KindString || v.kind == KindBase64 || v.flags&flagRaw != 0:
		return v.text
	case v.kind == KindInt || v.kind == KindBool:
		return strconv.FormatInt(v.num, 10)
	case v.kind == KindDouble:
		return string(appendDouble(nil, math.Float64frombits(uint64(v.num))))
	case v.kind == KindDateTime:
		return string(appendWallClock(nil, v.num))
	}
	return ""
}

// Int gives the number of a KindInt; ok is false for another kind and for a
// number outside 64 bits, whose digits [Value.Text] still has.
func (v Value) Int() (n int64, ok bool) {
	if v.kind != KindInt || v.flags&flagBig != 0 {
		return 0, false
	}
	return v.num, true
}

// Bool gives the truth of a KindBool; ok is false for another kind.
func (v Value) Bool() (val, ok bool) { return v.kind == KindBool && v.num != 0, v.kind == KindBool }

// Double gives the number of a KindDouble; ok is false for another kind, an int
// included.
func (v Value) Double() (f float64, ok bool) {
	if v.kind != KindDouble {
		return 0, false
	}
	return math.Float64frombits(uint64(v.num)), true
}

// Time gives the instant of a KindDateTime in the zone that came with it, or in
// UTC when none did; a fraction of a second is kept. ok is false for another
// kind and for a text that is no date, which Python's library lets through too.
func (v Value) Time() (t time.Time, ok bool) {
	if v.kind != KindDateTime || v.flags&flagNoTime != 0 {
		return time.Time{}, false
	}
	if v.flags&flagRaw != 0 {
		return parseTime(v.text)
	}
	return time.Unix(v.num, 0).UTC(), true
}

// Len gives the number of items of an array or members of a struct, else 0.
func (v Value) Len() int { return len(v.items) }

// Index gives item i of an array, or the value of member i of a struct. It
// panics when i is out of range, as a slice does.
func (v Value) Index(i int) Value { return v.items[i].Value }

// Member gives member i of a struct in the order of the wire. The name is empty
// for an array. It panics when i is out of range, as a slice does.
func (v Value) Member(i int) Member { return v.items[i] }

// Get looks a struct member up by its exact name. The last of a repeated name
// wins, as in Python's dict. ok is false when it is absent or v is no struct.
func (v Value) Get(name string) (w Value, ok bool) {
	if v.kind != KindStruct {
		return Value{}, false
	}
	for i := len(v.items) - 1; i >= 0; i-- {
		if v.items[i].Name == name {
			return v.items[i].Value, true
		}
	}
	return Value{}, false
}

// Equal tells whether both values would be sent with the same bytes. How a value
// came in (untyped or typed, "007" or "7", a date with or without dashes and
// zone) makes no difference; the order of members does.
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind || v.flags&(flagBig|flagNoTime) != w.flags&(flagBig|flagNoTime) {
		return false
	}
	switch v.kind {
	case KindInt, KindDateTime:
		if v.flags&(flagBig|flagNoTime) != 0 {
			return v.text == w.text
		}
		return v.num == w.num
	case KindDouble:
		a, b := math.Float64frombits(uint64(v.num)), math.Float64frombits(uint64(w.num))
		return v.num == w.num || a != a && b != b
	case KindBool:
		return v.num == w.num
	case KindArray, KindStruct:
		return equalItems(v.items, w.items)
	}
	return v.text == w.text
}

// equalItems compares two lists of items pairwise, names included.
func equalItems(a, b []Member) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || !a[i].Value.Equal(b[i].Value) {
			return false
		}
	}
	return true
}
