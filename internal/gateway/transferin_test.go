package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

const (
	moving    = "moving.net"
	rightCode = "sesame-open-7731"
	wrongCode = "abracadabra-4242"
)

// transferRig has a name at another registrar.
func transferRig(t *testing.T, step time.Duration, change func(*config.Config)) *paidRig {
	t.Helper()
	r := newPaidRig(t, sandbox.Options{StepTime: step}, change)
	r.seed(t, sandbox.Seed{Taken: []string{moving}, TransferCodes: map[string]string{moving: rightCode}})
	return r
}

// transferParams are those of a transfer, for a new contact of the first tenant.
func (r *rig) transferParams(t *testing.T, code string) map[string]any {
	t.Helper()
	handle := r.must(t, "contact.create", keyA, person())["handle"]
	return map[string]any{"owner": handle, "admin": handle, "bill": handle, "tech": handle, "authinfo": code}
}

// The transfer code is seen by v5 alone.
func TestTheTransferCodeIsNowhere(t *testing.T) {
	t.Parallel()
	for code, step := range map[string]string{rightCode: "DONE", wrongCode: "ERROR"} {
		r := transferRig(t, time.Millisecond, func(c *config.Config) { c.PaidWait = 200 * time.Millisecond })
		params := r.transferParams(t, code)
		answers := fmt.Sprint(r.must(t, "domain.transferin.proceed", keyA, moving, params))
		answers += fmt.Sprint(r.becomes(t, 1000000000, step))
		if step == "ERROR" {
			_, err := r.ask(t, "operation.relaunch", keyA, 1000000000, map[string]any{"authinfo": "another-wrong-one"})
			answers += fmt.Sprint(err)
		}
		list, err := r.ask(t, "operation.list", keyA)
		answers += fmt.Sprint(list, err)
		// v5 repeats in its refusal what it was sent.
		_, err = r.ask(t, "domain.transferin.available", keyA, "unknown.net", code)
		answers += fmt.Sprint(err)
		c, err := OpenControl(r.store)
		if err != nil {
			t.Fatal(err)
		}
		view, err := c.Show(1000000000)
		answers += fmt.Sprintf("%+v %s %v", view, view.Params, err)
		r.mu.Lock()
		seen := fmt.Sprintf("%+v", r.exchanges)
		r.mu.Unlock()
		metrics := get(t, "http://"+r.AdminAddr()+"/metrics")
		cut, cancel := context.WithCancel(context.Background())
		cancel() // the relaunch gives v5 ten seconds
		r.Stop(cut)
		r.Gateway = nil
		raw, err := os.ReadFile(r.store)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{code, "another-wrong-one"} {
			for where, text := range map[string]string{"answers": answers, "observers": seen, "log": r.log.String(), "metrics": metrics} {
				if strings.Contains(text, secret) {
					t.Errorf("%s hold the code", where)
				}
			}
		}
		if op := bytes.Index(raw, []byte(`"Type":"domain_transfer_in"`)); op < 0 {
			t.Error("the operation is not in the store")
		}
	}
}

// A purchase that v5 began is never ordered again by a relaunch, however often
// that is refused.
func TestARelaunchOfATransferNeverOrdersAgain(t *testing.T) {
	t.Parallel()
	r := transferRig(t, time.Millisecond, nil)
	op := r.must(t, "domain.transferin.proceed", keyA, moving, r.transferParams(t, wrongCode))
	r.becomes(t, op["id"], "ERROR")
	refusing := true
	r.before(func(w http.ResponseWriter, q *http.Request) {
		if refusing && q.Method == "PUT" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"code":400,"object":"OBJECT_DOMAIN","cause":"CAUSE_STATE","message":"not now"}`)
			return
		}
		r.sim.Handler().ServeHTTP(w, q)
	})
	for _, params := range []map[string]any{{}, {"authinfo": rightCode}, {}} {
		_, err := r.ask(t, "operation.relaunch", keyA, op["id"], params)
		faults(t, "refused", err, 510060, "not now")
		if got := r.must(t, "operation.info", keyA, op["id"]); got["step"] != "ERROR" || got["last_error"] != "not now" {
			t.Errorf("operation %v", got)
		}
	}
	refusing = false
	r.seed(t, sandbox.Seed{TransferCodes: map[string]string{moving: wrongCode}}) // the registry is reasonable by now
	if yes, err := r.ask(t, "operation.relaunch", keyA, op["id"]); err != nil || yes != true {
		t.Fatalf("%v, %v", yes, err)
	}
	r.becomes(t, op["id"], "DONE")
	if got := strings.Join(r.orders(), "; "); got != "POST /domain/transferin; PUT /domain/transferin/"+moving || len(r.sim.Ledger()) != 1 {
		t.Errorf("sent %s, ledger %v", got, r.sim.Ledger())
	}
	_, err := r.ask(t, "operation.relaunch", keyA, op["id"])
	faults(t, "DONE", err, 510290, "")
}

// A transfer that v5 refused is ordered anew; the gateway has forgotten its code
// and does not send it without one.
func TestARelaunchOfARefusedTransferNeedsItsCode(t *testing.T) {
	t.Parallel()
	r := transferRig(t, time.Millisecond, nil)
	r.seed(t, sandbox.Seed{Balance: "0.00"})
	_, err := r.call(t, "domain.transferin.proceed", keyA, moving, r.transferParams(t, rightCode))
	faults(t, "refused", err, 501637, "not enough money")
	r.seed(t, sandbox.Seed{Balance: "1000.00"})
	for _, params := range []map[string]any{{}, {"authinfo": ""}, {"duration": 1}} {
		_, err := r.ask(t, "operation.relaunch", keyA, 1000000000, params)
		faults(t, fmt.Sprint(params), err, 501532, "authinfo")
	}
	if len(r.orders()) != 0 {
		t.Errorf("sent %v", r.orders())
	}
	if _, err := r.ask(t, "operation.relaunch", keyA, 1000000000, map[string]any{"authinfo": rightCode}); err != nil {
		t.Fatal(err)
	}
	r.becomes(t, 1000000000, "DONE")
	if n := len(r.sim.Ledger()); n != 1 || len(r.orders()) != 1 {
		t.Errorf("%d charges, sent %v", n, r.orders())
	}
}

// Another code makes another call, which waits for the first one's end.
func TestAnotherTransferCodeIsBusy(t *testing.T) {
	t.Parallel()
	r := transferRig(t, time.Hour, nil)
	params := r.transferParams(t, rightCode)
	op := r.must(t, "domain.transferin.proceed", keyA, moving, params)
	if same := r.must(t, "domain.transferin.proceed", keyA, moving, params); same["id"] != op["id"] {
		t.Errorf("the same call: operation %v", same["id"])
	}
	for _, code := range []any{wrongCode, ""} {
		params["authinfo"] = code
		_, err := r.call(t, "domain.transferin.proceed", keyA, moving, params)
		faults(t, fmt.Sprintf("code %q", code), err, 510068, "operation 1000000000")
	}
	_, err := r.ask(t, "operation.relaunch", keyA, op["id"])
	faults(t, "relaunched while it is at work", err, 510290, "")
	_, err = r.ask(t, "operation.cancel", keyA, op["id"])
	faults(t, "cancelled after v5 took it", err, 510290, "")
	if len(r.orders()) != 1 {
		t.Errorf("sent %v", r.orders())
	}
}

// An account that may not spend cannot do so by a relaunch.
func TestARelaunchWithoutSpending(t *testing.T) {
	t.Parallel()
	r := newPaidRig(t, sandbox.Options{}, nil)
	handle := r.must(t, "contact.create", keyA, person())["handle"]
	params := map[string]any{"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1}
	r.seed(t, sandbox.Seed{Balance: "0.00"})
	r.call(t, "domain.create", keyA, "thrift.net", params)
	r.seed(t, sandbox.Seed{Balance: "1000.00"})
	tenant, _ := r.tenants.Load().Named("a")
	tenant.Mode = "no_spend"
	_, err := r.ask(t, "operation.relaunch", keyA, 1000000000)
	faults(t, "no_spend", err, 501654, "may not spend")
	if len(r.orders()) != 0 || len(r.sim.Ledger()) != 0 {
		t.Errorf("sent %v", r.orders())
	}
	tenant.Mode = "normal"
	if _, err := r.ask(t, "operation.relaunch", keyA, 1000000000); err != nil {
		t.Error(err)
	}
	r.becomes(t, 1000000000, "DONE")
}

// While a restoration is at work v5 says that nothing can be restored; the same
// call is answered with it all the same.
func TestARestorationThatIsAtWork(t *testing.T) {
	t.Parallel()
	r := newPaidRig(t, sandbox.Options{StepTime: 300 * time.Millisecond}, nil)
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "lost.net", RegistryEndsAt: time.Now().AddDate(0, 0, -52)}}})
	params := map[string]any{"duration": 1}
	op := r.must(t, "domain.restore", keyA, "lost.net", params)
	if same, err := r.call(t, "domain.restore", keyA, "lost.net", params); err != nil || same["id"] != op["id"] {
		t.Errorf("again: operation %v, %v", same["id"], err)
	}
	r.becomes(t, op["id"], "DONE")
	_, err := r.call(t, "domain.restore", keyA, "lost.net", params)
	faults(t, "once it is done", err, 510060, "not in a state to be restored")
	if n := len(r.sim.Ledger()); n != 1 || len(r.orders()) != 1 {
		t.Errorf("%d charges, sent %v", n, r.orders())
	}
}

// A dry run that v5 takes for the call is told of, and followed.
func TestADryRunThatBuys(t *testing.T) {
	t.Parallel()
	r := newPaidRig(t, sandbox.Options{IgnoreDryRun: true}, nil)
	r.seed(t, sandbox.Seed{Taken: []string{moving}, TransferCodes: map[string]string{moving: rightCode}})
	params := r.transferParams(t, rightCode)
	params["--dry-run"] = true
	_, err := r.ask(t, "domain.transferin.proceed", keyA, moving, params)
	faults(t, "taken", err, 510268, "operation 1000000000")
	r.becomes(t, 1000000000, "DONE")
	if n := len(r.sim.Ledger()); n != 1 || len(r.orders()) != 0 {
		t.Errorf("%d charges, sent %v", n, r.orders())
	}
	if !strings.Contains(get(t, "http://"+r.AdminAddr()+"/metrics"), `gateway_v5_dry_run_ignored_total{type="domain_transfer_in"} 1`) {
		t.Error("it is not counted")
	}
}
