package console

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"v3gate/internal/telemetry"
)

// methodRow is a method in a table.
type methodRow struct {
	telemetry.MethodSeen
	calls, faults []uint64
	Calls, Faults uint64 // over the span
	Spark         chart
	Ago           time.Duration // since the last call
}

func methodRows(seen []telemetry.MethodSeen, s telemetry.Span, now time.Time) []methodRow {
	rows := make([]methodRow, len(seen))
	for i, m := range seen {
		r := methodRow{MethodSeen: m, calls: m.Calls, faults: m.Faults, Calls: total(m.Calls), Faults: total(m.Faults)}
		if !m.Last.IsZero() {
			r.Ago = now.Sub(m.Last)
			r.Spark = bars(m.Calls, m.Faults, sparkHeight, 0)
			tell(&r.Spark, "calls of "+m.Name, "Faults", m.Calls, m.Faults, s, now)
		}
		rows[i] = r
	}
	return rows
}

// spanOf reads which span a page is asked for; the hour where it says nothing
// that is known.
func spanOf(r *http.Request) telemetry.Span {
	if r.URL.Query().Get("span") == "day" {
		return telemetry.Day
	}
	return telemetry.Hour
}

// spanLink is a choice of a span.
type spanLink struct {
	Text, Link string
	Current    bool
}

func spans(path string, s telemetry.Span) []spanLink {
	return []spanLink{
		{"Last hour", link(path), s == telemetry.Hour},
		{"Last 24 hours", link(path, "span", "day"), s == telemetry.Day},
	}
}

type callsPage struct {
	Spans  []spanLink
	During string
	All    chart
	Calls  uint64
	Faults uint64
	Rows   []methodRow
	Silent []string // methods that nobody called since the start
}

func (c *console) calls(r *http.Request) (*shownPage, error) {
	s, now := spanOf(r), c.Now()
	p := callsPage{Spans: spans("calls", s), During: during(s)}
	all, faults := make([]uint64, s.Steps()), make([]uint64, s.Steps())
	for _, row := range methodRows(c.Activity.Methods(s), s, now) {
		if row.Last.IsZero() {
			p.Silent = append(p.Silent, row.Name)
			continue
		}
		add(all, row.calls)
		add(faults, row.faults)
		p.Rows = append(p.Rows, row)
	}
	slices.SortStableFunc(p.Rows, func(a, b methodRow) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(b.TotalCalls, a.TotalCalls))
	})
	p.Calls, p.Faults = total(all), total(faults)
	p.All = bars(all, faults, chartHeight, 0)
	p.All.Ticks = ticks(s, now)
	tell(&p.All, "calls", "Faults", all, faults, s, now)
	return &shownPage{name: "calls", title: "Calls", place: "calls", content: p}, nil
}

// callerRow is a caller in a table.
type callerRow struct {
	telemetry.CallerSeen
	Name Masked // of the program, as it says
	Ago  time.Duration
}

type callersPage struct {
	Rows []callerRow
	More int // those that called before them
	// Methods are those that are still called, who called last first.
	Methods []methodRow
}

func (c *console) callers(*http.Request) (*shownPage, error) {
	var p callersPage
	now := c.Now()
	for _, seen := range c.Activity.Callers() {
		p.Rows = append(p.Rows, callerRow{seen, MaskAgent(seen.Agent), now.Sub(seen.Last)})
	}
	if most := 2 * onPage; len(p.Rows) > most {
		p.Rows, p.More = p.Rows[:most], len(p.Rows)-most
	}
	for _, row := range methodRows(c.Activity.Methods(telemetry.Day), telemetry.Day, now) {
		if !row.Last.IsZero() {
			p.Methods = append(p.Methods, row)
		}
	}
	slices.SortStableFunc(p.Methods, func(a, b methodRow) int { return b.Last.Compare(a.Last) })
	return &shownPage{name: "callers", title: "Callers", place: "callers", content: p}, nil
}
