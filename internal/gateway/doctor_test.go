package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

const (
	doctorToken = "token-that-nobody-may-read"
	reseller    = "33333333-5f7b-11e9-a5c3-00163ec4cb00"
)

// newDoctor gives a doctor of a patient in good health: a running gateway on a
// store in a private directory, a v5 with a reseller that has money.
func newDoctor(t *testing.T) (d Doctor, sim *sandbox.Sandbox, g *Gateway) {
	t.Helper()
	sim = sandbox.New(sandbox.Options{
		PendingChecks: -1, Tokens: []sandbox.Token{{Secret: doctorToken, Orgs: []string{sandbox.DefaultSharingID, reseller}}},
	})
	api := httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	d = Doctor{Config: config.Default(), Timeout: 5 * time.Second, Store: StoreFile{Path: filepath.Join(dir, "store.db")}}
	d.Config.V5URL = api.URL + "/v5"
	d.Config.Tenants = []config.Tenant{{Name: "acme", V3Key: keyA, V5Token: doctorToken, SharingID: reseller}}
	d.free = func(string) (uint64, uint64, error) { return 10 << 30, 20 << 30, nil }
	d.VersionInfo = func(context.Context, string) (string, error) { return "3.3.42", nil }
	g = startOn(t, d.Store.Path, api.URL)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		g.Stop(ctx)
	})
	d.Endpoint = "http://" + g.Addr() + "/xmlrpc/"
	return d, sim, g
}

// diagnose examines, and looks that every finding is whole and shows no secret.
func diagnose(t *testing.T, d Doctor) []Finding {
	t.Helper()
	found := d.Examine(t.Context())
	for _, f := range found {
		if f.Check == "" || f.What == "" || f.Level == "" || f.Level != Fine && f.Do == "" {
			t.Errorf("not whole: %+v", f)
		}
		for _, secret := range []string{doctorToken, keyA} {
			if strings.Contains(fmt.Sprintf("%+v", f), secret) {
				t.Errorf("a secret shows: %+v", f)
			}
		}
	}
	return found
}

// ill wants exactly one check to find something wrong, and to say so.
func ill(t *testing.T, found []Finding, check string, level Level, says ...string) {
	t.Helper()
	at := slices.IndexFunc(found, func(f Finding) bool { return f.Check == check && f.Level == level })
	if at < 0 {
		t.Errorf("%s is not %s: %+v", check, level, found)
		return
	}
	for _, word := range says {
		if !strings.Contains(found[at].What+" -> "+found[at].Do, word) {
			t.Errorf("%s does not say %q: %+v", check, word, found[at])
		}
	}
	for _, f := range found {
		if f.Level != Fine && f.Check != check {
			t.Errorf("and %+v", f)
		}
	}
	if Worst(found) != level {
		t.Errorf("the worst of %+v is %s", found, Worst(found))
	}
}

func TestDoctorFindsNothingWrongWithAGoodGateway(t *testing.T) {
	d, sim, _ := newDoctor(t)
	before := len(sim.Requests())
	found := diagnose(t, d)
	var checks []string
	for _, f := range found {
		checks = append(checks, f.Check)
		if f.Level != Fine {
			t.Errorf("%+v", f)
		}
	}
	want := []string{"store", "consistency", "modes", "disk", "v5", "clock", "credential", "organization", "balance", "listener", "one gateway"}
	if !slices.Equal(checks, want) || Worst(found) != Fine {
		t.Errorf("checks %v", checks)
	}
	if found[6].Tenant != "acme" || !strings.Contains(found[8].What, "1000.00 EUR") {
		t.Errorf("%+v", found)
	}
	for _, q := range sim.Requests()[before:] {
		if q.Method != http.MethodGet {
			t.Errorf("it sent %+v", q)
		}
	}
}

func TestDoctorOfTheAccount(t *testing.T) {
	for _, c := range []struct {
		change func(*config.Tenant)
		v5     sandbox.NextError
		check  string
		level  Level
		says   []string
	}{
		{func(t *config.Tenant) { t.V5Token = "wrong-" + doctorToken }, sandbox.NextError{}, "credential", Broken, []string{"v5_token", "403", "make a new one"}},
		{func(t *config.Tenant) { t.V5Token, t.V5APIKey = "", doctorToken+"2" }, sandbox.NextError{}, "credential", Broken, []string{"v5_apikey"}},
		{func(t *config.Tenant) { t.V5Token = "" }, sandbox.NextError{}, "credential", Broken, []string{"set v5_token"}},
		{func(t *config.Tenant) { t.SharingID = orgB }, sandbox.NextError{}, "organization", Broken, []string{"not among", reseller}},
		{func(t *config.Tenant) { t.SharingID = "" }, sandbox.NextError{}, "organization", Warning, []string{"no sharing_id", reseller}},
		{func(t *config.Tenant) { t.SharingID = sandbox.DefaultSharingID }, sandbox.NextError{}, "organization", Warning, []string{"no reseller"}},
		{nil, sandbox.NextError{Path: "/organization/organizations", Status: 403, Body: map[string]any{"message": "no " + doctorToken}}, "organization", Broken, []string{"right to see"}},
		{nil, sandbox.NextError{Path: "/billing/info/" + reseller, Status: 403, Body: map[string]any{"message": "no"}}, "balance", Broken, []string{"right to see billing"}},
		{nil, billing(`{"amount": 0, "currency": "EUR", "warning_threshold": null}`), "balance", Broken, []string{"0.00 EUR", "pay into it"}},
		{nil, billing(`{"amount": "-3.5", "currency": "EUR"}`), "balance", Broken, []string{"-3.50 EUR"}},
		{nil, billing(`{"amount": 5.5, "currency": "USD", "warning_threshold": 20}`), "balance", Warning, []string{"5.50 USD", "20.00"}},
	} {
		d, sim, _ := newDoctor(t)
		if c.change != nil {
			c.change(&d.Config.Tenants[0])
		}
		if c.v5.Status != 0 {
			if err := sim.Seed(sandbox.Seed{NextError: &c.v5}); err != nil {
				t.Fatal(err)
			}
		}
		found := diagnose(t, d)
		if c.check == "organization" { // another organization has its own balance
			found = slices.DeleteFunc(found, func(f Finding) bool { return f.Check == "balance" })
		}
		ill(t, found, c.check, c.level, c.says...)
	}
	d, sim, _ := newDoctor(t)
	none := billing("null")
	if err := sim.Seed(sandbox.Seed{NextError: &none}); err != nil {
		t.Fatal(err)
	}
	if found := diagnose(t, d); Worst(found) != Fine {
		t.Errorf("no prepaid account: %+v", found)
	}
}

func billing(prepaid string) sandbox.NextError {
	return sandbox.NextError{Path: "/billing/info*", Status: 200,
		Body: `{"annual_balance": 0, "grid": "A", "outstanding_amount": 7, "prepaid": ` + prepaid + `}`}
}

func TestDoctorOfV5(t *testing.T) {
	var date atomic.Value // what v5 says, or "" for nothing
	var status atomic.Int64
	d, sim, _ := newDoctor(t)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at, ok := date.Load().(string); ok {
			w.Header()["Date"] = []string{at}
		}
		if n := int(status.Load()); n != 0 {
			http.Error(w, "<html>", n)
			return
		}
		sim.Handler().ServeHTTP(w, r)
	}))
	defer front.Close()
	d.Config.V5URL = front.URL + "/v5"
	for _, c := range []struct {
		off   time.Duration
		level Level
	}{{-30 * time.Second, Warning}, {30 * time.Second, Warning}, {-time.Hour, Broken}, {24 * time.Hour, Broken}} {
		date.Store(time.Now().Add(c.off).UTC().Format(http.TimeFormat))
		ill(t, diagnose(t, d), "clock", c.level, "synchronise")
	}
	date.Store("yesterday")
	ill(t, diagnose(t, d), "clock", Warning, "no Date")
	date.Store(time.Now().Add(-2 * time.Second).UTC().Format(http.TimeFormat))
	if found := diagnose(t, d); Worst(found) != Fine {
		t.Errorf("two seconds: %+v", found)
	}

	d.Config.Tenants = nil
	status.Store(503)
	ill(t, diagnose(t, d), "v5", Warning, "503")
	status.Store(0)
	wrong := d
	wrong.Config.V5URL = front.URL + "/v4"
	ill(t, diagnose(t, wrong), "v5", Broken, "404", "v5_url")
	front.Close()
	ill(t, diagnose(t, d), "v5", Broken, "cannot be reached", "firewall")
	// Nobody vouches for this one.
	secure := httptest.NewTLSServer(sim.Handler())
	defer secure.Close()
	d.Config.V5URL = secure.URL + "/v5"
	ill(t, diagnose(t, d), "v5", Broken, "certificate", "CA certificates")
}

func TestEachCheckOfTheDoctorIsBounded(t *testing.T) {
	d, _, _ := newDoctor(t)
	hang, done := make(chan struct{}), make(chan struct{})
	defer close(done)
	defer close(hang)
	stuck := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	t.Cleanup(stuck.Close)
	d.Config.V5URL, d.Timeout = stuck.URL+"/v5", 300*time.Millisecond
	d.free = func(string) (uint64, uint64, error) { <-hang; return 0, 0, errors.New("too late") }
	d.VersionInfo = func(ctx context.Context, _ string) (string, error) { <-ctx.Done(); return "", ctx.Err() }
	began := time.Now()
	found := diagnose(t, d)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	for _, check := range []string{"v5", "credential", "disk", "listener"} {
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.Check == check && f.Level == Broken }) {
			t.Errorf("%s is not broken: %+v", check, found)
		}
	}
}

func TestDoctorOfDiskAndModes(t *testing.T) {
	d, _, _ := newDoctor(t)
	for _, c := range []struct {
		free  uint64
		err   error
		level Level
	}{{10 << 20, nil, Broken}, {200 << 20, nil, Warning}, {0, errors.New("not asked"), Warning}} {
		d.free = func(string) (uint64, uint64, error) { return c.free, 20 << 30, c.err }
		ill(t, diagnose(t, d), "disk", c.level)
	}
	d.free = nil
	if found := diagnose(t, d); !slices.ContainsFunc(found, func(f Finding) bool { return f.Check == "disk" && strings.Contains(f.What, "free at") }) {
		t.Errorf("the real disk: %+v", found)
	}
	d.free = func(string) (uint64, uint64, error) { return 10 << 30, 20 << 30, nil }
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Config.Tenants[0].V5TokenFile = token
	for _, c := range []struct {
		path  string
		mode  os.FileMode
		level Level
	}{
		{d.Store.Path, 0o644, Warning}, {token, 0o604, Warning},
		{socketOf(d.Store.Path), 0o666, Broken}, {filepath.Dir(d.Store.Path), 0o777, Broken},
	} {
		fi, err := os.Stat(c.path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(c.path, c.mode); err != nil {
			t.Fatal(err)
		}
		ill(t, diagnose(t, d), "modes", c.level, "chmod", c.path)
		if err := os.Chmod(c.path, fi.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	if found := diagnose(t, d); Worst(found) != Fine {
		t.Errorf("put right: %+v", found)
	}
}

func TestDoctorOfTheListener(t *testing.T) {
	d, _, g := newDoctor(t)
	d.VersionInfo = func(context.Context, string) (string, error) { return "", errors.New("refused with " + keyA) }
	ill(t, diagnose(t, d), "listener", Broken, "a gateway runs", "refused")
	g.Stop(t.Context())
	ill(t, diagnose(t, d), "listener", Warning, "start the gateway")
}

func TestTheDoctorSeesAnOpenConsole(t *testing.T) {
	for _, c := range []struct {
		console, admin string
		open           bool
	}{
		{"always", "0.0.0.0:9090", true}, {"always", ":9090", true}, {"always", "[::]:9090", true}, {"always", "10.0.0.1:9090", true},
		{"always", "127.0.0.1:9090", false}, {"always", "[::1]:9090", false}, {"always", "localhost:9090", false}, {"always", "", false},
		{"loopback", "0.0.0.0:9090", false}, {"never", ":9090", false},
	} {
		d := Doctor{Config: config.Config{Console: c.console, Admin: c.admin}}
		found := d.lookAtConsole(t.Context())
		if open := len(found) == 1 && found[0].Level == Warning; open != c.open {
			t.Errorf("%q on %q: %+v", c.console, c.admin, found)
		}
	}
}
