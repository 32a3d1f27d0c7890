package ops

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"v3gate/internal/v5"
)

// MailboxRef names the mailbox that is worked on. The id is v5's: a mailbox that
// is made anew under the same login has another one, and is left alone.
type MailboxRef struct{ ID, Login string }

// listed finds a mailbox by its login; nil where there is none.
func listed(ctx context.Context, s *v5.Session, fqdn, login string) (*v5.Mailbox, error) {
	boxes, err := s.Mailboxes(ctx, fqdn, login)
	for i := range boxes {
		if strings.EqualFold(boxes[i].Login, login) {
			return &boxes[i], nil
		}
	}
	return nil, err
}

// mailboxCreate makes a mailbox in a slot that is free: POST mailboxes. It is
// free, and v5 refuses a second of the same login.
var mailboxCreate = Kind{
	MayResend: true,
	Baseline: func(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error) {
		r, err := request[v5.MailboxCreate](in.Request)
		if err != nil {
			return nil, err
		}
		there, err := listed(ctx, s, in.FQDN, r.Login)
		if there != nil {
			err = &ErrExists{FQDN: in.FQDN, Login: r.Login}
		}
		return nil, err
	},
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[v5.MailboxCreate](op.Request)
		if err != nil {
			return err
		}
		return s.CreateMailbox(ctx, op.FQDN, r)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		r, err := request[v5.MailboxCreate](op.Request)
		if err != nil {
			return Sighting{}, err
		}
		there, err := listed(ctx, s, op.FQDN, r.Login)
		return shows(there != nil), err
	},
	Forget: func(raw json.RawMessage) json.RawMessage {
		r, err := request[v5.MailboxCreate](raw)
		if err != nil {
			return nil
		}
		r.Password = ""
		raw, _ = json.Marshal(r) // of strings
		return raw
	},
}

// shows is the sighting of a change that can be seen, and does no harm when it is
// made again.
func shows(done bool) Sighting {
	if done {
		return Sighting{Happened: true, Step: Done}
	}
	return Sighting{Absent: true}
}

// mailboxDelete deletes a mailbox with all that is in it. Only two looks that
// both show it allow a second call.
var mailboxDelete = Kind{
	MayResend: true,
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[MailboxRef](op.Request)
		if err != nil {
			return err
		}
		return s.DeleteMailbox(ctx, op.FQDN, r.ID)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		r, err := request[MailboxRef](op.Request)
		if err != nil {
			return Sighting{}, err
		}
		_, err = s.Mailbox(ctx, op.FQDN, r.ID)
		if absent(err) {
			return shows(true), nil
		}
		return shows(false), err
	},
}

// mailboxPurge deletes all that is in a mailbox. v5 shows no trace of it but that
// nothing is left, and new mail hides that. So v5's word that it was accepted
// ends it, and without that word it is never sent again: mail that came in
// between would go too.
var mailboxPurge = Kind{
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[MailboxRef](op.Request)
		if err != nil {
			return err
		}
		return s.PurgeMailbox(ctx, op.FQDN, r.ID)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		r, err := request[MailboxRef](op.Request)
		if err != nil || op.State == Accepted {
			return shows(true), err
		}
		m, err := s.Mailbox(ctx, op.FQDN, r.ID)
		switch {
		case absent(err):
			return shows(true), nil
		case err != nil:
			return Sighting{}, err
		case m.QuotaUsed == 0:
			return shows(true), nil
		}
		return Sighting{Note: "there is mail in the mailbox, which may be new"}, nil
	},
}

// ResponderRequest is what the responder of a mailbox is to be.
type ResponderRequest struct {
	MailboxRef
	Change v5.ResponderChange
}

// responder sets the responder of a mailbox: PATCH. It is DONE when v5 shows it.
var responder = Kind{
	MayResend: true,
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[ResponderRequest](op.Request)
		if err != nil {
			return err
		}
		return s.ChangeMailbox(ctx, op.FQDN, r.ID, v5.MailboxChange{Responder: &r.Change})
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		r, err := request[ResponderRequest](op.Request)
		if err != nil {
			return Sighting{}, err
		}
		m, err := s.Mailbox(ctx, op.FQDN, r.ID)
		if err != nil {
			return Sighting{}, err
		}
		return shows(responds(m.Responder, r.Change)), nil
	},
}

// responds tells whether a responder is as asked for. Of one that is off the rest
// does not count. An end that nobody asked for is one that v5 has kept from before,
// and would silence the responder.
func responds(now *v5.Responder, want v5.ResponderChange) bool {
	if now == nil || now.Enabled != want.Enabled {
		return false
	}
	return !want.Enabled || now.Message == want.Message && sameDate(now.StartsAt, want.StartsAt) &&
		sameDate(now.EndsAt, want.EndsAt) && (now.EndsAt == nil || want.EndsAt != "")
}

// sameDate compares with a date that was sent; "" wants nothing.
func sameDate(now *time.Time, want string) bool {
	if want == "" {
		return true
	}
	at, err := time.Parse(time.RFC3339, want)
	return err == nil && now != nil && now.Equal(at)
}
