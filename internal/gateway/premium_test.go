package gateway

import (
	"testing"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

// A premium name is bought where the account allows it, at the price that v5 shows,
// and nowhere else.
func TestPremiumNamesNeedAConsent(t *testing.T) {
	t.Parallel()
	r := newPaidRig(t, sandbox.Options{}, func(c *config.Config) {
		for i := range c.Tenants {
			c.Tenants[i].BuyPremium = c.Tenants[i].Name == "a"
		}
	})
	r.seed(t, sandbox.Seed{Premium: map[string]string{"gold.com": "500.00", "silver.com": "50.00"}, Balance: "10000.00"})
	them := r.must(t, "contact.create", keyB, person())["handle"]
	params := map[string]any{"owner": them, "admin": them, "bill": them, "tech": them, "duration": 2}
	_, err := r.call(t, "domain.create", keyB, "gold.com", params)
	faults(t, "without a consent", err, 510060, "buy_premium")
	if len(r.orders()) != 0 || len(r.sim.Ledger()) != 0 {
		t.Errorf("sent %v", r.orders())
	}
	if n, err := r.ask(t, "operation.count", keyB); n != int64(0) || err != nil {
		t.Errorf("%v operations, %v", n, err)
	}
	params = r.createParams(t)
	params["duration"] = 2
	op := r.must(t, "domain.create", keyA, "gold.com", params)
	r.becomes(t, op["id"], "DONE")
	ledger := r.sim.Ledger()
	if len(ledger) != 1 || ledger[0].Years != 2 {
		t.Errorf("ledger %v", ledger)
	}
	// A name of the usual price is bought without a word.
	op = r.must(t, "domain.create", keyA, "plain.com", params)
	r.becomes(t, op["id"], "DONE")
}
