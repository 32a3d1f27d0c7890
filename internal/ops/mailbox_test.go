package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// mailRoom runs a test with a domain that has a mailbox, bob, and free slots.
func mailRoom(t *testing.T, free int, fn func(r *rig, bob v5.Mailbox)) {
	t.Helper()
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, Mail: sandbox.SeedMail{Mailboxes: []string{"bob"}, FreeSlots: free}}}})
		r.e.Start()
		fn(r, *r.box("bob"))
	})
}

// box reads a mailbox of v5; nil where there is none.
func (r *rig) box(login string) *v5.Mailbox {
	r.t.Helper()
	session, _ := r.opt.Session(tenantA)
	m, err := listed(r.t.Context(), session, fqdn, login)
	r.must(err)
	if m != nil {
		m, err = session.Mailbox(r.t.Context(), fqdn, m.ID)
		r.must(err)
	}
	return m
}

func mailIntent(kind string, request any) Intent {
	return Intent{
		Tenant: tenantA, Type: "mailbox_work", Kind: kind, Source: "AD1-GANDI", FQDN: fqdn,
		Params: json.RawMessage(`{}`), Fingerprint: kind, Request: marshal(request),
	}
}

func newBox(login string) v5.MailboxCreate {
	return v5.MailboxCreate{Login: login, MailboxType: "standard_2023", Password: "Secret-123"}
}

func slotIntent(login string) Intent {
	in := mailIntent(KindMailSlot, v5.SlotOrder{MailboxType: "standard_2023", Duration: 12})
	in.Fingerprint, in.Items = login, ListOf(Item{Name: login, Request: marshal(newBox(login))})
	return in
}

func (r *rig) ended(id int64, most time.Duration) Operation {
	r.t.Helper()
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(time.Second) {
		if op := r.get(id); op.Step.AtEnd() || op.Step == Support {
			return op
		}
	}
	r.t.Fatalf("after %v: %s", most, r.get(id).Step)
	return Operation{}
}

func TestMailboxIsMadeInAFreeSlot(t *testing.T) {
	mailRoom(t, 1, func(r *rig, _ v5.Mailbox) {
		op := r.submitted(mailIntent(KindMailbox, newBox("dan")))
		if strings.Contains(string(op.Request), "Secret") {
			t.Error("the password is kept after v5 took it")
		}
		r.ended(op.ID, time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 0, 1})
		if r.box("dan") == nil {
			t.Error("no mailbox")
		}
		var exists *ErrExists
		if _, err := r.submit(mailIntent(KindMailbox, newBox("bob"))); !errors.As(err, &exists) || exists.Login != "bob" {
			t.Errorf("a mailbox that is there: %v", err)
		}
	})
}

// A delete whose answer is lost is sent again only when v5 shows the mailbox
// twice, and so is a creation.
func TestMailChangesAreSentAgainOnlyAfterLooks(t *testing.T) {
	for _, c := range []struct {
		kind, trouble string
		posts         int // requests that reach v5
	}{
		{KindMailboxDelete, "lose-after", 1}, {KindMailboxDelete, "lose-before", 1},
		{KindMailbox, "lose-after", 1}, {KindMailbox, "lose-before", 1},
		{KindResponder, "lose-after", 1}, {KindResponder, "lose-before", 1},
	} {
		t.Run(c.kind+" "+c.trouble, func(t *testing.T) {
			mailRoom(t, 1, func(r *rig, bob v5.Mailbox) {
				ref := MailboxRef{bob.ID, "bob"}
				in := mailIntent(c.kind, ref)
				switch c.kind {
				case KindMailbox:
					in = mailIntent(c.kind, newBox("dan"))
				case KindResponder:
					in = mailIntent(c.kind, ResponderRequest{ref, v5.ResponderChange{Enabled: true, Message: "away", StartsAt: "2026-02-01T00:00:00Z"}})
				}
				r.once("sending", func() { r.wire.fail(trouble{kind: c.trouble, times: 1, real: true}) })
				op := r.submitted(in)
				r.ended(op.ID, 10*time.Minute)
				r.check(op.ID, end{Done, Accepted, "", 0, c.posts})
				switch now := r.box("bob"); {
				case c.kind == KindMailboxDelete && now != nil, c.kind == KindMailbox && r.box("dan") == nil:
					t.Error("it did not happen")
				case c.kind == KindResponder && now.Responder.Message != "away":
					t.Errorf("responder %+v", now.Responder)
				}
			})
		})
	}
}

// A purge is sent once, whatever became of it.
func TestPurgeIsNeverSentAgain(t *testing.T) {
	mailRoom(t, 0, func(r *rig, bob v5.Mailbox) {
		op := r.submitted(mailIntent(KindMailboxPurge, MailboxRef{bob.ID, "bob"}))
		r.ended(op.ID, time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 0, 1})
	})
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, Mail: sandbox.SeedMail{Mailboxes: []string{"bob"}, Used: 7}}}})
		r.e.Start()
		r.once("sending", func() { r.wire.fail(trouble{kind: "lose-before", times: 1, real: true}) })
		op := r.submitted(mailIntent(KindMailboxPurge, MailboxRef{r.box("bob").ID, "bob"}))
		r.ended(op.ID, 3*time.Hour)
		r.check(op.ID, end{Support, Unknown, "there is mail in the mailbox", 0, 0})
	})
}

// Each slot is bought once, whatever is lost, and its mailbox is made in it.
func TestSlotIsBoughtOnce(t *testing.T) {
	for _, how := range []string{"", "lose-after"} {
		mailRoom(t, 0, func(r *rig, _ v5.Mailbox) {
			if how != "" {
				r.once("sending", func() { r.wire.fail(trouble{kind: how, times: 1, real: true}) })
			}
			op := r.submitted(slotIntent("dan"))
			again := r.submitted(slotIntent("dan"))
			if again.ID != op.ID {
				t.Errorf("the same call is operation %d and %d", op.ID, again.ID)
			}
			var busy *BusyError
			if _, err := r.submit(slotIntent("eve")); !errors.As(err, &busy) || busy.ID != op.ID {
				t.Errorf("another purchase: %v", err)
			}
			r.ended(op.ID, 10*time.Minute)
			r.check(op.ID, end{Done, Accepted, "", 1, 2})
			time.Sleep(time.Second)
			if r.box("dan") == nil {
				t.Error("no mailbox")
			}
		})
	}
}

// What v5 never shows is never sent again.
func TestLostPurchaseOfASlotIsNotRepeated(t *testing.T) {
	mailRoom(t, 0, func(r *rig, _ v5.Mailbox) {
		r.once("sending", func() { r.wire.fail(trouble{kind: "lose-before", times: 1, real: true}) })
		op := r.submitted(slotIntent("dan"))
		r.ended(op.ID, 3*time.Hour)
		r.check(op.ID, end{Support, Unknown, "nobody knows whether it happened", 0, 0})
		time.Sleep(48 * time.Hour)
		r.check(op.ID, end{Support, Unknown, "nobody knows whether it happened", 0, 0})
	})
}

// The password of a new mailbox goes with the outcome.
func TestMailboxPasswordIsForgotten(t *testing.T) {
	mailRoom(t, 1, func(r *rig, _ v5.Mailbox) {
		kept := func() (n int) {
			r.must(r.db.View(func(tx *store.Tx) error {
				return tx.Scan(nil, func(_, value []byte) error { n += bytes.Count(value, []byte("Secret-123")); return nil })
			}))
			return n
		}
		op := r.submitted(mailIntent(KindMailbox, newBox("dan")))
		if n := kept(); n != 0 {
			t.Errorf("after v5 took it the password is there %d times", n)
		}
		r.ended(op.ID, time.Minute)
		op = r.submitted(slotIntent("amy"))
		if kept() == 0 {
			t.Error("the password went before it was needed")
		}
		r.ended(op.ID, 10*time.Minute)
		if n := kept(); r.get(op.ID).Step != Done || n != 0 {
			t.Errorf("%s: the password is there %d times", r.get(op.ID).Step, n)
		}
	})
}

// Dead at any point, one purchase.
func TestPurchaseOfASlotSurvivesDeath(t *testing.T) {
	for _, point := range []string{"intended", "sending", "sent", "outcome", "item", "item-sent", "item-outcome", "list-end"} {
		t.Run(point, func(t *testing.T) {
			mailRoom(t, 0, func(r *rig, _ v5.Mailbox) {
				r.once(point, func() { r.db.Close() })
				r.submit(slotIntent("dan"))
				time.Sleep(time.Minute)
				r.restart()
				r.e.Start()
				r.ended(1_000_000_000, 20*time.Minute)
				time.Sleep(time.Second)
				if charges := r.sim.Ledger(); r.get(1_000_000_000).Step != Done || len(charges) != 1 || r.box("dan") == nil {
					t.Errorf("%s, %v", r.get(1_000_000_000).Step, charges)
				}
			})
		})
	}
}
