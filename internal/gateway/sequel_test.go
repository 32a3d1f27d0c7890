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

const soldName = "new.com"

// sequelParams ask for all that can follow a registration.
func (r *zoneRig) sequelParams(t *testing.T) map[string]any {
	params := r.createParams(t)
	params["nameservers"] = []any{"ns1." + soldName, "ns2.example.org"}
	params["nameservers_ips"] = map[string]any{"ns1." + soldName: []any{"192.0.2.1"}}
	params["zone_id"], params["webredir"] = r.zone, "http://www.example.org/"
	return params
}

func TestAllThatFollowsARegistration(t *testing.T) {
	t.Parallel()
	r := newZoneRig(t, 0, nil)
	params := r.sequelParams(t)
	op := r.must(t, "domain.create", keyA, soldName, params)
	op = r.becomesSlowly(t, op["id"], "DONE")
	shown := op["params"].(map[string]any)
	if shown["webredir"] != params["webredir"] || fmt.Sprint(shown["nameservers_ips"]) != fmt.Sprint(params["nameservers_ips"]) {
		t.Errorf("params %v", shown)
	}
	d := r.must(t, "domain.info", keyA, soldName)
	if d["zone_id"] != r.zone || fmt.Sprint(d["nameservers"]) != fmt.Sprint(params["nameservers"]) {
		t.Errorf("zone %v, name servers %v", d["zone_id"], d["nameservers"])
	}
	host := r.must(t, "domain.host.info", keyA, "ns1."+soldName)
	redirs := r.do(t, "domain.webredir.list", soldName).([]any)
	if fmt.Sprint(host["ips"]) != "[192.0.2.1]" || len(redirs) != 1 || redirs[0].(map[string]any)["host"] != soldName {
		t.Errorf("host %v, redirections %v", host, redirs)
	}
	for _, q := range r.orders() {
		if q == "POST /domain/domains" {
			return
		}
	}
	t.Errorf("sent %v", r.orders())
}

// What follows can be asked for otherwise once the domain is bought, and nothing
// else can; an account that may not spend can do it, since it costs nothing.
func TestARelaunchOfWhatFollows(t *testing.T) {
	t.Parallel()
	r := newZoneRig(t, 0, nil)
	refusing := true
	r.before(func(w http.ResponseWriter, q *http.Request) {
		if refusing && q.Method == "POST" && strings.HasSuffix(q.URL.Path, "/hosts") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"code":400,"object":"HTTPBadRequest","cause":"Bad Request","message":"no such luck"}`)
			return
		}
		r.sim.Handler().ServeHTTP(w, q)
	})
	op := r.must(t, "domain.create", keyA, soldName, r.sequelParams(t))
	op = r.becomesSlowly(t, op["id"], "ERROR")
	if text := fmt.Sprint(op["last_error"]); !strings.Contains(text, "bought") || !strings.Contains(text, "host ns1 of new.com: no such luck; 3 after that not begun") {
		t.Errorf("last error %q", text)
	}
	tenant, _ := r.tenants.Load().Named("a")
	tenant.Mode = "no_spend"
	for name, value := range map[string]any{"duration": 2, "owner": "FLN1-GANDI", "tld_phase": "golive"} {
		_, err := r.ask(t, "operation.relaunch", keyA, op["id"], map[string]any{name: value})
		faults(t, name, err, 501637, "params."+name)
	}
	_, err := r.ask(t, "operation.relaunch", keyA, op["id"], map[string]any{"webredir": "nowhere"})
	faults(t, "a wrong one", err, 505437, "params.webredir")
	_, err = r.ask(t, "operation.relaunch", keyB, op["id"])
	faults(t, "somebody else's", err, 510250, "")
	refusing = false
	other := map[string]any{"webredir": "http://other.example.org/", "nameservers": []any{"ns3.example.org", "ns4.example.org"}, "nameservers_ips": map[string]any{}}
	if yes, err := r.ask(t, "operation.relaunch", keyA, op["id"], other); err != nil || yes != true {
		t.Fatalf("relaunch: %v, %v", yes, err)
	}
	op = r.becomesSlowly(t, op["id"], "DONE")
	if shown := op["params"].(map[string]any); shown["webredir"] != other["webredir"] || shown["nameservers_ips"] != nil || shown["owner"] == nil {
		t.Errorf("params %v", shown)
	}
	d := r.must(t, "domain.info", keyA, soldName)
	redirs := r.do(t, "domain.webredir.list", soldName).([]any)
	if fmt.Sprint(d["nameservers"]) != "[ns3.example.org ns4.example.org]" || len(redirs) != 1 || redirs[0].(map[string]any)["url"] != other["webredir"] {
		t.Errorf("name servers %v, redirections %v", d["nameservers"], redirs)
	}
	if n := len(r.sim.Ledger()); n != 1 || slices.Index(r.orders(), "POST /domain/domains/"+soldName+"/hosts") >= 0 {
		t.Errorf("%d charges, sent %v", n, r.orders())
	}
}

// Gandi's name servers and a redirection follow a transfer.
func TestWhatFollowsATransfer(t *testing.T) {
	t.Parallel()
	r := newZoneRig(t, 0, nil)
	r.seed(t, sandbox.Seed{Taken: []string{moving}, TransferCodes: map[string]string{moving: rightCode}})
	params := r.transferParams(t, rightCode)
	params["nameservers"], params["zone_id"], params["webredir"] = []any{"a.dns.gandi.net", "b.dns.gandi.net"}, r.zone, "http://www.example.org/"
	op := r.must(t, "domain.transferin.proceed", keyA, moving, params)
	r.becomesSlowly(t, op["id"], "DONE")
	r.domains = []string{moving}
	r.wants(t, "www 10800 A 192.0.2.1")
	if redirs := r.do(t, "domain.webredir.list", moving).([]any); len(redirs) != 1 {
		t.Errorf("redirections %v", redirs)
	}
}

// A zone that is given with Gandi's name servers is the domain's when these are,
// and what it had is kept in its own.
func TestAZoneWithNameservers(t *testing.T) {
	t.Parallel()
	r := newZoneRig(t, 0, nil)
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "old.com", Nameservers: []string{"a.dns.gandi.net"}}, {FQDN: "live.com"}}})
	gandi := []any{"a.dns.gandi.net", "b.dns.gandi.net", "c.dns.gandi.net"}
	own := r.must(t, "domain.info", keyA, "live.com")["zone_id"]
	for _, fqdn := range []string{"old.com", "live.com"} {
		op := r.must(t, "domain.nameservers.set", keyA, fqdn, gandi, map[string]any{"zone_id": r.zone})
		if op["type"] != "domain_ns_set" {
			t.Errorf("type %v", op["type"])
		}
		r.becomesSlowly(t, op["id"], "DONE")
		if d := r.must(t, "domain.info", keyA, fqdn); d["zone_id"] != r.zone {
			t.Errorf("%s has zone %v", fqdn, d["zone_id"])
		}
	}
	r.domains = []string{"old.com", "live.com"}
	r.wants(t, "www 10800 A 192.0.2.1")
	if n := r.do(t, "domain.zone.record.count", own, 0).(int64); n == 0 {
		t.Error("what LiveDNS had is not kept in the domain's own zone")
	}
	if zone := r.must(t, "domain.zone.info", keyA, r.zone); fmt.Sprint(zone["versions"]) != "[1]" {
		t.Errorf("versions %v: another domain's records became one", zone["versions"])
	}
}

// What is bought uses its contacts at once, whatever takes its time behind it: an
// update of one reaches it.
func TestAnUpdateReachesWhatIsBought(t *testing.T) {
	t.Parallel()
	r := newZoneRig(t, 0, nil)
	r.before(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == "POST" && strings.HasSuffix(q.URL.Path, "/webredirs") {
			http.Error(w, "<html>", http.StatusBadGateway)
			return
		}
		r.sim.Handler().ServeHTTP(w, q)
	})
	params := r.createParams(t)
	params["webredir"] = redirects
	op := r.must(t, "domain.create", keyA, soldName, params)
	r.becomes(t, op["id"], "RUN")
	r.becomesOwned(t, soldName)
	r.must(t, "contact.update", keyA, params["owner"], map[string]any{"streetaddr": "9 rue vieille"})
	update := r.lastOperation(t)
	r.becomesSlowly(t, update["id"], "DONE")
	if now := r.must(t, "operation.info", keyA, op["id"]); update["type"] != "contact_update" || now["step"] != "RUN" {
		t.Errorf("%v is DONE, and the purchase is in %v", update["type"], now["step"])
	}
}

// becomesOwned waits until a name is the first tenant's.
func (r *rig) becomesOwned(t *testing.T, fqdn string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if _, err := r.ask(t, "domain.info", keyA, fqdn); err == nil {
			return
		}
	}
	t.Fatalf("%s is not there", fqdn)
}
