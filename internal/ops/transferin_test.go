package ops

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

const transferPath = "/domain/transferin/" + fqdn

// orderElsewhere makes an older transfer of the name, past the engine.
func (r *rig) orderElsewhere(code string) {
	r.elsewhere("POST", "/domain/transferin", `{"fqdn":"`+fqdn+`","authinfo":"`+code+`","owner":`+string(marshal(person("Alice")))+`}`)
}

// transfers are what can happen to one. An old one stays readable, and was charged.
var transfers = []struct {
	name    string
	options sandbox.Options
	old     bool // an older failed transfer is readable; it was charged
	prepare func(*rig)
	want    end
	left    int
}{
	{"all goes well", sandbox.Options{}, false, func(*rig) {}, end{Done, Accepted, "", 1, 1}, 1},
	{"the answer is lost", sandbox.Options{}, false, func(r *rig) { r.lose("lose-after") }, end{Done, Accepted, "", 1, 1}, 1},
	{"v5 works and never answers", sandbox.Options{}, false, func(r *rig) { r.lose("hang-after") }, end{Done, Accepted, "", 1, 1}, 1},
	{"a page with 500 after the work", sandbox.Options{}, false, func(r *rig) { r.lose("html-after") }, end{Done, Accepted, "", 1, 1}, 1},
	{"the request is lost", sandbox.Options{}, false, func(r *rig) { r.lose("lose-before") }, end{Done, Accepted, "", 1, 1}, 2},
	{"a page with 500 in place of the work", sandbox.Options{}, false, func(r *rig) { r.lose("html") }, end{Done, Accepted, "", 1, 1}, 2},
	{"the dry run is lost", sandbox.Options{}, false, func(r *rig) {
		r.once("intended", func() { r.wire.fail(trouble{kind: "lose-before", method: "POST", times: 1}) })
	}, end{Done, Accepted, "", 1, 1}, 1},
	{"v5 ignores the dry run", sandbox.Options{IgnoreDryRun: true}, false, func(*rig) {}, end{Done, Accepted, "", 1, 0}, 0},
	{"v5 ignores the dry run and its answer is lost", sandbox.Options{IgnoreDryRun: true}, false, func(r *rig) {
		r.once("intended", func() { r.wire.fail(trouble{kind: "lose-after", method: "POST", times: 1}) })
	}, end{Done, Accepted, "", 1, 0}, 0},
	{"lost for ever", sandbox.Options{}, false, func(r *rig) {
		r.once("sending", func() { r.wire.fail(trouble{kind: "lose-before", method: "POST", real: true}) })
	}, end{Support, Unknown, "nobody knows", 0, 0}, 2},
	{"the request is lost and the domain cannot be read", sandbox.Options{}, false, func(r *rig) {
		r.lose("lose-before", func() { r.wire.fail(trouble{kind: "forbidden", method: "GET", path: "/domains/" + fqdn}) })
	}, end{Support, Unknown, "does not say whether the domain is there", 0, 0}, 1},
	{"the request is lost and the transfer cannot be read", sandbox.Options{}, false, func(r *rig) {
		r.lose("lose-before", func() { r.wire.fail(trouble{kind: "html-404", method: "GET", path: transferPath}) })
	}, end{Support, Unknown, "cannot be read", 0, 0}, 1},
	{"the name is ours and the transfer is forgotten", sandbox.Options{}, false, func(r *rig) {
		r.lose("lose-before", func() { r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn}}}) })
	}, end{Done, Accepted, "", 0, 0}, 1},

	{"after an old one", sandbox.Options{}, true, func(*rig) {}, end{Done, Accepted, "", 2, 2}, 1},
	{"after an old one, the answer is lost", sandbox.Options{}, true, func(r *rig) { r.lose("lose-after") }, end{Done, Accepted, "", 2, 2}, 1},
	{"after an old one, the request is lost", sandbox.Options{}, true, func(r *rig) { r.lose("lose-before") }, end{Done, Accepted, "", 2, 2}, 2},
	// What becomes of the old one is not what becomes of ours.
	{"the old one is tried again and fails, ours is lost", sandbox.Options{}, true, func(r *rig) {
		r.lose("lose-before", func() { r.elsewhere("PUT", transferPath, "{}") })
	}, end{Support, Unknown, "was there before the call", 1, 2}, 1},
}

func TestATransferIsDecidedByLooking(t *testing.T) {
	for _, c := range transfers {
		t.Run(c.name, func(t *testing.T) {
			transferRig(t, c.options, func(r *rig) {
				if c.old {
					r.orderElsewhere(wrongCode)
					time.Sleep(time.Minute)
				}
				c.prepare(r)
				op := r.submitted(transferIntent(rightCode))
				if op.Step == Error || r.free() {
					t.Errorf("at once: %s, free %t", op.Step, r.free())
				}
				time.Sleep(3 * time.Hour)
				r.check(op.ID, c.want)
				if r.departed() != c.left {
					t.Errorf("%d left, want %d", r.departed(), c.left)
				}
			})
		})
	}
}

// A second send needs two looks, ten seconds apart.
func TestASecondTransferWaitsForTheGap(t *testing.T) {
	transferRig(t, sandbox.Options{}, func(r *rig) {
		r.lose("lose-before")
		op := r.submitted(transferIntent(rightCode))
		time.Sleep(9 * time.Second)
		if now := r.get(op.ID); now.State != Unknown || r.departed() != 1 {
			t.Errorf("after 9 s: %s, %d left", now.State, r.departed())
		}
		time.Sleep(time.Minute)
		sent := r.wire.departures()
		if len(sent) != 2 || sent[1].at.Sub(sent[0].at) < 10*time.Second {
			t.Errorf("left at %v", sent)
		}
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}

func TestAFailedTransferHasItsErrorType(t *testing.T) {
	transferRig(t, sandbox.Options{}, func(r *rig) {
		op := r.submitted(transferIntent(wrongCode))
		time.Sleep(time.Minute)
		r.check(op.ID, end{Error, Accepted, "invalid authinfo", 1, 1})
		if now := r.get(op.ID); now.ErrorType != "domain_transfer_in:domain_transfer_invalid_authinfo" || !r.free() {
			t.Errorf("errortype %q, free %t", now.ErrorType, r.free())
		}
	})
}

func TestATransferOfWhatIsHereIsRefused(t *testing.T) {
	transferRig(t, sandbox.Options{}, func(r *rig) {
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn}}})
		if _, err := r.submit(transferIntent(rightCode)); !errors.As(err, new(*ErrExists)) || r.everything() != 0 || r.departed() != 0 {
			t.Errorf("%v, %d written, %d left", err, r.everything(), r.departed())
		}
	})
}

// The code is in the store only while it may still have to be sent.
func TestTheTransferCodeIsForgottenWithTheOutcome(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*rig)
		needed  bool // right after the call
		code    string
		step    Step // in the end
	}{
		{"v5 takes it", func(*rig) {}, false, rightCode, Done},
		{"v5 takes it and fails", func(*rig) {}, false, wrongCode, Error},
		{"v5 ignores the dry run", func(r *rig) { r.sim.SetChaos(sandbox.Chaos{IgnoreDryRun: true}) }, false, rightCode, Done},
		{"v5 refuses", func(r *rig) { r.seed(sandbox.Seed{Balance: "0.00"}) }, false, rightCode, Error},
		{"the answer is lost", func(r *rig) { r.lose("lose-after") }, true, rightCode, Done},
		{"the request is lost", func(r *rig) { r.lose("lose-before") }, true, rightCode, Done},
		{"it cannot be sent", func(r *rig) {
			r.once("intended", func() { r.wire.fail(trouble{kind: "refuse", method: "POST"}) })
		}, true, rightCode, Error},
	} {
		t.Run(c.name, func(t *testing.T) {
			transferRig(t, sandbox.Options{}, func(r *rig) {
				c.prepare(r)
				op, _ := r.submit(transferIntent(c.code))
				if raw := r.raw(op.ID); strings.Contains(raw, c.code) != c.needed {
					t.Errorf("right after the call: %s", raw)
				}
				for range 30 {
					time.Sleep(time.Second)
					if now := r.get(op.ID); now.State == Accepted && strings.Contains(r.raw(op.ID), c.code) {
						t.Errorf("v5 took it, and it is still stored in %s", now.Step)
					}
				}
				time.Sleep(30 * time.Minute)
				raw := r.raw(op.ID)
				if now := r.get(op.ID); now.Step != c.step || strings.Contains(raw, c.code) {
					t.Errorf("%s, in the end: %s", now.Step, raw)
				}
				// Nothing of whose the domain is stays with what v5 showed before.
				if strings.Contains(raw, "@") {
					t.Errorf("contact data: %s", raw)
				}
				for _, line := range r.logs.All() {
					if strings.Contains(line.Message, c.code) {
						t.Errorf("logged: %s", line.Message)
					}
				}
			})
		})
	}
}

// What was read before the send is kept for ever, and holds nobody's data.
func TestTheBaselineOfATransferHoldsNoContact(t *testing.T) {
	transferRig(t, sandbox.Options{}, func(r *rig) {
		sim := r.wire.handler
		r.wire.handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.Method != "GET" || q.URL.Path != "/v5"+transferPath {
				sim.ServeHTTP(w, q)
				return
			}
			fmt.Fprint(w, `{"created_at":"1999-12-01T00:00:00Z","updated_at":"1999-12-02T00:00:00Z","owner_contact":"eve@example.org","step":"ERROR",
				"step_nb":3,"errortype":"x:y","errortype_label":"asked eve@example.org","foa":[{"email":"eve@example.org","answer":"no"}],
				"inner_step":"mail to eve@example.org","params":{"domain":"money.com","mail":"eve@example.org"}}`)
		})
		op := r.submitted(transferIntent(rightCode))
		time.Sleep(time.Minute)
		if now := r.get(op.ID); now.Step != Done || strings.Contains(r.raw(op.ID), "eve") || !strings.Contains(string(now.Baseline), "1999-12-02") {
			t.Errorf("%s, stored: %s", now.Step, r.raw(op.ID))
		}
	})
}

func TestAnotherCodeIsAnotherCall(t *testing.T) {
	transferRig(t, sandbox.Options{StepTime: time.Minute}, func(r *rig) {
		op := r.submitted(transferIntent(rightCode))
		for range 2 {
			if same := r.submitted(transferIntent(rightCode)); same.ID != op.ID {
				t.Errorf("the same call: operation %d", same.ID)
			}
			var busy *BusyError
			if _, err := r.submit(transferIntent(wrongCode)); !errors.As(err, &busy) || busy.ID != op.ID {
				t.Errorf("another code: %v", err)
			}
			r.restart()
			r.e.Start()
		}
		if r.departed() != 1 {
			t.Errorf("%d left", r.departed())
		}
	})
}
