package gateway

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kolo/xmlrpc"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
	"v3gate/internal/telemetry"
	"v3gate/internal/v5"
)

// paidRig is a gateway for three tenants: a and c share an organization, b has
// its own. All that leaves towards logs and observers is kept.
type paidRig struct {
	rig
	api http.Handler // in front of the simulation; nil is the simulation itself

	ahead atomic.Int64 // of the real time, for the clock of operations

	mu        sync.Mutex
	exchanges []v5.Exchange
}

const keyOfC = "cccccccccccccccccccccccc"

func newPaidRig(t *testing.T, o sandbox.Options, change func(*config.Config)) *paidRig {
	t.Helper()
	o.Tokens, o.PendingChecks = []sandbox.Token{{Secret: "v5-secret-token", Orgs: []string{orgA, orgB}}}, -1
	if o.StepTime == 0 {
		o.StepTime = time.Millisecond
	}
	r := &paidRig{rig: rig{log: &bytes.Buffer{}, store: filepath.Join(t.TempDir(), "store.db"), sim: sandbox.New(o)}}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		h := r.api
		r.mu.Unlock()
		if h == nil {
			h = r.sim.Handler()
		}
		h.ServeHTTP(w, q)
	}))
	t.Cleanup(api.Close)
	cfg := config.Default()
	cfg.Listen, cfg.Admin, cfg.Store, cfg.V5URL = "127.0.0.1:0", "127.0.0.1:0", r.store, api.URL+"/v5"
	for name, c := range map[string][2]string{"a": {keyA, orgA}, "b": {keyB, orgB}, "c": {keyOfC, orgA}} {
		cfg.Tenants = append(cfg.Tenants, config.Tenant{Name: name, V3Key: c[0], V5Token: "v5-secret-token", SharingID: c[1]})
	}
	if change != nil {
		change(&cfg)
	}
	log, err := telemetry.NewLogger(r.log, "debug")
	if err != nil {
		t.Fatal(err)
	}
	r.Gateway, err = New(cfg, Hooks{
		Log: log, Now: func() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) },
		Exchanged: func(x v5.Exchange) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.exchanges = append(r.exchanges, x)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	return r
}

// before puts a handler in front of the simulation.
func (r *paidRig) before(h func(http.ResponseWriter, *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.api = http.HandlerFunc(h)
}

// ask is call for answers of any type.
func (r *rig) ask(t testing.TB, method string, params ...any) (any, error) {
	t.Helper()
	client, err := xmlrpc.NewClient("http://"+r.Addr()+"/xmlrpc/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var answer any
	err = client.Call(method, params, &answer)
	return answer, err
}

// becomes waits until an operation is in a step, and gives it.
func (r *rig) becomes(t *testing.T, id any, step string) map[string]any {
	t.Helper()
	return r.comes(t, id, step, 20*time.Second)
}

// becomesSlowly is becomes for what has many steps: there are ten seconds between
// two looks at one of them.
func (r *rig) becomesSlowly(t *testing.T, id any, step string) map[string]any {
	t.Helper()
	return r.comes(t, id, step, 90*time.Second)
}

func (r *rig) comes(t *testing.T, id any, step string, most time.Duration) map[string]any {
	t.Helper()
	var op map[string]any
	for deadline := time.Now().Add(most); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if op = r.must(t, "operation.info", keyA, id); op["step"] == step {
			return op
		}
	}
	t.Fatalf("operation %v, want %s", op, step)
	return nil
}

// faults fails unless an error is the fault with this code and text.
func faults(t *testing.T, what string, err error, code int, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(code)) || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v, want fault %d with %q", what, err, code, text)
	}
}

func (r *paidRig) seed(t *testing.T, s sandbox.Seed) {
	t.Helper()
	if err := r.sim.Seed(s); err != nil {
		t.Fatal(err)
	}
}

// createParams are those of a registration, for a new contact of the first tenant.
func (r *rig) createParams(t *testing.T) map[string]any {
	t.Helper()
	handle := r.must(t, "contact.create", keyA, person())["handle"]
	return map[string]any{"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// orders are the requests that were not asked to be dry runs.
func (r *paidRig) orders() (list []string) {
	for _, q := range r.sim.Requests() {
		if q.Method != "GET" && !q.DryRun {
			list = append(list, q.Method+" "+strings.TrimPrefix(q.Path, "/v5"))
		}
	}
	return list
}
