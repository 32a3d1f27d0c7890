// Package config is what an operator can set, checked, and printed without its
// secrets.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Config is one gateway's settings. Default gives every field a value but the
// store and the tenants.
type Config struct {
	Listen   string // address of the v3 endpoint
	Admin    string // address of the metrics and health endpoint
	Store    string // file of the store
	V5URL    string // base address of the v5 API, with /v5
	V5Rate   int    // v5 requests a minute; 0 is unlimited
	LogLevel string // debug, info, warn or error

	MaxBody     int64         // bytes of a request after decompression
	IdleTimeout time.Duration // how long a kept-alive connection may idle
	CallTimeout time.Duration // how long a call may take; paid work goes on behind it
	PaidWait    time.Duration // how long a paid call waits for v5 before its operation is returned open

	KeepOperations time.Duration // how long finished operations are kept
	Archive        string        // file they go to then; empty: beside the store

	FirstHandle int64 // number of the first minted handle
	FirstID     int64 // first minted contact, domain, operation id

	Tenants []Tenant
}

// Tenant is one v3 account and what it is in v5.
type Tenant struct {
	Name      string
	V3Key     string // 24 letters or digits; the integration sends it
	V5Token   string // a personal access token, or
	V5APIKey  string // an API key
	SharingID string // organization that pays; empty: whatever the credential can see
	OwnHandle string // handle of the key's owner; empty: one is minted
	Anonymous bool   // serves calls without a key where v3 allowed that
	Mode      string // normal, read_only or no_spend; empty: normal
}

// Default is the configuration of a sidecar that lacks its store and tenant.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8080", Admin: "127.0.0.1:9090", V5URL: "https://api.gandi.net/v5", V5Rate: 1000,
		LogLevel: "info", MaxBody: 8 << 20, IdleTimeout: 5 * time.Second, CallTimeout: 25 * time.Second,
		PaidWait: 4 * time.Second, KeepOperations: 400 * 24 * time.Hour, FirstHandle: 5_000_000, FirstID: 1_000_000_000,
	}
}

var (
	v3Key  = regexp.MustCompile(`^[A-Za-z0-9]{24}$`)
	handle = regexp.MustCompile(`^[A-Z]+[0-9]+-GANDI$`)
)

// Validate says everything that is wrong at once, each with the name of its
// flag and the way out.
func (c Config) Validate() error {
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	for _, a := range []struct{ name, value string }{{"listen", c.Listen}, {"admin", c.Admin}} {
		if _, _, err := net.SplitHostPort(a.value); err != nil {
			bad("%s: %q is not HOST:PORT, such as 127.0.0.1:8080", a.name, a.value)
		}
	}
	if c.Store == "" {
		bad("store: name the file that keeps handles and operations, such as --store /var/lib/v3gate/store.db")
	}
	if u, err := url.Parse(c.V5URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" {
		bad("v5-url: %q is not an http or https address such as https://api.gandi.net/v5", c.V5URL)
	}
	if c.V5Rate < 0 {
		bad("v5-rate: %d is below 0; 0 means unlimited", c.V5Rate)
	}
	if c.MaxBody < 1024 || c.IdleTimeout <= 0 || c.CallTimeout <= 0 || c.PaidWait <= 0 {
		bad("max-body, idle-timeout, call-timeout and paid-wait must be above 0 (max-body at least 1024)")
	}
	if c.KeepOperations < 24*time.Hour {
		bad("keep-operations: %s is less than a day; callers still ask for operations of today", c.KeepOperations)
	}
	if c.FirstHandle < 1 || c.FirstID < 1 || c.FirstID > 1<<31-1_000_000 {
		bad("first-handle and first-id must be at least 1, and first-id well below 2147483648: v3's ints end there")
	}
	if len(c.Tenants) == 0 {
		bad("no tenant: set GATEWAY_V3_KEY and GATEWAY_V5_TOKEN (or GATEWAY_V5_APIKEY), or try serve --sandbox")
	}
	for _, t := range c.Tenants {
		wrong = append(wrong, t.validate()...)
	}
	return errors.Join(wrong...)
}

func (t Tenant) validate() (wrong []error) {
	bad := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("tenant %s: "+format, append([]any{t.Name}, args...)...))
	}
	if t.V3Key == "" && !t.Anonymous {
		bad("v3 key is missing (GATEWAY_V3_KEY): the key that your integration sends")
	} else if t.V3Key != "" && !v3Key.MatchString(t.V3Key) {
		bad("v3 key is not 24 letters or digits (GATEWAY_V3_KEY)")
	}
	switch {
	case t.V5Token == "" && t.V5APIKey == "":
		bad("v5 credential is missing: set GATEWAY_V5_TOKEN, a personal access token, or GATEWAY_V5_APIKEY")
	case t.V5Token != "" && t.V5APIKey != "":
		bad("both GATEWAY_V5_TOKEN and GATEWAY_V5_APIKEY are set; set one")
	}
	if t.OwnHandle != "" && !handle.MatchString(t.OwnHandle) {
		bad("own handle %q is not like FLN123-GANDI (GATEWAY_OWN_HANDLE)", t.OwnHandle)
	}
	return wrong
}

// String is the configuration for logs: secrets are only said to be there.
func (c Config) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "listen=%s admin=%s store=%s v5-url=%s v5-rate=%d", c.Listen, c.Admin, c.Store, c.V5URL, c.V5Rate)
	for _, t := range c.Tenants {
		fmt.Fprintf(&b, " tenant(%s)", t)
	}
	return b.String()
}

// String is the tenant without its secrets.
func (t Tenant) String() string {
	return fmt.Sprintf("name=%s v3-key=%s v5-token=%s v5-apikey=%s sharing-id=%s own-handle=%s anonymous=%t mode=%s", t.Name,
		set(t.V3Key), set(t.V5Token), set(t.V5APIKey), t.SharingID, t.OwnHandle, t.Anonymous, t.Mode)
}

// GoString keeps %#v from showing them.
func (t Tenant) GoString() string { return "config.Tenant{" + t.String() + "}" }

func set(secret string) string {
	if secret == "" {
		return "unset"
	}
	return "set"
}
