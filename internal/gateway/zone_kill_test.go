package gateway

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

// zoneChildEnv tells a run of this test binary that it is to die in a push, and
// where.
const zoneChildEnv = "V3GATE_TEST_ZONE_KILL_CHILD"

// zoneDeath is what a child is told: to set version 2, and to kill itself when
// it comes to a point for the nth time.
type zoneDeath struct {
	death
	Zone int64
	Nth  int64
}

// A process killed with SIGKILL in the middle of a push to 50 domains leaves a
// store from which the next one brings all of them to the version.
func TestKillDuringAPush(t *testing.T) {
	for _, c := range []struct {
		point string
		nth   int64
	}{{"intended", 1}, {"list", 1}, {"item", 1}, {"item-sent", 20}, {"item-outcome", 20}, {"list-end", 1}} {
		t.Run(fmt.Sprint(c.point, c.nth), func(t *testing.T) {
			t.Parallel()
			d := zoneDeath{death: death{Store: filepath.Join(t.TempDir(), "store.db"), Point: c.point, Speed: 1}, Nth: c.nth}
			sim := sandbox.New(sandbox.Options{StepTime: time.Millisecond})
			server := httptest.NewServer(sim.Handler())
			t.Cleanup(server.Close)
			d.V5 = server.URL + "/v5"
			names := d.link(t, sim)
			d.dies(t)
			r := d.gateway(t, nil)
			zone := d.awaited(t, r)
			if zone["version"] != int64(2) {
				t.Errorf("the zone is at %v", zone["version"])
			}
			for _, name := range names {
				if got := fmt.Sprint(sim.Records(name)); got != "[mail 10800 A 192.0.2.2 www 10800 A 192.0.2.1]" {
					t.Errorf("%s has %s", name, got)
				}
			}
			if versions := zone["versions"].([]any); len(versions) != 2 {
				t.Errorf("versions %v: its own writes were taken for somebody else's", versions)
			}
		})
	}
}

// link makes 50 domains of a zone with two versions, of which the first is
// active.
func (d *zoneDeath) link(t *testing.T, sim *sandbox.Sandbox) (names []string) {
	t.Helper()
	var s sandbox.Seed
	for i := range 50 {
		names = append(names, fmt.Sprintf("d%02d.com", i))
		s.Domains = append(s.Domains, sandbox.SeedDomain{FQDN: names[i]})
	}
	if err := sim.Seed(s); err != nil {
		t.Fatal(err)
	}
	r := d.gateway(t, nil)
	defer r.stop()
	d.Zone = r.must(t, "domain.zone.create", keyA, map[string]any{"name": "shared"})["id"].(int64)
	r.must(t, "domain.zone.record.add", keyA, d.Zone, 1, map[string]any{"name": "www", "type": "A", "value": "192.0.2.1"})
	for _, name := range names {
		r.must(t, "domain.zone.set", keyA, name, d.Zone)
	}
	if n, err := r.ask(t, "domain.zone.version.new", keyA, d.Zone); n != int64(2) || err != nil {
		t.Fatal(n, err)
	}
	r.must(t, "domain.zone.record.add", keyA, d.Zone, 2, map[string]any{"name": "mail", "type": "A", "value": "192.0.2.2"})
	return names
}

// dies lets a child set the version and wants it killed.
func (d *zoneDeath) dies(t *testing.T) {
	t.Helper()
	order, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestZoneKillChild$", "-test.timeout=60s")
	child.Env = append(os.Environ(), zoneChildEnv+"="+string(order))
	said, err := child.CombinedOutput()
	status := child.ProcessState.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v; it said: %s", err, said)
	}
}

// TestZoneKillChild is the child's half and does nothing by itself.
func TestZoneKillChild(t *testing.T) {
	var d zoneDeath
	if order := os.Getenv(zoneChildEnv); order == "" {
		return
	} else if err := json.Unmarshal([]byte(order), &d); err != nil {
		t.Fatal(err)
	}
	var times atomic.Int64
	r := d.gateway(t, func(point string) {
		if point == d.Point && times.Add(1) == d.Nth {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // it takes a moment, in which nothing may happen
		}
	})
	r.ask(t, "domain.zone.version.set", keyA, d.Zone, 2)
	time.Sleep(10 * time.Second) // the end of the list comes behind the answer
}

// awaited waits until no operation is open, and gives the zone.
func (d *zoneDeath) awaited(t *testing.T, r *rig) map[string]any {
	t.Helper()
	open := []any{"WAIT", "RUN"}
	for deadline := time.Now().Add(50 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if n, err := r.ask(t, "operation.count", keyA, map[string]any{"step": open}); n == int64(0) && err == nil {
			break
		}
	}
	all, err := r.ask(t, "operation.list", keyA, map[string]any{"step": "DONE", "items_per_page": 1000})
	if err != nil {
		t.Fatal(err)
	}
	sets := slices.DeleteFunc(all.([]any), func(op any) bool {
		return !strings.Contains(fmt.Sprint(op.(map[string]any)["params"]), "version_id:2")
	})
	if len(sets) != 1 {
		t.Errorf("%d operations that set the version are DONE", len(sets))
	}
	return r.must(t, "domain.zone.info", keyA, d.Zone)
}
