package usage

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"v3gate/internal/store"
)

var now = time.Date(2026, 3, 10, 12, 30, 15, 5000, time.UTC)

type rig struct {
	*Counter
	t    *testing.T
	at   time.Time
	fail error // of each commit
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, at: now}
	db, err := store.Open(filepath.Join(t.TempDir(), "store.db"), time.Second, store.RunTwice(), store.BeforeCommit(func() error { return r.fail }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r.Counter = New(db, func() time.Time { return r.at })
	return r
}

func (r *rig) flush() {
	r.t.Helper()
	if err := r.Flush(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) report(tenant string) Report {
	r.t.Helper()
	report, err := Read(r.db, now.AddDate(0, 0, -5), r.at, tenant)
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

func TestCallsAreCountedByDayTenantCallerAndMethod(t *testing.T) {
	r := newRig(t)
	python := Call{Tenant: "a", Key: "12345678", Agent: "python/1", Remote: "192.0.2.1", Method: "domain.info"}
	r.Call(python)
	r.flush()
	python.Fault, python.Ignored = 510042, []string{"period"}
	r.Call(python)
	r.Call(Call{Tenant: "b", Method: "domain.info"})
	r.flush()
	r.flush()
	r.at = now.AddDate(0, 0, 1)
	r.Call(python)
	r.flush()
	report := r.report("")
	r.Call(Call{Tenant: "b", Method: "domain.info"}) // not written down yet
	if of, err := r.Read(now, "b"); err != nil || len(of.Lines) != 1 || of.Lines[0].Calls != 2 || of.Days[1].Calls != 1 {
		t.Errorf("%+v, %v", of, err)
	}
	if of, err := r.Read(now, "a"); err != nil || len(of.Lines) != 1 {
		t.Errorf("%+v, %v", of, err)
	}
	if len(report.Lines) != 2 || len(report.Days) != 7 {
		t.Fatalf("%+v", report)
	}
	l := report.Lines[0]
	if l.Tenant != "a" || l.Caller != (Caller{Key: "12345678", Agent: "python/1", Remote: "192.0.2.1"}) || l.Method != "domain.info" || l.Calls != 3 ||
		l.Faults != 2 || l.Codes["510042"] != 2 || l.Ignored["period"] != 2 || !l.Last.Equal(r.at.Truncate(time.Second)) {
		t.Errorf("%+v", l)
	}
	if d := report.Days; d[5].Calls != 3 || d[5].Faults != 1 || d[6].Calls != 1 || d[4].Calls != 0 || d[5].Day != now.Truncate(24*time.Hour) {
		t.Errorf("%+v", d)
	}
	if of := r.report("b"); len(of.Lines) != 1 || of.Lines[0].Tenant != "b" || of.Days[5].Calls != 1 {
		t.Errorf("%+v", of)
	}
}

// Whatever a caller makes up, a day of a tenant stays small, its calls are all
// counted, and other tenants and those who came before keep their place.
func TestHostileCallersDoNotGrowTheStore(t *testing.T) {
	r := newRig(t)
	r.Call(Call{Tenant: "a", Agent: "honest", Method: "domain.info"})
	const made = 100_000
	for i := range made {
		r.Call(Call{Tenant: "a", Agent: fmt.Sprint(i, strings.Repeat("\xff\"<x>", 100)), Remote: fmt.Sprint("198.51.100.", i%256),
			Method: fmt.Sprint("method", i%140), Fault: i, Ignored: []string{fmt.Sprint(i), strings.Repeat("p", 1000)}})
		if i%20_000 == 0 {
			r.flush()
			r.Call(Call{Tenant: "b", Agent: "honest", Method: "domain.info"})
		}
	}
	if n := len(r.pending[at{dayOf(now), "a"}]); n > mostCallers+1 {
		t.Errorf("%d callers are in memory", n)
	}
	r.flush()
	var size, keys int
	err := r.db.View(func(tx *store.Tx) error {
		return tx.Scan(store.UsagePrefix(), func(_, value []byte) error { size += len(value); keys++; return nil })
	})
	if err != nil || keys != 2 || size > 300_000 {
		t.Errorf("%d keys of %d bytes, %v", keys, size, err)
	}
	report, honest := r.report("a"), uint64(0)
	for _, l := range report.Lines {
		if l.Agent == "honest" {
			honest = l.Calls
		}
		if len(l.Codes) > mostNames || len(l.Ignored) > mostNames {
			t.Errorf("%+v", l)
		}
	}
	if honest != 1 || report.Days[5].Calls != made+1 || len(report.Lines) > mostPairs+140 {
		t.Errorf("%d honest, %d calls in %d lines", honest, report.Days[5].Calls, len(report.Lines))
	}
	if of := r.report("b"); of.Days[5].Calls != 5 || of.Lines[0].Agent != "honest" {
		t.Errorf("%+v", of.Lines)
	}
}

// What a full disk did not take is written when it takes something again.
func TestAFailedFlushLosesNothing(t *testing.T) {
	r := newRig(t)
	r.fail = errors.New("the disk is full")
	r.Call(Call{Tenant: "a", Method: "domain.info"})
	if err := r.Flush(); err == nil {
		t.Error("no error")
	}
	r.Call(Call{Tenant: "a", Method: "domain.info"})
	r.fail = nil
	r.flush()
	if report := r.report(""); report.Days[5].Calls != 2 {
		t.Errorf("%+v", report.Lines)
	}
}

func TestCountingFromManyGoroutines(t *testing.T) {
	r := newRig(t)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 200 {
				r.Call(Call{Tenant: "a", Method: "domain.info"})
			}
			if err := r.Flush(); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	r.flush()
	if report := r.report(""); report.Days[5].Calls != 1600 {
		t.Errorf("%+v", report.Days)
	}
}

func TestOldDaysArePruned(t *testing.T) {
	r := newRig(t)
	for i := range 1200 {
		r.Call(Call{Tenant: fmt.Sprint("t", i), Method: "domain.info"})
	}
	r.at = now.AddDate(0, 0, 1)
	r.Call(Call{Tenant: "a", Method: "domain.info"})
	r.flush()
	if n, err := r.Prune(now); n != 0 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
	if n, err := r.Prune(r.at); n != 1200 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
	if report := r.report(""); len(report.Lines) != 1 || report.Lines[0].Tenant != "a" {
		t.Errorf("%+v", report.Lines)
	}
}

func TestAReportOfTheFutureIsRefused(t *testing.T) {
	r := newRig(t)
	for _, since := range []time.Time{now.AddDate(0, 0, 2), {}} {
		if _, err := Read(r.db, since, now, ""); err == nil {
			t.Errorf("since %s", since)
		}
	}
}
