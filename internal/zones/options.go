package zones

import (
	"strings"

	"v3gate/internal/query"
)

// fields of a record, as the lists of v3 know them. Names and types are compared
// in the form in which records have them, values as they are.
func fields(sort, natural query.Can) []query.Field[Record] {
	type r = Record
	return []query.Field[r]{
		query.Int("id", query.Eq|sort, func(r *r) int64 { return r.ID }),
		query.Text("name", query.Eq|query.Many|query.Like|sort|natural, func(r *r) string { return r.Name }).Form(lower),
		query.Int("ttl", query.Eq|query.Lt|query.Gt|sort, func(r *r) int64 { return r.TTL }),
		query.Text("type", query.Eq|sort, func(r *r) string { return r.Type }).Form(upper),
		query.Text("value", query.Eq|query.Many|query.Like|query.Cased|sort, func(r *r) string { return r.Value }),
	}
}

// ListOptions are those of record.list and record.count. Records come by their
// names.
func ListOptions() *query.Schema[Record] {
	return query.New(query.DefaultPerPage, fields(query.Sort, query.Natural)...)
}

// DeleteOptions are those of record.delete, which has no pages.
func DeleteOptions() *query.Schema[Record] { return query.New(0, fields(0, 0)...) }

func lower(name string) (string, error) { return strings.ToLower(name), nil }
func upper(typ string) (string, error)  { return strings.ToUpper(typ), nil }
