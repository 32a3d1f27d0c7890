package gateway

import (
	"fmt"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

// On a v5 that fails, and whose answers get lost, zones end on all their domains
// all the same, by versions and by changes in place.
func TestZonesOnAFlakyV5(t *testing.T) {
	t.Parallel()
	r := newZoneRig(t, 4, func(c *config.Config) { c.ZoneWait = 50 * time.Millisecond })
	r.sim.SetChaos(sandbox.Chaos{ErrorRate: 0.15, DropAfterWork: 0.15, Reject429: 0.05})
	taken := 0
	for i := range 12 {
		n, err := r.ask(t, "domain.zone.version.new", keyA, r.zone)
		if err != nil {
			t.Fatal(err)
		}
		r.record(t, n, fmt.Sprint("v", i), "A", "192.0.2.2")
		// A call that cannot read a domain changes nothing, and says so.
		if _, err := r.ask(t, "domain.zone.version.set", keyA, r.zone, n); err == nil {
			taken++
		}
		if _, err := r.ask(t, "domain.zone.record.add", keyA, r.zone, 0, map[string]any{"name": fmt.Sprint("p", i), "type": "A", "value": "192.0.2.3"}); err == nil {
			taken++
		}
	}
	r.sim.SetChaos(sandbox.Chaos{})
	for deadline := time.Now().Add(50 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if open := r.do(t, "operation.count", map[string]any{"step": []any{"WAIT", "RUN"}}); open == int64(0) {
			break
		}
	}
	if failed := r.do(t, "operation.count", map[string]any{"step": "ERROR"}); failed != int64(0) || taken == 0 {
		t.Errorf("%v operations in ERROR; %d calls were taken", failed, taken)
	}
	r.agrees(t)
}
