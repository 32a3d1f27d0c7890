package translate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/ops"
	"v3gate/internal/v5"
)

// mostForwards is how many forwards a domain may have, in v5 (seen in a client)
// as in v3 (recorded).
const mostForwards = 1000

// packmailOut is the mail service of a domain in the recorded shape.
type packmailOut struct {
	Autorenew    *autorenewOut `v3:"autorenew"`
	DateCreated  time.Time     `v3:"date_created"`
	DateEnd      *time.Time    `v3:"date_end"`
	Domain       string        `v3:"domain"`
	DomainID     int64         `v3:"domain_id"`
	ForwardQuota int64         `v3:"forward_quota"`
	ID           int64         `v3:"id"`
	MailboxQuota int64         `v3:"mailbox_quota"`
	Status       string        `v3:"status"`
	StorageQuota int64         `v3:"storage_quota"`
}

type packmailIn struct {
	Gmail string `v3:"gmail"`
}

// packmailInfo composes what v3 sold as one thing: v5 knows an offer, slots and
// mailboxes.
func packmailInfo(ctx context.Context, c *Call, in packmailIn) (packmailOut, error) {
	fqdn, err := normal(in.Gmail)
	if err != nil {
		return packmailOut{}, err
	}
	d, err := c.sharedDomain(ctx, fqdn)
	if err != nil {
		return packmailOut{}, err
	}
	offer, err := c.V5.MailOffer(ctx, fqdn)
	if err != nil {
		return packmailOut{}, mailError(fqdn, err)
	}
	slots, err := c.V5.Slots(ctx, fqdn)
	if err != nil {
		return packmailOut{}, mailError(fqdn, err)
	}
	boxes, err := c.mailboxes(ctx, fqdn)
	if err != nil {
		return packmailOut{}, mailError(fqdn, err)
	}
	id, err := c.Book.DomainID(c.Tenant.Name, fqdn)
	if err != nil {
		return packmailOut{}, err
	}
	out := packmailOut{
		Domain: fqdn, DomainID: id, ID: id, ForwardQuota: mostForwards, MailboxQuota: int64(len(slots)),
		Status: "free", DateEnd: parisOrNil(firstEnd(boxes)),
	}
	if len(slots) > 0 && offer.Status != "" {
		out.Status = offer.Status
	}
	created, capacity := time.Time{}, int64(0)
	for _, s := range slots {
		if capacity += int64(s.Capacity); !s.CreatedAt.IsZero() && (created.IsZero() || s.CreatedAt.Before(created)) {
			created = s.CreatedAt
		}
	}
	out.StorageQuota, out.DateCreated = capacity>>10, paris(created)
	if created.IsZero() && d.Dates.CreatedAt != nil {
		out.DateCreated = *d.Dates.CreatedAt // its digits are those of Paris
	}
	out.Autorenew, err = c.packAutorenew(id, boxes)
	return out, err
}

// firstEnd is when the first of the mailboxes ends; nil for none.
func firstEnd(boxes []v5.Mailbox) *time.Time {
	var first *time.Time
	for i := range boxes {
		if at := &boxes[i].ExpiresAt; !at.IsZero() && (first == nil || at.Before(*first)) {
			first = at
		}
	}
	return first
}

// packAutorenew is nil unless all mailboxes renew themselves. The duration is in
// years, 0 where one renews by the month.
func (c *Call) packAutorenew(id int64, boxes []v5.Mailbox) (*autorenewOut, error) {
	off := func(m v5.Mailbox) bool { return !m.AutoRenew.Enabled }
	if len(boxes) == 0 || slices.ContainsFunc(boxes, off) {
		return nil, nil
	}
	own, err := c.Book.Own(c.Tenant.Name, c.Tenant.OwnHandle)
	if err != nil {
		return nil, err
	}
	months := boxes[0].AutoRenew.Duration
	for _, m := range boxes {
		months = min(months, m.AutoRenew.Duration)
	}
	return &autorenewOut{Active: true, Contact: own, Duration: int64(months / 12), ID: id, ProductID: id, ProductTypeID: 1}, nil
}

// packmailPlan is the plan of an operation on all mailboxes of a domain.
func (c *Call) packmailPlan(ctx context.Context, domain, typ, kind, action string) (domainPlan, []v5.Mailbox, error) {
	fqdn, err := c.mailDomain(ctx, domain)
	if err != nil {
		return domainPlan{}, nil, err
	}
	boxes, err := c.mailboxes(ctx, fqdn)
	return domainPlan{fqdn: fqdn, typ: typ, kind: kind, action: action, items: []ops.Item{}}, boxes, mailError(fqdn, err)
}

func marshalItem(v any) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write item: %w", err)
	}
	return raw, nil
}

// oneYear refuses the durations that v5 has no mailboxes for.
func oneYear(years int64) error {
	if years == 1 {
		return nil
	}
	return unsupported("params.duration", fmt.Sprintf("v5 renews mailboxes for 12 months at a time, and not for %d years", years))
}

type packmailRenewIn struct {
	Gmail  string              `v3:"gmail"`
	Params packmailRenewParams `v3:"params"`
}

type packmailRenewParams struct {
	Duration       int64 `v3:"duration"`
	AcceptContract *bool `v3:"accept_contract,opt"`
}

// packmailRenewCheck makes an item of each mailbox, with the end that it is
// renewed from.
func packmailRenewCheck(ctx context.Context, c *Call, in packmailRenewIn) (domainPlan, []FieldError, error) {
	if err := oneYear(in.Params.Duration); err != nil {
		return domainPlan{}, nil, err
	}
	if a := in.Params.AcceptContract; a != nil && !*a {
		return domainPlan{}, nil, fault.New(fault.Boolean, fault.CauseValue,
			"params.accept_contract must be true, since v5 takes an order as accepted").About("params.accept_contract")
	}
	plan, boxes, err := c.packmailPlan(ctx, in.Gmail, "packmail_renew", ops.KindPackmailRenew, "renew")
	if err != nil {
		return plan, nil, err
	}
	if len(boxes) == 0 {
		return plan, nil, fault.New(fault.Packmail, fault.CauseState, "%s has no mailbox to be renewed", plan.fqdn)
	}
	plan.request, plan.params = struct{}{}, []param{{"duration", in.Params.Duration}}
	for _, m := range boxes {
		address := m.Login + "@" + plan.fqdn
		if m.ExpiresAt.IsZero() {
			return plan, nil, fault.New(fault.Packmail, fault.CauseState, "v5 does not say when %s ends, so a renewal would show no trace", address)
		}
		raw, err := marshalItem(ops.MailRenewal{ID: m.ID, Address: address, Before: m.ExpiresAt.UTC(), Months: 12})
		if err != nil {
			return plan, nil, err
		}
		plan.items = append(plan.items, ops.Item{Name: address, Request: raw})
	}
	return plan, nil, nil
}

type packmailAutorenewIn struct {
	Gmail  string                  `v3:"gmail"`
	Params packmailAutorenewParams `v3:"params"`
}

type packmailAutorenewParams struct {
	Active   *bool `v3:"active"`
	Duration int64 `v3:"duration,opt"`
}

// packmailAutorenewCheck makes an item of each mailbox.
func packmailAutorenewCheck(ctx context.Context, c *Call, in packmailAutorenewIn) (domainPlan, []FieldError, error) {
	change := v5.MailboxAutorenewChange{Activated: *in.Params.Active}
	if in.Params.Duration != 0 {
		if err := oneYear(in.Params.Duration); err != nil {
			return domainPlan{}, nil, err
		}
		change.Duration = 12
	}
	plan, boxes, err := c.packmailPlan(ctx, in.Gmail, "packmail_autorenew", ops.KindPackmailAutorenew, "update")
	if err != nil {
		return plan, nil, err
	}
	plan.request, plan.list = change, "packmail autorenew "+plan.fqdn
	plan.params = []param{{"active", change.Activated}}
	if in.Params.Duration != 0 {
		plan.params = append(plan.params, param{"duration", in.Params.Duration})
	}
	for _, m := range boxes {
		raw, err := marshalItem(ops.MailAutorenewal{ID: m.ID, Change: change})
		if err != nil {
			return plan, nil, err
		}
		plan.items = append(plan.items, ops.Item{Name: m.Login + "@" + plan.fqdn, Request: raw})
	}
	return plan, nil, nil
}
