package translate

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/v5"
	"v3gate/internal/zones"
)

const domainDelete = "domain_delete"

// domainDeleteCheck reads the domain freshly, and refuses what no registry deletes.
func domainDeleteCheck(ctx context.Context, c *Call, in domainIn) (domainPlan, []FieldError, error) {
	fqdn, err := normal(in.Domain)
	if err != nil {
		return domainPlan{}, nil, err
	}
	plan := domainPlan{fqdn: fqdn, typ: domainDelete, kind: ops.KindDelete, action: "delete", request: struct{}{}}
	// While one is at work v5 may no longer show the domain.
	if running, err := c.Ops.Running(c.Tenant.Name, plan.typ, fqdn); err != nil || running {
		return plan, nil, err
	}
	reason, err := c.undeletable(ctx, fqdn)
	if err == nil && reason != "" {
		err = fault.New(fault.Domain, fault.CauseState, "%s", reason)
	}
	return plan, nil, err
}

// domainDeleteAvailable tells whether domain.delete would be sent to v5.
func domainDeleteAvailable(ctx context.Context, c *Call, in domainIn) (bool, error) {
	fqdn, err := normal(in.Domain)
	if err != nil {
		return false, err
	}
	reason, err := c.undeletable(ctx, fqdn)
	return err == nil && reason == "", err
}

// undeletable says why a domain cannot be deleted; "" where nothing stands against
// it.
func (c *Call) undeletable(ctx context.Context, fqdn string) (reason string, err error) {
	d, err := c.domain(ctx, fqdn)
	if err != nil {
		return "", err
	}
	if status := ops.DeleteProhibited(d); status != "" {
		return fqdn + " has the status " + status + ", which prohibits that it is deleted", nil
	}
	info, err := c.V5.RestoreInfo(ctx, fqdn)
	if answer := (*v5.Error)(nil); errors.As(err, &answer) && answer.Absent() {
		return "", nil // an extension that restores nothing
	}
	if err != nil {
		return "", onDomain{fqdn, err}
	}
	if info.Restorable {
		return fqdn + " is deleted already", nil
	}
	return "", nil
}

// deleteFault is the fault of a deletion that v5 does not let the organization
// make; nil for every other error.
func deleteFault(e *v5.Error) *fault.Error {
	if e.Route != "DELETE /domain/domains/{d}" || e.Status != http.StatusForbidden {
		return nil
	}
	return fault.New(fault.Domain, fault.CauseNoRight, "the registrar does not let this organization delete domains: %s", said(e))
}

// domainRelease gives the customer up whose only domain this is. v5 knows no
// release of one domain.
func domainRelease(ctx context.Context, c *Call, in domainIn) (bool, error) {
	fqdn, err := normal(in.Domain)
	if err != nil {
		return false, err
	}
	d, err := c.domain(ctx, fqdn)
	if err != nil {
		return false, err
	}
	if !c.resells(d) {
		return false, fault.New(fault.Reseller, fault.CauseNoRight, "%s is no customer's of this account, so there is nobody to release it from", fqdn)
	}
	customer, err := c.onlyCustomer(ctx, fqdn, d.SharingSpace.ID)
	if err != nil {
		return false, err
	}
	if err := c.awaited(ctx, customer); err != nil {
		return false, err
	}
	err = c.V5.ReleaseCustomer(ctx, customer.ID)
	if answer := (*v5.Error)(nil); errors.As(err, &answer) && answer.Absent() {
		return false, noDomain(fqdn)
	}
	if err != nil {
		return false, onDomain{fqdn, err}
	}
	return true, errors.Join(c.Book.Forget(c.Tenant.Name, fqdn), c.Zones.Left(c.Tenant.Name, fqdn, true, true),
		c.Portfolio.Mark(c.Tenant.Name, fqdn))
}

// onlyCustomer finds the customer that has this domain and no other.
func (c *Call) onlyCustomer(ctx context.Context, fqdn, id string) (customer v5.Customer, err error) {
	customers, err := c.V5.Customers(ctx)
	if err != nil {
		return customer, err
	}
	for _, one := range customers {
		if one.ID == id && id != "" {
			customer = one
		}
	}
	if customer.ID == "" {
		return customer, fault.New(fault.Reseller, fault.CauseNotFound, "%s is of none of the customers of this account", fqdn)
	}
	names, err := c.V5.CustomerDomains(ctx, id)
	if err != nil {
		return customer, err
	}
	if len(names) != 1 || names[0] != fqdn {
		return customer, unsupported("domain", "v5 gives up a customer with all domains, and that of "+fqdn+
			" is listed with others; call contact.release to give up all")
	}
	return customer, nil
}

// awaited refuses while an operation is open that may give the customer another
// domain.
func (c *Call) awaited(ctx context.Context, customer v5.Customer) error {
	var open []*ops.Operation
	err := c.Book.View(func(tx *store.Tx) error {
		open = nil
		return ops.EachOpen(tx, func(op *ops.Operation) error {
			if op.Tenant == c.Tenant.Name && slices.Contains(contactOps, op.Type) {
				open = append(open, op)
			}
			return nil
		})
	})
	for _, op := range open {
		if err != nil {
			break
		}
		var roles handles.Roles
		if roles, err = rolesOf(op); err != nil || roles.Owner == "" {
			continue
		}
		owner, unknown := c.contact(ctx, "owner", roles.Owner)
		if unknown != nil || isCustomer(&owner, &customer) {
			err = fault.New(fault.Reseller, fault.CauseRunning,
				"operation %d (%s on %s) may give the customer another domain, which would be given up too", op.ID, op.Type, op.FQDN)
		}
	}
	return err
}

// settleDomain records, in the commit that makes an operation DONE, that a domain
// has gone, or that it is another registration than before.
func settleDomain(tx *store.Tx, book *handles.Book, zoneBook *zones.Book, op *ops.Operation) error {
	switch op.Type {
	case domainDelete:
		return errors.Join(book.ForgetIn(tx, op.Tenant, op.FQDN), zoneBook.LeftIn(tx, op.Tenant, op.FQDN, true, true))
	case "domain_create":
		return zoneBook.Unlink(tx, op.Tenant, op.FQDN)
	}
	return nil
}
