package v5

import (
	"context"
	"errors"
	"net/url"
	"slices"
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
	return s.names(ctx, q)
}

// Listed tells whether the credential sees a domain in its list. A domain that has
// left is not in it, while its details may be answered by a 403 (seen in clients),
// which could mean anything.
func (s *Session) Listed(ctx context.Context, fqdn string) (bool, error) {
	names, err := s.names(ctx, url.Values{"fqdn": {fqdn}})
	return slices.Contains(names, fqdn), err
}

// CustomerDomains lists the domains of a customer, the first DomainsPerPage of
// them. An id that is "" is refused here: v5 would list all domains.
func (s *Session) CustomerDomains(ctx context.Context, id string) ([]string, error) {
	if id == "" {
		r := request{route: "GET /domain/domains"}
		return nil, r.refused(errors.New("list domains of a customer: no id"))
	}
	return s.names(ctx, url.Values{"resellee_id": {id}, "page": {"1"}, "per_page": {strconv.Itoa(DomainsPerPage)}})
}

// names makes one request for a list of domains.
func (s *Session) names(ctx context.Context, q url.Values) ([]string, error) {
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

// DeleteDomain deletes a domain. nil means accepted (202); the domain can then be
// restored for a while or is gone (inferred). Not every organization may: the
// feature is restricted (v5 documentation). v5 has no Dry-Run for this route.
func (s *Session) DeleteDomain(ctx context.Context, fqdn string) error {
	_, err := s.do(ctx, request{route: "DELETE /domain/domains/{d}", path: []string{fqdn}})
	return err
}
