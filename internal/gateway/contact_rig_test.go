package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kolo/xmlrpc"
	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

// clerk is a gateway in a bubble, whose v5 is a sandbox that normalises contacts
// as v5 might. Both and the test share the fake time.
type clerk struct {
	*rig
	t   *testing.T
	cfg config.Config

	mu      sync.Mutex
	trouble func(*http.Request) int // a status for this request, 0 for v5's own answer
}

// clerks runs a test with n seeded domains, d0.com and so on, that were made
// elsewhere.
func clerks(t *testing.T, n int, fn func(*clerk)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		k := &clerk{t: t, rig: &rig{sim: sandbox.New(sandbox.Options{
			Tokens: []sandbox.Token{{Secret: "v5-secret-token", Orgs: []string{orgA, orgB}}},
			Now:    time.Now, PendingChecks: -1, Normalise: true,
		})}}
		seed := sandbox.Seed{}
		for i := range n {
			seed.Domains = append(seed.Domains, sandbox.SeedDomain{FQDN: numbered(i), SharingID: orgA, Owner: zebulon("")})
		}
		if err := k.sim.Seed(seed); err != nil {
			t.Fatal(err)
		}
		k.cfg = config.Default()
		k.cfg.Store, k.cfg.V5URL, k.cfg.V5Rate = filepath.Join(dir, "store.db"), "http://v5.test/v5", 0
		for name, c := range map[string][2]string{"a": {keyA, orgA}, "b": {keyB, orgB}} {
			k.cfg.Tenants = append(k.cfg.Tenants, config.Tenant{Name: name, V3Key: c[0], V5Token: "v5-secret-token", SharingID: c[1]})
		}
		k.open()
		defer k.close(time.Minute)
		fn(k)
	})
}

func numbered(i int) string { return fmt.Sprintf("d%d.com", i) }

// zebulon is the person of person, as v5 has him, at some street.
func zebulon(street string) map[string]any {
	out := map[string]any{"type": "individual"}
	for name, value := range person() {
		if name != "type" && name != "password" {
			out[name] = value
		}
	}
	if street != "" {
		out["streetaddr"] = street
	}
	return out
}

// RoundTrip is the network to v5.
func (k *clerk) RoundTrip(q *http.Request) (*http.Response, error) {
	k.mu.Lock()
	trouble := k.trouble
	k.mu.Unlock()
	w := httptest.NewRecorder()
	if q.Body == nil {
		q.Body = http.NoBody // as a server has it
	}
	if trouble != nil {
		if status := trouble(q); status != 0 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"code":%d,"message":"trouble"}`, status)
			return w.Result(), nil
		}
	}
	k.sim.Handler().ServeHTTP(w, q)
	return w.Result(), nil
}

func (k *clerk) troubled(fn func(*http.Request) int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.trouble = fn
}

func (k *clerk) open() {
	k.t.Helper()
	g, err := New(k.cfg, Hooks{Log: zap.NewNop(), Transport: k})
	if err != nil {
		k.t.Fatal(err)
	}
	k.Gateway = g
	g.services.Ops.Start()
}

func (k *clerk) close(grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := k.Stop(ctx); err != nil {
		k.t.Error(err)
	}
}

// ask makes a v3 call through the whole chain.
func (k *clerk) ask(key, method string, params ...any) (answer any, err error) {
	k.t.Helper()
	body, err := xmlrpc.EncodeMethodCall(method, append([]any{key}, params...)...)
	if err != nil {
		k.t.Fatal(err)
	}
	h, err := k.Handler()
	if err != nil {
		k.t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/xmlrpc/", strings.NewReader(string(body))))
	raw := xmlrpc.Response(w.Body.Bytes())
	if err := raw.Err(); err != nil {
		return nil, err
	}
	return answer, raw.Unmarshal(&answer)
}

func (k *clerk) must(method string, params ...any) any {
	k.t.Helper()
	answer, err := k.ask(keyA, method, params...)
	if err != nil {
		k.t.Fatalf("%s %v: %v", method, params, err)
	}
	return answer
}

// fails wants a fault with this number, and a text in it.
func (k *clerk) fails(code int, text, key, method string, params ...any) {
	k.t.Helper()
	answer, err := k.ask(key, method, params...)
	f, ok := err.(xmlrpc.FaultError)
	if !ok || f.Code != code || !strings.Contains(f.String, text) {
		k.t.Errorf("%s %v: %v, %v; want fault %d with %q", method, params, answer, err, code, text)
	}
}

// handles are those that domain.info shows, as owner admin bill tech.
func (k *clerk) handles(fqdn string) (out [4]string) {
	k.t.Helper()
	contacts := k.must("domain.info", fqdn).(map[string]any)["contacts"].(map[string]any)
	for i, role := range []string{"owner", "admin", "bill", "tech"} {
		out[i] = contacts[role].(map[string]any)["handle"].(string)
	}
	return out
}

// streets are where v5 has the owner and the admin of a domain.
func (k *clerk) streets(fqdn string) (owner, admin string) {
	k.t.Helper()
	session, err := k.session("a")
	if err != nil {
		k.t.Fatal(err)
	}
	c, err := session.DomainContacts(k.t.Context(), fqdn)
	if err != nil {
		k.t.Fatal(err)
	}
	return c.Owner.StreetAddr, c.Admin.StreetAddr
}

// elsewhere changes a contact of a domain without the gateway.
func (k *clerk) elsewhere(fqdn string, c v5.Contacts) {
	k.t.Helper()
	session, err := k.session("a")
	if err == nil {
		err = session.SetContacts(k.t.Context(), fqdn, c)
	}
	if err != nil {
		k.t.Fatal(err)
	}
	time.Sleep(time.Second)
}

// updates gives the operations of a type, the newest first.
func (k *clerk) updates(typ string) (ops []map[string]any) {
	k.t.Helper()
	for _, op := range k.must("operation.list", map[string]any{"type": typ, "sort_by": "id desc"}).([]any) {
		ops = append(ops, op.(map[string]any))
	}
	return ops
}

// changes counts the requests that changed something, by method and name.
func (k *clerk) changes() map[string]int {
	n := map[string]int{}
	for _, q := range k.sim.Requests() {
		if q.Method == "PATCH" || q.Method == "PUT" {
			n[q.Method+" "+strings.Split(q.Path, "/")[4]]++
		}
	}
	return n
}
