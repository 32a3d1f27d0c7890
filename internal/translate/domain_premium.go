package translate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/v5"
)

// premiumOrder is what an order of a premium name says to be let through: that it
// is meant, and the price that it was shown for.
type premiumOrder struct {
	yes      bool
	price    float64 // of all years, without taxes; 0 where v5 shows none
	currency string
}

// premiumWait bounds the wait for v5's word on a name before its purchase. Where
// there is none in that time the order goes without a consent, and v5 refuses it
// if the name is premium.
const premiumWait = 4 * time.Second

// premium asks v5, freshly, whether a name is sold at a price of its own, which a
// purchase costs only with the consent that the account's buy_premium gives. While
// a purchase of the type is at work nothing is asked: the call is answered with it.
func (c *Call) premium(ctx context.Context, q v5.CheckQuery, process, typ string, years int) (order premiumOrder, err error) {
	if running, err := c.Ops.Running(c.Tenant.Name, typ, q.Name); running || err != nil {
		return order, err
	}
	ctx, cancel := context.WithTimeout(ctx, premiumWait)
	defer cancel()
	if process != "create" {
		q.Processes = []string{process}
	}
	check, err := c.V5.Check(ctx, q)
	if err != nil {
		return order, nil
	}
	for _, p := range check.Products {
		if p.Process != process && p.Process != "" {
			continue
		}
		at := slices.IndexFunc(p.Prices, func(price v5.Price) bool { return price.Type == "premium" })
		order.yes = order.yes || at >= 0 || p.Status == "unavailable_premium"
		for _, price := range p.Prices {
			if price.Type == "premium" && price.MinDuration <= float64(years) && float64(years) <= price.MaxDuration {
				order.price, order.currency = max(order.price, price.PriceBeforeTaxes*float64(years)), check.Currency
			}
		}
	}
	switch {
	case !order.yes:
		return premiumOrder{}, nil
	case !c.Tenant.BuyPremium:
		return order, premiumRefused(q.Name)
	case order.price == 0:
		return order, fault.New(fault.Domain, fault.CauseState, "%s is a premium name, and v5 shows no price for %d years", q.Name, years)
	}
	return order, nil
}

func premiumRefused(fqdn string) *fault.Error {
	return fault.New(fault.Domain, fault.CauseState,
		"%s is a premium name with a price of its own; nothing was bought. The gateway's operator can allow such purchases with buy_premium", fqdn).
		About("domain")
}

// premiumUnsaid is the fault for v5's own complaint that an order of a premium name
// does not say that it is meant; nil for other errors. Where the account may buy
// such names, v5 had not told in time that it is one.
func (c *Call) premiumUnsaid(fqdn string, err error) *fault.Error {
	var fields []v5.FieldError
	var rejected *v5.DryRunError
	var answer *v5.Error
	if errors.As(err, &rejected) {
		fields = rejected.Fields
	}
	if errors.As(err, &answer) {
		fields = append(fields, answer.Fields...)
	}
	if !slices.ContainsFunc(fields, func(f v5.FieldError) bool { return f.Name == "enforce_premium" }) {
		return nil
	}
	if c.Tenant.BuyPremium {
		return fault.New(fault.Domain, fault.CauseState, "%s is a premium name whose price v5 did not tell in time; nothing was bought, call again", fqdn)
	}
	return premiumRefused(fqdn)
}

// domainExtra are the extra parameters of an order: the caller's, and those of the
// owner for the registries, which v3 took from there too.
func domainExtra(owner *v5.Contact, asked map[string]string) (map[string]string, error) {
	extra := map[string]string{}
	for name, value := range owner.ExtraParameters {
		if strings.HasPrefix(name, "x-") {
			extra[name] = value
		}
	}
	for name, value := range asked {
		if !strings.HasPrefix(name, "x-") {
			return nil, fault.New(fault.Struct, fault.CauseUnexpected, "params.extra has no member %q", clip(name)).About("params.extra." + clip(name))
		}
		if value != "" {
			extra[name] = value
		}
	}
	return given(extra), nil
}
