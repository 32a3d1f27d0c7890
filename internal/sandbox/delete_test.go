package sandbox

import (
	"testing"
	"time"
)

func TestDelete(t *testing.T) {
	r := newRig(t, Options{})
	r.seed(Seed{Domains: []SeedDomain{
		{FQDN: "own.com"}, {FQDN: "own.de"}, {FQDN: "kept.com", Status: []string{"clientDeleteProhibited"}},
		{FQDN: "late.com", RegistryEndsAt: winter.AddDate(0, 0, -60)}, {FQDN: "else.com", SharingID: strangerID},
	}})
	const own = "/domain/domains/own.com"
	r.send("DELETE", "/domain/domains/no.com", nil).want(t, 404)
	r.send("DELETE", "/domain/domains/else.com", nil).want(t, 403)
	for _, fqdn := range []string{"kept.com", "late.com"} {
		g := r.send("DELETE", "/domain/domains/"+fqdn, nil).want(t, 400)
		equal(t, fqdn, g.at("cause"), any("CAUSE_STATE"))
	}
	r.send("DELETE", own, nil).want(t, 202)
	r.send("DELETE", own, nil).want(t, 400)
	r.send("DELETE", "/domain/domains/own.de", nil).want(t, 202)
	equal(t, "not yet", r.send("GET", own+"/restore", nil).want(t, 200).at("restorable"), any(false))
	r.s.Advance(time.Second)
	equal(t, "restorable", r.send("GET", own+"/restore", nil).want(t, 200).at("restorable"), any(true))
	equal(t, "ends", r.send("GET", own, nil).want(t, 200).at("dates.restore_ends_at"), any("2026-03-12T12:00:01Z"))
	equal(t, "renewal", r.send("GET", own+"/renew", nil).at("prohibited"), any(true))
	r.send("GET", "/domain/domains/own.de", nil).want(t, 404)
	r.send("DELETE", own, nil).want(t, 400)
	r.send("POST", own+"/restore", map[string]any{}).want(t, 202)
	r.s.Advance(2 * time.Second)
	equal(t, "restored", r.send("GET", own+"/restore", nil).at("restorable"), any(false))
	equal(t, "renewable", r.send("GET", own+"/renew", nil).at("prohibited"), any(false))
	r.send("DELETE", own, nil).want(t, 202)
	r.s.Advance(31 * 24 * time.Hour)
	equal(t, "too late", r.send("GET", own+"/restore", nil).at("restorable"), any(false))
}
