// Package tenant finds out for whom a v3 call is made: it turns the v3 API key
// into the v5 credential and the organization that pays.
//
// The v3 key only selects the tenant. It is never sent to v5, and only its
// SHA-256 is kept here.
package tenant

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Mode says what a tenant's calls may do.
type Mode string

const (
	Normal   Mode = "normal"
	ReadOnly Mode = "read_only" // writing and paid calls are refused
	NoSpend  Mode = "no_spend"  // paid calls are checked, then refused
)

// Tenant is one customer of this gateway: a reseller account of v3 mapped to
// an organization of v5.
type Tenant struct {
	Name      string     // short and stable: it is part of store keys, logs and metrics
	KeyHashes [][32]byte // SHA-256 of each v3 key that selects this tenant

	// AuthScheme is "Bearer" for a personal access token or "Apikey" (v5
	// documentation); AuthSecret is the token or key itself.
	AuthScheme string
	AuthSecret string

	// SharingID is the uuid of the v5 organization that pays and whose domains
	// are the tenant's. Empty: all that the credential can see is the tenant's.
	SharingID string

	// OldV3Key is the key of its account at the old server, "" for none.
	OldV3Key string

	// OwnHandle is the v3 handle of the key's owner. Empty: one is minted.
	OwnHandle string

	// Anonymous tenants serve calls without a key on the methods whose key is
	// optional in v3. At most one tenant of a set is anonymous.
	Anonymous bool

	Mode Mode // empty means Normal

	Limits Limits

	MailSlots MailSlots

	// BuyPremium: names may be bought that have a price of their own.
	BuyPremium bool
}

// MailSlots says what a mailbox without a free slot may cost.
type MailSlots struct {
	Buy    bool   // whether a slot may be bought for it at all
	Type   string // v5's mailbox_type
	Months int
}

// Limits are what one tenant's calls are held to. What is 0 is unlimited.
type Limits struct {
	InFlight int           // calls at a time
	Rate     int           // calls in each
	Window   time.Duration // span of this length
}

// String shows the name only, so that a tenant can be logged.
func (t *Tenant) String() string { return t.Name }

var (
	ErrMalformed = errors.New("v3 key is not 24 letters or digits")
	ErrUnknown   = errors.New("v3 key selects no tenant")
)

// HashKey is the form in which keys are kept and compared.
func HashKey(key string) [32]byte { return sha256.Sum256([]byte(key)) }

// KeyID is a short public name of a key by its hash, the begin of it in hex: it
// tells the keys of a tenant apart, and nothing about them.
func KeyID(hash [32]byte) string { return hex.EncodeToString(hash[:4]) }

// WellFormed tells whether key looks like a v3 key: 24 letters or digits. The
// original's pattern named lower case only, but keys with both cases were in
// use (seen in clients).
func WellFormed(key string) bool {
	if len(key) != 24 {
		return false
	}
	for i := range len(key) {
		c := key[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			return false
		}
	}
	return true
}

// Set is the tenants of one gateway. It never changes; a reload makes a new one.
type Set struct {
	tenants   []*Tenant
	anonymous *Tenant
	keyIDs    map[[32]byte]string // by hash
}

// NewSet checks that names and keys are unique and that each tenant can reach
// v5. The error names the tenant and the field.
func NewSet(tenants ...Tenant) (*Set, error) {
	s := &Set{keyIDs: map[[32]byte]string{}}
	names := map[string]bool{}
	keys := map[[32]byte]string{}
	for _, t := range tenants {
		switch {
		case t.Name == "":
			return nil, errors.New("tenant without a name")
		case names[t.Name]:
			return nil, fmt.Errorf("tenant %s: name is used twice", t.Name)
		case t.AuthSecret == "" || t.AuthScheme != "Bearer" && t.AuthScheme != "Apikey":
			return nil, fmt.Errorf("tenant %s: v5 credential is missing (a Bearer token or an Apikey)", t.Name)
		case len(t.KeyHashes) == 0 && !t.Anonymous:
			return nil, fmt.Errorf("tenant %s: no v3 key selects it", t.Name)
		case t.Anonymous && s.anonymous != nil:
			return nil, fmt.Errorf("tenants %s and %s: only one can be anonymous", s.anonymous.Name, t.Name)
		case t.Limits.InFlight < 0 || t.Limits.Rate < 0 || t.Limits.Rate > 0 && t.Limits.Window <= 0:
			return nil, fmt.Errorf("tenant %s: limits are below 0, or the rate has no window", t.Name)
		case t.Mode != "" && t.Mode != Normal && t.Mode != ReadOnly && t.Mode != NoSpend:
			return nil, fmt.Errorf("tenant %s: mode %q is not normal, read_only or no_spend", t.Name, t.Mode)
		}
		for _, h := range t.KeyHashes {
			if other, ok := keys[h]; ok {
				return nil, fmt.Errorf("tenants %s and %s: they share a v3 key", other, t.Name)
			}
			keys[h] = t.Name
			s.keyIDs[h] = KeyID(h)
		}
		names[t.Name] = true
		if t.Mode == "" {
			t.Mode = Normal
		}
		kept := t
		s.tenants = append(s.tenants, &kept)
		if t.Anonymous {
			s.anonymous = &kept
		}
	}
	return s, nil
}

// Lookup finds the tenant of a v3 key, and the [KeyID] of that: ErrMalformed when
// it cannot be a key, ErrUnknown when no tenant has it. All hashes are compared,
// in constant time, so the time taken does not tell how near a guess was.
func (s *Set) Lookup(key string) (t *Tenant, keyID string, err error) {
	if !WellFormed(key) {
		return nil, "", ErrMalformed
	}
	want := HashKey(key)
	var found *Tenant
	for _, t := range s.tenants {
		for _, h := range t.KeyHashes {
			if subtle.ConstantTimeCompare(h[:], want[:]) == 1 {
				found = t
			}
		}
	}
	if found == nil {
		return nil, "", ErrUnknown
	}
	return found, s.keyIDs[want], nil
}

// Anonymous is the tenant of calls without a key, or nil.
func (s *Set) Anonymous() *Tenant { return s.anonymous }

// Named finds a tenant by name; work that outlives a call is kept by name.
func (s *Set) Named(name string) (*Tenant, bool) {
	for _, t := range s.tenants {
		if t.Name == name {
			return t, true
		}
	}
	return nil, false
}

// All are the tenants in their configured order.
func (s *Set) All() []*Tenant { return s.tenants }
