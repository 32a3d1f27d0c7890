package v5

import (
	"context"
	"net/http"
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
