package gateway

import (
	"reflect"
	"testing"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

// A session on the mail of a domain, from the first purchase to the last.
func TestMailOfADomain(t *testing.T) {
	t.Parallel()
	r := newPaidRig(t, sandbox.Options{}, func(c *config.Config) {
		for i := range c.Tenants {
			c.Tenants[i].BuyMailSlots = true
		}
	})
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "post.net", Mail: sandbox.SeedMail{Mailboxes: []string{"bob"}, Used: 9}}}})
	last := func(typ string) any {
		t.Helper()
		list, err := r.ask(t, "operation.list", keyA, map[string]any{"type": typ, "sort_by": "id DESC"})
		if err != nil || len(list.([]any)) == 0 {
			t.Fatalf("operations of type %s: %v, %v", typ, list, err)
		}
		return list.([]any)[0].(map[string]any)["id"]
	}
	made := r.must(t, "domain.mailbox.create", keyA, "post.net", "Dan", map[string]any{"password": "Secret-123", "fallback_email": "dan@example.org"})
	r.becomes(t, last("mailbox_create"), "DONE")
	shown := r.must(t, "domain.mailbox.info", keyA, "post.net", "dan")
	if !reflect.DeepEqual(made, shown) || shown["fallback_email"] != "dan@example.org" {
		t.Errorf("made %v, shown %v", made, shown)
	}
	op := r.must(t, "domain.mailbox.responder.activate", keyA, "post.net", "dan", map[string]any{"content": "away"})
	r.becomes(t, op["id"], "DONE")
	op = r.must(t, "domain.mailbox.purge", keyA, "post.net", "bob")
	r.becomes(t, op["id"], "DONE")
	list, err := r.ask(t, "domain.mailbox.list", keyA, "post.net")
	if err != nil || len(list.([]any)) != 2 || !list.([]any)[1].(map[string]any)["responder"].(map[string]any)["active"].(bool) {
		t.Errorf("list %v, %v", list, err)
	}
	op = r.must(t, "domain.packmail.renew", keyA, "post.net", map[string]any{"duration": 1})
	r.becomes(t, op["id"], "RUN")
	pack := r.must(t, "domain.packmail.info", keyA, "post.net")
	if pack["mailbox_quota"] != int64(2) || pack["status"] != "active" {
		t.Errorf("packmail %v", pack)
	}
	forward := r.must(t, "domain.forward.create", keyA, "post.net", "sales", map[string]any{"destinations": []string{"a@example.org"}})
	if forward["source"] != "sales" {
		t.Errorf("forward %v", forward)
	}
	if _, err := r.ask(t, "domain.mailbox.info", keyB, "post.net", "dan"); err == nil {
		t.Error("another account sees the mailbox")
	}
	if gone, err := r.ask(t, "domain.mailbox.delete", keyA, "post.net", "dan"); err != nil || gone != true {
		t.Errorf("delete %v, %v", gone, err)
	}
	r.becomes(t, last("mailbox_delete"), "DONE")
	_, err = r.ask(t, "domain.mailbox.info", keyA, "post.net", "dan")
	faults(t, "a deleted mailbox", err, 510342, "dan@post.net")
}
