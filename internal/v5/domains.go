package v5

import (
	"context"
	"errors"
	"net/url"
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
