package v5

import (
	"context"
	"encoding/json"
	"time"
)

// Billing is what an organization owes and has. Amounts are in the currency of
// Prepaid.
type Billing struct {
	AnnualBalance float64  `json:"annual_balance"`
	Outstanding   float64  `json:"outstanding_amount"`
	Grid          string   `json:"grid"`    // A to E
	Prepaid       *Prepaid `json:"prepaid"` // nil where the organization has no prepaid account
}

// Prepaid is a prepaid account.
type Prepaid struct {
	Amount   float64
	Currency string // EUR and others
	// Warning is the amount below which v5 warns; nil where none is set.
	Warning *float64
	// CreatedAt and UpdatedAt are nil where v5 left them out.
	CreatedAt, UpdatedAt *time.Time
}

// UnmarshalJSON reads amounts as numbers (v5 documentation) and in quotes.
func (p *Prepaid) UnmarshalJSON(b []byte) error {
	var wire struct {
		Amount   json.Number  `json:"amount"`
		Currency string       `json:"currency"`
		Warning  *json.Number `json:"warning_threshold"`
		Created  laxTime      `json:"created_at"`
		Updated  laxTime      `json:"updated_at"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	*p = Prepaid{Currency: wire.Currency, CreatedAt: wire.Created.orNil(), UpdatedAt: wire.Updated.orNil()}
	var err error
	if wire.Amount != "" {
		if p.Amount, err = wire.Amount.Float64(); err != nil {
			return err
		}
	}
	if wire.Warning != nil && *wire.Warning != "" {
		amount, err := wire.Warning.Float64()
		if err != nil {
			return err
		}
		p.Warning = &amount
	}
	return nil
}

// Billing reads the account of the session's organization, or without one that
// of the credential's own.
func (s *Session) Billing(ctx context.Context) (*Billing, error) {
	if s.sharingID == "" {
		return read[Billing](ctx, s, request{route: "GET /billing/info"})
	}
	return read[Billing](ctx, s, request{route: "GET /billing/info/{sharing_id}", path: []string{s.sharingID}})
}

// orNil is the date, or nil where there is none.
func (t laxTime) orNil() *time.Time {
	if date := time.Time(t); !date.IsZero() {
		return &date
	}
	return nil
}
