package console

import (
	"fmt"
	"strings"
	"time"

	"v3gate/internal/telemetry"
)

// chart is a row of bars over a span of time, made for an SVG: two paths, since
// a bar each would be a hundred elements in each line of a table.
type chart struct {
	Width, Height int
	Bars          string // all that was counted
	Bad           string // the part of it that is marked, at the foot of the bars
	Line          string // a horizontal line, "" for none
	Text          string // what it shows, for those who do not see it
	Ticks         []tick
	Peak          uint64 // what the full height stands for
}

// tick is a time below the bars.
type tick struct {
	At   time.Time
	Text string
}

const (
	barWidth, barStep = 2, 3
	sparkHeight       = 22
	chartHeight       = 64
)

// bars draws counts and the part of them that is marked. limit is a height to be
// drawn as a line where the bars come near it, 0 for none.
func bars(all, bad []uint64, height int, limit uint64) chart {
	c := chart{Width: len(all) * barStep, Height: height, Peak: largest(all)}
	top := max(c.Peak, 1)
	if limit > 0 && c.Peak*4 >= limit {
		top = max(top, limit)
		y := float64(height) * (1 - float64(limit)/float64(top))
		c.Line = fmt.Sprintf("M0 %.1fH%d", max(y, .5), c.Width)
	}
	c.Bars = path(all, top, height)
	c.Bad = path(bad, top, height)
	return c
}

// path draws what is more than nothing at least one unit high.
func path(counts []uint64, top uint64, height int) string {
	var b strings.Builder
	for i, n := range counts {
		if n == 0 {
			continue
		}
		h := max(float64(n)/float64(top)*float64(height), 1)
		fmt.Fprintf(&b, "M%d %dv%.1fh%dv%.1fz", i*barStep, height, -h, barWidth, h)
	}
	return b.String()
}

func largest(counts []uint64) (most uint64) {
	for _, n := range counts {
		most = max(most, n)
	}
	return most
}

func total(counts []uint64) (all uint64) {
	for _, n := range counts {
		all += n
	}
	return all
}

// add sums two rows of counts into the first.
func add(into, counts []uint64) {
	for i, n := range counts {
		into[i] += n
	}
}

// begin is when the step i of a span that ends now began.
func begin(s telemetry.Span, now time.Time, i int) time.Time {
	last := now.UTC().Truncate(s.Step())
	return last.Add(-time.Duration(s.Steps()-1-i) * s.Step())
}

// ticks are five times from the begin of a span to its end.
func ticks(s telemetry.Span, now time.Time) (list []tick) {
	for i := range 4 {
		at := begin(s, now, i*s.Steps()/4)
		list = append(list, tick{at, at.Format("15:04")})
	}
	return append(list, tick{now.UTC(), "now"})
}

// during is the span in words.
func during(s telemetry.Span) string {
	if s == telemetry.Day {
		return "the last 24 hours"
	}
	return "the last hour"
}

// each is one step of a span in words.
func each(s telemetry.Span) string {
	if s == telemetry.Day {
		return "half hour"
	}
	return "minute"
}

// tell puts into words what a chart shows: how much of what in all, and when it
// was most.
func tell(c *chart, what, marked string, all, bad []uint64, s telemetry.Span, now time.Time) {
	sum := total(all)
	if sum == 0 {
		c.Text = fmt.Sprintf("No %s in %s.", what, during(s))
		return
	}
	at := 0
	for i, n := range all {
		if n == c.Peak {
			at = i
		}
	}
	c.Text = fmt.Sprintf("%s %s in %s, at most %s in a %s, at %s UTC.", number(sum), what, during(s),
		number(c.Peak), each(s), begin(s, now, at).Format("15:04"))
	if marked != "" {
		c.Text += fmt.Sprintf(" %s: %s.", marked, number(total(bad)))
	}
}
