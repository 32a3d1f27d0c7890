package gateway

import (
	"fmt"
	"path/filepath"
	"testing"
)

// withSequel is what a child is told that registers a name with a zone and a
// redirection, and is killed while these follow.
const withSequel = "domain.create with a sequel"

// A process killed with SIGKILL between any two steps of what follows a purchase
// leaves a store from which the next one does the rest: the domain is bought once,
// and has its zone and its redirection.
func TestKillDuringASequel(t *testing.T) {
	for _, c := range []struct {
		point string
		nth   int
	}{{"item", 1}, {"item-sent", 1}, {"item-sent", 2}, {"list-end", 1}} {
		t.Run(fmt.Sprint(c.point, c.nth), func(t *testing.T) {
			t.Parallel()
			v := newKillV5(t, "domain.create", "")
			d := death{Store: filepath.Join(t.TempDir(), "store.db"), V5: v.url, Method: withSequel, Point: c.point, Nth: c.nth, Speed: 1}
			v.run(t, d, true)
			r := d.gateway(t, nil)
			all, err := r.ask(t, "operation.list", keyA)
			if err != nil || len(all.([]any)) != 1 {
				t.Fatalf("operations %v, %v", all, err)
			}
			op := r.becomesSlowly(t, all.([]any)[0].(map[string]any)["id"], "DONE")
			params := op["params"].(map[string]any)
			info := r.must(t, "domain.info", keyA, killed)
			if owner := info["contacts"].(map[string]any)["owner"].(map[string]any)["handle"]; owner != params["owner"] || info["zone_id"] != params["zone_id"] {
				t.Errorf("owner %v, zone %v", owner, info["zone_id"])
			}
			if got := fmt.Sprint(v.sim.Records(killed)); got != "[www 10800 A 192.0.2.1]" {
				t.Errorf("records %s", got)
			}
			if redirs, err := r.ask(t, "domain.webredir.list", keyA, killed); err != nil || len(redirs.([]any)) != 1 {
				t.Errorf("redirections %v, %v", redirs, err)
			}
			orders := 0
			for _, q := range v.sim.Requests() {
				if q.Method == "POST" && !q.DryRun && q.Path == "/v5/domain/domains" {
					orders++
				}
			}
			if ledger := v.sim.Ledger(); len(ledger) != 1 || orders != 1 {
				t.Errorf("ledger %v, %d orders", ledger, orders)
			}
		})
	}
}
