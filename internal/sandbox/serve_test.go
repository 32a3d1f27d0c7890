package sandbox

import (
	"strings"
	"testing"
)

func TestCredentials(t *testing.T) {
	r := newRig(t, Options{Tokens: []Token{
		{Secret: "pat", Scheme: "Bearer"}, {Secret: "key", Scheme: "Apikey"}, {Secret: "any"},
	}})
	for _, c := range []struct {
		header string
		status int
	}{
		{"", 401}, {"Basic cGF0", 401}, {"Bearer", 401}, {"bearer pat", 401},
		{"Bearer pat", 200}, {"Apikey pat", 403}, {"Apikey key", 200}, {"Bearer key", 403},
		{"Bearer any", 200}, {"Apikey any", 200}, {"Bearer wrong", 403},
	} {
		t.Run(c.header, func(t *testing.T) {
			g := r.send("GET", "/organization/user-info", nil, "Authorization: "+c.header).want(t, c.status)
			switch c.status {
			case 401:
				equal(t, "members", len(g.body), 1)
				equal(t, "message", g.at("message"), any("You must provide an access token or an API Key. See https://api.gandi.net/docs/authentication/"))
			case 403:
				equal(t, "body", g.raw, `{"cause":"Forbidden","code":403,"message":"Access was denied to this resource.","object":"HTTPForbidden"}`)
			}
		})
	}
}

func TestUnrouted(t *testing.T) {
	r := newRig(t, Options{})
	for _, c := range []struct{ method, path string }{
		{"GET", "/nothing/here"}, {"GET", "/domain/domains/"}, {"PUT", "/domain/domains"},
		{"GET", "/domain//check"}, {"POST", "/domain/renewal"}, {"GET", "/domain/domains/a.com/status"},
	} {
		g := r.send(c.method, c.path, nil, "Authorization: ").want(t, 404)
		equal(t, "media", g.header.Get("Content-Type"), "text/html; charset=utf-8")
		if !strings.Contains(g.raw, "<pre>Cannot "+c.method+" /v5"+c.path+"</pre>") {
			t.Errorf("page of %s %s is %s", c.method, c.path, g.raw)
		}
	}
}

func TestMalformedRequests(t *testing.T) {
	r := newRig(t, Options{})
	r.seedNames("own.com")
	ok := `{"duration":1}`
	for _, c := range []struct {
		name, query, body, media string
		status                   int
		errors                   string
	}{
		{"fine", "", ok, "application/json; charset=utf-8", 202, ""},
		{"no body is an empty object", "", "", "", 202, ""},
		{"media", "", ok, "text/plain", 400, "header Content-Type"},
		{"no media", "", ok, "", 400, "header Content-Type"},
		{"not json", "", "{", "application/json", 400, "body "},
		{"two values", "", "{}{}", "application/json", 400, "body "},
		{"array", "", "[]", "application/json", 400, "body "},
		{"unknown field", "", `{"years":1}`, "application/json", 400, "body years"},
		{"wrong type", "", `{"duration":"1"}`, "application/json", 400, "body duration"},
		{"fraction", "", `{"duration":1.5}`, "application/json", 400, "body duration"},
		{"null", "", `{"duration":null}`, "application/json", 400, "body duration"},
		{"too many", "", `{"duration":10}`, "application/json", 400, "body duration"},
		{"unknown query", "?x=1", ok, "application/json", 400, "querystring x"},
		{"repeated query", "?sharing_id=a&sharing_id=b", ok, "application/json", 400, "querystring sharing_id"},
		{"brackets", "?sharing_id[]=a", ok, "application/json", 400, "querystring sharing_id[]"},
		{"too large", "", `{"x":"` + strings.Repeat("x", maxBody) + `"}`, "application/json", 413, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := r.send("POST", "/domain/domains/own.com/renew"+c.query, c.body, "Content-Type: "+c.media).want(t, c.status)
			equal(t, "errors", g.errorNames(), c.errors)
			if c.status == 400 {
				equal(t, "object", g.at("object"), any("HTTPBadRequest"))
				equal(t, "code", g.at("code"), any(400.0))
			}
		})
	}
}

func TestSharingID(t *testing.T) {
	r := newRig(t, Options{Tokens: []Token{{Secret: DefaultToken, Orgs: []string{DefaultSharingID, resellerID}}}})
	r.seed(Seed{Domains: []SeedDomain{{FQDN: "own.com"}, {FQDN: "foreign.com", SharingID: strangerID}}})
	r.send("GET", "/domain/domains/foreign.com", nil).want(t, 403)
	equal(t, "404", r.send("GET", "/domain/domains/unknown.com", nil).want(t, 404).raw,
		`{"cause":"Not Found","code":404,"message":"The resource could not be found.","object":"HTTPNotFound"}`)
	r.send("POST", "/domain/domains/own.com/renew?sharing_id="+strangerID, nil).want(t, 403)
	r.send("POST", "/domain/domains/own.com/renew?sharing_id="+resellerID, nil).want(t, 202)
	r.send("POST", "/domain/domains/own.com/renew", nil).want(t, 202)
	ledger := r.s.Ledger()
	equal(t, "charges", len(ledger), 2)
	equal(t, "payer", ledger[0].SharingID, resellerID)
	equal(t, "payer by default", ledger[1].SharingID, DefaultSharingID)
}

func TestRouteTable(t *testing.T) {
	seen := map[string]bool{}
	dry := []string{}
	for _, r := range New(Options{}).Routes() {
		key := r.Method + " " + r.Path
		if seen[key] {
			t.Errorf("%s is listed twice", key)
		}
		seen[key] = true
		if r.Success < 200 || r.Success > 202 && r.Success != 204 {
			t.Errorf("%s: success %d", key, r.Success)
		}
		if r.DryRun {
			dry = append(dry, key)
		}
	}
	equal(t, "dry-run routes", strings.Join(dry, ", "), "POST /domain/domains, "+
		"PUT /domain/domains/{d}/contacts/owner, POST /domain/changeowner/{d}, "+
		"POST /domain/domains/{d}/renew, POST /domain/transferin, "+
		"POST /email/mailboxes/{d}, POST /email/mailboxes/{d}/{email}/renew")
}

func TestDryRunHeader(t *testing.T) {
	r := newRig(t, Options{})
	r.seedNames("own.com")
	r.send("POST", "/domain/domains/own.com/renew", nil, "Dry-Run: yes").want(t, 400)
	equal(t, "dry", r.send("POST", "/domain/domains/own.com/renew", nil, "Dry-Run: 1").want(t, 200).raw, `{"status":"success"}`)
	equal(t, "ledger", len(r.s.Ledger()), 0)
	r.send("POST", "/domain/domains/own.com/renew", nil, "Dry-Run: 0").want(t, 202)
	equal(t, "ledger", len(r.s.Ledger()), 1)
	r.s.SetChaos(Chaos{IgnoreDryRun: true})
	r.send("POST", "/domain/domains/own.com/renew", nil, "Dry-Run: 1").want(t, 202)
	equal(t, "ledger", len(r.s.Ledger()), 2)
	// Not documented on this route, so without effect.
	r.send("PATCH", "/domain/domains/own.com/autorenew", map[string]any{"enabled": true}, "Dry-Run: 1").want(t, 202)
	last := r.s.Requests()
	equal(t, "recorded", last[len(last)-1].DryRun, true)
}
