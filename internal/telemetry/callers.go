package telemetry

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// mostCallers bounds what is kept for each tenant, and for those of whom no
	// tenant is known: one who makes up names takes nobody else's place.
	mostCallers = 64
	// mostAgent bounds the bytes that are kept of a User-Agent.
	mostAgent = 120
	// callerIdle is how long a caller must have been silent to give way to a new
	// one when there is no room. Its counts go to the others.
	callerIdle = time.Hour
)

// callers remembers who called. There are as many groups as there ever were
// tenants, and one.
type callers struct{ groups lookup[string, *group] }

// group is the callers of one tenant.
type group struct {
	mu     sync.RWMutex
	seen   map[callerKey]*caller
	others caller
}

type callerKey struct{ agent, remote string }

type caller struct {
	counts
	method atomic.Pointer[method] // of the last call
}

func (c *caller) call(m *method, at time.Time, fault bool) {
	c.add(at, fault)
	c.method.Store(m)
}

func (cs *callers) group(tenant string) *group {
	return cs.groups.get(tenant, func() *group { return &group{seen: map[callerKey]*caller{}} })
}

func (cs *callers) call(c Caller, m *method, at time.Time, fault bool) {
	key := callerKey{c.Agent[:min(len(c.Agent), mostAgent)], c.Remote}
	g := cs.group(c.Tenant)
	g.mu.RLock()
	known := g.seen[key]
	if known != nil {
		known.call(m, at, fault) // under the lock, so that who gives way takes all its counts along
	}
	g.mu.RUnlock()
	if known == nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.place(key, at).call(m, at, fault)
	}
}

// place is where a call of an unknown caller is counted, with g.mu held.
func (g *group) place(key callerKey, at time.Time) *caller {
	if c := g.seen[key]; c != nil {
		return c
	}
	if len(g.seen) >= mostCallers && !g.makeRoom(at) {
		return &g.others
	}
	c := &caller{}
	g.seen[callerKey{strings.Clone(key.agent), strings.Clone(key.remote)}] = c
	return c
}

// makeRoom lets the caller that was silent for longest give way, if that was
// long.
func (g *group) makeRoom(at time.Time) bool {
	var oldest callerKey
	last := at.Add(-callerIdle).UnixNano()
	for key, c := range g.seen {
		if l := c.last.Load(); l < last {
			oldest, last = key, l
		}
	}
	c := g.seen[oldest]
	if c == nil || c.last.Load() != last {
		return false
	}
	delete(g.seen, oldest)
	g.others.calls.Add(c.calls.Load())
	g.others.faults.Add(c.faults.Load())
	if last > g.others.last.Load() {
		g.others.last.Store(last)
		g.others.method.Store(c.method.Load())
	}
	return true
}

// CallerSeen is what is known of one caller since the start of the process.
type CallerSeen struct {
	Caller
	Others bool // it stands for all callers of the tenant for whom there was no room
	Calls  uint64
	Faults uint64
	Last   time.Time
	Method string // of the last call
}

// Callers are those who called, who called last first.
func (a *Activity) Callers() []CallerSeen {
	var list []CallerSeen
	take := func(who Caller, others bool, c *caller) {
		if m := c.method.Load(); m != nil {
			list = append(list, CallerSeen{
				Caller: who, Others: others, Calls: c.calls.Load(), Faults: c.faults.Load(),
				Last: time.Unix(0, c.last.Load()), Method: m.name,
			})
		}
	}
	for tenant, g := range a.callers.groups.all() {
		g.mu.RLock()
		for key, c := range g.seen {
			take(Caller{tenant, key.agent, key.remote}, false, c)
		}
		take(Caller{Tenant: tenant}, true, &g.others)
		g.mu.RUnlock()
	}
	slices.SortFunc(list, func(a, b CallerSeen) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Tenant, b.Tenant),
			cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Remote, b.Remote))
	})
	return list
}
