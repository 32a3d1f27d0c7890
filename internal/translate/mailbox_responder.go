package translate

import (
	"context"
	"time"

	"v3gate/internal/ops"
	"v3gate/internal/v5"
)

type responderActivateIn struct {
	Domain string                  `v3:"domain"`
	Login  string                  `v3:"login"`
	Params responderActivateParams `v3:"params"`
}

type responderActivateParams struct {
	Content string    `v3:"content"`
	Date    time.Time `v3:"date,opt"`
}

type responderDeactivateIn struct {
	Domain string                    `v3:"domain"`
	Login  string                    `v3:"login"`
	Params responderDeactivateParams `v3:"params,opt"`
}

type responderDeactivateParams struct {
	Date time.Time `v3:"date,opt"`
}

// v5Date is a date of v3, on the clock of Paris, as v5 takes it; "" for none.
func v5Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fromParis(t).UTC().Format("2006-01-02T15:04:05Z")
}

// fromParis reads the digits of a date, which has no zone in v3, by v3's clock.
func fromParis(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, parisZone)
}

// responderActivateCheck always says from when on the responder answers, lest a
// time that v5 has from before counts.
func responderActivateCheck(ctx context.Context, c *Call, in responderActivateIn) (domainPlan, []FieldError, error) {
	plan, m, err := c.boxPlan(ctx, mailboxIn{in.Domain, in.Login}, "mailbox_responder_activate", ops.KindResponder, "update")
	if err != nil {
		return plan, nil, err
	}
	change := v5.ResponderChange{Enabled: true, Message: in.Params.Content, StartsAt: v5Date(in.Params.Date)}
	if old := m.Responder; change.StartsAt == "" && old != nil && old.StartsAt != nil && old.StartsAt.After(c.Now()) {
		change.StartsAt = c.Now().UTC().Format("2006-01-02T15:04:05Z")
	}
	plan.request = ops.ResponderRequest{MailboxRef: plan.request.(ops.MailboxRef), Change: change}
	plan.params = append(plan.params, param{"content", in.Params.Content}, param{"date", v5Date(in.Params.Date)})
	return plan, nil, nil
}

// responderDeactivateCheck sends the text again, without which v5 might not take
// the change (inferred). A responder that is off needs no call.
func responderDeactivateCheck(ctx context.Context, c *Call, in responderDeactivateIn) (domainPlan, []FieldError, error) {
	plan, m, err := c.boxPlan(ctx, mailboxIn{in.Domain, in.Login}, "mailbox_responder_deactivate", ops.KindResponder, "update")
	if err != nil {
		return plan, nil, err
	}
	var change v5.ResponderChange
	if m.Responder != nil {
		change.Message = m.Responder.Message
	}
	if date := in.Params.Date; !date.IsZero() && fromParis(date).After(c.Now()) {
		change.Enabled, change.EndsAt = true, v5Date(date)
		if starts := m.Responder; starts != nil && starts.StartsAt != nil {
			change.StartsAt = starts.StartsAt.UTC().Format("2006-01-02T15:04:05Z")
		}
	}
	plan.nothing = m.Responder == nil || !m.Responder.Enabled
	plan.request = ops.ResponderRequest{MailboxRef: plan.request.(ops.MailboxRef), Change: change}
	plan.params = append(plan.params, param{"date", v5Date(in.Params.Date)})
	return plan, nil, nil
}
