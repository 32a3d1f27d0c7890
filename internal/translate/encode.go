package translate

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"v3gate/internal/xmlrpc"
)

// nothing is the answer of a method that answers nil.
type nothing struct{}

// encode turns a handler's result into a wire value. Struct fields become
// members in field order under their v3 tag; a nil pointer is nil; an embedded
// pointer to a struct adds its members, or none when it is nil; a time is
// written by its wall clock, so handlers give it in the zone that v3 used.
func encode(out any) xmlrpc.Value {
	return encodeValue(reflect.ValueOf(out))
}

func encodeValue(v reflect.Value) xmlrpc.Value {
	if !v.IsValid() {
		return xmlrpc.Nil()
	}
	switch x := v.Interface().(type) {
	case xmlrpc.Value:
		return x
	case time.Time:
		return xmlrpc.DateTime(x)
	case nothing:
		return xmlrpc.Nil()
	case keyed:
		return xmlrpc.Struct(x...)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return xmlrpc.Nil()
		}
		return encodeValue(v.Elem())
	case reflect.String:
		return xmlrpc.String(v.String())
	case reflect.Int, reflect.Int64:
		return xmlrpc.Int(v.Int())
	case reflect.Bool:
		return xmlrpc.Bool(v.Bool())
	case reflect.Float64:
		return xmlrpc.Double(v.Float())
	case reflect.Slice:
		items := make([]xmlrpc.Value, v.Len())
		for i := range items {
			items[i] = encodeValue(v.Index(i))
		}
		return xmlrpc.Array(items...)
	case reflect.Struct:
		return xmlrpc.Struct(encodeMembers(nil, v)...)
	}
	panic(fmt.Sprintf("encode: no rule for %s", v.Type()))
}

func encodeMembers(members []xmlrpc.Member, v reflect.Value) []xmlrpc.Member {
	t := v.Type()
	for i := range t.NumField() {
		if t.Field(i).Anonymous {
			if !v.Field(i).IsNil() {
				members = encodeMembers(members, v.Field(i).Elem())
			}
			continue
		}
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("v3"), ",")
		members = append(members, xmlrpc.M(name, encodeValue(v.Field(i))))
	}
	return members
}
