package ops

import (
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

// What certainly did not leave is tried again for a while, and costs nothing.
func TestWhatCannotBeSentIsTriedAgain(t *testing.T) {
	tooMany := map[string]any{"code": 429, "message": "too many requests"}
	for _, c := range []struct {
		name  string
		point string // where it begins
		begin func(*rig)
		posts int // that reach v5
	}{
		{"no connection for the dry run", "intended", func(r *rig) {
			r.wire.fail(trouble{kind: "refuse", method: "POST", times: 3})
		}, 1},
		{"no connection for the POST", "sending", func(r *rig) {
			r.wire.fail(trouble{kind: "refuse", method: "POST", real: true, times: 3})
		}, 1},
		{"429 to the dry run", "intended", func(r *rig) {
			r.nextError("POST", "/domain/domains", 429, tooMany, false)
		}, 1},
		{"429 to the POST", "sending", func(r *rig) {
			r.nextError("POST", "/domain/domains", 429, tooMany, false)
		}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.e.Start()
				r.once(c.point, func() { c.begin(r) })
				begin := time.Now()
				op := r.submitted(createIntent(fqdn))
				if op.Step != Bill || op.State != Intended || op.LastError != "" || op.Sends != 0 || time.Since(begin) != 0 {
					t.Errorf("at once: %+v", op)
				}
				if r.free() {
					t.Error("the name is not held")
				}
				time.Sleep(time.Minute)
				r.check(op.ID, end{Done, Accepted, "", 1, c.posts})
			})
		})
	}
}

func TestWhatCannotBeSentForLongIsAnError(t *testing.T) {
	for _, c := range []struct {
		name  string
		point string
		begin func(*rig)
		text  string
	}{
		{"no connection for the dry run", "intended", func(r *rig) { r.wire.fail(trouble{kind: "refuse"}) }, "v5 could not be reached"},
		{"no connection for the POST", "sending", func(r *rig) {
			r.wire.fail(trouble{kind: "refuse", method: "POST", real: true})
		}, "v5 could not be reached"},
		{"429 for ever", "intended", func(r *rig) { r.sim.SetChaos(sandbox.Chaos{Reject429: 1}) }, "too many requests"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				r.e.Start()
				r.once(c.point, func() { c.begin(r) })
				op := r.submitted(createIntent(fqdn))
				time.Sleep(9 * time.Minute)
				if now := r.get(op.ID); now.Step != Bill || now.State != Intended || r.free() {
					t.Errorf("after 9 minutes: %s, %s", now.Step, now.State)
				}
				time.Sleep(2 * time.Minute)
				r.check(op.ID, end{Error, Refused, c.text, 0, 0})
				if !r.free() {
					t.Error("the name is still held")
				}
			})
		})
	}
}

// Polling must not make it send faster: 429 would follow 429.
func TestRefreshDoesNotHurryASend(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.once("intended", func() { r.wire.fail(trouble{kind: "refuse", method: "POST"}) })
		op := r.submitted(createIntent(fqdn))
		tries := 0
		r.on("dry-run", func() { tries++ })
		for range 300 {
			time.Sleep(100 * time.Millisecond)
			r.refresh(op.ID)
		}
		if tries > 16 {
			t.Errorf("%d tries in 30 s of polling", tries)
		}
	})
}

// A request that did not leave does not count as sent: the one after it may
// still get lost and be sent once more.
func TestAnUnsentRequestIsNoSend(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.once("sending", func() {
			r.wire.fail(trouble{kind: "refuse", method: "POST", real: true, times: 2})
			r.wire.fail(trouble{kind: "lose-before", method: "POST", real: true, times: 1})
		})
		op := r.submitted(createIntent(fqdn))
		time.Sleep(2 * time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
		if n := len(r.wire.departures()); n != 2 {
			t.Errorf("%d departures, want the lost one and another", n)
		}
	})
}
