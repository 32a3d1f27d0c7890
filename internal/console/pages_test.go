package console

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"v3gate/internal/telemetry"
)

// has fails for each text that a page lacks.
func (r *rig) has(target string, texts ...string) {
	r.t.Helper()
	body := r.page(target)
	for _, want := range texts {
		if !strings.Contains(body, want) {
			r.t.Errorf("%s does not have %s", target, want)
		}
	}
}

func (r *rig) hasNot(target string, texts ...string) {
	r.t.Helper()
	body := r.page(target)
	for _, never := range texts {
		if strings.Contains(body, never) {
			r.t.Errorf("%s has %s", target, never)
		}
	}
}

func (r *rig) call(method string, c telemetry.Caller, fault bool, times int) {
	for range times {
		r.needs.Activity.Call(method, c, fault)
	}
}

func TestOverview(t *testing.T) {
	r := newRig(t)
	r.call("domain.info", telemetry.Caller{Tenant: "a"}, false, 1200)
	r.call("domain.info", telemetry.Caller{Tenant: "a"}, true, 34)
	r.has("/console/", "<title>Overview · v3gate</title>", ">Ready<", "1.2.3", "0123456789ab", "up for 1 d 2 h", "5.0 MiB", "of 1\u202f280", "48.0 KiB",
		"123\u202f456", "closed", "3 wait", "read 1 h ago", `<th scope="row">a`, "read_only", "30 in 2 s", "unlimited", "and calls without a key",
		"1\u202f234", "34 faults", "domain.info", `aria-current="page"`, "Nothing. No operation waits")
	r.hasNot("/console/", "Not ready", "contact.info")
	r.state.NotReady, r.state.V5.Refusing, r.state.Reload.OK, r.state.Stuck, r.state.Store.Replaced = "the disk is full", true, false, 3, true
	r.state.Operations["SUPPORT"] = 1
	r.state.Store.Bytes, r.state.Store.FreePages = 1<<30, 200_000
	r.needs.Activity.V5Request(429)
	r.has("/console/", ">Not ready<", "not ready: the disk is full.", "v5 does not answer", "1 operation waits for somebody", "3 operations wait for longer",
		"the one before is in force", "was replaced", "More than half of the store", "v5 refused 1 request ")
	r.hasNot("/console/", "Nothing. No operation waits")
}

func TestCalls(t *testing.T) {
	r := newRig(t)
	r.has("/console/calls", "Nobody has called since the start", "3 methods")
	r.call("domain.info", telemetry.Caller{}, true, 3)
	r.at = now.Add(2 * time.Hour)
	r.call("unheard.of", telemetry.Caller{}, true, 1)
	r.has("/console/calls", "in the last hour", `aria-label="No calls of domain.info in the last hour."`,
		`aria-label="1 calls of unknown in the last hour, at most 1 in a minute, at 14:30 UTC. Faults: 1."`, "2 h", "<li>contact.info</li>")
	r.has("/console/calls?span=day", "in the last 24 hours", "3 calls of domain.info", "100 %")
	r.has("/console/calls?span=<script>", "in the last hour")
	if n := strings.Count(r.page("/console/calls"), "<path"); n > 3*3+3 {
		t.Errorf("%d paths", n)
	}
}

func TestCallers(t *testing.T) {
	r := newRig(t)
	r.call("domain.info", telemetry.Caller{Tenant: "a", Agent: "python/1 " + strings.Repeat("k", 24), Remote: "192.0.2.7"}, true, 2)
	r.call("contact.info", telemetry.Caller{}, false, 1)
	r.has("/console/callers", "python/1 ***", "a · 192.0.2.7", "no User-Agent", "no tenant", "Methods still in use")
	r.hasNot("/console/callers", strings.Repeat("k", 24))
	for i := range 100_000 {
		r.call("domain.info", telemetry.Caller{Tenant: fmt.Sprint("t", i%4), Agent: fmt.Sprint("made up ", i), Remote: "192.0.2.9"}, false, 1)
	}
	body := r.page("/console/callers")
	if n := strings.Count(body, "<tr>"); n > 2*onPage+5 || len(body) > 100_000 || !strings.Contains(body, "others") {
		t.Errorf("%d rows in %d bytes", n, len(body))
	}
}

func TestOperations(t *testing.T) {
	r := newRig(t)
	r.has("/console/operations", "1 open", `<a href="/console/operations/1000000000">`, "domain_create", "example.com", "RUN", "2 min", "1 to 1 of 1")
	r.has("/console/operations?id=1000000000", "<h1>Operation 1000000000</h1>")
	r.has("/console/operations/1000000000", "in this step for 2 min", "written down, nothing is sent", "v5 took the call", "1 min", `href="/console/handles/FLN1-GANDI"`, "1 ×")
	r.hasNot("/console/operations/1000000000", "gateway ops resolve", "Work list")
	r.ops[0].Step, r.ops[0].State, r.ops[0].Error, r.ops[0].ErrorType = "SUPPORT", "unknown", MaskText("its name is unavailable"), "registry:refused"
	r.ops[0].Work = Work{All: 9, Done: 5, Failed: 1, Todo: 3, Open: []Item{{"example.com admin", "failed", 3, MaskText("v5 answered 500")}}}
	r.has("/console/operations/1000000000", "gateway ops resolve 1000000000 --happened", "its name is unavailable", "registry:refused",
		"9 calls: 5 done, 0 under way, 3 to do, 0 skipped, 1 failed", "example.com admin", "v5 answered 500")
	r.ops = nil
	r.has("/console/operations", "None open", "Every operation is at its end")
	for i := range 120 {
		r.ops = append(r.ops, Operation{ID: int64(i + 1), Step: "RUN", Stuck: i == 0})
	}
	r.has("/console/operations", "120 open", "1 to 50 of 120", "page=2", "longer than usual")
	r.has("/console/operations?page=3", "101 to 120 of 120", "page=2", `/operations/120"`)
	r.has("/console/operations?page=999999", "There are not so many")
	for _, page := range []string{"-1", "0", "x", "99999999999999999999", "1000001"} {
		r.has("/console/operations?page="+page, "1 to 50 of 120")
	}
}

func TestHandles(t *testing.T) {
	r := newRig(t)
	r.has("/console/handles", "FLN1-GANDI", "F*** N*** L***", "f***@e***", "example.com", "owner and tech", "example.net")
	r.has("/console/handles?handle=+fln1-gandi+", "<h1>FLN1-GANDI</h1>", "&#43;33.***", "1000000001", "person")
	r.has("/console/handles?handle=", "All, in order")
	r.handles = nil
	for i := range 100_000 {
		r.handles = append(r.handles, Handle{Handle: fmt.Sprintf("FLN%d-GANDI", 5_000_000+i), Tenant: "a"})
	}
	target, seen := "/console/handles?after=FLN5099870-GANDI", 0
	for target != "" {
		body := r.page(target)
		n := strings.Count(body, `<th scope="row">`)
		if seen += n; n > onPage || len(body) > 50_000 {
			t.Fatalf("%s: %d rows in %d bytes", target, n, len(body))
		}
		next := regexp.MustCompile(`href="(/console/handles\?after=[^"]*)" rel="next"`).FindStringSubmatch(body)
		if target = ""; next != nil {
			target = next[1]
		}
	}
	if seen != 129 {
		t.Errorf("%d handles after the one", seen)
	}
}

func TestUsesOfAHandleArePaged(t *testing.T) {
	r := newRig(t)
	uses := []Use{}
	for i := range 1000 {
		fqdn := fmt.Sprintf("domain%04d.com", i)
		uses = append(uses, Use{"a", fqdn, "owner"}, Use{"a", fqdn, "tech"})
	}
	r.uses["FLN1-GANDI"] = uses
	r.has("/console/handles", "domain0002.com", "and more")
	r.hasNot("/console/handles", "domain0003.com")
	target, seen := "/console/handles/FLN1-GANDI", 0
	for target != "" {
		body := r.page(target)
		n := strings.Count(body, "<bdi>domain")
		if seen += n; n > 4*onPage {
			t.Fatalf("%s: %d domains", target, n)
		}
		next := regexp.MustCompile(`href="([^"]*)" rel="next"`).FindStringSubmatch(body)
		if target = ""; next != nil {
			target = strings.ReplaceAll(next[1], "&amp;", "&")
		}
	}
	if seen != 1000 {
		t.Errorf("%d domains", seen)
	}
}

func TestV5(t *testing.T) {
	r := newRig(t)
	r.has("/console/v5", "Nothing was asked of v5 in the last hour", "1\u202f000 a minute", "Breaker closed", "https://api.example/v5")
	for i := range 500 {
		r.needs.Activity.V5Request([]int{200, 429, 503, 0, 202}[i%5])
	}
	r.needs.Activity.V5Waited(400 * time.Millisecond)
	r.needs.Activity.V5Waited(200 * time.Millisecond)
	r.has("/console/v5", "50 % of 1\u202f000", "200 failed", "dashed: the budget", "for 300 ms each", "600 ms", "50 %", "500 requests to v5 in the last hour, at most 500 in a minute", "Failed or refused: 300.", "1 minute with requests")
	r.state.V5.PerMinute, r.state.V5.Refusing = 0, true
	r.has("/console/v5?span=day", "unlimited", "Breaker open", "1 half hour with requests")
}

func TestReport(t *testing.T) {
	r := newRig(t)
	r.has("/console/report", "<h1>Leaving v3</h1>", "python/1", "a · key 01234567 · 192.0.2.7", "510042 ×3, 500137 ×1", "without effect: params.community ×2",
		"GET /domain/domains/{d}", `href="/console/explain?method=domain.info"`, "43 calls in the last 30 days, at most 40 in a day, on 2026-01-01",
		"The last day with a call: 2026-01-02.", "4 faults", `aria-current="page">Leaving v3`, `<path class="bar" d="M0 64v-64`)
	if want := now.AddDate(0, 0, -29); !r.since.Equal(want) {
		t.Errorf("asked since %s", r.since)
	}
	r.has("/console/report?days=90", "in the last 90 days")
	for _, days := range []string{"0", "-1", "x", "999999999999999999999", "31"} {
		r.has("/console/report?days="+days, "in the last 30 days")
	}
	r.report.Lines[0].Others, r.report.Lines[0].V5, r.report.Lines[0].Support = true, nil, "unknown"
	r.report.Lines[0].Note = "why <b>"
	r.has("/console/report", "others", "nothing: why &lt;b&gt;")
	r.hasNot("/console/report", "192.0.2.7", "/console/explain?method")
	for range 5000 {
		r.report.Lines = append(r.report.Lines, r.report.Lines[0])
	}
	r.report.LeftOut = 7
	r.has("/console/report", "And 4\u202f908 with fewer calls")
	if body := r.page("/console/report"); len(body) > 100_000 {
		t.Errorf("%d bytes", len(body))
	}
	r.report = Report{Days: make([]ReportDay, 30)}
	r.has("/console/report", "Nobody has called in the last 30 days", "No calls in the last 30 days.")
}

func TestExplain(t *testing.T) {
	r := newRig(t)
	r.has("/console/explain", `<option value="contact.info">`, "Nothing is sent")
	r.hasNot("/console/explain", "<pre")
	if len(r.explained) > 0 {
		t.Errorf("without a method it explains %v", r.explained)
	}
	const target = "/console/explain?method=+domain.info&params=%22example.com%22"
	r.has(target, `value="domain.info"`, "1. GET, answered with 200", "curl -sS &#39;https://v5.test/v5/domain/domains/example.com&#39; \\\n  -H",
		"assumed, after being asked 3 times", "From here on it is sent behind the answer", "{&#34;fqdn&#34;:&#34;example.com&#34;}")
	if len(r.explained) != 1 || r.explained[0] != `domain.info "example.com"` {
		t.Errorf("%q is explained", r.explained)
	}
	r.told = Explanation{Problem: "There is no method."}
	r.has(target, "There is no method.")
	r.hasNot(target, "<pre")
	r.told = Explanation{Fault: "fault 510042: not found"}
	r.has(target, "It becomes no v5 request", "fault 510042")
	n := len(r.explained)
	r.has(target+strings.Repeat("x", mostParams), "too many parameters")
	req := httptest.NewRequest("GET", target, nil)
	req.Host = "127.0.0.1:9090"
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	if r.handler.ServeHTTP(w, req); !strings.Contains(w.Body.String(), "press Explain") || len(r.explained) != n {
		t.Errorf("another site has %v explained: %s", r.explained[n:], w.Body)
	}
}

// Whatever a stranger can put into a caller, a domain or a reason is text on
// every page.
func TestHostileTextsAreEscaped(t *testing.T) {
	r := newRig(t)
	// What is ours, such as types and tenants, is escaped; a stranger's is without
	// what hides in it, too.
	r.call("domain.info", telemetry.Caller{Tenant: markup, Agent: hostile, Remote: hostile}, true, 1)
	op := &r.ops[0]
	op.Tenant, op.Type, op.Source, op.State, op.Step = markup, markup, markup, markup, markup
	op.Domain, op.ErrorType, op.Error = hostile, hostile, MaskText(hostile)
	op.Work = Work{All: 1, Open: []Item{{hostile, markup, 1, MaskText(hostile)}}}
	r.handles[0].Handle, r.handles[0].Kind, r.handles[0].Tenant = markup, markup, markup
	r.uses[markup] = []Use{{markup, hostile, markup}}
	r.state.NotReady, r.state.Version, r.state.V5.Address = hostile, markup, hostile
	r.state.Tenants[0].Name = markup
	l := &r.report.Lines[0]
	l.Tenant, l.Key, l.Agent, l.Remote, l.Method, l.Support = markup, markup, hostile, hostile, markup, markup
	l.Codes, l.Ignored, l.V5 = map[string]uint64{hostile: 1}, map[string]uint64{hostile: 1}, []string{markup}
	r.told = Explanation{Call: hostile, Support: markup, Note: markup, Answer: hostile, Requests: []ExplainedRequest{{Method: markup, Curl: hostile + "\n" + hostile, Status: markup}}}
	targets := append(r.everyPage(), "/console/explain?method="+queryHostile+"%E2%80%AE&params="+queryHostile+"%E2%80%AE%00%FF", "/console/handles?handle="+queryHostile, "/console/handles?after="+queryHostile, "/console/operations?id="+queryHostile)
	for _, target := range targets {
		body := r.ask("GET", target).Body.String()
		if strings.Contains(body, "<script") || strings.Contains(body, "<img") || strings.Contains(body, "onerror=alert(1)>") {
			t.Errorf("%s lets it through", target)
		}
		if strings.ContainsAny(body, "\u202e\x00\ufffd") {
			t.Errorf("%s has what hides in a text", target)
		}
	}
}

const queryHostile = "%3Cscript%3Ealert(1)%3C/script%3E%22%27%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"
