package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kolo/xmlrpc"
	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

// childEnv tells a run of this test binary that it is to die for another one,
// and how.
const childEnv = "V3GATE_TEST_KILL_CHILD"

// death is what a child is told: which gateway to run, what to buy, where in the
// journal to kill itself, and how fast its clock runs.
type death struct {
	Store, V5, Method, Point string
	Speed                    int
	Nth                      int    // which time it comes to the point; 0 is the first
	Handle                   string // of the contact to update
}

const killed = "killed.net"

// A process killed with SIGKILL between any two steps of the journal, or while
// v5 works, leaves a store from which the next one brings the operation to its
// end. It is paid for once, and v5 sees at most one order.
func TestKill(t *testing.T) {
	for _, method := range []string{"domain.create", "domain.owner.set"} {
		for _, c := range []struct {
			point   string // "": the child survives, or v5 kills it
			network string
		}{
			{"intended", ""}, {"dry-run", ""}, {"sending", ""}, {"sent", ""}, {"outcome", ""},
			{"sent", "answer lost"}, {"outcome", "answer lost"},
			{"intended", "dry run ignored"}, {"dry-run", "dry run ignored"}, {"outcome", "dry run ignored"},
			{"", "dies before v5 works"}, {"", "dies after v5 works"}, {"", "dies as v5 ignores its dry run"},
			{"", ""},
		} {
			t.Run(strings.Join([]string{method, c.point, c.network}, " "), func(t *testing.T) {
				t.Parallel()
				v := newKillV5(t, method, c.network)
				d := death{Store: filepath.Join(t.TempDir(), "store.db"), V5: v.url, Method: method, Point: c.point, Speed: 100}
				v.run(t, d, c.point != "" || strings.HasPrefix(c.network, "dies"))
				v.recover(t, d)
			})
		}
	}
}

// killV5 is the v5 that outlives both processes, and the network to it.
type killV5 struct {
	sim *sandbox.Sandbox
	url string

	mu    sync.Mutex
	child *os.Process // to be killed by a request, once
	lost  int         // answers still to be lost
}

func newKillV5(t *testing.T, method, network string) *killV5 {
	t.Helper()
	ignores := strings.Contains(network, "ignore")
	v := &killV5{sim: sandbox.New(sandbox.Options{StepTime: 5 * time.Millisecond, PendingChecks: -1, IgnoreDryRun: ignores, Normalise: true})}
	if err := v.sim.Seed(killSeeds[method]); err != nil {
		t.Fatal(err)
	}
	if network == "answer lost" {
		v.lost = 1
	}
	api := v.sim.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		order := q.Method == "POST" && (q.Header.Get("Dry-Run") == "" || ignores)
		if !order || !v.misfortune(network) {
			api.ServeHTTP(w, q)
			return
		}
		if network != "dies before v5 works" {
			api.ServeHTTP(httptest.NewRecorder(), q)
		}
		v.killChild()
		panic(http.ErrAbortHandler)
	}))
	server.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	t.Cleanup(server.Close)
	v.url = server.URL + "/v5"
	return v
}

// misfortune tells whether something happens to this order.
func (v *killV5) misfortune(network string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if strings.HasPrefix(network, "dies") {
		return v.child != nil
	}
	v.lost--
	return v.lost >= 0
}

func (v *killV5) killChild() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.child != nil {
		v.child.Kill()
		v.child = nil
	}
}

// run lets a child make the call and waits for its end.
func (v *killV5) run(t *testing.T, d death, dies bool) {
	t.Helper()
	order, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKillChild$", "-test.timeout=60s")
	child.Env = append(os.Environ(), childEnv+"="+string(order))
	var said strings.Builder
	child.Stdout, child.Stderr = &said, &said
	// The requests of a child that is to be killed by one must find it.
	v.mu.Lock()
	err = child.Start()
	if d.Point == "" && dies {
		v.child = child.Process
	}
	v.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	err = child.Wait()
	status := child.ProcessState.Sys().(syscall.WaitStatus)
	if got := status.Signaled() && status.Signal() == syscall.SIGKILL; got != dies || !dies && err != nil {
		t.Fatalf("the child ended with %v, killed %t; it said: %s", err, got, said.String())
	}
}

// TestKillChild is the child's half of TestKill and does nothing by itself.
func TestKillChild(t *testing.T) {
	var d death
	if order := os.Getenv(childEnv); order == "" {
		return
	} else if err := json.Unmarshal([]byte(order), &d); err != nil {
		t.Fatal(err)
	}
	times := atomic.Int64{}
	r := d.gateway(t, func(point string) {
		if point == d.Point && times.Add(1) >= int64(d.Nth) {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // it takes a moment, in which nothing may happen
		}
	})
	if d.Method == "contact.update" {
		r.must(t, d.Method, keyA, d.Handle, map[string]any{"streetaddr": crowdMoved})
		select {} // it is killed by its background
	}
	if d.Method == withSequel {
		r.must(t, "domain.create", keyA, killed, d.params(t, r))
		select {} // likewise
	}
	r.must(t, d.Method, keyA, killed, d.params(t, r))
}

// params are those of the call that a child makes.
func (d *death) params(t *testing.T, r *rig) map[string]any {
	t.Helper()
	switch d.Method {
	case "domain.renew":
		return map[string]any{"duration": 1, "current_year": renewedFrom.Year()}
	case "domain.restore":
		return map[string]any{"duration": 1}
	}
	handle := r.must(t, "contact.create", keyA, person())["handle"]
	params := map[string]any{"owner": handle, "admin": handle, "bill": handle, "tech": handle}
	switch d.Method {
	case "domain.create":
		params["duration"] = 1
	case withSequel:
		zone := r.must(t, "domain.zone.create", keyA, map[string]any{"name": "killed"})["id"]
		r.must(t, "domain.zone.record.add", keyA, zone, 1, map[string]any{"name": "www", "type": "A", "value": "192.0.2.1"})
		params["duration"], params["zone_id"], params["webredir"] = 1, zone, redirects
	case "domain.transferin.proceed":
		params["authinfo"] = "sesame"
	case "domain.owner.set":
		contacts := r.must(t, "domain.info", keyA, killed)["contacts"].(map[string]any)
		params["old_owner"] = contacts["owner"].(map[string]any)["handle"]
	}
	return params
}

// gateway starts a gateway on the store. Its clock runs many times as fast as
// others, so that the ten seconds between two looks are a part of one.
func (d *death) gateway(t *testing.T, at func(string)) *rig {
	t.Helper()
	cfg := config.Default()
	cfg.Listen, cfg.Admin, cfg.Store, cfg.V5URL = "127.0.0.1:0", "127.0.0.1:0", d.Store, d.V5
	cfg.Tenants = []config.Tenant{{Name: "a", V3Key: keyA, V5Token: sandbox.DefaultToken, SharingID: orgA}}
	cfg.V5Rate = 0
	begin := time.Now()
	g, err := New(cfg, Hooks{
		Log: zap.NewNop(), At: at,
		Now: func() time.Time { return begin.Add(time.Duration(d.Speed) * time.Since(begin)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Gateway: g}
	t.Cleanup(r.stop)
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// recover starts the next process and checks what becomes of the operation.
func (v *killV5) recover(t *testing.T, d death) {
	t.Helper()
	r := d.gateway(t, nil)
	client, err := xmlrpc.NewClient("http://"+r.Addr()+"/xmlrpc/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var all []struct {
		ID   int64  `xmlrpc:"id"`
		Type string `xmlrpc:"type"`
	}
	if err := client.Call("operation.list", []any{keyA}, &all); err != nil {
		t.Fatal(err)
	}
	types := map[string]string{"domain.create": "domain_create", "domain.owner.set": "domain_change_owner"}
	if len(all) != 1 || all[0].Type != types[d.Method] {
		t.Fatalf("operations %+v, want one for %s", all, d.Method)
	}
	var op map[string]any
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if op = r.must(t, "operation.info", keyA, all[0].ID); op["step"] == "DONE" {
			break
		}
	}
	if op["step"] != "DONE" {
		t.Errorf("operation %v", op)
	}
	if ledger := v.sim.Ledger(); len(ledger) != 1 {
		t.Errorf("ledger %v, want one charge", ledger)
	}
	orders := 0
	for _, q := range v.sim.Requests() {
		if q.Method == "POST" && !q.DryRun {
			orders++
		}
	}
	if orders > 1 {
		t.Errorf("%d orders reached v5", orders)
	}
	// The handles of the caller are the domain's now: DONE and this are one
	// commit.
	contacts := r.must(t, "domain.info", keyA, killed)["contacts"].(map[string]any)
	if owner, params := contacts["owner"].(map[string]any)["handle"], op["params"].(map[string]any); owner != params["owner"] {
		t.Errorf("owner %v, want %v", owner, params["owner"])
	}
}
