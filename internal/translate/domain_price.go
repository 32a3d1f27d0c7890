package translate

import (
	"context"
	"errors"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

type domainPriceIn struct {
	Domains []string `v3:"domains"`
	Opts    keyed    `v3:"opts,opt"`
}

type priceListIn struct {
	Opts priceListOptions `v3:"opts"`
}

type priceListOptions struct {
	TLDs     []string  `v3:"tlds,opt"`
	Grid     string    `v3:"grid,opt"`
	Currency string    `v3:"currency,opt"`
	Action   oneOrMore `v3:"action,opt"`
	Name     oneOrMore `v3:"name,opt"`
}

type priceOut struct {
	*priceExtension
	Available string       `v3:"available"`
	Prices    []priceEntry `v3:"prices"`
	Phases    []pricePhase `v3:"phases"`
}

type priceExtension struct {
	Extension string `v3:"extension"`
}

type priceListOut struct {
	Extension    string       `v3:"extension"` // the domain
	Name         string       `v3:"name"`      // its extension
	Available    string       `v3:"available"`
	CurrentPhase string       `v3:"current_phase"`
	Prices       []priceEntry `v3:"prices"`
}

type priceEntry struct {
	Action    priceAction `v3:"action"`
	UnitPrice []priceUnit `v3:"unit_price"`
	Taxes     priceTaxes  `v3:"taxes"`
}

type priceAction struct {
	Name  string           `v3:"name"`
	Param priceActionParam `v3:"param"`
}

type priceActionParam struct {
	TLDPhase string `v3:"tld_phase"`
}

type priceUnit struct {
	MinDuration  int64   `v3:"min_duration"`
	MaxDuration  int64   `v3:"max_duration"`
	DurationUnit string  `v3:"duration_unit"`
	Price        float64 `v3:"price"`
	Currency     string  `v3:"currency"`
	Grid         string  `v3:"grid"`
	PriceType    *string `v3:"price_type"`
	SpecialOp    bool    `v3:"special_op"`
}

type priceTaxes struct {
	Rate float64 `v3:"rate"`
}

type pricePhase struct {
	Phase          string     `v3:"phase"`
	DateStart      *time.Time `v3:"date_start"`
	DateStartGandi *time.Time `v3:"date_start_gandi"`
	DateEnd        *time.Time `v3:"date_end"`
}

// domainPrice asks for the prices of a registration. Which options there were is
// not known: those of domain.price.list are taken, without its names.
func domainPrice(ctx context.Context, c *Call, in domainPriceIn) ([]priceOut, error) {
	var opts priceListOptions
	for _, m := range in.Opts {
		if m.Name != "grid" && m.Name != "currency" && m.Name != "action" {
			return nil, fault.New(fault.Struct, fault.CauseUnexpected, "opts has no member %q", clip(m.Name)).About(clip(m.Name))
		}
	}
	if err := setInto(c, in.Opts, &opts); err != nil {
		return nil, err
	}
	found, err := c.priceAll(ctx, "domains", in.Domains, &opts)
	if err != nil {
		return nil, err
	}
	out := make([]priceOut, len(found))
	for i := range found {
		f := &found[i]
		out[i] = priceOut{&priceExtension{in.Domains[i]}, f.status, f.prices, f.phases()}
	}
	return out, nil
}

func domainPriceList(ctx context.Context, c *Call, in priceListIn) ([]priceListOut, error) {
	names := append(append([]string{}, in.Opts.TLDs...), in.Opts.Name...)
	if len(names) == 0 {
		return nil, fault.New(fault.Struct, fault.CauseExpected, "opts.tlds is missing").About("opts.tlds")
	}
	found, err := c.priceAll(ctx, "opts.tlds", names, &in.Opts)
	if err != nil {
		return nil, err
	}
	out := make([]priceListOut, len(found))
	for i := range found {
		f := &found[i]
		out[i] = priceListOut{names[i], tld(f.fqdn), f.status, f.phase, f.prices}
	}
	return out, nil
}

// setInto binds loose members to a struct.
func setInto[T any](c *Call, members keyed, to *T) error {
	var in struct {
		Opts T `v3:"opts,opt"`
	}
	err := bind(c, []xmlrpc.Value{xmlrpc.Struct(members...)}, &in)
	*to = in.Opts
	return err
}

// pricing is what v5 says of one domain.
type pricing struct {
	fqdn, status, phase string
	prices              []priceEntry
	periods             []v5.Period
}

// priceAll checks each name. A name that one request could not tell about does not
// spoil the others.
func (c *Call) priceAll(ctx context.Context, path string, names []string, opts *priceListOptions) ([]pricing, error) {
	whose, err := priced("opts.", opts.Currency, opts.Grid)
	if err != nil {
		return nil, err
	}
	actions, err := actionNames("opts.action", opts.Action, []string{"create"})
	if err != nil {
		return nil, err
	}
	found := make([]pricing, len(names))
	err = eachName(ctx, path, names, func(ctx context.Context, i int, name string) error {
		found[i] = pricing{fqdn: name, phase: "golive", status: "error_invalid", prices: []priceEntry{}}
		fqdn, err := normal(name)
		if err != nil {
			return nil
		}
		found[i].fqdn = fqdn
		check, err := c.V5.Check(ctx, v5.CheckQuery{Name: fqdn, Processes: actions, Currency: whose.currency, Grid: whose.grid})
		if err == nil {
			if err := whose.answered(check.Currency, check.Grid); err != nil {
				return err
			}
			found[i].read(check, whose, c.Now())
		}
		if e := (*v5.Error)(nil); errors.As(err, &e) && e.Status == 429 {
			return err // no prices are not prices of nothing
		}
		if found[i].status, err = availability(check, err); err == nil && check != nil && !sellsNew(check) && len(check.Products) > 0 {
			found[i].status = check.Products[0].Status
		}
		return err
	})
	return found, err
}

// sellsNew tells whether a check says anything of a registration.
func sellsNew(check *v5.Check) bool {
	for _, p := range check.Products {
		if p.Process == "create" || p.Process == "" {
			return true
		}
	}
	return false
}

// read takes the prices of a check.
func (f *pricing) read(check *v5.Check, whose priceContext, now time.Time) {
	for _, p := range check.Products {
		for _, period := range p.Periods {
			f.periods = append(f.periods, period)
			if !period.StartsAt.After(now) && (period.EndsAt.IsZero() || period.EndsAt.After(now)) {
				f.phase = period.Name
			}
		}
	}
	for _, p := range check.Products {
		units := []priceUnit{}
		for _, a := range amounts(p.Prices) {
			units = append(units, priceUnit{a.min, a.max, a.unit, a.price, whose.currency, whose.grid, orNil(a.kind), a.special})
		}
		if len(units) == 0 {
			continue // nothing is sold
		}
		taxes := p.Taxes
		if len(taxes) == 0 {
			taxes = check.Taxes
		}
		entry := priceEntry{Action: priceAction{p.Process, priceActionParam{f.phase}}, UnitPrice: units}
		for _, tax := range taxes {
			entry.Taxes.Rate += tax.Rate
		}
		f.prices = append(f.prices, entry)
	}
}

// phases are those that v5 tells of. A client reads the first one's without a
// test, so without any there is the one that every old extension is in.
func (f *pricing) phases() []pricePhase {
	out := []pricePhase{}
	for _, p := range f.periods {
		out = append(out, pricePhase{p.Name, utcOrNil(p.StartsAt), utcOrNil(p.StartsAt), utcOrNil(p.EndsAt)})
	}
	if len(out) == 0 {
		out = append(out, pricePhase{Phase: f.phase})
	}
	return out
}

func utcOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
