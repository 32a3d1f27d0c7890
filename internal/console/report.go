package console

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// reportRow is an integration and a method that it still calls.
type reportRow struct {
	ReportLine
	Name    Masked // of the program, as it says
	Codes   string // of the faults, with how often
	Ignored string // parameters without effect, with how often
	Link    string // to what the method is at v5
}

type reportPage struct {
	Spans  []spanLink
	During string
	All    chart
	Calls  uint64
	Faults uint64
	Rows   []reportRow
	More   int // lines that are not shown
}

// reportDays are the spans of the report.
var reportDays = []int{30, 90, 365}

func (c *console) report(r *http.Request) (*shownPage, error) {
	days := reportDays[0]
	for _, n := range reportDays {
		if r.URL.Query().Get("days") == fmt.Sprint(n) {
			days = n
		}
	}
	p := reportPage{During: fmt.Sprintf("the last %d days", days)}
	for _, n := range reportDays {
		p.Spans = append(p.Spans, spanLink{fmt.Sprintf("Last %d days", n), link("report", "days", fmt.Sprint(n)), n == days})
	}
	report, err := c.Report(c.Now().AddDate(0, 0, 1-days))
	if err != nil {
		return nil, err
	}
	p.draw(report.Days)
	for _, l := range report.Lines[:min(len(report.Lines), 2*onPage)] {
		row := reportRow{ReportLine: l, Name: MaskAgent(l.Agent), Codes: tally(l.Codes), Ignored: tally(l.Ignored)}
		if l.Support != "unknown" {
			row.Link = link("explain", "method", l.Method)
		}
		p.Rows = append(p.Rows, row)
	}
	p.More = len(report.Lines) - len(p.Rows) + report.LeftOut
	return &shownPage{name: "report", title: "Leaving v3", place: "report", content: p}, nil
}

// draw makes the picture of the days.
func (p *reportPage) draw(days []ReportDay) {
	all, bad := make([]uint64, len(days)), make([]uint64, len(days))
	for i, d := range days {
		all[i], bad[i] = d.Calls, d.Faults
	}
	p.Calls, p.Faults = total(all), total(bad)
	p.All = bars(all, bad, chartHeight, 0)
	if len(days) == 0 || p.Calls == 0 {
		p.All.Text = fmt.Sprintf("No calls in %s.", p.During)
		return
	}
	peak, last := days[0], days[0]
	for _, d := range days {
		if d.Calls > peak.Calls {
			peak = d
		}
		if d.Calls > 0 {
			last = d
		}
	}
	p.All.Text = fmt.Sprintf("%s calls in %s, at most %s in a day, on %s. Faults: %s. The last day with a call: %s.", number(p.Calls), p.During,
		number(peak.Calls), date(peak.Day), number(p.Faults), date(last.Day))
	for i := range 4 {
		at := days[i*len(days)/4].Day
		p.All.Ticks = append(p.All.Ticks, tick{at, date(at)})
	}
	p.All.Ticks = append(p.All.Ticks, tick{days[len(days)-1].Day, "today"})
}

func date(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// tally are counts by name in words, those with most first.
func tally(counts map[string]uint64) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = shown(name, 60) + " ×" + number(counts[name])
	}
	return strings.Join(names, ", ")
}
