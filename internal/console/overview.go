package console

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"v3gate/internal/telemetry"
)

// steps are v3's, in the order in which an operation comes through them.
var steps = []string{"BILL", "WAIT", "RUN", "SUPPORT", "DONE", "ERROR", "CANCEL"}

// matter is something that somebody should see to.
type matter struct {
	Text string
	Link string // where to look; "" for nowhere
	Bad  bool   // callers suffer, or money is in doubt
}

type overviewPage struct {
	State
	Now     time.Time
	Uptime  time.Duration
	Matters []matter
	Steps   []stepCount
	Open    int
	Calls   chart
	V5Calls chart
	Held    chart
	Sum     uint64 // calls in the last hour
	Faults  uint64 // of them
	V5Sums  v5Sums
	Wait    time.Duration // of requests that were held back, together
	Free    int64         // bytes
	Pages   int64
	Busiest []methodRow
}

type stepCount struct {
	Step string
	N    int
}

func (c *console) overview(*http.Request) (*shownPage, error) {
	state, err := c.State()
	if err != nil {
		return nil, err
	}
	now := c.Now()
	p := overviewPage{State: state, Now: now, Uptime: now.Sub(state.Started)}
	p.Free = int64(state.Store.FreePages) * int64(state.Store.PageSize)
	p.Pages = state.Store.Bytes / int64(max(state.Store.PageSize, 1))
	for _, step := range steps {
		n := state.Operations[step]
		p.Steps = append(p.Steps, stepCount{step, n})
		if step != "DONE" && step != "ERROR" && step != "CANCEL" {
			p.Open += n
		}
	}
	rows := methodRows(c.Activity.Methods(telemetry.Hour), telemetry.Hour, now)
	all, faults := make([]uint64, telemetry.Hour.Steps()), make([]uint64, telemetry.Hour.Steps())
	for i := range rows {
		add(all, rows[i].calls)
		add(faults, rows[i].faults)
	}
	p.Calls = bars(all, faults, chartHeight, 0)
	tell(&p.Calls, "calls", "Faults", all, faults, telemetry.Hour, now)
	v5 := c.v5Charts(telemetry.Hour, state.V5.PerMinute, now)
	p.V5Calls, p.Held = v5.Requests, v5.Waited
	p.Sum, p.Faults, p.V5Sums, p.Wait = total(all), total(faults), v5.Sums, v5.Wait
	p.Calls.Ticks = ticks(telemetry.Hour, now)
	p.Matters = matters(&p)
	slices.SortStableFunc(rows, func(a, b methodRow) int { return cmp.Compare(b.Calls, a.Calls) })
	for _, r := range rows[:min(len(rows), 5)] {
		if r.Calls > 0 {
			p.Busiest = append(p.Busiest, r)
		}
	}
	return &shownPage{name: "overview", title: "Overview", place: "overview", content: p}, nil
}

// matters are what is not as it should be, the worst first.
func matters(p *overviewPage) (list []matter) {
	add := func(wrong, bad bool, link, format string, values ...any) {
		if wrong {
			list = append(list, matter{fmt.Sprintf(format, values...), link, bad})
		}
	}
	store := p.Store
	add(p.NotReady != "", true, "", "The service is not ready: %s.", shown(p.NotReady, 200))
	add(store.Replaced, true, "", "The store's file was replaced while it is in use: what is written now is lost at the next start.")
	add(p.V5.Refusing, true, link("v5"), "v5 does not answer: requests are refused at once, and tried again every few seconds.")
	add(p.Operations["SUPPORT"] > 0, true, link("operations"), "%s for somebody's word, in step SUPPORT.", waits(p.Operations["SUPPORT"]))
	add(!p.Reload.OK, true, "", "The configuration that was read last is wrong; the one before is in force. The log says why.")
	add(p.Stuck > 0, false, link("operations"), "%s for longer than is usual in a step.", waits(p.Stuck))
	add(p.V5Sums.Refused > 0, false, link("v5"), "v5 refused %s of the last hour with 429: something else uses up the limit of this address.", count(p.V5Sums.Refused, "request"))
	add(store.Bytes > 64<<20 && p.Free*2 > store.Bytes, false, "", "More than half of the store is free pages: gateway store compact makes it small again.")
	return list
}

func waits(n int) string {
	if n == 1 {
		return "1 operation waits"
	}
	return number(n) + " operations wait"
}
