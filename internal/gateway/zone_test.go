package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

func TestAVersionReachesAllItsDomains(t *testing.T) {
	r := newZoneRig(t, 12, nil)
	r.wants(t, "www 10800 A 192.0.2.1")
	n, before := r.version(t, "mail", "192.0.2.2"), len(r.sim.Requests())
	if r.do(t, "domain.zone.version.set", r.zone, n) != true {
		t.Error("version.set is not true")
	}
	r.wants(t, "mail 10800 A 192.0.2.2", "www 10800 A 192.0.2.1")
	if reads, writes := r.count(before); reads != 12 || writes != 12 {
		t.Errorf("%d reads and %d writes for 12 domains", reads, writes)
	}
	zone := r.must(t, "domain.zone.info", keyA, r.zone)
	if zone["version"] != n || zone["domains"] != int64(12) {
		t.Errorf("zone %v", zone)
	}
	// Back again, and once more to what they have: no request that writes.
	r.do(t, "domain.zone.version.set", r.zone, 1)
	r.wants(t, "www 10800 A 192.0.2.1")
	before = len(r.sim.Requests())
	r.do(t, "domain.zone.version.set", r.zone, 1)
	if _, writes := r.count(before); writes != 0 {
		t.Errorf("%d writes of what is there", writes)
	}
	// A version that says the same needs none either, and frees the one before.
	n = r.do(t, "domain.zone.version.new", r.zone)
	r.do(t, "domain.zone.version.set", r.zone, n)
	if _, writes := r.count(before); writes != 0 {
		t.Errorf("%d writes of what is there", writes)
	}
	r.do(t, "domain.zone.version.delete", r.zone, 1)
}

func TestAChangeInPlaceWritesWhatChanged(t *testing.T) {
	r := newZoneRig(t, 2, nil)
	before := len(r.sim.Requests())
	r.record(t, 0, "mail", "MX", "10 mx")
	r.record(t, 0, "mail", "MX", "20 mx2")
	id := r.do(t, "domain.zone.record.list", r.zone, 0, map[string]any{"name": "www"}).([]any)[0].(map[string]any)["id"]
	r.do(t, "domain.zone.record.update", r.zone, 0, map[string]any{"id": id}, map[string]any{"name": "www", "type": "A", "value": "192.0.2.3", "ttl": 300})
	r.wants(t, "mail 10800 MX 10 mx, 20 mx2", "www 300 A 192.0.2.3")
	if n := r.do(t, "domain.zone.record.delete", r.zone, 0, map[string]any{"name": "mail"}); n != int64(2) {
		t.Errorf("%v deleted", n)
	}
	r.wants(t, "www 300 A 192.0.2.3")
	for _, q := range r.sim.Requests()[before:] {
		if q.Method != "GET" && strings.HasSuffix(q.Path, "/records") {
			t.Errorf("all was written: %s", q.Body)
		}
	}
	// What LiveDNS has itself is kept here and not sent.
	before = len(r.sim.Requests())
	r.record(t, 0, "@", "NS", "ns1.example.net.")
	if _, writes := r.count(before); writes != 0 {
		t.Errorf("%d writes for name servers", writes)
	}
	// Many at once are one request a domain.
	var many []any
	for i := range 20 {
		many = append(many, map[string]any{"name": fmt.Sprint("h", i), "type": "A", "value": "192.0.2.9"})
	}
	before = len(r.sim.Requests())
	r.do(t, "domain.zone.record.set", r.zone, 0, many)
	if _, writes := r.count(before); writes != 2 {
		t.Errorf("%d writes", writes)
	}
	r.agrees(t)
}

func TestOneDomainThatRefuses(t *testing.T) {
	r := newZoneRig(t, 5, nil)
	n := r.version(t, "mail", "192.0.2.2")
	stop := r.refusing("d03.com")
	_, err := r.ask(t, "domain.zone.version.set", keyA, r.zone, n)
	faults(t, "version.set", err, 581066, "d03.com: no such luck")
	if zone := r.must(t, "domain.zone.info", keyA, r.zone); zone["version"] != n {
		t.Errorf("four domains have it, and the zone is at %v", zone["version"])
	}
	op := r.lastOperation(t)
	if op["step"] != "ERROR" || op["type"] != "domain_update" || !strings.Contains(fmt.Sprint(op["last_error"]), "d03.com") {
		t.Errorf("operation %v", op)
	}
	_, err = r.ask(t, "domain.zone.version.delete", keyA, r.zone, 1)
	faults(t, "delete what a domain still has", err, 581039, "d03.com")
	if _, err = r.ask(t, "operation.relaunch", keyA, op["id"]); err == nil {
		t.Error("it was relaunched and v5 still refuses")
	}
	stop()
	r.do(t, "operation.relaunch", op["id"])
	r.becomes(t, op["id"], "DONE")
	r.wants(t, "mail 10800 A 192.0.2.2", "www 10800 A 192.0.2.1")
	r.do(t, "domain.zone.version.delete", r.zone, 1)
}

func TestWhenNobodyTakesIt(t *testing.T) {
	r := newZoneRig(t, 2, nil)
	n := r.version(t, "mail", "192.0.2.2")
	defer r.refusing(r.domains...)()
	_, err := r.ask(t, "domain.zone.version.set", keyA, r.zone, n)
	faults(t, "version.set", err, 581066, "d00.com")
	if zone := r.must(t, "domain.zone.info", keyA, r.zone); zone["version"] != int64(1) {
		t.Errorf("nobody has it, and the zone is at %v", zone["version"])
	}
	list := fmt.Sprint(r.do(t, "domain.zone.record.list", r.zone, 0))
	for _, c := range []struct {
		method string
		params []any
	}{
		{"domain.zone.record.add", []any{map[string]any{"name": "x", "type": "A", "value": "192.0.2.1"}}},
		{"domain.zone.record.delete", []any{map[string]any{"name": "www"}}},
		{"domain.zone.record.set", []any{[]any{map[string]any{"name": "y", "type": "A", "value": "192.0.2.1"}}}},
	} {
		_, err := r.ask(t, c.method, append([]any{keyA, r.zone, 0}, c.params...)...)
		faults(t, c.method, err, 581066, "d01.com")
		if now := fmt.Sprint(r.do(t, "domain.zone.record.list", r.zone, 0)); now != list {
			t.Errorf("after %s the zone has %s, want %s", c.method, now, list)
		}
	}
}

// A domain that cannot be looked at is found before anything is changed.
func TestAllDomainsAreLookedAtFirst(t *testing.T) {
	r := newZoneRig(t, 12, nil)
	n := r.version(t, "mail", "192.0.2.2")
	r.before(func(w http.ResponseWriter, q *http.Request) {
		if strings.Contains(q.URL.Path, "/d07.com/") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(403)
			fmt.Fprint(w, `{"object":"HTTPForbidden","cause":"Forbidden","code":403,"message":"Access was denied to this resource."}`)
			return
		}
		r.sim.Handler().ServeHTTP(w, q)
	})
	_, err := r.ask(t, "domain.zone.version.set", keyA, r.zone, n)
	faults(t, "version.set", err, 510042, "d07.com")
	if zone := r.must(t, "domain.zone.info", keyA, r.zone); zone["version"] != int64(1) || zone["domains"] != int64(12) {
		t.Errorf("the zone is %v", zone)
	}
	r.wants(t, "www 10800 A 192.0.2.1")
}

// A domain that is somebody else's by now is not written to, and keeps neither
// the others from a version nor the zone from being deleted.
func TestADomainThatLeftTheAccount(t *testing.T) {
	r := newZoneRig(t, 2, nil)
	n := r.version(t, "mail", "192.0.2.2")
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "d01.com", SharingID: orgB}}})
	before := r.sim.Records("d01.com")
	r.ahead.Store(int64(time.Hour))
	r.do(t, "domain.zone.version.set", r.zone, n)
	if got := r.sim.Records("d01.com"); !slices.Equal(got, before) {
		t.Errorf("the other's domain has %q", got)
	}
	one := r.domains
	r.domains = r.domains[:1]
	r.wants(t, "mail 10800 A 192.0.2.2", "www 10800 A 192.0.2.1")
	// It comes back, and then gets what its zone says.
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "d01.com"}}})
	r.domains = one
	r.do(t, "domain.zone.version.set", r.zone, n)
	r.wants(t, "mail 10800 A 192.0.2.2", "www 10800 A 192.0.2.1")
	// A zone whose domains have all left can be deleted.
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "d00.com", SharingID: orgB}, {FQDN: "d01.com", SharingID: orgB}}})
	_, err := r.ask(t, "domain.zone.delete", keyA, r.zone)
	faults(t, "zone.delete", err, 581039, "d00.com")
	r.ahead.Store(int64(2 * time.Hour))
	r.do(t, "domain.zone.version.set", r.zone, 1)
	r.do(t, "domain.zone.delete", r.zone)
}

// Of a zone with very many domains each is looked at right before it is written.
func TestAZoneOfManyDomains(t *testing.T) {
	r := newZoneRig(t, 103, nil)
	n := r.version(t, "mail", "192.0.2.2")
	r.byHand(t, "d50.com", handmade)
	r.do(t, "domain.zone.version.set", r.zone, n)
	r.becomes(t, r.lastOperation(t)["id"], "DONE")
	r.wants(t, "mail 10800 A 192.0.2.2", "www 10800 A 192.0.2.1")
	if zone := r.must(t, "domain.zone.info", keyA, r.zone); fmt.Sprint(zone["versions"]) != "[1 2 3]" {
		t.Errorf("versions %v", zone["versions"])
	}
}

// A domain that left LiveDNS keeps none of the others from a version, and gets
// it when it is back.
func TestADomainThatLeftLiveDNS(t *testing.T) {
	r := newZoneRig(t, 2, nil)
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "d01.com", Nameservers: []string{"ns1.example.net"}}}})
	r.do(t, "domain.zone.version.set", r.zone, r.version(t, "mail", "192.0.2.2"))
	if got := fmt.Sprint(r.sim.Records("d00.com"), r.sim.Records("d01.com")); got != "[mail 10800 A 192.0.2.2 www 10800 A 192.0.2.1] []" {
		t.Errorf("there is %s", got)
	}
	if d := r.must(t, "domain.info", keyA, "d01.com"); d["zone_id"] != r.zone {
		t.Errorf("zone_id %v", d["zone_id"])
	}
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "d01.com"}}})
	r.do(t, "domain.zone.version.set", r.zone, 2)
	r.wants(t, "mail 10800 A 192.0.2.2", "www 10800 A 192.0.2.1")
}

func TestAPushGoesOnBehindTheAnswer(t *testing.T) {
	r := newZoneRig(t, 3, func(c *config.Config) { c.ZoneWait = 100 * time.Millisecond })
	n := r.version(t, "mail", "192.0.2.2")
	hold := make(chan struct{})
	r.before(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == "PUT" {
			<-hold
		}
		r.sim.Handler().ServeHTTP(w, q)
	})
	if r.do(t, "domain.zone.version.set", r.zone, n) != true {
		t.Error("version.set is not true")
	}
	op := r.lastOperation(t)
	if op["step"] != "RUN" {
		t.Errorf("operation %v", op)
	}
	close(hold)
	r.becomes(t, op["id"], "DONE")
	r.wants(t, "mail 10800 A 192.0.2.2", "www 10800 A 192.0.2.1")
}

// Versions set by many callers at once leave all domains with the one that is
// active in the end.
func TestManySetAtOnce(t *testing.T) {
	r := newZoneRig(t, 6, nil)
	var versions []any
	for i := range 6 {
		versions = append(versions, r.version(t, fmt.Sprint("h", i), "192.0.2.2"))
	}
	var all sync.WaitGroup
	for _, n := range versions {
		all.Go(func() { r.do(t, "domain.zone.version.set", r.zone, n) })
		all.Go(func() { r.record(t, 0, fmt.Sprint("p", n), "A", "192.0.2.3") })
	}
	all.Wait()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if open := r.do(t, "operation.count", map[string]any{"step": []any{"WAIT", "RUN"}}); open == int64(0) {
			break
		}
	}
	r.agrees(t)
}

func TestADomainMovesBetweenZones(t *testing.T) {
	r := newZoneRig(t, 2, nil)
	own := r.must(t, "domain.zone.clone", keyA, r.zone, 0, map[string]any{"name": "own"})["id"]
	r.do(t, "domain.zone.record.add", own, 1, map[string]any{"name": "own", "type": "A", "value": "192.0.2.4"})
	if d := r.must(t, "domain.zone.set", keyA, "d00.com", own); d["zone_id"] != own {
		t.Errorf("zone_id %v", d["zone_id"])
	}
	if d := r.must(t, "domain.info", keyA, "d00.com"); d["zone_id"] != own {
		t.Errorf("zone_id %v", d["zone_id"])
	}
	r.do(t, "domain.zone.version.set", r.zone, r.version(t, "mail", "192.0.2.2"))
	for name, want := range map[string]string{
		"d00.com": "[own 10800 A 192.0.2.4 www 10800 A 192.0.2.1]", "d01.com": "[mail 10800 A 192.0.2.2 www 10800 A 192.0.2.1]",
	} {
		if got := fmt.Sprint(r.sim.Records(name)); got != want {
			t.Errorf("%s has %s, want %s", name, got, want)
		}
	}
	_, err := r.ask(t, "domain.zone.delete", keyA, own)
	faults(t, "delete a zone in use", err, 581039, "d00.com")
	r.must(t, "domain.zone.set", keyA, "d00.com", r.zone)
	r.do(t, "domain.zone.delete", own)
	r.agrees(t)
}

func TestZonesAreOneTenants(t *testing.T) {
	r := newZoneRig(t, 1, nil)
	for _, key := range []string{keyB, keyOfC} {
		for method, params := range map[string][]any{
			"domain.zone.info": {}, "domain.zone.delete": {}, "domain.zone.clone": {}, "domain.zone.version.new": {}, "domain.zone.version.list": {},
			"domain.zone.version.set": {1}, "domain.zone.version.delete": {1}, "domain.zone.record.list": {1}, "domain.zone.record.delete": {1},
			"domain.zone.record.add": {1, map[string]any{"name": "x", "type": "A", "value": "192.0.2.1"}}, "domain.zone.record.set": {1, []any{}},
			"domain.zone.update": {map[string]any{"name": "x"}},
		} {
			_, err := r.ask(t, method, append([]any{key, r.zone}, params...)...)
			faults(t, method, err, 581042, "no such zone")
		}
		if n, err := r.ask(t, "domain.zone.count", key); n != int64(1) || err != nil {
			t.Errorf("%v zones, %v; want the public one", n, err)
		}
	}
	mine, err := r.ask(t, "domain.zone.create", keyB, map[string]any{"name": "b's"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.ask(t, "domain.zone.set", keyB, "d00.com", mine.(map[string]any)["id"])
	faults(t, "set another's domain", err, 510042, "d00.com")
	r.wants(t, "www 10800 A 192.0.2.1")
}
