package v5

import (
	"context"
	"strconv"
)

// DNSKey is a DNSSEC key of a domain at its registry.
type DNSKey struct {
	ID         int    `json:"id"`
	Algorithm  int    `json:"algorithm"` // 0 to 255
	Digest     string `json:"digest"`
	DigestType int    `json:"digest_type"`
	KeyTag     int    `json:"keytag"`
	Type       string `json:"type"`       // none, zsk or ksk
	PublicKey  string `json:"public_key"` // base64; "" where v5 left it out
}

// NewDNSKey is a key to be added. All members are required.
type NewDNSKey struct {
	Algorithm int    `json:"algorithm"`
	PublicKey string `json:"public_key"`
	Type      string `json:"type"`
}

// DNSKeys lists the DNSSEC keys of a domain.
func (s *Session) DNSKeys(ctx context.Context, fqdn string) ([]DNSKey, error) {
	return all[DNSKey](ctx, s, request{route: "GET /domain/domains/{d}/dnskeys", path: []string{fqdn}})
}

// CreateDNSKey adds a key. nil means accepted (202); the key is added later and
// seen in DNSKeys, which alone gives its id.
func (s *Session) CreateDNSKey(ctx context.Context, fqdn string, key NewDNSKey) error {
	_, err := s.do(ctx, request{route: "POST /domain/domains/{d}/dnskeys", path: []string{fqdn}, body: key})
	return err
}

// DeleteDNSKey takes a key away. nil means accepted (202), as above.
func (s *Session) DeleteDNSKey(ctx context.Context, fqdn string, id int) error {
	_, err := s.do(ctx, request{route: "DELETE /domain/domains/{d}/dnskeys/{id}", path: []string{fqdn, strconv.Itoa(id)}})
	return err
}
