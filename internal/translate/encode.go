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

// encode encodes one value whose type no row knows.
func encode[T any](v T) xmlrpc.Value { return answerEncoder[T]()(&v) }

// answerEncoder makes what turns the results of one row into wire values, once,
// so that no call looks at tags. Struct fields become members in field order
// under their v3 tag; a nil pointer is nil; an embedded pointer to a struct adds
// its members, or none when it is nil; a time is written by its wall clock, so
// handlers give it in the zone that v3 used. A type cannot contain itself.
func answerEncoder[Out any]() func(*Out) xmlrpc.Value {
	encode := encoderOf(reflect.TypeFor[Out]())
	return func(out *Out) xmlrpc.Value { return encode(reflect.ValueOf(out).Elem()) }
}

// encoder encodes values of one type, which have to be addressable.
type encoder func(reflect.Value) xmlrpc.Value

func encoderOf(t reflect.Type) encoder {
	switch t {
	case reflect.TypeFor[xmlrpc.Value]():
		return func(v reflect.Value) xmlrpc.Value { return *v.Addr().Interface().(*xmlrpc.Value) }
	case reflect.TypeFor[time.Time]():
		return func(v reflect.Value) xmlrpc.Value { return xmlrpc.DateTime(*v.Addr().Interface().(*time.Time)) }
	case reflect.TypeFor[nothing]():
		return func(reflect.Value) xmlrpc.Value { return xmlrpc.Nil() }
	case reflect.TypeFor[keyed]():
		return func(v reflect.Value) xmlrpc.Value { return xmlrpc.Struct(*v.Addr().Interface().(*keyed)...) }
	}
	switch t.Kind() {
	case reflect.Pointer:
		inner := encoderOf(t.Elem())
		return func(v reflect.Value) xmlrpc.Value {
			if v.IsNil() {
				return xmlrpc.Nil()
			}
			return inner(v.Elem())
		}
	case reflect.String:
		return func(v reflect.Value) xmlrpc.Value { return xmlrpc.String(v.String()) }
	case reflect.Int, reflect.Int64:
		return func(v reflect.Value) xmlrpc.Value { return xmlrpc.Int(v.Int()) }
	case reflect.Bool:
		return func(v reflect.Value) xmlrpc.Value { return xmlrpc.Bool(v.Bool()) }
	case reflect.Float64:
		return func(v reflect.Value) xmlrpc.Value { return xmlrpc.Double(v.Float()) }
	case reflect.Slice:
		inner := encoderOf(t.Elem())
		return func(v reflect.Value) xmlrpc.Value {
			return xmlrpc.ArrayOf(v.Len(), func(i int) xmlrpc.Value { return inner(v.Index(i)) })
		}
	case reflect.Struct:
		members := memberEncoderOf(t)
		return func(v reflect.Value) xmlrpc.Value {
			return xmlrpc.Struct(members(make([]xmlrpc.Member, 0, v.NumField()), v)...)
		}
	}
	panic(fmt.Sprintf("encode: no rule for %s", t))
}

// memberEncoder appends the members of a struct.
type memberEncoder func([]xmlrpc.Member, reflect.Value) []xmlrpc.Member

func memberEncoderOf(t reflect.Type) memberEncoder {
	var fields []memberEncoder
	for i := range t.NumField() {
		if t.Field(i).Anonymous {
			inner := memberEncoderOf(t.Field(i).Type.Elem())
			fields = append(fields, func(members []xmlrpc.Member, v reflect.Value) []xmlrpc.Member {
				if v.Field(i).IsNil() {
					return members
				}
				return inner(members, v.Field(i).Elem())
			})
			continue
		}
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("v3"), ",")
		inner := encoderOf(t.Field(i).Type)
		fields = append(fields, func(members []xmlrpc.Member, v reflect.Value) []xmlrpc.Member {
			return append(members, xmlrpc.M(name, inner(v.Field(i))))
		})
	}
	return func(members []xmlrpc.Member, v reflect.Value) []xmlrpc.Member {
		for _, field := range fields {
			members = field(members, v)
		}
		return members
	}
}
