package ops

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"v3gate/internal/v5"
)

// TransferLockRequest is what status.lock and status.unlock ask for.
type TransferLockRequest struct{ Locked bool }

// transferLock sets or takes away clientTransferProhibited: PATCH status. It sets
// a state, so a second send does no harm.
var transferLock = Kind{
	MayResend: true,
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[TransferLockRequest](op.Request)
		if err != nil {
			return err
		}
		return s.SetTransferLock(ctx, op.FQDN, r.Locked)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		r, err := request[TransferLockRequest](op.Request)
		if err != nil {
			return Sighting{}, err
		}
		d, err := s.Domain(ctx, op.FQDN)
		if err != nil {
			return Sighting{}, err
		}
		return shown(slices.Contains(d.Status, "clientTransferProhibited") == r.Locked), nil
	},
}

// shown is the sighting of a change that v5 shows, or does not.
func shown(yes bool) Sighting {
	if yes {
		return Sighting{Happened: true, Step: Done}
	}
	return Sighting{Absent: true}
}

// NameserversRequest is what nameservers.set asks for: these, or LiveDNS's own
// where there are none.
type NameserversRequest struct{ Nameservers []string }

// nameservers replaces the name servers: PUT nameservers, or POST livedns. It sets
// a state, so a second send does no harm.
var nameservers = Kind{
	MayResend: true,
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[NameserversRequest](op.Request)
		if err != nil {
			return err
		}
		return setNameservers(ctx, s, op.FQDN, r)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		r, err := request[NameserversRequest](op.Request)
		if err != nil {
			return Sighting{}, err
		}
		yes, err := showsNameservers(ctx, s, op.FQDN, r)
		if err != nil {
			return Sighting{}, err
		}
		return shown(yes), nil
	},
}

// setNameservers takes a 409 for "nothing to do" (seen in a client).
func setNameservers(ctx context.Context, s *v5.Session, fqdn string, r NameserversRequest) error {
	var err error
	if len(r.Nameservers) == 0 {
		err = s.EnableLiveDNS(ctx, fqdn)
	} else {
		err = s.SetNameservers(ctx, fqdn, r.Nameservers)
	}
	if e := (*v5.Error)(nil); errors.As(err, &e) && e.Status == http.StatusConflict && e.IsJSON {
		return nil
	}
	return err
}

func showsNameservers(ctx context.Context, s *v5.Session, fqdn string, r NameserversRequest) (bool, error) {
	if len(r.Nameservers) == 0 {
		kind, err := s.NameserverKind(ctx, fqdn)
		return err == nil && kind.Current == "livedns", err
	}
	have, err := s.Nameservers(ctx, fqdn)
	return err == nil && sameSet(have, r.Nameservers), err
}

// sameSet compares names or addresses, whose order and case do not count.
func sameSet(a, b []string) bool {
	set := func(list []string) []string {
		out := make([]string, len(list))
		for i, name := range list {
			out[i] = strings.TrimSuffix(strings.ToLower(name), ".")
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	return slices.Equal(set(a), set(b))
}
