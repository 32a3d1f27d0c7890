package v5

import (
	"context"
	"encoding/json"
)

// Forward is what becomes of the mail to one local part of a domain.
type Forward struct {
	Source       string   `json:"source"` // the local part
	Destinations []string `json:"destinations"`
}

// forwardNew is the body of a new forward.
type forwardNew struct {
	Source       string   `json:"source"`
	Destinations []string `json:"destinations"`
}

// forwardChange replaces the destinations of a forward.
type forwardChange struct {
	Destinations []string `json:"destinations"`
}

// Forwards lists all forwards of a domain.
func (s *Session) Forwards(ctx context.Context, fqdn string) ([]Forward, error) {
	return all[Forward](ctx, s, request{route: "GET /email/forwards/{d}", path: []string{fqdn}})
}

// CreateForward makes a forward. nil means accepted (202). v5 allows about a
// hundred changes a week (seen in a client).
func (s *Session) CreateForward(ctx context.Context, fqdn string, f Forward) error {
	_, err := s.do(ctx, request{route: "POST /email/forwards/{d}", path: []string{fqdn}, body: forwardNew(f)})
	return err
}

// SetForward replaces all destinations of a forward.
func (s *Session) SetForward(ctx context.Context, fqdn string, f Forward) error {
	_, err := s.do(ctx, request{route: "PUT /email/forwards/{d}/{source}", path: []string{fqdn, f.Source},
		body: forwardChange{f.Destinations}})
	return err
}

// DeleteForward deletes a forward.
func (s *Session) DeleteForward(ctx context.Context, fqdn, source string) error {
	_, err := s.do(ctx, request{route: "DELETE /email/forwards/{d}/{source}", path: []string{fqdn, source}})
	return err
}

// Offer is the kind of mail service that a domain has.
type Offer struct {
	Status  string `json:"status"`  // its words are not established
	Version int    `json:"version"` // 1, 2 or 3
}

// UnmarshalJSON takes numbers in quotes and any status.
func (o *Offer) UnmarshalJSON(b []byte) error {
	var wire struct {
		Status  laxString `json:"status"`
		Version laxInt    `json:"version"`
	}
	err := json.Unmarshal(b, &wire)
	*o = Offer{string(wire.Status), int(wire.Version)}
	return err
}

// MailOffer reads the kind of mail service of a domain.
func (s *Session) MailOffer(ctx context.Context, fqdn string) (*Offer, error) {
	return read[Offer](ctx, s, request{route: "GET /email/offers/{d}", path: []string{fqdn}})
}
