package v5

import (
	"context"
	"errors"
)

// statusPatch is the body of PATCH status.
type statusPatch struct {
	ClientTransferProhibited bool `json:"clientTransferProhibited"`
}

// SetTransferLock locks a domain against transfers, or unlocks it. nil means
// accepted (202); the change is carried out later and seen in Domain.Status.
func (s *Session) SetTransferLock(ctx context.Context, fqdn string, locked bool) error {
	_, err := s.do(ctx, request{route: "PATCH /domain/domains/{d}/status", path: []string{fqdn}, body: statusPatch{locked}})
	return err
}

// AutoRenewPatch is a setting of the automatic renewal, which is always set as a
// whole: v5 takes a duration of 1 where it is left out (v5 documentation).
type AutoRenewPatch struct {
	Enabled  bool   `json:"enabled"`
	Duration int    `json:"duration,omitempty"` // years, 1 to 9
	OrgID    string `json:"org_id,omitempty"`   // the organization that pays
}

// SetAutoRenew switches the automatic renewal of a domain. nil means accepted
// (202); the change is carried out later and seen in Domain.AutoRenew.
func (s *Session) SetAutoRenew(ctx context.Context, fqdn string, p AutoRenewPatch) error {
	_, err := s.do(ctx, request{route: "PATCH /domain/domains/{d}/autorenew", path: []string{fqdn}, body: p})
	return err
}

// nameserversPut is the body of PUT nameservers.
type nameserversPut struct {
	Nameservers []string `json:"nameservers"`
}

// Nameservers reads the name servers of a domain.
func (s *Session) Nameservers(ctx context.Context, fqdn string) ([]string, error) {
	list, err := read[[]string](ctx, s, request{route: "GET /domain/domains/{d}/nameservers", path: []string{fqdn}})
	if err != nil {
		return nil, err
	}
	return *list, nil
}

// SetNameservers replaces the name servers of a domain, of which there must be
// one at least. nil means accepted (202); the change is carried out later and
// seen in Nameservers. A 409 says that there is nothing to do (seen in a client).
func (s *Session) SetNameservers(ctx context.Context, fqdn string, names []string) error {
	r := request{route: "PUT /domain/domains/{d}/nameservers", path: []string{fqdn}, body: nameserversPut{names}}
	if len(names) == 0 {
		return r.refused(errors.New("set nameservers: none is given"))
	}
	_, err := s.do(ctx, r)
	return err
}

// NameserverKind says whose name servers a domain uses.
type NameserverKind struct {
	Current     string   `json:"current"` // classic, livedns, premium_dns or other
	Nameservers []string `json:"nameservers"`
}

// NameserverKind reads whose name servers a domain uses.
func (s *Session) NameserverKind(ctx context.Context, fqdn string) (*NameserverKind, error) {
	return read[NameserverKind](ctx, s, request{route: "GET /domain/domains/{d}/livedns", path: []string{fqdn}})
}
