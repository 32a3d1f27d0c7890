package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

// A domain that is registered with a zone has its records when the operation is
// DONE.
func TestAZoneFollowsARegistration(t *testing.T) {
	r := newZoneRig(t, 1, nil)
	params := r.createParams(t)
	params["zone_id"] = r.zone
	op := r.must(t, "domain.create", keyA, "new.com", params)
	r.becomes(t, op["id"], "DONE")
	r.domains = append(r.domains, "new.com")
	r.wants(t, "www 10800 A 192.0.2.1")
	if d := r.must(t, "domain.info", keyA, "new.com"); d["zone_id"] != r.zone {
		t.Errorf("zone_id %v", d["zone_id"])
	}
	// With other name servers it is linked, and has nothing in LiveDNS.
	params["nameservers"] = []any{"ns1.example.net", "ns2.example.net"}
	op = r.must(t, "domain.create", keyA, "elsewhere.com", params)
	r.becomes(t, op["id"], "DONE")
	if d := r.must(t, "domain.info", keyA, "elsewhere.com"); d["zone_id"] != r.zone || r.sim.Records("elsewhere.com") != nil {
		t.Errorf("zone_id %v, records %v", d["zone_id"], r.sim.Records("elsewhere.com"))
	}
	zone := r.must(t, "domain.zone.info", keyA, r.zone)
	if got := fmt.Sprint(zone["domains"], zone["versions"]); got != "3 [1]" {
		t.Errorf("domains and versions %s: what v5 gives to a new domain was taken for somebody's", got)
	}
	r.do(t, "domain.zone.version.set", r.zone, r.version(t, "mail", "192.0.2.2"))
	r.wants(t, "mail 10800 A 192.0.2.2", "www 10800 A 192.0.2.1")
}

func TestAZoneFollowsATransfer(t *testing.T) {
	r := newZoneRig(t, 1, nil)
	r.seed(t, sandbox.Seed{Taken: []string{moving}, TransferCodes: map[string]string{moving: rightCode}})
	params := r.transferParams(t, rightCode)
	params["zone_id"] = r.zone
	op := r.must(t, "domain.transferin.proceed", keyA, moving, params)
	r.becomes(t, op["id"], "DONE")
	if d := r.must(t, "domain.info", keyA, moving); d["zone_id"] != r.zone {
		t.Errorf("zone_id %v", d["zone_id"])
	}
}

// A refusal of what follows does not buy again, whatever the caller does, and can
// be made good by a relaunch.
func TestAZoneThatCannotFollow(t *testing.T) {
	r := newZoneRig(t, 1, nil)
	params := r.createParams(t)
	params["zone_id"] = r.zone
	stop := r.refusing("new.com")
	op := r.must(t, "domain.create", keyA, "new.com", params)
	end := r.becomes(t, op["id"], "ERROR")
	if text := fmt.Sprint(end["last_error"]); !strings.Contains(text, "bought and stays so") || !strings.Contains(text, "zone: no such luck") {
		t.Errorf("last error %q", text)
	}
	d := r.must(t, "domain.info", keyA, "new.com")
	if owner := d["contacts"].(map[string]any)["owner"].(map[string]any)["handle"]; owner != params["owner"] {
		t.Errorf("the owner is %v: what is bought is not settled", owner)
	}
	_, err := r.ask(t, "domain.create", keyA, "new.com", params)
	faults(t, "asked again", err, 510041, "new.com")
	if yes, err := r.ask(t, "operation.relaunch", keyA, op["id"]); err != nil || yes != true {
		t.Errorf("relaunch: %v, %v", yes, err)
	}
	r.becomes(t, op["id"], "ERROR")
	stop()
	if yes, err := r.ask(t, "operation.relaunch", keyA, op["id"]); err != nil || yes != true {
		t.Errorf("relaunch: %v, %v", yes, err)
	}
	r.becomes(t, op["id"], "DONE")
	r.domains = append(r.domains, "new.com")
	r.wants(t, "www 10800 A 192.0.2.1")
	if n := len(r.sim.Ledger()); n != 1 {
		t.Errorf("%d charges", n)
	}
}

// LiveDNS may take a moment to know a domain.
func TestAZoneWaitsForLiveDNS(t *testing.T) {
	t.Parallel()
	r := newZoneRig(t, 0, nil)
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "old.com", Nameservers: []string{"a.dns.gandi.net"}}}})
	late := time.Now().Add(2 * time.Second)
	r.before(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasSuffix(q.URL.Path, "/records") && time.Now().Before(late) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(404)
			fmt.Fprint(w, `{"object":"HTTPNotFound","cause":"Not Found","code":404,"message":"not there"}`)
			return
		}
		r.sim.Handler().ServeHTTP(w, q)
	})
	if d := r.must(t, "domain.zone.set", keyA, "old.com", r.zone); d["zone_id"] != r.zone {
		t.Errorf("zone_id %v", d["zone_id"])
	}
	r.domains = []string{"old.com"}
	r.wants(t, "www 10800 A 192.0.2.1")
	d := r.must(t, "domain.info", keyA, "old.com")
	if servers := d["nameservers"].([]any); slices.Contains(servers, any("a.dns.gandi.net")) {
		t.Errorf("name servers %v", servers)
	}
	// What the older service had is a version of the zone.
	if zone := r.must(t, "domain.zone.info", keyA, r.zone); fmt.Sprint(zone["versions"]) != "[1 2]" {
		t.Errorf("versions %v", zone["versions"])
	}
}
