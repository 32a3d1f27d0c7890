package gateway

import (
	"testing"

	"v3gate/internal/sandbox"
)

// A name with claims is registered by who accepted their notice, and by nobody
// else.
func TestClaimsAreAcceptedByEachAccount(t *testing.T) {
	t.Parallel()
	r := newPaidRig(t, sandbox.Options{}, nil)
	r.seed(t, sandbox.Seed{Claimed: []string{"mark.com"}, Balance: "10000.00"})
	known := r.must(t, "domain.claims.check", keyA, []string{"mark.com", "plain.com"})
	if known["mark.com"] != true || known["plain.com"] != false {
		t.Errorf("claims %v", known)
	}
	params := r.createParams(t)
	_, err := r.call(t, "domain.create", keyA, "mark.com", params)
	if err == nil {
		t.Error("registered without a word of the claims")
	}
	params["tld_phase"] = "claims"
	_, err = r.call(t, "domain.create", keyA, "mark.com", params)
	faults(t, "nothing accepted", err, 511132, "domain.claims.accept")
	notice := r.must(t, "domain.claims.info", keyB, "mark.com")
	if notice["status"] != "new" || len(notice["claims"].([]any)) != 1 {
		t.Errorf("notice %v", notice)
	}
	if ok, err := r.ask(t, "domain.claims.accept", keyB, notice["notice_id"]); ok != true || err != nil {
		t.Fatalf("accept: %v, %v", ok, err)
	}
	_, err = r.call(t, "domain.create", keyA, "mark.com", params)
	faults(t, "accepted by another account", err, 511132, "params.tld_phase")
	_, err = r.ask(t, "domain.claims.accept", keyA, notice["notice_id"])
	faults(t, "another account's notice", err, 511142, "notice_id")
	if len(r.sim.Ledger()) != 0 {
		t.Errorf("ledger %v", r.sim.Ledger())
	}
	notice = r.must(t, "domain.claims.info", keyA, "mark.com")
	if ok, err := r.ask(t, "domain.claims.accept", keyA, notice["notice_id"]); ok != true || err != nil {
		t.Fatalf("accept: %v, %v", ok, err)
	}
	if again := r.must(t, "domain.claims.info", keyA, "mark.com"); again["status"] != "accepted" || again["notice_id"] != notice["notice_id"] {
		t.Errorf("accepted %v, shown %v", notice, again)
	}
	op := r.must(t, "domain.create", keyA, "mark.com", params)
	r.becomes(t, op["id"], "DONE")
	// In the claims phase most names have none.
	op = r.must(t, "domain.create", keyA, "plain.com", params)
	r.becomes(t, op["id"], "DONE")
	if len(r.sim.Ledger()) != 2 {
		t.Errorf("ledger %v", r.sim.Ledger())
	}
}
