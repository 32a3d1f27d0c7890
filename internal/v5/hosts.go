package v5

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// Host is a glue record.
type Host struct {
	Name string   `json:"name"` // the label in front of the domain, @ for the domain itself
	FQDN string   `json:"fqdn"` // the domain's, not the host's (v5 documentation)
	IPs  []string `json:"ips"`
}

type newHost struct {
	Name string   `json:"name"`
	IPs  []string `json:"ips"`
}

type hostIPs struct {
	IPs []string `json:"ips"`
}

// paged is the query of routes that answer in pages.
var paged = []string{"page", "per_page"}

const (
	// perPage is how many items are asked for at once.
	perPage = 100
	// leastPage is the smallest page that v5 is known to cut a list to by itself
	// (seen in a client), so a shorter one is the last.
	leastPage = 50
	// mostPages ends a list that does not end.
	mostPages = 1000
)

// all reads the pages of a list. Where v5 tells how many items there are that
// many are read, otherwise up to a page that is too short to have been cut.
func all[T any](ctx context.Context, s *Session, r request) ([]T, error) {
	var list []T
	for page := 1; page <= mostPages; page++ {
		r.query = url.Values{"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(perPage)}}
		ans, err := s.do(ctx, r)
		if err != nil {
			return nil, err
		}
		items, err := decode[[]T](ans)
		if err != nil {
			return nil, err
		}
		list = append(list, *items...)
		total, err := strconv.Atoi(ans.header.Get("Total-Count"))
		known := err == nil
		if len(*items) == 0 || known && len(list) >= total || !known && len(*items) < leastPage {
			return list, nil
		}
	}
	return nil, r.refused(errors.New("read list: it does not end"))
}

// Missing tells that v5 says of a part of a domain, such as a host, that it does
// not exist: for hosts by 400 and CAUSE_NOTFOUND (recorded), else by 404.
func (e *Error) Missing() bool {
	return e.Absent() || e.Status == http.StatusBadRequest && e.Cause == "CAUSE_NOTFOUND"
}

// Hosts lists the glue records of a domain.
func (s *Session) Hosts(ctx context.Context, fqdn string) ([]Host, error) {
	return all[Host](ctx, s, request{route: "GET /domain/domains/{d}/hosts", path: []string{fqdn}})
}

// Host reads one glue record by its label. The error of one that is not there is
// (*Error).Missing.
func (s *Session) Host(ctx context.Context, fqdn, label string) (*Host, error) {
	return read[Host](ctx, s, request{route: "GET /domain/domains/{d}/hosts/{name}", path: []string{fqdn, label}})
}

// CreateHost makes a glue record. nil means accepted (202); the change is carried
// out later and seen in Host.
func (s *Session) CreateHost(ctx context.Context, fqdn, label string, ips []string) error {
	_, err := s.do(ctx, request{route: "POST /domain/domains/{d}/hosts", path: []string{fqdn}, body: newHost{label, ips}})
	return err
}

// UpdateHost replaces the addresses of a glue record, as CreateHost.
func (s *Session) UpdateHost(ctx context.Context, fqdn, label string, ips []string) error {
	_, err := s.do(ctx, request{route: "PUT /domain/domains/{d}/hosts/{name}", path: []string{fqdn, label}, body: hostIPs{ips}})
	return err
}

// DeleteHost takes a glue record away, as CreateHost. v5 refuses it while the
// host is in use.
func (s *Session) DeleteHost(ctx context.Context, fqdn, label string) error {
	_, err := s.do(ctx, request{route: "DELETE /domain/domains/{d}/hosts/{name}", path: []string{fqdn, label}})
	return err
}
