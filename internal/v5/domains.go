package v5

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// DomainItem is a domain in a list, as far as it is read. v5 gives more, but not
// what only the detail has: contacts, name servers and most dates.
type DomainItem struct {
	FQDN string `json:"fqdn"`
	// SharingID is the organization that has it; "" where v5 does not say.
	SharingID string `json:"sharing_id"`
	// UpdatedAt is when it was last changed; zero where v5 does not say.
	UpdatedAt time.Time `json:"-"`
}

func (d *DomainItem) read(r *reader) {
	r.object(func(name string) {
		switch name {
		case "fqdn":
			d.FQDN = r.text()
		case "sharing_id":
			d.SharingID = r.text()
		case "dates":
			var dates Dates
			if dates.read(r); dates.UpdatedAt != nil {
				d.UpdatedAt = *dates.UpdatedAt
			}
		default:
			r.skip()
		}
	})
}

// UnmarshalJSON reads dates as Dates does.
func (d *DomainItem) UnmarshalJSON(b []byte) error { return readJSON(string(b), d) }

// DomainPage lists the domains that the credential can see, of all its organizations,
// by name, one page at a time from 1. last tells that no page comes after this one.
func (s *Session) DomainPage(ctx context.Context, page int) (items []DomainItem, last bool, err error) {
	q := url.Values{"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(perPage)}}
	return s.domains(ctx, q)
}

// Listed tells whether the credential sees a domain in its list. A domain that has
// left is not in it, while its details may be answered by a 403 (seen in clients),
// which could mean anything.
func (s *Session) Listed(ctx context.Context, fqdn string) (bool, error) {
	items, _, err := s.domains(ctx, url.Values{"fqdn": {fqdn}})
	return slices.ContainsFunc(items, func(d DomainItem) bool { return d.FQDN == fqdn }), err
}

// CustomerDomains lists the domains of a customer, the first page of them. An id
// that is "" is refused here: v5 would list all domains.
func (s *Session) CustomerDomains(ctx context.Context, id string) ([]string, error) {
	if id == "" {
		r := request{route: "GET /domain/domains"}
		return nil, r.refused(errors.New("list domains of a customer: no id"))
	}
	items, _, err := s.domains(ctx, url.Values{"resellee_id": {id}, "page": {"1"}, "per_page": {strconv.Itoa(perPage)}})
	names := make([]string, len(items))
	for i := range items {
		names[i] = items[i].FQDN
	}
	return names, err
}

// domains makes one request for a list of domains.
func (s *Session) domains(ctx context.Context, q url.Values) (items []DomainItem, last bool, err error) {
	ans, err := s.do(ctx, request{route: "GET /domain/domains", query: q})
	if err != nil {
		return nil, false, err
	}
	list, err := decode[[]DomainItem](ans)
	if err != nil {
		return nil, false, err
	}
	for _, item := range *list {
		if item.FQDN == "" {
			return nil, false, ans.unusable(errors.New("list domains: one has no fqdn"))
		}
	}
	return *list, len(*list) < leastPage, nil
}

// DeleteDomain deletes a domain. nil means accepted (202); the domain can then be
// restored for a while or is gone (inferred). Not every organization may: the
// feature is restricted (v5 documentation). v5 has no Dry-Run for this route.
func (s *Session) DeleteDomain(ctx context.Context, fqdn string) error {
	_, err := s.do(ctx, request{route: "DELETE /domain/domains/{d}", path: []string{fqdn}})
	return err
}
