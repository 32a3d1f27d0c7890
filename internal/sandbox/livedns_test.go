package sandbox

import (
	"strings"
	"testing"
	"time"
)

func item(name, typ string, values ...string) map[string]any {
	return map[string]any{"rrset_name": name, "rrset_type": typ, "rrset_values": values}
}

func TestAZoneIsReplacedAsAWhole(t *testing.T) {
	r := newRig(t, Options{})
	r.seedNames("own.com")
	const records = "/livedns/domains/own.com/records"
	if got := len(r.send("GET", records, nil).want(t, 200).array); got != 8 {
		t.Errorf("a new zone has %d rrsets", got)
	}
	r.send("PUT", records, map[string]any{"items": []any{
		item("_dmarc", "TXT", "v=DMARC1"), item("www", "A", "192.0.2.1"), item("@", "A", "192.0.2.2"), item("*", "CNAME", "www"),
	}}).want(t, 201)
	want := "@ 10800 A 192.0.2.2\n* 10800 CNAME www\nwww 10800 A 192.0.2.1\n_dmarc 10800 TXT \"v=DMARC1\""
	equal(t, "records", strings.Join(r.s.Records("own.com"), "\n"), want)
	for _, wrong := range []map[string]any{
		item("@", "NS", "ns1.example.net."), item("@", "SOA", "x"), item("www.", "A", "192.0.2.1"), item("a b", "A", "192.0.2.1"),
		item("www", "A", "2001:db8::1"), item("www", "AAAA", "192.0.2.1"), item("www", "A"), item("www", "WHAT", "x"),
		item("www", "A", "192.0.2.1", "192.0.2.1"), item("@", "CNAME", "www"), item("www", "ALIAS", "x"), item("www", "MX", "mail"),
		{"rrset_name": "www", "rrset_type": "A", "rrset_values": []string{"192.0.2.1"}, "rrset_ttl": 299},
	} {
		r.send("PUT", records, map[string]any{"items": []any{wrong}}).want(t, 400)
	}
	r.send("PUT", records, map[string]any{"items": []any{item("a", "CNAME", "b"), item("a", "A", "192.0.2.1")}}).want(t, 400)
	equal(t, "records", strings.Join(r.s.Records("own.com"), "\n"), want)
}

func TestOnlyDomainsOnLiveDNSHaveRecords(t *testing.T) {
	r := newRig(t, Options{})
	r.seed(Seed{Domains: []SeedDomain{{FQDN: "old.com", Nameservers: []string{"a.dns.gandi.net"}}, {FQDN: "else.com", SharingID: strangerID}}})
	r.send("GET", "/livedns/domains/old.com/records", nil).want(t, 404)
	r.send("GET", "/livedns/domains/else.com/records", nil).want(t, 403)
	r.send("POST", "/domain/domains/old.com/livedns", nil).want(t, 202)
	r.send("GET", "/livedns/domains/old.com/records", nil).want(t, 404)
	r.s.Advance(time.Second)
	g := r.send("GET", "/livedns/domains/old.com/records?per_page=2&page=2", nil).want(t, 200)
	equal(t, "page", len(g.array), 2)
	equal(t, "total", g.header.Get("Total-Count"), "8")
}
