package ops

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

// settingIntent is an intent of a change of a domain that is not paid.
func settingIntent(kind string, request any) Intent {
	raw, _ := json.Marshal(request)
	return Intent{Tenant: tenantA, Type: kind, Kind: kind, FQDN: fqdn, Fingerprint: string(raw), Request: raw}
}

// hostPlan is a change of name servers that needs a glue record.
func hostPlan() Intent {
	items, _ := Sequel{Hosts: []HostRequest{{Domain: fqdn, Label: "ns1", IPs: []string{"2001:DB8::1"}}},
		Nameservers: &NameserversRequest{Nameservers: []string{"ns1." + fqdn, "ns2.example.org"}}}.Items()
	in := settingIntent(KindNameserverHosts, nil)
	in.Items = ListOf(items...)
	return in
}

func settings() map[string]Intent {
	one := HostRequest{Domain: fqdn, Label: "old", IPs: []string{"192.0.2.7"}}
	return map[string]Intent{
		"lock":         settingIntent(KindTransferLock, TransferLockRequest{Locked: true}),
		"nameservers":  settingIntent(KindNameservers, NameserversRequest{Nameservers: []string{"ns2.example.org"}}),
		"livedns":      settingIntent(KindNameservers, NameserversRequest{}),
		"host create":  settingIntent(KindHostCreate, HostRequest{Domain: fqdn, Label: "new", IPs: []string{"192.0.2.7"}}),
		"host update":  settingIntent(KindHostUpdate, one),
		"host delete":  settingIntent(KindHostDelete, HostRequest{Domain: fqdn, Label: "old"}),
		"dnskey add":   settingIntent(KindDNSKeyAdd, v5.NewDNSKey{Algorithm: 8, PublicKey: "AwEAAQ==", Type: "ksk"}),
		"after a host": hostPlan(),
	}
}

func settingRig(t *testing.T, fn func(*rig)) {
	bubble(t, sandbox.Options{StepTime: 3 * time.Second}, func(r *rig) {
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, Nameservers: []string{"a.dns.gandi.net"},
			Hosts: map[string][]string{"old": {"192.0.2.1"}}}}})
		r.e.Start()
		fn(r)
	})
}

func TestASettingIsDoneWhenV5ShowsIt(t *testing.T) {
	for name, in := range settings() {
		t.Run(name, func(t *testing.T) {
			settingRig(t, func(r *rig) {
				op := r.submitted(in)
				time.Sleep(2 * time.Second)
				if now := r.get(op.ID); now.Step != Run {
					t.Errorf("before v5 shows it: %s", now.Step)
				}
				time.Sleep(5 * time.Minute)
				if now := r.get(op.ID); now.Step != Done || now.LastError != "" {
					t.Errorf("in the end: %s %s", now.Step, now.LastError)
				}
			})
		})
	}
}

// Whatever becomes of the request, the change is looked for before it is sent
// again.
func TestASettingOfUnknownOutcomeIsLookedFor(t *testing.T) {
	for name, in := range settings() {
		for _, kind := range []string{"lose-after", "lose-before"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				settingRig(t, func(r *rig) {
					for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
						r.wire.fail(trouble{kind: kind, method: method, times: 1})
					}
					op := r.submitted(in)
					time.Sleep(10 * time.Minute)
					if now := r.get(op.ID); now.Step != Done {
						t.Errorf("%s: %s %s", now.Step, now.State, now.LastError)
					}
					var writes []string
					for _, q := range r.sim.Requests() {
						if q.Method != "GET" {
							writes = append(writes, q.Method+" "+q.Path)
						}
					}
					if slices.Sort(writes); len(slices.Compact(slices.Clone(writes))) != len(writes) {
						t.Errorf("sent again: %q", writes)
					}
				})
			})
		}
	}
}

// A process that dies at any point of the list leaves one that goes on.
func TestNameserversAfterHostsGoOnAfterARestart(t *testing.T) {
	for _, point := range []string{"intended", "item", "item-sent", "item-outcome"} {
		t.Run(point, func(t *testing.T) {
			settingRig(t, func(r *rig) {
				died := false
				r.once(point, func() { died = true; r.db.Close() })
				r.submit(hostPlan())
				time.Sleep(time.Minute)
				r.restart()
				r.e.Start()
				time.Sleep(5 * time.Minute)
				if now := r.get(1_000_000_000); now.Step != Done || !died {
					t.Errorf("%s %s", now.Step, now.LastError)
				}
			})
		})
	}
}

// Name servers are not set when their glue record is refused.
func TestARefusedHostEndsTheChangeOfNameservers(t *testing.T) {
	settingRig(t, func(r *rig) {
		items, _ := Sequel{Hosts: []HostRequest{{Domain: fqdn, Label: "a_b", IPs: []string{"192.0.2.1"}}},
			Nameservers: &NameserversRequest{Nameservers: []string{"ns2.example.org"}}}.Items()
		in := settingIntent(KindNameserverHosts, nil)
		in.Items = ListOf(items...)
		op := r.submitted(in)
		time.Sleep(5 * time.Minute)
		if now := r.get(op.ID); now.Step != Error {
			t.Errorf("%s %s", now.Step, now.LastError)
		}
		for _, q := range r.sim.Requests() {
			if q.Method == "PUT" {
				t.Errorf("sent: %s %s", q.Method, q.Path)
			}
		}
	})
}

func TestADNSSECKeyIsDeletedWhenItIsGone(t *testing.T) {
	settingRig(t, func(r *rig) {
		r.submitted(settings()["dnskey add"])
		time.Sleep(time.Minute)
		session, err := r.opt.Session(tenantA)
		r.must(err)
		keys, err := session.DNSKeys(r.t.Context(), fqdn)
		if r.must(err); len(keys) != 1 {
			t.Fatalf("keys: %v", keys)
		}
		r.wire.fail(trouble{kind: "lose-after", method: "DELETE", times: 1})
		op := r.submitted(settingIntent(KindDNSKeyDelete, DNSKeyRequest{ID: keys[0].ID}))
		time.Sleep(5 * time.Minute)
		if now := r.get(op.ID); now.Step != Done || now.Sends != 1 {
			t.Errorf("%s after %d sends: %s", now.Step, now.Sends, now.LastError)
		}
	})
}

// Wherever the process dies, the new redirection is there in the end and the old
// one is not; both may be there meanwhile, neither never.
func TestAMovedRedirectionSurvivesARestart(t *testing.T) {
	for _, point := range []string{"intended", "sending", "sent", "outcome", "item", "item-sent", "item-outcome"} {
		t.Run(point, func(t *testing.T) {
			settingRig(t, func(r *rig) {
				session, err := r.opt.Session(tenantA)
				r.must(err)
				from := v5.NewWebredir{Host: "old." + fqdn, Override: true, Protocol: "http", Type: "cloak", URL: "http://a.example/"}
				r.must(session.CreateWebredir(r.t.Context(), fqdn, from))
				time.Sleep(time.Minute)
				to := from
				to.Host = "new." + fqdn
				in := settingIntent(KindWebredirMove, to)
				in.Items = ListOf(WebredirItems(from.Host)...)
				died := false
				r.once(point, func() { died = true; r.db.Close() })
				r.submit(in)
				time.Sleep(time.Minute)
				r.restart()
				r.e.Start()
				time.Sleep(10 * time.Minute)
				list, err := session.Webredirs(r.t.Context(), fqdn)
				r.must(err)
				if op := r.get(1_000_000_000); op.Step != Done || !died || len(list) != 1 || list[0].Host != to.Host {
					t.Errorf("%s %s, %v", op.Step, op.LastError, list)
				}
			})
		})
	}
}

// All pages of a list of v5 are read, each once.
func TestAllPagesOfAListAreRead(t *testing.T) {
	settingRig(t, func(r *rig) {
		hosts := map[string][]string{}
		for i := range 250 {
			hosts["h"+strconv.Itoa(i)] = []string{"192.0.2.1"}
		}
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "many.com", Hosts: hosts}}})
		before := len(r.sim.Requests())
		session, err := r.opt.Session(tenantA)
		r.must(err)
		list, err := session.Hosts(r.t.Context(), "many.com")
		if r.must(err); len(list) != 250 || len(r.sim.Requests()) != before+3 {
			t.Errorf("%d hosts in %d requests", len(list), len(r.sim.Requests())-before)
		}
	})
}
