package translate

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/ops"
)

type domainRenewIn struct {
	Domain string            `v3:"domain"`
	Params domainRenewParams `v3:"params"`
}

type domainRenewParams struct {
	CurrentYear int64 `v3:"current_year"`
	Duration    int64 `v3:"duration"`
}

// domainRenewCheck decides whether a renewal is the one that the caller thinks
// it is. v3 had current_year, the year in which the domain ends now, so that a
// repeated call could not renew twice; v5 has nothing of the kind.
func domainRenewCheck(ctx context.Context, c *Call, in domainRenewIn) (domainPlan, []FieldError, error) {
	var plan domainPlan
	fqdn, err := normal(in.Domain)
	if err != nil {
		return plan, nil, err
	}
	year := carriedYear(in.Params.CurrentYear)
	request := ops.RenewRequest{Duration: int(in.Params.Duration)}
	plan = domainPlan{
		fqdn: fqdn, typ: "domain_renew", kind: ops.KindRenew, action: "renew",
		request: request, once: strconv.FormatInt(year, 10),
		params: []param{{"duration", in.Params.Duration}, {"current_year", in.Params.CurrentYear}},
	}
	// A pair of name and year that was renewed once is never renewed again; the
	// journal answers what was done then.
	spent, errSpent := c.Ops.Spent(c.Tenant.Name, fqdn, plan.once)
	if spent {
		return plan, nil, nil
	}
	d, err := c.domain(ctx, fqdn)
	if err != nil {
		return plan, nil, err // also where the pair was spent: whose it was is nobody else's business
	}
	if errSpent != nil {
		return plan, nil, errSpent
	}
	if d.Dates.RegistryEndsAt == nil {
		return plan, nil, fault.New(fault.Domain, fault.CauseState, "the end of %s is not known yet", fqdn)
	}
	request.Ends = d.Dates.RegistryEndsAt.UTC()
	plan.request = request
	ends := request.Ends.Year()
	// Virtualmin sends the calendar year, which is right for a domain that ends
	// in this year and is meant for one that ends in the next.
	calendar := int64(c.Now().UTC().Year())
	if year != int64(ends) && !(year == calendar && ends == int(calendar)+1) {
		return plan, nil, fault.New(fault.BuyrenewPeriod, fault.CauseBadParameter,
			"params.current_year: %d is not %d, the year in which %s ends", in.Params.CurrentYear, ends, fqdn).About("params.current_year")
	}
	return plan, nil, c.renewable(ctx, fqdn, in.Params.Duration)
}

// carriedYear reads current_year. One client sends a unix time (BoxBilling),
// which no year can be mistaken for.
func carriedYear(n int64) int64 {
	if n > 9999 {
		return int64(time.Unix(n, 0).UTC().Year())
	}
	return n
}

// renewable asks v5 for how long the domain may be renewed now.
func (c *Call) renewable(ctx context.Context, fqdn string, years int64) error {
	info, err := c.V5.RenewInfo(ctx, fqdn)
	if err != nil {
		return onDomain{fqdn, err}
	}
	if info.Prohibited {
		return fault.New(fault.Domain, fault.CauseState, "%s cannot be renewed now", fqdn)
	}
	least, most := max(1, int64(info.Minimum)), int64(info.Maximum)
	if most == 0 {
		most = 9 // v5's own bound (v5 documentation)
	}
	if years < least || years > most {
		return fault.New(fault.BuyrenewPeriod, fault.CauseBadParameter,
			"params.duration: %d is not between %d and %d", years, least, most).About("params.duration")
	}
	return nil
}

type domainRestoreIn struct {
	Domain string              `v3:"domain"`
	Params domainRestoreParams `v3:"params"`
}

type domainRestoreParams struct {
	Duration int64 `v3:"duration"`
}

func domainRestoreCheck(ctx context.Context, c *Call, in domainRestoreIn) (domainPlan, []FieldError, error) {
	var plan domainPlan
	fqdn, err := normal(in.Domain)
	if err != nil {
		return plan, nil, err
	}
	if in.Params.Duration != 1 {
		return plan, nil, unsupported("params.duration", fmt.Sprintf("v5 restores for one year and not for %d; renew afterwards", in.Params.Duration))
	}
	plan = domainPlan{
		fqdn: fqdn, typ: "domain_restore", kind: ops.KindRestore, action: "restore",
		request: struct{}{}, params: []param{{"duration", in.Params.Duration}},
	}
	// While one is at work v5 no longer shows that it could be done.
	if running, err := c.Ops.Running(c.Tenant.Name, plan.typ, fqdn); err != nil || running {
		return plan, nil, err
	}
	if _, err := c.domain(ctx, fqdn); err != nil {
		return plan, nil, err
	}
	info, err := c.V5.RestoreInfo(ctx, fqdn)
	if err != nil {
		return plan, nil, onDomain{fqdn, err}
	}
	if !info.Restorable {
		return plan, nil, fault.New(fault.Domain, fault.CauseState, "%s is not in a state to be restored", fqdn)
	}
	return plan, nil, nil
}
