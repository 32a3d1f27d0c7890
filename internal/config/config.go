// Package config is what an operator can set: read from one TOML file, the
// environment and flags, checked, and printed without its secrets.
//
// Two tables (table.go) say what there is to set. Keys of the file, variables,
// flags, defaults, checks and docs/config.md all come from them.
package config

import (
	"fmt"
	"strings"
	"time"
)

// Config is one gateway's settings. Default gives every field a value but the
// store and the tenants.
type Config struct {
	Listen          string   // address of the v3 endpoint
	ListenTLS       string   // address of the same endpoint over TLS; empty: none
	TLSCert         string   // PEM file with the certificate, and what leads to its CA
	TLSKey          string   // PEM file with its key
	TLSMin          string   // lowest version of TLS: 1.0, 1.1, 1.2 or 1.3
	Admin           string   // address of the metrics and health endpoint
	Console         string   // to whom the admin endpoint shows the console: loopback, always or never
	Store           string   // file of the store
	SealKeyFile     string   // file with the key that the store is sealed with; empty: it is not sealed
	SealOldKeyFiles []string // keys that it may still be sealed with
	V5URL           string   // base address of the v5 API, with /v5
	V5Rate          int      // v5 requests a minute; 0 is unlimited
	V5InFlight      int      // v5 requests at a time
	V5DryRun        bool     // whether v5's Dry-Run is asked before each purchase
	LogLevel        string   // debug, info, warn or error

	MaxBody        int64         // bytes of a request after decompression
	MaxConnections int           // open connections of the v3 endpoint
	IdleTimeout    time.Duration // how long a kept-alive connection may idle
	HeaderTimeout  time.Duration // how long a caller may take to send a request's header
	BodyTimeout    time.Duration // how long it may take for the body after that

	CallTimeout  time.Duration // how long a call may take; paid work goes on behind it
	PaidWait     time.Duration // how long a paid call waits for v5 before its operation is returned open
	ZoneWait     time.Duration // how long a call waits for the domains of a zone; the work goes on behind it
	ListRefresh  time.Duration // how often v5's list of domains is walked for domain.list
	ListReread   time.Duration // how long a domain's detail is good for that nothing seems to have changed
	ZoneDrift    string        // what becomes of records that were changed past the gateway: adopt, refuse or overwrite
	StopTimeout  time.Duration // how long a stopping gateway waits for calls and purchases in flight
	MaxInFlight  int           // calls at a time
	TenantLimits Limits        // of tenants that name none

	KeepOperations time.Duration // how long finished operations are kept
	Archive        string        // file they go to then; empty: beside the store
	KeepReport     time.Duration // how long it is kept who called what; 0: that is not counted

	Record          string // directory that each exchange is written to; empty: none is
	RecordFiles     int    // files in it
	RecordBytes     int64  // bytes in it
	RecordFileBytes int64  // bytes of one file

	OldV3URL       string   // v3 endpoint of a server that still answers; empty: there is none
	OldV3ConnectTo string   // IP:PORT of it, where its name leads elsewhere
	OldV3Methods   []string // methods that it alone answers
	ShadowMethods  []string // reading methods that both answer
	ShadowAnswer   string   // whose answer the caller gets: local or v3
	ShadowIgnore   []string // METHOD:PATH of differences that are none

	FirstHandle int64 // number of the first minted handle
	FirstID     int64 // first minted contact, domain, operation id

	Tenants []Tenant
}

// Limits are what one tenant's calls are held to. What is 0 is unlimited.
type Limits struct {
	InFlight int           // calls at a time
	Rate     int           // calls in each
	Window   time.Duration // span of this length
}

// Tenant is one v3 account and what it is in v5. Load has read the files that
// it names.
type Tenant struct {
	Name string

	// The keys that select the tenant: 24 letters or digits each, or the
	// SHA-256 of one in hex.
	V3Key       string
	V3Keys      []string
	V3KeyFile   string
	V3KeySHA256 []string

	V5Token      string // a personal access token, or
	V5TokenFile  string
	V5APIKey     string // an API key
	V5APIKeyFile string

	OldV3Key     string // its account's key at OldV3URL
	OldV3KeyFile string

	SharingID string // organization that pays; empty: whatever the credential can see
	OwnHandle string // handle of the key's owner; empty: one is minted
	Anonymous bool   // serves calls without a key where v3 allowed that
	Mode      string // normal, read_only or no_spend; empty: normal

	// Limits is what the tenant is held to. Load puts Config.TenantLimits where
	// the file says nothing.
	Limits Limits

	BuyPremium bool // whether names may be bought that have a price of their own

	BuyMailSlots   bool   // whether a mailbox may have a slot bought for it
	MailSlotType   string // v5's mailbox_type of such a slot; empty: standard_2023
	MailSlotMonths int    // for how long; 0: 12
}

// Default is the configuration of a sidecar that lacks its store and tenant.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8080", TLSMin: "1.2", Admin: "127.0.0.1:9090", Console: "loopback", V5URL: "https://api.gandi.net/v5", V5Rate: 1000, V5InFlight: 64, V5DryRun: true,
		LogLevel: "info", MaxBody: 8 << 20, MaxConnections: 1024, IdleTimeout: 5 * time.Second,
		HeaderTimeout: 10 * time.Second, BodyTimeout: 50 * time.Second, CallTimeout: 25 * time.Second,
		PaidWait: 4 * time.Second, ZoneWait: 4 * time.Second, ZoneDrift: "adopt", ListRefresh: 15 * time.Minute, ListReread: 24 * time.Hour,
		StopTimeout: 20 * time.Second, MaxInFlight: 256,
		// v3 took 30 requests in 2 seconds from an account.
		TenantLimits:   Limits{InFlight: 64, Rate: 30, Window: 2 * time.Second},
		KeepOperations: 400 * 24 * time.Hour, KeepReport: 400 * 24 * time.Hour, FirstHandle: 5_000_000, FirstID: 1_000_000_000,
		ShadowAnswer: "local", ShadowIgnore: []string{"operation.*:*id", "*:fault.text"},
		RecordFiles: 10_000, RecordBytes: 256 << 20, RecordFileBytes: 256 << 10,
	}
}

// newTenant is a tenant of which nothing is said.
func (c *Config) newTenant() Tenant {
	return Tenant{Mode: "normal", Limits: c.TenantLimits}
}

// Keys are the plain v3 keys that select the tenant.
func (t Tenant) Keys() []string {
	if t.V3Key == "" {
		return t.V3Keys
	}
	return append([]string{t.V3Key}, t.V3Keys...)
}

// String is the configuration for logs: secrets are only said to be there.
func (c Config) String() string {
	var b strings.Builder
	for _, s := range settings {
		fmt.Fprintf(&b, "%s=%s ", s.key, text(s.field(&c)))
	}
	for _, t := range c.Tenants {
		fmt.Fprintf(&b, "tenant(%s) ", t)
	}
	return strings.TrimSpace(b.String())
}

// String is the tenant without its secrets.
func (t Tenant) String() string {
	var words []string
	for _, k := range tenantKeys {
		words = append(words, k.key+"="+k.masked(k.field(&t)))
	}
	return strings.Join(words, " ")
}

// GoString keeps %#v from showing them.
func (t Tenant) GoString() string { return "config.Tenant{" + t.String() + "}" }

// NeedRestart names the settings in which two configurations differ and which
// cannot change under a running gateway.
func NeedRestart(running, wanted Config) []string {
	var keys []string
	for _, s := range settings {
		if !s.live && text(s.field(&running)) != text(s.field(&wanted)) {
			keys = append(keys, s.key)
		}
	}
	return keys
}
