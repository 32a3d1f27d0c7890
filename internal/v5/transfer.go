package v5

import (
	"context"
	"encoding/json"
	"errors"
)

// TransferIn takes a domain over from another registrar. FQDN and Owner are
// required; every other zero value is left out and v5's default holds.
type TransferIn struct {
	FQDN  string   `json:"fqdn"`
	Owner *Contact `json:"owner"`
	// Admin, Bill and Tech may be left out.
	Admin *Contact `json:"admin,omitempty"`
	Bill  *Contact `json:"bill,omitempty"`
	Tech  *Contact `json:"tech,omitempty"`
	// AuthInfo is the transfer code of the losing registrar, a secret. Observers
	// and errors do not show it.
	AuthInfo string `json:"authinfo,omitempty"`
	// ChangeOwner says that the holder changes with the transfer; nil leaves it
	// to v5.
	ChangeOwner     *bool             `json:"change_owner,omitempty"`
	Duration        int               `json:"duration,omitempty"` // years, 1 to 10
	Nameservers     []string          `json:"nameservers,omitempty"`
	ExtraParameters map[string]string `json:"extra_parameters,omitempty"` // x- keys of the domain
	EnforcePremium  bool              `json:"enforce_premium,omitempty"`  // needed for a premium name
	// Price and Currency are the guard that they are in DomainCreate.
	Price    float64 `json:"price,omitempty"`
	Currency string  `json:"currency,omitempty"`
	// MailboxOptin orders the included mailboxes. That v5 takes true where it is
	// left out is documented for registrations only, so point to what is meant.
	MailboxOptin *bool  `json:"mailbox_optin,omitempty"`
	ReselleeID   string `json:"resellee_id,omitempty"` // an existing customer
}

// TransferIn orders a transfer, which costs money. nil means accepted (202);
// TransferStatus then shows the work. It sends at most one request; see
// CreateDomain for errors.
func (s *Session) TransferIn(ctx context.Context, t TransferIn) error {
	return s.transferIn(ctx, t, false)
}

// DryRunTransferIn asks v5 whether it would accept the transfer. Its results are
// those of DryRunCreateDomain.
func (s *Session) DryRunTransferIn(ctx context.Context, t TransferIn) error {
	return s.transferIn(ctx, t, true)
}

func (s *Session) transferIn(ctx context.Context, t TransferIn, dryRun bool) error {
	r := request{route: "POST /domain/transferin", body: t, dryRun: dryRun}
	if t.FQDN == "" || t.Owner == nil {
		return r.refused(errors.New("transfer domain: fqdn and owner are required"))
	}
	return s.order(ctx, r)
}

// TransferStatus reads how far a transfer has come. The resource may describe an
// older transfer, so compare CreatedAt. v5 documents no step for the end of one:
// that it has ended well shows in Domain.
func (s *Session) TransferStatus(ctx context.Context, fqdn string) (*Progress, error) {
	ans, err := s.do(ctx, request{route: "GET /domain/transferin/{d}", path: []string{fqdn}})
	if err != nil {
		return nil, err
	}
	return decodeProgress(ans)
}

// RelaunchTransfer starts a transfer that has stopped again. It is no repeatable
// call: each one launches. nil means accepted (202).
func (s *Session) RelaunchTransfer(ctx context.Context, fqdn string) error {
	_, err := s.do(ctx, request{route: "PUT /domain/transferin/{d}", path: []string{fqdn}})
	return err
}

// transferCode is a transfer code that replaces the one of a pending transfer.
type transferCode struct {
	AuthInfo string `json:"authinfo"`
}

// SetTransferAuthInfo corrects the transfer code of a pending transfer. nil means
// accepted (202). For an organization's transfer v5 wants the sharing_id, which
// the session adds.
func (s *Session) SetTransferAuthInfo(ctx context.Context, fqdn, code string) error {
	r := request{route: "PUT /domain/transferin/{d}/authinfo", path: []string{fqdn}, body: transferCode{code}}
	if code == "" {
		return r.refused(errors.New("set transfer code: authinfo is required"))
	}
	_, err := s.do(ctx, r)
	return err
}

// transferQuestion asks whether a domain can be transferred with a code.
type transferQuestion struct {
	AuthInfo string `json:"authinfo,omitempty"`
}

// TransferAvailable says whether a domain can be transferred.
type TransferAvailable struct {
	Available  bool   `json:"available"`
	FQDN       string `json:"fqdn"`
	FQDNALabel string `json:"fqdn_alabel"` // in ASCII
	FQDNULabel string `json:"fqdn_ulabel"` // in Unicode
	// Durations are the years that can be bought; Minimum- and MaximumDuration
	// bound them. All three may be missing.
	Durations       []int `json:"durations,omitempty"`
	MinimumDuration int   `json:"minimum_duration,omitempty"`
	MaximumDuration int   `json:"maximum_duration,omitempty"`
	// Corporate and Internal (from another account here: inferred) are nil where
	// v5 did not say.
	Corporate *bool `json:"corporate,omitempty"`
	Internal  *bool `json:"internal,omitempty"`
	// Msg says why not, in words for people; "" where there is nothing to say.
	Msg string `json:"msg,omitempty"`
}

// UnmarshalJSON refuses an answer without available, which would read as no.
func (t *TransferAvailable) UnmarshalJSON(b []byte) error {
	type plain TransferAvailable
	wire := struct {
		*plain
		Available       *bool     `json:"available"`
		MinimumDuration laxInt    `json:"minimum_duration"`
		MaximumDuration laxInt    `json:"maximum_duration"`
		Msg             laxString `json:"msg"`
	}{plain: (*plain)(t)}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	if wire.Available == nil {
		return errors.New("read transfer check: no available")
	}
	t.Available = *wire.Available
	t.MinimumDuration, t.MaximumDuration = int(wire.MinimumDuration), int(wire.MaximumDuration)
	t.Msg = string(wire.Msg)
	return nil
}

// TransferAvailable asks v5 whether a domain can be transferred, with the code
// where one is given ("" for none). It changes nothing, although v5 wants a POST.
func (s *Session) TransferAvailable(ctx context.Context, fqdn, code string) (*TransferAvailable, error) {
	return read[TransferAvailable](ctx, s, request{
		route: "POST /domain/transferin/{d}/available",
		path:  []string{fqdn},
		body:  transferQuestion{code},
	})
}
