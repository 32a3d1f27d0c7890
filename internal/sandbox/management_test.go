package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// manage calls the management handler.
func (r *rig) manage(method, path, body string) (int, string) {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.s.Management().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

func (r *rig) managed(method, path, body string) string {
	r.t.Helper()
	status, out := r.manage(method, path, body)
	if status != http.StatusOK {
		r.t.Fatalf("%s %s: %d %s", method, path, status, out)
	}
	return out
}

func TestManagementSeed(t *testing.T) {
	r := newRig(t, Options{})
	r.managed("POST", "/seed", `{
		"organizations": [{"id":"cust","name":"bob_roe","type":"individual","parent":"`+DefaultSharingID+`"}],
		"domains": ["bare.com", {"fqdn":"full.com","sharing_id":"cust","registry_ends_at":"2027-05-01T00:00:00Z",
			"owner":{"type":"company","given":"Bob","family":"Roe","orgname":"Roe","streetaddr":"x","country":"BE","email":"bob@example.org"},
			"nameservers":["a.net"],"status":["serverHold"],"services":[],"autorenew":true}],
		"taken": ["taken.com"], "balance": "5.00", "fail_create": {"bad.com":"domain_create:x_y"}}`)
	r.send("GET", "/domain/domains/bare.com", nil).want(t, 200)
	g := r.send("GET", "/domain/domains/full.com", nil).want(t, 200)
	for path, want := range map[string]any{
		"contacts.tech.orgname": "Roe", "dates.registry_ends_at": "2027-05-01T00:00:00Z", "autorenew.enabled": true,
		"sharing_space.sharing_space.id": DefaultSharingID, "autorenew.duration": 1.0,
	} {
		equal(t, path, g.at(path), want)
	}
	equal(t, "status", fmt.Sprint(g.at("status"), g.at("services"), g.at("nameservers")), "[serverHold] [] [a.net]")
	equal(t, "balance", r.send("GET", "/billing/info", nil).at("prepaid.amount"), any(5.0))

	for _, bad := range []string{
		"", "[]", "{}{}", `{"domain":["a.com"]}`, `{"domains":["no dots"]}`, `{"domains":[{"fqdn":"a.com","owners":{}}]}`,
		`{"domains":[{"fqdn":"a.com","owner":{"given":"x"}}]}`, `{"balance":"much"}`, `{"balance":"1.234"}`,
		`{"out_of_money":"no"}`, `{"fail_create":{"a.com":{"step":"DONE"}}}`, `{"next_error":{"status":99}}`,
		`{"organizations":[{"name":"x"}]}`, `{"next_error":{"path":"*","code":500}}`,
	} {
		if status, out := r.manage("POST", "/seed", bad); status != 400 || !strings.Contains(out, `"error"`) {
			t.Errorf("seed %s: %d %s", bad, status, out)
		}
	}
	r.send("GET", "/domain/domains/a.com", nil).want(t, 404)
}

func TestManagementLists(t *testing.T) {
	r := newRig(t, Options{})
	equal(t, "requests", r.managed("GET", "/requests", ""), "[]")
	equal(t, "ledger", r.managed("GET", "/ledger", ""), "[]")
	r.managed("POST", "/seed", `{"domains":["own.com"]}`)
	r.send("POST", "/domain/domains/own.com/renew?sharing_id="+DefaultSharingID, `{"duration":2}`, "Dry-Run: 1")
	r.send("POST", "/domain/domains/own.com/renew", `{}`)
	r.send("GET", "/no%2Fwhere", nil)
	equal(t, "requests", r.managed("GET", "/requests", ""),
		`[{"method":"POST","path":"/v5/domain/domains/own.com/renew","query":"sharing_id=`+DefaultSharingID+
			`","body":"{\"duration\":2}","status":200,"dry_run":true,"sharing_id":"`+DefaultSharingID+`"},`+
			`{"method":"POST","path":"/v5/domain/domains/own.com/renew","query":"","body":"{}","status":202,"dry_run":false,"sharing_id":""},`+
			`{"method":"GET","path":"/v5/no%2Fwhere","query":"","body":"","status":404,"dry_run":false,"sharing_id":""}]`)
	equal(t, "ledger", r.managed("GET", "/ledger", ""),
		`[{"what":"renew","fqdn":"own.com","years":1,"amount":"13.50","sharing_id":"`+DefaultSharingID+`"}]`)
	r.managed("POST", "/chaos", `{"error_rate":1}`)
	r.managed("POST", "/clock", `{"advance_s":5}`)
	r.managed("POST", "/reset", "")
	equal(t, "requests", len(r.s.Requests())+len(r.s.Ledger()), 0)
	equal(t, "clock", r.s.Now(), winter)
	r.send("GET", "/domain/domains/own.com", nil).want(t, 404)
	if status, _ := r.manage("GET", "/seed", ""); status != 405 {
		t.Errorf("GET /seed: %d", status)
	}
	if status, _ := r.manage("GET", "/nope", ""); status != 404 {
		t.Errorf("GET /nope: %d", status)
	}
}

func TestClock(t *testing.T) {
	base := winter
	s := New(Options{Now: func() time.Time { return base }})
	s.Advance(time.Hour)
	equal(t, "advanced", s.Now(), winter.Add(time.Hour))
	s.Freeze(true)
	base = base.Add(time.Minute)
	equal(t, "frozen", s.Now(), winter.Add(time.Hour))
	s.Advance(time.Second)
	equal(t, "advanced while frozen", s.Now(), winter.Add(time.Hour+time.Second))
	s.Freeze(true)
	s.Freeze(false)
	equal(t, "no jump", s.Now(), winter.Add(time.Hour+time.Second))
	base = base.Add(time.Minute)
	equal(t, "running", s.Now(), winter.Add(time.Hour+time.Second+time.Minute))

	r := newRig(t, Options{})
	equal(t, "answer", r.managed("POST", "/clock", `{"freeze":true,"advance_s":1.5}`), `{"frozen":true,"now":"2026-02-10T12:00:01.5Z"}`)
	for _, bad := range []string{"{}", `{"advance_s":-1}`, `{"advance":1}`, `{"advance_s":"1"}`} {
		if status, _ := r.manage("POST", "/clock", bad); status != 400 {
			t.Errorf("clock %s: %d", bad, status)
		}
	}
}

func TestNextError(t *testing.T) {
	r := newRig(t, Options{})
	r.seedNames("own.com")
	r.managed("POST", "/seed", `{"next_error":{"method":"POST","path":"/domain/domains/own.com/*","status":418,"body":{"a":1},"header":{"X-A":"b"}}}`)
	r.managed("POST", "/seed", `{"next_error":{"method":"GET","path":"/v5/domain/domains/own.com","status":502,"body":"<html>bad</html>"}}`)
	r.send("GET", "/domain/domains/own.com/renew", nil).want(t, 200)
	g := r.send("POST", "/domain/domains/own.com/renew", nil).want(t, 418)
	equal(t, "body", g.raw+g.header.Get("X-A"), `{"a":1}b`)
	g = r.send("GET", "/domain/domains/own.com", nil).want(t, 502)
	equal(t, "html", g.raw, "<html>bad</html>")
	equal(t, "media", g.header.Get("Content-Type"), "text/html; charset=utf-8")
	r.send("GET", "/domain/domains/own.com", nil).want(t, 200)
	equal(t, "no work", len(r.s.Ledger()), 0)

	// The work is done and its answer lost, once.
	r.managed("POST", "/seed", `{"next_error":{"method":"POST","path":"/domain/domains/own.com/renew","after_work":true}}`)
	if _, err := r.try("POST", "/domain/domains/own.com/renew", nil); err == nil {
		t.Error("the connection was not cut")
	}
	equal(t, "work", len(r.s.Ledger()), 1)
	last := r.s.Requests()
	equal(t, "status", last[len(last)-1].Status, 202)
	r.seed(Seed{NextError: &NextError{Path: "*", Status: 500, Body: "x", AfterWork: true}})
	r.send("POST", "/domain/domains/own.com/renew", nil).want(t, 500)
	equal(t, "work", len(r.s.Ledger()), 2)
	r.seed(Seed{NextError: &NextError{Path: "*"}})
	if _, err := r.try("POST", "/domain/domains/own.com/renew", nil); err == nil {
		t.Error("the connection was not cut")
	}
	equal(t, "no work", len(r.s.Ledger()), 2)
}

func TestChaos(t *testing.T) {
	r := newRig(t, Options{RandSeed: 7})
	r.seedNames("own.com")
	path := "/domain/domains/own.com/renew"
	r.managed("POST", "/chaos", `{"error_rate":1}`)
	html, plain := 0, 0
	for range 20 {
		g := r.send("POST", path, nil)
		if g.status < 500 {
			t.Fatalf("status %d", g.status)
		}
		if strings.HasPrefix(g.raw, "<html>") {
			html++
		} else if g.at("code") == any(float64(g.status)) {
			plain++
		}
	}
	if html == 0 || plain == 0 || html+plain != 20 {
		t.Errorf("%d html and %d json", html, plain)
	}
	equal(t, "chaos", r.managed("POST", "/chaos", `{"error_rate":0,"reject_429":1}`),
		`{"drop_after_work":0,"error_rate":0,"ignore_dry_run":false,"latency_ms":0,"reject_429":1}`)
	g := r.send("POST", path, nil).want(t, 429)
	equal(t, "headers", g.header.Get("Retry-After")+" "+g.header.Get("X-RateLimit-Limit")+" "+g.header.Get("X-RateLimit-Remaining"), "1 1000 0")
	equal(t, "no work", len(r.s.Ledger()), 0)

	r.managed("POST", "/chaos", `{"reject_429":0,"drop_after_work":1}`)
	if _, err := r.try("POST", path, nil); err == nil {
		t.Error("the connection was not cut")
	}
	equal(t, "work", len(r.s.Ledger()), 1)
	log := r.s.Requests()
	equal(t, "status", log[len(log)-1].Status, 202)

	r.managed("POST", "/chaos", `{"drop_after_work":0,"latency_ms":30,"ignore_dry_run":true,"seed":3}`)
	start := time.Now()
	r.send("POST", path, nil, "Dry-Run: 1").want(t, 202)
	if time.Since(start) < 30*time.Millisecond {
		t.Error("no latency")
	}
	for _, bad := range []string{`{"error_rate":2}`, `{"latency_ms":-1}`, `{"errors":1}`, `{"drop_after_work":"1"}`, ""} {
		if status, _ := r.manage("POST", "/chaos", bad); status != 400 {
			t.Errorf("chaos %s: %d", bad, status)
		}
	}
}

func TestWorkIsDoneAfterTheClientLeft(t *testing.T) {
	r := newRig(t, Options{})
	r.seedNames("own.com")
	r.s.SetChaos(Chaos{Latency: 150 * time.Millisecond})
	r.web.Timeout = 20 * time.Millisecond
	if _, err := r.try("POST", "/domain/domains/own.com/renew", nil); err == nil {
		t.Fatal("no time-out")
	}
	for end := time.Now().Add(5 * time.Second); len(r.s.Ledger()) == 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	equal(t, "charges", len(r.s.Ledger()), 1)
	equal(t, "status", r.s.Requests()[0].Status, 202)
}

func TestEqualSeedsDecideEqually(t *testing.T) {
	run := func() string {
		r := newRig(t, Options{RandSeed: 42})
		r.s.SetChaos(Chaos{ErrorRate: 0.3, Reject429: 0.3})
		var out []string
		for range 30 {
			out = append(out, fmt.Sprint(r.send("GET", "/organization/user-info", nil).status))
		}
		return strings.Join(out, " ")
	}
	equal(t, "second run", run(), run())
}

func TestConcurrentUse(t *testing.T) {
	var lines sync.Map
	r := newRig(t, Options{Now: time.Now, StepTime: time.Millisecond, Log: func(f string, a ...any) { lines.Store(fmt.Sprintf(f, a...), true) }})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			name := fmt.Sprintf("c%d.com", i)
			for _, step := range []func(){
				func() { _, _ = r.try("POST", "/domain/domains", order(name, nil)) },
				func() { _, _ = r.try("GET", "/domain/domains/"+name+"/createstatus", nil) },
				func() { r.s.Advance(time.Second) },
				func() { _, _ = r.try("POST", "/domain/domains/"+name+"/renew", nil) },
				func() { _, _ = r.try("GET", "/domain/domains", nil) },
				func() { r.s.Freeze(i%2 == 0) },
				func() { _ = r.s.Seed(Seed{Domains: []SeedDomain{{FQDN: "s" + name}}}) },
				func() { _, _ = r.try("PATCH", "/domain/domains/"+name+"/contacts", map[string]any{"tech": bob(nil)}) },
				func() { r.manage("GET", "/requests", ""); r.manage("GET", "/ledger", "") },
			} {
				step()
			}
		})
	}
	all.Wait()
	if got := len(r.s.Ledger()); got != 16 {
		t.Errorf("%d charges, want 16", got)
	}
	// One order of many for the same name is accepted.
	var accepted sync.Map
	for i := range 8 {
		all.Go(func() {
			if g, err := r.try("POST", "/domain/domains", order("race.com", nil)); err == nil && g.status == 202 {
				accepted.Store(i, true)
			}
		})
	}
	all.Wait()
	n := 0
	accepted.Range(func(any, any) bool { n++; return true })
	equal(t, "accepted", n, 1)
}

func TestAnswersAreWrittenWithoutTheLock(t *testing.T) {
	r := newRig(t, Options{})
	in, out := io.Pipe()
	defer in.Close()
	w := blockedWriter{http.Header{}, out}
	done := make(chan struct{})
	go func() {
		defer close(done)
		req := httptest.NewRequest("GET", "/v5/nowhere", nil)
		r.s.Handler().ServeHTTP(w, req)
	}()
	one := make([]byte, 1)
	if _, err := in.Read(one); err != nil {
		t.Fatal(err)
	}
	r.send("GET", "/organization/user-info", nil).want(t, 200)
	in.Close()
	<-done
}

// blockedWriter is a client that does not read.
type blockedWriter struct {
	header http.Header
	out    *io.PipeWriter
}

func (b blockedWriter) Header() http.Header         { return b.header }
func (b blockedWriter) WriteHeader(int)             {}
func (b blockedWriter) Write(p []byte) (int, error) { return b.out.Write(p) }
