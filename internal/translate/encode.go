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

// encode makes an answer whose type no row knows.
func encode[T any](v T) xmlrpc.Answer { return &result[T]{v, encoderOf(reflect.TypeFor[T]())} }

// result is what a row's handler has given, with what writes it: a row makes its
// encoder once, so that no call looks at tags, and no tree of values stands
// between. Struct fields become members in field order under their v3 tag; a nil
// pointer is nil; an embedded pointer to a struct adds its members, or none when it
// is nil; a time is written by its wall clock, so handlers give it in the zone that
// v3 used. A type cannot contain itself.
type result[Out any] struct {
	out    Out
	encode encoder
}

// AppendTo implements [xmlrpc.Answer].
func (r *result[Out]) AppendTo(dst []byte) ([]byte, error) {
	return xmlrpc.AppendAnswer(dst, func(dst []byte) ([]byte, error) {
		return r.encode(dst, reflect.ValueOf(&r.out).Elem())
	})
}

// encoder appends the <value> of values of one type, which have to be addressable.
type encoder func([]byte, reflect.Value) ([]byte, error)

// scalar makes an encoder out of what gives a value.
func scalar(value func(reflect.Value) xmlrpc.Value) encoder {
	return func(dst []byte, v reflect.Value) ([]byte, error) { return xmlrpc.AppendValue(dst, value(v)) }
}

func encoderOf(t reflect.Type) encoder {
	switch t {
	case reflect.TypeFor[xmlrpc.Value]():
		return scalar(func(v reflect.Value) xmlrpc.Value { return *v.Addr().Interface().(*xmlrpc.Value) })
	case reflect.TypeFor[time.Time]():
		return scalar(func(v reflect.Value) xmlrpc.Value { return xmlrpc.DateTime(*v.Addr().Interface().(*time.Time)) })
	case reflect.TypeFor[nothing]():
		return scalar(func(reflect.Value) xmlrpc.Value { return xmlrpc.Nil() })
	case reflect.TypeFor[keyed]():
		return scalar(func(v reflect.Value) xmlrpc.Value { return xmlrpc.Struct(*v.Addr().Interface().(*keyed)...) })
	case reflect.TypeFor[agreed]():
		wrong := itemsEncoderOf(encoderOf(t.Elem()))
		return func(dst []byte, v reflect.Value) ([]byte, error) {
			if v.Len() == 0 {
				return xmlrpc.AppendValue(dst, xmlrpc.Bool(true))
			}
			return wrong(dst, v)
		}
	}
	switch t.Kind() {
	case reflect.Pointer:
		inner := encoderOf(t.Elem())
		return func(dst []byte, v reflect.Value) ([]byte, error) {
			if v.IsNil() {
				return xmlrpc.AppendValue(dst, xmlrpc.Nil())
			}
			return inner(dst, v.Elem())
		}
	case reflect.String:
		return scalar(func(v reflect.Value) xmlrpc.Value { return xmlrpc.String(v.String()) })
	case reflect.Int, reflect.Int64:
		return scalar(func(v reflect.Value) xmlrpc.Value { return xmlrpc.Int(v.Int()) })
	case reflect.Bool:
		return scalar(func(v reflect.Value) xmlrpc.Value { return xmlrpc.Bool(v.Bool()) })
	case reflect.Float64:
		return scalar(func(v reflect.Value) xmlrpc.Value { return xmlrpc.Double(v.Float()) })
	case reflect.Slice:
		return itemsEncoderOf(encoderOf(t.Elem()))
	case reflect.Struct:
		members := memberEncoderOf(t)
		return func(dst []byte, v reflect.Value) ([]byte, error) {
			dst, err := members(append(dst, xmlrpc.StructStart...), v)
			return append(dst, xmlrpc.StructEnd...), err
		}
	}
	panic(fmt.Sprintf("encode: no rule for %s", t))
}

func itemsEncoderOf(inner encoder) encoder {
	return func(dst []byte, v reflect.Value) ([]byte, error) {
		dst = append(dst, xmlrpc.ArrayStart...)
		for i := range v.Len() {
			var err error
			if dst, err = inner(dst, v.Index(i)); err != nil {
				return dst, fmt.Errorf("item %d: %w", i, err)
			}
		}
		return append(dst, xmlrpc.ArrayEnd...), nil
	}
}

// memberEncoderOf makes what appends the members of a struct, without what stands
// around them.
func memberEncoderOf(t reflect.Type) encoder {
	var fields []encoder
	for i := range t.NumField() {
		if t.Field(i).Anonymous {
			inner := memberEncoderOf(t.Field(i).Type.Elem())
			fields = append(fields, func(dst []byte, v reflect.Value) ([]byte, error) {
				if v.Field(i).IsNil() {
					return dst, nil
				}
				return inner(dst, v.Field(i).Elem())
			})
			continue
		}
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("v3"), ",")
		start, inner := xmlrpc.AppendMember(nil, name), encoderOf(t.Field(i).Type)
		fields = append(fields, func(dst []byte, v reflect.Value) ([]byte, error) {
			dst, err := inner(append(dst, start...), v.Field(i))
			if err != nil {
				return dst, fmt.Errorf("member %s: %w", name, err)
			}
			return append(dst, xmlrpc.MemberEnd...), nil
		})
	}
	return func(dst []byte, v reflect.Value) ([]byte, error) {
		for _, field := range fields {
			var err error
			if dst, err = field(dst, v); err != nil {
				return dst, err
			}
		}
		return dst, nil
	}
}
