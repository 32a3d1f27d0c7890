package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"v3gate/internal/config"
)

// compared ends what is compared and gives the report.
func (r *rig) compared(t *testing.T) *ShadowReport {
	t.Helper()
	k := r.forwarder.compare
	k.mu.Lock()
	if !k.closed {
		k.closed = true
		close(k.queue)
	}
	k.mu.Unlock()
	k.done.Wait()
	report, err := r.shadowReport()
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func (r *ShadowReport) of(method string) MethodReport {
	i := slices.IndexFunc(r.Methods, func(m MethodReport) bool { return m.Method == method })
	if i < 0 {
		return MethodReport{}
	}
	return r.Methods[i]
}

const oldVersion = "<methodResponse><params><param><value><struct><member><name>api_version</name><value>%s</value></member></struct></value></param></params></methodResponse>"

// Differences are told by where they are, never by what they are.
func TestDifferencesAreReportedByTheirPlace(t *testing.T) {
	r, o := routed(t, func(c *config.Config) { c.ShadowMethods = []string{"contact.*", "domain.*"} })
	handle := r.must(t, "contact.create", keyA, person())["handle"].(string)
	told := make(chan struct{})
	o.before = func(string, http.ResponseWriter) { <-told }
	ours := r.post(t, document("contact.info", keyA, handle))
	o.queued["contact.info"] = []string{"no answer", ours,
		strings.NewReplacer("Quackenbush", "Smithereens", "<name>zip</name>", "<name>zap@mail.example</name>").Replace(ours)}
	o.answers["domain.info"] = ours
	close(told)
	r.post(t, document("contact.info", keyA, handle))
	if got := r.post(t, document("contact.info", keyA, handle)); got != ours {
		t.Errorf("the caller gets\n%s", got)
	}
	if got := r.post(t, document("domain.info", keyA, "nowhere.net")); !strings.Contains(got, "<int>510042</int>") {
		t.Errorf("the caller gets\n%s", got)
	}
	report := r.compared(t)
	m := report.of("contact.info")
	var paths []string
	for _, p := range m.Paths {
		paths = append(paths, fmt.Sprintf("%s %d", p.Difference, p.Count))
	}
	slices.Sort(paths)
	want := []string{"family (value) 1", "zip (added) 1", "{} (missing) 1"}
	if m.Equal != 1 || m.Different != 1 || m.Failed != 1 || !slices.Equal(paths, want) {
		t.Errorf("%+v", m)
	}
	if d := report.of("domain.info"); d.Different != 1 || d.Paths[0].String() != "fault (added)" {
		t.Errorf("%+v", d)
	}
	if len(o.calls("contact.create")) > 0 {
		t.Error("a call that changes something was sent there")
	}
	for _, text := range []string{"Smithereens", "Quackenbush", "zap@mail", oldKeyA, "zeb@"} {
		if strings.Contains(r.log.String(), text) || strings.Contains(fmt.Sprintf("%+v", report), text) {
			t.Errorf("%s is told", text)
		}
	}
	if !strings.Contains(r.log.String(), "the old server answers otherwise") || !r.counted(t, `gateway_shadow_total{method="contact.info",shadow="different"} 1`) {
		t.Error("it is not logged or counted")
	}
}

// A server that is stuck changes and delays nothing; what waits for it is bounded.
func TestAStuckOldServerIsNotNoticed(t *testing.T) {
	r, o := routed(t, func(c *config.Config) {
		c.ShadowMethods, c.V5Rate = []string{"domain.info"}, 0
	})
	stuck := make(chan struct{})
	o.before = func(string, http.ResponseWriter) { <-stuck }
	t.Cleanup(func() { close(stuck) }) // before the server is closed
	const calls = comparers + comparisonsWaiting + 20
	for range calls {
		if got := r.post(t, document("domain.info", keyA, "nowhere.net")); !strings.Contains(got, "<int>510042</int>") {
			t.Fatalf("the caller gets\n%s", got)
		}
	}
	report, err := r.shadowReport()
	if err != nil {
		t.Fatal(err)
	}
	if n := report.of("domain.info").Dropped; n < 20 || n > 20+comparers {
		t.Errorf("%d of %d were dropped", n, calls)
	}
	if n := len(o.calls("")); n > comparers {
		t.Errorf("%d calls are at the old server", n)
	}
}

// With shadow_answer = v3 the caller gets theirs, and ours is made behind it.
func TestTheirAnswerCanBeTheCallers(t *testing.T) {
	r, o := routed(t, func(c *config.Config) {
		c.ShadowMethods, c.ShadowAnswer = []string{"domain.info", "version.info"}, "v3"
	})
	o.answers["domain.info"] = fmt.Sprintf(oldVersion, "theirs")
	if got := r.post(t, document("domain.info", keyA, "nowhere.net")); got != o.answers["domain.info"] {
		t.Errorf("the caller gets\n%s", got)
	}
	if m := r.compared(t).of("domain.info"); m.Different != 1 || m.Paths[0].String() != "fault (added)" {
		t.Errorf("%+v", m)
	}
}
