package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func good() Config {
	c := Default()
	c.Store = "/tmp/store.db"
	c.Tenants = []Tenant{{Name: "default", V3Key: strings.Repeat("k", 24), V5Token: "tok-secret"}}
	return c
}

func TestValidateSaysEverythingAtOnce(t *testing.T) {
	if err := good().Validate(); err != nil {
		t.Fatalf("a good configuration: %v", err)
	}
	bad := good()
	bad.Listen, bad.Store, bad.V5URL, bad.V5Rate, bad.LogLevel = "8080", "", "api.gandi.net", -1, "loud"
	bad.FirstID, bad.PaidWait, bad.KeepOperations, bad.KeepReport, bad.MaxBody = 1<<40, 0, time.Hour, time.Hour, 0
	bad.Tenants = []Tenant{
		{Name: "a", V3Key: "short", OwnHandle: "x", Mode: "free", Limits: Limits{Rate: 1, InFlight: -1}},
		{Name: "b", V5Token: "x", V5APIKey: "y y"},
		{Name: "b", V3KeySHA256: []string{"abc"}, V5Token: "x", Anonymous: true},
		{V3Keys: []string{strings.Repeat("k", 24), strings.Repeat("k", 24)}, V5Token: "x", Anonymous: true},
		{Name: "no blanks", V3Key: strings.Repeat("z", 24), V5TokenFile: "read-later"},
	}
	err := bad.Validate()
	if err == nil {
		t.Fatal("taken")
	}
	want := []string{
		`listen: "8080" is not HOST:PORT, such as 127.0.0.1:8080`,
		`store: name the file that keeps handles and operations, such as --store /var/lib/v3gate/store.db`,
		`v5_url: "api.gandi.net" is not an http or https address such as https://api.gandi.net/v5`,
		`v5_rate: -1 is below 0`,
		`log_level: "loud" is not debug, info, warn or error`,
		`max_body: 0 is below 1024`,
		`paid_wait: "0s" is not above 0`,
		`keep_operations: "1h" is less than a day; callers still ask for operations of today`,
		`keep_report: "1h" is neither 0 nor a day or more; calls are counted by day`,
		`first_id: 1099511627776 is below 1 or too near 2147483648, where v3's ints end`,
		`tenant a: v3_key: it is not 24 letters or digits`,
		`tenant a: own_handle: "x" is not like FLN123-GANDI`,
		`tenant a: mode: "free" is not normal, read_only or no_spend`,
		`tenant a: in_flight: -1 is below 0`,
		`tenant a: v5_token: the v5 credential is missing: set GATEWAY_V5_TOKEN, a personal access token, or GATEWAY_V5_APIKEY, or their keys in the file`,
		`tenant a: rate_window: it is not above 0`,
		`tenant b: v5_apikey: it holds blanks or characters that no header can have`,
		`tenant b: v3_key: it is missing (GATEWAY_V3_KEY): the key that your integration sends`,
		`tenant b: v5_apikey: both a v5 token and a v5 API key are given; give one`,
		`tenant b: v3_key_sha256: it is not a SHA-256 in hex, 64 digits`,
		`tenant 4: name: it is missing; handles and operations are stored under it, so choose it for ever`,
		`tenant no blanks: name: "no blanks" is not 1 to 64 letters, digits, dots, dashes and underscores`,
		`tenant b: name: "b" is used twice`,
		`tenant 4: v3_key: one of its v3 keys is given twice, here and for tenant 4`,
		`tenant 4: anonymous: tenant b is anonymous already; only one can be`,
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
	none := good()
	none.Tenants = nil
	if err := none.Validate(); err == nil || !strings.Contains(err.Error(), "--sandbox") {
		t.Errorf("no tenant: %v", err)
	}
}

// A key and its hash are the same key.
func TestAKeyIsFoundBehindItsHash(t *testing.T) {
	c := good()
	c.Tenants = append(c.Tenants, Tenant{Name: "b", V5Token: "x", V3KeySHA256: []string{strings.ToUpper(c.Tenants[0].hashes()[0])}})
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "tenant b: v3_key: one of its v3 keys is given twice, here and for tenant default") {
		t.Errorf("got %v", err)
	}
}

func TestPrintingNeverShowsSecrets(t *testing.T) {
	c := good()
	c.Tenants[0].V5APIKey = "api-secret"
	c.Tenants[0].V3Keys = []string{"key-secret"}
	loaded := Loaded{Config: c}
	for _, format := range []string{"%v", "%+v", "%s", "%#v"} {
		for _, v := range []any{c, &c, c.Tenants, loaded, &loaded} {
			out := fmt.Sprintf(format, v)
			if strings.Contains(out, "secret") || strings.Contains(out, c.Tenants[0].V3Key) {
				t.Errorf("%s shows a secret: %s", format, out)
			}
		}
	}
}

// Every field has one row, every row a field: nothing can be set that no table
// names.
func TestTheTablesCoverEveryField(t *testing.T) {
	var c Config
	var fields []any
	for _, s := range settings {
		fields = append(fields, s.field(&c))
	}
	covers(t, reflect.ValueOf(&c).Elem(), &fields)
	var one Tenant
	for _, k := range tenantKeys {
		fields = append(fields, k.field(&one))
	}
	covers(t, reflect.ValueOf(&one).Elem(), &fields)
	if len(fields) > 0 {
		t.Errorf("%d rows have no field of their own", len(fields))
	}
}

// covers takes the fields of a struct off the list of fields.
func covers(t *testing.T, v reflect.Value, fields *[]any) {
	t.Helper()
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case f.Kind() == reflect.Struct:
			covers(t, f, fields)
		case f.Type() == reflect.TypeFor[[]Tenant]():
		default:
			at := slices.IndexFunc(*fields, func(p any) bool { return p == f.Addr().Interface() })
			if at < 0 {
				t.Errorf("%s.%s has no row", v.Type(), name)
				continue
			}
			*fields = slices.Delete(*fields, at, at+1)
		}
	}
}

func TestRowsAreComplete(t *testing.T) {
	keys := map[string]bool{"tenant": true, "config": true}
	note := func(key, help, example string, needed bool) {
		if keys[key] {
			t.Errorf("%s is there twice", key)
		}
		keys[key] = true
		if help == "" || strings.ContainsAny(help, "|\n") || strings.HasSuffix(help, ".") {
			t.Errorf("%s: help %q", key, help)
		}
		if needed && example == "" {
			t.Errorf("%s has neither default nor example", key)
		}
	}
	c := Default()
	for _, s := range settings {
		note(s.key, s.help, s.example, nothing(s.field(&c)))
	}
	one := c.newTenant()
	for _, k := range tenantKeys {
		note(k.key, k.help, k.example, nothing(k.field(&one)))
		if k.fills != "" && rowOf(k.fills) == nil {
			t.Errorf("%s fills %s, which is no key", k.key, k.fills)
		}
	}
}

func TestNeedRestart(t *testing.T) {
	a := good()
	b := good()
	b.TenantLimits, b.Tenants = Limits{1, 2, 3}, nil
	if keys := NeedRestart(a, b); len(keys) > 0 {
		t.Errorf("%v need a restart", keys)
	}
	b.Listen, b.Store = "127.0.0.1:1", "elsewhere"
	if diff := cmp.Diff([]string{"listen", "store"}, NeedRestart(a, b)); diff != "" {
		t.Error(diff)
	}
}

// What String writes, Set reads, and TOML holds the same.
func TestValuesSurviveTheirText(t *testing.T) {
	c := Default()
	c.Store = "a \"quoted\" \\ path\nwith é and \x01"
	for _, s := range settings {
		var again Config
		if err := (Value{s.field(&again)}).Set(Value{s.field(&c)}.String()); err != nil {
			t.Errorf("%s: %v", s.key, err)
		}
		if got, want := text(s.field(&again)), text(s.field(&c)); got != want {
			t.Errorf("%s: %s, want %s", s.key, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		9600 * time.Hour: "9600h", 25 * time.Second: "25s", time.Minute: "1m", 90 * time.Minute: "1h30m",
		time.Hour + time.Second: "1h0m1s", 0: "0s", 10 * time.Second: "10s",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%d) = %s, want %s", d, got, want)
		}
		if again, err := time.ParseDuration(short(d)); err != nil || again != d {
			t.Errorf("%s reads as %s, %v", short(d), again, err)
		}
	}
}
