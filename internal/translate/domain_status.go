package translate

import (
	"context"
	"slices"

	"v3gate/internal/fault"
	"v3gate/internal/ops"
)

func statusLockCheck(ctx context.Context, c *Call, in domainIn) (domainPlan, []FieldError, error) {
	return lockPlan(ctx, c, in.Domain, true)
}

func statusUnlockCheck(ctx context.Context, c *Call, in domainIn) (domainPlan, []FieldError, error) {
	return lockPlan(ctx, c, in.Domain, false)
}

// lockPlan reads the domain freshly: a domain that is already so needs no call,
// and not every extension has a lock.
func lockPlan(ctx context.Context, c *Call, name string, lock bool) (plan domainPlan, wrong []FieldError, err error) {
	fqdn, err := normal(name)
	if err != nil {
		return plan, nil, err
	}
	d, err := c.domain(ctx, fqdn)
	if err != nil {
		return plan, nil, err
	}
	locked := slices.Contains(d.Status, "clientTransferProhibited")
	if locked != lock && !d.CanTLDLock {
		return plan, nil, fault.New(fault.Status, fault.CauseState, "the extension of %s has no transfer lock", fqdn)
	}
	action := "unlock"
	if lock {
		action = "lock"
	}
	return domainPlan{
		fqdn: fqdn, typ: "domain_status_update", kind: ops.KindTransferLock, action: action,
		request: ops.TransferLockRequest{Locked: lock}, nothing: locked == lock,
		params: []param{{"status", "clientTransferProhibited"}, {"action", action}},
	}, nil, nil
}
