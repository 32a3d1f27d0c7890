package ops

import (
	"context"
	"errors"
	"net/netip"

	"v3gate/internal/v5"
)

// HostRequest is a glue record: Label in front of Domain, @ for the domain
// itself. A deletion has no addresses.
type HostRequest struct {
	Domain, Label string
	IPs           []string `json:",omitempty"`
}

// The three changes of a glue record. None adds up: before a second send, two
// looks must find that the first had no effect.
var (
	hostCreate = hostKind(func(ctx context.Context, s *v5.Session, r HostRequest) error {
		return s.CreateHost(ctx, r.Domain, r.Label, r.IPs)
	})
	hostUpdate = hostKind(func(ctx context.Context, s *v5.Session, r HostRequest) error {
		return s.UpdateHost(ctx, r.Domain, r.Label, r.IPs)
	})
	hostDelete = hostKind(func(ctx context.Context, s *v5.Session, r HostRequest) error {
		return s.DeleteHost(ctx, r.Domain, r.Label)
	})
)

func hostKind(send func(context.Context, *v5.Session, HostRequest) error) Kind {
	return Kind{
		MayResend: true,
		Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
			r, err := request[HostRequest](op.Request)
			if err != nil {
				return err
			}
			return send(ctx, s, r)
		},
		Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
			r, err := request[HostRequest](op.Request)
			if err != nil {
				return Sighting{}, err
			}
			yes, err := showsHost(ctx, s, r)
			if err != nil {
				return Sighting{}, err
			}
			return shown(yes), nil
		},
	}
}

// showsHost tells whether v5 shows a glue record with the addresses asked for, or
// none where none are.
func showsHost(ctx context.Context, s *v5.Session, r HostRequest) (bool, error) {
	host, err := s.Host(ctx, r.Domain, r.Label)
	if e := (*v5.Error)(nil); errors.As(err, &e) && e.Missing() {
		return len(r.IPs) == 0, nil
	}
	return err == nil && len(r.IPs) > 0 && SameIPs(host.IPs, r.IPs), err
}

// SameIPs compares addresses, whose order and spelling do not count.
func SameIPs(a, b []string) bool {
	plain := func(list []string) []string {
		out := make([]string, len(list))
		for i, text := range list {
			out[i] = text
			if ip, err := netip.ParseAddr(text); err == nil {
				out[i] = ip.String()
			}
		}
		return out
	}
	return sameSet(plain(a), plain(b))
}
