package usage

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"v3gate/internal/store"
)

// mostLines bounds the lines of a report; those with the fewest calls are left out
// and counted.
const mostLines = 5000

// Line is one caller of a tenant and one of the methods that it calls.
type Line struct {
	Tenant string `json:"tenant"`
	Caller
	Method string `json:"method"`
	Count
}

// Day is all calls of one day.
type Day struct {
	Day    time.Time `json:"day"` // its begin, UTC
	Calls  uint64    `json:"calls"`
	Faults uint64    `json:"faults"`
}

// Report is who called what.
type Report struct {
	From  time.Time `json:"from"` // begin of the first day
	To    time.Time `json:"to"`
	Lines []Line    `json:"lines"` // most calls first
	// LeftOut is how many further lines there are.
	LeftOut int `json:"left_out,omitempty"`
	// Days are all from the first to the last, those without a call too.
	Days []Day `json:"days"`
}

// named is what a line is about.
type named struct {
	tenant string
	caller Caller
	method string
}

// take adds what was counted of a tenant on the day.
func (r *Day) take(d day, tenant string, lines map[named]*Count) {
	for who, methods := range d {
		for method, count := range methods {
			r.Calls += count.Calls
			r.Faults += count.Faults
			name := named{tenant, who, method}
			if lines[name] == nil {
				lines[name] = &Count{}
			}
			lines[name].add(count)
		}
	}
}

// mostDays bounds the days of a report.
const mostDays = 3660

// Read gives what was counted on the days from a time on, of all tenants, or of one
// where it is named: what is stored, and what was not written down yet.
func (c *Counter) Read(since time.Time, tenant string) (Report, error) {
	c.flushing.Lock() // what is being written is in neither
	defer c.flushing.Unlock()
	c.mu.Lock()
	pending := map[at]day{}
	for place, counted := range c.pending {
		pending[place] = day{}
		pending[place].take(counted)
	}
	c.mu.Unlock()
	return read(c.db, since, c.now(), tenant, pending)
}

// Read gives what is stored, of a store that nobody counts into.
func Read(db *store.DB, since, now time.Time, tenant string) (Report, error) {
	return read(db, since, now, tenant, nil)
}

func read(db *store.DB, since, now time.Time, tenant string, pending map[at]day) (Report, error) {
	first, last := dayOf(since), dayOf(now)
	if first > last || last-first > mostDays {
		return Report{}, fmt.Errorf("report since %s: give a time of the last %d days", since.UTC().Format(time.DateOnly), mostDays)
	}
	r := Report{From: time.Unix(first*24*60*60, 0).UTC(), To: now.UTC().Truncate(time.Second), Lines: []Line{}}
	for n := first; n <= last; n++ {
		r.Days = append(r.Days, Day{Day: time.Unix(n*24*60*60, 0).UTC()})
	}
	lines := map[named]*Count{}
	for i := range r.Days { // a transaction each, so that none is long
		err := db.View(func(tx *store.Tx) error {
			prefix := store.UsageDayPrefix(first + int64(i))
			return tx.ScanKeys(prefix, func(key []byte) error {
				_, of, ok := store.UsageParts(key)
				if !ok || tenant != "" && of != tenant {
					return nil
				}
				var d day
				if _, err := store.GetJSON(tx, key, &d); err != nil {
					return err
				}
				r.Days[i].take(d, of, lines)
				return nil
			})
		})
		if err != nil {
			return Report{}, fmt.Errorf("report: %w", err)
		}
	}
	for place, counted := range pending {
		if place.day >= first && place.day <= last && (tenant == "" || place.tenant == tenant) {
			r.Days[place.day-first].take(counted, place.tenant, lines)
		}
	}
	for name, count := range lines {
		r.Lines = append(r.Lines, Line{name.tenant, name.caller, name.method, *count})
	}
	slices.SortFunc(r.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Method, b.Method),
			cmp.Compare(a.Key, b.Key), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Remote, b.Remote))
	})
	if more := len(r.Lines) - mostLines; more > 0 {
		r.Lines, r.LeftOut = r.Lines[:mostLines], more
	}
	return r, nil
}
