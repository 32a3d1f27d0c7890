package translate

import (
	"context"
	"iter"

	"v3gate/internal/query"
)

// domainListIn is what a list or count method of what a domain has takes.
type domainListIn struct {
	Domain string  `v3:"domain"`
	Opts   options `v3:"opts,opt"`
}

// ListingOf makes the row of such a method. The handler gets the options read and
// the name of a domain that is the caller's.
func ListingOf[T, Out any](name string, schema *query.Schema[T],
	handle func(context.Context, *Call, string, *query.Query[T]) (Out, error), r Row) Row {
	r = Method(name, func(ctx context.Context, c *Call, in domainListIn) (Out, error) {
		var none Out
		fqdn, err := normal(in.Domain)
		if err != nil {
			return none, err
		}
		q, err := schema.Parse(in.Opts)
		if err != nil {
			return none, optionFault("opts", err)
		}
		if err := c.ownsDomain(ctx, fqdn); err != nil {
			return none, err
		}
		return handle(ctx, c, fqdn, q)
	}, r)
	r.Params[1].Type, r.Params[1].Members = "struct", optionParams(schema)
	return r
}

// each gives the items of a list in either direction.
func each[T any](items []T) func(backward bool) iter.Seq[*T] {
	return func(backward bool) iter.Seq[*T] {
		return func(yield func(*T) bool) {
			for i := range items {
				if backward {
					i = len(items) - 1 - i
				}
				if !yield(&items[i]) {
					return
				}
			}
		}
	}
}

// onPage gives the items that are asked for.
func onPage[T any](q *query.Query[T], items []T) []T {
	out := []T{}
	for _, item := range q.Page(each(items)) {
		out = append(out, *item)
	}
	return out
}
