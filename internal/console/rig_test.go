package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"v3gate/internal/telemetry"
)

// hostile is what a stranger would like to see on a page as it is.
const (
	markup  = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
	hostile = markup + "\u202e\x00\xff"
)

var now = time.Date(2026, 1, 2, 12, 30, 15, 0, time.UTC)

// rig is a console in front of data that a test may change. It begins with one of
// everything.
type rig struct {
	t         *testing.T
	at        time.Time
	state     State
	ops       []Operation
	handles   []Handle
	uses      map[string][]Use
	report    Report
	since     time.Time // of the last report
	explained []string
	told      Explanation
	err       error // of everything that is asked
	failed    []error
	needs     Needs
	handler   http.Handler
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, at: now, uses: map[string][]Use{}}
	r.state = State{
		Version: "1.2.3", Commit: "0123456789abcdef", GoVersion: "go1.26", Started: now.Add(-26 * time.Hour),
		Store:   Store{Bytes: 5 << 20, PageSize: 4096, FreePages: 12},
		Tenants: []Tenant{{Name: "a", Mode: "normal", InFlight: 64, Rate: 30, Window: 2 * time.Second}, {Name: "b", Mode: "read_only", Anonymous: true}},
		Reload:  Reload{At: now.Add(-time.Hour), OK: true},
		V5:      V5{Address: "https://api.example/v5", PerMinute: 1000, Waiting: 3, InFlight: 7}, Handles: 123456,
		Operations: map[string]int{"DONE": 40, "RUN": 2},
	}
	r.ops = []Operation{{
		ID: 1000000000, Tenant: "a", Type: "domain_create", Domain: "example.com", Step: "RUN", State: "accepted", Source: "FLN1-GANDI",
		Sends: 1, Created: now.Add(-3 * time.Minute), Since: now.Add(-2 * time.Minute), Update: now.Add(-time.Minute),
		Passed: []Passage{{"BILL", "intended", now.Add(-3 * time.Minute)}, {"RUN", "accepted", now.Add(-2 * time.Minute)}},
	}}
	r.handles = []Handle{{Handle: "FLN1-GANDI", Tenant: "a", ID: 1000000001, Created: now.Add(-time.Hour), Kind: "person",
		Name: MaskName("First Name", "Last"), Email: MaskEmail("first@example.com"), Phone: MaskPhone("+33.123456789")}}
	r.uses["FLN1-GANDI"] = []Use{{"a", "example.com", "owner"}, {"a", "example.com", "tech"}, {"a", "example.net", "bill"}}
	r.report = Report{
		Days: []ReportDay{{now.AddDate(0, 0, -1), 40, 4}, {now, 3, 0}},
		Lines: []ReportLine{{Tenant: "a", Key: "01234567", Agent: "python/1", Remote: "192.0.2.7", Method: "domain.info", Support: "full", Calls: 42, Faults: 4,
			Codes: map[string]uint64{"510042": 3, "500137": 1}, Ignored: map[string]uint64{"params.community": 2}, Last: now, V5: []string{"GET /domain/domains/{d}"}}},
	}
	r.told = Explanation{Call: `domain.info(apikey, "example.com")`, Support: "full", Answer: `{"fqdn":"example.com"}`, Requests: []ExplainedRequest{
		{Method: "GET", Curl: "curl -sS 'https://v5.test/v5/domain/domains/example.com' \\\n  -H \"Authorization: Bearer $GANDI_KEY\"", Status: "200", Times: 1},
		{Method: "GET", Curl: "curl -sS 'https://v5.test/v5/later'", Status: "404", Behind: true, Times: 3}}}
	r.needs = Needs{
		Report:  func(since time.Time) (Report, error) { r.since = since; return r.report, r.err },
		Methods: func() []string { return []string{"domain.info", "contact.info"} },
		Explain: func(_ context.Context, method, params string) (Explanation, error) {
			r.explained = append(r.explained, method+" "+params)
			return r.told, r.err
		},
		Now: func() time.Time { return r.at }, Failed: func(err error) { r.failed = append(r.failed, err) },
		Activity: telemetry.NewActivity([]string{"domain.info", "contact.info"}, func() time.Time { return r.at }),
		State:    func() (State, error) { return r.state, r.err },
		Operations: func(skip, most int) ([]Operation, int, error) {
			return r.ops[min(skip, len(r.ops)):min(skip+most, len(r.ops))], len(r.ops), r.err
		},
		Operation: func(id int64) (*Operation, error) {
			for i := range r.ops {
				if r.ops[i].ID == id {
					return &r.ops[i], r.err
				}
			}
			return nil, r.err
		},
		Handles: func(after string, most int) (page []Handle, more bool, err error) {
			for _, h := range r.handles {
				if h.Handle > after {
					if len(page) == most {
						return page, true, r.err
					}
					page = append(page, h)
				}
			}
			return page, false, r.err
		},
		Handle: func(handle string) (*Handle, error) {
			for i := range r.handles {
				if r.handles[i].Handle == handle {
					return &r.handles[i], r.err
				}
			}
			return nil, r.err
		},
		Uses: func(handle string, after Use, most int) ([]Use, bool, error) {
			uses := r.uses[handle]
			for i, u := range uses {
				if u == after {
					uses = uses[i+1:]
					break
				}
			}
			return uses[:min(most, len(uses))], len(uses) > most, r.err
		},
	}
	r.handler = New(r.needs)
	return r
}

// ask asks for a page as a browser on the same machine does.
func (r *rig) ask(method, target string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(method, target, nil)
	req.Host = "127.0.0.1:9090"
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

// page is the text of a page that is there.
func (r *rig) page(target string) string {
	r.t.Helper()
	w := r.ask("GET", target)
	if w.Code != http.StatusOK {
		r.t.Fatalf("%s: %d %s %v", target, w.Code, w.Body, r.failed)
	}
	return w.Body.String()
}

// everyPage are targets that show every template.
func (r *rig) everyPage() []string {
	list := []string{"/console/", "/console/calls", "/console/calls?span=day", "/console/callers", "/console/operations",
		"/console/handles", "/console/v5", "/console/v5?span=day", "/console/nothing", "/console/report", "/console/report?days=365",
		"/console/explain?method=domain.info&params=%22example.com%22"}
	for _, op := range r.ops[:min(len(r.ops), 3)] {
		list = append(list, fmt.Sprintf("/console/operations/%d", op.ID))
	}
	for _, h := range r.handles[:min(len(r.handles), 3)] {
		list = append(list, handleLink(h.Handle))
	}
	return list
}

var errBroken = errors.New("read secret-of-the-store: broken")
