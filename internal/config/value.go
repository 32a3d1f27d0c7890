package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Value is one field as flags and variables have it. It is a pflag.Value.
type Value struct{ field any }

// Set reads the text of a flag or variable. The error does not repeat it.
func (v Value) Set(text string) (err error) {
	switch f := v.field.(type) {
	case *string:
		*f = text
	case *[]string:
		*f = strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	case *bool:
		if *f, err = strconv.ParseBool(text); err != nil {
			return errors.New("want true or false")
		}
	case *int:
		if *f, err = strconv.Atoi(text); err != nil {
			return errors.New("want a whole number")
		}
	case *int64:
		if *f, err = strconv.ParseInt(text, 10, 64); err != nil {
			return errors.New("want a whole number")
		}
	case *time.Duration:
		if *f, err = time.ParseDuration(text); err != nil {
			return errWantDuration
		}
	}
	return nil
}

var errWantDuration = errors.New(`want a duration such as "25s" or "1h30m"`)

// String is the value as Set reads it.
func (v Value) String() string {
	switch f := v.field.(type) {
	case *string:
		return *f
	case *[]string:
		return strings.Join(*f, ",")
	case *time.Duration:
		return short(*f)
	}
	return text(v.field)
}

// Type is the word for it in the help of flags.
func (v Value) Type() string {
	switch v.field.(type) {
	case *[]string:
		return "list"
	case *bool:
		return "bool"
	case *int, *int64:
		return "int"
	case *time.Duration:
		return "duration"
	}
	return "string"
}

// setTOML puts what a file says into a field. The error does not repeat it.
func setTOML(field, value any) error {
	switch f := field.(type) {
	case *string:
		if s, ok := value.(string); ok {
			*f = s
			return nil
		}
		return errors.New(`want a string in quotes`)
	case *[]string:
		list, ok := value.([]any)
		words := make([]string, len(list))
		for i := range list {
			if words[i], ok = list[i].(string); !ok {
				break
			}
		}
		if !ok {
			return errors.New(`want a list of strings such as ["a", "b"]`)
		}
		*f = words
	case *bool:
		b, ok := value.(bool)
		if !ok {
			return errors.New("want true or false")
		}
		*f = b
	case *int, *int64:
		n, ok := value.(int64)
		if !ok {
			return errors.New("want a whole number without quotes")
		}
		return Value{field}.Set(strconv.FormatInt(n, 10))
	case *time.Duration:
		s, ok := value.(string)
		if !ok {
			return errWantDuration
		}
		return Value{field}.Set(s)
	}
	return nil
}

// text is a field as TOML.
func text(field any) string {
	switch f := field.(type) {
	case *string:
		return quote(*f)
	case *[]string:
		quoted := make([]string, len(*f))
		for i, s := range *f {
			quoted[i] = quote(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case *bool:
		return strconv.FormatBool(*f)
	case *time.Duration:
		return quote(short(*f))
	}
	return strconv.FormatInt(number(field), 10)
}

// quote writes a basic string of TOML, whose escapes are fewer than Go's.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// short is a duration without the zeros at its end: 9600h for 9600h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// number is a field that counts something, or a duration in nanoseconds.
func number(field any) int64 {
	switch f := field.(type) {
	case *int:
		return int64(*f)
	case *int64:
		return *f
	case *time.Duration:
		return int64(*f)
	}
	return 0
}

// words are the texts of a field that are not empty.
func words(field any) []string {
	switch f := field.(type) {
	case *string:
		if *f != "" {
			return []string{*f}
		}
	case *[]string:
		return *f
	}
	return nil
}
