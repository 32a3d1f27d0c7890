package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/translate"
	"v3gate/internal/usage"
)

// flushEvery is how often what was counted of callers is written down.
const flushEvery = time.Minute

// count counts a call for the report, in memory.
func (g *Gateway) count(c usage.Call) {
	if g.cfg.KeepReport > 0 {
		g.usage.Call(c)
	}
}

// counted is a call as the report counts it.
func (c *call) counted(fault int) usage.Call {
	who := c.caller()
	return usage.Call{Tenant: who.Tenant, Key: c.keyID, Agent: who.Agent, Remote: who.Remote, Method: c.Method, Fault: fault, Ignored: c.Untaken}
}

// keepCounting writes down what was counted now and then, until ctx ends.
func (g *Gateway) keepCounting(ctx context.Context) {
	failed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(flushEvery):
		}
		err := g.usage.Flush()
		if err != nil && !failed {
			g.log.Error("who called was not written down; it is tried again each minute", zap.Error(err))
		}
		failed = err != nil
	}
}

// Report is what is to be done before v3 can be left: who calls which methods, and
// what replaces them at v5.
type Report struct {
	usage.Report
	Lines []ReportLine `json:"lines"`
}

// ReportLine is an integration and one of the methods that it calls.
type ReportLine struct {
	usage.Line
	// Support, V5 and Note are what the table says of the method.
	Support string   `json:"support"`
	V5      []string `json:"v5"`
	Note    string   `json:"note,omitempty"`
}

// reportOf adds to counts what the table knows of their methods.
func reportOf(counted usage.Report, table *translate.Table) Report {
	r := Report{Report: counted, Lines: []ReportLine{}}
	for _, l := range counted.Lines {
		line := ReportLine{Line: l, Support: "unknown", V5: []string{}}
		if row, ok := table.Find(l.Method); ok {
			line.Support, line.V5, line.Note = string(row.Support), row.V5, row.Note
		}
		r.Lines = append(r.Lines, line)
	}
	r.Report.Lines = nil
	return r
}

// report gives what was counted, up to this moment.
func (g *Gateway) report(since time.Time, tenant string) (Report, error) {
	counted, err := g.usage.Read(since, tenant)
	return reportOf(counted, g.services.Table), err
}

func (g *Gateway) reportRoute(w http.ResponseWriter, r *http.Request) {
	since, err := time.Parse(time.RFC3339, r.URL.Query().Get("since"))
	if err != nil {
		http.Error(w, "since is no time in the form of RFC 3339", http.StatusBadRequest)
		return
	}
	unhurried(w)
	report, err := g.report(since, r.URL.Query().Get("tenant"))
	reply(w, report, err)
}

// Report gives what was counted from the day of a time on: through the daemon that
// runs on the store, or from the file itself, which is not written to. tenant is ""
// for all.
func (f StoreFile) Report(ctx context.Context, since time.Time, tenant string) (Report, error) {
	client, err := f.daemon()
	if err != nil {
		return Report{}, err
	}
	if client != nil {
		defer client.CloseIdleConnections()
		q := url.Values{"since": {since.UTC().Format(time.RFC3339)}, "tenant": {tenant}}
		return readDaemon[Report](ctx, client, "/report?"+q.Encode())
	}
	db, err := f.inspect()
	if err != nil {
		return Report{}, err
	}
	counted, err := usage.Read(db, since, time.Now(), tenant)
	return reportOf(counted, Table()), errors.Join(err, db.Close())
}
