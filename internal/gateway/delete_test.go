package gateway

import (
	"testing"

	"v3gate/internal/sandbox"
)

// After a deletion the gateway no longer answers from what it knew: contacts and
// zone are free, and a name that is registered anew begins anew.
func TestWhatADeletionLeaves(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"left.de", "left.com"} { // gone at once, and restorable
		t.Run(name, func(t *testing.T) {
			r := newPaidRig(t, sandbox.Options{}, nil)
			r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: name}}})
			handle := r.must(t, "domain.info", keyA, name)["contacts"].(map[string]any)["owner"].(map[string]any)["handle"]
			zone := r.must(t, "domain.zone.create", keyA, map[string]any{"name": "own"})["id"]
			r.must(t, "domain.zone.set", keyA, name, zone)
			book := r.services.Book
			if _, err := r.ask(t, "contact.delete", keyA, handle); err == nil {
				t.Error("a contact that is used was deleted")
			}
			if _, err := r.ask(t, "domain.zone.delete", keyA, zone); err == nil {
				t.Error("a zone that is used was deleted")
			}
			if yes, err := r.ask(t, "domain.delete.available", keyA, name); err != nil || yes != true {
				t.Errorf("available: %v, %v", yes, err)
			}
			if _, err := r.ask(t, "domain.delete", keyB, name); err == nil {
				t.Error("another account deleted it")
			}
			seen := book.Gone()
			op := r.must(t, "domain.delete", keyA, name)
			if same := r.must(t, "domain.delete.proceed", keyA, name); same["id"] != op["id"] && same["step"] != "DONE" {
				t.Errorf("again: operation %v", same["id"])
			}
			r.becomes(t, op["id"], "DONE")
			if op["type"] != "domain_delete" || book.Gone() == seen {
				t.Errorf("operation %v", op)
			}
			if free, err := r.ask(t, "domain.zone.delete", keyA, zone); err != nil || free != true {
				t.Errorf("delete the zone: %v, %v", free, err)
			}
			if free, err := r.ask(t, "contact.delete", keyA, handle); err != nil || free != true {
				t.Errorf("delete the contact: %v, %v", free, err)
			}
		})
	}
}

// A restored domain has its zone again.
func TestTheZoneOfADeletedDomain(t *testing.T) {
	t.Parallel()
	r := newPaidRig(t, sandbox.Options{}, nil)
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "back.com"}}})
	was := r.must(t, "domain.info", keyA, "back.com")["zone_id"]
	r.becomes(t, r.must(t, "domain.delete", keyA, "back.com")["id"], "DONE")
	r.becomes(t, r.must(t, "domain.restore", keyA, "back.com", map[string]any{"duration": 1})["id"], "DONE")
	if id := r.must(t, "domain.info", keyA, "back.com")["zone_id"]; id != was || id == nil {
		t.Errorf("restored, the zone is %v, and was %v", id, was)
	}
}
