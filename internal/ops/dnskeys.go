package ops

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"v3gate/internal/v5"
)

// dnskeyAdd adds a DNSSEC key: POST dnskeys. The key is known by its content, and
// where v5 leaves that out, by an id that was not there before.
var dnskeyAdd = Kind{
	MayResend: true,
	Baseline: func(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error) {
		keys, err := s.DNSKeys(ctx, in.FQDN)
		if err != nil {
			return nil, err
		}
		ids := make([]int, len(keys))
		for i := range keys {
			ids[i] = keys[i].ID
		}
		return json.Marshal(ids)
	},
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		key, err := request[v5.NewDNSKey](op.Request)
		if err != nil {
			return err
		}
		return s.CreateDNSKey(ctx, op.FQDN, key)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		want, err := request[v5.NewDNSKey](op.Request)
		if err != nil {
			return Sighting{}, err
		}
		before, err := request[[]int](op.Baseline)
		if err != nil {
			return Sighting{}, err
		}
		keys, err := s.DNSKeys(ctx, op.FQDN)
		if err != nil {
			return Sighting{}, err
		}
		return shown(slices.ContainsFunc(keys, func(k v5.DNSKey) bool {
			return SameKey(k, want) || k.PublicKey == "" && k.Algorithm == want.Algorithm && k.Type == want.Type &&
				!slices.Contains(before, k.ID)
		})), nil
	},
}

// SameKey compares a key of v5 with one to be added; blanks in base64 do not count.
func SameKey(have v5.DNSKey, want v5.NewDNSKey) bool {
	bare := func(s string) string { return strings.Join(strings.Fields(s), "") }
	return have.PublicKey != "" && bare(have.PublicKey) == bare(want.PublicKey) && have.Algorithm == want.Algorithm && have.Type == want.Type
}

// DNSKeyRequest is the key that a deletion takes away.
type DNSKeyRequest struct{ ID int }

// dnskeyDelete takes a DNSSEC key away. An id is that of one key for ever, so a
// second send does no harm.
var dnskeyDelete = Kind{
	MayResend: true,
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[DNSKeyRequest](op.Request)
		if err != nil {
			return err
		}
		return s.DeleteDNSKey(ctx, op.FQDN, r.ID)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		r, err := request[DNSKeyRequest](op.Request)
		if err != nil {
			return Sighting{}, err
		}
		keys, err := s.DNSKeys(ctx, op.FQDN)
		if err != nil {
			return Sighting{}, err
		}
		return shown(!slices.ContainsFunc(keys, func(k v5.DNSKey) bool { return k.ID == r.ID })), nil
	},
}
