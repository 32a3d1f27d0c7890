// Package translate is the meeting of v3 and v5: one row for each v3 method,
// with the handler that answers it.
//
// The table (table.go) drives everything: which methods exist, what they take,
// how they are documented, how they are counted. Handlers stand in one file a
// resource and only compute; the chain around them belongs to package gateway.
package translate

import (
	"context"
	"reflect"

	"v3gate/internal/fault"
	"v3gate/internal/tenant"
	"v3gate/internal/xmlrpc"
)

// Support says how much of a method works.
type Support string

const (
	Full    Support = "full"    // as in v3
	Partial Support = "partial" // some parameters are refused; each is named in the row
	Local   Support = "local"   // answered by the gateway itself, without v5
	Refused Support = "refused" // v5 has nothing for it; it always answers a fault that says why
)

// Class says what a call can do to the caller's account.
type Class string

const (
	Read  Class = "read"
	Write Class = "write"
	Paid  Class = "paid" // it can cost money
)

// Key says whether a method takes the API key as its first parameter.
type Key string

const (
	KeyRequired Key = "required"
	KeyOptional Key = "optional"
	KeyNone     Key = "none"
)

// Param is one parameter, or one member of a struct parameter, as it is
// documented.
type Param struct {
	Name string `json:"name"`
	Type string `json:"type"` // v3's word: string, int, boolean, struct, array of string …
	Need string `json:"need"` // required or optional; of returned members always or sometimes
	// Support is honoured, ignored or refused; Reason is given with the last two.
	Support string  `json:"support"`
	Reason  string  `json:"reason,omitempty"`
	Members []Param `json:"members,omitempty"`
}

// Row is one v3 method.
type Row struct {
	Name    string   `json:"name"`
	Support Support  `json:"support"`
	Class   Class    `json:"class"`
	Key     Key      `json:"key"`
	V5      []string `json:"v5"` // the v5 requests it makes, in order; those in parentheses not always
	Note    string   `json:"note"`
	// Divergences are the numbers of the entries in docs/divergences.md.
	Divergences []int   `json:"-"`
	Params      []Param `json:"parameters"`
	Returns     []Param `json:"-"` // members of the returned struct, or of the structs of a returned list
	ReturnType  string  `json:"-"` // v3's word for the returned value

	refusal *fault.Error // what a refused row answers
	call    func(context.Context, *Call, []xmlrpc.Value) (xmlrpc.Answer, error)
}

// Call makes the call: it binds the parameters, without the API key, and runs
// the handler. The error is for [Services.Fault] to turn into a fault.
func (r *Row) Call(ctx context.Context, c *Call, params []xmlrpc.Value) (xmlrpc.Answer, error) {
	if r.refusal != nil {
		return nil, r.refusal
	}
	return r.call(ctx, c, params)
}

// Method makes the row of a method that only reads, or writes nothing but the
// gateway's own records.
func Method[In, Out any](name string, handle func(context.Context, *Call, In) (Out, error), r Row) Row {
	r = describe[In, Out](name, r)
	encode := encoderOf(reflect.TypeFor[Out]())
	r.call = func(ctx context.Context, c *Call, params []xmlrpc.Value) (xmlrpc.Answer, error) {
		var in In
		if err := bind(c, params, &in); err != nil {
			return nil, err
		}
		out, err := handle(ctx, c, in)
		if err != nil {
			return nil, err
		}
		return &result[Out]{out, encode}, nil
	}
	return r
}

// Writing makes the row of a method that changes something, in two steps. check
// finds what is wrong with the parameters and makes a plan, do carries the plan
// out. Between them stands the decision whether to carry it out at all.
func Writing[In, Plan, Out any](name string,
	check func(context.Context, *Call, In) (Plan, []FieldError, error),
	do func(context.Context, *Call, Plan) (Out, error), r Row) Row {
	r = describe[In, Out](name, r)
	encode := encoderOf(reflect.TypeFor[Out]())
	r.call = func(ctx context.Context, c *Call, params []xmlrpc.Value) (xmlrpc.Answer, error) {
		params, dry, err := takeDryRun(params)
		if err != nil {
			return nil, err
		}
		var in In
		var plan Plan
		var wrong []FieldError
		if err = bind(c, params, &in); err == nil {
			plan, wrong, err = check(ctx, c, in)
		}
		switch {
		case dry:
			return rehearse(ctx, c, plan, wrong, err)
		case err != nil:
			return nil, err
		case len(wrong) > 0:
			return nil, wrong[0].Fault()
		case r.Class == Paid && c.Tenant.Mode == tenant.NoSpend:
			return nil, fault.Disabled("this account may not spend: the call was checked and not made")
		}
		out, err := do(ctx, c, plan)
		c.Book.Changed()
		if err != nil {
			return nil, err
		}
		return &result[Out]{out, encode}, nil
	}
	return r
}

// refused makes the row of a documented method that v5 cannot do.
func refused(name string, class Class, reason string) Row {
	return Row{Name: name, Support: Refused, Class: class, Key: KeyRequired, Note: reason, refusal: fault.Disabled(reason)}
}

// key changes a row's need of the API key.
func (r Row) key(k Key) Row {
	r.Key = k
	return r
}

// FieldError is one thing that is wrong with one parameter, in v3's words.
type FieldError struct {
	Field  string
	Type   string   // v3's kind of field: String, Enum, Date …
	Error  string   // EC_… words (v3 contact glossary)
	Reason string   // for people
	Attr   []string // what the rule compares with, if it does
	Object fault.Object
	Cause  fault.Cause
}

// Fault is the fault that a caller gets who did not ask for a dry run.
func (e FieldError) Fault() *fault.Error { return fault.New(e.Object, e.Cause, "%s", e.Reason) }
