package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

// archived are the ids of the lines that were written.
func archived(t *testing.T, out string) (all []int64) {
	t.Helper()
	for _, line := range strings.SplitAfter(out, "\n") {
		if line == "" {
			continue
		}
		var op Operation
		if err := json.Unmarshal([]byte(line), &op); err != nil || !strings.HasSuffix(line, "\n") {
			t.Errorf("line %q: %v", line, err)
		}
		all = append(all, op.ID-1_000_000_000)
	}
	return all
}

// pruneRig has five operations, in DONE, ERROR, CANCEL, SUPPORT and RUN; since
// the cut a day has passed.
func pruneRig(t *testing.T, fn func(r *rig, cut time.Time)) {
	t.Helper()
	bubble(t, sandbox.Options{StepTime: time.Second}, func(r *rig) {
		r.e.Start()
		r.submitted(createIntent("done.com"))
		r.seed(sandbox.Seed{Balance: "0.00"})
		r.submit(createIntent("error.com"))
		r.seed(sandbox.Seed{Balance: "10000.00"})
		r.once("intended", func() { r.wire.fail(trouble{kind: "refuse", method: "POST", times: 1}) })
		r.must(r.e.Cancel(tenantA, r.submitted(createIntent("cancel.com")).ID))
		r.seedEnd(firstEnd)
		r.stuck(renewIntent(1), "lose-before") // 3, in SUPPORT
		r.wire.fail(trouble{kind: "absent", path: "/domains/open.com"})
		r.wire.fail(trouble{kind: "absent", path: "/open.com/createstatus", times: 1})
		r.wire.fail(trouble{kind: "step RUN", path: "/open.com/createstatus"})
		r.submitted(createIntent("open.com")) // 4, in RUN for ever
		time.Sleep(48 * time.Hour)
		cut := time.Now()
		time.Sleep(24 * time.Hour)
		fn(r, cut)
	})
}

func TestPruneTakesWhatEndedLongAgo(t *testing.T) {
	pruneRig(t, func(r *rig, cut time.Time) {
		old := r.get(1_000_000_000)
		young := r.submitted(createIntent("young.com")) // 5
		time.Sleep(time.Minute)
		var out bytes.Buffer
		synced := 0
		n, err := r.e.Prune(cut, &out, func() error { synced++; return nil })
		if err != nil || n != 3 || synced != 1 {
			t.Fatalf("pruned %d, synced %d times, %v", n, synced, err)
		}
		if diff := cmp.Diff([]int64{0, 1, 2}, archived(t, out.String())); diff != "" {
			t.Error(diff)
		}
		var kept Operation
		if err := json.Unmarshal(out.Bytes()[:bytes.IndexByte(out.Bytes(), '\n')], &kept); err != nil || cmp.Diff(old, kept) != "" {
			t.Errorf("%v, archived (-was +is):\n%s", err, cmp.Diff(old, kept))
		}
		want := map[[2]string]int{{"domain_create", "DONE"}: 1, {"domain_create", "RUN"}: 1, {"domain_renew", "SUPPORT"}: 1}
		for range 2 {
			var left []Operation
			r.must(r.e.List(tenantA, false, func(op Operation) error { left = append(left, op); return nil }))
			if got := steps(left...); got != "3:SUPPORT 4:RUN 5:DONE" {
				t.Errorf("left %s", got)
			}
			counts, _ := r.e.Tally()
			maps.DeleteFunc(counts, func(_ [2]string, n int) bool { return n == 0 })
			if diff := cmp.Diff(want, counts); diff != "" {
				t.Errorf("tally %s", diff)
			}
			r.restart()
			r.e.Start()
		}
		if _, err := r.e.Get(tenantA, 1_000_000_000); !errors.Is(err, ErrUnknown) {
			t.Errorf("the archived one: %v", err)
		}
		if n, err := r.e.Prune(cut, &out, func() error { return nil }); n != 0 || err != nil {
			t.Errorf("again: %d, %v", n, err)
		}
		if next := r.submitted(createIntent("next.com")); next.ID <= young.ID {
			t.Errorf("an id is given out again: %d", next.ID)
		}
	})
}

// Whatever goes wrong with the archive, what it does not hold stays.
func TestAFailingArchiveLeavesEverything(t *testing.T) {
	full := errors.New("no space left on device")
	pruneRig(t, func(r *rig, cut time.Time) {
		before, _ := r.e.Tally()
		for name, c := range map[string]struct {
			out    io.Writer
			synced func() error
		}{
			"nothing can be written": {writer(func([]byte) (int, error) { return 0, full }), func() error { return nil }},
			"half a line is written": {writer(func(p []byte) (int, error) { return len(p) / 2, full }), func() error { return nil }},
			"it cannot be synced":    {io.Discard, func() error { return full }},
			"the process is killed":  {io.Discard, func() error { r.db.Close(); return nil }},
		} {
			if n, err := r.e.Prune(cut, c.out, c.synced); n != 0 || err == nil {
				t.Errorf("%s: pruned %d, %v", name, n, err)
			}
			if name == "the process is killed" {
				r.restart()
				r.e.Start()
			}
			after, _ := r.e.Tally()
			maps.DeleteFunc(after, func(_ [2]string, n int) bool { return n == 0 })
			maps.DeleteFunc(before, func(_ [2]string, n int) bool { return n == 0 })
			if n := r.everything(); n != 5 || cmp.Diff(before, after) != "" {
				t.Errorf("%s: %d left, tally %v", name, n, after)
			}
		}
		var out bytes.Buffer
		if n, err := r.e.Prune(cut, &out, func() error { return nil }); n != 3 || err != nil || len(archived(t, out.String())) != 3 {
			t.Errorf("in the end: %d, %v", n, err)
		}
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// An operation that is relaunched while it is being archived is at work again
// and stays.
func TestPruneLeavesWhatIsRelaunchedMeanwhile(t *testing.T) {
	pruneRig(t, func(r *rig, cut time.Time) {
		in := createIntent("error.com")
		n, err := r.e.Prune(cut, io.Discard, func() error {
			_, err := r.relaunch(1_000_000_001, in, Wait)
			return err
		})
		if n != 2 || err != nil {
			t.Errorf("pruned %d, %v", n, err)
		}
		if now := r.get(1_000_000_001); now.Step.AtEnd() {
			t.Errorf("the relaunched one is %s", now.Step)
		}
		time.Sleep(time.Minute)
		if now := r.get(1_000_000_001); now.Step != Done {
			t.Errorf("and ends in %s, %q", now.Step, now.LastError)
		}
	})
}

// Many are taken in several commits, each after its own lines.
func TestPruneInBatches(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		const many = 2*pruneBatch + 7
		r.must(r.db.Update(func(tx *store.Tx) error {
			for i := range int64(many) {
				op := Operation{ID: 1 + i, Tenant: tenantA, Type: "domain_create", Kind: KindCreate, Step: Done, State: Accepted,
					FQDN: fmt.Sprintf("old%d.com", i), Created: time.Now(), Updated: time.Now()}
				if err := put(tx, &op, true); err != nil {
					return err
				}
			}
			return nil
		}))
		r.restart()
		time.Sleep(time.Hour)
		lines, synced := 0, 0
		out := writer(func(p []byte) (int, error) { lines += bytes.Count(p, []byte("\n")); return len(p), nil })
		n, err := r.e.Prune(time.Now(), out, func() error {
			if synced++; r.everything() != many-lines+min(pruneBatch, lines-(synced-1)*pruneBatch) {
				t.Errorf("%d left at line %d", r.everything(), lines)
			}
			return nil
		})
		if n != many || lines != many || synced != 3 || err != nil || r.everything() != 0 {
			t.Errorf("pruned %d in %d batches with %d lines, %v", n, synced, lines, err)
		}
	})
}

// Operators see the operations of all tenants, the newest first.
func TestEverywhere(t *testing.T) {
	listRig(t, func(r *rig) {
		var found []Operation
		r.must(r.e.Everywhere(func(op Operation) error {
			if found = append(found, op); len(found) == 3 {
				return store.Stop
			}
			return nil
		}))
		if got := steps(found...); got != "4:BILL 3:RUN 2:BILL" {
			t.Errorf("found %s", got)
		}
	})
}
