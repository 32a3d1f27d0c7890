package ops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"v3gate/internal/v5"
)

// MailRenewal is an item of packmailRenew: one mailbox and the end that it is
// renewed from.
type MailRenewal struct {
	ID, Address string
	Before      time.Time
	Months      int
}

// packmailRenew renews each mailbox of a domain by a paid call of its own. It is
// the one list whose items cost money, so an item's call is made once: the item is
// in doubt from before it is sent until v5 shows another end, and what is in doubt
// is only looked at. One of which that never shows brings the operation to SUPPORT.
var packmailRenew = Kind{
	Paid: true,
	DoItem: func(ctx context.Context, s *v5.Session, op *Operation, item *Item) error {
		r, err := request[MailRenewal](item.Request)
		if err != nil {
			return err
		}
		if item.Tries >= mostTries {
			return &StaleError{"v5 could not be asked about " + r.Address + "; nothing was sent"} // no try would be left to look
		}
		m, err := s.Mailbox(ctx, op.FQDN, r.ID)
		switch {
		case absent(err):
			return &StaleError{r.Address + " is no longer there; nothing was sent"}
		case err != nil:
			return &v5.Error{Route: "POST /email/mailboxes/{d}/{email}/renew", Err: err} // which was not sent
		case !m.ExpiresAt.Equal(r.Before):
			return &StaleError{fmt.Sprintf("%s ends on %s and no longer on %s; nothing was sent",
				r.Address, m.ExpiresAt.Format(time.DateOnly), r.Before.Format(time.DateOnly))}
		}
		if err := s.RenewMailbox(ctx, op.FQDN, r.Address, r.Months); err != nil {
			return err
		}
		return errAcceptedOnly
	},
	ShownItem: func(ctx context.Context, s *v5.Session, op *Operation, item *Item) (bool, error) {
		r, err := request[MailRenewal](item.Request)
		if err != nil {
			return false, err
		}
		m, err := s.Mailbox(ctx, op.FQDN, r.ID)
		switch {
		case err == nil && m.ExpiresAt.After(r.Before):
			return true, nil
		case item.Tries >= mostTries:
			return false, &LostError{"v5 does not show that " + r.Address + " was renewed; nobody knows, and it is not sent again"}
		case err != nil:
			return false, err
		}
		return false, errAcceptedOnly // and so not sent again
	},
}

// errAcceptedOnly keeps an item in doubt that v5 may have taken and does not show
// yet.
var errAcceptedOnly = errors.New("v5 does not show it yet")

// MailAutorenewal is an item of packmailAutorenew.
type MailAutorenewal struct {
	ID     string
	Change v5.MailboxAutorenewChange
}

// packmailAutorenew sets the automatic renewal of each mailbox of a domain.
var packmailAutorenew = Kind{
	AwaitItem: true,
	DoItem: func(ctx context.Context, s *v5.Session, op *Operation, item *Item) error {
		r, err := request[MailAutorenewal](item.Request)
		if err != nil {
			return err
		}
		err = s.ChangeMailbox(ctx, op.FQDN, r.ID, v5.MailboxChange{AutoRenew: &r.Change})
		if absent(err) {
			return &SkipError{"the mailbox is no longer there"}
		}
		return err
	},
	ShownItem: func(ctx context.Context, s *v5.Session, op *Operation, item *Item) (bool, error) {
		r, err := request[MailAutorenewal](item.Request)
		if err != nil {
			return false, err
		}
		m, err := s.Mailbox(ctx, op.FQDN, r.ID)
		if err != nil {
			return false, err
		}
		return m.AutoRenew.Enabled == r.Change.Activated && (r.Change.Duration == 0 || m.AutoRenew.Duration == r.Change.Duration), nil
	},
}
