package translate

import (
	"context"
	"encoding/json"
	"errors"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// kindResend is the work list of contact.reachability.resend: v5 sends the message
// for each domain by itself.
const kindResend = "reachability_resend"

type reachabilityIn struct {
	Handle string `v3:"handle,opt"`
}

// reachabilityResend has the message sent again that asks an owner to confirm the
// mail address, for each domain of which v5 still waits for that. v3 knew an
// operation of this type, so one is answered (inferred).
func reachabilityResend(ctx context.Context, c *Call, in reachabilityIn) (operationOut, error) {
	contact, err := c.contactOrOwn(ctx, in.Handle)
	if err != nil {
		return operationOut{}, err
	}
	intent, err := c.contactIntent("reachability_resend", contact.Handle)
	if err != nil {
		return operationOut{}, err
	}
	intent.Kind, intent.List, intent.Infos.Action = kindResend, "reachability "+contact.Handle, "resend"
	intent.Items = func(tx *store.Tx) (items []ops.Item, err error) {
		err = c.Book.EachUse(tx, c.Tenant.Name, contact.Handle, func(fqdn, role string) error {
			if role != "owner" {
				return nil
			}
			// Each call asks anew, so no two of its items are the same.
			request, err := json.Marshal(resendOf{fqdn, c.ID})
			items = append(items, ops.Item{Name: fqdn, Request: request})
			return err
		})
		if err == nil && len(items) == 0 {
			err = fault.New(fault.Reachability, fault.CauseNotFound, "%s owns no domain that is known to this gateway", contact.Handle)
		}
		return items, err
	}
	op, err := c.Ops.Submit(ctx, intent)
	if err != nil {
		return operationOut{}, err
	}
	return c.operationAnswer(&op)
}

type resendOf struct{ FQDN, Call string }

// wantOwner looks whether the domain is still the contact's.
func (f fanOut) wantOwner(tx *store.Tx, op *ops.Operation, item *ops.Item) error {
	roles, err := f.book.Roles(tx, op.Tenant, item.Name)
	if err == nil && roles.Owner != op.FQDN {
		err = &ops.SkipError{Reason: "the domain is no longer the contact's"}
	}
	return err
}

// resend asks for the message where v5 waits for an answer to it.
func resend(ctx context.Context, s *v5.Session, _ *ops.Operation, item *ops.Item) error {
	d, err := s.Domain(ctx, item.Name)
	if err != nil {
		return err
	}
	if d.Reachability != "pending" && d.Reachability != "failed" {
		return &ops.SkipError{Reason: "v5 does not wait for the owner's answer"}
	}
	return s.ResendReachability(ctx, item.Name)
}

// contactOrOwn finds a contact of the caller's, without a handle their own.
func (c *Call) contactOrOwn(ctx context.Context, handle string) (handles.Contact, error) {
	if handle == "" {
		own, err := c.source()
		if err != nil {
			return handles.Contact{}, err
		}
		handle = own
	}
	return c.contact(ctx, "handle", handle)
}

type contactDeleteIn struct {
	Handle string `v3:"handle,opt"`
}

// contactDelete deletes a contact that nothing uses. Whether a domain is still on
// the account is asked of v5: one that has left must not hold a contact for ever.
func contactDelete(ctx context.Context, c *Call, in contactDeleteIn) (bool, error) {
	contact, err := c.contactOrOwn(ctx, in.Handle)
	if err != nil {
		return false, err
	}
	for range mostGone {
		err = c.Book.Delete(c.Tenant.Name, contact.Handle, func(tx *store.Tx) error {
			return wanted(tx, c.Tenant.Name, contact.Handle)
		})
		var used *handles.UsedError
		if !errors.As(err, &used) || used.Role == "" {
			break
		}
		_, gone := c.V5.Domain(ctx, used.FQDN)
		if answer := (*v5.Error)(nil); !errors.As(gone, &answer) || !answer.Absent() {
			break // it is there, or nobody knows
		}
		if err = c.Book.Forget(c.Tenant.Name, used.FQDN); err != nil {
			return false, err
		}
	}
	switch used := (*handles.UsedError)(nil); {
	case errors.Is(err, handles.ErrOwn):
		return false, fault.Disabled("the account's own contact cannot be deleted")
	case errors.As(err, &used):
		return false, fault.New(fault.Contact, fault.CauseAttached, "%s", used.Error())
	case err != nil:
		return false, contactFault(err, "handle", contact.Handle)
	}
	return true, nil
}

// mostGone bounds how many domains a call of contact.delete finds gone.
const mostGone = 20

// wanted looks for an operation that is about to give a domain the contact.
func wanted(tx *store.Tx, tenant, handle string) error {
	var used error
	err := ops.EachOpen(tx, func(op *ops.Operation) error {
		roles, err := rolesOf(op)
		if op.Tenant != tenant || err != nil {
			return err
		}
		for _, role := range []string{"owner", "admin", "bill", "tech"} {
			if roles.Of(role) == handle {
				used = fault.New(fault.Contact, fault.CauseAttached, "operation %d (%s) gives %s to %s", op.ID, op.Type, handle, op.FQDN)
				return store.Stop
			}
		}
		return nil
	})
	return errors.Join(err, used)
}
