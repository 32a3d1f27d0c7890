// Package usage keeps who still speaks v3: for each day and tenant, which
// integrations called which methods, with what faults. It is the list of what is to
// be done before v3 can be left, so it outlives the process.
//
// What is kept is bounded, whatever callers send: see mostCallers and mostPairs. A
// call is counted in memory; what was counted is written down in batches by Flush.
// A process that dies loses what was counted since.
package usage

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"v3gate/internal/store"
)

const (
	// mostCallers bounds the callers that are told apart on a day of a tenant, and
	// mostPairs those with each of their methods. What has no room is counted for
	// the others, by method.
	mostCallers = 64
	mostPairs   = 256
	// mostText bounds the bytes that are kept of a User-Agent, an address and the
	// name of a parameter.
	mostText = 120
	// mostNames bounds the fault codes, and the ignored parameters, of a pair.
	mostNames = 8
)

// Call is one call that was answered.
type Call struct {
	Tenant  string // "" where none was found
	Key     string // short public id of its key, "" without one
	Agent   string // User-Agent
	Remote  string // address
	Method  string // of the table, or unknown
	Fault   int    // code, 0 for none
	Ignored []string
}

// Caller is an integration, as far as it can be told.
type Caller struct {
	Key    string `json:"key,omitempty"`
	Agent  string `json:"agent,omitempty"`
	Remote string `json:"remote,omitempty"`
	// Others stands for all those for whom there was no room.
	Others bool `json:"others,omitempty"`
}

// Count is what was counted of one caller's calls of one method.
type Count struct {
	Calls   uint64            `json:"calls"`
	Faults  uint64            `json:"faults,omitempty"`
	Codes   map[string]uint64 `json:"codes,omitempty"`   // faults by their code, the first ones
	Ignored map[string]uint64 `json:"ignored,omitempty"` // parameters that were taken without effect
	Last    time.Time         `json:"last"`              // to the second
}

// add counts other's calls, too.
func (c *Count) add(other *Count) {
	c.Calls += other.Calls
	c.Faults += other.Faults
	c.Codes = sum(c.Codes, other.Codes)
	c.Ignored = sum(c.Ignored, other.Ignored)
	if other.Last.After(c.Last) {
		c.Last = other.Last
	}
}

// sum adds counts by name, of no more names than are kept.
func sum(into, from map[string]uint64) map[string]uint64 {
	if len(from) == 0 {
		return into
	}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if into == nil {
			into = map[string]uint64{}
		}
		if _, known := into[name]; known || len(into) < mostNames {
			into[name] += from[name]
		}
	}
	return into
}

// day is what was counted on a day of a tenant.
type day map[Caller]map[string]*Count

// others are the callers for whom there was no room.
var others = Caller{Others: true}

// add counts calls of one caller and method, where there is room.
func (d day) add(who Caller, method string, c *Count) {
	known := d[who][method]
	if known == nil {
		known = d.begin(who, method)
	}
	known.add(c)
}

// begin makes room for a caller and method that were not counted yet. The texts
// are kept, and are clones: they may be parts of larger ones.
func (d day) begin(who Caller, method string) *Count {
	if who != others && !d.room(who) {
		who = others
	}
	if d[who] == nil {
		who.Key, who.Agent, who.Remote = strings.Clone(who.Key), strings.Clone(who.Agent), strings.Clone(who.Remote)
		d[who] = map[string]*Count{}
	}
	if d[who][method] == nil {
		d[who][strings.Clone(method)] = &Count{}
	}
	return d[who][method]
}

// room tells whether one more pair with a caller is taken.
func (d day) room(who Caller) bool {
	pairs, callers := 0, 0
	for known, methods := range d {
		if known != others {
			pairs += len(methods)
			callers++
		}
	}
	_, known := d[who]
	return pairs < mostPairs && (known || callers < mostCallers)
}

// line is a caller's calls as they are stored.
type line struct {
	Caller
	Methods map[string]*Count `json:"methods"`
}

// MarshalJSON writes a list, whose order says nothing.
func (d day) MarshalJSON() ([]byte, error) {
	list := []line{}
	for who, methods := range d {
		list = append(list, line{who, methods})
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *day) UnmarshalJSON(raw []byte) error {
	var list []line
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	*d = day{}
	for _, l := range list {
		(*d)[l.Caller] = l.Methods
	}
	return nil
}

// at is where a count belongs.
type at struct {
	day    int64 // since 1970, UTC
	tenant string
}

// Counter counts calls. It is safe for concurrent use.
type Counter struct {
	db  *store.DB
	now func() time.Time

	flushing sync.Mutex // one at a time, so that none is written twice
	mu       sync.Mutex
	pending  map[at]day
}

// New counts into a store.
func New(db *store.DB, now func() time.Time) *Counter {
	return &Counter{db: db, now: now, pending: map[at]day{}}
}

func dayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// clip is a stranger's text as it is kept.
func clip(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), mostText)], "")
}

// Call counts a call. It writes nothing.
func (c *Counter) Call(call Call) {
	now := c.now()
	who := Caller{Key: call.Key, Agent: clip(call.Agent), Remote: clip(call.Remote)}
	count := Count{Calls: 1, Last: now.UTC().Truncate(time.Second)}
	if call.Fault != 0 {
		count.Faults, count.Codes = 1, map[string]uint64{strconv.Itoa(call.Fault): 1}
	}
	for _, parameter := range call.Ignored {
		count.Ignored = sum(count.Ignored, map[string]uint64{strings.Clone(clip(parameter)): 1})
	}
	place := at{dayOf(now), call.Tenant}
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.pending[place]
	if d == nil {
		d = day{}
		c.pending[place] = d
	}
	d.add(who, call.Method, &count)
}

// Flush writes down what was counted since the last one. When that fails it is
// kept, and written by the next.
func (c *Counter) Flush() error {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	c.mu.Lock()
	pending := c.pending
	c.pending = map[at]day{}
	c.mu.Unlock()
	if len(pending) == 0 {
		return nil
	}
	err := c.db.Update(func(tx *store.Tx) error {
		for place, counted := range pending {
			key := store.UsageKey(place.day, place.tenant)
			stored := day{}
			if _, err := store.GetJSON(tx, key, &stored); err != nil {
				return err
			}
			stored.take(counted)
			if err := store.PutJSON(tx, key, stored); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		for place, counted := range pending {
			if c.pending[place] == nil {
				c.pending[place] = day{}
			}
			c.pending[place].take(counted)
		}
	}
	return err
}

// take adds what another day has, those with most calls first, since not all may
// have room.
func (d day) take(other day) {
	type pair struct {
		who    Caller
		method string
		count  *Count
	}
	var pairs []pair
	for who, methods := range other {
		for method, count := range methods {
			pairs = append(pairs, pair{who, method, count})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		switch {
		case a.count.Calls != b.count.Calls:
			return int(min(b.count.Calls, 1<<30)) - int(min(a.count.Calls, 1<<30))
		case a.who != b.who:
			return strings.Compare(a.who.Key+"\x00"+a.who.Agent+"\x00"+a.who.Remote, b.who.Key+"\x00"+b.who.Agent+"\x00"+b.who.Remote)
		}
		return strings.Compare(a.method, b.method)
	})
	for _, p := range pairs {
		d.add(p.who, p.method, p.count)
	}
}

// Prune forgets the days before the one of a time, and tells how many records that
// were.
func (c *Counter) Prune(before time.Time) (n int, err error) {
	const most = 500 // in one commit
	for {
		var old [][]byte
		err := c.db.View(func(tx *store.Tx) error {
			return tx.ScanKeys(store.UsagePrefix(), func(key []byte) error {
				switch day, _, ok := store.UsageParts(key); {
				case !ok:
					return nil // check tells
				case len(old) == most || day >= dayOf(before):
					return store.Stop
				}
				old = append(old, slices.Clone(key))
				return nil
			})
		})
		if err != nil || len(old) == 0 {
			return n, err
		}
		err = c.db.Update(func(tx *store.Tx) error {
			for _, key := range old {
				if err := tx.Delete(key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		n += len(old)
	}
}
