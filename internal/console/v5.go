package console

import (
	"net/http"
	"time"

	"v3gate/internal/telemetry"
)

// v5Sums are counts over a span.
type v5Sums struct{ Requests, Failed, Refused, Waited uint64 }

type v5Charts struct {
	Requests, Refused, Waited chart
	Sums                      v5Sums
	Wait                      time.Duration // of all that waited
	Steps                     []v5Step
}

// v5Step is one step of the span in figures.
type v5Step struct {
	At time.Time
	v5Sums
	Wait time.Duration
	Used uint64 // percent of what may be sent; 0 without a limit
}

func (c *console) v5Charts(s telemetry.Span, perMinute int, now time.Time) v5Charts {
	seen := c.Activity.V5(s)
	budget := uint64(perMinute) * uint64(s.Step()/time.Minute)
	bad := make([]uint64, s.Steps())
	add(bad, seen.Failed)
	add(bad, seen.Refused)
	p := v5Charts{
		Requests: bars(seen.Requests, bad, chartHeight, budget),
		Refused:  bars(seen.Refused, seen.Refused, chartHeight, 0),
		Waited:   bars(seen.Waited, nil, chartHeight, 0),
		Sums:     v5Sums{total(seen.Requests), total(seen.Failed), total(seen.Refused), total(seen.Waited)},
		Wait:     time.Duration(total(seen.Waiting)) * time.Millisecond,
	}
	tell(&p.Requests, "requests to v5", "Failed or refused", seen.Requests, bad, s, now)
	tell(&p.Refused, "answers 429", "", seen.Refused, nil, s, now)
	tell(&p.Waited, "requests held back", "", seen.Waited, nil, s, now)
	for i := s.Steps() - 1; i >= 0; i-- {
		sums := v5Sums{seen.Requests[i], seen.Failed[i], seen.Refused[i], seen.Waited[i]}
		if sums == (v5Sums{}) {
			continue
		}
		step := v5Step{At: begin(s, now, i), v5Sums: sums, Wait: time.Duration(seen.Waiting[i]) * time.Millisecond}
		if budget > 0 {
			step.Used = sums.Requests * 100 / budget
		}
		p.Steps = append(p.Steps, step)
	}
	for _, one := range []*chart{&p.Requests, &p.Refused, &p.Waited} {
		one.Ticks = ticks(s, now)
	}
	return p
}

type v5Page struct {
	v5Charts
	V5
	Spans  []spanLink
	During string
	Each   string
	Budget uint64 // requests in each step; 0 is unlimited
	Peak   uint64 // percent of the budget in the busiest step
	Mean   time.Duration
}

func (c *console) v5(r *http.Request) (*shownPage, error) {
	state, err := c.State()
	if err != nil {
		return nil, err
	}
	s, now := spanOf(r), c.Now()
	p := v5Page{V5: state.V5, Spans: spans("v5", s), During: during(s), Each: each(s)}
	p.v5Charts = c.v5Charts(s, state.V5.PerMinute, now)
	p.Budget = uint64(state.V5.PerMinute) * uint64(s.Step()/time.Minute)
	if p.Budget > 0 {
		p.Peak = p.v5Charts.Requests.Peak * 100 / p.Budget
	}
	if p.Sums.Waited > 0 {
		p.Mean = p.Wait / time.Duration(p.Sums.Waited)
	}
	return &shownPage{name: "v5", title: "v5", place: "v5", content: p}, nil
}
