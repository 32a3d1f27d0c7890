package gateway

import (
	"context"
	"time"

	"v3gate/internal/console"
)

// consoleReport is the report in the console's words.
func (g *Gateway) consoleReport(since time.Time) (shown console.Report, err error) {
	report, err := g.report(since, "")
	if err != nil {
		return shown, err
	}
	shown.LeftOut = report.LeftOut
	for _, d := range report.Days {
		shown.Days = append(shown.Days, console.ReportDay(d))
	}
	for _, l := range report.Lines {
		shown.Lines = append(shown.Lines, console.ReportLine{
			Tenant: l.Tenant, Key: l.Key, Agent: l.Agent, Remote: l.Remote, Others: l.Others, Method: l.Method, Support: l.Support,
			Calls: l.Calls, Faults: l.Faults, Codes: l.Codes, Ignored: l.Ignored, Last: l.Last, V5: l.V5, Note: l.Note,
		})
	}
	return shown, nil
}

// consoleExplain explains a call with placeholders for contacts: a page shows none
// of this gateway's.
func (g *Gateway) consoleExplain(ctx context.Context, method, params string) (console.Explanation, error) {
	if _, ok := g.services.Table.Find(method); !ok {
		return console.Explanation{Problem: "There is no method " + method + "."}, nil
	}
	values, err := jsonValues(params)
	if err != nil {
		return console.Explanation{Problem: "The parameters are no JSON values with blanks between them, such as \"example.com\" 42."}, nil
	}
	if g.simulated == nil {
		return console.Explanation{Problem: "This gateway was made without a simulation of v5; gateway explain has one."}, nil
	}
	x, err := Explain(ctx, Explaining{Method: method, Params: values, Beside: g.cfg.Store, Simulation: g.simulated})
	if err != nil {
		return console.Explanation{}, err
	}
	shown := console.Explanation{Call: x.Call, Support: x.Support, Note: x.Note, Answer: x.Answer, Fault: x.Fault, Open: x.Open}
	for _, r := range x.Requests {
		shown.Requests = append(shown.Requests, console.ExplainedRequest{Method: r.Method, Curl: r.Curl, Status: r.Status, Behind: r.Behind, Times: r.Times})
	}
	return shown, nil
}
