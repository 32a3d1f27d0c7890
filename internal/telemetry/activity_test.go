package telemetry

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clock is a time that a test sets.
type clock struct{ at time.Time }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }

func newActivity() (*Activity, *clock) {
	c := &clock{time.Date(2026, 1, 1, 12, 0, 30, 0, time.UTC)}
	return NewActivity([]string{"domain.info", "contact.info"}, c.now), c
}

func sum(counts []uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}

func TestActivityCountsByMethodOverTime(t *testing.T) {
	a, c := newActivity()
	call := func(name string, times int, fault bool) {
		for range times {
			a.Call(name, Caller{}, fault)
		}
	}
	call("domain.info", 3, false)
	c.advance(time.Minute)
	call("domain.info", 2, true)
	call("../../etc/passwd", 1, true)
	c.advance(57 * time.Minute)
	seen := a.Methods(Hour)
	if len(seen) != 3 || seen[0].Name != "domain.info" || seen[2].Name != "unknown" {
		t.Fatalf("methods %v", seen)
	}
	want := make([]uint64, 60)
	want[1], want[2] = 3, 2
	if diff := cmp.Diff(want, seen[0].Calls); diff != "" {
		t.Errorf("calls %s", diff)
	}
	want[1] = 0
	if diff := cmp.Diff(want, seen[0].Faults); diff != "" {
		t.Errorf("faults %s", diff)
	}
	if s := seen[0]; s.TotalCalls != 5 || s.TotalFaults != 2 || !s.Last.Equal(c.at.Add(-57*time.Minute)) {
		t.Errorf("in all %+v", s)
	}
	if s := seen[1]; sum(s.Calls) != 0 || !s.Last.IsZero() {
		t.Errorf("a method that nobody called: %+v", s)
	}
	if s := seen[2]; s.TotalCalls != 1 || sum(s.Faults) != 1 {
		t.Errorf("unknown %+v", s)
	}
}

// A ring forgets what is past, also where its places were not used since.
func TestActivityForgets(t *testing.T) {
	a, c := newActivity()
	a.Call("domain.info", Caller{}, false)
	for _, step := range []struct {
		after     time.Duration
		hour, day uint64
	}{{59 * time.Minute, 1, 1}, {time.Minute, 0, 1}, {22*time.Hour + 30*time.Minute, 0, 1}, {30 * time.Minute, 0, 0}, {25 * 24 * time.Hour, 0, 0}} {
		c.advance(step.after)
		hour, day := a.Methods(Hour)[0], a.Methods(Day)[0]
		if sum(hour.Calls) != step.hour || sum(day.Calls) != step.day || len(hour.Calls) != Hour.Steps() || len(day.Calls) != Day.Steps() {
			t.Errorf("at %s: hour %d, day %d, want %d and %d", c.at, sum(hour.Calls), sum(day.Calls), step.hour, step.day)
		}
	}
	a.Call("domain.info", Caller{}, false)
	if s := a.Methods(Day)[0]; s.TotalCalls != 2 || s.Calls[47] != 1 || sum(s.Calls) != 1 {
		t.Errorf("%+v", s)
	}
}

func TestActivityOfV5(t *testing.T) {
	a, _ := newActivity()
	for _, status := range []int{200, 202, 404, 429, 503, 0} {
		a.V5Request(status)
	}
	a.V5Waited(0)
	a.V5Waited(250 * time.Millisecond)
	s := a.V5(Hour)
	got := []uint64{sum(s.Requests), sum(s.Refused), sum(s.Failed), sum(s.Waited), sum(s.Waiting)}
	if diff := cmp.Diff([]uint64{6, 1, 2, 1, 250}, got); diff != "" {
		t.Error(diff)
	}
}

func TestCallersAreBoundedByTenant(t *testing.T) {
	a, c := newActivity()
	a.Call("domain.info", Caller{"b", "real/1", "192.0.2.1"}, false)
	long := strings.Repeat("é", 5000)
	for i := range 100_000 {
		a.Call("domain.info", Caller{"a", fmt.Sprint("made up ", i), "192.0.2.2"}, i%2 == 0)
	}
	a.Call("contact.info", Caller{"", long, "192.0.2.3"}, true)
	c.advance(time.Second)
	a.Call("contact.info", Caller{"b", "real/1", "192.0.2.1"}, true)
	seen := a.Callers()
	if len(seen) != mostCallers+3 {
		t.Fatalf("%d callers", len(seen))
	}
	want := CallerSeen{Caller: Caller{"b", "real/1", "192.0.2.1"}, Calls: 2, Faults: 1, Last: c.at.Local(), Method: "contact.info"}
	if diff := cmp.Diff(want, seen[0]); diff != "" {
		t.Errorf("who called last: %s", diff)
	}
	var calls uint64
	for _, s := range seen {
		if s.Tenant == "a" {
			calls += s.Calls
		}
		if len(s.Agent) > mostAgent {
			t.Errorf("an agent of %d bytes", len(s.Agent))
		}
	}
	if calls != 100_000 {
		t.Errorf("%d calls of a", calls)
	}
}

// Who is silent for long gives way, and is not lost from the sum.
func TestSilentCallersGiveWay(t *testing.T) {
	a, c := newActivity()
	for i := range mostCallers {
		a.Call("domain.info", Caller{"a", fmt.Sprint(i), ""}, false)
		c.advance(time.Second)
	}
	a.Call("domain.info", Caller{"a", "early", ""}, true)
	c.advance(callerIdle)
	a.Call("contact.info", Caller{"a", "late", ""}, false)
	seen := map[string]CallerSeen{}
	for _, s := range a.Callers() {
		seen[s.Agent] = s
	}
	if len(seen) != mostCallers+1 || seen["late"].Calls != 1 || seen["0"].Calls != 0 || seen["1"].Calls != 1 {
		t.Errorf("%d callers: %+v", len(seen), seen)
	}
	if o := seen[""]; !o.Others || o.Calls != 2 || o.Faults != 1 {
		t.Errorf("others %+v", o)
	}
}

func TestCountingACallAllocatesNothing(t *testing.T) {
	a, c := newActivity()
	who := Caller{"a", "python-xmlrpc/3.11", "192.0.2.1"}
	a.Call("domain.info", who, false)
	if n := testing.AllocsPerRun(1000, func() { a.Call("domain.info", who, true); c.advance(time.Second) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// No count is lost when many come at once, at the turn of a minute too.
func TestActivityUnderConcurrency(t *testing.T) {
	a, c := newActivity()
	begin := c.at
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 1000 {
				a.methods["domain.info"].calls.add(begin.Add(time.Duration(n)*100*time.Millisecond), 1)
				a.callers.call(Caller{"a", fmt.Sprint((n + i) % 100), ""}, a.methods["domain.info"], begin, n%2 == 0)
			}
		})
	}
	wg.Wait()
	c.advance(2 * time.Minute)
	if n := sum(a.Methods(Hour)[0].Calls); n != 8000 {
		t.Errorf("%d calls", n)
	}
	var calls, faults uint64
	for _, s := range a.Callers() {
		calls, faults = calls+s.Calls, faults+s.Faults
	}
	if calls != 8000 || faults != 4000 {
		t.Errorf("%d calls and %d faults of callers", calls, faults)
	}
}

func BenchmarkActivityCall(b *testing.B) {
	a := NewActivity([]string{"domain.info"}, time.Now)
	who := Caller{"a", "python-xmlrpc/3.11", "192.0.2.1"}
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			a.Call("domain.info", who, false)
		}
	})
}
