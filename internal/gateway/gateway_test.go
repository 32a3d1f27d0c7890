package gateway

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kolo/xmlrpc"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
	"v3gate/internal/telemetry"
)

const (
	keyA = "aaaaaaaaaaaaaaaaaaaaaaaa"
	keyB = "bbbbbbbbbbbbbbbbbbbbbbbb"
	orgA = sandbox.DefaultSharingID
	orgB = "22222222-5f7b-11e9-a5c3-00163ec4cb00"
)

// rig is a gateway in front of a simulation, both over real HTTP.
type rig struct {
	*Gateway
	sim   *sandbox.Sandbox
	store string
	log   *bytes.Buffer
}

func newRig(t testing.TB, change func(*config.Config)) *rig {
	t.Helper()
	r := &rig{log: &bytes.Buffer{}, store: filepath.Join(t.TempDir(), "store.db")}
	r.sim = sandbox.New(sandbox.Options{
		Tokens:   []sandbox.Token{{Secret: "v5-secret-token", Orgs: []string{orgA, orgB}}},
		StepTime: time.Millisecond, PendingChecks: -1,
	})
	api := httptest.NewServer(r.sim.Handler())
	t.Cleanup(api.Close)
	cfg := config.Default()
	cfg.Listen, cfg.Admin, cfg.Store, cfg.V5URL = "127.0.0.1:0", "127.0.0.1:0", r.store, api.URL+"/v5"
	cfg.Tenants = []config.Tenant{
		{Name: "a", V3Key: keyA, V5Token: "v5-secret-token", SharingID: orgA},
		{Name: "b", V3Key: keyB, V5Token: "v5-secret-token", SharingID: orgB},
	}
	if change != nil {
		change(&cfg)
	}
	log, err := telemetry.NewLogger(r.log, "debug")
	if err != nil {
		t.Fatal(err)
	}
	if r.Gateway, err = New(cfg, Hooks{Log: log, Simulation: simulated(t)}); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	return r
}

func (r *rig) stop() {
	if r.Gateway != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		r.Stop(ctx)
		r.Gateway = nil
	}
}

func (r *rig) call(t testing.TB, method string, params ...any) (map[string]any, error) {
	t.Helper()
	client, err := xmlrpc.NewClient("http://"+r.Addr()+"/xmlrpc/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var answer any
	err = client.Call(method, params, &answer)
	m, _ := answer.(map[string]any)
	return m, err
}

func (r *rig) must(t testing.TB, method string, params ...any) map[string]any {
	t.Helper()
	m, err := r.call(t, method, params...)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return m
}

// register registers a domain and waits until the caller can see it.
func (r *rig) register(t *testing.T, key, fqdn string) (handle string) {
	t.Helper()
	handle = r.must(t, "contact.create", key, person())["handle"].(string)
	op := r.must(t, "domain.create", key, fqdn, map[string]any{
		"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1,
	})
	for range 100 {
		if r.must(t, "operation.info", key, op["id"])["step"] == "DONE" {
			return handle
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s is not DONE", fqdn)
	return ""
}

func person() map[string]any {
	return map[string]any{
		"given": "Zebulon", "family": "Quackenbush", "email": "zeb@quackenbush.example", "streetaddr": "7 Xylophone Lane",
		"zip": "75011", "city": "Paris", "country": "FR", "phone": "+33.198765432", "type": 0, "password": "hunter2hunter2",
	}
}

// Two tenants behind one credential: what one has, the other neither sees nor
// reaches.
func TestTenantsDoNotSeeEachOther(t *testing.T) {
	r := newRig(t, nil)
	handle := r.register(t, keyA, "tenant-a.net")
	ops := r.must(t, "domain.info", keyA, "tenant-a.net")
	if ops["fqdn"] != "tenant-a.net" {
		t.Fatalf("the owner sees %v", ops)
	}
	for _, c := range []struct {
		method string
		params []any
		code   int
	}{
		{"domain.info", []any{keyB, "tenant-a.net"}, 510042},
		{"contact.info", []any{keyB, handle}, 516150},
		{"operation.info", []any{keyB, 1000000000}, 510250},
		{"domain.contacts.set", []any{keyB, "tenant-a.net", map[string]any{"tech": handle}}, 516150},
		{"domain.info", []any{map[string]any{"apikey": keyB, "handle": handle}, "tenant-a.net"}, 516150},
	} {
		if _, err := r.call(t, c.method, c.params...); err == nil || !strings.Contains(err.Error(), fmt.Sprint(c.code)) {
			t.Errorf("%s as the other tenant: %v, want fault %d", c.method, err, c.code)
		}
	}
	own := r.must(t, "contact.create", keyB, person())["handle"].(string)
	for method, params := range map[string]map[string]any{
		"domain.contacts.set": {"tech": own},
		"domain.owner.set":    {"owner": own, "admin": own, "bill": own, "tech": own, "old_owner": own},
	} {
		if _, err := r.call(t, method, keyB, "tenant-a.net", params); err == nil || !strings.Contains(err.Error(), "510042") {
			t.Errorf("%s on the other's domain: %v, want fault 510042", method, err)
		}
	}
	if n := len(r.sim.Ledger()); n != 1 {
		t.Errorf("%d charges, want the one registration", n)
	}
}

// Neither log nor store nor the metrics hold a key, a token, a password or, but
// for the store, contact data.
func TestSecretsStayOutOfLogAndStore(t *testing.T) {
	r := newRig(t, nil)
	r.register(t, keyA, "secret.net")
	r.call(t, "domain.info", keyA+"x", "secret.net")
	r.call(t, "contact.create", keyA, map[string]any{"phone": "+33.198765432"})
	bad := person()
	bad["phone"] = "0198765432"
	r.call(t, "contact.create", keyA, bad)
	metrics := get(t, "http://"+r.AdminAddr()+"/metrics")
	r.stop()
	raw, err := os.ReadFile(r.store)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{keyA, "v5-secret-token", "hunter2hunter2"}
	personal := []string{"Zebulon", "Quackenbush", "Xylophone", "quackenbush.example", "98765432"}
	for _, s := range append(secrets, personal...) {
		if strings.Contains(r.log.String(), s) || strings.Contains(metrics, s) {
			t.Errorf("log or metrics hold %q", s)
		}
	}
	for _, s := range secrets {
		if bytes.Contains(raw, []byte(s)) {
			t.Errorf("the store holds %q", s)
		}
	}
	if lines := strings.Count(r.log.String(), `"msg":"call"`); lines < 5 {
		t.Errorf("%d calls are logged", lines)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", res.StatusCode, body)
}

// No answer of a row is known that cannot be written; the codec tells of one like this.
func TestAnAnswerThatCannotBeWritten(t *testing.T) {
	r := newRig(t, nil)
	code, text := r.unwritable(errors.New("member id: int 4294967296 does not fit 32 bits"))
	if code != 150000 || !strings.Contains(text, "Internal Server Error, request ") || strings.Contains(text, "member") {
		t.Errorf("fault %d: %s", code, text)
	}
	if metrics := get(t, "http://"+r.AdminAddr()+"/metrics"); !strings.Contains(metrics, `gateway_faults_total{code="150000"} 1`) {
		t.Error("the fault is not counted")
	}
	r.stop()
	if log := r.log.String(); !strings.Contains(log, "an answer could not be written") || !strings.Contains(log, "does not fit 32 bits") {
		t.Errorf("log %s", log)
	}
}

func TestMetricsCountWhatHappened(t *testing.T) {
	r := newRig(t, nil)
	r.register(t, keyA, "counted.net")
	r.call(t, "domain.info", keyA, "absent.net")
	r.call(t, "system.multicall", []any{})
	r.must(t, "contact.create", keyA, func() map[string]any { p := person(); p["community"] = true; return p }())
	metrics := get(t, "http://"+r.AdminAddr()+"/metrics")
	for _, want := range []string{
		`gateway_calls_total{method="domain.create",outcome="ok"} 1`,
		`gateway_calls_total{method="domain.info",outcome="fault"} 1`,
		`gateway_calls_total{method="unknown",outcome="fault"} 1`,
		`gateway_faults_total{code="510042"} 1`,
		`gateway_faults_total{code="1"} 1`,
		`gateway_v5_requests_total{route="POST /domain/domains",status="202"} 1`,
		`gateway_operations{step="DONE",type="domain_create"} 1`,
		`gateway_operations_oldest_open_seconds 0`,
		`gateway_handles 3`,
		`gateway_ignored_parameters_total{method="contact.create",parameter="params.community"} 1`,
		`gateway_build_info{`,
		`gateway_v5_request_duration_seconds_count`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics do not have %s", want)
		}
	}
}

func TestHealth(t *testing.T) {
	r := newRig(t, nil)
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := get(t, "http://"+r.AdminAddr()+path); !strings.HasPrefix(got, "200 ok") {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// Names of v3 that have no row are unknown, not refused.
func TestOtherNamespacesAreUnknown(t *testing.T) {
	r := newRig(t, nil)
	for _, method := range []string{"system.multicall", "notification.list", "security.key.renew", "site.create", "paas.info",
		"cert.list", "hosting.vm.list", "contanct.update", "DOMAIN.INFO"} {
		want := fmt.Sprintf(`Fault(1): Method "%s" is not supported`, method)
		if _, err := r.call(t, method, keyA); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := r.call(t, "domain.misc.ukrights", keyA); err == nil || !strings.Contains(err.Error(), "501654") {
		t.Errorf("a refused method: %v", err)
	}
}

// A client that reads until the server closes (gad) ends after the idle time.
func TestIdleConnectionsAreClosed(t *testing.T) {
	r := newRig(t, func(c *config.Config) { c.IdleTimeout = 50 * time.Millisecond })
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := "<methodCall><methodName>version.info</methodName></methodCall>"
	fmt.Fprintf(conn, "POST /xmlrpc/ HTTP/1.1\nHost: rpc.gandi.net\nContent-Length: %d\n\n%s", len(body), body)
	conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	answer, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil || !bytes.Contains(answer, []byte("3.3.42")) {
		t.Fatalf("%v: %s", err, answer)
	}
}

func TestStartNamesTheListenerThatFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := config.Default()
	cfg.Listen, cfg.Admin, cfg.Store = "127.0.0.1:0", taken.Addr().String(), filepath.Join(t.TempDir(), "s.db")
	cfg.Tenants = []config.Tenant{{Name: "a", V3Key: keyA, V5Token: "x"}}
	g, err := New(cfg, Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Start(); err == nil || !strings.Contains(err.Error(), "metrics and health") {
		t.Errorf("Start = %v", err)
	}
	if err := g.Ready(); err == nil {
		t.Error("ready without having started")
	}
	if err := g.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
