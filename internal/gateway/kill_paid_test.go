package gateway

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

// renewedFrom is when the domain ends that a child renews.
var renewedFrom = time.Now().UTC().AddDate(0, 6, 0).Truncate(time.Second)

// killSeeds are what v5 has before a method is called.
var killSeeds = map[string]sandbox.Seed{
	"domain.owner.set":          {Domains: []sandbox.SeedDomain{{FQDN: killed}}},
	"domain.renew":              {Domains: []sandbox.SeedDomain{{FQDN: killed, RegistryEndsAt: renewedFrom}}},
	"domain.restore":            {Domains: []sandbox.SeedDomain{{FQDN: killed, RegistryEndsAt: time.Now().AddDate(0, 0, -52)}}},
	"contact.update":            crowdSeed(),
	"domain.transferin.proceed": {Taken: []string{killed}, TransferCodes: map[string]string{killed: "sesame"}},
}

// What can be found out by reading ends DONE and is paid for once. A renewal and
// a restoration are never sent twice: where the request, or a Dry-Run that may
// have been one, was on its way and nothing shows, people are asked.
func TestKillOfWhatIsPaid(t *testing.T) {
	if testing.Short() {
		t.Skip("an hour of the gateway's clock takes seconds; run without -short")
	}
	for _, c := range []struct {
		method, point string
		networks      string // normal, lost (the answer), ignored (the Dry-Run)
		step          string
		charges       int
	}{
		{"domain.renew", "intended", "normal lost ignored", "DONE", 1},
		{"domain.renew", "dry-run", "normal lost", "SUPPORT", 0},
		{"domain.renew", "dry-run", "ignored", "DONE", 1},
		{"domain.renew", "sending", "normal lost", "SUPPORT", 0},
		{"domain.renew", "sent", "normal lost", "DONE", 1},
		{"domain.renew", "outcome", "normal lost ignored", "DONE", 1},

		{"domain.restore", "intended", "normal lost", "DONE", 1},
		{"domain.restore", "sending", "normal lost", "SUPPORT", 0},
		{"domain.restore", "sent", "normal lost", "DONE", 1},
		{"domain.restore", "outcome", "normal lost", "DONE", 1},

		{"domain.transferin.proceed", "intended", "normal lost ignored", "DONE", 1},
		{"domain.transferin.proceed", "dry-run", "normal lost ignored", "DONE", 1},
		{"domain.transferin.proceed", "sending", "normal lost", "DONE", 1},
		{"domain.transferin.proceed", "sent", "normal lost", "DONE", 1},
		{"domain.transferin.proceed", "outcome", "normal lost ignored", "DONE", 1},
	} {
		for _, network := range strings.Fields(c.networks) {
			t.Run(strings.Join([]string{c.method, c.point, network}, " "), func(t *testing.T) {
				t.Parallel()
				v := newKillV5(t, c.method, map[string]string{"lost": "answer lost", "ignored": "dry run ignored"}[network])
				d := death{Store: filepath.Join(t.TempDir(), "store.db"), V5: v.url, Method: c.method, Point: c.point, Speed: 100}
				if c.step == "SUPPORT" {
					d.Speed = 1000 // that takes an hour
				}
				v.run(t, d, true)
				v.settle(t, d, c.step, c.charges)
			})
		}
	}
}

// settle starts the next process and waits for what becomes of the operation.
// Asked for the same again, it buys nothing.
func (v *killV5) settle(t *testing.T, d death, step string, charges int) {
	t.Helper()
	r := d.gateway(t, nil)
	const id = 1_000_000_000
	var op map[string]any
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if op = r.must(t, "operation.info", keyA, id); op["step"] == step {
			break
		}
	}
	if op["step"] != step || (op["last_error"] == nil) != (step == "DONE") {
		t.Errorf("operation %v, want %s", op, step)
	}
	again, err := r.call(t, d.Method, keyA, killed, d.params(t, r))
	if err == nil && again["id"] != int64(id) {
		t.Errorf("asked again: operation %v", again["id"])
	}
	if err != nil && (d.Method == "domain.renew" || step != "DONE" && d.Method == "domain.restore") {
		t.Errorf("asked again: %v", err)
	}
	if ledger := v.sim.Ledger(); len(ledger) != charges {
		t.Errorf("ledger %v, want %d charges", ledger, charges)
	}
	orders, rehearsals := 0, 0
	for _, q := range v.sim.Requests() {
		switch {
		case q.Method == "POST" && q.DryRun:
			rehearsals++
		case q.Method == "POST":
			orders++
		}
	}
	if orders > 1 || d.Method == "domain.renew" && rehearsals > 1 {
		t.Errorf("%d orders and %d dry runs reached v5", orders, rehearsals)
	}
	if n, err := r.ask(t, "operation.count", keyA); err != nil || n != int64(1) {
		t.Errorf("%v operations, %v", n, err)
	}
}
