package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"v3gate/internal/ops"
	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

// known makes the contact of the seeded domains, and looks at each of them, so
// that the gateway knows that they use it.
func (k *clerk) known(n int) (handle string) {
	k.t.Helper()
	handle = k.must("contact.create", person()).(map[string]any)["handle"].(string)
	for i := range n {
		if got := k.handles(numbered(i)); got != [4]string{handle, handle, handle, handle} {
			k.t.Fatalf("%s has %v, want %s", numbered(i), got, handle)
		}
	}
	return handle
}

// drift reads the counter of contacts that were changed elsewhere.
func (k *clerk) drift() float64 {
	k.t.Helper()
	return counted(k.t, k.registry, "gateway_contact_drift_total")
}

// counted reads a counter that has no labels.
func counted(t *testing.T, from prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no counter %s", name)
	return 0
}

// One update and every domain that uses the handle has it, as in v3: one request
// for the owner and one for the others. v5 writes it in a form of its own, which
// is no drift.
func TestContactUpdateReachesEveryDomain(t *testing.T) {
	const n = 40
	clerks(t, n, func(k *clerk) {
		handle := k.known(n)
		begin := time.Now()
		answer := k.must("contact.update", handle, map[string]any{"streetaddr": "1 New Road", "email": "new@quackenbush.example"}).(map[string]any)
		if answer["streetaddr"] != "1 New Road" || answer["handle"] != handle || time.Since(begin) > 0 {
			t.Errorf("after %v: %v", time.Since(begin), answer)
		}
		time.Sleep(time.Minute)
		for i := range n {
			if owner, admin := k.streets(numbered(i)); owner != "1 New Road" || admin != "1 New Road" {
				t.Errorf("%s: %s, %s", numbered(i), owner, admin)
			}
			if got := k.handles(numbered(i)); got != [4]string{handle, handle, handle, handle} {
				t.Errorf("%s now has %v", numbered(i), got)
			}
		}
		for what, times := range k.changes() {
			if times != 1 {
				t.Errorf("%s: %d requests", what, times)
			}
		}
		if all := k.updates("contact_update"); len(all) != 1 || all[0]["step"] != "DONE" || len(k.changes()) != 2*n || k.drift() != 0 {
			t.Errorf("operations %v; %d requests; drift %v", all, len(k.changes()), k.drift())
		}
		// The same again, and what v5 does not have, is nothing to send.
		k.must("contact.update", handle, map[string]any{"streetaddr": "1 New Road", "vat_number": "FR1", "newsletter": true})
		time.Sleep(time.Minute)
		if all := k.updates("contact_update"); len(all) != 2 || all[0]["step"] != "DONE" || len(k.changes()) != 2*n {
			t.Errorf("after the same again: %v; %d requests", all, len(k.changes()))
		}
	})
}

func TestTheLastUpdateWinsEverywhere(t *testing.T) {
	const n = 30
	clerks(t, n, func(k *clerk) {
		handle := k.known(n)
		k.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
		for i, street := range []string{"1 First Road", "2 Second Road", "1 First Road", "3 Last Road"} {
			k.must("contact.update", handle, map[string]any{"streetaddr": street})
			time.Sleep(time.Duration(i+1) * 1500 * time.Millisecond)
		}
		k.sim.SetChaos(sandbox.Chaos{})
		time.Sleep(5 * time.Minute)
		for i := range n {
			if owner, admin := k.streets(numbered(i)); owner != "3 Last Road" || admin != "3 Last Road" {
				t.Errorf("%s: %s, %s", numbered(i), owner, admin)
			}
		}
		if all := k.updates("contact_update"); len(all) != 1 || all[0]["step"] != "DONE" {
			t.Errorf("operations %v", all)
		}
		if k.drift() != 0 {
			t.Errorf("drift %v", k.drift())
		}
	})
}

// A role that got another contact since is not touched, though its item was on
// the list, and v5's answer to a first request is not known.
func TestAnUpdateLeavesWhatMovedOn(t *testing.T) {
	clerks(t, 3, func(k *clerk) {
		handle := k.known(3)
		other := person()
		other["given"], other["streetaddr"] = "Yolanda", "9 Other Road"
		second := k.must("contact.create", other).(map[string]any)["handle"].(string)
		failed := atomic.Int64{}
		k.troubled(func(q *http.Request) int {
			if q.Method == "PATCH" && strings.Contains(q.URL.Path, numbered(1)) && failed.Add(1) == 1 {
				return 503
			}
			return 0
		})
		k.must("contact.update", handle, map[string]any{"streetaddr": "1 New Road"})
		time.Sleep(time.Second)
		k.must("domain.contacts.set", numbered(1), map[string]any{"admin": second, "bill": second, "tech": second})
		time.Sleep(time.Minute)
		if owner, admin := k.streets(numbered(1)); owner != "1 New Road" || admin != "9 Other Road" {
			t.Errorf("moved: %s, %s", owner, admin)
		}
		if got := k.handles(numbered(1)); got != [4]string{handle, second, second, second} {
			t.Errorf("handles %v", got)
		}
		if _, admin := k.streets(numbered(2)); admin != "1 New Road" || k.drift() != 0 {
			t.Errorf("not moved: %s; drift %v", admin, k.drift())
		}
		if all := k.updates("contact_update"); len(all) != 1 || all[0]["step"] != "DONE" {
			t.Errorf("operations %v", all)
		}
	})
}

// What v5 refuses is named, and the same update again goes there only.
func TestAnUpdateThatSomeDomainsRefuse(t *testing.T) {
	clerks(t, 6, func(k *clerk) {
		handle := k.known(6)
		k.troubled(func(q *http.Request) int {
			if q.Method != "GET" && strings.Contains(q.URL.Path, numbered(3)) {
				return 400
			}
			return 0
		})
		k.must("contact.update", handle, map[string]any{"streetaddr": "1 New Road"})
		time.Sleep(time.Minute)
		all := k.updates("contact_update")
		if len(all) != 1 || all[0]["step"] != "ERROR" || all[0]["last_error"] != "d3.com: trouble; d3.com owner: trouble" {
			t.Errorf("operations %v", all)
		}
		if got := k.handles(numbered(3)); got[0] != handle || k.drift() != 0 {
			t.Errorf("the domain that refused: %v, drift %v", got, k.drift())
		}
		before := k.changes()
		k.troubled(nil)
		k.must("contact.update", handle, map[string]any{"streetaddr": "1 New Road"})
		time.Sleep(time.Minute)
		after := k.changes()
		if owner, admin := k.streets(numbered(3)); owner != "1 New Road" || admin != "1 New Road" || len(after) != len(before)+2 {
			t.Errorf("after the second: %s, %s; %v", owner, admin, after)
		}
		if all := k.updates("contact_update"); all[0]["step"] != "DONE" {
			t.Errorf("operations %v", all)
		}
	})
}

// A domain that is being registered when its contact changes gets the new content
// too, although it is nobody's use of the handle yet.
func TestAnUpdateDuringARegistration(t *testing.T) {
	clerks(t, 1, func(k *clerk) {
		handle := k.known(1)
		k.must("domain.create", "fresh.com", map[string]any{"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1})
		for range 2 { // as a caller does who got no answer
			k.must("contact.update", handle, map[string]any{"streetaddr": "1 New Road"})
		}
		k.fails(516137, "owns a domain", keyA, "contact.update", handle, map[string]any{"given": "Other"})
		k.fails(516139, "domain_create", keyA, "contact.delete", k.lonely("fresh2.com"))
		time.Sleep(5 * time.Minute)
		for _, fqdn := range []string{"fresh.com", numbered(0)} {
			if owner, admin := k.streets(fqdn); owner != "1 New Road" || admin != "1 New Road" {
				t.Errorf("%s: %s, %s", fqdn, owner, admin)
			}
			if got := k.handles(fqdn); got != [4]string{handle, handle, handle, handle} || k.drift() != 0 {
				t.Errorf("%s has %v, drift %v", fqdn, got, k.drift())
			}
		}
		for _, op := range k.updates("contact_update") {
			if op["step"] != "DONE" {
				t.Errorf("operation %v", op)
			}
		}
	})
}

// lonely gives a contact of its own to a domain that is being registered.
func (k *clerk) lonely(fqdn string) string {
	k.t.Helper()
	p := person()
	p["given"] = "Wanda"
	handle := k.must("contact.create", p).(map[string]any)["handle"].(string)
	k.must("domain.create", fqdn, map[string]any{"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1})
	return handle
}

// Somebody changes a contact in v5's own interface: that role of that domain gets
// another handle, everything else stays, and it is counted once.
func TestDriftCorrectsOneDomain(t *testing.T) {
	clerks(t, 3, func(k *clerk) {
		handle := k.known(3)
		moved := v5.Contact{Type: "individual", Given: "Zebulon", Family: "Quackenbush", Email: "zeb@quackenbush.example",
			StreetAddr: "8 Elsewhere", Zip: "75011", City: "Paris", Country: "FR", Phone: "+33.198765432"}
		k.elsewhere(numbered(1), v5.Contacts{Tech: &moved})
		for range 3 {
			got := k.handles(numbered(1))
			if got[0] != handle || got[1] != handle || got[2] != handle || got[3] == handle || k.drift() != 1 {
				t.Fatalf("handles %v, drift %v", got, k.drift())
			}
			if got := k.handles(numbered(2)); got != [4]string{handle, handle, handle, handle} {
				t.Fatalf("another domain: %v", got)
			}
		}
		minted := k.handles(numbered(1))[3]
		if c := k.must("contact.info", minted).(map[string]any); c["streetaddr"] != "8 Elsewhere" {
			t.Errorf("the minted contact: %v", c)
		}
		// The same content elsewhere is the same handle, and an update of the old
		// handle does not reach it.
		k.elsewhere(numbered(2), v5.Contacts{Tech: &moved})
		if got := k.handles(numbered(2)); got[3] != minted || k.drift() != 2 {
			t.Errorf("equal drift: %v, %v", got, k.drift())
		}
		k.must("contact.update", handle, map[string]any{"streetaddr": "1 New Road"})
		k.must("contact.update", minted, map[string]any{"city": "Lyon"})
		time.Sleep(time.Minute)
		if _, admin := k.streets(numbered(1)); admin != "1 New Road" {
			t.Errorf("admin lives in %s", admin)
		}
		for i := 1; i < 3; i++ {
			if got := k.handles(numbered(i)); got != [4]string{handle, handle, handle, minted} || k.drift() != 2 {
				t.Errorf("after the updates: %v, drift %v", got, k.drift())
			}
		}
	})
}

// While a registration, a change of contacts or an update is under way, what v5
// shows before and after is known, and nobody is told of drift.
func TestPollingDuringChangesIsNoDrift(t *testing.T) {
	clerks(t, 4, func(k *clerk) {
		handle := k.known(4)
		other := person()
		other["given"] = "Yolanda"
		second := k.must("contact.create", other).(map[string]any)["handle"].(string)
		k.must("contact.create", other) // a younger twin is not taken for it
		k.must("domain.contacts.set", numbered(0), map[string]any{"tech": second})
		k.must("contact.update", handle, map[string]any{"streetaddr": "1 New Road"})
		for range 200 {
			time.Sleep(100 * time.Millisecond)
			for i := range 4 {
				got := k.handles(numbered(i))
				if got[0] != handle || got[3] != handle && got[3] != second {
					t.Fatalf("%s has %v", numbered(i), got)
				}
			}
		}
		if got := k.handles(numbered(0)); got[3] != second || k.drift() != 0 {
			t.Errorf("in the end %v, drift %v", got, k.drift())
		}
		if n := k.must("contact.count").(int64); n != 3 {
			t.Errorf("%d contacts", n)
		}
	})
}

func TestContactsOfOtherTenants(t *testing.T) {
	clerks(t, 1, func(k *clerk) {
		handle := k.known(1)
		for _, c := range []struct {
			method string
			params []any
		}{
			{"contact.update", []any{handle, map[string]any{"city": "Lyon"}}},
			{"contact.delete", []any{handle}},
			{"contact.info", []any{handle}},
			{"contact.balance", []any{handle}},
			{"contact.release", []any{handle}},
			{"contact.reachability.resend", []any{handle}},
			{"contact.can_associate_domain", []any{handle, map[string]any{"domain": "x.com"}}},
		} {
			k.fails(516150, "You aren't allowed", keyB, c.method, c.params...)
		}
		if list, err := k.ask(keyB, "contact.list"); err != nil || len(list.([]any)) != 0 {
			t.Errorf("another tenant lists %v, %v", list, err)
		}
		if list := k.must("contact.list", map[string]any{"handle": handle}).([]any); len(list) != 1 {
			t.Errorf("the tenant lists %v", list)
		}
		if len(k.changes()) != 0 {
			t.Errorf("changed: %v", k.changes())
		}
	})
}

// A contact that changes between the check of a purchase and its entry in the
// journal would leave the domain with what was before: the call is refused.
func TestAContactThatChangesUnderAPurchase(t *testing.T) {
	clerks(t, 1, func(k *clerk) {
		handle := k.known(1)
		changed := atomic.Bool{}
		k.troubled(func(q *http.Request) int {
			if strings.HasSuffix(q.URL.Path, "/fresh.com/createstatus") && !changed.Swap(true) {
				k.must("contact.update", handle, map[string]any{"streetaddr": "1 New Road"})
			}
			return 0
		})
		params := map[string]any{"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1}
		k.fails(516168, "call again", keyA, "domain.create", "fresh.com", params)
		if all := k.updates("domain_create"); len(all) != 0 || len(k.sim.Ledger()) != 0 {
			t.Errorf("operations %v, ledger %v", all, k.sim.Ledger())
		}
		k.must("domain.create", "fresh.com", params)
		time.Sleep(time.Minute)
		if owner, _ := k.streets("fresh.com"); owner != "1 New Road" {
			t.Errorf("the owner lives in %s", owner)
		}
	})
}

// The journal keeps nothing of the contact's content, before or after.
func TestAnUpdateLeavesNoContentInTheJournal(t *testing.T) {
	clerks(t, 2, func(k *clerk) {
		handle := k.known(2)
		k.must("contact.update", handle, map[string]any{"streetaddr": "1 Secret Road"})
		look := func() {
			err := k.services.Ops.Everywhere(func(op ops.Operation) error {
				text := fmt.Sprintf("%+v %s %s", op, op.Params, op.Request)
				err := k.services.Ops.Items(op.Tenant, op.ID, func(it ops.Item) error {
					text += fmt.Sprintf("%+v %s", it, it.Request)
					return nil
				})
				if slices.ContainsFunc([]string{"Secret Road", "Quackenbush"}, func(s string) bool { return strings.Contains(text, s) }) {
					t.Errorf("the journal has %s", text)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		look()
		time.Sleep(time.Minute)
		look()
	})
}
