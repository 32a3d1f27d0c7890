package config

import (
	"slices"
	"strconv"
	"strings"
)

// row is one thing that can be set in a T: in the Config, or in a Tenant.
type row[T any] struct {
	key   string // in the file; the flag has - for _
	field func(*T) any
	help  string
	check func(field any) string // says what is wrong with a value; nil takes all
	// example stands in the example file, as TOML, where there is no default or
	// it comes from elsewhere.
	example string
	live    bool   // a setting that a reload changes
	secret  bool   // its value is never shown
	fills   string // it names a file that is read for that key
	env     bool   // a key of a tenant that has a variable too
}

// variable is the environment variable of a row.
func (r *row[T]) variable() string { return "GATEWAY_" + strings.ToUpper(r.key) }

// hidden stands for a secret that is there.
const hidden = "(set)"

// masked is the value as it may be shown, as TOML.
func (r *row[T]) masked(field any) string {
	switch f := field.(type) {
	case *string:
		if r.secret && *f != "" {
			return strconv.Quote(hidden)
		}
	case *[]string:
		if r.secret {
			list := slices.Repeat([]string{hidden}, len(*f))
			return text(&list)
		}
	}
	return text(field)
}

// settings are the daemon's, in the order in which they are documented.
var settings = []row[Config]{
	{key: "listen", field: func(c *Config) any { return &c.Listen }, check: hostPort,
		help: "address of the v3 endpoint"},
	{key: "listen_tls", field: func(c *Config) any { return &c.ListenTLS }, example: `"0.0.0.0:443"`,
		help: "address of the v3 endpoint over TLS, beside listen (default: none)"},
	{key: "tls_cert", field: func(c *Config) any { return &c.TLSCert }, example: `"/etc/v3gate/server.pem"`,
		help: "PEM file with the certificate; gateway cert makes one"},
	{key: "tls_key", field: func(c *Config) any { return &c.TLSKey }, example: `"/etc/v3gate/server-key.pem"`,
		help: "PEM file with the certificate's key"},
	{key: "tls_min", field: func(c *Config) any { return &c.TLSMin }, check: oneOf("1.0", "1.1", "1.2", "1.3"),
		help: "lowest version of TLS that is spoken; below 1.2 only for clients that can do no better"},
	{key: "admin", field: func(c *Config) any { return &c.Admin }, check: hostPort,
		help: "address of metrics, health and the console"},
	{key: "console", field: func(c *Config) any { return &c.Console }, check: oneOf("loopback", "always", "never"),
		help: "to whom /console/ on admin is shown: loopback (who connects to a loopback address), always or never; it asks for no password"},
	{key: "store", field: func(c *Config) any { return &c.Store }, check: given, example: `"/var/lib/v3gate/store.db"`,
		help: "file that keeps handles and operations (serve --sandbox: a temporary one)"},
	{key: "seal_key_file", field: func(c *Config) any { return &c.SealKeyFile }, example: `"/etc/v3gate/seal.key"`,
		help: "file with the key that the store is sealed with, or credential:NAME (default: it is not sealed)"},
	{key: "seal_old_key_files", field: func(c *Config) any { return &c.SealOldKeyFiles }, example: `["/etc/v3gate/seal-old.key"]`,
		help: "files with keys that it may still be sealed with, before and after a change of keys"},
	{key: "v5_url", field: func(c *Config) any { return &c.V5URL }, check: webAddress,
		help: "base address of the v5 API"},
	{key: "v5_rate", field: func(c *Config) any { return &c.V5Rate }, check: atLeast(0),
		help: "v5 requests a minute, 0 for unlimited"},
	{key: "v5_in_flight", field: func(c *Config) any { return &c.V5InFlight }, check: atLeast(1),
		help: "v5 requests at a time; one tenant has at most three quarters of them, work that nobody waits for at most half"},
	{key: "v5_dry_run", field: func(c *Config) any { return &c.V5DryRun },
		help: "whether v5's Dry-Run is asked before each purchase, true or false; false for a v5 that takes it for the real call"},
	{key: "log_level", field: func(c *Config) any { return &c.LogLevel }, check: oneOf("debug", "info", "warn", "error"),
		help: "debug, info, warn or error"},

	{key: "max_body", field: func(c *Config) any { return &c.MaxBody }, check: atLeast(1024),
		help: "largest request in bytes, after decompression"},
	{key: "max_connections", field: func(c *Config) any { return &c.MaxConnections }, check: atLeast(1),
		help: "open connections of the v3 endpoint; further callers wait to be accepted"},
	{key: "idle_timeout", field: func(c *Config) any { return &c.IdleTimeout }, check: above0,
		help: "how long a kept-alive connection may idle"},
	{key: "header_timeout", field: func(c *Config) any { return &c.HeaderTimeout }, check: above0,
		help: "how long a caller may take to send a request's header"},
	{key: "body_timeout", field: func(c *Config) any { return &c.BodyTimeout }, check: above0,
		help: "how long a caller may take to send a request's body"},

	{key: "call_timeout", field: func(c *Config) any { return &c.CallTimeout }, check: above0,
		help: "how long a call may take, its wait for a limit included"},
	{key: "paid_wait", field: func(c *Config) any { return &c.PaidWait }, check: above0,
		help: "how long a paid call waits for v5 before its operation is returned open"},
	{key: "zone_wait", field: func(c *Config) any { return &c.ZoneWait }, check: above0,
		help: "how long a call waits until all domains of a zone have its records, before it answers while the work goes on"},
	{key: "zone_drift", field: func(c *Config) any { return &c.ZoneDrift }, check: oneOf("adopt", "refuse", "overwrite"),
		help: "what becomes of records that were changed past the gateway and would be overwritten: adopt (they become a version of the zone), refuse (the call is), overwrite"},
	{key: "list_refresh", field: func(c *Config) any { return &c.ListRefresh }, check: above0,
		help: "how often v5's list of a tenant's domains is read for domain.list and domain.count, once these were asked for"},
	{key: "list_reread", field: func(c *Config) any { return &c.ListReread }, check: above0,
		help: "how long a domain that nothing seems to have changed is shown in lists before it is read anew"},
	{key: "stop_timeout", field: func(c *Config) any { return &c.StopTimeout }, check: above0,
		help: "how long a stopping gateway waits for calls and purchases in flight"},
	{key: "max_in_flight", field: func(c *Config) any { return &c.MaxInFlight }, check: atLeast(1),
		help: "calls at a time, of all tenants together"},
	{key: "tenant_in_flight", field: func(c *Config) any { return &c.TenantLimits.InFlight }, check: atLeast(0), live: true,
		help: "calls at a time of a tenant that names no in_flight of its own, 0 for unlimited"},
	{key: "tenant_rate", field: func(c *Config) any { return &c.TenantLimits.Rate }, check: atLeast(0), live: true,
		help: "calls in each tenant_rate_window of a tenant that names no rate of its own, 0 for unlimited"},
	{key: "tenant_rate_window", field: func(c *Config) any { return &c.TenantLimits.Window }, check: above0, live: true,
		help: "the span of time that tenant_rate counts in"},

	{key: "keep_operations", field: func(c *Config) any { return &c.KeepOperations }, check: aDay,
		help: "how long finished operations are kept before they are archived"},
	{key: "archive", field: func(c *Config) any { return &c.Archive }, example: `"/var/lib/v3gate/store.db.archive.jsonl"`,
		help: "file that archived operations are appended to, one JSON object a line (default: beside the store)"},
	{key: "record", field: func(c *Config) any { return &c.Record }, example: `"/var/lib/v3gate/recording"`,
		help: "directory of mode 0700 that each call of a tenant is written to, without secrets and contact data, as a fixture of the tests (default: none is)"},
	{key: "record_files", field: func(c *Config) any { return &c.RecordFiles }, check: atLeast(1),
		help: "files in that directory, after which recording ends"},
	{key: "record_bytes", field: func(c *Config) any { return &c.RecordBytes }, check: atLeast(1),
		help: "bytes in that directory, after which recording ends"},
	{key: "record_file_bytes", field: func(c *Config) any { return &c.RecordFileBytes }, check: atLeast(1),
		help: "bytes of a recorded call; a larger one is left out"},

	{key: "old_v3_url", field: func(c *Config) any { return &c.OldV3URL }, example: `"https://rpc.gandi.net/xmlrpc/"`, check: oldServer,
		help: "v3 endpoint of a server that still answers, for the methods of old_v3_methods and shadow_methods (default: none)"},
	{key: "old_v3_connect_to", field: func(c *Config) any { return &c.OldV3ConnectTo }, example: `"192.0.2.7:443"`, check: hostPortIfGiven,
		help: "IP:PORT to connect to instead of what the name in old_v3_url leads to; its certificate has to be that of the name"},
	{key: "old_v3_methods", field: func(c *Config) any { return &c.OldV3Methods }, example: `["domain.push", "contact.activate"]`,
		help: "methods that the old server alone answers; * is any text and covers only what reads, so a method that changes something is named itself"},
	{key: "shadow_methods", field: func(c *Config) any { return &c.ShadowMethods }, example: `["domain.*", "contact.info"]`,
		help: "reading methods that both answer, which are compared; * is any text and covers only what reads, and naming a method that changes something is an error"},
	{key: "shadow_answer", field: func(c *Config) any { return &c.ShadowAnswer }, check: oneOf("local", "v3"),
		help: "whose answer the caller of a method in shadow_methods gets: local (this gateway's) or v3 (the old server's)"},
	{key: "shadow_ignore", field: func(c *Config) any { return &c.ShadowIgnore }, check: methodPath,
		help: "differences that are none, as METHOD:PATH where * is any text; the default leaves out ids of operations, which both count for themselves, and the words of faults"},

	{key: "keep_report", field: func(c *Config) any { return &c.KeepReport }, check: aDayOr0,
		help: "how long it is kept who called which methods, for gateway report; 0 counts nothing for it"},
	{key: "first_handle", field: func(c *Config) any { return &c.FirstHandle }, check: atLeast(1),
		help: "number of the first handle that is made up"},
	{key: "first_id", field: func(c *Config) any { return &c.FirstID }, check: firstID,
		help: "first contact, domain and operation id that is made up"},
}

// tenantKeys are a tenant's. A sidecar's one tenant may have them from
// variables.
var tenantKeys = []row[Tenant]{
	{key: "name", field: func(t *Tenant) any { return &t.Name }, check: tenantName, example: `"default"`,
		help: "short and for ever: handles and operations are stored under it. The tenant that variables make is called default"},

	{key: "v3_key", field: func(t *Tenant) any { return &t.V3Key }, check: v3Key, secret: true, env: true,
		example: `"aaaaaaaaaaaaaaaaaaaaaaaa"`,
		help:    "the 24 character key that the integration sends; it only selects the tenant and is never sent to v5"},
	{key: "v3_keys", field: func(t *Tenant) any { return &t.V3Keys }, check: v3Key, secret: true,
		example: `["bbbbbbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccccccc"]`,
		help:    "further keys, such as the next one while integrations change over"},
	{key: "v3_key_file", field: func(t *Tenant) any { return &t.V3KeyFile }, fills: "v3_keys", env: true,
		example: `"v3-key"`,
		help:    "file with keys, one a line"},
	{key: "v3_key_sha256", field: func(t *Tenant) any { return &t.V3KeySHA256 }, check: sha256Hex, env: true,
		example: `["ec0e7aa5989a82ad06f2459d72c939250230851f7b12f8038ac1f365673fbd1a"]`,
		help:    "SHA-256 of keys in hex, each of a key without a line break, for a file that is to hold no keys"},

	{key: "v5_token", field: func(t *Tenant) any { return &t.V5Token }, check: sendable, secret: true, env: true,
		example: `"a-personal-access-token-of-v5"`,
		help:    "v5 personal access token; give exactly one credential"},
	{key: "v5_token_file", field: func(t *Tenant) any { return &t.V5TokenFile }, fills: "v5_token", env: true,
		example: `"v5-token"`,
		help:    "file with the token"},
	{key: "v5_apikey", field: func(t *Tenant) any { return &t.V5APIKey }, check: sendable, secret: true, env: true,
		example: `"an-api-key-of-v5"`,
		help:    "v5 API key, in place of a token"},
	{key: "v5_apikey_file", field: func(t *Tenant) any { return &t.V5APIKeyFile }, fills: "v5_apikey", env: true,
		example: `"v5-apikey"`,
		help:    "file with the API key"},

	{key: "old_v3_key", field: func(t *Tenant) any { return &t.OldV3Key }, check: v3Key, secret: true, env: true,
		example: `"dddddddddddddddddddddddd"`,
		help:    "key of the tenant's account at old_v3_url"},
	{key: "old_v3_key_file", field: func(t *Tenant) any { return &t.OldV3KeyFile }, fills: "old_v3_key", env: true,
		example: `"old-v3-key"`,
		help:    "file with that key"},

	{key: "sharing_id", field: func(t *Tenant) any { return &t.SharingID }, check: sendable, env: true,
		example: `"00000000-0000-0000-0000-000000000000"`,
		help:    "id of the v5 organization that pays and whose domains are the tenant's (default: all that the credential can see)"},
	{key: "own_handle", field: func(t *Tenant) any { return &t.OwnHandle }, check: v3Handle, env: true, example: `"FLN123-GANDI"`,
		help: "v3 handle of the key's owner (default: one is made up)"},
	{key: "anonymous", field: func(t *Tenant) any { return &t.Anonymous }, env: true,
		help: "serve calls without a key where v3 allowed that; one tenant at most"},
	{key: "mode", field: func(t *Tenant) any { return &t.Mode }, check: oneOf("normal", "read_only", "no_spend"), env: true,
		help: "normal, read_only (what changes something is refused) or no_spend (paid calls are checked, then refused)"},
	{key: "in_flight", field: func(t *Tenant) any { return &t.Limits.InFlight }, check: atLeast(0), example: "64",
		help: "calls at a time, 0 for unlimited (default: tenant_in_flight)"},
	{key: "rate", field: func(t *Tenant) any { return &t.Limits.Rate }, check: atLeast(0), example: "30",
		help: "calls in each rate_window, 0 for unlimited (default: tenant_rate)"},
	{key: "rate_window", field: func(t *Tenant) any { return &t.Limits.Window }, example: `"2s"`,
		help: "the span of time that rate counts in (default: tenant_rate_window)"},
	{key: "buy_premium", field: func(t *Tenant) any { return &t.BuyPremium }, env: true,
		help: "whether domain.create and domain.transferin.proceed may buy premium names, which have prices of their own, true or false"},
	{key: "buy_mail_slots", field: func(t *Tenant) any { return &t.BuyMailSlots }, env: true,
		help: "whether domain.mailbox.create may buy a slot where none is free, true or false; it costs money"},
	{key: "mail_slot_type", field: func(t *Tenant) any { return &t.MailSlotType }, env: true, example: `"standard_2023"`,
		check: oneOf("standard", "premium", "standard_2023", "premium_2023"),
		help:  "v5's type of a slot that is bought, and of the one that is taken first where several are free (default: standard_2023)"},
	{key: "mail_slot_months", field: func(t *Tenant) any { return &t.MailSlotMonths }, check: atLeast(0), env: true, example: "12",
		help: "for how many months a slot is bought (default: 12)"},
}

// Setting is one row of the daemon's settings, for flags.
type Setting struct{ row *row[Config] }

// Settings are all of them, in the order in which they are documented.
func Settings() []Setting {
	list := make([]Setting, len(settings))
	for i := range settings {
		list[i] = Setting{&settings[i]}
	}
	return list
}

// Flag is the setting's name on a command line.
func (s Setting) Flag() string { return flagOf(s.row.key) }

// Help says what it does, in one line.
func (s Setting) Help() string { return s.row.help }

// In is the setting's value in c, to be read and written as text.
func (s Setting) In(c *Config) Value { return Value{s.row.field(c)} }

func flagOf(key string) string { return strings.ReplaceAll(key, "_", "-") }
