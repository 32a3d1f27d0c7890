package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"v3gate/internal/config"
	"v3gate/internal/gateway"
	"v3gate/internal/sandbox"
)

const doctorsToken = "token-that-nobody-may-read"

// startStored serves a gateway on a store, for a reseller of a simulated v5.
func startStored(t *testing.T) (path, v5URL, endpoint string, stop func()) {
	t.Helper()
	const reseller = "33333333-5f7b-11e9-a5c3-00163ec4cb00"
	sim := httptest.NewServer(sandbox.New(sandbox.Options{
		PendingChecks: -1, Tokens: []sandbox.Token{{Secret: doctorsToken, Orgs: []string{sandbox.DefaultSharingID, reseller}}},
	}).Handler())
	t.Cleanup(sim.Close)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Store, cfg.V5URL = filepath.Join(dir, "store.db"), sim.URL+"/v5"
	cfg.Tenants = []config.Tenant{{Name: "default", V3Key: demoKey, V5Token: doctorsToken, SharingID: reseller}}
	g, stop := started(t, cfg, gateway.Hooks{})
	t.Setenv("GATEWAY_V3_KEY", demoKey)
	t.Setenv("GATEWAY_V5_TOKEN", doctorsToken)
	t.Setenv("GATEWAY_SHARING_ID", reseller)
	return cfg.Store, cfg.V5URL, "http://" + g.Addr() + "/xmlrpc/", stop
}

// started starts a gateway on free ports, which is stopped once at the latest when
// the test ends.
func started(t *testing.T, cfg config.Config, hooks gateway.Hooks) (g *gateway.Gateway, stop func()) {
	t.Helper()
	cfg.Listen, cfg.Admin, cfg.LogLevel = "127.0.0.1:0", "127.0.0.1:0", "error"
	g, err := gateway.New(cfg, hooks)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() { g.Stop(context.Background()) })
	t.Cleanup(stop)
	return g, stop
}

// says runs a command line and wants its exit status and words in what it
// printed or failed with.
func says(t *testing.T, status int, line []string, words ...string) string {
	t.Helper()
	out, err := run(t, line...)
	got := 0
	if err != nil {
		got = exitStatus(err)
		out += err.Error()
	}
	if got != status {
		t.Errorf("%v ends with %d, want %d\n%s", line, got, status, out)
	}
	for _, w := range words {
		if !strings.Contains(out, w) {
			t.Errorf("%v does not say %q\n%s", line, w, out)
		}
	}
	return out
}

func TestBackupAndStoreCommands(t *testing.T) {
	path, _, url, stop := startStored(t)
	person := `{"given":"Zebulon","family":"Quackenbush","email":"z@quackenbush.example","streetaddr":"7 Xylophone Lane","zip":"75011",
		"city":"Paris","country":"FR","phone":"+33.198765432","type":0,"password":"hunter2hunter2"}`
	says(t, 0, []string{"call", "--url", url, "--key", demoKey, "contact.create", person}, "GANDI")
	t.Setenv("GATEWAY_STORE", path)
	backup := filepath.Join(t.TempDir(), "backup.db")
	says(t, 0, []string{"backup", backup}, backup, "from the running gateway", " 0 inconsistencies", "pages")
	says(t, 1, []string{"backup", backup}, "--force")
	says(t, 0, []string{"backup", backup, "--force"})
	says(t, 0, []string{"store", "check"}, " 0 inconsistencies")
	says(t, 1, []string{"store", "compact"}, "stop that gateway")
	stop()

	key := filepath.Join(t.TempDir(), "seal.key")
	if err := os.WriteFile(key, []byte("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, 0, []string{"store", "compact"}, "are saved")
	says(t, 0, []string{"backup", backup, "--force"}, "no gateway has open")
	says(t, 1, []string{"store", "rekey"}, "--key-file, or --unseal")
	says(t, 1, []string{"store", "rekey", "--unseal", "--key-file", key}, "--key-file, or --unseal")
	says(t, 0, []string{"store", "rekey", "--key-file", key}, "sealed with key ", "now")
	says(t, 0, []string{"store", "rekey", "--key-file", key}, "already")
	if raw, err := os.ReadFile(path); err != nil || bytes.Contains(raw, []byte("Quackenbush")) {
		t.Errorf("the file has the name in it, %v", err)
	}
	says(t, 0, []string{"store", "check"}, "not opened, for want of its key")
	says(t, 0, []string{"backup", backup, "--force"}, "not opened, for want of its key")
	says(t, 1, []string{"ops", "list"}, "--seal-key-file")
	t.Setenv("GATEWAY_SEAL_KEY_FILE", key)
	says(t, 0, []string{"ops", "list"}, "LAST ERROR")
	says(t, 0, []string{"store", "check", "--store", backup}, "pages of the file: 0 inconsistencies")
	says(t, 1, []string{"store", "rekey", "--unseal"}, "--old-key-file")
	says(t, 0, []string{"store", "rekey", "--unseal", "--old-key-file", key}, "not sealed now")
	says(t, 0, []string{"store", "rekey", "--unseal", "--old-key-file", key}, "not sealed already")

	var c gateway.StoreCheck
	out := says(t, 0, []string{"store", "check", "-o", "json"})
	if err := json.Unmarshal([]byte(out), &c); err != nil || !c.Pages || c.Keys["contact"] == 0 || c.Wrong != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	says(t, 1, []string{"store", "check", "-o", "xml"}, "table or json")
	says(t, 1, []string{"store", "check", "--store", path + ".absent"}, "no such file")
	if err := os.Truncate(path, 9000); err != nil {
		t.Fatal(err)
	}
	says(t, 1, []string{"store", "check"}, "damaged")
	says(t, 1, []string{"backup", backup, "--force"}, "damaged")
	says(t, 0, []string{"store", "check", "--store", backup})
	t.Setenv("GATEWAY_STORE", "")
	for _, line := range []string{"backup x", "store check", "store compact", "store rekey --key-file x"} {
		says(t, 1, strings.Fields(line), "--store")
	}
}

func TestAnInconsistentStoreHasAStatusOfItsOwn(t *testing.T) {
	var out bytes.Buffer
	var c gateway.StoreCheck
	if err := json.Unmarshal([]byte(`{"keys":{"op":3},"found":[{"key":"op 7","what":"op-tenant acme 7 is missing"}],"wrong":12}`), &c); err != nil {
		t.Fatal(err)
	}
	err := printReport(&out, c)
	if exitStatus(err) != 2 || !strings.Contains(out.String(), "op 7: op-tenant acme 7 is missing\nand 11 more\nchecked 3 keys: 12 inconsistencies") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestDoctor(t *testing.T) {
	path, v5URL, url, stop := startStored(t)
	line := []string{"doctor", "--store", path, "--v5-url", v5URL, "--url", url}
	out := says(t, 0, line, "a gateway runs on", "version.info at "+url+" answers 3.3.42", "is a reseller", "1000.00 EUR", "exactly one gateway")
	var report struct {
		Status   string
		Findings []gateway.Finding
	}
	text := says(t, 0, append(line, "-o", "json"))
	if err := json.Unmarshal([]byte(text), &report); err != nil || report.Status != "ok" || len(report.Findings) < 12 {
		t.Errorf("%+v, %v", report, err)
	}
	stop()
	out += says(t, 1, line, "warning  listener", "start the gateway", "0 broken, 1 warnings")
	t.Setenv("GATEWAY_SHARING_ID", "22222222-5f7b-11e9-a5c3-00163ec4cb00")
	out += says(t, 2, line, "broken   organization of default", "not among")
	t.Setenv("GATEWAY_V3_KEY", "short")
	out += says(t, 2, line, "broken   configuration", "24 letters or digits")
	out += says(t, 2, append(line, "--certificate", path), "broken   certificate", "no certificate")
	for _, secret := range []string{doctorsToken, demoKey} {
		if strings.Contains(out+text, secret) {
			t.Errorf("it shows %s", secret)
		}
	}
	for _, wrong := range []string{"doctor --no-such-flag", "doctor x", "doctor -o xml", "doctor --timeout soon"} {
		says(t, 2, strings.Fields(wrong))
	}
}
