package translate

import (
	"context"
	"iter"
	"strings"

	"v3gate/internal/handles"
	"v3gate/internal/query"
	"v3gate/internal/store"
)

// contactOptions are those of contact.list and contact.count: the ten filters of
// the contact FAQ, and ~email.
func contactOptions() *query.Schema[handles.Contact] {
	type contact = handles.Contact
	const text = query.Eq | query.Sort
	upper := func(s string) (string, error) { return strings.ToUpper(s), nil }
	return query.New(query.DefaultPerPage,
		query.Text("handle", text, func(c *contact) string { return c.Handle }).Form(upper),
		query.Text("orgname", text, func(c *contact) string { return c.OrgName }),
		query.Text("given", text, func(c *contact) string { return c.Given }),
		query.Text("family", text, func(c *contact) string { return c.Family }),
		query.Int("type", query.Eq|query.Sort, func(c *contact) int64 { return int64(c.Type) }),
		query.Text("email", text|query.Like, func(c *contact) string { return c.Email }),
		query.Text("zip", text, func(c *contact) string { return c.Zip }),
		query.Text("city", text, func(c *contact) string { return c.City }),
		query.Text("streetaddr", text, func(c *contact) string { return c.StreetAddr }),
		query.Text("country", text, func(c *contact) string { return strings.ToUpper(c.Country) }).Form(upper),
	)
}

// contacts gives the tenant's contacts in either direction, and afterwards what
// went wrong.
func (c *Call) contacts(err *error) func(backward bool) iter.Seq[*handles.Contact] {
	return func(backward bool) iter.Seq[*handles.Contact] {
		return func(yield func(*handles.Contact) bool) {
			*err = c.Book.All(c.Tenant.Name, backward, func(contact *handles.Contact) error {
				if !yield(contact) {
					return store.Stop
				}
				return nil
			})
		}
	}
}

func contactList(_ context.Context, c *Call, q *query.Query[handles.Contact]) ([]contactOut, error) {
	var err error
	out := []contactOut{}
	for _, contact := range q.Page(c.contacts(&err)) {
		out = append(out, contactAnswer(contact))
	}
	return out, err
}

func contactCount(_ context.Context, c *Call, q *query.Query[handles.Contact]) (int64, error) {
	var err error
	n := q.Count(c.contacts(&err)(false))
	return n, err
}
