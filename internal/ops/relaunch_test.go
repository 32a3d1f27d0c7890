package ops

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

func (r *rig) relaunch(id int64, in Intent, step Step) (Operation, error) {
	return r.e.Relaunch(context.Background(), id, in, step)
}

// putIntent sets a transfer that v5 began going again, with another code or with
// the one that it has.
func putIntent(code string) (Intent, Step) {
	in, step := transferIntent(wrongCode), Wait
	if code != "" {
		step = Run
	}
	in.Kind, in.Request, in.Fingerprint = KindRelaunchTransfer, marshal(RelaunchRequest{AuthInfo: code}), "put "+code[:min(3, len(code))]
	return in, step
}

var (
	seedDomain = sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn}}}
	poor, rich = sandbox.Seed{Balance: "0.00"}, sandbox.Seed{Balance: "1000.00"}
)

// relaunches are the ways into ERROR, and out of it.
var relaunches = []struct {
	name  string
	seeds []sandbox.Seed // before the first life
	in    Intent
	heal  []sandbox.Seed // before the second
	again func() (Intent, Step)
	want  end
}{
	{"create that v5 refused", []sandbox.Seed{poor}, createIntent(fqdn), []sandbox.Seed{rich},
		func() (Intent, Step) { return createIntent(fqdn), Wait }, end{Done, Accepted, "", 1, 1}},
	{"create that v5 began", []sandbox.Seed{{FailCreate: map[string]sandbox.FailedOrder{fqdn: {ErrorType: "registry:down"}}}}, createIntent(fqdn), nil,
		func() (Intent, Step) { return createIntent(fqdn), Wait }, end{Done, Accepted, "", 2, 2}},
	{"owner that v5 refused", []sandbox.Seed{seedDomain, poor, {NextError: &sandbox.NextError{Method: "POST", Path: "/domain/changeowner/" + fqdn,
		Status: 400, Body: map[string]any{"code": 400, "message": "no"}}}}, ownerIntent("Carol"), []sandbox.Seed{rich},
		func() (Intent, Step) { return ownerIntent("Dave"), Wait }, end{Done, Accepted, "", 1, 1}},
	{"owner that v5 began", []sandbox.Seed{seedDomain, {FailChangeOwner: map[string]sandbox.FailedOrder{fqdn: {ErrorType: "owner:refused"}}}}, ownerIntent("Carol"), nil,
		func() (Intent, Step) { return ownerIntent("Carol"), Wait }, end{Done, Accepted, "", 2, 2}},
	{"owner who is there by now", []sandbox.Seed{seedDomain, {FailChangeOwner: map[string]sandbox.FailedOrder{fqdn: {ErrorType: "owner:refused"}}}}, ownerIntent("Carol"),
		[]sandbox.Seed{{Domains: []sandbox.SeedDomain{{FQDN: fqdn, Owner: map[string]any{"type": "individual", "given": "Carol", "family": "Roe",
			"streetaddr": "8 rue neuve", "zip": "75001", "city": "Paris", "country": "FR", "phone": "+33.123456788", "email": "carol@example.org"}}}}},
		func() (Intent, Step) { return ownerIntent("Carol"), Wait }, end{Done, Accepted, "", 1, 1}},
	{"transfer that v5 refused", []sandbox.Seed{{Taken: []string{fqdn}}, poor}, transferIntent(rightCode), []sandbox.Seed{rich},
		func() (Intent, Step) { return transferIntent(rightCode), Wait }, end{Done, Accepted, "", 1, 1}},
	{"transfer with a wrong code", []sandbox.Seed{{Taken: []string{fqdn}, TransferCodes: map[string]string{fqdn: rightCode}}}, transferIntent(wrongCode), nil,
		func() (Intent, Step) { return putIntent(rightCode) }, end{Done, Accepted, "", 1, 3}},
	{"transfer with another wrong code", []sandbox.Seed{{Taken: []string{fqdn}, TransferCodes: map[string]string{fqdn: rightCode}}}, transferIntent(wrongCode), nil,
		func() (Intent, Step) { return putIntent("not-it-either") }, end{Error, Accepted, "invalid authinfo", 1, 3}},
	{"transfer whose registry lets it go by now", []sandbox.Seed{{Taken: []string{fqdn}, TransferCodes: map[string]string{fqdn: rightCode}}}, transferIntent(wrongCode),
		[]sandbox.Seed{{TransferCodes: map[string]string{fqdn: wrongCode}}},
		func() (Intent, Step) { return putIntent("") }, end{Done, Accepted, "", 1, 2}},
}

// Each way into ERROR has its way out, which is paid for as the table of kinds
// says.
func TestRelaunch(t *testing.T) {
	for _, c := range relaunches {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, sandbox.Options{StepTime: 3 * time.Second}, func(r *rig) {
				r.e.Start()
				for _, s := range c.seeds {
					r.seed(s)
				}
				op, _ := r.submit(c.in)
				time.Sleep(time.Minute)
				if now := r.get(op.ID); now.Step != Error || now.LastError == "" {
					t.Fatalf("first life ended in %s, %q", now.Step, now.LastError)
				}
				for _, s := range c.heal {
					r.seed(s)
				}
				time.Sleep(48 * time.Hour)
				in, step := c.again()
				got, err := r.relaunch(op.ID, in, step)
				if err != nil || got.ID != op.ID || got.Step != step && got.Step != Done || got.LastError != "" || got.ErrorType != "" {
					t.Errorf("answer %s, %q, %v; want step %s", got.Step, got.LastError, err, step)
				}
				time.Sleep(time.Hour)
				r.check(op.ID, c.want)
				if !r.free() || r.everything() != 1 || strings.Contains(r.raw(op.ID), rightCode) {
					t.Errorf("free %t, %d operations, stored %s", r.free(), r.everything(), r.raw(op.ID))
				}
			})
		})
	}
}

// What sets a transfer going again is sent once, whatever gets lost; v5 may also
// begin again by itself once it has another code.
func TestATransferIsLaunchedOnce(t *testing.T) {
	launch, correct := transferPath, transferPath+"/authinfo"
	lose := func(path, kind string) func(*rig) {
		return func(r *rig) { r.wire.fail(trouble{kind: kind, method: "PUT", path: path, times: 1}) }
	}
	for _, c := range []struct {
		name     string
		code     string
		prepare  func(*rig)
		want     end
		launches int // that left
	}{
		{"without a code, the answer is lost", "", lose(launch, "lose-after"), end{Done, Accepted, "", 1, 2}, 1},
		{"without a code, the request is lost", "", lose(launch, "lose-before"), end{Support, Unknown, "nobody knows", 1, 1}, 1},
		{"without a code, v5 is refused for a while", "", lose(launch, "refuse"), end{Done, Accepted, "", 1, 2}, 1},
		{"with a code", rightCode, func(*rig) {}, end{Done, Accepted, "", 1, 3}, 1},
		{"with a code, the answer to the launch is lost", rightCode, lose(launch, "lose-after"), end{Done, Accepted, "", 1, 3}, 1},
		{"with a code, the launch is lost", rightCode, lose(launch, "lose-before"), end{Support, Unknown, "nobody knows", 1, 2}, 1},
		{"with a code, the correction is lost", rightCode, lose(correct, "lose-before"), end{Support, Unknown, "nobody knows", 1, 1}, 0},
		{"with a code, the answer to the correction is lost", rightCode, lose(correct, "lose-after"), end{Support, Unknown, "nobody knows", 1, 2}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			transferRig(t, sandbox.Options{}, func(r *rig) {
				op := r.submitted(transferIntent(wrongCode))
				time.Sleep(time.Minute)
				if c.code == "" {
					r.seed(sandbox.Seed{TransferCodes: map[string]string{fqdn: wrongCode}})
				}
				c.prepare(r)
				in, step := putIntent(c.code)
				if _, err := r.relaunch(op.ID, in, step); err != nil {
					t.Error(err)
				}
				time.Sleep(3 * time.Hour)
				r.check(op.ID, c.want)
				launches := 0
				for _, d := range r.wire.departures() {
					if d.method == "PUT" && strings.HasSuffix(d.path, launch) {
						launches++
					}
				}
				if launches != c.launches || r.asks("POST", "/domain/transferin") != 2 { // one was a dry run
					t.Errorf("launched %d times, want %d; %d orders", launches, c.launches, r.asks("POST", "/domain/transferin"))
				}
			})
		})
	}
}

// v5 has time to begin again by itself once it has another code, and is read
// before the launch.
func TestALaunchIsNotBlind(t *testing.T) {
	transferRig(t, sandbox.Options{}, func(r *rig) { // v5 cannot be read for a while
		op := r.submitted(transferIntent(wrongCode))
		time.Sleep(time.Minute)
		r.once("intended", func() { r.wire.fail(trouble{kind: "html", method: "GET", path: transferPath}) })
		in, step := putIntent(rightCode)
		if _, err := r.relaunch(op.ID, in, step); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if n := r.asks("PUT", transferPath); n != 0 {
			t.Errorf("launched blindly, %d times", n)
		}
		r.wire.heal()
		time.Sleep(time.Hour)
		if now := r.get(op.ID); now.Step != Done || len(r.sim.Ledger()) != 1 || r.asks("PUT", transferPath) != 1 {
			t.Errorf("%s, %d launches", now.Step, r.asks("PUT", transferPath))
		}
	})
	transferRig(t, sandbox.Options{}, func(r *rig) { // v5 begins again by itself
		op := r.submitted(transferIntent(wrongCode))
		time.Sleep(time.Minute)
		in, step := putIntent(rightCode)
		r.on("sent", func() { t.Error("sent before v5 had its time") })
		if got, err := r.relaunch(op.ID, in, step); err != nil || got.Step != Run {
			t.Errorf("answer %s, %v", got.Step, err)
		}
		r.elsewhere("PUT", transferPath, "{}")
		r.on("sent", nil)
		time.Sleep(time.Hour)
		r.check(op.ID, end{Done, Accepted, "", 1, 3})
		if n := r.asks("PUT", transferPath); n != 1 {
			t.Errorf("launched %d times", n)
		}
	})
}

// A process that ends while v5 has its time to begin again launches later.
func TestARelaunchSurvivesItsProcess(t *testing.T) {
	transferRig(t, sandbox.Options{}, func(r *rig) {
		op := r.submitted(transferIntent(wrongCode))
		time.Sleep(time.Minute)
		in, step := putIntent(rightCode)
		if _, err := r.relaunch(op.ID, in, step); err != nil {
			t.Error(err)
		}
		r.restart() // six seconds early
		if now := r.get(op.ID); now.State != Intended || now.Step != Run {
			t.Errorf("left as %s, %s", now.Step, now.State)
		}
		r.e.Start()
		time.Sleep(time.Hour)
		r.check(op.ID, end{Done, Accepted, "", 1, 4})
		if n := r.asks("PUT", transferPath); n != 1 {
			t.Errorf("launched %d times", n)
		}
	})
}

// An operation of long ago that is relaunched has its own time in which a busy v5
// may take it.
func TestARelaunchIsTriedForAWhile(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.seed(sandbox.Seed{Balance: "0.00"})
		op, _ := r.submit(createIntent(fqdn))
		r.seed(sandbox.Seed{Balance: "1000.00"})
		time.Sleep(24 * time.Hour)
		r.once("intended", func() { r.sim.SetChaos(sandbox.Chaos{Reject429: 1}) })
		if _, err := r.relaunch(op.ID, createIntent(fqdn), Wait); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if now := r.get(op.ID); now.Step != Wait || now.LastError != "" {
			t.Errorf("after a minute of 429: %s, %q", now.Step, now.LastError)
		}
		r.sim.SetChaos(sandbox.Chaos{})
		time.Sleep(10 * time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
	})
}

// A name that something else holds by now is not taken from it.
func TestRelaunchRespectsTheGuard(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: time.Minute}, func(r *rig) {
		r.e.Start()
		r.seed(sandbox.Seed{Balance: "0.00"})
		first, _ := r.submit(createIntent(fqdn))
		r.seed(sandbox.Seed{Balance: "1000.00"})
		second := r.submitted(createIntent(fqdn))
		if first.Step != Error || second.ID == first.ID {
			t.Fatalf("first %s, second %d", first.Step, second.ID)
		}
		_, err := r.relaunch(first.ID, createIntent(fqdn), Wait)
		var busy *BusyError
		if !errors.As(err, &busy) || busy.ID != second.ID {
			t.Errorf("while another is open: %v", err)
		}
		time.Sleep(10 * time.Minute)
		r.check(second.ID, end{Done, Accepted, "", 1, 1})
		if _, err := r.relaunch(first.ID, createIntent(fqdn), Wait); !errors.As(err, new(*ErrExists)) {
			t.Errorf("when another is done: %v", err)
		}
		if now := r.get(first.ID); now.Step != Error || now.LastError == "" {
			t.Errorf("the first is %s, %q", now.Step, now.LastError)
		}
		foreign := createIntent(fqdn)
		foreign.Tenant = tenantB
		if _, err := r.relaunch(first.ID, foreign, Wait); !errors.Is(err, ErrForeign) {
			t.Errorf("by another tenant: %v", err)
		}
	})
}

func TestRelaunchesAtOnceAreOne(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		r.e.Start()
		r.seed(sandbox.Seed{Balance: "0.00"})
		op, _ := r.submit(createIntent(fqdn))
		r.seed(sandbox.Seed{Balance: "1000.00"})
		r.sim.SetChaos(sandbox.Chaos{Latency: 20 * time.Millisecond})
		var all sync.WaitGroup
		var mu sync.Mutex
		worked := 0
		for i := range 30 {
			all.Go(func() {
				var err error
				if i%3 == 0 {
					_, err = r.submit(createIntent(fqdn)) // competes for the name
				} else if _, err = r.relaunch(op.ID, createIntent(fqdn), Wait); err == nil {
					mu.Lock()
					worked++
					mu.Unlock()
				}
				if err != nil && !errors.Is(err, ErrStep) && !errors.As(err, new(*BusyError)) && !errors.As(err, new(*ErrExists)) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		time.Sleep(time.Minute)
		if n := len(r.sim.Ledger()); n != 1 || r.departed() != 1 || worked > 1 {
			t.Errorf("%d charges, %d left, %d relaunched", n, r.departed(), worked)
		}
	})
}

// Only ERROR can be relaunched. DONE and CANCEL never change.
func TestRelaunchNeedsAnError(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: time.Minute}, func(r *rig) {
		r.e.Start()
		op := r.submitted(createIntent(fqdn))
		refuse := func(when string) {
			t.Helper()
			before := r.raw(op.ID)
			requests := r.all()
			if _, err := r.relaunch(op.ID, createIntent(fqdn), Wait); !errors.Is(err, ErrStep) {
				t.Errorf("%s: relaunch: %v", when, err)
			}
			if _, err := r.e.Reconsider(context.Background(), tenantA, op.ID); !errors.Is(err, ErrStep) {
				t.Errorf("%s: reconsider: %v", when, err)
			}
			if _, err := r.e.Resolve(op.ID, true); !errors.Is(err, ErrStep) {
				t.Errorf("%s: resolve: %v", when, err)
			}
			if err := r.e.Cancel(tenantA, op.ID); !errors.Is(err, ErrStep) {
				t.Errorf("%s: cancel: %v", when, err)
			}
			if r.raw(op.ID) != before || r.all() != requests {
				t.Errorf("%s: it changed", when)
			}
		}
		refuse("BILL")
		time.Sleep(10 * time.Minute)
		r.check(op.ID, end{Done, Accepted, "", 1, 1})
		refuse("DONE")
		r.once("intended", func() { r.wire.fail(trouble{kind: "refuse", method: "POST"}) })
		op = r.submitted(createIntent("other.com"))
		r.must(r.e.Cancel(tenantA, op.ID))
		refuse("CANCEL")
		if _, err := r.relaunch(42, createIntent(fqdn), Wait); !errors.Is(err, ErrUnknown) {
			t.Errorf("none: %v", err)
		}
	})
	bubble(t, sandbox.Options{}, func(r *rig) { // v5's own SUPPORT: its people have it
		r.e.Start()
		r.seed(sandbox.Seed{FailCreate: map[string]sandbox.FailedOrder{fqdn: {Step: "SUPPORT", ErrorType: "registry:odd"}}})
		op := r.submitted(createIntent(fqdn))
		time.Sleep(time.Minute)
		if _, err := r.relaunch(op.ID, createIntent(fqdn), Wait); !errors.Is(err, ErrStep) {
			t.Errorf("v5's SUPPORT: %v", err)
		}
		r.check(op.ID, end{Support, Accepted, "registry:odd", 1, 1})
	})
}
