package translate

import (
	"context"

	"v3gate/internal/fault"
	"v3gate/internal/v5"
)

type autorenewActivateIn struct {
	Domain string          `v3:"domain"`
	Params autorenewParams `v3:"params,opt"`
}

type autorenewParams struct {
	Duration *int64 `v3:"duration,opt"`
}

// autorenewPlan is a setting of the automatic renewal. v3 answers it at once and
// not by an operation.
type autorenewPlan struct {
	fqdn  string
	id    int64
	patch v5.AutoRenewPatch
}

func autorenewActivateCheck(ctx context.Context, c *Call, in autorenewActivateIn) (autorenewPlan, []FieldError, error) {
	if d := in.Params.Duration; d != nil && (*d < 1 || *d > 9) {
		return autorenewPlan{}, nil, fault.New(fault.BuyrenewPeriod, fault.CauseValue, "params.duration must be from 1 to 9, not %d", *d).About("params.duration")
	}
	return c.autorenewPlan(ctx, in.Domain, true, in.Params.Duration)
}

func autorenewDeactivateCheck(ctx context.Context, c *Call, in domainIn) (autorenewPlan, []FieldError, error) {
	return c.autorenewPlan(ctx, in.Domain, false, nil)
}

// autorenewPlan reads the domain, since v5 sets a duration of 1 where none is
// sent: it stays as it is unless the caller names one.
func (c *Call) autorenewPlan(ctx context.Context, name string, enabled bool, duration *int64) (autorenewPlan, []FieldError, error) {
	fqdn, err := normal(name)
	if err != nil {
		return autorenewPlan{}, nil, err
	}
	d, err := c.domain(ctx, fqdn)
	if err != nil {
		return autorenewPlan{}, nil, err
	}
	plan := autorenewPlan{fqdn: fqdn, patch: v5.AutoRenewPatch{Enabled: enabled, Duration: max(1, d.AutoRenew.Duration), OrgID: c.V5.SharingID()}}
	if duration != nil {
		plan.patch.Duration = int(*duration)
	}
	plan.id, err = c.Book.DomainID(c.Tenant.Name, fqdn)
	return plan, nil, err
}

// autorenewDo sends the setting once. One whose answer got lost is a fault, and
// the caller may make the same call again: it sets a state.
func autorenewDo(ctx context.Context, c *Call, p autorenewPlan) (autorenewOut, error) {
	if err := c.V5.SetAutoRenew(ctx, p.fqdn, p.patch); err != nil {
		return autorenewOut{}, onDomain{p.fqdn, err}
	}
	handle, err := c.source()
	return autorenewOut{Active: p.patch.Enabled, Contact: handle, Duration: int64(p.patch.Duration), ID: p.id, ProductID: p.id, ProductTypeID: 1}, err
}
