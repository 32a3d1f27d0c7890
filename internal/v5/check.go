package v5

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"
)

// CheckQuery asks for one name. Name is required; every other zero value is
// left out.
type CheckQuery struct {
	Name string
	// Processes are words such as create, renew, transfer, change_owner,
	// restore; v5 takes create.
	Processes []string
	Lang      string // ISO 639-2, for IDN
	Period    string // a registration period such as golive
	Currency  string // EUR, USD, GBP, TWD or CNY
	Grid      string // price grid, A to E
}

// Check is the answer for one name.
type Check struct {
	Currency string `json:"currency"`
	Grid     string `json:"grid"`
	Taxes    []Tax  `json:"taxes"`
	// Products has one entry for each process; empty where nothing is sold
	// (seen in a client).
	Products []Product `json:"products"`
}

// Tax is one tax on a price.
type Tax struct {
	Name string  `json:"name"` // such as vat
	Rate float64 `json:"rate"` // percent
	Type string  `json:"type"` // such as service
}

// Product is what can be bought for a name by one process.
type Product struct {
	Name    string `json:"name"`
	Process string `json:"process"`
	// Status is one of available, available_reserved, available_preorder,
	// unavailable, unavailable_premium, unavailable_restricted, error_invalid,
	// error_refused, error_timeout, error_unknown, error_eoi,
	// reserved_corporate and pending (v5 documentation). pending means: ask
	// again. A renewal of an own domain is unavailable and has prices
	// (recorded).
	Status  string   `json:"status"`
	Taxes   []Tax    `json:"taxes"`
	Prices  []Price  `json:"prices"` // empty for a name that cannot be created
	Periods []Period `json:"periods"`
}

// Price is the price for a span of durations.
type Price struct {
	DurationUnit           string   `json:"duration_unit"` // y
	MinDuration            float64  `json:"min_duration"`
	MaxDuration            float64  `json:"max_duration"`
	PriceBeforeTaxes       float64  `json:"price_before_taxes"`
	PriceAfterTaxes        float64  `json:"price_after_taxes"`
	Discount               bool     `json:"discount"`
	NormalPriceBeforeTaxes *float64 `json:"normal_price_before_taxes"` // without the discount
	NormalPriceAfterTaxes  *float64 `json:"normal_price_after_taxes"`
	Type                   string   `json:"type"` // premium, or ""
}

// Period is one phase of an extension's launch.
type Period struct {
	Name     string    // eap5, golive and others
	StartsAt time.Time // zero where v5 left it out
	EndsAt   time.Time // zero where the phase has no end
}

// UnmarshalJSON reads the dates as Dates does.
func (p *Period) UnmarshalJSON(b []byte) error {
	var wire struct {
		Name     string  `json:"name"`
		StartsAt laxTime `json:"starts_at"`
		EndsAt   laxTime `json:"ends_at"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	*p = Period{Name: wire.Name, StartsAt: time.Time(wire.StartsAt), EndsAt: time.Time(wire.EndsAt)}
	return nil
}

// Check asks v5 whether a name can be had and at what price, for the session's
// organization.
func (s *Session) Check(ctx context.Context, q CheckQuery) (*Check, error) {
	r := request{route: "GET /domain/check", query: url.Values{}}
	if q.Name == "" {
		return nil, r.refused(errors.New("check name: name is required"))
	}
	for name, value := range map[string]string{
		"name": q.Name, "lang": q.Lang, "period": q.Period, "currency": q.Currency, "grid": q.Grid,
	} {
		if value != "" {
			r.query.Set(name, value)
		}
	}
	// Arrays are repeated (v5 documentation).
	if len(q.Processes) > 0 {
		r.query["processes"] = q.Processes
	}
	return read[Check](ctx, s, r)
}
