package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
	"v3gate/internal/telemetry"
	"v3gate/internal/tenant"
)

const keyC = "cccccccccccccccccccccccc"

// reloadRig is a gateway whose configuration is a file.
type reloadRig struct {
	*rig
	file string
	v5   string
	logs *lockedBuffer
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newReloadRig(t *testing.T, step time.Duration, transport http.RoundTripper, tenants string) *reloadRig {
	t.Helper()
	r := &reloadRig{rig: &rig{}, logs: &lockedBuffer{}, file: filepath.Join(t.TempDir(), "gateway.toml")}
	r.sim = sandbox.New(sandbox.Options{
		Tokens: []sandbox.Token{
			{Secret: "first-v5-secret", Orgs: []string{orgA, orgB}}, {Secret: "second-v5-secret", Orgs: []string{orgA, orgB}},
		},
		StepTime: step, PendingChecks: -1,
	})
	api := httptest.NewServer(r.sim.Handler())
	t.Cleanup(api.Close)
	r.store, r.v5 = filepath.Join(t.TempDir(), "store.db"), api.URL+"/v5"
	r.write(t, "", tenants)
	from := config.From{File: r.file}
	loaded := from.Load()
	if err := loaded.Validate(); err != nil {
		t.Fatal(err)
	}
	log, err := telemetry.NewLogger(r.logs, "info")
	if err != nil {
		t.Fatal(err)
	}
	r.Gateway, err = New(loaded.Config, Hooks{Log: log, Transport: transport, Reread: from.Load})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	return r
}

func (r *reloadRig) start(t *testing.T) *reloadRig {
	t.Helper()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// write makes the file anew. A line of settings comes before those of the rig
// that it must not repeat.
func (r *reloadRig) write(t *testing.T, settings, tenants string) {
	t.Helper()
	text := fmt.Sprintf("%s\nadmin = \"127.0.0.1:0\"\nstore = %q\nv5_url = %q\n", settings, r.store, r.v5)
	if !strings.Contains(settings, "listen") {
		text += "listen = \"127.0.0.1:0\"\n"
	}
	if err := os.WriteFile(r.file, []byte(text+tenants), 0o600); err != nil {
		t.Fatal(err)
	}
}

func tenantText(name, key, token, org string) string {
	return fmt.Sprintf("[[tenant]]\nname = %q\nv3_keys = [%q]\nv5_token = %q\nsharing_id = %q\nrate = 0\n", name, key, token, org)
}

var (
	tenantA = tenantText("a", keyA, "first-v5-secret", orgA)
	tenantB = tenantText("b", keyB, "first-v5-secret", orgB)
	tenantC = tenantText("c", keyC, "second-v5-secret", orgB)
)

// serves tells whether a key opens the gateway.
func (r *reloadRig) serves(t *testing.T, key string) bool {
	t.Helper()
	_, err := r.call(t, "contact.info", key)
	if err != nil && !strings.Contains(err.Error(), "510150") {
		t.Errorf("%s: %v", key, err)
	}
	return err == nil
}

func TestReloadReplacesTenants(t *testing.T) {
	r := newReloadRig(t, time.Millisecond, nil, tenantA+tenantB)
	var renewed []string
	r.OnReload(func(c config.Config) (func(), error) {
		return func() { renewed = append(renewed, c.Tenants[1].Name) }, nil
	})
	r.OnReload(func(config.Config) (func(), error) { return nil, nil })
	r.start(t)
	r.write(t, "v5_rate = 10\nlisten = \"127.0.0.1:7\"", tenantA+tenantC)
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if !r.serves(t, keyA) || r.serves(t, keyB) || !r.serves(t, keyC) {
		t.Error("the tenants of the new file are not those in force")
	}
	if limits := r.limiter.lane("c").limits; limits != (tenant.Limits{InFlight: 64, Window: 2 * time.Second}) {
		t.Errorf("the limits of the new tenant are %+v", limits)
	}
	if !slices.Equal(renewed, []string{"c"}) {
		t.Errorf("what was registered renewed %v", renewed)
	}
	for _, want := range []string{
		`"msg":"the configuration was read again and is in force","tenants":2,"added":["c"],"removed":["b"]`,
		`"msg":"some settings have changed that need a restart; the old values stay in force","settings":["listen","v5_rate"]`,
	} {
		if !strings.Contains(r.logs.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, r.logs)
		}
	}
	metrics := get(t, "http://"+r.AdminAddr()+"/metrics")
	for _, want := range []string{`gateway_config_reloads_total{result="ok"} 1`, `gateway_config_last_reload_success 1`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestABadConfigurationKeepsTheOldOne(t *testing.T) {
	r := newReloadRig(t, time.Millisecond, nil, tenantA+tenantB)
	var refuse atomic.Bool
	var applied atomic.Int32
	for range 2 {
		r.OnReload(func(config.Config) (func(), error) {
			if refuse.Load() {
				return nil, errors.New("the certificate has ended")
			}
			return func() { applied.Add(1) }, nil
		})
	}
	r.start(t)
	hidden := "third-v5-secret"
	for i, c := range []struct{ tenants, want string }{
		{tenantC + "[[tenant", "expected"},
		{tenantC + "sharing = \"x\"\n", "unknown key sharing; the nearest known key is sharing_id"},
		{tenantC + "v5_token_file = \"absent\"\n", "absent: no such file"},
		{tenantC + tenantText("d", keyC, hidden, orgA), "one of its v3 keys is given twice"},
		{tenantC + tenantText("c", keyB, hidden, orgA), "is used twice"},
		{tenantC + tenantText("d", keyC+"x", hidden, orgA), "not 24 letters or digits"},
		{"", "tenant: there is none"},
		{tenantC, "the certificate has ended"},
	} {
		refuse.Store(strings.Contains(c.want, "certificate"))
		r.write(t, "", c.tenants)
		if err := r.Reload(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Reload = %v, want %s", err, c.want)
		}
		if !r.serves(t, keyA) || !r.serves(t, keyB) || r.serves(t, keyC) {
			t.Errorf("%s: the old tenants are not those in force", c.want)
		}
		metrics := get(t, "http://"+r.AdminAddr()+"/metrics")
		for _, want := range []string{fmt.Sprintf(`gateway_config_reloads_total{result="failed"} %d`, i+1), "gateway_config_last_reload_success 0"} {
			if !strings.Contains(metrics, want) {
				t.Errorf("%s: no %s", c.want, want)
			}
		}
		if !strings.Contains(r.logs.String(), c.want) {
			t.Errorf("the log does not say %s", c.want)
		}
	}
	if applied.Load() != 0 {
		t.Error("something of a bad configuration was put into force")
	}
	if strings.Contains(r.logs.String(), "v5-secret") || strings.Contains(r.logs.String(), keyC) {
		t.Errorf("the log shows a secret:\n%s", r.logs)
	}
	refuse.Store(false)
	r.write(t, "", tenantC)
	if err := r.Reload(); err != nil || !r.serves(t, keyC) || applied.Load() != 2 {
		t.Errorf("a good one after that: %v, %d applied", err, applied.Load())
	}
	if !strings.Contains(get(t, "http://"+r.AdminAddr()+"/metrics"), "gateway_config_last_reload_success 1") {
		t.Error("the gauge stays at 0")
	}
}

// gate is a transport whose requests can be held up, and that knows by which
// credential and for which organization each was.
type gate struct {
	hold    chan struct{} // nil lets all through
	arrived chan struct{}

	mu   sync.Mutex
	seen map[string]int
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	g.mu.Lock()
	g.seen[r.Header.Get("Authorization")+" "+r.URL.Query().Get("sharing_id")]++
	g.mu.Unlock()
	if g.hold != nil {
		select {
		case g.arrived <- struct{}{}:
		default:
		}
		<-g.hold
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestCallsInFlightKeepTheirTenant(t *testing.T) {
	v5 := &gate{hold: make(chan struct{}), arrived: make(chan struct{}, 1), seen: map[string]int{}}
	r := newReloadRig(t, time.Millisecond, v5, tenantA).start(t)
	done := make(chan error, 1)
	go func() {
		_, err := r.call(t, "contact.info", keyA) // asks v5 who the tenant is, in more than one request
		done <- err
	}()
	<-v5.arrived
	r.write(t, "", tenantC)
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	close(v5.hold)
	if err := <-done; err != nil {
		t.Errorf("a call in flight: %v", err)
	}
	if r.serves(t, keyA) {
		t.Error("a new call finds the old tenant")
	}
	v5.mu.Lock()
	defer v5.mu.Unlock()
	if len(v5.seen) != 1 {
		t.Errorf("requests as %v", v5.seen)
	}
	for used, n := range v5.seen {
		if !strings.HasPrefix(used, "Bearer first-v5-secret") {
			t.Errorf("%d requests as %q", n, used)
		}
	}
}

// Under load each call finds a whole tenant: its credential and its organization
// are of the same file.
func TestReloadUnderLoad(t *testing.T) {
	v5 := &gate{seen: map[string]int{}}
	first := tenantText("a", keyA, "first-v5-secret", orgA) + tenantText("b", keyB, "first-v5-secret", orgA)
	second := tenantText("a", keyA, "second-v5-secret", orgB) + tenantText("b", keyB, "second-v5-secret", orgB)
	r := newReloadRig(t, time.Millisecond, v5, first).start(t)
	end := make(chan struct{})
	var callers sync.WaitGroup
	var made atomic.Int64
	for i := range 4 {
		key := []string{keyA, keyB}[i%2]
		callers.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				name := fmt.Sprintf("free-%d.net", made.Add(1))
				if _, err := r.call(t, "domain.available", key, []any{name}); err != nil {
					t.Errorf("a call while the configuration changes: %v", err)
					return
				}
			}
		})
	}
	texts := []string{first, second, "[[tenant", first + "nonsense = 1\n"}
	for i := range 60 {
		r.write(t, "", texts[i%4])
		if err := r.Reload(); (err == nil) != (i%4 < 2) {
			t.Errorf("reload %d: %v", i, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
	close(end)
	callers.Wait()
	v5.mu.Lock()
	defer v5.mu.Unlock()
	if made.Load() < 20 || len(v5.seen) != 2 || v5.seen["Bearer first-v5-secret "+orgA] == 0 || v5.seen["Bearer second-v5-secret "+orgB] == 0 {
		t.Errorf("%d calls, as %v", made.Load(), v5.seen)
	}
}

// An operation of a tenant that is gone stays in the journal, and goes on when
// the tenant comes back.
func TestOperationsOfAVanishedTenantWait(t *testing.T) {
	r := newReloadRig(t, 200*time.Millisecond, nil, tenantA+tenantB).start(t)
	handle := r.must(t, "contact.create", keyA, person())["handle"].(string)
	op := r.must(t, "domain.create", keyA, "stays.net", map[string]any{
		"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1,
	})
	r.write(t, "", tenantB)
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.session("a"); err == nil || !strings.Contains(err.Error(), "no longer configured") {
		t.Errorf("a session of a tenant that is gone: %v", err)
	}
	time.Sleep(1500 * time.Millisecond) // a turn or two without it
	id := op["id"].(int64)
	kept, err := r.services.Ops.Find(id)
	if err != nil || kept.Step.AtEnd() || kept.Tenant != "a" {
		t.Fatalf("the operation is %s, %v", kept.Step, err)
	}
	r.write(t, "", tenantA+tenantB)
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if r.must(t, "operation.info", keyA, id)["step"] == "DONE" {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("the operation is not DONE: %v", r.must(t, "operation.info", keyA, id))
}

func TestReloadWithoutASource(t *testing.T) {
	r := newRig(t, nil)
	if err := r.Reload(); err == nil {
		t.Error("reloaded from nowhere")
	}
}

// Through the whole chain: a tenant whose calls hang waits for itself only, and
// is told what to do.
func TestLimitsInTheChain(t *testing.T) {
	v5 := &gate{hold: make(chan struct{}), arrived: make(chan struct{}, 1), seen: map[string]int{}}
	r := newReloadRig(t, time.Millisecond, v5, "call_timeout = \"2s\"\n"+tenantA+"in_flight = 1\n"+tenantB).start(t)
	hung := make(chan error, 1)
	go func() {
		_, err := r.call(t, "contact.info", keyA)
		hung <- err
	}()
	<-v5.arrived
	begin := time.Now()
	_, err := r.call(t, "contact.list", keyA)
	if err == nil || !strings.Contains(err.Error(), "Fault(150004): Error on object : OBJECT_APPLICATION (CAUSE_TOOMANY) [too many calls at a time") {
		t.Errorf("a call too many: %v", err)
	}
	if took := time.Since(begin); took < 1400*time.Millisecond {
		t.Errorf("it was refused after %s, without waiting", took)
	}
	r.must(t, "version.info", keyB)
	close(v5.hold)
	<-hung
	metrics := get(t, "http://"+r.AdminAddr()+"/metrics")
	for _, want := range []string{
		`gateway_limit_refused_total{limit="in_flight"} 1`, `gateway_limit_refused_total{limit="rate"} 0`,
		`gateway_faults_total{code="150004"} 1`, `gateway_limit_wait_seconds_count{limit="rate"} 3`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s", want)
		}
	}
}
