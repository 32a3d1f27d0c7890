package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

// glueServers are name servers of which one lies in the domain that is bought.
var glueServers = []string{"ns1." + fqdn, "ns2.example.org"}

const redirectedTo = "http://www.example.org/"

// wholeSequel has all that can follow a purchase but a zone.
func wholeSequel() Sequel {
	return Sequel{
		Hosts:       []HostRequest{{Domain: fqdn, Label: "ns1", IPs: []string{"192.0.2.1", "2001:db8::1"}}},
		Nameservers: &NameserversRequest{Nameservers: glueServers},
		Webredir:    &v5.NewWebredir{Host: fqdn, Override: true, Protocol: "http", Type: "http301", URL: redirectedTo},
	}
}

func (r *rig) sequelIntent(in Intent, q Sequel) Intent {
	r.t.Helper()
	items, err := q.Items()
	r.must(err)
	in.Items = ListOf(items...)
	return in
}

// hasSequel fails unless v5 shows all of wholeSequel.
func (r *rig) hasSequel() {
	r.t.Helper()
	s, err := r.opt.Session(tenantA)
	r.must(err)
	host, err := s.Host(context.Background(), fqdn, "ns1")
	if err != nil || !SameIPs(host.IPs, []string{"192.0.2.1", "2001:db8::1"}) {
		r.t.Errorf("glue record %v, %v", host, err)
	}
	if servers, err := s.Nameservers(context.Background(), fqdn); err != nil || !slices.Equal(servers, glueServers) {
		r.t.Errorf("name servers %v, %v", servers, err)
	}
	list, err := s.Webredirs(context.Background(), fqdn)
	if err != nil || len(list) != 1 || list[0].Host != fqdn || list[0].URL != redirectedTo || list[0].Type != "http301" {
		r.t.Errorf("redirections %v, %v", list, err)
	}
}

// sequelOrders are the requests that changed something, without the purchase.
func (r *rig) sequelOrders() (list []string) {
	for _, q := range r.sim.Requests() {
		path := strings.TrimPrefix(q.Path, "/v5/domain/")
		if q.Method != "GET" && !q.DryRun && path != "domains" && path != "transferin" {
			list = append(list, q.Method+" "+strings.TrimPrefix(path, "domains/"+fqdn+"/"))
		}
	}
	return list
}

func (r *rig) ends(id int64, most time.Duration) Operation {
	r.t.Helper()
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(time.Second) {
		if op := r.get(id); op.Step.AtEnd() {
			return op
		}
	}
	return r.get(id)
}

func TestWhatFollowsAPurchase(t *testing.T) {
	for name, buys := range map[string]struct {
		rig func(*testing.T, sandbox.Options, func(*rig))
		in  Intent
	}{"create": {createRig, createIntent(fqdn)}, "transfer": {transferRig, transferIntent(rightCode)}} {
		t.Run(name, func(t *testing.T) {
			buys.rig(t, sandbox.Options{}, func(r *rig) {
				op := r.submitted(r.sequelIntent(buys.in, wholeSequel()))
				if op.Work.Begun {
					t.Error("it follows before the domain is there")
				}
				r.ends(op.ID, 10*time.Minute)
				r.check(op.ID, end{Done, Accepted, "", 1, 4})
				r.hasSequel()
				if got := r.sequelOrders(); !slices.Equal(got, []string{"POST hosts", "PUT nameservers", "POST webredirs"}) {
					t.Errorf("sent %v", got)
				}
			})
		})
	}
}

// Wherever the process dies, and whether or not what it sent arrives: one
// purchase, settled once, and all that follows it.
func TestASequelSurvivesDeath(t *testing.T) {
	points := []string{"intended", "dry-run", "sending", "sent", "outcome", "list-end"}
	for _, point := range []string{"item", "item-sent", "item-outcome"} {
		for nth := range 6 {
			points = append(points, fmt.Sprint(point, " ", nth))
		}
	}
	for _, at := range points {
		for _, network := range []bool{true, false} {
			t.Run(fmt.Sprint(at, network), func(t *testing.T) {
				createRig(t, sandbox.Options{}, func(r *rig) {
					point, n, _ := strings.Cut(at, " ")
					nth := 0
					fmt.Sscan(n, &nth)
					died := false
					r.on(point, func() {
						if died || nth > 0 {
							nth--
							return
						}
						died = true
						r.db.Close()
						if !network {
							r.wire.fail(trouble{kind: "lose-before"})
						}
					})
					in := r.sequelIntent(createIntent(fqdn), wholeSequel())
					r.submit(in)
					time.Sleep(5 * time.Minute)
					r.wire.heal()
					r.on(point, nil)
					r.restart()
					r.e.Start()
					r.ends(1_000_000_000, 30*time.Minute)
					if !died {
						t.Errorf("it never came to the point: %d to go", nth)
					}
					op := r.get(1_000_000_000)
					if op.Step != Done || op.LastError != "" || r.settled(op.ID) != 1 || len(r.sim.Ledger()) != 1 {
						t.Errorf("%s %q, settled %d times, ledger %v", op.Step, op.LastError, r.settled(op.ID), r.sim.Ledger())
					}
					r.hasSequel()
				})
			})
		}
	}
}

// What follows may be refused: the operation says that the domain is bought, and
// can be relaunched for the rest alone, as often as it takes.
func TestARefusedSequelIsRelaunchedAlone(t *testing.T) {
	createRig(t, sandbox.Options{}, func(r *rig) {
		wrong := wholeSequel()
		wrong.Nameservers.Nameservers = []string{glueServers[0], glueServers[0]} // v5 refuses one that is there twice
		op := r.submitted(r.sequelIntent(createIntent(fqdn), wrong))
		bought := end{Error, Accepted, "the domain is bought and stays so; what had to follow is not done: nameservers: nameservers.1: is listed twice; 1 after that not begun", 1, 3}
		r.ends(op.ID, time.Hour)
		r.check(op.ID, bought)
		if !r.free() {
			t.Error("the name is still held")
		}
		if _, err := r.e.Relaunch(context.Background(), op.ID, r.sequelIntent(createIntent(fqdn), wholeSequel()), Wait); err == nil {
			t.Error("what is bought was ordered anew")
		}
		items, err := wrong.Items()
		r.must(err)
		if _, err := r.e.RelaunchSequel(context.Background(), tenantA, op.ID, json.RawMessage(`{}`), items); err != nil {
			t.Error(err)
		}
		r.ends(op.ID, time.Hour)
		bought.posts++
		r.check(op.ID, bought)
		items, err = wholeSequel().Items()
		r.must(err)
		again, err := r.e.RelaunchSequel(context.Background(), tenantA, op.ID, json.RawMessage(`{"right":1}`), items)
		if err != nil || again.Step != Run || string(again.Params) != `{"right":1}` || r.free() {
			t.Errorf("relaunched: %s %s, %v", again.Step, again.Params, err)
		}
		if _, err := r.e.RelaunchSequel(context.Background(), tenantA, op.ID, nil, items); !errors.Is(err, ErrStep) {
			t.Errorf("relaunched twice: %v", err)
		}
		if _, err := r.e.RelaunchSequel(context.Background(), tenantB, op.ID, nil, items); !errors.Is(err, ErrForeign) {
			t.Errorf("relaunched by somebody else: %v", err)
		}
		r.ends(op.ID, time.Hour)
		r.check(op.ID, end{Done, Accepted, "", 1, 6})
		r.hasSequel()
		if got := r.sequelOrders(); !slices.Equal(got, []string{"POST hosts", "PUT nameservers", "PUT nameservers", "PUT nameservers", "POST webredirs"}) {
			t.Errorf("sent %v", got)
		}
	})
}

// Only what a purchase left undone can be relaunched without it.
func TestWhatIsNotBoughtHasNoSequelToRelaunch(t *testing.T) {
	createRig(t, sandbox.Options{}, func(r *rig) {
		r.seed(sandbox.Seed{FailCreate: map[string]sandbox.FailedOrder{fqdn: {ErrorType: "registry:refused"}}})
		op := r.submitted(r.sequelIntent(createIntent(fqdn), wholeSequel()))
		r.ends(op.ID, time.Hour)
		items, err := wholeSequel().Items()
		r.must(err)
		if _, err := r.e.RelaunchSequel(context.Background(), tenantA, op.ID, nil, items); !errors.Is(err, ErrStep) {
			t.Errorf("err = %v", err)
		}
		if got := r.get(op.ID); got.Step != Error || len(r.sequelOrders()) != 0 {
			t.Errorf("%s, sent %v", got.Step, r.sequelOrders())
		}
	})
}

// A relaunch that dies is gone on with, and buys nothing.
func TestDeathOfARelaunchedSequel(t *testing.T) {
	for _, point := range []string{"item", "item-sent", "item-outcome", "list-end"} {
		t.Run(point, func(t *testing.T) {
			createRig(t, sandbox.Options{}, func(r *rig) {
				r.wire.fail(trouble{kind: "forbidden", method: "POST", path: "/hosts"})
				op := r.submitted(r.sequelIntent(createIntent(fqdn), wholeSequel()))
				if now := r.ends(op.ID, time.Hour); now.Step != Error || !strings.Contains(now.LastError, "2 after that not begun") {
					t.Fatalf("%s %s", now.Step, now.LastError)
				}
				r.wire.heal()
				r.once(point, func() { r.db.Close() })
				items, err := wholeSequel().Items()
				r.must(err)
				if _, err := r.e.RelaunchSequel(context.Background(), tenantA, op.ID, json.RawMessage(`{}`), items); err != nil {
					t.Error(err)
				}
				time.Sleep(5 * time.Minute)
				r.restart()
				r.e.Start()
				r.ends(op.ID, 30*time.Minute)
				if now := r.get(op.ID); now.Step != Done || r.settled(op.ID) != 1 || len(r.sim.Ledger()) != 1 {
					t.Errorf("%s %s, settled %d times, ledger %v", now.Step, now.LastError, r.settled(op.ID), r.sim.Ledger())
				}
				r.hasSequel()
			})
		})
	}
}

// A relaunch may ask for another redirection, or for none: what is there is
// changed, and not made twice.
func TestASequelThatIsAskedForOtherwise(t *testing.T) {
	createRig(t, sandbox.Options{}, func(r *rig) {
		first := wholeSequel()
		first.Hosts, first.Nameservers = nil, nil
		first.Webredir.URL = "http://wrong.example/"
		r.wire.fail(trouble{kind: "absent", method: "GET", path: "/webredirs/" + fqdn, times: 40}) // it never shows
		op := r.submitted(r.sequelIntent(createIntent(fqdn), first))
		if now := r.ends(op.ID, 3*time.Hour); now.Step != Error {
			t.Fatalf("%s %s", now.Step, now.LastError)
		}
		r.wire.heal()
		items, err := wholeSequel().Items()
		r.must(err)
		if _, err := r.e.RelaunchSequel(context.Background(), tenantA, op.ID, json.RawMessage(`{}`), items); err != nil {
			t.Error(err)
		}
		r.ends(op.ID, time.Hour)
		r.hasSequel()
		if got := r.sequelOrders(); !slices.Contains(got, "PATCH webredirs/"+fqdn) {
			t.Errorf("sent %v", got)
		}
	})
}
