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

// answerEncoder makes what encodes the results of one row.
func answerEncoder[Out any]() func(*Out) xmlrpc.Value {
	t := reflect.TypeFor[Out]()
	size, encode := sizeOf(t), encoderOf(t)
	return func(out *Out) xmlrpc.Value {
		return encode(&slab{free: make([]xmlrpc.Member, size)}, reflect.ValueOf(out).Elem())
	}
}

// sizeOf is how many members a result has, those in lists not counted.
func sizeOf(t reflect.Type) (n int) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !isRecord(t) {
		return 0
	}
	for i := range t.NumField() {
		n += 1 + sizeOf(t.Field(i).Type)
	}
	return n
}

// slab is the memory for the members of one result, made at once.
type slab struct{ free []xmlrpc.Member }

// take gives room for n members.
func (s *slab) take(n int) []xmlrpc.Member {
	if n > len(s.free) {
		return make([]xmlrpc.Member, 0, n)
	}
	room := s.free[:0:n]
	s.free = s.free[n:]
	return room
}

// encoder turns values of one type into wire values. They have to be
// addressable.
type encoder func(*slab, reflect.Value) xmlrpc.Value

// encoderOf makes the encoder of a handler's result, once for each row. Struct
// fields become members in field order under their v3 tag; a nil pointer is nil;
// an embedded pointer to a struct adds its members, or none when it is nil; a
// time is written by its wall clock, so handlers give it in the zone that v3
// used. A type cannot contain itself.
func encoderOf(t reflect.Type) encoder {
	switch t {
	case reflect.TypeFor[xmlrpc.Value]():
		return func(s *slab, v reflect.Value) xmlrpc.Value { return *v.Addr().Interface().(*xmlrpc.Value) }
	case reflect.TypeFor[time.Time]():
		return func(s *slab, v reflect.Value) xmlrpc.Value {
			return xmlrpc.DateTime(*v.Addr().Interface().(*time.Time))
		}
	case reflect.TypeFor[nothing]():
		return func(*slab, reflect.Value) xmlrpc.Value { return xmlrpc.Nil() }
	case reflect.TypeFor[keyed]():
		return func(s *slab, v reflect.Value) xmlrpc.Value { return xmlrpc.Struct(*v.Addr().Interface().(*keyed)...) }
	}
	switch t.Kind() {
	case reflect.Pointer:
		inner := encoderOf(t.Elem())
		return func(s *slab, v reflect.Value) xmlrpc.Value {
			if v.IsNil() {
				return xmlrpc.Nil()
			}
			return inner(s, v.Elem())
		}
	case reflect.String:
		return func(s *slab, v reflect.Value) xmlrpc.Value { return xmlrpc.String(v.String()) }
	case reflect.Int, reflect.Int64:
		return func(s *slab, v reflect.Value) xmlrpc.Value { return xmlrpc.Int(v.Int()) }
	case reflect.Bool:
		return func(s *slab, v reflect.Value) xmlrpc.Value { return xmlrpc.Bool(v.Bool()) }
	case reflect.Float64:
		return func(s *slab, v reflect.Value) xmlrpc.Value { return xmlrpc.Double(v.Float()) }
	case reflect.Slice:
		inner := encoderOf(t.Elem())
		return func(s *slab, v reflect.Value) xmlrpc.Value {
			return xmlrpc.ArrayOf(v.Len(), func(i int) xmlrpc.Value { return inner(s, v.Index(i)) })
		}
	case reflect.Struct:
		members := membersOf(t)
		return func(s *slab, v reflect.Value) xmlrpc.Value {
			return xmlrpc.Struct(members(s, s.take(v.NumField()), v)...)
		}
	}
	panic(fmt.Sprintf("encode: no rule for %s", t))
}

// memberEncoder appends the members of a struct.
type memberEncoder func(*slab, []xmlrpc.Member, reflect.Value) []xmlrpc.Member

func membersOf(t reflect.Type) memberEncoder {
	var fields []memberEncoder
	for i := range t.NumField() {
		if t.Field(i).Anonymous {
			inner := membersOf(t.Field(i).Type.Elem())
			fields = append(fields, func(s *slab, members []xmlrpc.Member, v reflect.Value) []xmlrpc.Member {
				if v.Field(i).IsNil() {
					return members
				}
				return inner(s, members, v.Field(i).Elem())
			})
			continue
		}
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("v3"), ",")
		inner := encoderOf(t.Field(i).Type)
		fields = append(fields, func(s *slab, members []xmlrpc.Member, v reflect.Value) []xmlrpc.Member {
			return append(members, xmlrpc.M(name, inner(s, v.Field(i))))
		})
	}
	return func(s *slab, members []xmlrpc.Member, v reflect.Value) []xmlrpc.Member {
		for _, field := range fields {
			members = field(s, members, v)
		}
		return members
	}
}
