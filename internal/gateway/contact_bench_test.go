package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kolo/xmlrpc"
	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/handles"
	"v3gate/internal/sandbox"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// benchDomains use one handle in BenchmarkContactUpdate.
const benchDomains = 10_000

// benchEnv tells a run of this test binary that it is to be the v5 of another
// one, whose memory is measured.
const benchEnv = "V3GATE_TEST_BENCH_V5"

// BenchmarkContactUpdate updates a handle that 10,000 domains use in all roles,
// until v5 shows it everywhere. v5's rate is not limited; at its 1000 requests a
// minute the same takes 40 minutes.
func BenchmarkContactUpdate(b *testing.B) {
	url := benchV5(b)
	path := filepath.Join(b.TempDir(), "store.db")
	handle := benchStore(b, path)
	var requests, commits atomic.Int64
	cfg := config.Default()
	cfg.Listen, cfg.Admin, cfg.Store, cfg.V5URL, cfg.V5Rate = "127.0.0.1:0", "127.0.0.1:0", path, url, 0
	cfg.Tenants = []config.Tenant{{Name: "a", V3Key: keyA, V5Token: sandbox.DefaultToken, SharingID: orgA}}
	g, err := New(cfg, Hooks{
		Log: zap.NewNop(), Exchanged: func(v5.Exchange) { requests.Add(1) },
		Store: []store.Option{store.BeforeCommit(func() error { commits.Add(1); return nil })},
	})
	if err != nil {
		b.Fatal(err)
	}
	r := &rig{Gateway: g}
	b.Cleanup(r.stop)
	if err := g.Start(); err != nil {
		b.Fatal(err)
	}
	client, err := xmlrpc.NewClient("http://"+r.Addr()+"/xmlrpc/", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	before := heap()
	requests.Store(0)
	commits.Store(0)
	most, rounds := before, 0
	for b.Loop() {
		var answer any
		street := fmt.Sprintf("%d Bench Road", rounds)
		if err := client.Call("contact.update", []any{keyA, handle, map[string]any{"streetaddr": street}}, &answer); err != nil {
			b.Fatal(err)
		}
		for id := int64(1_000_000_000 + rounds); ; time.Sleep(500 * time.Millisecond) {
			op, err := g.services.Ops.Get("a", id)
			if err != nil {
				b.Fatal(err)
			}
			if most = max(most, heap()); op.Step.AtEnd() {
				if op.LastError != "" {
					b.Fatal(op.LastError)
				}
				break
			}
		}
		rounds++
	}
	per := float64(rounds * benchDomains)
	b.ReportMetric(float64(requests.Load())/per, "requests/domain")
	b.ReportMetric(float64(commits.Load())/per, "commits/domain")
	b.ReportMetric(float64(most-before)/1e6, "MB-heap")
	if most-before > 32e6 {
		b.Errorf("the heap grew by %d bytes", most-before)
	}
}

// heap is what is in use after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func benchStore(b *testing.B, path string) string {
	b.Helper()
	db, err := store.Open(path, time.Second)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	book := handles.New(db, handles.DefaultFloors(), time.Now)
	c, err := book.Create("a", handles.Fields{Given: "Alice", Family: "Doe", Email: "alice@example.org", StreetAddr: "5 rue neuve",
		Zip: "75001", City: "Paris", Country: "FR", Phone: "+33.123456789"})
	if err == nil {
		err = db.Update(func(tx *store.Tx) error {
			for i := range benchDomains {
				roles := handles.Roles{Owner: c.Handle, Admin: c.Handle, Bill: c.Handle, Tech: c.Handle}
				if err := book.SetRoles(tx, "a", numbered(i), roles, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		b.Fatal(err)
	}
	return c.Handle
}

// benchV5 starts the v5 of the benchmark in a process of its own.
func benchV5(b *testing.B) (url string) {
	b.Helper()
	child := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestBenchV5$")
	child.Env = append(os.Environ(), benchEnv+"=1")
	in, err := child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); child.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// TestBenchV5 is the v5 of BenchmarkContactUpdate and does nothing by itself.
func TestBenchV5(t *testing.T) {
	if os.Getenv(benchEnv) == "" {
		return
	}
	sim := sandbox.New(sandbox.Options{PendingChecks: -1, Normalise: true})
	var seed sandbox.Seed
	for i := range benchDomains {
		seed.Domains = append(seed.Domains, sandbox.SeedDomain{FQDN: numbered(i), SharingID: orgA})
	}
	if err := sim.Seed(seed); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim.Handler())
	defer server.Close()
	fmt.Println(server.URL + "/v5")
	io.Copy(io.Discard, os.Stdin) // until the benchmark ends
}
