package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"v3gate/internal/config"
	"v3gate/internal/gateway"
	"v3gate/internal/sandbox"
)

// A gateway that runs takes an import and gives an export, and answers with what was
// imported; what v5 shows gets handles.
func TestImportThroughARunningGateway(t *testing.T) {
	path, v5URL, url, stop := startStored(t)
	old, srv := newOldV3(t)
	key := write(t, "v3.key", demoKey)
	store := []string{"--store", path}
	says(t, 0, append([]string{"import", "v3", "--url", srv.URL + "/xmlrpc/", "--key-file", key}, store...), "contacts: 4 new", "domains: 2 new")
	out := says(t, 0, []string{"call", "--url", url, "--key", demoKey, "contact.info", "PP1234-GANDI"})
	var c struct {
		ID    int64  `json:"id"`
		Given string `json:"given"`
	}
	if err := json.Unmarshal([]byte(out), &c); err != nil || c.ID != 3002 || c.Given != "Zoë" {
		t.Errorf("%+v, %v", c, err)
	}
	before := old.calls.Load()
	says(t, 0, append([]string{"import", "v3", "--resume", "--url", srv.URL + "/xmlrpc/", "--key-file", key}, store...), "domains: 0 new, 2 equal")
	// contact.info, two lists in three pages, operations in two.
	if n := old.calls.Load() - before; n != 1+3+3+2 {
		t.Errorf("going on takes %d calls", n)
	}
	says(t, 1, append([]string{"import", "json", write(t, "x.jsonl", `{"handle":"AA1-GANDI","given":"A"}`), "--tenant", "typo"}, store...), `no tenant "typo"`)
	export := says(t, 0, append([]string{"export", "json"}, store...), "PP1234-GANDI", `"fqdn":"first.net","id":900001`)

	line := append([]string{"import", "v5", "--v5-url", v5URL}, store...)
	says(t, 0, append(line, "--dry-run"), "nothing was written")
	if again := says(t, 0, append([]string{"export", "json"}, store...)); again != export {
		t.Errorf("a dry run changed\n%s\ninto\n%s", export, again)
	}
	stop()
	if again := says(t, 0, append([]string{"export", "json"}, store...)); again != export {
		t.Errorf("the file exports\n%s\nnot\n%s", again, export)
	}
	second := filepath.Join(t.TempDir(), "second.db")
	says(t, 0, []string{"import", "json", write(t, "e.jsonl", export), "--store", second}, "contacts: 4 new")
	if again := says(t, 0, []string{"export", "json", "--store", second}); again != export {
		t.Errorf("an import of the export exports\n%s\nnot\n%s", again, export)
	}
	says(t, 0, []string{"store", "check", "--store", second}, " 0 inconsistencies")
}

// What was read before a server failed is kept, and the next import goes on from
// there.
func TestWhatWasReadBeforeAFailureIsKept(t *testing.T) {
	old, srv := newOldV3(t)
	missing := old.answers["domain.info second.org"]
	delete(old.answers, "domain.info second.org")
	store := filepath.Join(t.TempDir(), "store.db")
	line := []string{"import", "v3", "--url", srv.URL, "--key-file", write(t, "v3.key", demoKey), "--store", store}
	says(t, 1, line, "contacts: 3 new", "domains: 1 new", "domain.info there", "not recorded", "run it again to go on")
	old.answers["domain.info second.org"] = missing
	says(t, 0, append(line, "--resume"), "contacts: 1 new, 3 equal", "domains: 1 new, 1 equal")
	says(t, 0, []string{"store", "check", "--store", store}, " 0 inconsistencies")
}

// A gateway is a server that speaks v3, too, and answers all that an import asks.
func TestImportFromAGateway(t *testing.T) {
	sim := sandbox.New(sandbox.Options{Tokens: []sandbox.Token{{Secret: doctorsToken, Orgs: []string{sandbox.DefaultSharingID}}}})
	if err := sim.Seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "first.net"}, {FQDN: "second.org"}}}); err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	cfg := config.Default()
	cfg.Store, cfg.V5URL = filepath.Join(t.TempDir(), "store.db"), api.URL+"/v5"
	cfg.Tenants = []config.Tenant{{Name: "default", V3Key: demoKey, V5Token: doctorsToken, SharingID: sandbox.DefaultSharingID}}
	g, _ := started(t, cfg, gateway.Hooks{})
	t.Setenv("GATEWAY_V3_KEY", demoKey)
	t.Setenv("GATEWAY_V5_TOKEN", doctorsToken)
	second := filepath.Join(t.TempDir(), "second.db")
	says(t, 0, []string{"import", "v3", "--url", "http://" + g.Addr() + "/xmlrpc/", "--key-file", write(t, "v3.key", demoKey), "--store", second},
		"domains: 2 new")
	says(t, 0, []string{"store", "check", "--store", second}, " 0 inconsistencies")
	says(t, 0, []string{"export", "json", "--store", second}, `"fqdn":"first.net"`, `"fqdn":"second.org"`, `"own":true`)
}

func TestProgress(t *testing.T) {
	var lines, bar bytes.Buffer
	for out, p := range map[*bytes.Buffer]*progress{&lines: newProgress(&lines), &bar: {out: &bar, terminal: true}} {
		p.show(500)
		p.total = 30_000
		for done := 10_000; done <= 30_000; done += 10_000 {
			p.show(done)
		}
		p.clear()
		if out.Len() == 0 {
			t.Error("it shows nothing")
		}
	}
	if got := lines.String(); got != "10000 of 30000\n20000 of 30000\n30000 of 30000\n" {
		t.Errorf("%q", got)
	}
	for _, want := range []string{"\r\x1b[K[" + strings.Repeat(" ", 30) + "] 500", "[" + strings.Repeat("#", 20) + strings.Repeat(" ", 10) + "] 20000 of 30000"} {
		if !strings.Contains(bar.String(), want) {
			t.Errorf("%q has no %q", bar.String(), want)
		}
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(strings.TrimSpace(text)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What v5 shows gets handles: one for equal content, the imported one where there
// is one, none for a domain of somebody else.
func TestImportFromV5(t *testing.T) {
	bob := map[string]any{"type": "individual", "given": "Bob", "family": "Doe", "email": "b@example.net", "streetaddr": "2 Road",
		"city": "Paris", "zip": "75001", "country": "FR", "phone": "+33.123456788"}
	sim := sandbox.New(sandbox.Options{Tokens: []sandbox.Token{{Secret: doctorsToken, Orgs: []string{sandbox.DefaultSharingID}}}})
	seed := sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "first.net"}, {FQDN: "theirs.net", SharingID: "99999999-5f7b-11e9-a5c3-00163ec4cb00"}}}
	for i := range 150 { // more than a page
		seed.Domains = append(seed.Domains, sandbox.SeedDomain{FQDN: fmt.Sprintf("d%03d.org", i), Owner: bob})
	}
	if err := sim.Seed(seed); err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	t.Setenv("GATEWAY_V3_KEY", demoKey)
	t.Setenv("GATEWAY_V5_TOKEN", doctorsToken)
	t.Setenv("GATEWAY_SHARING_ID", sandbox.DefaultSharingID)
	t.Setenv("GATEWAY_V5_RATE", "1000000")
	t.Setenv("GATEWAY_STORE", filepath.Join(t.TempDir(), "store.db"))
	says(t, 0, []string{"import", "json", write(t, "x.jsonl", `{"handle":"BB77-GANDI","id":3003,"type":0,"given":"Bob","family":"Doe","email":"b@example.net",`+`"streetaddr":"2 Road","city":"Paris","zip":"75001","country":"FR","phone":"+33.123456788"}`)}, "contacts: 1 new")
	line := []string{"import", "v5", "--v5-url", api.URL + "/v5"}
	says(t, 0, append(line, "--dry-run"), "contacts: 1 new", "domains: 151 new", "nothing was written")
	says(t, 0, line, "contacts: 1 new, 0 equal", "domains: 151 new, 0 equal, 0 changed")
	says(t, 0, []string{"export", "json"}, `"fqdn":"d149.org","id":10000`, `"owner":"BB77-GANDI","admin":"BB77-GANDI"`, `"handle":"AD5000000-GANDI"`)
	reads := len(sim.Requests())
	says(t, 0, line, "contacts: 0 new", "domains: 0 new, 151 equal")
	if n := len(sim.Requests()) - reads; n < 151 {
		t.Errorf("reading all again takes %d requests", n)
	}
	reads = len(sim.Requests())
	says(t, 0, append(line, "--resume"), "domains: 0 new, 151 equal")
	if n := len(sim.Requests()) - reads; n > 4 { // three pages and perhaps one domain of another
		t.Errorf("going on takes %d requests", n)
	}
	says(t, 0, []string{"store", "check"}, " 0 inconsistencies")
	says(t, 1, append(line, "--tenant", "typo"), `no tenant "typo"`)
}

// BenchmarkImport imports a file of 100,000 contacts into a new store.
func BenchmarkImport(b *testing.B) {
	const n = 100_000
	var text bytes.Buffer
	for i := range n {
		fmt.Fprintf(&text, `{"handle":"BD%d-GANDI","id":%d,"type":0,"given":"Bob","family":"Doe %d","email":"b%d@example.net","streetaddr":"%d Road","city":"Paris","zip":"75001","country":"FR","phone":"+33.123456788"}`+"\n",
			i+1, i+1, i, i, i)
	}
	file := filepath.Join(b.TempDir(), "contacts.jsonl")
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	text = bytes.Buffer{}
	var most uint64
	for b.Loop() {
		cmd := root()
		cmd.SetOut(io.Discard)
		cmd.SetErr(watch(func() {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}))
		cmd.SetArgs([]string{"import", "json", file, "--store", filepath.Join(b.TempDir(), fmt.Sprintf("%d.db", b.N))})
		if err := cmd.ExecuteContext(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "contacts/s")
	b.ReportMetric(float64(most)/(1<<20), "MiB-heap")
}

// watch is a writer that looks at something with each line.
type watch func()

func (w watch) Write(p []byte) (int, error) { w(); return len(p), nil }
