package main

import (
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"v3gate/internal/config"
	"v3gate/internal/gateway"
	"v3gate/internal/sandbox"
)

// TestScripts runs the commands as people do, as processes. A script has V3_URL and
// V3_ADDRESS of a server that speaks v3, FIXTURES, which are exchanges, and the settings of a v5 with one domain.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			url, address := startOldV3(t)
			env.Setenv("V3_URL", url)
			env.Setenv("V3_ADDRESS", address)
			sim := sandbox.New(sandbox.Options{Tokens: []sandbox.Token{{Secret: doctorsToken, Orgs: []string{sandbox.DefaultSharingID}}}})
			api := httptest.NewServer(sim.Handler())
			t.Cleanup(api.Close)
			fixtures, err := filepath.Abs("../../testdata/fixtures")
			if err != nil {
				return err
			}
			env.Setenv("FIXTURES", fixtures)
			env.Setenv("GATEWAY_V5_URL", api.URL+"/v5")
			env.Setenv("GATEWAY_V3_KEY", demoKey)
			env.Setenv("GATEWAY_V5_TOKEN", doctorsToken)
			env.Setenv("GATEWAY_SHARING_ID", sandbox.DefaultSharingID)
			env.Setenv("RUNNING_URL", startShadowing(t, env.WorkDir, api.URL+"/v5", url))
			return sim.Seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "shown.net"}}})
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "eventually": eventually},
	})
}

// Each command in docs/migration.md is in the script of its name, and so it works.
func TestMigrationDocIsRun(t *testing.T) {
	doc, err := os.ReadFile("../../docs/migration.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/migration.txtar")
	if err != nil {
		t.Fatal(err)
	}
	run := strings.Split(string(script), "\n")
	n := 0
	for line := range strings.Lines(string(doc)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " >")
		if strings.HasPrefix(line, "gateway ") {
			n++
			if !slices.Contains(run, line) {
				t.Errorf("no test runs %s", line)
			}
		}
	}
	if n < 10 {
		t.Errorf("%d commands", n)
	}
}

// startShadowing starts a gateway that compares its answers with the server at
// oldURL, and records its calls.
func startShadowing(t *testing.T, dir, v5URL, oldURL string) (url string) {
	t.Helper()
	tenant := sandboxTenant(demoKey)
	tenant.V5Token, tenant.OldV3Key = doctorsToken, demoKey
	cfg := config.Default()
	cfg.Store, cfg.Record = dir+"/running.db", dir+"/recording"
	cfg.V5URL, cfg.Tenants = v5URL, []config.Tenant{tenant}
	cfg.OldV3URL, cfg.ShadowMethods, cfg.OldV3Methods = oldURL, []string{"contact.info"}, []string{"domain.list"}
	g, _ := started(t, cfg, gateway.Hooks{})
	return "http://" + g.Addr() + "/xmlrpc/"
}

// eventually is: eventually REGEXP COMMAND..., for what becomes so in the
// background.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually regexp command...")
	}
	want := regexp.MustCompile(args[0])
	for range 200 {
		if err := ts.Exec(args[1], args[2:]...); err == nil && want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("%v does not print %s", args[1:], args[0])
}

// status is: status N COMMAND..., for exit statuses that have a meaning.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command...")
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("status %q is no number", args[0])
	}
	got, err := 0, ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got, err = exit.ExitCode(), nil
	}
	if err != nil || got != want {
		ts.Fatalf("%v ends with %d, want %d (%v)", args[1:], got, want, err)
	}
}
