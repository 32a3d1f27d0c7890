package v5

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// RenewInfo says whether and for how long a domain can be renewed.
type RenewInfo struct {
	BeginsAt time.Time `json:"begins_at,omitzero"`
	EndsAt   time.Time `json:"ends_at,omitzero"` // zero where v5 left it out
	// Durations are the years that can be bought now; Minimum and Maximum bound
	// them.
	Durations  []int `json:"durations,omitempty"`
	Minimum    int   `json:"minimum"`
	Maximum    int   `json:"maximum"`
	Prohibited bool  `json:"prohibited"`
	// InRenewPeriod is nil where v5 did not say.
	InRenewPeriod *bool `json:"in_renew_period,omitempty"`
}

// UnmarshalJSON takes the older form too (seen in a client), in which all stands
// in an outer member renew, next to the contracts of the extension. An answer
// that says neither for how long nor that it is prohibited is an error.
func (r *RenewInfo) UnmarshalJSON(b []byte) error {
	var outer struct {
		Renew json.RawMessage `json:"renew"`
	}
	if err := json.Unmarshal(b, &outer); err != nil {
		return err
	}
	if len(outer.Renew) > 0 && outer.Renew[0] == '{' {
		b = outer.Renew
	}
	var wire struct {
		BeginsAt      laxTime `json:"begins_at"`
		EndsAt        laxTime `json:"ends_at"`
		Durations     []int   `json:"durations"`
		Minimum       laxInt  `json:"minimum"`
		Maximum       laxInt  `json:"maximum"`
		Prohibited    *bool   `json:"prohibited"`
		InRenewPeriod *bool   `json:"in_renew_period"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	if wire.Prohibited == nil && wire.Durations == nil {
		return errors.New("read renewal: neither prohibited nor durations")
	}
	*r = RenewInfo{
		BeginsAt:      time.Time(wire.BeginsAt),
		EndsAt:        time.Time(wire.EndsAt),
		Durations:     wire.Durations,
		Minimum:       int(wire.Minimum),
		Maximum:       int(wire.Maximum),
		Prohibited:    wire.Prohibited != nil && *wire.Prohibited,
		InRenewPeriod: wire.InRenewPeriod,
	}
	return nil
}

// RenewInfo reads whether and for how long a domain can be renewed.
func (s *Session) RenewInfo(ctx context.Context, fqdn string) (*RenewInfo, error) {
	return read[RenewInfo](ctx, s, request{route: "GET /domain/domains/{d}/renew", path: []string{fqdn}})
}

// renewal is a renewal by a number of years. v5 takes 1 to 9, and 1 where there
// is none; what costs money is always said.
type renewal struct {
	Duration int `json:"duration"`
}

// Renew renews a domain by a number of years, which costs money. nil means
// accepted (202); the end of the registration in Domain then moves (inferred). v5
// takes no year to start from, so whoever sends it twice renews twice. It sends
// at most one request; see CreateDomain for errors.
func (s *Session) Renew(ctx context.Context, fqdn string, duration int) error {
	return s.renew(ctx, fqdn, duration, false)
}

// DryRunRenew asks v5 whether it would accept the renewal. Its results are those
// of DryRunCreateDomain.
func (s *Session) DryRunRenew(ctx context.Context, fqdn string, duration int) error {
	return s.renew(ctx, fqdn, duration, true)
}

func (s *Session) renew(ctx context.Context, fqdn string, duration int, dryRun bool) error {
	r := request{route: "POST /domain/domains/{d}/renew", path: []string{fqdn}, body: renewal{duration}, dryRun: dryRun}
	if duration < 1 {
		return r.refused(errors.New("renew domain: duration is required"))
	}
	return s.order(ctx, r)
}

// RestoreInfo says whether a deleted domain can be restored.
type RestoreInfo struct {
	Restorable bool       `json:"restorable"`
	Contracts  []Contract `json:"contracts,omitempty"` // nil where v5 left them out
}

// Contract is a contract that an order accepts.
type Contract struct {
	ID                   string `json:"id"` // its type is not documented; read as text
	Name                 string `json:"name"`
	Href                 string `json:"href,omitempty"`
	RegistryContractHref string `json:"registry_contract_href,omitempty"`
}

// UnmarshalJSON refuses an answer without restorable: false would be taken for
// the trace of a restoration.
func (r *RestoreInfo) UnmarshalJSON(b []byte) error {
	type plain RestoreInfo
	wire := struct {
		*plain
		Restorable *bool `json:"restorable"`
	}{plain: (*plain)(r)}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	if wire.Restorable == nil {
		return errors.New("read restoration: no restorable")
	}
	r.Restorable = *wire.Restorable
	return nil
}

// UnmarshalJSON reads an id of any type as text.
func (c *Contract) UnmarshalJSON(b []byte) error {
	type plain Contract
	wire := struct {
		*plain
		ID laxString `json:"id"`
	}{plain: (*plain)(c)}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	c.ID = string(wire.ID)
	return nil
}

// RestoreInfo reads whether a domain can be restored.
func (s *Session) RestoreInfo(ctx context.Context, fqdn string) (*RestoreInfo, error) {
	return read[RestoreInfo](ctx, s, request{route: "GET /domain/domains/{d}/restore", path: []string{fqdn}})
}

// restoration is an empty object, which is what the route wants.
type restoration struct{}

// Restore takes a deleted domain back, which costs money. nil means accepted
// (202). It sends at most one request; see CreateDomain for errors. v5 has no
// Dry-Run for this route.
func (s *Session) Restore(ctx context.Context, fqdn string) error {
	return s.order(ctx, request{route: "POST /domain/domains/{d}/restore", path: []string{fqdn}, body: restoration{}})
}
