package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDomainDetails(t *testing.T) {
	r := newRig(t, Options{})
	r.seed(Seed{
		Organizations: []Organization{
			{ID: DefaultSharingID, Name: "shop", Type: "company", Reseller: true},
			{ID: "customer-1", Name: "bob_roe", Type: "individual", Parent: DefaultSharingID},
		},
		Domains: []SeedDomain{{
			FQDN: "xn--mnchen-3ya.net", SharingID: "customer-1", Authinfo: "8vyhljvJg+", Tags: []string{"x"},
			RegistryCreatedAt: time.Date(2025, 7, 1, 8, 0, 0, 0, time.UTC),
			RegistryEndsAt:    time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC),
			Status:            []string{"clientTransferProhibited"}, Autorenew: &SeedAutorenew{Enabled: true},
		}},
	})
	g := r.send("GET", "/domain/domains/xn--mnchen-3ya.net", nil).want(t, 200)
	equal(t, "members", strings.Join(slices.Sorted(maps.Keys(g.body)), " "), "authinfo autorenew can_tld_lock contacts dates "+
		"fqdn fqdn_unicode href id nameservers reachability services sharing_id sharing_space status tags tld trustee_roles")
	for path, want := range map[string]any{
		"fqdn_unicode": "münchen.net", "tld": "net", "authinfo": "8vyhljvJg+", "can_tld_lock": true,
		"dates.registry_created_at": "2025-07-01T08:00:00Z", "dates.created_at": "2025-07-01T10:00:00Z",
		"dates.updated_at": "2025-07-01T08:00:00Z", "dates.renew_begins_at": "2012-01-01T00:00:00Z",
		"dates.hold_begins_at": "2026-07-01T08:00:00Z", "dates.hold_ends_at": "2026-08-15T08:00:00Z",
		"dates.deletes_at": "2026-08-14T22:00:00Z", "dates.restore_ends_at": "2026-09-14T08:00:00Z",
		"dates.pending_delete_ends_at": "2026-09-19T08:00:00Z",
		"autorenew.enabled":            true, "autorenew.duration": 1.0, "autorenew.org_id": DefaultSharingID,
		"sharing_space.id": "customer-1", "sharing_space.type": "organization",
		"sharing_space.sharing_space.id": DefaultSharingID, "sharing_space.sharing_space.name": "shop",
		"contacts.owner.given": "Alice", "contacts.tech.same_as_owner": true, "contacts.owner.same_as_owner": nil,
		"contacts.owner.type": "individual",
	} {
		equal(t, path, g.at(path), want)
	}
	equal(t, "autorenew dates", fmt.Sprint(g.at("autorenew.dates")), "[2026-05-31T08:00:00Z 2026-06-16T08:00:00Z 2026-06-30T08:00:00Z]")
	equal(t, "case", r.send("GET", "/domain/domains/XN--mnchen-3ya.net", nil).status, 200)
}

func TestExtensionRules(t *testing.T) {
	r := newRig(t, Options{})
	end := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ fqdn, hold, restore, pending string }{
		{"a.com", "2027-01-15", "2027-02-14", "2027-02-19"},
		{"a.fr", "2026-12-29", "2027-01-28", "2027-01-28"},
		{"a.in", "2026-12-31", "2027-01-30", "2027-02-04"},
		{"a.be", "2026-12-01", "2027-01-10", "2027-01-10"},
		{"a.co.uk", "2027-03-01", "2027-03-01", "2027-03-01"},
	} {
		r.seed(Seed{Domains: []SeedDomain{{FQDN: c.fqdn, RegistryEndsAt: end}}})
		g := r.send("GET", "/domain/domains/"+c.fqdn, nil).want(t, 200)
		equal(t, c.fqdn+" hold", g.at("dates.hold_ends_at"), any(c.hold+"T00:00:00Z"))
		equal(t, c.fqdn+" restore", g.at("dates.restore_ends_at"), any(c.restore+"T00:00:00Z"))
		equal(t, c.fqdn+" pending", g.at("dates.pending_delete_ends_at"), any(c.pending+"T00:00:00Z"))
	}
}

func TestParisClock(t *testing.T) {
	for in, hours := range map[string]int{
		"2026-02-10T12:00:00Z": 1, "2026-03-29T00:59:59Z": 1, "2026-03-29T01:00:00Z": 2,
		"2026-10-25T00:59:59Z": 2, "2026-10-25T01:00:00Z": 1, "2026-12-31T23:30:00Z": 1,
	} {
		at, _ := time.Parse(time.RFC3339, in)
		equal(t, in, parisClock(at).Sub(at), time.Duration(hours)*time.Hour)
	}
}

func TestDomainList(t *testing.T) {
	r := newRig(t, Options{})
	r.seedNames("b.com", "a.com", "c.fr", "d.com")
	r.seed(Seed{Domains: []SeedDomain{
		{FQDN: "foreign.com", SharingID: strangerID},
		{FQDN: "old.net", Nameservers: []string{"a.dns.gandi.net", "b.dns.gandi.net"}, Autorenew: &SeedAutorenew{Enabled: true}},
		{FQDN: "else.org", Nameservers: []string{"ns1.example.com"}},
	}})
	for query, want := range map[string]string{
		"": "a.com b.com c.fr d.com else.org old.net", "?sort_by=-fqdn": "old.net else.org d.com c.fr b.com a.com",
		"?fqdn=a.com": "a.com", "?fqdn=*.com": "a.com b.com d.com", "?tld=fr": "c.fr", "?nameserver=abc": "old.net",
		"?nameserver=other": "else.org", "?nameserver=livedns&page=1&per_page=2": "a.com b.com",
		"?per_page=4&page=2": "else.org old.net", "?page=9": "", "?sharing_id=" + DefaultSharingID + "&fqdn=c*": "c.fr",
	} {
		g := r.send("GET", "/domain/domains"+query, nil).want(t, 200)
		var names []string
		for _, item := range g.array {
			names = append(names, item.(map[string]any)["fqdn"].(string))
		}
		equal(t, query, strings.Join(names, " "), want)
		equal(t, query+" total", g.header.Get("Total-Count"), "6")
	}
	g := r.send("GET", "/domain/domains?tld=com&per_page=2", nil)
	equal(t, "filtered", g.header.Get("Filtered-Count"), "3")
	equal(t, "link", g.header.Get("Link"), fmt.Sprintf(`<%[1]s/v5/domain/domains?page=2&per_page=2&tld=com>; rel="next", `+
		`<%[1]s/v5/domain/domains?page=2&per_page=2&tld=com>; rel="last"`, r.url))
	equal(t, "no link", r.send("GET", "/domain/domains", nil).header.Get("Link"), "")

	item := r.send("GET", "/domain/domains?fqdn=old.net", nil).array[0].(map[string]any)
	equal(t, "members", strings.Join(slices.Sorted(maps.Keys(item)), " "), "autorenew dates domain_owner fqdn fqdn_unicode "+
		"href id nameserver orga_owner owner sharing_id status tags tld")
	equal(t, "autorenew", item["autorenew"], any(true))
	equal(t, "dates", len(item["dates"].(map[string]any)), 4)
	equal(t, "owner", item["domain_owner"], any("Alice Doe"))

	for query, want := range map[string]string{
		"?page=0": "querystring page", "?per_page=x": "querystring per_page", "?items_per_page=5": "querystring items_per_page",
		"?nameserver=gandi": "querystring nameserver", "?sort_by=id": "querystring sort_by",
	} {
		equal(t, query, r.send("GET", "/domain/domains"+query, nil).want(t, 400).errorNames(), want)
	}
	r.send("GET", "/domain/domains?sharing_id="+strangerID, nil).want(t, 403)
}

func TestWild(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"a.com", "a.com", true}, {"a.com", "b.com", false}, {"*", "x", true}, {"a*", "ba", false}, {"*a", "ba", true},
		{"a*b*c", "a-b-c", true}, {"a*b*c", "a-c-b", false}, {"*.com", ".net", false}, {"a*a", "a", false},
	} {
		equal(t, c.pattern+" "+c.s, wild(c.pattern, c.s), c.want)
	}
}

func TestCheck(t *testing.T) {
	r := newRig(t, Options{PendingChecks: 2})
	r.seed(Seed{
		Domains: []SeedDomain{{FQDN: "own.com"}}, Taken: []string{"taken.com"},
		CheckStatus: map[string]string{"slow.com": "error_timeout"}, Premium: map[string]string{"gold.com": "500.00"},
	})
	status := func(query string, at int) (string, map[string]any) {
		t.Helper()
		g := r.send("GET", "/domain/check?name="+query, nil).want(t, 200)
		p := g.body["products"].([]any)[at].(map[string]any)
		return p["status"].(string), p
	}
	for _, want := range []string{"pending", "pending", "available"} {
		have, p := status("New.com", 0)
		equal(t, "fresh", have, want)
		equal(t, "name", p["name"], any("new.com"))
		equal(t, "priced", p["prices"] != nil, want == "available")
	}
	r.send("POST", "/domain/domains", order("new.com", nil)).want(t, 202)
	r.send("GET", "/domain/check?name=taken.com", nil)
	r.send("GET", "/domain/check?name=taken.com", nil)
	for query, want := range map[string]string{
		"new.com": "unavailable", "own.com": "unavailable", "own.com&processes=renew": "unavailable",
		"taken.com": "unavailable", "taken.com&processes[]=transfer": "available", "no_good.com": "error_invalid",
	} {
		have, p := status(query, 0)
		equal(t, query, have, want)
		equal(t, query+" priced", p["prices"] != nil, query == "own.com&processes=renew" || have == "available")
	}
	have, _ := status("own.com&processes=create&processes=restore", 1)
	equal(t, "second process", have, "unavailable")
	for range 3 {
		have, _ = status("slow.com", 0)
	}
	equal(t, "forced", have, "error_timeout")
	var p map[string]any
	for range 3 {
		_, p = status("gold.com&currency=USD&max_duration=2", 0)
	}
	price := p["prices"].([]any)[0].(map[string]any)
	equal(t, "price", fmt.Sprint(price), "map[discount:false duration_unit:y max_duration:2 min_duration:1 "+
		"price_after_taxes:660 price_before_taxes:550 type:premium]")

	g := r.send("GET", "/domain/check?name=a.unknown", nil).want(t, 200)
	equal(t, "products", g.body["products"], nil)
	equal(t, "grid", g.at("grid"), any("A"))
	for query, want := range map[string]string{
		"": "querystring name", "?name=a.com&name=b.com": "querystring name", "?name=a.com&processes=buy": "querystring processes",
		"?name=a.com&currency=CHF": "querystring currency", "?name=a.com&grid=F": "querystring grid",
		"?name=a.com&phase=golive": "querystring phase", "?name=a.com&country=xx": "querystring country",
	} {
		equal(t, query, r.send("GET", "/domain/check"+query, nil).want(t, 400).errorNames(), want)
	}
}

func TestExtensions(t *testing.T) {
	r := newRig(t, Options{})
	all := r.send("GET", "/domain/tlds?category=ccTLD&per_page=3", nil).want(t, 200)
	equal(t, "page", len(all.array), 3)
	equal(t, "first", all.array[0].(map[string]any)["name"], any("fr"))
	for _, name := range []string{"com", "COM", "example.com"} {
		g := r.send("GET", "/domain/tlds/"+name, nil).want(t, 200)
		equal(t, name, g.at("name"), any("com"))
		equal(t, name, g.at("lock"), any(true))
	}
	r.send("GET", "/domain/tlds/nope", nil).want(t, 404)
}

func TestOrganizations(t *testing.T) {
	r := newRig(t, Options{
		Tokens: []Token{{Secret: DefaultToken, Orgs: []string{DefaultSharingID, resellerID}}}, Balance: "12.50",
		Organizations: []Organization{{ID: resellerID, Name: "Shop", Type: "company", Reseller: true, Balance: "7.00"}},
	})
	g := r.send("GET", "/organization/user-info", nil).want(t, 200)
	equal(t, "id", g.at("id"), any(DefaultSharingID))
	list := r.send("GET", "/organization/organizations?sort_by=-name", nil).want(t, 200).array
	equal(t, "organizations", len(list), 2)
	equal(t, "first", fmt.Sprint(list[1]), "map[corporate:false email:alice@example.org firstname:Alice id:"+resellerID+
		" lastname:Doe name:Shop orgname:Shop reseller:true type:company]")
	equal(t, "by type", len(r.send("GET", "/organization/organizations?type=company&~name=S*", nil).array), 1)
	r.send("GET", "/organization/organizations/"+strangerID+"/customers", nil).want(t, 403)
	r.send("GET", "/organization/organizations/"+resellerID+"/customers/x", nil).want(t, 404)
	equal(t, "own balance", r.send("GET", "/billing/info", nil).at("prepaid.amount"), any(12.5))
	equal(t, "other balance", r.send("GET", "/billing/info/"+resellerID, nil).at("prepaid.amount"), any(7.0))
	r.send("GET", "/billing/info/"+strangerID, nil).want(t, 403)
}
