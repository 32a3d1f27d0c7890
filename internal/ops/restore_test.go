package ops

import (
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

const restorePath = "/domain/domains/" + fqdn + "/restore"

// restorations are what can happen to one.
var restorations = []struct {
	name    string
	options sandbox.Options
	prepare func(*rig)
	want    end
	left    int
}{
	{"all goes well", sandbox.Options{}, func(*rig) {}, end{Done, Accepted, "", 1, 1}, 1},
	{"v5 takes its time", sandbox.Options{StepTime: 50 * time.Minute}, func(*rig) {}, end{Done, Accepted, "", 1, 1}, 1},
	{"the answer is lost", sandbox.Options{}, func(r *rig) { r.lose("lose-after") }, end{Done, Accepted, "", 1, 1}, 1},
	{"the answer is lost and v5 takes its time", sandbox.Options{StepTime: 50 * time.Minute}, func(r *rig) { r.lose("lose-after") },
		end{Done, Accepted, "", 1, 1}, 1},
	{"v5 works and never answers", sandbox.Options{}, func(r *rig) { r.lose("hang-after") }, end{Done, Accepted, "", 1, 1}, 1},
	{"a page with 500 after the work", sandbox.Options{}, func(r *rig) { r.lose("html-after") }, end{Done, Accepted, "", 1, 1}, 1},
	{"JSON with 500 in place of the work", sandbox.Options{}, func(r *rig) {
		r.once("sending", func() { r.nextError("POST", restorePath, 500, map[string]any{"code": 500}, false) })
	}, end{Support, Unknown, "nobody knows", 0, 1}, 1},
	{"the request is lost", sandbox.Options{}, func(r *rig) { r.lose("lose-before") }, end{Support, Unknown, "nobody knows", 0, 0}, 1},
	{"the dates cannot be read", sandbox.Options{}, func(r *rig) {
		r.lose("lose-after", func() { r.wire.fail(trouble{kind: "html", method: "GET", path: "/domains/" + fqdn}) })
	},
		end{Support, Unknown, "cannot be read", 1, 1}, 1},
	{"only the dates have moved", sandbox.Options{}, func(r *rig) {
		r.lose("lose-before", func() { r.seedEnd(redeemedEnd.Add(time.Hour)) })
	}, end{Support, Unknown, "dates have moved, and it still can be restored", 0, 0}, 1},
	{"it can no longer be restored, as its time is over", sandbox.Options{}, func(r *rig) {
		r.lose("lose-before", func() { r.sim.Advance(60 * 24 * time.Hour) })
	}, end{Support, Unknown, "dates have not moved", 0, 0}, 1},
	{"somebody restores it in the web interface", sandbox.Options{}, func(r *rig) {
		r.lose("lose-before", func() { r.elsewhere("POST", restorePath, "{}") })
	}, end{Done, Accepted, "", 1, 1}, 1},
	{"v5 says no", sandbox.Options{}, func(r *rig) { r.seed(sandbox.Seed{Balance: "0.00"}) },
		end{Error, Refused, "not enough money", 0, 1}, 1},
	{"no connection for a while", sandbox.Options{}, func(r *rig) {
		r.once("sending", func() { r.wire.fail(trouble{kind: "refuse", method: "POST", times: 3}) })
	}, end{Done, Accepted, "", 1, 1}, 1},
	{"it goes right before the send", sandbox.Options{}, func(r *rig) {
		r.once("intended", func() { r.seedEnd(redeemedEnd.AddDate(1, 0, 0)) })
	}, end{Error, Refused, "nothing was sent", 0, 0}, 0},
}

// A restoration has no Dry-Run and is never sent twice. It happened when the
// domain cannot be restored any more and its dates have moved.
func TestARestorationIsSentOnce(t *testing.T) {
	for _, c := range restorations {
		t.Run(c.name, func(t *testing.T) {
			restoreRig(t, c.options, func(r *rig) {
				c.prepare(r)
				op, _ := r.submit(restoreIntent())
				for range 4 {
					time.Sleep(45 * time.Minute)
					if c.want.step != Error && c.want.step != Done {
						if same := r.submitted(restoreIntent()); same.ID != op.ID {
							t.Errorf("asked again: operation %d", same.ID)
						}
					}
				}
				r.check(op.ID, c.want)
				if r.departed() != c.left || r.rehearsals() != 0 || r.free() != c.want.step.AtEnd() {
					t.Errorf("%d left, %d dry runs, free %t", r.departed(), r.rehearsals(), r.free())
				}
			})
		})
	}
}

func TestWhatCannotBeRestoredIsNotSent(t *testing.T) {
	for name, ends := range map[string]time.Time{"alive": firstEnd, "in its grace period": time.Date(1999, 12, 20, 0, 0, 0, 0, time.UTC)} {
		restoreRig(t, sandbox.Options{}, func(r *rig) {
			r.seedEnd(ends)
			_, err := r.submit(restoreIntent())
			if _, isStale := stale(err); !isStale || r.everything() != 0 || r.departed() != 0 {
				t.Errorf("%s: %v, %d written, %d left", name, err, r.everything(), r.departed())
			}
		})
	}
	restoreRig(t, sandbox.Options{}, func(r *rig) { // somebody else's
		r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, RegistryEndsAt: redeemedEnd, SharingID: "somebody else"}}})
		if _, err := r.submit(restoreIntent()); err == nil || r.everything() != 0 || r.departed() != 0 {
			t.Errorf("somebody else's: %v, %d left", err, r.departed())
		}
	})
}

// In SUPPORT a later look still finds out.
func TestARestorationThatShowsLateLeavesSupport(t *testing.T) {
	restoreRig(t, sandbox.Options{StepTime: 5 * time.Hour}, func(r *rig) {
		r.lose("lose-after")
		op := r.submitted(restoreIntent())
		time.Sleep(2 * time.Hour)
		r.check(op.ID, end{Support, Unknown, "dates have not moved", 1, 1})
		r.restart()
		r.e.Start()
		time.Sleep(4 * time.Hour)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}
