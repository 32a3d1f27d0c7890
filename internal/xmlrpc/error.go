package xmlrpc

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FaultCode is the one fault code of this package, for input that is no call it
// can serve. It was recorded with an empty <int/> and with an unknown method.
const FaultCode = 1

// shownRunes bounds how much of a caller's own text a message repeats.
const shownRunes = 100

// Reason says in one word what was wrong with a call. The set is small, so that
// it can be a metric label.
type Reason string

// The reasons. ReasonAborted means that the body could not be read to its end,
// for the client was gone or too slow; nobody may be there to read the answer.
const (
	ReasonMalformed     Reason = "malformed"
	ReasonLimit         Reason = "limit"
	ReasonEncoding      Reason = "encoding"
	ReasonAborted       Reason = "aborted"
	ReasonUnknownMethod Reason = "unknown_method"
)

// Limits bounds what one document may hold. A field of zero or less stands for
// its default, so that no zero Limits is ever "no limit".
type Limits struct {
	MaxBytes  int64 // of the document, after decompression
	MaxDepth  int   // arrays and structs inside each other
	MaxValues int   // values in all, arrays and structs included
}

// DefaultLimits gives 8 MiB, 64 levels and 200,000 values: ten times the largest
// document seen, a zone of a few thousand records.
func DefaultLimits() Limits { return Limits{MaxBytes: 8 << 20, MaxDepth: 64, MaxValues: 200_000} }

// orDefault replaces every field that is not positive.
func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	if l.MaxBytes > 0 {
		d.MaxBytes = l.MaxBytes
	}
	if l.MaxDepth > 0 {
		d.MaxDepth = l.MaxDepth
	}
	if l.MaxValues > 0 {
		d.MaxValues = l.MaxValues
	}
	return d
}

// Error says what is wrong with a document. Its text goes to the caller as the
// text of a fault with code 1, so it holds nothing but the caller's own input.
type Error struct {
	Reason Reason
	// Method is the name in the call, bounded in length, when it was read before
	// the fault was found; else empty.
	Method string

	text string
}

// Error gives the text of the fault.
func (e *Error) Error() string { return e.text }

// Fault gives what is sent: always [FaultCode], and the text.
func (e *Error) Fault() (code int, text string) { return FaultCode, e.text }

// invalidInput makes an Error with the prefix that was recorded for input the
// original could not read.
func invalidInput(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, text: "Invalid XMLRPC input: " + fmt.Sprintf(format, args...)}
}

// unknownMethod makes the Error for a name that no method has, in the original's
// words.
func unknownMethod(name string) *Error {
	name = bounded(name)
	return &Error{Reason: ReasonUnknownMethod, Method: name, text: `Method "` + name + `" is not supported`}
}

// Fault is a fault received in an answer.
type Fault struct {
	Code int
	Text string
}

// Error gives code and text in one line.
func (f *Fault) Error() string { return "fault " + strconv.Itoa(f.Code) + ": " + f.Text }

// bounded cuts s to a length that is fit for a message or a log line.
func bounded(s string) string {
	if len(s) <= shownRunes {
		return s
	}
	n := 0
	for i := range s {
		if n == shownRunes {
			return s[:i] + "..."
		}
		n++
	}
	return s
}

// pythonRepr quotes s as Python's repr() does, since the messages of int() and
// float() that clients have seen are built with it. A long s is cut.
func pythonRepr(s string) string {
	s = bounded(s)
	quote := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		quote = '"'
	}
	out := []byte{quote}
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			out = append(out, '\\', byte(r))
		case r == '\n':
			out = append(out, '\\', 'n')
		case r == '\r':
			out = append(out, '\\', 'r')
		case r == '\t':
			out = append(out, '\\', 't')
		case r == ' ' || unicode.IsPrint(r):
			out = utf8.AppendRune(out, r)
		case r < 0x100:
			out = fmt.Appendf(out, `\x%02x`, r)
		case r < 0x10000:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = fmt.Appendf(out, `\U%08x`, r)
		}
	}
	return string(append(out, quote))
}
