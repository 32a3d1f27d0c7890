package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/gateway"
	"v3gate/internal/sandbox"
)

// stuckStore serves a gateway whose one renewal is in SUPPORT: its request got
// lost, more than an hour ago by the gateway's clock.
func stuckStore(t *testing.T) (path string, stop func()) {
	t.Helper()
	sim := sandbox.New(sandbox.Options{PendingChecks: -1})
	ends := time.Now().UTC().AddDate(0, 6, 0)
	if err := sim.Seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "stuck.net", RegistryEndsAt: ends}}}); err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == "POST" && q.Header.Get("Dry-Run") == "" {
			panic(http.ErrAbortHandler)
		}
		sim.Handler().ServeHTTP(w, q)
	}))
	t.Cleanup(api.Close)
	cfg := config.Default()
	cfg.Store, cfg.V5URL = filepath.Join(t.TempDir(), "store.db"), api.URL+"/v5"
	cfg.Tenants = []config.Tenant{sandboxTenant(demoKey)}
	var ahead atomic.Int64
	g, stop := started(t, cfg, gateway.Hooks{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	call := func(args ...string) string {
		out, err := run(t, append([]string{"call", "--url", "http://" + g.Addr() + "/xmlrpc/", "--key", demoKey}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	call("domain.renew", "stuck.net", fmt.Sprintf(`{"duration": 1, "current_year": %d}`, ends.Year()))
	ahead.Store(int64(90 * time.Minute))
	for range 200 {
		if strings.Contains(call("operation.info", "1000000000"), "SUPPORT") {
			return cfg.Store, stop
		}
		ahead.Add(int64(20 * time.Second))
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the operation does not come to SUPPORT")
	return "", nil
}

// The commands do the same over a daemon's socket and on a store at rest.
func TestOps(t *testing.T) {
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprintf("running %t", running), func(t *testing.T) {
			path, stop := stuckStore(t)
			if !running {
				stop()
			}
			ops := func(args ...string) (string, error) {
				return run(t, append([]string{"ops", "--store", path}, args...)...)
			}
			out, err := ops("list", "--step", "support")
			lines := strings.Split(strings.TrimSpace(out), "\n")
			if err != nil || len(lines) != 2 || !strings.HasPrefix(lines[0], "ID ") || !strings.HasPrefix(lines[1], "1000000000  SUPPORT  unknown  domain_renew  stuck.net  sandbox") {
				t.Errorf("list: %v\n%s", err, out)
			}
			if out, err = ops("list", "--step", "DONE"); err != nil || strings.Count(out, "\n") != 1 {
				t.Errorf("list of nothing: %v\n%s", err, out)
			}
			if out, err = ops("show", "1000000000"); err != nil || !strings.Contains(out, `"step": "SUPPORT"`) || !strings.Contains(out, `"sends": 1`) {
				t.Errorf("show: %v\n%s", err, out)
			}
			for _, wrong := range []struct {
				args []string
				want string
			}{
				{[]string{"resolve", "1000000000"}, "--did-not-happen"},
				{[]string{"resolve", "1000000000", "--happened", "--did-not-happen"}, "one of"},
				{[]string{"resolve", "--happened"}, "arg"},
				{[]string{"show", "stuck.net"}, `"stuck.net" is no operation id`},
				{[]string{"show", "42"}, "gateway ops list"},
				{[]string{"resolve", "42", "--happened"}, "gateway ops list"},
				{[]string{"list", "--step", "STUCK"}, "SUPPORT"},
			} {
				if _, err := ops(wrong.args...); err == nil || !strings.Contains(err.Error(), wrong.want) {
					t.Errorf("%v: %v, want %q", wrong.args, err, wrong.want)
				}
			}
			if out, err = ops("resolve", "1000000000", "--happened"); err != nil || !strings.Contains(out, `"step": "DONE"`) {
				t.Errorf("resolve: %v\n%s", err, out)
			}
			if _, err = ops("resolve", "1000000000", "--did-not-happen"); err == nil || !strings.Contains(err.Error(), "only an operation in SUPPORT") {
				t.Errorf("resolve what is DONE: %v", err)
			}
		})
	}
}

func TestOpsWithoutAStore(t *testing.T) {
	if _, err := run(t, "ops", "list"); err == nil || !strings.Contains(err.Error(), "--store") {
		t.Errorf("no name: %v", err)
	}
	path := filepath.Join(t.TempDir(), "store.db")
	t.Setenv("GATEWAY_STORE", path)
	for _, args := range [][]string{{"list"}, {"show", "1"}, {"resolve", "1", "--happened"}} {
		if _, err := run(t, append([]string{"ops"}, args...)...); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a store was made: %v", err)
	}
}

func TestTextsOfV5DoNotReachTheTerminal(t *testing.T) {
	if got := oneLine("no\x1b[2Jmoney\n\tleft é"); got != "no [2Jmoney  left é" {
		t.Errorf("%q", got)
	}
}

func TestTheV5DryRunSwitch(t *testing.T) {
	for _, c := range []struct{ flag, variable, want string }{
		{"", "", "true"}, {"", "false", "false"}, {"--v5-dry-run=false", "", "false"}, {"--v5-dry-run=true", "false", "true"},
	} {
		if c.variable != "" {
			t.Setenv("GATEWAY_V5_DRY_RUN", c.variable)
		}
		args := []string{"check-config", "--store", "/tmp/x/store.db"}
		if c.flag != "" {
			args = append(args, c.flag)
		}
		t.Setenv("GATEWAY_V3_KEY", demoKey)
		t.Setenv("GATEWAY_V5_TOKEN", "a-token")
		out, err := run(t, args...)
		if err != nil || !strings.Contains(out, "v5_dry_run = "+c.want) {
			t.Errorf("flag %q, variable %q: %v\n%s", c.flag, c.variable, err, out)
		}
		os.Unsetenv("GATEWAY_V5_DRY_RUN")
	}
	if _, err := run(t, "serve", "--store", "x", "--v5-dry-run=perhaps"); err == nil || !strings.Contains(err.Error(), "v5-dry-run") {
		t.Errorf("neither true nor false: %v", err)
	}
}
