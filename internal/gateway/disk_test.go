package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

// diskRig is a gateway whose store fails to commit while broken is set.
func diskRig(t *testing.T) (r *rig, broken *atomic.Bool) {
	t.Helper()
	broken = &atomic.Bool{}
	r = &rig{store: filepath.Join(t.TempDir(), "store.db")}
	r.sim = sandbox.New(sandbox.Options{PendingChecks: -1})
	api := httptest.NewServer(r.sim.Handler())
	t.Cleanup(api.Close)
	r.Gateway = startOn(t, r.store, api.URL, store.BeforeCommit(func() error {
		if broken.Load() {
			return errors.New("read-only file system")
		}
		return nil
	}))
	t.Cleanup(r.stop)
	return r, broken
}

func startOn(t *testing.T, path, api string, options ...store.Option) *Gateway {
	t.Helper()
	cfg := config.Default()
	cfg.Listen, cfg.Admin, cfg.Store, cfg.V5URL = "127.0.0.1:0", "127.0.0.1:0", path, api+"/v5"
	cfg.Tenants = []config.Tenant{{Name: "a", V3Key: keyA, V5Token: sandbox.DefaultToken, SharingID: sandbox.DefaultSharingID}}
	g, err := New(cfg, Hooks{Log: zap.NewNop(), Store: options})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	return g
}

// A disk that takes nothing: calls that would write get the server fault and do
// nothing, reads go on, readiness says so, and all is well when it is.
func TestAReadOnlyDisk(t *testing.T) {
	r, broken := diskRig(t)
	handle := r.register(t, keyA, "before.net")
	broken.Store(true)
	for method, params := range map[string][]any{
		"contact.create":      {keyA, person()},
		"domain.create":       {keyA, "during.net", map[string]any{"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1}},
		"domain.contacts.set": {keyA, "before.net", map[string]any{"tech": handle}},
	} {
		if _, err := r.call(t, method, params...); err == nil || !strings.Contains(err.Error(), "Fault(110020)") {
			t.Errorf("%s: %v, want fault 110020", method, err)
		}
	}
	for method, params := range map[string][]any{
		"domain.info": {keyA, "before.net"}, "contact.info": {keyA, handle}, "operation.info": {keyA, 1000000000},
		"version.info": {keyA}, "domain.available": {keyA, []string{"free.net"}},
	} {
		if _, err := r.call(t, method, params...); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	if got := get(t, "http://"+r.AdminAddr()+"/readyz"); !strings.HasPrefix(got, "503 ") || !strings.Contains(got, "read-only file system") {
		t.Errorf("readyz: %s", got)
	}
	if n := len(r.sim.Ledger()); n != 1 {
		t.Errorf("%d charges, want the one from before", n)
	}
	broken.Store(false)
	if got := get(t, "http://"+r.AdminAddr()+"/readyz"); !strings.HasPrefix(got, "200 ") {
		t.Errorf("readyz afterwards: %s", got)
	}
	r.register(t, keyA, "after.net")
}

const fullDiskChild = "V3GATE_TEST_FULL_DISK"

// A disk that runs full, for real: a child may write files of a few hundred
// kilobytes only. It makes contacts until it cannot, and the store then holds
// every contact that was answered and nothing half-written.
func TestAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	api := httptest.NewServer(sandbox.New(sandbox.Options{}).Handler())
	defer api.Close()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDiskChild$")
	child.Env = append(os.Environ(), fullDiskChild+"="+path+" "+api.URL)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	var last string
	for line := range strings.Lines(string(out)) {
		if handle, ok := strings.CutPrefix(strings.TrimSpace(line), "made "); ok {
			last = handle
		}
	}
	if last == "" || !strings.Contains(string(out), "full ") {
		t.Fatalf("the child made nothing or never filled the disk:\n%s", out)
	}
	g := startOn(t, path, api.URL)
	r := &rig{Gateway: g}
	t.Cleanup(r.stop)
	if got := r.must(t, "contact.info", keyA, last)["handle"]; got != last {
		t.Errorf("the last contact that was answered is %v", got)
	}
	r.must(t, "contact.create", keyA, person())
}

// TestFullDiskChild is the child; alone it does nothing.
func TestFullDiskChild(t *testing.T) {
	path, api, ok := strings.Cut(os.Getenv(fullDiskChild), " ")
	if !ok {
		return // it is only ever run by TestAFullDisk
	}
	r := &rig{Gateway: startOn(t, path, api)}
	// The limit would kill the process by a signal instead of giving an error.
	signal.Ignore(syscall.SIGXFSZ)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	limit := uint64(info.Size()) + 64<<10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
	big := person()
	big["streetaddr"] = strings.Repeat("x", 32<<10)
	for range 1000 {
		m, err := r.call(t, "contact.create", keyA, big)
		if err == nil {
			fmt.Println("made", m["handle"])
			continue
		}
		if !strings.Contains(err.Error(), "Fault(110020)") {
			t.Fatalf("a full disk: %v", err)
		}
		r.must(t, "version.info", keyA)
		fmt.Println("full at", limit)
		r.Stop(context.Background())
		return
	}
	t.Fatal("the disk was never full")
}
