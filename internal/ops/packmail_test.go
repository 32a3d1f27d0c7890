package ops

import (
	"context"
	"strings"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

// packRoom runs a test with a domain of three mailboxes.
func packRoom(t *testing.T, fn func(r *rig, boxes []v5.Mailbox)) {
	t.Helper()
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, Mail: sandbox.SeedMail{Mailboxes: []string{"amy", "bob", "eve"}}}}})
		r.e.Start()
		fn(r, r.boxes())
	})
}

func (r *rig) boxes() []v5.Mailbox {
	r.t.Helper()
	session, _ := r.opt.Session(tenantA)
	all, err := session.Mailboxes(context.Background(), fqdn, "")
	r.must(err)
	return all
}

func renewalIntent(boxes []v5.Mailbox) Intent {
	in := mailIntent(KindPackmailRenew, struct{}{})
	in.Type = "packmail_renew"
	var items []Item
	for _, m := range boxes {
		items = append(items, Item{Name: m.Address, Request: marshal(MailRenewal{m.ID, m.Address, m.ExpiresAt.UTC(), 12})})
	}
	in.Items = ListOf(items...)
	return in
}

// renewed counts the mailboxes that end a year later than before.
func (r *rig) renewed(before []v5.Mailbox) (n int) {
	r.t.Helper()
	for i, m := range r.boxes() {
		switch want := before[i].ExpiresAt; {
		case m.ExpiresAt.Equal(want.AddDate(1, 0, 0)):
			n++
		case !m.ExpiresAt.Equal(want):
			r.t.Errorf("%s ends on %v, before on %v", m.Address, m.ExpiresAt, want)
		}
	}
	return n
}

func TestEachMailboxIsRenewedOnce(t *testing.T) {
	packRoom(t, func(r *rig, before []v5.Mailbox) {
		op := r.submitted(renewalIntent(before))
		if again := r.submitted(renewalIntent(before)); again.ID != op.ID {
			t.Errorf("the same call is operation %d and %d", op.ID, again.ID)
		}
		r.ended(op.ID, 10*time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 3, 3})
		if n := r.renewed(before); n != 3 {
			t.Errorf("%d were renewed", n)
		}
		// A plan that was made before is stale by now.
		op, err := r.submit(renewalIntent(before))
		r.must(err)
		r.ended(op.ID, 10*time.Minute)
		r.check(op.ID, end{Error, Accepted, "nothing was sent", 3, 3})
	})
}

// Whatever is lost, no renewal is sent twice.
func TestLostRenewalsAreNotRepeated(t *testing.T) {
	for _, c := range []struct {
		name  string
		wrong trouble
		step  Step
		text  string
		done  int
	}{
		{"answer", trouble{kind: "lose-after", method: "POST", times: 1}, Done, "", 3},
		{"page", trouble{kind: "html-after", method: "POST", times: 3}, Done, "", 3},
		{"request", trouble{kind: "lose-before", method: "POST", times: 1}, Support, "it is not sent again", 2},
		{"connection", trouble{kind: "refuse", method: "POST", times: 1}, Done, "", 3},
		{"reading", trouble{kind: "html", method: "GET", times: 10}, Done, "", 3},
		{"refused", trouble{kind: "absent", method: "POST", times: 1}, Error, "v5 answered 404", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			packRoom(t, func(r *rig, before []v5.Mailbox) {
				r.once("list", func() { r.wire.fail(c.wrong) })
				op := r.submitted(renewalIntent(before))
				op = r.ended(op.ID, 3*time.Hour)
				if op.Step != c.step || !strings.Contains(op.LastError, c.text) {
					t.Errorf("%s: %s", op.Step, op.LastError)
				}
				if n, paid := r.renewed(before), len(r.sim.Ledger()); n != c.done || paid != c.done {
					t.Errorf("%d renewed, %d paid", n, paid)
				}
			})
		})
	}
}

// What nobody knows of is an operator's to decide, and holds the name until then.
func TestLostRenewalIsForOperators(t *testing.T) {
	for _, happened := range []bool{true, false} {
		packRoom(t, func(r *rig, before []v5.Mailbox) {
			r.once("list", func() { r.wire.fail(trouble{kind: "lose-before", method: "POST", times: 1}) })
			op := r.submitted(renewalIntent(before))
			r.ended(op.ID, 3*time.Hour)
			time.Sleep(24 * time.Hour)
			if again := r.submitted(renewalIntent(before)); again.ID != op.ID || again.Step != Support {
				t.Errorf("the same call is operation %d in %s", again.ID, again.Step)
			}
			if _, undecided := r.events(); undecided != 1 {
				t.Errorf("operators were told %d times", undecided)
			}
			op, err := r.e.Resolve(op.ID, happened)
			r.must(err)
			if want := map[bool]Step{true: Done, false: Error}[happened]; op.Step != want || !r.free() {
				t.Errorf("resolved as %t: %s", happened, op.Step)
			}
			if paid := len(r.sim.Ledger()); paid != 2 {
				t.Errorf("%d paid", paid)
			}
		})
	}
}

// Dead at any point, no renewal is sent twice.
func TestRenewalsSurviveDeath(t *testing.T) {
	for _, point := range []string{"intended", "list", "item", "item-sent", "item-outcome", "list-end"} {
		for _, network := range []bool{true, false} {
			packRoom(t, func(r *rig, before []v5.Mailbox) {
				r.once(point, func() {
					r.db.Close()
					if !network {
						r.wire.fail(trouble{kind: "lose-before"})
					}
				})
				r.submit(renewalIntent(before))
				time.Sleep(time.Minute)
				r.wire.heal()
				r.restart()
				r.e.Start()
				op := r.ended(1_000_000_000, 4*time.Hour)
				n, paid := r.renewed(before), len(r.sim.Ledger())
				if n != paid || (op.Step == Done) != (n == 3) {
					t.Errorf("%s, network %t: %s, %d renewed, %d paid: %s", point, network, op.Step, n, paid, op.LastError)
				}
			})
		}
	}
}

func TestAutorenewOfAllMailboxes(t *testing.T) {
	packRoom(t, func(r *rig, boxes []v5.Mailbox) {
		in := mailIntent(KindPackmailAutorenew, struct{}{})
		var items []Item
		for _, m := range boxes {
			items = append(items, Item{Name: m.Address, Request: marshal(MailAutorenewal{m.ID, v5.MailboxAutorenewChange{Activated: true, Duration: 12}})})
		}
		in.Items, in.List = ListOf(items...), "packmail"
		r.once("list", func() { r.wire.fail(trouble{kind: "lose-after", method: "PATCH", times: 1}) })
		op := r.submitted(in)
		r.ended(op.ID, 10*time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 0, 3})
		time.Sleep(time.Second)
		for _, m := range r.boxes() {
			if !m.AutoRenew.Enabled {
				t.Errorf("%s does not renew itself", m.Address)
			}
		}
	})
}
