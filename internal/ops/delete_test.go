package ops

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

func deleteIntent() Intent {
	return Intent{
		Tenant: tenantA, Type: "domain_delete", Kind: KindDelete, Source: "AD1-GANDI", FQDN: fqdn,
		Params: json.RawMessage(`{}`), Fingerprint: "delete", Request: json.RawMessage(`{}`),
	}
}

// loseDelete is lose for a deletion.
func (r *rig) loseDelete(kind string, more ...func()) {
	r.once("sending", func() {
		r.wire.fail(trouble{kind: kind, method: "DELETE", real: true, times: 1})
		for _, do := range more {
			do()
		}
	})
}

// registered replaces the domain by another registration of the name.
func (r *rig) registered() {
	r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn}}})
}

func deleted(posts int) end { return end{Done, Accepted, "", 0, posts} }

const deletePath = "/domain/domains/" + fqdn

// deletions are what can happen to one; left is how many requests went out.
var deletions = []struct {
	name    string
	options sandbox.Options
	prepare func(*rig)
	want    end
	left    int
}{
	{"all goes well", sandbox.Options{}, func(*rig) {}, deleted(1), 1},
	{"v5 takes its time", sandbox.Options{StepTime: 50 * time.Minute}, func(*rig) {}, deleted(1), 1},
	{"the answer is lost", sandbox.Options{}, func(r *rig) { r.loseDelete("lose-after") }, deleted(1), 1},
	{"the answer is lost and v5 takes its time", sandbox.Options{StepTime: 50 * time.Minute},
		func(r *rig) { r.loseDelete("lose-after") }, deleted(1), 1},
	{"v5 works and never answers", sandbox.Options{}, func(r *rig) { r.loseDelete("hang-after") }, deleted(1), 1},
	{"a page with 500 after the work", sandbox.Options{}, func(r *rig) { r.loseDelete("html-after") }, deleted(1), 1},
	{"the request is lost", sandbox.Options{}, func(r *rig) { r.loseDelete("lose-before") },
		end{Support, Unknown, "nobody knows", 0, 0}, 1},
	{"the request is lost and somebody deletes it in the web interface", sandbox.Options{}, func(r *rig) {
		r.loseDelete("lose-before", func() { r.elsewhere("DELETE", deletePath, "") })
	}, deleted(1), 1},
	{"the request is lost and the name is registered anew", sandbox.Options{}, func(r *rig) {
		r.loseDelete("lose-before", r.registered)
	}, deleted(0), 1},
	{"the request is lost and it belongs to somebody else now", sandbox.Options{}, func(r *rig) {
		r.loseDelete("lose-before", func() {
			r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, SharingID: "somebody else"}}})
		})
	}, deleted(0), 1},
	{"v5 answers everything with a 403", sandbox.Options{}, func(r *rig) {
		r.loseDelete("lose-after", func() { r.wire.fail(trouble{kind: "forbidden", method: "GET"}) })
	}, end{Support, Unknown, "cannot be read", 0, 1}, 1},
	{"v5 shows a 403 and still lists it", sandbox.Options{StepTime: 5 * time.Hour}, func(r *rig) {
		r.loseDelete("lose-after", func() { r.wire.fail(trouble{kind: "forbidden", method: "GET", path: deletePath}) })
	}, end{Support, Unknown, "cannot be read", 0, 1}, 1},
	{"v5 says no", sandbox.Options{}, func(r *rig) {
		r.once("sending", func() {
			r.nextError("DELETE", deletePath, 403, map[string]any{"code": 403, "message": "not for you", "object": "HTTPForbidden", "cause": "Forbidden"}, false)
		})
	}, end{Error, Refused, "not for you", 0, 1}, 1},
	{"no connection for a while", sandbox.Options{}, func(r *rig) {
		r.once("sending", func() { r.wire.fail(trouble{kind: "refuse", method: "DELETE", times: 3}) })
	}, deleted(1), 1},
	{"another registration right before the send", sandbox.Options{}, func(r *rig) { r.once("intended", r.registered) },
		end{Error, Refused, "nothing was sent", 0, 0}, 0},
	{"prohibited right before the send", sandbox.Options{}, func(r *rig) {
		r.once("intended", func() {
			r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, Status: []string{"clientDeleteProhibited"}}}})
		})
	}, end{Error, Refused, "nothing was sent", 0, 0}, 0},
}

// A deletion has no Dry-Run and is never sent twice, and the same call asks for
// the operation that there is.
func TestADeletionIsSentOnce(t *testing.T) {
	for _, c := range deletions {
		t.Run(c.name, func(t *testing.T) {
			renewRig(t, c.options, func(r *rig) {
				c.prepare(r)
				op, _ := r.submit(deleteIntent())
				for range 4 {
					time.Sleep(45 * time.Minute)
					if c.want.step == Support {
						if same := r.submitted(deleteIntent()); same.ID != op.ID {
							t.Errorf("asked again: operation %d", same.ID)
						}
					}
				}
				r.check(op.ID, c.want)
				if r.departed() != c.left || r.rehearsals() != 0 {
					t.Errorf("%d left, %d dry runs", r.departed(), r.rehearsals())
				}
			})
		})
	}
}

// Where nothing can be restored the domain is gone, and v5 answers 404.
func TestADeletionWithoutRedemption(t *testing.T) {
	renewRig(t, sandbox.Options{}, func(r *rig) {
		const name = "money.de"
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: name}}})
		in := deleteIntent()
		in.FQDN = name
		op := r.submitted(in)
		time.Sleep(time.Hour)
		r.check(op.ID, deleted(1))
	})
}

func TestWhatCannotBeDeletedIsNotSent(t *testing.T) {
	for name, d := range map[string]sandbox.SeedDomain{
		"deleted already":  {FQDN: fqdn, RegistryEndsAt: redeemedEnd},
		"prohibited":       {FQDN: fqdn, Status: []string{"clientDeleteProhibited"}},
		"being moved":      {FQDN: fqdn, Status: []string{"pendingTransfer"}},
		"somebody else's":  {FQDN: fqdn, SharingID: "somebody else"},
		"there is no such": {FQDN: "other.com"},
	} {
		createRig(t, sandbox.Options{}, func(r *rig) {
			r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{d}})
			_, err := r.submit(deleteIntent())
			if _, isStale := stale(err); !isStale || r.everything() != 0 || r.departed() != 0 {
				t.Errorf("%s: %v, %d written, %d left", name, err, r.everything(), r.departed())
			}
		})
	}
}

// While it is not known what became of a deletion nobody buys anything for the
// name, and a purchase under way keeps it from being deleted.
func TestADeletionHoldsTheName(t *testing.T) {
	renewRig(t, sandbox.Options{StepTime: time.Hour}, func(r *rig) {
		op := r.submitted(deleteIntent())
		if op.Step != Run {
			t.Errorf("step %s", op.Step)
		}
		if _, err := r.submit(renewIntent(1)); err == nil || len(r.sim.Ledger()) != 0 {
			t.Errorf("renewed: %v", err)
		}
	})
	renewRig(t, sandbox.Options{StepTime: time.Hour}, func(r *rig) {
		r.submitted(renewIntent(1))
		if _, err := r.submit(deleteIntent()); err == nil || r.departed() != 1 {
			t.Errorf("deleted: %v", err)
		}
	})
}

// Callers who delete at once delete once.
func TestDeletionsAtOnce(t *testing.T) {
	renewRig(t, sandbox.Options{StepTime: time.Minute}, func(r *rig) {
		ids := make(chan int64)
		for range 20 {
			go func() {
				op, err := r.submit(deleteIntent())
				if err != nil {
					t.Error(err)
				}
				ids <- op.ID
			}()
		}
		first := <-ids
		for range 19 {
			if id := <-ids; id != first {
				t.Errorf("operations %d and %d", first, id)
			}
		}
		time.Sleep(time.Hour)
		r.check(first, deleted(1))
	})
}

// A process that dies between any two steps of a deletion leaves a store from
// which the next one finds out as much as can be, and never deletes twice.
func TestDeathOfADeletion(t *testing.T) {
	unknown := end{Support, Unknown, "nobody knows", 0, 0}
	for _, d := range []death{
		{"intended", false, false, deleted(1)},
		{"sending", false, false, unknown},
		{"sending", true, false, deleted(1)},
		{"sent", true, false, deleted(1)},
		{"outcome", true, false, deleted(1)},
	} {
		for _, slow := range []time.Duration{time.Second, 30 * time.Minute} {
			t.Run(fmt.Sprintf("%s, %s", d, slow), func(t *testing.T) {
				renewRig(t, sandbox.Options{StepTime: slow}, func(r *rig) {
					r.die(d.point, d.network, deleteIntent())
					r.e.Start()
					time.Sleep(30 * time.Hour)
					r.check(1_000_000_000, d.want)
					if d.want.step == Support {
						if same := r.submitted(deleteIntent()); same.ID != 1_000_000_000 {
							t.Errorf("asked again: operation %d", same.ID)
						}
						r.check(1_000_000_000, d.want)
					}
				})
			})
		}
	}
}

// The name was registered anew while the process was dead: that registration is
// not what the caller wanted to delete.
func TestADeathBeforeTheSendDoesNotDeleteAnother(t *testing.T) {
	renewRig(t, sandbox.Options{}, func(r *rig) {
		r.die("intended", false, deleteIntent())
		r.registered()
		r.e.Start()
		time.Sleep(time.Hour)
		r.check(1_000_000_000, end{Error, Refused, "nothing was sent", 0, 0})
	})
}
