package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

// zoneRig is a paidRig with domains, and one zone that they are linked to.
type zoneRig struct {
	*paidRig
	domains []string
	zone    any
}

func newZoneRig(t *testing.T, domains int, change func(*config.Config)) *zoneRig {
	t.Helper()
	r := &zoneRig{paidRig: newPaidRig(t, sandbox.Options{}, func(c *config.Config) {
		c.V5Rate, c.ZoneWait = 0, 20*time.Second
		if change != nil {
			change(c)
		}
	})}
	var s sandbox.Seed
	for i := range domains {
		name := fmt.Sprintf("d%02d.com", i)
		r.domains = append(r.domains, name)
		s.Domains = append(s.Domains, sandbox.SeedDomain{FQDN: name})
	}
	r.seed(t, s)
	r.zone = r.must(t, "domain.zone.create", keyA, map[string]any{"name": "shared"})["id"]
	r.record(t, 1, "www", "A", "192.0.2.1")
	for _, name := range r.domains {
		r.must(t, "domain.zone.set", keyA, name, r.zone)
	}
	return r
}

// do is ask for calls that must succeed.
func (r *zoneRig) do(t *testing.T, method string, params ...any) any {
	t.Helper()
	answer, err := r.ask(t, method, append([]any{keyA}, params...)...)
	if err != nil {
		t.Fatalf("%s %v: %v", method, params, err)
	}
	return answer
}

func (r *zoneRig) record(t *testing.T, version any, name, typ, value string) {
	t.Helper()
	r.do(t, "domain.zone.record.add", r.zone, version, map[string]any{"name": name, "type": typ, "value": value})
}

// version makes a version with one more record.
func (r *zoneRig) version(t *testing.T, name, value string) any {
	t.Helper()
	n := r.do(t, "domain.zone.version.new", r.zone)
	r.record(t, n, name, "A", value)
	return n
}

// wants fails unless all domains have these rrsets, in the words of the
// simulation, and no others.
func (r *zoneRig) wants(t *testing.T, rrsets ...string) {
	t.Helper()
	for _, name := range r.domains {
		if got := r.sim.Records(name); !slices.Equal(got, rrsets) {
			t.Errorf("%s has %q, want %q", name, got, rrsets)
		}
	}
}

// active is what the zone says, in the words of the simulation.
func (r *zoneRig) active(t *testing.T) []string {
	t.Helper()
	type set struct {
		ttl    int64
		values []string
	}
	sets := map[string]*set{}
	list := r.do(t, "domain.zone.record.list", r.zone, 0, map[string]any{"items_per_page": 100000}).([]any)
	for _, item := range list {
		m := item.(map[string]any)
		k := fmt.Sprint(m["name"], " ", m["type"])
		if m["type"] == "SOA" || m["type"] == "NS" && m["name"] == "@" {
			continue
		}
		if sets[k] == nil {
			sets[k] = &set{ttl: m["ttl"].(int64)}
		}
		sets[k].ttl = min(sets[k].ttl, m["ttl"].(int64))
		sets[k].values = append(sets[k].values, m["value"].(string))
	}
	var out []string
	for k, s := range sets {
		name, typ, _ := strings.Cut(k, " ")
		slices.Sort(s.values)
		out = append(out, fmt.Sprintf("%s %d %s %s", name, s.ttl, typ, strings.Join(s.values, ", ")))
	}
	slices.Sort(out)
	return out
}

// agrees fails unless all domains have what the zone says.
func (r *zoneRig) agrees(t *testing.T) {
	t.Helper()
	want := r.active(t)
	for _, name := range r.domains {
		got := r.sim.Records(name)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has %q, the zone says %q", name, got, want)
		}
	}
}

// refusing answers writes to a domain with a 400 until it is told not to.
func (r *zoneRig) refusing(names ...string) (stop func()) {
	r.before(func(w http.ResponseWriter, q *http.Request) {
		for _, name := range names {
			if q.Method != "GET" && strings.Contains(q.URL.Path, "/"+name+"/records") {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(400)
				fmt.Fprint(w, `{"object":"HTTPBadRequest","cause":"Bad Request","code":400,"message":"no such luck"}`)
				return
			}
		}
		r.sim.Handler().ServeHTTP(w, q)
	})
	return func() { r.before(r.sim.Handler().ServeHTTP) }
}

// lastOperation is the tenant's newest.
func (r *zoneRig) lastOperation(t *testing.T) map[string]any {
	t.Helper()
	list := r.do(t, "operation.list", map[string]any{"sort_by": "id DESC", "items_per_page": 1}).([]any)
	return list[0].(map[string]any)
}

// count is how many requests of a kind v5 had for records since the last call.
func (r *zoneRig) count(since int) (reads, writes int) {
	for _, q := range r.sim.Requests()[since:] {
		if !strings.Contains(q.Path, "/records") {
			continue
		}
		if q.Method == "GET" {
			reads++
		} else {
			writes++
		}
	}
	return reads, writes
}
