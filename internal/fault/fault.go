// Package fault is the v3 fault taxonomy: which numbers and texts a v3 client
// sees when a call fails.
//
// A fault code is class × 100000 + object × 100 + cause (v3 error codes page).
// Class 5 is the caller's data, class 1 the server's own trouble. The text is
// always "Error on object : OBJECT_NAME (CAUSE_NAME) [detail]" (recorded); real
// clients cut it at the brackets, so the brackets are always there.
//
// Only this package writes fault numbers. Fault code 1, for requests that are
// no XML-RPC and for unknown methods, lies outside the scheme and belongs to
// the wire (package xmlrpc).
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Error is a fault as the v3 client sees it. Object and Cause select the
// number; Detail is the text in the brackets and must never hold a secret, a
// path or the text of an internal error.
type Error struct {
	Object Object
	Cause  Cause
	Detail string
	// Field is the parameter that the fault is about, by its path, as in
	// params.owner; "" when it is about none. It is not shown by itself.
	Field string
}

// New gives a fault about object, with a detail formatted as by fmt.Sprintf.
func New(o Object, c Cause, format string, args ...any) *Error {
	return &Error{Object: o, Cause: c, Detail: fmt.Sprintf(format, args...)}
}

// About gives the fault with the parameter that it is about.
func (e *Error) About(field string) *Error {
	e.Field = field
	return e
}

// Code is the faultCode, for example 510042.
func (e *Error) Code() int {
	return e.Object.class()*100000 + e.Object.number()*100 + e.Cause.number()
}

// Text is the faultString, in the recorded template.
func (e *Error) Text() string {
	return fmt.Sprintf("Error on object : OBJECT_%s (CAUSE_%s) [%s]", e.Object, e.Cause, e.Detail)
}

// Fault gives code and text at once; the wire asks errors for this method.
func (e *Error) Fault() (code int, text string) { return e.Code(), e.Text() }

func (e *Error) Error() string { return fmt.Sprintf("fault %d: %s", e.Code(), e.Text()) }

// Server tells whether the fault is the server's own trouble (class 1) and not
// the caller's data (class 5).
func (e *Error) Server() bool { return e.Object.class() == 1 }

// As finds the fault in err's chain.
func As(err error) (*Error, bool) {
	var f *Error
	ok := errors.As(err, &f)
	return f, ok
}

// Disabled is the fault of a method that exists in v3 and cannot be served,
// with the reason: 501654.
func Disabled(reason string) *Error { return New(Method, CauseDisabled, "%s", reason) }

// Internal is the fault for our own bugs: it shows a request id and nothing
// else. 150000, as the recorded "Internal Server Error" of v3.
func Internal(requestID string) *Error {
	return New(Application, CauseUnknown, "Internal Server Error, request %s", requestID)
}

// Doc renders docs/faults.md from the tables.
func Doc() string {
	var b strings.Builder
	b.WriteString(`# Fault numbers

<!-- Generated from internal/fault/tables.go by: go test ./internal/gateway -update -->

faultCode = class × 100000 + object × 100 + cause, and faultString is
` + "`Error on object : OBJECT_NAME (CAUSE_NAME) [detail]`" + `. Class 5 is the caller's data, class 1 the server's own
trouble. Outside the scheme: code 1 for a request that is no XML-RPC or names an unknown method.

| objects of class 5 | number | | objects of class 1 | number |
|---|---|---|---|---|
`)
	data, server := named(objectNames, 5000, 6000), named(objectNames, 1000, 2000)
	writeColumns(&b, data, server)
	b.WriteString("\n| causes of class 5 | number | | causes of class 1 | number |\n|---|---|---|---|---|\n")
	writeColumns(&b, named(causeNames, 0, 1000), named(causeNames, 1000, 2000))
	return b.String()
}

type number struct {
	name string
	n    int
}

// named lists the symbols of a range in numeric order, with their numbers inside
// the class.
func named[K ~int](names map[K]string, from, below int) []number {
	var out []number
	for k, name := range names {
		if int(k) >= from && int(k) < below {
			out = append(out, number{name, int(k) - from})
		}
	}
	slices.SortFunc(out, func(a, b number) int { return a.n - b.n })
	return out
}

func writeColumns(b *strings.Builder, left, right []number) {
	for i := range max(len(left), len(right)) {
		cell := func(list []number) string {
			if i >= len(list) {
				return " | "
			}
			return fmt.Sprintf("%s | %d", list[i].name, list[i].n)
		}
		fmt.Fprintf(b, "| %s | | %s |\n", cell(left), cell(right))
	}
}
