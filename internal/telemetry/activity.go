package telemetry

import (
	"sync/atomic"
	"time"
)

// Activity keeps in memory what the last hour and the last day were like, for
// people who look at the console: calls by method, requests to v5, and who
// calls. Metrics are for machines, which keep what they scrape; this forgets at
// a restart and holds a fixed amount: what a caller sends never makes it grow.
//
// All its methods may be called at any time from any goroutine. Counting takes
// no lock that others than callers of the same tenant share, and allocates
// nothing but for a caller that is seen for the first time.
type Activity struct {
	now     func() time.Time
	names   []string           // of methods, in the order of the table
	methods map[string]*method // never changes; with unknown
	callers callers

	requests, failed, refused, waited series // v5
	waiting                           series // in milliseconds
}

// method is what is known of the calls of one method.
type method struct {
	name   string
	calls  series
	faults series
	counts
}

// counts are for as long as the process runs.
type counts struct {
	calls, faults atomic.Uint64
	last          atomic.Int64 // Unix time in nanoseconds, 0 for never
}

func (c *counts) add(at time.Time, fault bool) {
	c.calls.Add(1)
	if fault {
		c.faults.Add(1)
	}
	c.last.Store(at.UnixNano())
}

// NewActivity counts calls of the methods of a table; all other names are
// counted as unknown.
func NewActivity(methods []string, now func() time.Time) *Activity {
	a := &Activity{now: now, names: append(methods[:len(methods):len(methods)], unknown), methods: map[string]*method{}}
	for _, name := range a.names {
		a.methods[name] = &method{name: name}
	}
	return a
}

// Caller says who made a call, as far as it is known.
type Caller struct {
	Tenant string // "" for nobody known
	Agent  string // User-Agent
	Remote string // address
}

// Call counts a call that was answered.
func (a *Activity) Call(name string, c Caller, fault bool) {
	m := a.methods[name]
	if m == nil {
		m = a.methods[unknown]
	}
	now := a.now()
	m.calls.add(now, 1)
	if fault {
		m.faults.add(now, 1)
	}
	m.counts.add(now, fault)
	a.callers.call(c, m, now, fault)
}

// V5Request counts an attempt at v5 by its status, 0 for no answer.
func (a *Activity) V5Request(status int) {
	now := a.now()
	a.requests.add(now, 1)
	switch {
	case status == 429:
		a.refused.add(now, 1)
	case status == 0 || status >= 500:
		a.failed.add(now, 1)
	}
}

// V5Waited counts a request that was held back for its turn; 0 is none.
func (a *Activity) V5Waited(d time.Duration) {
	if d <= 0 {
		return
	}
	now := a.now()
	a.waited.add(now, 1)
	a.waiting.add(now, uint64(d.Milliseconds()))
}

// MethodSeen is what is known of the calls of one method.
type MethodSeen struct {
	Name          string
	Calls, Faults []uint64 // over the span, the oldest first
	TotalCalls    uint64   // since the start of the process
	TotalFaults   uint64
	Last          time.Time // zero for never
}

// Methods are all methods of the table in its order, then unknown.
func (a *Activity) Methods(span Span) []MethodSeen {
	now := a.now()
	list := make([]MethodSeen, 0, len(a.names))
	for _, name := range a.names {
		m := a.methods[name]
		seen := MethodSeen{Name: name, TotalCalls: m.counts.calls.Load(), TotalFaults: m.counts.faults.Load()}
		if at := m.last.Load(); at != 0 {
			seen.Last = time.Unix(0, at)
		}
		seen.Calls, seen.Faults = m.calls.read(span, now), m.faults.read(span, now)
		list = append(list, seen)
	}
	return list
}

// V5Seen is what was asked of v5 over a span, the oldest step first.
type V5Seen struct {
	Requests []uint64
	Failed   []uint64 // of them: no answer, or a 5xx
	Refused  []uint64 // of them: 429
	Waited   []uint64 // requests that were held back for their turn
	Waiting  []uint64 // the time of those together, in milliseconds
}

// V5 is what was asked of v5.
func (a *Activity) V5(span Span) V5Seen {
	now := a.now()
	return V5Seen{
		Requests: a.requests.read(span, now), Failed: a.failed.read(span, now), Refused: a.refused.read(span, now),
		Waited: a.waited.read(span, now), Waiting: a.waiting.read(span, now),
	}
}
