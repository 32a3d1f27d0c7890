package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Effective is the whole configuration as TOML, with secrets masked, and with
// the place that each value came from behind it.
func (l *Loaded) Effective() string {
	var b strings.Builder
	for i := range settings {
		s := &settings[i]
		writeLine(&b, s.key, s.masked(s.field(&l.Config)), l.origins[slot{daemon, s.key}].String())
	}
	for i := range l.Tenants {
		b.WriteString("\n[[tenant]]\n")
		for j := range tenantKeys {
			k := &tenantKeys[j]
			if field := k.field(&l.Tenants[i]); !nothing(field) {
				writeLine(&b, k.key, k.masked(field), l.origins[slot{i, k.key}].String())
			}
		}
	}
	return b.String()
}

func writeLine(b *strings.Builder, key, value, comment string) {
	fmt.Fprintf(b, "%-50s # %s\n", key+" = "+value, comment)
}

// nothing tells whether a text or list was left empty.
func nothing(field any) bool {
	v := reflect.ValueOf(field).Elem()
	return (v.Kind() == reflect.String || v.Kind() == reflect.Slice) && v.Len() == 0
}

// Example is gateway.example.toml: every key with its meaning and its default.
// What has none, or excludes another, is commented out without a blank.
func Example() string {
	var b strings.Builder
	b.WriteString(`# Every setting of the gateway, with its default. Generated from internal/config/table.go by:
#   go test ./internal/gateway -update
# Check a copy of this file with: gateway check-config --config FILE
# A variable overrides the file, a flag overrides both: v5_rate is GATEWAY_V5_RATE and --v5-rate too.

`)
	c := Default()
	for i := range settings {
		s := &settings[i]
		fmt.Fprintf(&b, "# %s%s\n", s.help, restart(s.live))
		switch {
		case s.example == "":
			fmt.Fprintf(&b, "%s = %s\n", s.key, text(s.field(&c)))
		case s.check != nil && s.check(s.field(&c)) != "": // it is needed
			fmt.Fprintf(&b, "%s = %s\n", s.key, s.example)
		default:
			fmt.Fprintf(&b, "#%s = %s\n", s.key, s.example)
		}
	}
	b.WriteString(`
# One table for each v3 account. SIGHUP reads them again, with the files that they name.
# A relative path is a credential of systemd (LoadCredential=) where there is one, else it is beside this file.
# A single tenant can be made by variables instead: GATEWAY_V3_KEY, GATEWAY_V5_TOKEN and so on.
[[tenant]]
`)
	t := c.newTenant()
	for i := range tenantKeys {
		k := &tenantKeys[i]
		fmt.Fprintf(&b, "# %s\n", k.help)
		switch {
		case k.example == "":
			fmt.Fprintf(&b, "%s = %s\n", k.key, text(k.field(&t)))
		case k.key == "name" || k.key == "v3_key" || k.key == "v5_token":
			fmt.Fprintf(&b, "%s = %s\n", k.key, k.example)
		default:
			fmt.Fprintf(&b, "#%s = %s\n", k.key, k.example)
		}
	}
	return b.String()
}

func restart(live bool) string {
	if live {
		return " (SIGHUP changes it)"
	}
	return ""
}

// Doc renders docs/config.md from the tables.
func Doc() string {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Generated from internal/config/table.go by: go test ./internal/gateway -update -->

A sidecar with one account needs no file. Everything else is one TOML file, ` + "`--config FILE`" + ` or ` + "`GATEWAY_CONFIG`" + `;
[gateway.example.toml](../gateway.example.toml) has every key. A variable overrides the file and a flag overrides both.
An unknown key is an error that names its line and the nearest key that exists.

    gateway check-config --config /etc/v3gate/gateway.toml

says everything that is wrong at once and ends with status 1, or prints what the gateway would run with, secrets masked,
and where each value comes from, and ends with status 0. It takes the flags and variables of ` + "`serve`" + `.

## The daemon

*SIGHUP* says whether a reload changes the setting; the others need a restart, and a reload names them in the log.

| key | variable | flag | default | SIGHUP | meaning |
|---|---|---|---|---|---|
`)
	c := Default()
	for i := range settings {
		s := &settings[i]
		fmt.Fprintf(&b, "| `%s` | `%s` | `--%s` | %s | %s | %s |\n", s.key, s.variable(), flagOf(s.key), cell(s.field(&c)), yes(s.live), s.help)
	}
	b.WriteString(`
## Tenants

Each ` + "`[[tenant]]`" + ` of the file is one v3 account. Where the file has none, the variables make one, named ` + "`default`" + `; both
together are an error. Who moves from variables to a file keeps that name, since handles and operations are stored under it.

| key | variable | default | meaning |
|---|---|---|---|
`)
	t := c.newTenant()
	for i := range tenantKeys {
		k := &tenantKeys[i]
		variable := "-"
		if k.env {
			variable = "`" + k.variable() + "`"
		}
		standard := "-"
		if k.example == "" {
			standard = cell(k.field(&t))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.key, variable, standard, k.help)
	}
	b.WriteString(docEnd)
	return b.String()
}

const docEnd = `
A list in a variable is separated by commas.

## Secrets in files

` + "`v3_key_file`, `v5_token_file`, `v5_apikey_file` and `old_v3_key_file`" + ` are read at the start and at each reload. Line breaks at their end are no
part of the secret. A relative path is looked up in ` + "`$CREDENTIALS_DIRECTORY`" + `, where systemd puts what ` + "`LoadCredential=`" + ` names,
then beside the configuration file. Credentials of the names ` + "`v3-key`, `v5-token` and `v5-apikey`" + ` make the one tenant where
neither file nor variables do. A file with a secret that is wider than mode 0600 is a warning.

## Reload

` + "`kill -HUP`" + ` reads file and secrets again. All of it is taken, or nothing: when anything is wrong the gateway goes on with
what it has, says why in the log, and sets ` + "`gateway_config_last_reload_success`" + ` to 0. Calls in flight end with the tenant and
the credential that they began with. Operations of a tenant that is gone stay in the journal and wait for it to come back.

## Limits

A call waits before it is refused: first for its tenant's rate, then for a place among the calls in flight, at most three
quarters of ` + "`call_timeout`" + `. Then it gets fault 150004 (` + "`APPLICATION`, `TOOMANY`" + `). Tenants take turns, so one that sends too much
waits behind itself only. The default rate is that of v3, 30 calls in 2 seconds.

Its requests to v5 then take turns once more, of all tenants and of the gateway's own work: ` + "`v5_rate`" + ` in a minute and
` + "`v5_in_flight`" + ` at a time. At the default rate a higher ` + "`v5_in_flight`" + ` matters only while v5 takes four seconds and more for an answer.

Connections beyond ` + "`max_connections`" + ` wait to be accepted. It bounds the v3 endpoint only: metrics, health and the operators'
commands stay in reach.

## Stop

On SIGTERM or SIGINT the gateway takes no more calls, answers those in flight, and waits for purchases until v5 has spoken,
all within ` + "`stop_timeout`" + `. What is cut off is found in the journal at the next start. A second signal ends it at once, with
status 1.
`

func cell(field any) string {
	if nothing(field) {
		return "-"
	}
	return "`" + Value{field}.String() + "`"
}

func yes(live bool) string {
	if live {
		return "yes"
	}
	return "-"
}
