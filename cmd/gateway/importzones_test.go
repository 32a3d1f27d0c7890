package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"v3gate/internal/config"
	"v3gate/internal/gateway"
	"v3gate/internal/sandbox"
)

const zonesCSV = `zone_id,zone_name,version,active,domains,name,type,ttl,value
4711,My zone,1,0,one.com two.com,@,A,10800,192.0.2.1
4711,My zone,1,0,,www,CNAME,,@
4711,My zone,3,1,,@,A,300,192.0.2.2
4711,My zone,3,1,,www.one.com.,TXT,300,"v=spf1 -all"
4712,Empty,1,1,,,,,
`

// serveStore serves a store and a simulation with the domains one.com and
// two.com. It gives what calls the gateway.
func serveStore(t *testing.T, path string) (url string, stop func()) {
	t.Helper()
	sim := sandbox.New(sandbox.Options{})
	if err := sim.Seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "one.com"}, {FQDN: "two.com"}}}); err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	cfg := config.Default()
	cfg.Store, cfg.V5URL = path, api.URL+"/v5"
	cfg.Tenants = []config.Tenant{sandboxTenant(demoKey)}
	g, stop := started(t, cfg, gateway.Hooks{})
	return "http://" + g.Addr() + "/xmlrpc/", stop
}

// importing gives the command with what it needs.
func importingZones(t *testing.T, store string, args ...string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "g.toml")
	tenant := sandboxTenant(demoKey)
	text := fmt.Sprintf("store = %q\n[[tenant]]\nname = %q\nv3_key = %q\nv5_token = \"x\"\n", store, tenant.Name, demoKey)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return append([]string{"import", "zones", "--config", file, "--tenant", tenant.Name}, args...)
}

func TestZonesAreImportedWithTheirIDs(t *testing.T) {
	dir := t.TempDir()
	store, file := filepath.Join(dir, "store.db"), filepath.Join(dir, "zones.csv")
	if err := os.WriteFile(file, []byte(zonesCSV), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(t, importingZones(t, store, "--csv", file)...)
	if err != nil || out != "2 zones with 3 versions and 4 records, 2 domains linked\n" {
		t.Fatalf("%q, %v", out, err)
	}
	out, err = run(t, importingZones(t, store, "--csv", file)...)
	if err != nil || !strings.Contains(out, "2 zones were there already: 4711 4712") {
		t.Fatalf("again: %q, %v", out, err)
	}
	url, stop := serveStore(t, store)
	for _, c := range []struct {
		call string
		want []string
	}{
		{"domain.info one.com", []string{`"zone_id": 4711`}},
		{"domain.zone.info 4711", []string{`"version": 3`, `"domains": 2`, `"name": "My zone"`, `-GANDI"`}},
		{"domain.zone.record.list 4711 0", []string{`"192.0.2.2"`, `"\"v=spf1 -all\""`, `"www"`}},
		{"domain.zone.record.count 4711 1", []string{"2"}},
		{"domain.zone.record.count 4712 1", []string{"0"}},
		{"domain.zone.version.new 4711", []string{"4"}},
		{"domain.zone.version.set 4711 1", []string{"true"}},
		{"domain.zone.version.list 4711", []string{`"id": 5`}}, // what the domains had is version 5
		{"domain.zone.create {\"name\":\"x\"}", []string{"1000000001"}},
	} {
		call, want := c.call, c.want
		out, err := run(t, append([]string{"call", "--url", url, "--key", demoKey}, strings.Split(call, " ")...)...)
		if err != nil {
			t.Errorf("%s: %v", call, err)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: %s, want %s in it", call, out, w)
			}
		}
	}
	stop()
	if out, err := run(t, "store", "check", "--store", store); err != nil {
		t.Errorf("%s, %v", out, err)
	}
}

func TestWhatCannotBeImported(t *testing.T) {
	head := "zone_id,zone_name,version,active,domains,name,type,ttl,value\n"
	for text, want := range map[string]string{
		"":                                     "read CSV: EOF",
		"zone_id,what\n":                       `column "what"`,
		"zone_id,zone_name\n":                  "column version is missing",
		head + "x,a,1,1,,,,,\n":                `line 2: zone_id "x" is no number`,
		head + "7,a,1,1,,,,,\n7,b,1,1,,,,,\n":  "line 3: zone 7 is called",
		head + "7,a,1,1,,,,,\n7,a,2,1,,,,,\n":  "line 3: versions 1 and 2 of zone 7",
		head + "7,a,1,maybe,,,,,\n":            `line 2: active "maybe"`,
		head + "7,a,1,0,,,,,\n":                "import zone 7: version 0, the active one",
		head + "7,a,1,1,,www,A,300,nowhere\n":  "import zone 7: version 1: www A: value 'nowhere'",
		head + "7,a,1,1,,www,A,60,192.0.2.1\n": "ttl 60",
		head + "1000000001,a,1,1,,,,,\n":       "between 1 and 1000000000",
		head + "7,a,0,1,,,,,\n":                "version 0",
		head + "7,a,1,1\n":                     "line 2",
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "zones.csv")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := run(t, importingZones(t, filepath.Join(dir, "store.db"), "--csv", file)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q; %s", text, err, want, out)
		}
	}
	for _, args := range [][]string{{}, {"--csv", "a", "--url", "b"}, {"--url", "http://127.0.0.1:1/"}, {"--tenant", "nobody", "--csv", "-"}} {
		if out, err := run(t, importingZones(t, filepath.Join(t.TempDir(), "store.db"), args...)...); err == nil {
			t.Errorf("%v: %s", args, out)
		}
	}
}

// A server that still speaks v3 is another gateway here. What it does not answer
// yet stands in for the old service's answer.
func TestZonesAreReadFromAServer(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old.db")
	file := filepath.Join(dir, "zones.csv")
	if err := os.WriteFile(file, []byte(zonesCSV), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, importingZones(t, old, "--csv", file)...); err != nil {
		t.Fatal(err)
	}
	url, _ := serveStore(t, old)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		if bytes.Contains(body, []byte("<methodName>domain.list</methodName>")) {
			w.Header().Set("Content-Type", "text/xml")
			fmt.Fprint(w, "<?xml version='1.0'?>\n<methodResponse><params><param><value><array><data>"+
				"<value><struct><member><name>fqdn</name><value><string>one.com</string></value></member></struct></value>"+
				"<value><struct><member><name>fqdn</name><value><string>two.com</string></value></member></struct></value>"+
				"</data></array></value></param></params></methodResponse>\n")
			return
		}
		res, err := http.Post(url, "text/xml", bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		defer res.Body.Close()
		w.Header().Set("Content-Type", "text/xml")
		io.Copy(w, res.Body)
	}))
	t.Cleanup(server.Close)
	store := filepath.Join(dir, "store.db")
	out, err := run(t, importingZones(t, store, "--url", server.URL, "--key-file", write(t, "v3.key", demoKey+"\n"))...)
	if err != nil || out != "2 zones with 3 versions and 4 records, 2 domains linked\n" {
		t.Fatalf("%q, %v", out, err)
	}
	url, _ = serveStore(t, store)
	out, err = run(t, "call", "--url", url, "--key", demoKey, "domain.zone.record.list", "4711", "0")
	if err != nil || !strings.Contains(out, "192.0.2.2") {
		t.Errorf("%s, %v", out, err)
	}
}
