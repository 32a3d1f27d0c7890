package v5

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"
)

// Mailbox is a mailbox of a domain.
type Mailbox struct {
	ID          string        `json:"id"` // uuid
	Login       string        `json:"login"`
	Address     string        `json:"address"`
	MailboxType string        `json:"mailbox_type"`
	QuotaUsed   int           `json:"quota_used"` // KB
	ExpiresAt   time.Time     `json:"expires_at,omitzero"`
	AutoRenew   MailAutoRenew `json:"autorenew"`
	// Aliases and Responder are in details. Of lists only those of 2020 have
	// them (recorded); Responder is nil where it is not there.
	Aliases   []string   `json:"aliases,omitempty"`
	Responder *Responder `json:"responder,omitempty"`
}

// MailAutoRenew is the automatic renewal of a mailbox.
type MailAutoRenew struct {
	Enabled  bool `json:"enabled"`
	Duration int  `json:"duration"` // months
}

// Responder answers what comes to a mailbox by itself.
type Responder struct {
	Enabled  bool       `json:"enabled"`
	Message  string     `json:"message"` // "" when unset
	StartsAt *time.Time `json:"starts_at,omitempty"`
	EndsAt   *time.Time `json:"ends_at,omitempty"`
}

// Active tells whether it answers at a time.
func (r *Responder) Active(at time.Time) bool {
	return r != nil && r.Enabled && (r.StartsAt == nil || !r.StartsAt.After(at)) && (r.EndsAt == nil || r.EndsAt.After(at))
}

// UnmarshalJSON takes null for what is unset. A mailbox without id or login is
// an error: nothing could be done with it.
func (m *Mailbox) UnmarshalJSON(b []byte) error {
	var wire struct {
		ID          laxString   `json:"id"`
		Login       laxString   `json:"login"`
		Address     laxString   `json:"address"`
		MailboxType laxString   `json:"mailbox_type"`
		QuotaUsed   json.Number `json:"quota_used"`
		ExpiresAt   laxTime     `json:"expires_at"`
		AutoRenew   struct {
			Enabled  bool   `json:"enabled"`
			Duration laxInt `json:"duration"`
		} `json:"autorenew"`
		Aliases   []string `json:"aliases"`
		Responder *struct {
			Enabled  bool      `json:"enabled"`
			Message  laxString `json:"message"`
			StartsAt laxTime   `json:"starts_at"`
			EndsAt   laxTime   `json:"ends_at"`
		} `json:"responder"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	if wire.ID == "" || wire.Login == "" {
		return errors.New("read mailbox: no id, or no login")
	}
	used, _ := wire.QuotaUsed.Float64() // a number, or missing
	*m = Mailbox{
		ID: string(wire.ID), Login: string(wire.Login), Address: string(wire.Address), MailboxType: string(wire.MailboxType),
		QuotaUsed: int(used), ExpiresAt: time.Time(wire.ExpiresAt), Aliases: wire.Aliases,
		AutoRenew: MailAutoRenew{wire.AutoRenew.Enabled, int(wire.AutoRenew.Duration)},
	}
	if r := wire.Responder; r != nil {
		m.Responder = &Responder{r.Enabled, string(r.Message), timeOrNil(r.StartsAt), timeOrNil(r.EndsAt)}
	}
	return nil
}

func timeOrNil(t laxTime) *time.Time {
	if at := time.Time(t); !at.IsZero() {
		return &at
	}
	return nil
}

// Mailboxes lists all mailboxes of a domain; with a login only that one, if it is
// there.
func (s *Session) Mailboxes(ctx context.Context, fqdn, login string) ([]Mailbox, error) {
	r := request{route: "GET /email/mailboxes/{d}", path: []string{fqdn}}
	if login == "" {
		return all[Mailbox](ctx, s, r)
	}
	r.query = url.Values{"login": {login}}
	found, err := read[[]Mailbox](ctx, s, r)
	if err != nil {
		return nil, err
	}
	return *found, nil
}

// Mailbox reads the details of a mailbox.
func (s *Session) Mailbox(ctx context.Context, fqdn, id string) (*Mailbox, error) {
	return read[Mailbox](ctx, s, request{route: "GET /email/mailboxes/{d}/{id}", path: []string{fqdn, id}})
}

// MailboxCreate is a new mailbox. It takes a slot of its type that is free.
type MailboxCreate struct {
	Login       string `json:"login"`
	MailboxType string `json:"mailbox_type"`
	// Password has 8 to 200 characters, at least 1 upper case letter, 3 digits
	// and 1 special character (v5 documentation).
	Password string `json:"password"`
}

// CreateMailbox makes a mailbox. nil means accepted (202).
func (s *Session) CreateMailbox(ctx context.Context, fqdn string, m MailboxCreate) error {
	_, err := s.do(ctx, request{route: "POST /email/mailboxes/{d}", path: []string{fqdn}, body: m})
	return err
}

// MailboxChange is what a mailbox is to have; nil and "" stay as they are.
type MailboxChange struct {
	Aliases   *[]string               `json:"aliases,omitempty"` // replaces all
	AutoRenew *MailboxAutorenewChange `json:"autorenew,omitempty"`
	Password  string                  `json:"password,omitempty"`
	Responder *ResponderChange        `json:"responder,omitempty"`
}

// MailboxAutorenewChange sets the automatic renewal of a mailbox.
type MailboxAutorenewChange struct {
	Activated bool `json:"activated"`
	Duration  int  `json:"duration,omitempty"` // months: 1 or 12
}

// ResponderChange sets the responder of a mailbox. Dates are of the form
// 2026-01-31T10:00:00Z; "" stays as it is.
type ResponderChange struct {
	Enabled  bool   `json:"enabled"`
	Message  string `json:"message"`
	StartsAt string `json:"starts_at,omitempty"`
	EndsAt   string `json:"ends_at,omitempty"`
}

// ChangeMailbox changes a mailbox. nil means accepted (202).
func (s *Session) ChangeMailbox(ctx context.Context, fqdn, id string, m MailboxChange) error {
	_, err := s.do(ctx, request{route: "PATCH /email/mailboxes/{d}/{id}", path: []string{fqdn, id}, body: m})
	return err
}

// DeleteMailbox deletes a mailbox with all that is in it. Its slot stays.
func (s *Session) DeleteMailbox(ctx context.Context, fqdn, id string) error {
	_, err := s.do(ctx, request{route: "DELETE /email/mailboxes/{d}/{id}", path: []string{fqdn, id}})
	return err
}

// PurgeMailbox deletes all that is in a mailbox.
func (s *Session) PurgeMailbox(ctx context.Context, fqdn, id string) error {
	_, err := s.do(ctx, request{route: "DELETE /email/mailboxes/{d}/{id}/contents", path: []string{fqdn, id}})
	return err
}

// mailRenewal is a renewal by months.
type mailRenewal struct {
	Duration int `json:"duration"`
}

// RenewMailbox renews a mailbox, named by its whole address, by 1 or 12 months,
// which costs money. nil means accepted (202); its end then moves (inferred).
// Whoever sends it twice renews twice. It sends at most one request.
func (s *Session) RenewMailbox(ctx context.Context, fqdn, address string, months int) error {
	r := request{route: "POST /email/mailboxes/{d}/{email}/renew", path: []string{fqdn, address}, body: mailRenewal{months}}
	if months != 1 && months != 12 {
		return r.refused(errors.New("renew mailbox: duration is 1 or 12 months"))
	}
	_, err := s.do(ctx, r)
	return err
}

// Slot is the place of a mailbox, which is what is paid for.
type Slot struct {
	ID          int       `json:"id"`       // 0 where v5 left it out
	Status      string    `json:"status"`   // active, or inactive: no mailbox is in it
	Capacity    int       `json:"capacity"` // MB
	MailboxType string    `json:"mailbox_type"`
	CreatedAt   time.Time `json:"created_at,omitzero"`
}

// UnmarshalJSON takes null and what is missing for zero.
func (sl *Slot) UnmarshalJSON(b []byte) error {
	var wire struct {
		ID          laxInt    `json:"id"`
		Status      laxString `json:"status"`
		Capacity    laxInt    `json:"capacity"`
		MailboxType laxString `json:"mailbox_type"`
		CreatedAt   laxTime   `json:"created_at"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	*sl = Slot{int(wire.ID), string(wire.Status), int(wire.Capacity), string(wire.MailboxType), time.Time(wire.CreatedAt)}
	return nil
}

// Slots lists the slots of a domain, those without a mailbox included as far as
// they have not ended.
func (s *Session) Slots(ctx context.Context, fqdn string) ([]Slot, error) {
	list, err := read[[]Slot](ctx, s, request{route: "GET /email/slots/{d}", path: []string{fqdn},
		query: url.Values{"display_not_expired_and_inactive": {"true"}}})
	if err != nil {
		return nil, err
	}
	return *list, nil
}

// SlotOrder is a slot to be bought.
type SlotOrder struct {
	MailboxType string `json:"mailbox_type"`
	Duration    int    `json:"duration"` // months
}

// BuySlot buys a slot, which costs money. nil means accepted (202). v5 has no
// Dry-Run here. It sends at most one request.
func (s *Session) BuySlot(ctx context.Context, fqdn string, o SlotOrder) error {
	r := request{route: "POST /email/slots/{d}", path: []string{fqdn}, body: o}
	if o.MailboxType == "" || o.Duration < 1 {
		return r.refused(errors.New("buy slot: mailbox type and duration are required"))
	}
	_, err := s.do(ctx, r)
	return err
}
