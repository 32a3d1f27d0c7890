package sandbox

import (
	"fmt"
	"testing"
	"time"
)

func TestContacts(t *testing.T) {
	r := newRig(t, Options{})
	r.seedNames("own.com")
	path := "/domain/domains/own.com/contacts"
	r.send("PATCH", path, map[string]any{"admin": bob(nil)}).want(t, 202)
	equal(t, "not yet", r.send("GET", path, nil).want(t, 200).at("admin.given"), any("Alice"))
	r.s.Advance(time.Second)
	g := r.send("GET", path, nil)
	equal(t, "admin", g.at("admin.given"), any("Bob"))
	equal(t, "same", g.at("admin.same_as_owner"), any(false))
	equal(t, "tech", g.at("tech.same_as_owner"), any(true))
	equal(t, "default", g.at("admin.data_obfuscated"), any(true))
	equal(t, "updated", r.send("GET", "/domain/domains/own.com", nil).at("dates.updated_at"), any("2026-02-10T12:00:01Z"))
	for body, want := range map[string]string{
		`{"owner":{}}`: "body owner", `{"admin":"BR1-GANDI"}`: "body admin", `{"tech":{"given":"x"}}`: "body tech.type, " +
			"body tech.family, body tech.streetaddr, body tech.country, body tech.email",
	} {
		equal(t, body, r.send("PATCH", path, body).want(t, 400).errorNames(), want)
	}
	r.send("PATCH", "/domain/domains/no.com/contacts", "{}").want(t, 404)
}

func TestOwnerUpdate(t *testing.T) {
	r := newRig(t, Options{})
	r.seed(Seed{Domains: []SeedDomain{
		{FQDN: "person.com"},
		{FQDN: "firm.com", Owner: bob(map[string]any{"type": "company", "orgname": "Roe SARL", "state": "FR-BRE"})},
	}})
	change := func(more map[string]any) map[string]any {
		c := map[string]any{"country": "FR", "streetaddr": "9 rue neuve", "email": "alice@example.org"}
		for k, v := range more {
			c[k] = v
		}
		return c
	}
	path := func(fqdn string) string { return "/domain/domains/" + fqdn + "/contacts/owner" }
	for _, c := range []struct {
		fqdn   string
		more   map[string]any
		errors string
	}{
		{"person.com", map[string]any{"given": "Ada"}, "body given"},
		{"person.com", map[string]any{"given": "Alice", "family": "Doe", "type": "individual"}, ""},
		{"person.com", map[string]any{"email": "new@example.org"}, "body icann_contract_accept"},
		{"person.com", map[string]any{"email": "new@example.org", "icann_contract_accept": true}, ""},
		{"firm.com", map[string]any{"email": "bob@example.org", "given": "Ada"}, ""},
		{"firm.com", map[string]any{"email": "bob@example.org", "orgname": "Other"}, "body orgname"},
		{"firm.com", map[string]any{"email": ""}, "body email"},
	} {
		g := r.send("PUT", path(c.fqdn), change(c.more), "Dry-Run: 1").want(t, 200)
		equal(t, fmt.Sprint(c.fqdn, c.more), g.errorNames(), c.errors)
	}
	r.s.Advance(time.Hour)
	equal(t, "dry", r.send("GET", "/domain/domains/firm.com", nil).at("contacts.owner.given"), any("Bob"))

	r.send("PUT", path("firm.com"), change(map[string]any{"email": "bob@example.org", "given": "Ada", "country": "BE"})).want(t, 202)
	r.s.Advance(time.Second)
	g := r.send("GET", "/domain/domains/firm.com/contacts", nil)
	equal(t, "given", g.at("owner.given"), any("Ada"))
	equal(t, "kept", g.at("owner.city"), any("Paris"))
	equal(t, "state", g.at("owner.state"), nil)
	equal(t, "same", g.at("admin.same_as_owner"), any(false))
}

func TestOwnerChange(t *testing.T) {
	r := newRig(t, Options{Tokens: []Token{{Secret: DefaultToken, Orgs: []string{DefaultSharingID, resellerID}}}})
	r.seedNames("own.com")
	path := "/domain/changeowner/own.com"
	body := map[string]any{"owner": bob(nil), "tech": bob(map[string]any{"given": "Ada"})}
	r.send("GET", path, nil).want(t, 404)
	equal(t, "dry", r.send("POST", path, body, "Dry-Run: 1").want(t, 200).raw, `{"status":"success"}`)
	r.send("GET", path, nil).want(t, 404)
	equal(t, "errors", r.send("POST", path, "{}").want(t, 400).errorNames(), "body owner")
	r.send("POST", "/domain/changeowner/no.com", body).want(t, 404)

	r.send("POST", path+"?sharing_id="+resellerID, body).want(t, 202)
	g := r.send("GET", path, nil).want(t, 200)
	equal(t, "running", g.raw, `{"created_at":"2026-02-10T12:00:00Z","date_start":"2026-02-10T12:00:00Z",`+
		`"foa":[{"answer":"","email":"alice@example.org"},{"answer":"","email":"bob@example.org"}],`+
		`"inner_step":"checking_foa_response","params":{"inner_step":"checking_foa_response","new_owner_email":"bob@example.org",`+
		`"old_admin_email":"alice@example.org","old_owner_email":"alice@example.org"},`+
		`"step":"WAIT","step_nb":2,"updated_at":"2026-02-10T12:00:00Z"}`)
	r.send("POST", path, body).want(t, 409)
	r.send("POST", path+"/foa", map[string]any{"email": "bob@example.org"}).want(t, 202)
	equal(t, "foa", r.send("POST", path+"/foa", map[string]any{"email": "x@example.org"}).want(t, 400).errorNames(), "body email")

	r.s.Advance(time.Second)
	g = r.send("GET", path, nil).want(t, 200)
	equal(t, "step", g.at("step"), any("RUN"))
	equal(t, "answer", g.at("params.answer_old_owner"), any("T"))
	equal(t, "owner", r.send("GET", "/domain/domains/own.com", nil).at("contacts.owner.given"), any("Alice"))
	r.send("POST", path+"/foa", map[string]any{"email": "bob@example.org"}).want(t, 404)

	r.s.Advance(time.Second)
	g = r.send("GET", path, nil).want(t, 200)
	equal(t, "created", g.at("created_at"), any("2026-02-10T12:00:00Z"))
	equal(t, "updated", g.at("updated_at"), any("2026-02-10T12:00:02Z"))
	equal(t, "step", g.at("step"), any("RUN"))
	g = r.send("GET", "/domain/domains/own.com", nil)
	equal(t, "owner", g.at("contacts.owner.given"), any("Bob"))
	equal(t, "tech", g.at("contacts.tech.given"), any("Ada"))
	equal(t, "admin", g.at("contacts.admin.given"), any("Alice"))
	equal(t, "space", g.at("sharing_space.sharing_space.id"), any(resellerID))
	equal(t, "charge", r.s.Ledger()[0], Charge{"change_owner", "own.com", 0, "0.00", resellerID})
	r.send("POST", path, body).want(t, 202)
	equal(t, "created", r.send("GET", path, nil).at("created_at"), any("2026-02-10T12:00:02Z"))
}

func TestOwnerChangeEnds(t *testing.T) {
	r := newRig(t, Options{ForgetOwnerChange: true})
	r.seedNames("own.com", "bad.com")
	r.seed(Seed{FailChangeOwner: map[string]FailedOrder{"bad.com": failed("domain_change_owner:refused")}})
	body := map[string]any{"owner": bob(map[string]any{"type": "reseller", "orgname": "Shop"})}
	r.send("POST", "/domain/changeowner/own.com", body).want(t, 202)
	r.send("POST", "/domain/changeowner/bad.com", body).want(t, 202)
	r.s.Advance(2 * time.Second)
	r.send("GET", "/domain/changeowner/own.com", nil).want(t, 404)
	g := r.send("GET", "/domain/changeowner/bad.com", nil).want(t, 200)
	equal(t, "step", g.at("step"), any("ERROR"))
	equal(t, "type", g.at("errortype"), any("domain_change_owner:refused"))
	equal(t, "owner", r.send("GET", "/domain/domains/bad.com", nil).at("contacts.owner.given"), any("Alice"))
	r.send("POST", "/domain/changeowner/bad.com", body).want(t, 202)
}

func TestRenew(t *testing.T) {
	r := newRig(t, Options{})
	r.seed(Seed{Domains: []SeedDomain{
		{FQDN: "own.com", RegistryEndsAt: time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC)},
		{FQDN: "fixed.com", Status: []string{"clientRenewProhibited"}},
	}})
	path := "/domain/domains/own.com/renew"
	equal(t, "window", r.send("GET", path, nil).want(t, 200).raw, `{"begins_at":"2012-01-01T00:00:00Z","durations":[1,2,3,4,5,6,7],`+
		`"ends_at":"2028-04-14T14:00:00Z","in_renew_period":true,"maximum":7,"minimum":1,"prohibited":false}`)
	equal(t, "beyond", r.send("POST", path, `{"duration":8}`).want(t, 400).errorNames(), "body duration")
	r.send("POST", path, `{"duration":2}`).want(t, 202)
	r.send("POST", path, nil).want(t, 202)
	equal(t, "less", r.send("GET", path, nil).at("maximum"), any(4.0))
	equal(t, "not yet", r.send("GET", "/domain/domains/own.com", nil).at("dates.registry_ends_at"), any("2028-03-01T00:00:00Z"))
	r.s.Advance(time.Second)
	equal(t, "moved", r.send("GET", "/domain/domains/own.com", nil).at("dates.registry_ends_at"), any("2031-03-01T00:00:00Z"))
	equal(t, "charge", r.s.Ledger()[0], Charge{"renew", "own.com", 2, "27.00", DefaultSharingID})
	equal(t, "charges", len(r.s.Ledger()), 2)
	equal(t, "prohibited", r.send("GET", "/domain/domains/fixed.com/renew", nil).at("prohibited"), any(true))
	equal(t, "cause", r.send("POST", "/domain/domains/fixed.com/renew", nil).want(t, 400).at("cause"), any("CAUSE_STATE"))
}

func TestRestore(t *testing.T) {
	r := newRig(t, Options{})
	r.seed(Seed{Domains: []SeedDomain{{FQDN: "own.com", RegistryEndsAt: winter.AddDate(0, 0, -50)}, {FQDN: "live.com"}}})
	equal(t, "live", r.send("GET", "/domain/domains/live.com/restore", nil).want(t, 200).at("restorable"), any(false))
	r.send("POST", "/domain/domains/live.com/restore", "{}").want(t, 400)
	path := "/domain/domains/own.com/restore"
	equal(t, "lost", r.send("GET", path, nil).at("restorable"), any(true))
	r.send("POST", "/domain/domains/own.com/renew", nil).want(t, 400)
	equal(t, "duration", r.send("POST", path, `{"duration":1}`).want(t, 400).errorNames(), "body duration")
	// A dry run is not documented here: it is the purchase.
	r.send("POST", path, "{}", "Dry-Run: 1").want(t, 202)
	r.send("POST", path, "{}").want(t, 400)
	r.s.Advance(time.Second)
	equal(t, "restorable", r.send("GET", path, nil).at("restorable"), any(false))
	equal(t, "end", r.send("GET", "/domain/domains/own.com", nil).at("dates.registry_ends_at"), any("2026-12-22T12:00:00Z"))
	equal(t, "charge", r.s.Ledger()[0], Charge{"restore", "own.com", 1, "80.00", DefaultSharingID})
}

func TestNameservers(t *testing.T) {
	r := newRig(t, Options{})
	r.seedNames("own.com")
	path := "/domain/domains/own.com/nameservers"
	equal(t, "live", r.send("GET", "/domain/domains/own.com/livedns", nil).want(t, 200).at("current"), any("livedns"))
	r.send("POST", "/domain/domains/own.com/livedns", nil).want(t, 409)
	for body, want := range map[string]string{
		"{}": "body nameservers", `{"nameservers":[]}`: "body nameservers.0", `{"nameservers":"a.net"}`: "body nameservers",
		`{"nameservers":["a.net","ns.own.com"]}`: "body nameservers.1", `{"nameservers":["not a name"]}`: "body nameservers.0",
		`{"nameservers":["a.net","a.net"]}`: "body nameservers.1", `{"nameservers":["a.net"],"nameservers_ips":{}}`: "body nameservers_ips",
	} {
		equal(t, body, r.send("PUT", path, body).want(t, 400).errorNames(), want)
	}
	r.send("POST", "/domain/domains/own.com/hosts", `{"name":"ns","ips":["192.0.2.1"]}`).want(t, 202)
	r.s.Advance(time.Second)
	r.send("PUT", path, `{"nameservers":["NS.own.com","a.net"]}`).want(t, 202)
	equal(t, "not yet", len(r.send("GET", path, nil).array), 3)
	r.s.Advance(time.Second)
	equal(t, "set", r.send("GET", path, nil).raw, `["ns.own.com","a.net"]`)
	r.send("PUT", path, `{"nameservers":["a.net","ns.own.com"]}`).want(t, 409)
	r.send("DELETE", "/domain/domains/own.com/hosts/ns", nil).want(t, 400)
	equal(t, "other", r.send("GET", "/domain/domains/own.com/livedns", nil).at("current"), any("other"))
	r.send("POST", "/domain/domains/own.com/livedns", nil).want(t, 202)
	r.s.Advance(time.Second)
	equal(t, "services", fmt.Sprint(r.send("GET", "/domain/domains/own.com", nil).at("services")), "[gandilivedns]")
}

func TestHosts(t *testing.T) {
	r := newRig(t, Options{})
	r.seedNames("own.com")
	path := "/domain/domains/own.com/hosts"
	equal(t, "missing", r.send("GET", path+"/ns1", nil).want(t, 400).raw,
		`{"cause":"CAUSE_NOTFOUND","code":400,"message":"Host 'ns1.own.com' doesn't exist"}`)
	equal(t, "bad", r.send("POST", path, `{"name":"a_b","ips":[]}`).want(t, 400).errorNames(), "body name, body ips.0")
	for _, label := range []string{"ns2", "@", "ns1"} {
		r.send("POST", path, map[string]any{"name": label, "ips": []string{"192.0.2.1"}}).want(t, 202)
	}
	equal(t, "not yet", len(r.send("GET", path, nil).array), 0)
	r.s.Advance(time.Second)
	r.send("POST", path, `{"name":"NS1","ips":["192.0.2.1"]}`).want(t, 409)
	g := r.send("GET", path+"?per_page=2&page=2", nil).want(t, 200)
	equal(t, "second page", fmt.Sprint(g.array), "[map[fqdn:own.com fqdn_unicode:own.com href:"+r.url+
		"/v5/domain/domains/own.com/hosts/ns2 ips:[192.0.2.1] name:ns2]]")
	r.send("GET", path+"/%40", nil).want(t, 200)
	r.send("PUT", path+"/ns1", `{"ips":["2001:db8::1"]}`).want(t, 202)
	r.send("DELETE", path+"/ns2", nil).want(t, 202)
	r.s.Advance(time.Second)
	equal(t, "put", r.send("GET", path+"/ns1", nil).at("ips").([]any)[0], any("2001:db8::1"))
	r.send("GET", path+"/ns2", nil).want(t, 400)
}

func TestSettings(t *testing.T) {
	r := newRig(t, Options{})
	r.seedNames("own.com", "own.de")
	path := "/domain/domains/own.com"
	before := r.send("GET", path, nil)
	for _, c := range []struct{ method, path, body, errors string }{
		{"PATCH", "/status", "{}", "body clientTransferProhibited"},
		{"PATCH", "/status", `{"clientHold":true}`, "body clientTransferProhibited, body clientHold"},
		{"PATCH", "/autorenew", `{"duration":10}`, "body enabled, body duration"},
		{"PATCH", "/autorenew", `{"enabled":true,"org_id":"x"}`, "body org_id"},
		{"PATCH", "/reachability", `{"action":"send"}`, "body action"},
		{"PUT", "/authinfo", `{"authinfo":"x"}`, "body authinfo"},
	} {
		equal(t, c.path+c.body, r.send(c.method, path+c.path, c.body).want(t, 400).errorNames(), c.errors)
	}
	r.send("PATCH", "/domain/domains/own.de/status", `{"clientTransferProhibited":true}`).want(t, 400)
	r.send("PATCH", path+"/status", `{"clientTransferProhibited":true}`).want(t, 202)
	r.send("PATCH", path+"/autorenew", `{"enabled":true,"duration":2}`).want(t, 202)
	r.send("PATCH", path+"/reachability", `{"action":"resend"}`).want(t, 202)
	r.send("PUT", path+"/authinfo", nil).want(t, 202)
	equal(t, "not yet", r.send("GET", path, nil).raw, before.raw)
	r.s.Advance(time.Second)
	g := r.send("GET", path, nil)
	equal(t, "status", fmt.Sprint(g.at("status")), "[clientTransferProhibited]")
	equal(t, "autorenew", g.at("autorenew.duration"), any(2.0))
	equal(t, "org", g.at("autorenew.org_id"), any(DefaultSharingID))
	if g.at("authinfo") == before.at("authinfo") || len(g.at("authinfo").(string)) != 10 {
		t.Errorf("authinfo = %v", g.at("authinfo"))
	}
	r.send("PATCH", path+"/status", `{"clientTransferProhibited":false}`).want(t, 202)
	r.s.Advance(time.Second)
	equal(t, "status", len(r.send("GET", path, nil).at("status").([]any)), 0)
}

func TestTags(t *testing.T) {
	r := newRig(t, Options{})
	r.seedNames("own.com")
	path := "/domain/domains/own.com/tags"
	for _, c := range []struct {
		method, body string
		status       int
		tags         string
	}{
		{"POST", `{"tag":"a"}`, 202, `["a"]`}, {"PUT", `{"tags":["b","c","b"]}`, 202, `["b","c"]`},
		{"PATCH", `{"add":["d"],"remove":["b"]}`, 202, `["c","d"]`}, {"PATCH", `{"add":["d"]}`, 400, `["c","d"]`},
		{"DELETE", "", 200, `[]`},
	} {
		r.send(c.method, path, c.body).want(t, c.status)
		equal(t, c.method, r.send("GET", path, nil).raw, c.tags)
	}
}

func TestTransferIn(t *testing.T) {
	r := newRig(t, Options{})
	r.seed(Seed{Domains: []SeedDomain{{FQDN: "own.com"}}, Taken: []string{"old.com"}, TransferCodes: map[string]string{"old.com": "right"}})
	for fqdn, want := range map[string]bool{"old.com": true, "own.com": false, "free.com": false, "a.io": false} {
		g := r.send("POST", "/domain/transferin/"+fqdn+"/available", nil).want(t, 200)
		equal(t, fqdn, g.at("available"), any(want))
	}
	equal(t, "code", r.send("POST", "/domain/transferin/old.com/available", `{"authinfo":"no"}`).at("available"), any(false))
	r.send("GET", "/domain/transferin/old.com", nil).want(t, 404)
	body := order("old.com", map[string]any{"authinfo": "wrong", "change_owner": false})
	equal(t, "dry", r.send("POST", "/domain/transferin", body, "Dry-Run: 1").want(t, 200).at("status"), any("success"))
	equal(t, "lang", r.send("POST", "/domain/transferin", order("old.com", map[string]any{"lang": "fr"})).want(t, 400).errorNames(), "body lang")
	equal(t, "free", r.send("POST", "/domain/transferin", order("free.com", nil)).want(t, 400).errorNames(), "body fqdn")
	r.send("POST", "/domain/transferin", order("own.com", nil)).want(t, 409)
	r.send("POST", "/domain/transferin", body).want(t, 202)
	r.send("POST", "/domain/transferin", body).want(t, 409)
	r.send("POST", "/domain/domains", order("old.com", nil)).want(t, 400)
	for _, step := range []string{"BILL", "WAIT", "RUN", "ERROR"} {
		equal(t, "step", r.send("GET", "/domain/transferin/old.com", nil).want(t, 200).at("step"), any(step))
		r.s.Advance(time.Second)
	}
	r.send("PUT", "/domain/transferin/old.com/authinfo", `{}`).want(t, 400)
	r.send("PUT", "/domain/transferin/old.com/authinfo?sharing_id="+DefaultSharingID, `{"authinfo":"right"}`).want(t, 202)
	r.send("PUT", "/domain/transferin/old.com", nil).want(t, 202)
	r.s.Advance(time.Second)
	r.send("POST", "/domain/transferin/old.com/foa", `{"email":"bob@example.org"}`).want(t, 202)
	r.s.Advance(2 * time.Second)
	equal(t, "owner", r.send("GET", "/domain/domains/old.com", nil).want(t, 200).at("contacts.owner.given"), any("Bob"))
	equal(t, "charges", len(r.s.Ledger()), 1)
	r.send("PUT", "/domain/transferin/old.com", nil).want(t, 400)
}
