package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"v3gate/internal/config"
	"v3gate/internal/gateway"
	"v3gate/internal/sandbox"
)

// run executes a command line and gives what it printed.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := root()
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestMethodsAsJSON(t *testing.T) {
	out, err := run(t, "methods", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		for _, member := range []string{"name", "support", "class", "key", "v5", "note", "parameters"} {
			if v, ok := r[member]; !ok || v == nil {
				t.Errorf("%v: member %s is %v", r["name"], member, v)
			}
		}
		if len(r) != 7 {
			t.Errorf("%v has %d members", r["name"], len(r))
		}
	}
	if len(rows) != len(gateway.Table().Rows) {
		t.Errorf("%d rows", len(rows))
	}
}

func TestMethodsAsTableAndCSV(t *testing.T) {
	table, err := run(t, "methods")
	if err != nil || !strings.Contains(table, "domain.zone.record.add") || !strings.Contains(table, gateway.Table().Totals()) {
		t.Errorf("%v\n%s", err, table)
	}
	text, err := run(t, "methods", "-o", "csv")
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(records) != len(gateway.Table().Rows)+1 {
		t.Errorf("%d records, %v", len(records), err)
	}
	if _, err := run(t, "methods", "-o", "xml"); err == nil || !strings.Contains(err.Error(), "json or csv") {
		t.Errorf("an unknown format: %v", err)
	}
}

func TestEveryCommandHasHelpWithExamples(t *testing.T) {
	for _, c := range root().Commands() {
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s: help %q, example %q", c.Name(), c.Short, c.Example)
		}
	}
}

func TestFlagsComeFromTheEnvironment(t *testing.T) {
	t.Setenv("GATEWAY_OUTPUT", "csv")
	out, err := run(t, "methods")
	if err != nil || !strings.HasPrefix(out, "name,support,") {
		t.Errorf("%v\n%.80s", err, out)
	}
	if out, err = run(t, "methods", "-o", "table"); err != nil || !strings.HasPrefix(out, "METHOD") {
		t.Errorf("a flag does not win over its variable: %v", err)
	}
	t.Setenv("GATEWAY_V5_RATE", "many")
	if _, err := run(t, "serve", "--store", "x"); err == nil || !strings.Contains(err.Error(), "GATEWAY_V5_RATE") {
		t.Errorf("a bad variable is not named: %v", err)
	}
}

func TestServeSaysWhatIsMissing(t *testing.T) {
	_, err := run(t, "serve")
	for _, want := range []string{"store:", "GATEWAY_V3_KEY", "--sandbox"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("serve without anything: %v; want it to name %s", err, want)
		}
	}
	t.Setenv("GATEWAY_V3_KEY", "short")
	if _, err := run(t, "serve", "--store", "x"); err == nil || !strings.Contains(err.Error(), "24 letters") || !strings.Contains(err.Error(), "GATEWAY_V5_TOKEN") {
		t.Errorf("serve with a bad key: %v", err)
	}
}

func TestVersion(t *testing.T) {
	out, err := run(t, "version")
	if err != nil || !strings.HasPrefix(out, "gateway dev, commit ") {
		t.Errorf("%q, %v", out, err)
	}
}

// startGateway serves a sandbox gateway for the length of a test.
func startGateway(t *testing.T) (url string) {
	t.Helper()
	sim := httptest.NewServer(sandbox.New(sandbox.Options{PendingChecks: -1}).Handler())
	t.Cleanup(sim.Close)
	cfg := config.Default()
	cfg.Listen, cfg.Admin, cfg.LogLevel = "127.0.0.1:0", "127.0.0.1:0", "error"
	cfg.Store, cfg.V5URL = filepath.Join(t.TempDir(), "store.db"), sim.URL+"/v5"
	cfg.Tenants = []config.Tenant{sandboxTenant(demoKey)}
	g, err := gateway.New(cfg, gateway.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Stop(context.Background()) })
	return "http://" + g.Addr() + "/xmlrpc/"
}

func TestCall(t *testing.T) {
	url := startGateway(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"version.info"}, "3.3.42"},
		{[]string{"domain.available", `["free.com"]`}, `"free.com": "available"`},
		{[]string{"contact.info"}, "Alice"},
		{[]string{"system.methodHelp", "domain.create"}, "partial, paid"},
		{[]string{"operation.list", `{"items_per_page": 1}`}, "[]"},
	} {
		out, err := run(t, append([]string{"call", "--url", url, "--key", demoKey}, c.args...)...)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("%v: %v\n%s", c.args, err, out)
		}
	}
	if _, err := run(t, "call", "--url", url, "--key", demoKey, "domain.info", "absent.com"); err == nil || !strings.Contains(err.Error(), "510042") {
		t.Errorf("a fault: %v", err)
	}
}

func TestParametersOfCall(t *testing.T) {
	for text, want := range map[string]string{
		`7`: "int64 7", `1.5`: "float64 1.5", `"7"`: "string 7", `example.com`: "string example.com",
		`true`: "bool true", `1 2`: "string 1 2", `{"a":[1]}`: "map[string]interface {} map[a:[1]]",
	} {
		v := parameter(text)
		if got := typeAndValue(v); got != want {
			t.Errorf("parameter(%s) = %s, want %s", text, got, want)
		}
	}
}

func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes eight seconds; run without -short")
	}
	t.Setenv("TMPDIR", t.TempDir()) // another demo on this machine has directories of its own
	out, err := run(t, "demo")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"FLN5000000-GANDI", "POST /v5/domain/domains", "(Dry-Run: 1)", `"step":"RUN"`, "Fault(501637)", "Every step gave what it should"} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not show %s", want)
		}
	}
	for _, secret := range []string{"xxxxxxxx", demoKey, "Bearer sandbox"} {
		if strings.Contains(out, secret) {
			t.Errorf("the demo shows %q", secret)
		}
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "v3gate-demo-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("it leaves %v behind", left)
	}
}

func typeAndValue(v any) string { return fmt.Sprintf("%T %v", v, v) }
