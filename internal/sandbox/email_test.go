package sandbox

import (
	"fmt"
	"testing"
	"time"
)

func TestForwardsAreBoundedAWeek(t *testing.T) {
	r := newRig(t, Options{})
	r.seedNames("own.com")
	to := map[string]any{"destinations": []string{"a@example.org"}}
	r.send("POST", "/email/forwards/own.com", map[string]any{"source": "a@b", "destinations": []string{"a@example.org"}}).want(t, 400)
	r.send("POST", "/email/forwards/own.com", map[string]any{"source": "a", "destinations": []string{"nobody"}}).want(t, 400)
	for i := range mostForwardChanges {
		r.send("POST", "/email/forwards/own.com", map[string]any{"source": fmt.Sprint("u", i), "destinations": []string{"a@example.org"}}).want(t, 202)
	}
	r.send("PUT", "/email/forwards/own.com/u1", to).want(t, 429)
	equal(t, "listed", len(r.send("GET", "/email/forwards/own.com?source=u1*", nil).want(t, 200).array), 11)
	r.s.Advance(8 * 24 * time.Hour)
	r.send("PUT", "/email/forwards/own.com/u1", to).want(t, 202)
}

// A mailbox takes a free slot of its type, and gives it back.
func TestMailboxesLieInSlots(t *testing.T) {
	r := newRig(t, Options{})
	r.seed(Seed{Domains: []SeedDomain{{FQDN: "own.com", Mail: SeedMail{Mailboxes: []string{"bob"}}}}})
	order := func(login, kind string) map[string]any {
		return map[string]any{"login": login, "mailbox_type": kind, "password": "Secret-123"}
	}
	const boxes, slots = "/email/mailboxes/own.com", "/email/slots/own.com"
	equal(t, "without a slot", r.send("POST", boxes, order("dan", "standard_2023")).want(t, 400).at("cause"), any("CAUSE_QUOTA_REACHED"))
	r.send("POST", slots, map[string]any{"mailbox_type": "premium_2023", "duration": 12}).want(t, 202)
	r.s.Advance(time.Second)
	equal(t, "shown", len(r.send("GET", slots, nil).array), 1)
	equal(t, "with the free one", len(r.send("GET", slots+"?display_not_expired_and_inactive=true", nil).array), 2)
	r.send("POST", boxes, order("dan", "standard_2023")).want(t, 400)
	r.send("POST", boxes, order("bob", "premium_2023")).want(t, 409)
	r.send("POST", boxes, order("dan", "premium_2023")).want(t, 202)
	r.send("POST", boxes, order("eve", "premium_2023")).want(t, 400)
	r.s.Advance(time.Second)
	bob := r.send("GET", boxes+"?login=bob", nil).want(t, 200).array[0].(map[string]any)["id"].(string)
	r.send("DELETE", boxes+"/"+bob, nil).want(t, 202)
	r.s.Advance(time.Second)
	r.send("GET", boxes+"/"+bob, nil).want(t, 404)
	r.send("POST", boxes, order("eve", "standard_2023")).want(t, 202)
	r.send("POST", boxes+"/dan@own.com/renew", map[string]any{"duration": 3}).want(t, 400)
	r.send("POST", boxes+"/dan@own.com/renew", map[string]any{"duration": 12}).want(t, 202)
	equal(t, "charges", len(r.s.Ledger()), 2)
}
