package ops

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"v3gate/internal/v5"
)

// deletion deletes a domain: DELETE domains/{d}, for which v5 has no Dry-Run. It
// happened when the domain that there was is no longer on the account, or can be
// restored. It is never sent twice: the name may be another registration by then.
var deletion = Kind{
	Holds: true,
	Baseline: func(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error) {
		now, err := standingOf(ctx, s, in.FQDN)
		if err == nil {
			err = now.deletable(in.FQDN)
		}
		if err != nil {
			return nil, err
		}
		return json.Marshal(now)
	},
	Ready: func(ctx context.Context, s *v5.Session, op *Operation) error {
		before, err := request[deleteBaseline](op.Baseline)
		if err != nil {
			return err
		}
		now, err := standingOf(ctx, s, op.FQDN)
		if err == nil && now.Registration != before.Registration {
			err = &StaleError{op.FQDN + " is no longer the registration that was to be deleted; nothing was sent"}
		}
		if err == nil {
			err = now.deletable(op.FQDN)
		}
		return err
	},
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		return s.DeleteDomain(ctx, op.FQDN)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		before, err := request[deleteBaseline](op.Baseline)
		if err != nil {
			return Sighting{}, err
		}
		now, err := standingOf(ctx, s, op.FQDN)
		if _, gone := stale(err); gone {
			return Sighting{Happened: true, Step: Done}, nil
		}
		if err != nil {
			return Sighting{}, err
		}
		return shown(now.Restorable || now.Registration != before.Registration), nil
	},
}

// deleteBaseline is what v5 shows of a domain that is to be deleted.
type deleteBaseline struct {
	// Registration tells this registration of the name from a later one.
	Registration string
	Restorable   bool
	Prohibited   string `json:",omitempty"` // the status that prohibits it
}

// standingOf reads it; a *StaleError when the domain is not on the account.
func standingOf(ctx context.Context, s *v5.Session, fqdn string) (b deleteBaseline, err error) {
	d, err := s.Domain(ctx, fqdn)
	gone, err := left(ctx, s, fqdn, err)
	if err != nil {
		return b, err
	}
	if gone || !s.Owns(d) {
		return b, &StaleError{fqdn + " is not on the account"}
	}
	info, err := s.RestoreInfo(ctx, fqdn)
	if answer := (*v5.Error)(nil); errors.As(err, &answer) && answer.Absent() {
		info, err = &v5.RestoreInfo{}, nil // an extension that restores nothing
	}
	if err != nil {
		return b, err
	}
	b = deleteBaseline{Registration: d.ID, Restorable: info.Restorable, Prohibited: DeleteProhibited(d)}
	if b.Registration == "" && d.Dates.RegistryCreatedAt != nil {
		b.Registration = d.Dates.RegistryCreatedAt.UTC().String()
	}
	return b, nil
}

func (b *deleteBaseline) deletable(fqdn string) error {
	switch {
	case b.Restorable:
		return &StaleError{fqdn + " is deleted already"}
	case b.Prohibited != "":
		return &StaleError{fqdn + " has the status " + b.Prohibited + ", which prohibits that it is deleted"}
	}
	return nil
}

// DeleteProhibited is the status by which a registry refuses to delete a domain
// (RFC 5731); "" where it has none.
func DeleteProhibited(d *v5.Domain) string {
	i := slices.IndexFunc(d.Status, func(status string) bool {
		return strings.HasSuffix(status, "DeleteProhibited") || status == "pendingTransfer" || status == "pendingDelete"
	})
	if i < 0 {
		return ""
	}
	return d.Status[i]
}

// left makes of the error of reading a domain whether it has left the account. A
// 403 stands for that and for much else (seen in clients): the list decides.
func left(ctx context.Context, s *v5.Session, fqdn string, err error) (bool, error) {
	var answer *v5.Error
	switch {
	case err == nil, !errors.As(err, &answer):
		return false, err
	case answer.Absent():
		return true, nil
	case answer.Status != http.StatusForbidden || !answer.IsJSON:
		return false, err
	}
	listed, unread := s.Listed(ctx, fqdn)
	if unread != nil || listed {
		return false, err
	}
	return true, nil
}
