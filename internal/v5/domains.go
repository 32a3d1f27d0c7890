package v5

import (
	"context"
	"errors"
	"net/url"
	"strconv"
)

// DomainsPerPage is how many domains are asked for at a time.
const DomainsPerPage = 100

// DomainItem is a domain in a list, of which only the name is read.
type DomainItem struct {
	FQDN string `json:"fqdn"`
}

// DomainNames lists the names of the domains that the credential can see, of all its
// organizations, one page at a time from 1. An empty page is the end.
func (s *Session) DomainNames(ctx context.Context, page int) ([]string, error) {
	q := url.Values{"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(DomainsPerPage)}}
	ans, err := s.do(ctx, request{route: "GET /domain/domains", query: q})
	if err != nil {
		return nil, err
	}
	items, err := decode[[]DomainItem](ans)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(*items))
	for _, item := range *items {
		if item.FQDN == "" {
			return nil, ans.unusable(errors.New("list domains: one has no fqdn"))
		}
		names = append(names, item.FQDN)
	}
	return names, nil
}
