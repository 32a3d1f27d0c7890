package v5

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
)

// PriceQuery asks for the prices of one extension. Name is required; every other
// zero value is left out.
type PriceQuery struct {
	Name      string // with a dot in front
	Processes []string
	Currency  string // EUR, USD, GBP, TWD or CNY
	Grid      string // A to E
}

// PriceList is the answer of v5's price list.
type PriceList struct {
	Currency string         `json:"currency"`
	Grid     string         `json:"grid"`
	Products []PriceProduct `json:"products"`
}

// PriceProduct is what one process costs.
type PriceProduct struct {
	Name    string      `json:"name"` // with a dot in front
	Process string      `json:"process"`
	Status  string      `json:"status"`
	Prices  []ListPrice `json:"prices"`
}

// ListPrice is the price for a span of durations in one phase.
type ListPrice struct {
	Discount         json.RawMessage `json:"discount"` // its type is not documented
	DurationUnit     string          `json:"duration_unit"`
	MinDuration      float64         `json:"min_duration"`
	MaxDuration      float64         `json:"max_duration"`
	PriceBeforeTaxes float64         `json:"price_before_taxes"`
	PriceAfterTaxes  float64         `json:"price_after_taxes"`
	Options          struct {
		Phase string `json:"phase"` // golive and others
	} `json:"options"`
}

// Special tells whether the price is one of a promotion: whether there is anything
// in discount.
func (p *ListPrice) Special() bool {
	switch string(p.Discount) {
	case "", "null", "false", "0", `""`, "[]", "{}":
		return false
	}
	return true
}

// DomainPrices reads the price list of domains for one extension.
func (s *Session) DomainPrices(ctx context.Context, q PriceQuery) (*PriceList, error) {
	r := request{route: "GET /billing/price/{type}", path: []string{"domain"}, query: url.Values{}}
	if q.Name == "" {
		return nil, r.refused(errors.New("read prices: name is required"))
	}
	for name, value := range map[string]string{"name": q.Name, "currency": q.Currency, "grid": q.Grid} {
		if value != "" {
			r.query.Set(name, value)
		}
	}
	if len(q.Processes) > 0 {
		r.query["processes"] = q.Processes
	}
	return read[PriceList](ctx, s, r)
}
