package gateway

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

// byHand changes a domain's records past the gateway.
func (r *zoneRig) byHand(t *testing.T, fqdn string, set v5.RRset) {
	t.Helper()
	session, err := r.session("a")
	if err != nil {
		t.Fatal(err)
	}
	if err := session.PutRRset(t.Context(), fqdn, set); err != nil {
		t.Fatal(err)
	}
}

var handmade = v5.RRset{Name: "by-hand", Type: "A", TTL: 600, Values: []string{"192.0.2.50"}}

func TestRecordsChangedPastTheGatewayAreAdopted(t *testing.T) {
	r := newZoneRig(t, 2, nil)
	n := r.version(t, "mail", "192.0.2.2")
	r.byHand(t, "d01.com", handmade)
	r.do(t, "domain.zone.version.set", r.zone, n)
	r.wants(t, "mail 10800 A 192.0.2.2", "www 10800 A 192.0.2.1")
	zone := r.must(t, "domain.zone.info", keyA, r.zone)
	if got := fmt.Sprint(zone["version"], zone["versions"]); got != "2 [1 2 3]" {
		t.Fatalf("versions %s", got)
	}
	list := r.do(t, "domain.zone.record.list", r.zone, 3, map[string]any{"name": "by-hand"}).([]any)
	if len(list) != 1 || list[0].(map[string]any)["value"] != "192.0.2.50" || list[0].(map[string]any)["ttl"] != int64(600) {
		t.Errorf("adopted %v", list)
	}
	// It is a version like others: it can be set, and then nothing is adopted.
	r.do(t, "domain.zone.version.set", r.zone, 3)
	r.wants(t, "by-hand 600 A 192.0.2.50", "www 10800 A 192.0.2.1")
	if n := counted(t, r.registry, "gateway_zone_drift_total"); n != 1 {
		t.Errorf("counted %v times", n)
	}
	// The same change again is in that version already.
	r.do(t, "domain.zone.version.set", r.zone, 1)
	r.byHand(t, "d00.com", handmade)
	r.do(t, "domain.zone.version.set", r.zone, n)
	r.wants(t, "mail 10800 A 192.0.2.2", "www 10800 A 192.0.2.1")
	if zone := r.must(t, "domain.zone.info", keyA, r.zone); len(zone["versions"].([]any)) != 3 {
		t.Errorf("versions %v", zone["versions"])
	}
}

// A change in place does not overwrite what somebody did meanwhile either.
func TestAChangeInPlaceAdopts(t *testing.T) {
	r := newZoneRig(t, 1, nil)
	r.byHand(t, "d00.com", v5.RRset{Name: "www", Type: "A", TTL: 300, Values: []string{"192.0.2.60"}})
	r.record(t, 0, "mail", "A", "192.0.2.2")
	r.wants(t, "mail 10800 A 192.0.2.2", "www 10800 A 192.0.2.1")
	if zone := r.must(t, "domain.zone.info", keyA, r.zone); fmt.Sprint(zone["versions"]) != "[1 2]" {
		t.Errorf("versions %v", zone["versions"])
	}
}

func TestRecordsChangedPastTheGatewayAreRefused(t *testing.T) {
	r := newZoneRig(t, 2, func(c *config.Config) { c.ZoneDrift = "refuse" })
	n := r.version(t, "mail", "192.0.2.2")
	r.byHand(t, "d01.com", handmade)
	_, err := r.ask(t, "domain.zone.version.set", keyA, r.zone, n)
	faults(t, "version.set", err, 581060, "d01.com")
	_, err = r.ask(t, "domain.zone.record.add", keyA, r.zone, 0, map[string]any{"name": "x", "type": "A", "value": "192.0.2.1"})
	faults(t, "record.add", err, 581060, "d01.com")
	if got := fmt.Sprint(r.sim.Records("d00.com"), r.active(t)); got != "[www 10800 A 192.0.2.1] [www 10800 A 192.0.2.1]" {
		t.Errorf("there is %s", got)
	}
	// What a domain had before its first zone here is no change of anybody's.
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "new.com"}}})
	r.must(t, "domain.zone.set", keyA, "new.com", r.zone)
}

func TestRecordsChangedPastTheGatewayAreOverwritten(t *testing.T) {
	r := newZoneRig(t, 1, func(c *config.Config) { c.ZoneDrift = "overwrite" })
	r.byHand(t, "d00.com", handmade)
	r.do(t, "domain.zone.version.set", r.zone, r.version(t, "mail", "192.0.2.2"))
	r.wants(t, "mail 10800 A 192.0.2.2", "www 10800 A 192.0.2.1")
	if zone := r.must(t, "domain.zone.info", keyA, r.zone); fmt.Sprint(zone["versions"]) != "[1 2]" {
		t.Errorf("versions %v", zone["versions"])
	}
}

// The public zone takes no versions: what somebody changed becomes a zone of the
// domain's own.
func TestAChangeUnderThePublicZoneIsAdopted(t *testing.T) {
	r := newZoneRig(t, 1, nil)
	public := int64(1_000_000_000)
	if d := r.must(t, "domain.zone.set", keyA, "d00.com", public); d["zone_id"] != public {
		t.Errorf("zone_id %v", d["zone_id"])
	}
	if zone := r.must(t, "domain.zone.info", keyA, public); zone["domains"] != int64(1) || zone["public"] != true {
		t.Errorf("zone %v", zone)
	}
	r.byHand(t, "d00.com", handmade)
	r.must(t, "domain.zone.set", keyA, "d00.com", public)
	if got := len(r.sim.Records("d00.com")); got != 8 {
		t.Errorf("%d rrsets", got)
	}
	list := r.do(t, "domain.zone.list", map[string]any{"name": "d00.com", "sort_by": "id DESC"}).([]any)
	if n := r.do(t, "domain.zone.record.count", list[0].(map[string]any)["id"], 0, map[string]any{"name": "by-hand"}); n != int64(1) {
		t.Errorf("%v records were adopted", n)
	}
	if _, err := r.ask(t, "domain.zone.info", keyB, public); err != nil {
		t.Error(err)
	}
}

// What a domain had before it was linked is version 1 of its own zone, also when
// nobody looked at that before.
func TestWhatADomainHadIsKept(t *testing.T) {
	r := newZoneRig(t, 1, nil)
	var own any
	for _, item := range r.do(t, "domain.zone.list").([]any) {
		if m := item.(map[string]any); m["name"] == "d00.com" {
			own = m["id"]
		}
	}
	if n := r.do(t, "domain.zone.record.count", own, 0); n != int64(9) {
		t.Errorf("%v records", n)
	}
	r.must(t, "domain.zone.set", keyA, "d00.com", own)
	if got := len(r.sim.Records("d00.com")); got != 8 {
		t.Errorf("%d rrsets", got)
	}
}

// randomRecord is one of few, so that calls meet the same ones.
func randomRecord(random *rand.Rand) map[string]any {
	m := map[string]any{"name": []string{"@", "www", "*", "a.b", "_x"}[random.IntN(5)], "ttl": 300 + 60*random.IntN(3)}
	switch random.IntN(4) {
	case 0:
		m["type"], m["value"] = "A", fmt.Sprintf("192.0.2.%d", random.IntN(5))
	case 1:
		m["type"], m["value"] = "TXT", fmt.Sprintf("text %d; it", random.IntN(3))
	case 2:
		m["type"], m["value"] = "MX", fmt.Sprintf("%d mx.example.net.", random.IntN(3))
	case 3:
		m["type"], m["value"] = "NS", fmt.Sprintf("ns%d.example.net.", random.IntN(3))
	}
	return m
}

// randomRecords are some that differ.
func randomRecords(random *rand.Rand) (all []any) {
	seen := map[string]bool{}
	for range random.IntN(12) {
		m := randomRecord(random)
		if what := fmt.Sprint(m["name"], m["type"], m["value"]); !seen[what] {
			seen[what], all = true, append(all, m)
		}
	}
	return all
}

// Whatever is done to a zone, its domains have what its active version says
// after each set and each change of that version.
func TestDomainsFollowTheirZone(t *testing.T) {
	r := newZoneRig(t, 2, nil)
	random := rand.New(rand.NewPCG(3, 4))
	versions := []any{int64(1)}
	maybeThere := func(what string, err error) {
		if err != nil {
			faults(t, what, err, 581141, "is there already")
		}
	}
	for range 120 {
		version := versions[random.IntN(len(versions))]
		if random.IntN(2) == 0 {
			version = 0
		}
		switch random.IntN(7) {
		case 0:
			versions = append(versions, r.do(t, "domain.zone.version.new", r.zone, version))
		case 1:
			r.do(t, "domain.zone.version.set", r.zone, version)
		case 2:
			r.do(t, "domain.zone.record.delete", r.zone, version, map[string]any{"name": randomRecord(random)["name"]})
		case 3:
			r.do(t, "domain.zone.record.set", r.zone, version, randomRecords(random))
		case 4:
			if list := r.do(t, "domain.zone.record.list", r.zone, version).([]any); len(list) > 0 {
				id := list[random.IntN(len(list))].(map[string]any)["id"]
				_, err := r.ask(t, "domain.zone.record.update", keyA, r.zone, version, map[string]any{"id": id}, randomRecord(random))
				maybeThere("record.update", err)
			}
		default:
			_, err := r.ask(t, "domain.zone.record.add", keyA, r.zone, version, randomRecord(random))
			maybeThere("record.add", err)
		}
		if r.agrees(t); t.Failed() {
			return
		}
	}
	if zone := r.must(t, "domain.zone.info", keyA, r.zone); len(zone["versions"].([]any)) != len(versions) {
		t.Errorf("%d versions, want %d: its own writes were taken for somebody else's", len(zone["versions"].([]any)), len(versions))
	}
}

// A change of a large zone reads what it is about to write, and all only where
// that is not as it was.
func TestAChangeOfALargeZoneReadsLittle(t *testing.T) {
	r := newZoneRig(t, 1, nil)
	var text strings.Builder
	for i := range 600 {
		fmt.Fprintf(&text, "h%03d A 192.0.2.1\n", i)
	}
	r.do(t, "domain.zone.record.set", r.zone, 0, text.String())
	before := len(r.sim.Requests())
	r.record(t, 0, "h001", "A", "192.0.2.2")
	r.record(t, 0, "new", "A", "192.0.2.2")
	r.do(t, "domain.zone.record.delete", r.zone, 0, map[string]any{"name": "h002"})
	if reads, writes := r.count(before); reads != 3 || writes != 3 {
		t.Errorf("%d reads and %d writes", reads, writes)
	}
	r.byHand(t, "d00.com", v5.RRset{Name: "h003", Type: "A", TTL: 300, Values: []string{"192.0.2.60"}})
	r.record(t, 0, "h003", "A", "192.0.2.2")
	r.agrees(t)
	list := r.do(t, "domain.zone.record.list", r.zone, 2, map[string]any{"value": "192.0.2.60"}).([]any)
	if len(list) != 1 {
		t.Errorf("adopted %v", list)
	}
}

// What somebody changed in LiveDNS is in the next version of a zone that is that
// domain's alone, so that a client who sets it does not undo the change.
func TestANewVersionHasWhatWasChangedPastTheGateway(t *testing.T) {
	r := newZoneRig(t, 1, nil)
	r.byHand(t, "d00.com", handmade)
	r.ahead.Store(int64(2 * time.Minute))
	n := r.version(t, "_acme-challenge", "192.0.2.2")
	r.do(t, "domain.zone.version.set", r.zone, n)
	r.wants(t, "by-hand 600 A 192.0.2.50", "www 10800 A 192.0.2.1", "_acme-challenge 10800 A 192.0.2.2")
	// A client that puts the version back that was active before its own.
	r.do(t, "domain.zone.version.set", r.zone, 2)
	r.wants(t, "by-hand 600 A 192.0.2.50", "www 10800 A 192.0.2.1")
	if zone := r.must(t, "domain.zone.info", keyA, r.zone); fmt.Sprint(zone["versions"]) != "[1 2 3]" {
		t.Errorf("versions %v", zone["versions"])
	}
	r.byHand(t, "d00.com", v5.RRset{Name: "again", Type: "A", TTL: 600, Values: []string{"192.0.2.51"}})
	r.ahead.Store(int64(4 * time.Minute))
	clone := r.must(t, "domain.zone.clone", keyA, r.zone, 0)["id"]
	if n := r.do(t, "domain.zone.record.count", clone, 0, map[string]any{"name": "again"}); n != int64(1) {
		t.Errorf("%v records in the clone", n)
	}
	// A version that is named is copied as it is.
	r.byHand(t, "d00.com", v5.RRset{Name: "third", Type: "A", TTL: 600, Values: []string{"192.0.2.52"}})
	r.ahead.Store(int64(6 * time.Minute))
	n = r.do(t, "domain.zone.version.new", r.zone, 1)
	if count := r.do(t, "domain.zone.record.count", r.zone, n); count != int64(1) {
		t.Errorf("%v records in a copy of version 1", count)
	}
}
