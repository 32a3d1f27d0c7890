package translate

import (
	"context"
	"errors"

	"v3gate/internal/fault"
	"v3gate/internal/query"
	"v3gate/internal/xmlrpc"
)

// options are the options of a list or count method as they came; its schema
// says what they may be.
type options []query.Option

// listIn is what a list or count method takes whose only parameter is options.
type listIn struct {
	Opts options `v3:"opts,opt"`
}

// Listing makes the row of such a method. The handler gets the options read.
func Listing[T, Out any](name string, schema *query.Schema[T],
	handle func(context.Context, *Call, *query.Query[T]) (Out, error), r Row) Row {
	r = Method(name, func(ctx context.Context, c *Call, in listIn) (Out, error) {
		var none Out
		q, err := schema.Parse(in.Opts)
		if err != nil {
			return none, optionFault("opts", err)
		}
		return handle(ctx, c, q)
	}, r)
	r.Params[0].Type, r.Params[0].Members = "struct", optionParams(schema)
	return r
}

// optionParams documents the options of a schema.
func optionParams[T any](schema *query.Schema[T]) []Param {
	var params []Param
	for _, o := range schema.Describe() {
		p := Param{Name: o.Key, Type: o.Type, Need: "optional", Support: "honoured"}
		if o.Refused != "" {
			p.Support, p.Reason = "refused", o.Refused
		}
		params = append(params, p)
	}
	return params
}

// setOptions takes the members of a struct as they came.
func setOptions(path string, v xmlrpc.Value, to *options) error {
	if err := isStruct(path, v); err != nil {
		return err
	}
	for i := range structLen(v) {
		m := v.Member(i)
		value, err := optionValue(path+"."+m.Name, m.Value)
		if err != nil {
			return err
		}
		*to = append(*to, query.Option{Key: m.Name, Value: value})
	}
	return nil
}

// optionValue gives numbers as their text, since a zip code that Perl sends as
// a number has digits that count.
func optionValue(path string, v xmlrpc.Value) (any, error) {
	switch v.Kind() {
	case xmlrpc.KindNil:
		return nil, nil
	case xmlrpc.KindBool:
		b, _ := v.Bool()
		return b, nil
	case xmlrpc.KindDateTime:
		t, ok := v.Time()
		if !ok {
			return nil, wrongType(fault.Date, path, "dateTime", v)
		}
		return t, nil
	case xmlrpc.KindArray:
		list := make([]any, v.Len())
		for i := range list {
			var err error
			if list[i], err = optionValue(path, v.Index(i)); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	var text string
	err := setText(path, v, &text)
	return text, err
}

// optionFault is the fault of an option that cannot be used.
func optionFault(path string, err error) error {
	var wrong *query.OptionError
	if !errors.As(err, &wrong) {
		return err
	}
	if f, ok := fault.As(wrong.Err); ok {
		return f // what the form of a value says, as for a domain name
	}
	key := path + "." + wrong.Key
	object := map[query.Kind]fault.Object{
		query.KindInt: fault.Integer, query.KindBool: fault.Boolean, query.KindTime: fault.Date,
	}[wrong.Kind]
	if object == 0 {
		object = fault.String
	}
	switch wrong.Why {
	case query.Unknown:
		return fault.New(fault.Struct, fault.CauseUnexpected, "%s %s", key, wrong.Reason)
	case query.Refused:
		return unsupported(key, wrong.Reason)
	case query.WrongType:
		return fault.New(object, fault.CauseType, "%s %s", key, wrong.Reason)
	}
	return fault.New(object, fault.CauseValue, "%s %s", key, wrong.Reason)
}
