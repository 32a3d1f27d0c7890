package telemetry

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestAdminPages(t *testing.T) {
	reg, _ := newTestMetrics(t)
	notReady := func() error { return errors.New("the store is not open") }
	several := func() error { return errors.Join(errors.New("one"), errors.New("two\r\n\tthree")) }
	silent := func() error { return errors.New("\n") }
	for _, c := range []struct {
		name, method, path string
		ready              func() error
		status             int
		body               string // the whole of it, unless it is the metrics
	}{
		{"alive", "GET", "/healthz", nil, 200, "ok\n"},
		{"alive though not ready", "GET", "/healthz", notReady, 200, "ok\n"},
		{"ready", "GET", "/readyz", func() error { return nil }, 200, "ok\n"},
		{"ready without a check", "GET", "/readyz", nil, 200, "ok\n"},
		{"not ready", "GET", "/readyz", notReady, 503, "the store is not open\n"},
		{"several reasons", "GET", "/readyz", several, 503, "one; two;  three\n"},
		{"no reason", "GET", "/readyz", silent, 503, "not ready\n"},
		{"query", "GET", "/healthz?verbose", nil, 200, "ok\n"},
		{"metrics", "GET", "/metrics", notReady, 200, ""},
		{"root", "GET", "/", nil, 404, "not found\n"},
		{"trailing slash", "GET", "/healthz/", nil, 404, "not found\n"},
		{"double slash", "GET", "//healthz", nil, 404, "not found\n"},
		{"dots", "GET", "/x/../metrics", nil, 404, "not found\n"},
		{"profiles", "GET", "/debug/pprof/", nil, 404, "not found\n"},
		{"post elsewhere", "POST", "/xmlrpc/", nil, 404, "not found\n"},
		{"post", "POST", "/metrics", nil, 405, "method not allowed\n"},
		{"put", "PUT", "/readyz", nil, 405, "method not allowed\n"},
		{"head", "HEAD", "/healthz", nil, 405, "method not allowed\n"},
		{"delete", "DELETE", "/healthz", nil, 405, "method not allowed\n"},
		{"options", "OPTIONS", "/healthz", nil, 405, "method not allowed\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			AdminHandler(reg, c.ready).ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			if c.body != "" && w.Body.String() != c.body {
				t.Errorf("body %q, want %q", w.Body, c.body)
			}
			if c.body == "" && !strings.Contains(w.Body.String(), "\ngateway_build_info{") {
				t.Errorf("no metrics in %s", w.Body)
			}
			if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
				t.Errorf("content type %q", got)
			}
			if allow := w.Header().Get("Allow"); (allow == "GET") != (c.status == 405) {
				t.Errorf("allow %q", allow)
			}
		})
	}
}

func TestReadyIsAskedEachTime(t *testing.T) {
	asked := 0
	h := AdminHandler(prometheus.NewRegistry(), func() error { asked++; return nil })
	for _, path := range []string{"/readyz", "/healthz", "/metrics", "/readyz"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

// brokenCollector reports an error instead of a metric.
type brokenCollector struct{}

func (brokenCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- prometheus.NewDesc("broken", "Broken.", nil, nil)
}

func (brokenCollector) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(prometheus.NewDesc("broken", "Broken.", nil, nil), errors.New("no reading"))
}

func TestBrokenCollectorFailsTheScrape(t *testing.T) {
	reg, _ := newTestMetrics(t)
	reg.MustRegister(brokenCollector{})
	w := httptest.NewRecorder()
	AdminHandler(reg, nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "gateway_build_info") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestHandlersRegisterNothing(t *testing.T) {
	reg := prometheus.NewRegistry()
	for range 2 {
		scrape(t, reg)
	}
	if families, err := reg.Gather(); err != nil || len(families) != 0 {
		t.Errorf("%d metrics, %v", len(families), err)
	}
}
