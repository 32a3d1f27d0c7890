package sandbox

import (
	"testing"
	"time"
)

func TestCreate(t *testing.T) {
	r := newRig(t, Options{})
	r.send("GET", "/domain/domains/new.com/createstatus", nil).want(t, 404)
	g := r.send("POST", "/domain/domains", order("New.com", map[string]any{"duration": 2})).want(t, 202)
	equal(t, "location", g.header.Get("Location"), r.url+"/v5/domain/domains/new.com")
	for _, step := range []string{"BILL", "WAIT", "RUN"} {
		g = r.send("GET", "/domain/domains/new.com/createstatus", nil).want(t, 200)
		equal(t, "step", g.at("step"), any(step))
		r.send("GET", "/domain/domains/new.com", nil).want(t, 404)
		r.send("POST", "/domain/domains", order("new.com", nil)).want(t, 409)
		r.s.Advance(time.Second)
	}
	g = r.send("GET", "/domain/domains/new.com/createstatus", nil).want(t, 303)
	equal(t, "location", g.header.Get("Location"), r.url+"/v5/domain/domains/new.com")
	equal(t, "body", g.raw, "")
	g = r.send("GET", "/domain/domains/new.com", nil).want(t, 200)
	equal(t, "end", g.at("dates.registry_ends_at"), any("2028-02-10T12:00:03Z"))
	equal(t, "admin", g.at("contacts.admin.same_as_owner"), any(true))
	equal(t, "given", g.at("contacts.owner.given"), any("Bob"))
	ledger := r.s.Ledger()
	equal(t, "charges", len(ledger), 1)
	equal(t, "charge", ledger[0], Charge{"create", "new.com", 2, "24.00", DefaultSharingID})
	equal(t, "balance", r.send("GET", "/billing/info", nil).at("prepaid.amount"), any(976.0))
}

func TestCreateRefusals(t *testing.T) {
	r := newRig(t, Options{})
	r.seed(Seed{
		Domains: []SeedDomain{{FQDN: "own.com"}}, Taken: []string{"taken.com"},
		Premium: map[string]string{"gold.com": "500.00"},
	})
	for _, c := range []struct {
		name    string
		body    any
		errors  string
		dryOnly bool
	}{
		{"empty", map[string]any{}, "body fqdn, body owner", false},
		{"bad name", order("no dots", nil), "body fqdn", false},
		{"extension", order("a.io", nil), "body fqdn", false},
		{"subdomain", order("a.b.com", nil), "body fqdn", false},
		{"taken", order("taken.com", nil), "body fqdn", false},
		{"own", order("own.com", nil), "body fqdn", true},
		{"unknown", order("a.com", map[string]any{"webredir": "x"}), "body webredir", false},
		{"duration", order("a.com", map[string]any{"duration": 11}), "body duration", false},
		{"no servers", order("a.com", map[string]any{"nameservers": []string{}}), "body nameservers.0", false},
		{"glue", order("a.com", map[string]any{"nameservers": []string{"ns.b.net", "ns.a.com"}}), "body nameservers.1", false},
		{"glue address", order("a.com", map[string]any{
			"nameservers_ips": map[string]any{"ns.a.com": []string{"1.2.3"}},
		}), "body nameservers_ips.ns.a.com.0", false},
		{"extra", order("a.com", map[string]any{"extra_parameters": map[string]any{"birth_city": "x"}}), "body extra_parameters.birth_city", false},
		{"period", order("a.com", map[string]any{"tld_period": "sunrise"}), "body tld_period", false},
		{"smd", order("a.com", map[string]any{"smd": "x"}), "body smd", false},
		{"customer", order("a.com", map[string]any{"resellee_id": "x"}), "body resellee_id", false},
		{"premium", order("gold.com", nil), "body enforce_premium", false},
		{"price", order("a.com", map[string]any{"price": 11.99}), "body price", false},
		{"contact", order("a.com", map[string]any{"tech": map[string]any{"type": "company"}}),
			"body tech.given, body tech.family, body tech.streetaddr, body tech.country, body tech.email", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := r.send("POST", "/domain/domains", c.body, "Dry-Run: 1").want(t, 200)
			equal(t, "dry status", g.at("status"), any("error"))
			equal(t, "dry errors", g.errorNames(), c.errors)
			status := 400
			if c.dryOnly {
				status = 409
			}
			g = r.send("POST", "/domain/domains", c.body).want(t, status)
			if !c.dryOnly {
				equal(t, "errors", g.errorNames(), c.errors)
			}
		})
	}
	equal(t, "charges", len(r.s.Ledger()), 0)
}

func TestContactValidation(t *testing.T) {
	r := newRig(t, Options{})
	for _, c := range []struct {
		name   string
		change map[string]any
		errors string
	}{
		{"fine", nil, ""},
		{"no city", map[string]any{"city": nil, "zip": nil, "phone": nil}, ""},
		{"integer type", map[string]any{"type": 0}, "body owner.type"},
		{"unknown type", map[string]any{"type": "person"}, "body owner.type"},
		{"reseller type", map[string]any{"type": "reseller"}, "body owner.type"},
		{"company without name", map[string]any{"type": "company"}, "body owner.orgname"},
		{"company", map[string]any{"type": "company", "orgname": "Roe SARL"}, ""},
		{"no street", map[string]any{"streetaddr": nil}, "body owner.streetaddr"},
		{"empty family", map[string]any{"family": ""}, "body owner.family"},
		{"country", map[string]any{"country": "EP"}, "body owner.country"},
		{"country case", map[string]any{"country": "fr"}, "body owner.country"},
		{"email", map[string]any{"email": "bob"}, "body owner.email"},
		{"phone", map[string]any{"phone": "0123456788"}, "body owner.phone"},
		{"state", map[string]any{"state": "FR-IDF"}, ""},
		{"free state", map[string]any{"state": "Paris"}, "body owner.state"},
		{"old region", map[string]any{"state": "FR-J"}, "body owner.state"},
		{"other state", map[string]any{"state": "US-MN"}, "body owner.state"},
		{"lang", map[string]any{"lang": "de"}, "body owner.lang"},
		{"obfuscated", map[string]any{"data_obfuscated": 1}, "body owner.data_obfuscated"},
		{"read only", map[string]any{"same_as_owner": true, "reachability": "done"}, "body owner.reachability, body owner.same_as_owner"},
		{"handle", map[string]any{"handle": "BR1-GANDI"}, "body owner.handle"},
		{"extras", map[string]any{"extra_parameters": map[string]any{"birth_date": "1980-02-03", "x-it_pin": "1"}}, ""},
		{"birth date", map[string]any{"extra_parameters": map[string]any{"birth_date": "3.2.1980"}}, "body owner.extra_parameters.birth_date"},
		{"unknown extra", map[string]any{"extra_parameters": map[string]any{"x-nope": "1"}}, "body owner.extra_parameters.x-nope"},
		{"extra type", map[string]any{"extra_parameters": map[string]any{"x-it_pin": 1}}, "body owner.extra_parameters.x-it_pin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := order("a.com", map[string]any{"owner": bob(c.change)})
			g := r.send("POST", "/domain/domains", body, "Dry-Run: 1").want(t, 200)
			equal(t, "errors", g.errorNames(), c.errors)
		})
	}
}

func TestCreateFails(t *testing.T) {
	r := newRig(t, Options{})
	r.seed(Seed{FailCreate: map[string]FailedOrder{
		"bad.com":   failed("domain_create:domain_check_unavailable"),
		"stuck.com": {Step: "SUPPORT", ErrorType: "x", ErrorTypeLabel: "y"},
		"plain.com": {ErrorType: "z"},
	}})
	r.send("POST", "/domain/domains", order("bad.com", nil)).want(t, 202)
	r.send("POST", "/domain/domains", order("stuck.com", nil)).want(t, 202)
	r.s.Advance(time.Hour)
	equal(t, "status", r.send("GET", "/domain/domains/bad.com/createstatus", nil).want(t, 200).raw,
		`{"errortype":"domain_create:domain_check_unavailable","errortype_label":"domain check unavailable","step":"ERROR","step_nb":3}`)
	equal(t, "status", r.send("GET", "/domain/domains/stuck.com/createstatus", nil).want(t, 200).raw,
		`{"errortype":"x","errortype_label":"y","step":"SUPPORT","step_nb":3}`)
	r.send("POST", "/domain/domains", order("plain.com", nil)).want(t, 202)
	r.s.Advance(time.Hour)
	equal(t, "step", r.send("GET", "/domain/domains/plain.com/createstatus", nil).at("step"), any("ERROR"))
	r.send("GET", "/domain/domains/bad.com", nil).want(t, 404)
	r.send("POST", "/domain/domains", order("stuck.com", nil)).want(t, 409)
	r.send("POST", "/domain/domains", order("bad.com", nil)).want(t, 202)
	r.s.Advance(time.Hour)
	r.send("GET", "/domain/domains/bad.com", nil).want(t, 200)
}

func TestOutOfMoney(t *testing.T) {
	r := newRig(t, Options{Balance: "11.99"})
	g := r.send("POST", "/domain/domains", order("a.com", nil)).want(t, 400)
	equal(t, "cause", g.at("cause"), any("CAUSE_NOT_ENOUGH_MONEY"))
	g = r.send("POST", "/domain/domains", order("a.com", nil), "Dry-Run: 1").want(t, 200)
	equal(t, "errors", g.errorNames(), "querystring sharing_id")

	r.seed(Seed{OutOfMoney: OutOfMoneyBill})
	g = r.send("POST", "/domain/domains", order("a.com", nil), "Dry-Run: 1").want(t, 200)
	equal(t, "status", g.at("status"), any("success"))
	if g.header.Get("Warning") == "" {
		t.Error("no Warning header")
	}
	r.send("POST", "/domain/domains", order("a.com", nil)).want(t, 202)
	r.s.Advance(24 * time.Hour)
	equal(t, "step", r.send("GET", "/domain/domains/a.com/createstatus", nil).at("step"), any("BILL"))
	equal(t, "charges", len(r.s.Ledger()), 0)
	r.seed(Seed{Balance: "12.00"})
	equal(t, "charges", len(r.s.Ledger()), 1)
	r.s.Advance(3 * time.Second)
	r.send("GET", "/domain/domains/a.com", nil).want(t, 200)
	equal(t, "balance", r.send("GET", "/billing/info/"+DefaultSharingID, nil).at("prepaid.amount"), any(0.0))
}

func TestCreateFurnishing(t *testing.T) {
	r := newRig(t, Options{Normalise: true, IntContactType: true})
	r.send("POST", "/domain/domains", order("a.com", map[string]any{
		"nameservers": []string{"NS1.a.com", "ns.b.net"}, "mailbox_optin": false, "price": 12, "currency": "EUR",
		"nameservers_ips": map[string]any{"ns1.a.com": []string{"192.0.2.1", "2001:db8::1"}},
		"admin":           bob(map[string]any{"given": "Ada", "type": "company", "orgname": "Roe SARL"}),
	})).want(t, 202)
	r.s.Advance(3 * time.Second)
	g := r.send("GET", "/domain/domains/a.com", nil).want(t, 200)
	equal(t, "servers", g.at("nameservers").([]any)[0], any("ns1.a.com"))
	equal(t, "services", len(g.at("services").([]any)), 0)
	equal(t, "city", g.at("contacts.owner.city"), any("PARIS"))
	equal(t, "state", g.at("contacts.owner.state"), any("FR-IDF"))
	equal(t, "type", g.at("contacts.owner.type"), any(0.0))
	equal(t, "admin type", g.at("contacts.admin.type"), any(1.0))
	equal(t, "same", g.at("contacts.admin.same_as_owner"), any(false))
	equal(t, "glue", r.send("GET", "/domain/domains/a.com/hosts/ns1", nil).want(t, 200).at("ips").([]any)[1], any("2001:db8::1"))
}

func TestResellerPlacesCustomers(t *testing.T) {
	r := newRig(t, Options{Tokens: []Token{{Secret: DefaultToken, Orgs: []string{DefaultSharingID, resellerID}}}})
	for _, name := range []string{"a.com", "b.com"} {
		r.send("POST", "/domain/domains?sharing_id="+resellerID, order(name, nil)).want(t, 202)
	}
	r.s.Advance(3 * time.Second)
	g := r.send("GET", "/domain/domains/a.com", nil).want(t, 200)
	equal(t, "reseller", g.at("sharing_space.sharing_space.id"), any(resellerID))
	equal(t, "name", g.at("sharing_space.name"), any("bob_roe"))
	customers := r.send("GET", "/organization/organizations/"+resellerID+"/customers", nil).want(t, 200).array
	equal(t, "customers", len(customers), 1)
	id := customers[0].(map[string]any)["id"].(string)
	equal(t, "customer", g.at("sharing_space.id"), any(id))
	equal(t, "list", len(r.send("GET", "/domain/domains?resellee_id="+id, nil).array), 2)
	equal(t, "list", len(r.send("GET", "/domain/domains?sharing_id="+resellerID, nil).array), 2)
	equal(t, "list", len(r.send("GET", "/domain/domains?sharing_id="+DefaultSharingID, nil).array), 0)
	r.send("POST", "/domain/domains?sharing_id="+resellerID, order("c.com", map[string]any{"resellee_id": id})).want(t, 202)
	equal(t, "payer", r.s.Ledger()[2].SharingID, resellerID)
}
