package translate

import (
	"context"
	"errors"
	"strings"

	"v3gate/internal/fault"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

// dryRunMember, in the last struct of a writing call, asks for checks without
// the deed (seen in Gandi's own client). The answer is then an array of what is
// wrong, empty when nothing is.
const dryRunMember = "--dry-run"

// takeDryRun takes that member off the parameters.
func takeDryRun(params []xmlrpc.Value) (rest []xmlrpc.Value, dry bool, err error) {
	if len(params) == 0 || params[len(params)-1].Kind() != xmlrpc.KindStruct {
		return params, false, nil
	}
	last := params[len(params)-1]
	v, ok := last.Get(dryRunMember)
	if !ok {
		return params, false, nil
	}
	if !v.IsNil() {
		if err := setBool(dryRunMember, v, &dry); err != nil {
			return nil, false, err
		}
	}
	members := make([]xmlrpc.Member, 0, last.Len())
	for i := range last.Len() {
		if m := last.Member(i); m.Name != dryRunMember {
			members = append(members, m)
		}
	}
	rest = append(rest, params[:len(params)-1]...)
	return append(rest, xmlrpc.Struct(members...)), dry, nil
}

// rehearsed is a plan that v5 can be asked about.
type rehearsed interface {
	rehearse(context.Context, *Call) error
}

// rehearse makes the answer of a dry run from what the check found, and from v5
// where it can be asked. What has nothing to do with the parameters (a wrong
// key, v5 out of reach) stays a fault.
func rehearse(ctx context.Context, c *Call, plan any, wrong []FieldError, err error) (xmlrpc.Answer, error) {
	if p, ok := plan.(rehearsed); ok && err == nil && len(wrong) == 0 {
		err = p.rehearse(ctx, c)
	}
	var rejected *v5.DryRunError
	if errors.As(err, &rejected) {
		for _, f := range rejected.Fields {
			wrong = append(wrong, fieldOfV5(f))
		}
		err = nil
	}
	if err != nil {
		f, known := c.Fault(c, err)
		if !known || f.Field == "" {
			return nil, err
		}
		wrong = append(wrong, fieldOfFault(f))
	}
	return encode(fieldErrors(wrong)), nil
}

func fieldErrors(wrong []FieldError) []fieldErrorOut {
	out := []fieldErrorOut{}
	for _, e := range wrong {
		out = append(out, fieldErrorOut{Attr: list(e.Attr), Error: e.Error, Field: e.Field, FieldType: e.Type, Reason: e.Reason})
	}
	return out
}

// fieldErrorOut is one entry of a dry run's answer. attr is always an array: a
// client joins it.
type fieldErrorOut struct {
	Attr      []string `v3:"attr"`
	Error     string   `v3:"error"`
	Field     string   `v3:"field"`
	FieldType string   `v3:"field_type"`
	Reason    string   `v3:"reason"`
}

// fieldOfV5 names a complaint of v5 by the member that v3 has for it.
func fieldOfV5(f v5.FieldError) FieldError {
	name := f.Name[strings.LastIndexByte(f.Name, '.')+1:]
	return FieldError{Field: name, Type: "String", Error: "EC_INVALIDPARAM1", Reason: f.String()}
}

// fieldOfFault is a fault about one parameter as an entry.
func fieldOfFault(f *fault.Error) FieldError {
	e := FieldError{Field: f.Field[strings.LastIndexByte(f.Field, '.')+1:], Type: "String", Error: "EC_INVALIDPARAM1", Reason: f.Detail}
	switch {
	case f.Cause == fault.CauseExpected:
		e.Error = "EC_MISSINGMANDATORY"
	case f.Object == fault.Struct && f.Cause == fault.CauseUnexpected:
		e.Error = "EC_UNKNOWNFIELD"
	case f.Object == fault.Integer, f.Object == fault.BuyrenewPeriod:
		e.Type = "Integer"
	case f.Object == fault.Boolean:
		e.Type, e.Error = "Boolean", "EC_VALIDBOOL"
	case f.Object == fault.Date:
		e.Type, e.Error = "Date", "EC_VALIDDATE"
	}
	return e
}
