package ops

import (
	"errors"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

// A renewal is paid for at most once, whatever gets lost, and is never sent
// again: nothing in v5 tells a second one from the first.
func TestARenewalIsSentOnce(t *testing.T) {
	for _, c := range []struct {
		name    string
		options sandbox.Options
		prepare func(*rig)
		want    end // three hours later
		left    int
	}{
		{"all goes well", sandbox.Options{}, func(*rig) {}, end{Done, Accepted, "", 1, 1}, 1},
		{"v5 takes its time", sandbox.Options{StepTime: 20 * time.Minute}, func(*rig) {}, end{Done, Accepted, "", 1, 1}, 1},
		{"the answer is lost", sandbox.Options{}, func(r *rig) { r.lose("lose-after") }, end{Done, Accepted, "", 1, 1}, 1},
		{"the answer is lost and v5 takes its time", sandbox.Options{StepTime: 20 * time.Minute}, func(r *rig) { r.lose("lose-after") },
			end{Done, Accepted, "", 1, 1}, 1},
		{"v5 works and never answers", sandbox.Options{}, func(r *rig) { r.lose("hang-after") }, end{Done, Accepted, "", 1, 1}, 1},
		{"the body of the 202 breaks off", sandbox.Options{}, func(r *rig) { r.lose("cut") }, end{Done, Accepted, "", 1, 1}, 1},
		{"a page with 500 after the work", sandbox.Options{}, func(r *rig) { r.lose("html-after") }, end{Done, Accepted, "", 1, 1}, 1},
		{"JSON with 500 after the work", sandbox.Options{}, func(r *rig) {
			r.once("sending", func() { r.nextError("POST", "/domain/domains/"+fqdn+"/renew", 500, map[string]any{"code": 500}, true) })
		}, end{Done, Accepted, "", 1, 1}, 1},
		{"the connection is cut after the work", sandbox.Options{}, func(r *rig) {
			r.once("sending", func() { r.nextError("POST", "/domain/domains/"+fqdn+"/renew", 0, nil, true) })
		}, end{Done, Accepted, "", 1, 1}, 1},
		{"the request is lost", sandbox.Options{}, func(r *rig) { r.lose("lose-before") }, end{Support, Unknown, "nobody knows", 0, 0}, 1},
		{"v5 never answers", sandbox.Options{}, func(r *rig) { r.lose("hang-before") }, end{Support, Unknown, "nobody knows", 0, 0}, 1},
		{"a page with 500 in place of the work", sandbox.Options{}, func(r *rig) { r.lose("html") }, end{Support, Unknown, "nobody knows", 0, 0}, 1},
		{"JSON with 503 in place of the work", sandbox.Options{}, func(r *rig) {
			r.once("sending", func() { r.nextError("POST", "/domain/domains/"+fqdn+"/renew", 503, map[string]any{"code": 503}, false) })
		}, end{Support, Unknown, "nobody knows", 0, 1}, 1},
		{"v5 takes it and does nothing", sandbox.Options{}, func(r *rig) { r.lose("accept") }, end{Support, Unknown, "does not show it", 0, 0}, 1},
		{"v5 ignores the dry run", sandbox.Options{IgnoreDryRun: true}, func(*rig) {}, end{Done, Accepted, "", 1, 0}, 0},
		{"v5 ignores the dry run and takes its time", sandbox.Options{IgnoreDryRun: true, StepTime: 20 * time.Minute}, func(*rig) {},
			end{Done, Accepted, "", 1, 0}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			renewRig(t, c.options, func(r *rig) {
				c.prepare(r)
				op := r.submitted(renewIntent(2))
				if op.Step != Bill || r.free() {
					t.Errorf("at once: %s, free %t", op.Step, r.free())
				}
				time.Sleep(59 * time.Minute)
				if now := r.get(op.ID); now.Step == Support {
					t.Errorf("given up before the hour: %q", now.LastError)
				}
				time.Sleep(2 * time.Hour)
				r.check(op.ID, c.want)
				ignored, undecided := r.events()
				if r.departed() != c.left || r.overshoots() != 0 || (undecided == 1) != (c.want.step == Support) ||
					(ignored == 1) != c.options.IgnoreDryRun {
					t.Errorf("%d left, %d overshoots, %d undecided, %d ignored", r.departed(), r.overshoots(), undecided, ignored)
				}
				if !r.isSpent(tenantA) || r.free() != (c.want.step == Done) {
					t.Errorf("spent %t, free %t", r.isSpent(tenantA), r.free())
				}
			})
		})
	}
}

// A Dry-Run whose answer gets lost may have been the renewal, which can take long
// to show: not even the Dry-Run is asked again.
func TestALostDryRunOfARenewalIsNotAskedAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		ignored bool
		lost    string
		shows   time.Duration
		after   time.Duration
		want    end
	}{
		{"it was the renewal", true, "lose-after", time.Second, time.Hour, end{Done, Accepted, "", 1, 0}},
		{"it was the renewal, which shows after the hour", true, "lose-after", 90 * time.Minute, 2 * time.Hour, end{Done, Accepted, "", 1, 0}},
		{"it was the renewal, which shows after ten", true, "html-after", 10 * time.Hour, 11 * time.Hour, end{Done, Accepted, "", 1, 0}},
		{"nobody knows yet", false, "lose-after", time.Second, 2 * time.Hour, end{Support, Unknown, "Dry-Run got lost", 0, 0}},
		{"it never arrived", false, "lose-before", time.Second, 25 * time.Hour, end{Error, Refused, "v5 does not take the call", 0, 0}},
		{"v5 was down", false, "html", time.Second, 25 * time.Hour, end{Error, Refused, "v5 does not take the call", 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			renewRig(t, sandbox.Options{IgnoreDryRun: c.ignored, StepTime: c.shows}, func(r *rig) {
				r.once("intended", func() { r.wire.fail(trouble{kind: c.lost, method: "POST", times: 1}) })
				op := r.submitted(renewIntent(1))
				time.Sleep(c.after)
				r.check(op.ID, c.want)
				if n := r.rehearsals(); n > 1 || r.departed() != 0 {
					t.Errorf("%d dry runs, %d real ones", n, r.departed())
				}
				if r.isSpent(tenantA) != (c.want.step != Error) || r.free() != c.want.step.AtEnd() {
					t.Errorf("spent %t, free %t", r.isSpent(tenantA), r.free())
				}
			})
		})
	}
}

// In SUPPORT a later look still finds out.
func TestARenewalThatShowsLateLeavesSupport(t *testing.T) {
	renewRig(t, sandbox.Options{StepTime: 5 * time.Hour}, func(r *rig) {
		r.lose("lose-after")
		op := r.submitted(renewIntent(1))
		time.Sleep(2 * time.Hour)
		r.check(op.ID, end{Support, Unknown, "nobody knows", 1, 1})
		r.restart()
		r.e.Start()
		time.Sleep(4 * time.Hour)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
		if r.departed() != 1 || r.overshoots() != 0 {
			t.Errorf("%d left, %d overshoots", r.departed(), r.overshoots())
		}
	})
}

// The end may move between any two readings; nothing is then sent on the wrong
// term.
func TestARenewalNeedsTheEndThatItWasCheckedAgainst(t *testing.T) {
	for name, moved := range map[string]time.Time{
		"by a year": firstEnd.AddDate(1, 0, 0), "by a second": firstEnd.Add(time.Second), "back": firstEnd.AddDate(-1, 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			renewRig(t, sandbox.Options{}, func(r *rig) { // after the baseline, and v5 said yes
				r.once("dry-run", func() { r.seedEnd(moved) })
				op, err := r.submit(renewIntent(1))
				if _, isStale := stale(err); !isStale || op.Step != Error {
					t.Errorf("answer %s, %v", op.Step, err)
				}
				r.check(op.ID, end{Error, Refused, "nothing was sent", 0, 0})
				if r.isSpent(tenantA) || !r.free() || r.departed() != 0 {
					t.Errorf("spent %t, free %t, %d left", r.isSpent(tenantA), r.free(), r.departed())
				}
			})
			renewRig(t, sandbox.Options{}, func(r *rig) { // before the baseline
				r.seedEnd(moved)
				_, err := r.submit(renewIntent(1))
				if _, isStale := stale(err); !isStale {
					t.Errorf("answer %v", err)
				}
				if r.everything() != 0 || r.isSpent(tenantA) || r.departed() != 0 || r.rehearsals() != 0 {
					t.Errorf("%d written, %d left", r.everything(), r.departed())
				}
			})
		})
	}
}

// Two calls with different current_year can both have been checked against the
// same end, since v5 may be asked for a year by its calendar name too. The one
// that comes second must not renew what the first made of it.
func TestTwoYearsForTheSameTermRenewOnce(t *testing.T) {
	renewRig(t, sandbox.Options{}, func(r *rig) {
		first := r.submitted(renewIntent(1))
		second := renewIntent(1)
		second.Once, second.Fingerprint = "1999", "renew for 1 by the calendar"
		var busy *BusyError
		if _, err := r.submit(second); !errors.As(err, &busy) || busy.ID != first.ID {
			t.Errorf("while the first is open: %v", err)
		}
		time.Sleep(time.Minute)
		r.check(first.ID, end{Done, Accepted, "", 1, 1})
		_, err := r.submit(second)
		if _, isStale := stale(err); !isStale {
			t.Errorf("after the first: %v", err)
		}
		if n := len(r.sim.Ledger()); n != 1 || r.departed() != 1 || r.everything() != 1 {
			t.Errorf("%d charges, %d left, %d operations", n, r.departed(), r.everything())
		}
	})
}

// A domain that is gone right before the send is renewed no more.
func TestADomainThatIsGoneIsNotRenewed(t *testing.T) {
	renewRig(t, sandbox.Options{}, func(r *rig) {
		r.once("dry-run", func() {
			r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, RegistryEndsAt: firstEnd, SharingID: "somebody else"}}})
		})
		op := r.submitted(renewIntent(1)) // 403 may pass, so it is tried for a while
		time.Sleep(time.Hour)
		if now := r.get(op.ID); now.Step != Error || r.departed() != 0 || r.isSpent(tenantA) {
			t.Errorf("%s, %s, %d left", now.Step, now.LastError, r.departed())
		}
	})
}

// v5 cannot be read right before the send: that is put off, and v5 is asked anew.
func TestAnUnreadableEndPutsTheRenewalOff(t *testing.T) {
	renewRig(t, sandbox.Options{}, func(r *rig) {
		r.once("dry-run", func() { r.wire.fail(trouble{kind: "html", method: "GET"}) })
		op := r.submitted(renewIntent(1))
		if op.State != Intended || op.Step != Bill {
			t.Errorf("at once: %s, %s", op.Step, op.State)
		}
		r.wire.heal()
		time.Sleep(3 * time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
	renewRig(t, sandbox.Options{}, func(r *rig) { // and the process ends meanwhile
		r.once("dry-run", func() { r.wire.fail(trouble{kind: "html", method: "GET"}) })
		op := r.submitted(renewIntent(1))
		r.wire.heal()
		r.restart()
		r.e.Start()
		time.Sleep(3 * time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}

// It happened when the end has reached what was asked for, whoever did it.
func TestSomebodyElseRenewsMeanwhile(t *testing.T) {
	byThem := func(r *rig) func() {
		return func() { r.elsewhere("POST", "/domain/domains/"+fqdn+"/renew", `{"duration":1}`) }
	}
	for _, c := range []struct {
		name      string
		prepare   func(*rig)
		want      end
		overshoot int
	}{
		{"and ours is lost", func(r *rig) { r.lose("lose-before", byThem(r)) }, end{Done, Accepted, "", 1, 1}, 0},
		{"and ours is charged too", func(r *rig) { r.once("sending", byThem(r)) }, end{Done, Accepted, "", 2, 2}, 1},
		{"and the answer to ours is lost", func(r *rig) { r.lose("lose-after", byThem(r)) }, end{Done, Accepted, "", 2, 2}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			renewRig(t, sandbox.Options{}, func(r *rig) {
				c.prepare(r)
				op := r.submitted(renewIntent(1))
				time.Sleep(30 * time.Minute)
				r.check(op.ID, c.want)
				if n := r.overshoots(); n != c.overshoot {
					t.Errorf("%d overshoots, want %d", n, c.overshoot)
				}
				if _, undecided := r.events(); undecided != 0 {
					t.Error("an operator was called")
				}
			})
		})
	}
	renewRig(t, sandbox.Options{}, func(r *rig) { // by less than what was asked for
		r.lose("lose-before", byThem(r))
		op := r.submitted(renewIntent(3))
		time.Sleep(3 * time.Hour)
		r.check(op.ID, end{Support, Unknown, "not what was asked for", 1, 1})
	})
}

// An overshoot is counted when it is known to be kept.
func TestAnOvershootIsCountedOnce(t *testing.T) {
	renewRig(t, sandbox.Options{}, func(r *rig) {
		r.lose("lose-before", func() { r.seedEnd(firstEnd.AddDate(3, 0, 0)) })
		r.mu.Lock()
		r.settle = errNothing
		r.mu.Unlock()
		op := r.submitted(renewIntent(1))
		time.Sleep(5 * time.Minute)
		r.mu.Lock()
		r.settle = nil
		r.mu.Unlock()
		time.Sleep(5 * time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 0, 0})
		if n := r.overshoots(); n != 1 {
			t.Errorf("%d overshoots", n)
		}
	})
}

// What certainly did not leave is known to the next process, too.
func TestAnUnsentRenewalGoesOnInTheNextProcess(t *testing.T) {
	for point, real := range map[string]bool{"intended": false, "sending": true} {
		renewRig(t, sandbox.Options{}, func(r *rig) {
			r.once(point, func() { r.wire.fail(trouble{kind: "refuse", method: "POST", real: real}) })
			op := r.submitted(renewIntent(1))
			r.wire.heal()
			r.restart()
			r.e.Start()
			time.Sleep(10 * time.Second)
			r.check(op.ID, end{Done, Accepted, "", 1, 1})
		})
	}
}
