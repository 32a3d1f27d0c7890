package gateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kolo/xmlrpc"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

// BenchmarkLargeZone makes the calls of a dynamic DNS script on a zone of 10,000
// records with a domain: each with the bytes of keys and values that the store
// has other afterwards, and the requests that v5 had.
func BenchmarkLargeZone(b *testing.B) {
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	r, zone := benchZone(b, n)
	call := func(method string, params ...any) any {
		var answer any
		client, err := xmlrpc.NewClient("http://"+r.Addr()+"/xmlrpc/", nil)
		if err != nil {
			b.Fatal(err)
		}
		defer client.Close()
		if err := client.Call(method, append([]any{keyA, zone}, params...), &answer); err != nil {
			b.Fatalf("%s: %v", method, err)
		}
		return answer
	}
	change := func(version any, i int) {
		list := call("domain.zone.record.list", version, map[string]any{"name": "host-00500", "type": "A"}).([]any)
		call("domain.zone.record.update", version, map[string]any{"id": list[0].(map[string]any)["id"]},
			map[string]any{"name": "host-00500", "type": "A", "value": fmt.Sprintf("192.0.2.%d", i%250)})
	}
	i := 0
	for _, c := range []struct {
		name          string
		prepare, call func()
	}{
		{"version.new", nil, func() { call("domain.zone.version.new") }},
		{"record.list/one-name", nil, func() { call("domain.zone.record.list", 0, map[string]any{"name": "host-00500", "type": "A"}) }},
		{"record.list/first-page", nil, func() { call("domain.zone.record.list", 0) }},
		{"record.list/one-type", nil, func() { call("domain.zone.record.list", 0, map[string]any{"type": "TXT"}) }},
		{"record.update/in-place", nil, func() { change(0, i) }},
		{"version.set/one-change", func() { call("domain.zone.version.new"); change(last(call("domain.zone.info")), i) },
			func() { call("domain.zone.version.set", last(call("domain.zone.info"))) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			written, asked := 0, 0
			for b.Loop() {
				b.StopTimer()
				if i++; c.prepare != nil {
					c.prepare()
				}
				before, requests := r.contents(b), len(r.sim.Requests())
				b.StartTimer()
				c.call()
				b.StopTimer()
				written += changedBytes(before, r.contents(b))
				asked += len(r.sim.Requests()) - requests
				b.StartTimer()
			}
			b.ReportMetric(float64(written)/float64(b.N), "store-B/op")
			b.ReportMetric(float64(asked)/float64(b.N), "v5/op")
		})
	}
}

// last is the number of a zone's last version.
func last(zone any) any {
	versions := zone.(map[string]any)["versions"].([]any)
	return versions[len(versions)-1]
}

// benchZone is a gateway with a zone of n records that a domain is linked to.
func benchZone(b *testing.B, n int) (*rig, any) {
	r := newRig(b, func(c *config.Config) { c.V5Rate, c.LogLevel, c.ZoneWait = 0, "error", c.CallTimeout })
	if err := r.sim.Seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "large.com"}}}); err != nil {
		b.Fatal(err)
	}
	zone := r.must(b, "domain.zone.create", keyA, map[string]any{"name": "large"})["id"]
	var text strings.Builder
	for i := range n {
		if i%10 == 9 {
			fmt.Fprintf(&text, "host-%05d TXT \"text %d\"\n", i, i)
		} else {
			fmt.Fprintf(&text, "host-%05d A 192.0.2.%d\n", i, i%250)
		}
	}
	if _, err := r.ask(b, "domain.zone.record.set", keyA, zone, 1, text.String()); err != nil {
		b.Fatal(err)
	}
	r.must(b, "domain.zone.set", keyA, "large.com", zone)
	return r, zone
}

// contents are all keys and values of the store.
func (r *rig) contents(b *testing.B) map[string]string {
	all := map[string]string{}
	err := r.db.View(func(tx *store.Tx) error {
		return tx.Scan(nil, func(k, v []byte) error { all[string(k)] = string(v); return nil })
	})
	if err != nil {
		b.Fatal(err)
	}
	return all
}

func changedBytes(before, after map[string]string) (n int) {
	for k, v := range after {
		if was, ok := before[k]; !ok || was != v {
			n += len(k) + len(v)
		}
	}
	return n
}
