package translate

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/ops"
	"v3gate/internal/v5"
)

type dnssecCreateIn struct {
	Domain string       `v3:"domain"`
	Params dnssecParams `v3:"params"`
}

type dnssecParams struct {
	Algorithm int64  `v3:"algorithm"`
	Flags     int64  `v3:"flags"`
	PublicKey string `v3:"public_key"`
}

type dnssecDeleteIn struct {
	KeyID int64 `v3:"key_id"`
}

type dnssecOut struct {
	Algorithm   int64      `v3:"algorithm"`
	DateCreated *time.Time `v3:"date_created"` // v5 does not have it
	Digest      string     `v3:"digest"`
	DigestType  int64      `v3:"digest_type"`
	Flags       int64      `v3:"flags"`
	ID          int64      `v3:"id"`
	KeyTag      int64      `v3:"keytag"`
	PublicKey   string     `v3:"public_key"`
}

// keyTypes are v5's words for the flags of a key (by the definition of DNSKEY).
var keyTypes = map[int64]string{256: "zsk", 257: "ksk"}

// mostDNSKeys is how many keys a domain can have (documented).
const mostDNSKeys = 4

func keyFlags(typ string) int64 {
	for flags, word := range keyTypes {
		if word == typ {
			return flags
		}
	}
	return 0
}

// dnsKeys reads the keys of a domain and keeps that they are this one's.
func (c *Call) dnsKeys(ctx context.Context, fqdn string) ([]v5.DNSKey, error) {
	keys, err := c.V5.DNSKeys(ctx, fqdn)
	if err != nil {
		return nil, onDomain{fqdn, err}
	}
	ids := make([]int64, len(keys))
	for i := range keys {
		ids[i] = int64(keys[i].ID)
	}
	return keys, c.Book.SawKeys(c.Tenant.Name, fqdn, ids)
}

func dnssecList(ctx context.Context, c *Call, in domainIn) ([]dnssecOut, error) {
	fqdn, err := normal(in.Domain)
	if err != nil {
		return nil, err
	}
	if err := c.ownsDomain(ctx, fqdn); err != nil {
		return nil, err
	}
	keys, err := c.dnsKeys(ctx, fqdn)
	out := make([]dnssecOut, len(keys))
	for i, k := range keys {
		out[i] = dnssecOut{Algorithm: int64(k.Algorithm), Digest: k.Digest, DigestType: int64(k.DigestType),
			Flags: keyFlags(k.Type), ID: int64(k.ID), KeyTag: int64(k.KeyTag), PublicKey: k.PublicKey}
	}
	return out, err
}

func dnssecCreateCheck(ctx context.Context, c *Call, in dnssecCreateIn) (plan domainPlan, wrong []FieldError, err error) {
	fqdn, err := normal(in.Domain)
	if err != nil {
		return plan, nil, err
	}
	p := in.Params
	key := v5.NewDNSKey{Algorithm: int(p.Algorithm), Type: keyTypes[p.Flags], PublicKey: strings.Join(strings.Fields(p.PublicKey), "")}
	_, badText := base64.StdEncoding.DecodeString(key.PublicKey)
	switch {
	case p.Algorithm < 0 || p.Algorithm > 255:
		err = fault.New(fault.DNSSECKey, fault.CauseBadParameter, "params.algorithm must be from 0 to 255, not %d", p.Algorithm).About("params.algorithm")
	case key.Type == "":
		err = fault.New(fault.DNSSECKey, fault.CauseBadParameter, "params.flags must be 256 or 257, not %d", p.Flags).About("params.flags")
	case badText != nil || key.PublicKey == "":
		err = fault.New(fault.DNSSECKey, fault.CauseBadParameter, "params.public_key is not base64").About("params.public_key")
	}
	if err != nil {
		return plan, nil, err
	}
	if err := c.ownsDomain(ctx, fqdn); err != nil {
		return plan, nil, err
	}
	keys, err := c.dnsKeys(ctx, fqdn)
	switch {
	case err != nil:
		return plan, nil, err
	case slices.ContainsFunc(keys, func(k v5.DNSKey) bool { return ops.SameKey(k, key) }):
		return plan, nil, fault.New(fault.DNSSECKey, fault.CauseExist, "%s has that key", fqdn)
	case len(keys) >= mostDNSKeys:
		return plan, nil, fault.New(fault.DNSSECKey, fault.CauseQuotaReached, "%s has %d keys, the most it can have", fqdn, len(keys))
	}
	return domainPlan{
		fqdn: fqdn, typ: "domain_dnssec_add", kind: ops.KindDNSKeyAdd, action: "update", request: key,
		params: []param{{"algorithm", p.Algorithm}, {"flags", p.Flags}, {"public_key", key.PublicKey}},
	}, nil, nil
}

// dnssecDeleteCheck finds the domain of a key among those that were listed.
func dnssecDeleteCheck(ctx context.Context, c *Call, in dnssecDeleteIn) (plan domainPlan, wrong []FieldError, err error) {
	fqdn, err := c.Book.KeyDomain(c.Tenant.Name, in.KeyID)
	if err != nil {
		return plan, nil, err
	}
	if fqdn == "" {
		return plan, nil, fault.New(fault.DNSSECKey, fault.CauseNotFound,
			"key %d is not known to this gateway; domain.dnssec.list of its domain makes it known", in.KeyID)
	}
	if err := c.ownsDomain(ctx, fqdn); err != nil {
		return plan, nil, err
	}
	keys, err := c.dnsKeys(ctx, fqdn)
	if err != nil {
		return plan, nil, err
	}
	if !slices.ContainsFunc(keys, func(k v5.DNSKey) bool { return int64(k.ID) == in.KeyID }) {
		return plan, nil, fault.New(fault.DNSSECKey, fault.CauseNotFound, "%s has no key %d", fqdn, in.KeyID)
	}
	return domainPlan{
		fqdn: fqdn, typ: "domain_dnssec_delete", kind: ops.KindDNSKeyDelete, action: "update",
		request: ops.DNSKeyRequest{ID: int(in.KeyID)}, params: []param{{"key_id", in.KeyID}},
	}, nil, nil
}
