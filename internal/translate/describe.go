package translate

import (
	"reflect"
	"strings"
	"time"

	"v3gate/internal/xmlrpc"
)

// describe reads the documentation of a row off its In and Out types.
func describe[In, Out any](name string, r Row) Row {
	r.Name = name
	r.Params = paramsOf(reflect.TypeFor[In]())
	out := reflect.TypeFor[Out]()
	r.ReturnType = typeName(out)
	if out = inside(out); isRecord(out) {
		r.Returns = returnsOf(out, "always")
	}
	return r
}

// inside is what a pointer points to, or what a list is made of.
func inside(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice && t != reflect.TypeFor[keyed]() && t != reflect.TypeFor[options]() {
		t = t.Elem()
	}
	if t == reflect.TypeFor[recordSet]() {
		return reflect.TypeFor[recordParams]()
	}
	return t
}

// returnsOf lists the members of an Out type. A pointer may be nil; the members
// of an embedded one are there or not.
func returnsOf(t reflect.Type, need string) []Param {
	var members []Param
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			members = append(members, returnsOf(f.Type.Elem(), "sometimes")...)
			continue
		}
		p := Param{Name: fieldOf(f).name, Type: typeName(f.Type), Need: need, Support: "honoured"}
		if f.Type.Kind() == reflect.Pointer {
			p.Type += " or nil"
		}
		if inner := inside(f.Type); isRecord(inner) {
			p.Members = returnsOf(inner, "always")
		}
		members = append(members, p)
	}
	return members
}

func paramsOf(t reflect.Type) []Param {
	var params []Param
	for i := range t.NumField() {
		f := fieldOf(t.Field(i))
		p := Param{Name: f.name, Type: typeName(t.Field(i).Type), Need: "required", Support: "honoured"}
		if f.optional {
			p.Need = "optional"
		}
		switch {
		case f.refuse != "":
			p.Support, p.Reason = "refused", f.refuse
		case f.ignore != "":
			p.Support, p.Reason = "ignored", f.ignore
		}
		if inner := inside(t.Field(i).Type); isRecord(inner) {
			p.Members = paramsOf(inner)
		}
		params = append(params, p)
	}
	return params
}

// isRecord tells the structs whose fields are members from those that are one
// value.
func isRecord(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() && t != reflect.TypeFor[xmlrpc.Value]() &&
		t != reflect.TypeFor[nothing]()
}

// typeName is v3's word for a Go type.
func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Time]():
		return "dateTime.iso8601"
	case reflect.TypeFor[xmlrpc.Value]():
		return "any"
	case reflect.TypeFor[keyed](), reflect.TypeFor[options]():
		return "struct"
	case reflect.TypeFor[nothing]():
		return "nil"
	case reflect.TypeFor[oneOrMore]():
		return "array of string or string"
	case reflect.TypeFor[wholeYears]():
		return "double or int"
	case reflect.TypeFor[recordSet]():
		return "string or array of struct"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Int, reflect.Int64:
		return "int"
	case reflect.Bool:
		return "boolean"
	case reflect.Float64:
		return "double"
	case reflect.Slice:
		return "array of " + typeName(t.Elem())
	case reflect.Struct, reflect.Map:
		return "struct"
	}
	return strings.ToLower(t.Kind().String())
}
