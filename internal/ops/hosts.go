package ops

import (
	"context"
	"encoding/json"
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

// nameserverHosts is nameservers after glue records that it needs: a list of
// these, and of the name servers as its last item. v5 carries a glue record out
// later and refuses name servers without theirs, so an item is at its end when v5
// shows it: one that was sent is looked for, and sent again as long as it is not
// there, which does no harm.
var nameserverHosts = Kind{
	Sequential: true,
	DoItem: func(ctx context.Context, s *v5.Session, op *Operation, item *Item) error {
		it, err := request[nameserverItem](item.Request)
		if err != nil {
			return err
		}
		if done, err := it.shown(ctx, s, op.FQDN); done || err != nil {
			return err
		}
		if err := it.send(ctx, s, op.FQDN); err != nil {
			return err
		}
		return errNotShown
	},
	ShownItem: func(ctx context.Context, s *v5.Session, op *Operation, item *Item) (bool, error) {
		it, err := request[nameserverItem](item.Request)
		if err != nil {
			return false, err
		}
		return it.shown(ctx, s, op.FQDN)
	},
}

// errNotShown keeps an item that v5 took until v5 shows it.
var errNotShown = errors.New("v5 took the change and does not show it yet")

// nameserverItem is one of the two.
type nameserverItem struct {
	Host        *HostRequest        `json:",omitempty"`
	Nameservers *NameserversRequest `json:",omitempty"`
}

// NameserverItems is the work list of KindNameserverHosts.
func NameserverItems(hosts []HostRequest, names NameserversRequest) ([]Item, error) {
	var items []Item
	add := func(name string, it nameserverItem) error {
		raw, err := json.Marshal(it)
		items = append(items, Item{Name: name, Request: raw})
		return err
	}
	for i := range hosts {
		if err := add("host "+hosts[i].Label+" of "+hosts[i].Domain, nameserverItem{Host: &hosts[i]}); err != nil {
			return nil, err
		}
	}
	err := add("nameservers", nameserverItem{Nameservers: &names})
	return items, err
}

func (it *nameserverItem) shown(ctx context.Context, s *v5.Session, fqdn string) (bool, error) {
	if it.Host != nil {
		return showsHost(ctx, s, *it.Host)
	}
	return showsNameservers(ctx, s, fqdn, *it.Nameservers)
}

func (it *nameserverItem) send(ctx context.Context, s *v5.Session, fqdn string) error {
	if it.Host == nil {
		return setNameservers(ctx, s, fqdn, *it.Nameservers)
	}
	_, err := s.Host(ctx, it.Host.Domain, it.Host.Label)
	if e := (*v5.Error)(nil); errors.As(err, &e) && e.Missing() {
		return s.CreateHost(ctx, it.Host.Domain, it.Host.Label, it.Host.IPs)
	}
	if err != nil {
		return err
	}
	return s.UpdateHost(ctx, it.Host.Domain, it.Host.Label, it.Host.IPs)
}
