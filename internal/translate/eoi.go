package translate

import (
	"context"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/query"
)

// eoiOut is an expression of interest as v3 gave it. There are none: v5 has no
// such thing, and the launches they were for are long past.
type eoiOut struct {
	Contact     handleOut `v3:"contact"`
	DateCreated time.Time `v3:"date_created"`
	FQDN        string    `v3:"fqdn"`
	ID          int64     `v3:"id"`
	MaxPosition int64     `v3:"max_position"`
	Position    int64     `v3:"position"`
	TLD         string    `v3:"tld"`
}

// eoiOptions are those of domain.eoi.list and domain.eoi.count. They are checked
// although nothing can be found.
func eoiOptions() *query.Schema[eoiOut] {
	const names = query.Eq | query.Many | query.Sort
	none := func(*eoiOut) []string { return nil }
	return query.New(query.DefaultPerPage,
		query.Time("date_created", query.Eq|query.Lt|query.Gt|query.Sort, parisZone, func(e *eoiOut) time.Time { return e.DateCreated }),
		query.Int("position", query.Eq|query.Lt|query.Gt|query.Sort, func(e *eoiOut) int64 { return e.Position }),
		query.Text("fqdn", names|query.Like, func(e *eoiOut) string { return e.FQDN }).Form(normal),
		query.Texts("tag", names, none),
		query.Text("tld", names, func(e *eoiOut) string { return e.TLD }),
	)
}

func eoiList(context.Context, *Call, *query.Query[eoiOut]) ([]eoiOut, error) { return []eoiOut{}, nil }

func eoiCount(context.Context, *Call, *query.Query[eoiOut]) (int64, error) { return 0, nil }

// eoiInfo answers what it can: there is none under that name.
func eoiInfo(_ context.Context, _ *Call, in domainIn) (eoiOut, error) {
	return eoiOut{}, noEOI(in.Domain)
}

// eoiDelete finds nothing to delete.
func eoiDelete(_ context.Context, _ *Call, in domainIn) (bool, error) { return false, noEOI(in.Domain) }

func noEOI(name string) error {
	fqdn, err := normal(name)
	if err != nil {
		return err
	}
	return fault.New(fault.EOI, fault.CauseNotFound, "there is no expression of interest for '%s'", fqdn)
}
