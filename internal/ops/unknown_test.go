package ops

import (
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/v5"
)

// An answer that does not say what happened is followed by looking; the
// purchase is made once, whatever got lost.
func TestAnUnknownOutcomeIsDecidedByLooking(t *testing.T) {
	post := func(kind string, real bool) func(*rig) {
		return func(r *rig) {
			r.once("intended", func() { r.wire.fail(trouble{kind: kind, method: "POST", real: real, times: 1}) })
		}
	}
	for _, c := range []struct {
		name    string
		prepare func(*rig)
		posts   int // that reached v5
		left    int // that left
	}{
		{"the answer is lost", post("lose-after", true), 1, 1},
		{"the request is lost", post("lose-before", true), 1, 2},
		{"the connection is cut after the work", func(r *rig) {
			r.once("sending", func() { r.nextError("POST", "/domain/domains", 0, nil, true) })
		}, 1, 1},
		{"the connection is cut before the work", func(r *rig) {
			r.once("sending", func() { r.nextError("POST", "/domain/domains", 0, nil, false) })
		}, 2, 2},
		{"a page with 500 after the work", post("html-after", true), 1, 1},
		{"a page with 500 in place of the work", post("html", true), 1, 2},
		{"a page with 404 in place of the work", post("html-404", true), 1, 2},
		{"JSON with 500 after the work", func(r *rig) {
			r.once("sending", func() { r.nextError("POST", "/domain/domains", 500, map[string]any{"code": 500}, true) })
		}, 1, 1},
		{"the body of the 202 breaks off", post("cut", true), 1, 1},
		{"v5 works and never answers", post("hang-after", true), 1, 1},
		{"v5 never answers", post("hang-before", true), 1, 2},
		{"the answer to the dry run is lost", post("lose-after", false), 1, 1},
		{"the dry run is lost", post("lose-before", false), 1, 1},
		{"a page with 500 to the dry run", post("html", false), 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.e.Start()
				c.prepare(r)
				op := r.submitted(createIntent(fqdn))
				if r.free() {
					t.Error("the name is not held")
				}
				time.Sleep(3 * time.Minute)
				r.check(op.ID, end{Done, Accepted, "", 1, c.posts})
				if n := len(r.wire.departures()); n != c.left {
					t.Errorf("%d left, want %d", n, c.left)
				}
				if _, undecided := r.events(); undecided != 0 {
					t.Error("an operator was called")
				}
			})
		})
	}
}

// Between the first reading that proves absence and the second send lies the
// gap, whoever asks in between.
func TestASecondSendWaitsForTheGap(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.once("sending", func() { r.wire.fail(trouble{kind: "lose-before", method: "POST", real: true, times: 1}) })
		op := r.submitted(createIntent(fqdn))
		var absent time.Time
		for r.get(op.ID).State != Accepted {
			time.Sleep(100 * time.Millisecond)
			if r.refresh(op.ID); absent.IsZero() && r.asked("/check") {
				absent = time.Now()
			}
		}
		sent := r.wire.departures()
		if gap := sent[1].at.Sub(absent); absent.IsZero() || gap < 9900*time.Millisecond || gap > 13*time.Second {
			t.Errorf("second send %v after the first proof", gap)
		}
	})
}

// A reading that does not prove absence takes back the one that did.
func TestTwoProofsOfAbsenceMustFollowEachOther(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		lost(r, nil)
		op := r.submitted(createIntent(fqdn))
		time.Sleep(5 * time.Second) // the first look is at 2 s
		if !r.asked("/check") {
			t.Fatal("not absent yet")
		}
		r.seed(sandbox.Seed{CheckStatus: map[string]string{fqdn: "pending"}})
		time.Sleep(5 * time.Second)
		r.seed(sandbox.Seed{CheckStatus: map[string]string{fqdn: "available"}})
		time.Sleep(9 * time.Second)
		if n := len(r.wire.departures()); n != 1 {
			t.Errorf("%d left within the gap", n)
		}
		time.Sleep(time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}

// A second request that gets lost too is the last one.
func TestNothingIsSentAThirdTime(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.once("sending", func() { r.wire.fail(trouble{kind: "lose-before", method: "POST", real: true}) })
		op := r.submitted(createIntent(fqdn))
		time.Sleep(5 * time.Hour)
		r.check(op.ID, end{Support, Unknown, "nobody knows", 0, 0})
		if n := len(r.wire.departures()); n != 2 {
			t.Errorf("%d left", n)
		}
		if _, undecided := r.events(); undecided != 1 {
			t.Errorf("an operator was called %d times", undecided)
		}
	})
}

// A no to the second request may be an effect of the first, which v5 was slow
// to show.
func TestANoToTheSecondSendIsNotTheEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		shown bool // v5 shows the first one in the end
		want  end
	}{
		{"shown later", true, end{Done, Accepted, "", 1, 1}},
		{"never shown", false, end{Support, Unknown, "already exists", 1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.e.Start()
				// v5 does the work, loses the answer and hides it all.
				hide := func() {
					for _, path := range []string{"/v5/domain/domains/" + fqdn, "/v5/domain/domains/" + fqdn + "/createstatus"} {
						r.wire.fail(trouble{kind: "absent", method: "GET", path: path})
					}
					r.wire.fail(trouble{kind: "available", method: "GET", path: "/check"})
				}
				r.once("sending", func() {
					r.wire.fail(trouble{kind: "lose-after", method: "POST", real: true, times: 1})
					hide()
				})
				op := r.submitted(createIntent(fqdn))
				time.Sleep(15 * time.Second) // two looks, and a dry run that v5 refuses
				if now := r.get(op.ID); now.State != Unknown || now.Refusal == "" || r.free() {
					t.Errorf("after the no: %s, %s, %q", now.Step, now.State, now.Refusal)
				}
				if c.shown {
					r.wire.heal()
				}
				time.Sleep(5 * time.Hour)
				r.check(op.ID, c.want)
			})
		})
	}
}

// Only dry runs got lost, and v5 then says no: that is an error and no riddle.
func TestANoAfterALostDryRunIsAnError(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.once("intended", func() {
			r.wire.fail(trouble{kind: "lose-before", method: "POST", times: 1})
			r.seed(sandbox.Seed{Balance: "0.00"})
		})
		op := r.submitted(createIntent(fqdn))
		time.Sleep(time.Minute)
		r.check(op.ID, end{Error, Refused, "not enough money", 0, 0})
	})
}

func TestADryRunThatNeverWorksEnds(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.once("intended", func() { r.wire.fail(trouble{kind: "html", method: "POST"}) })
		op := r.submitted(createIntent(fqdn))
		time.Sleep(5 * time.Hour)
		r.check(op.ID, end{Error, Refused, "v5 does not take the call", 0, 0})
		if !r.free() {
			t.Error("the name is still held")
		}
	})
}

func TestAnIgnoredDryRunIsThePurchase(t *testing.T) {
	bubble(t, sandbox.Options{IgnoreDryRun: true}, func(r *rig) {
		r.e.Start()
		op := r.submitted(createIntent(fqdn))
		if op.Step != Bill || op.State != Accepted {
			t.Errorf("at once: %s, %s", op.Step, op.State)
		}
		time.Sleep(10 * time.Second)
		r.check(op.ID, end{Done, Accepted, "", 1, 0})
		if ignored, _ := r.events(); ignored != 1 {
			t.Errorf("told %d times", ignored)
		}
	})
	bubble(t, sandbox.Options{IgnoreDryRun: true}, func(r *rig) { // and its answer is lost
		r.e.Start()
		r.once("intended", func() { r.wire.fail(trouble{kind: "lose-after", method: "POST", times: 1}) })
		op := r.submitted(createIntent(fqdn))
		time.Sleep(time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 0})
	})
}

// A failed attempt stays readable at v5.
func TestAnOlderFailedAttemptIsNotOurs(t *testing.T) {
	failed := sandbox.Seed{FailCreate: map[string]sandbox.FailedOrder{fqdn: {ErrorType: "registry:refused"}}}
	for _, c := range []struct {
		name   string
		second func(*rig)
		want   end
	}{
		{"all goes well", func(*rig) {}, end{Done, Accepted, "", 2, 2}},
		{"the answer is lost", func(r *rig) { r.nextError("POST", "/domain/domains", 0, nil, true) }, end{Done, Accepted, "", 2, 2}},
		{"the request is lost", func(r *rig) {
			r.wire.fail(trouble{kind: "lose-before", method: "POST", real: true, times: 1})
		}, end{Done, Accepted, "", 2, 2}},
		{"it fails in another way", func(r *rig) {
			r.nextError("POST", "/domain/domains", 0, nil, true)
			r.seed(sandbox.Seed{FailCreate: map[string]sandbox.FailedOrder{fqdn: {ErrorType: "registry:down"}}})
		}, end{Error, Accepted, "registry:down", 2, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.e.Start()
				r.seed(failed)
				first := r.submitted(createIntent(fqdn))
				time.Sleep(10 * time.Second)
				r.check(first.ID, end{Error, Accepted, "registry:refused", 1, 1})
				r.once("sending", func() { c.second(r) })
				second := r.submitted(createIntent(fqdn))
				if second.ID == first.ID || second.Step == Error {
					t.Errorf("second answer %d, %s", second.ID, second.Step)
				}
				time.Sleep(time.Minute)
				r.check(second.ID, c.want)
			})
		})
	}
}

// How createstatus speaks of an end is not established; the domain is the end.
func TestTheDomainIsTheEndWhateverCreatestatusSays(t *testing.T) {
	for _, step := range []string{"RUN", "DONE"} {
		bubble(t, sandbox.Options{}, func(r *rig) {
			r.e.Start()
			r.wire.fail(trouble{kind: "absent", path: "/createstatus", times: 1})
			r.wire.fail(trouble{kind: "step " + step, path: "/createstatus"})
			op := r.submitted(createIntent(fqdn))
			time.Sleep(10 * time.Second)
			r.check(op.ID, end{Done, Accepted, "", 1, 1})
		})
	}
}

func TestSteps(t *testing.T) {
	for step, want := range map[string]Step{"BILL": Bill, "WAIT": Wait, "RUN": Run, "ERROR": Error, "SUPPORT": Support, "ODD": Run} {
		seen := progressed(&v5.Progress{Step: step})
		if seen.Step != want || !seen.Happened || (want == Error || want == Support) != (seen.Error != "") {
			t.Errorf("%s: %+v", step, seen)
		}
	}
}

func TestReasonsAreV5sWords(t *testing.T) {
	field := []v5.FieldError{{Name: "owner.zip", Description: "required"}, {Name: "fqdn", Description: "taken"}}
	for want, err := range map[string]error{
		"owner.zip: required; fqdn: taken": &v5.DryRunError{Fields: field},
		"v5 refused the dry run":           &v5.DryRunError{},
		"v5 answered 400":                  &v5.Error{Status: 400, MaybeSent: true},
		"no money":                         &v5.Error{Status: 400, MaybeSent: true, Message: "no money"},
		"v5 could not be reached":          &v5.Error{},
	} {
		if got := reason(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
