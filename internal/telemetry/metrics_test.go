package telemetry

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func newTestMetrics(t *testing.T) (*prometheus.Registry, *Metrics) {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	return reg, NewMetrics(reg, Build{Version: "1.2.3", Commit: "abcdef", GoVersion: "go1.26"})
}

// exposition is what a scrape shows of the gateway's own metrics, without
// comments and without the bounds of histograms.
func exposition(t *testing.T, reg *prometheus.Registry) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(scrape(t, reg)) {
		if strings.HasPrefix(line, "gateway_") && !strings.Contains(line, "_bucket{") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func scrape(t *testing.T, reg *prometheus.Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	AdminHandler(reg, nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// exercise calls every method once or more.
func exercise(m *Metrics) {
	m.Call("domain.info", "ok", 250*time.Millisecond)
	m.Call("domain.info", "ok", 500*time.Millisecond)
	m.Call("domain.info", "fault", 125*time.Millisecond)
	m.Call("domain.create", "refused", time.Millisecond)
	m.Call("unknown", "error", time.Millisecond)
	m.Fault(510042)
	m.V5Request("GET /domain/domains/{fqdn}", 200, 250*time.Millisecond)
	m.V5Request("GET /domain/domains/{fqdn}", 0, 30*time.Second)
	m.RateWait(0)
	m.RateWait(500 * time.Millisecond)
	m.IgnoredParameter("contact.create", "newsletter")
	m.UnmappedV5Error("POST /domain/domains")
	m.V5AuthFailure(401)
	m.DryRunIgnored("domain_create")
	m.OperationUndecided("domain_renew")
	m.OperationOvershoot("domain_renew")
	m.BreakerOpen(true)
	m.SetOperations(map[[2]string]int{{"domain_create", "RUN"}: 2, {"domain_renew", "SUPPORT"}: 1}, 90*time.Second)
	m.SetHandles(7)
	m.ContactDrift()
	m.ZoneDrift()
	m.List("acme", 500, 20, time.Unix(1_700_000_000, 0))
	m.Connection(1)
	m.Connection(1)
	m.Connection(-1)
	m.LimitWait("rate", 0)
	m.LimitWait("rate", 250*time.Millisecond)
	m.LimitWait("in_flight", time.Second)
	m.LimitRefused("in_flight")
	m.ConfigReload(true)
	m.ConfigReload(false)
	m.Recorded("written")
	m.OldV3("domain.info", "answered")
	m.Shadow("domain.info", "different")
}

func TestExposition(t *testing.T) {
	reg, m := newTestMetrics(t)
	exercise(m)
	want := strings.Split(strings.TrimSpace(`
gateway_build_info{commit="abcdef",go="go1.26",version="1.2.3"} 1
gateway_call_duration_seconds_sum{method="domain.create"} 0.001
gateway_call_duration_seconds_count{method="domain.create"} 1
gateway_call_duration_seconds_sum{method="domain.info"} 0.875
gateway_call_duration_seconds_count{method="domain.info"} 3
gateway_call_duration_seconds_sum{method="unknown"} 0.001
gateway_call_duration_seconds_count{method="unknown"} 1
gateway_calls_total{method="domain.create",outcome="refused"} 1
gateway_calls_total{method="domain.info",outcome="fault"} 1
gateway_calls_total{method="domain.info",outcome="ok"} 2
gateway_calls_total{method="unknown",outcome="error"} 1
gateway_config_last_reload_success 0
gateway_config_reloads_total{result="failed"} 1
gateway_config_reloads_total{result="ok"} 1
gateway_connections 1
gateway_contact_drift_total 1
gateway_faults_total{code="510042"} 1
gateway_handles 7
gateway_ignored_parameters_total{method="contact.create",parameter="newsletter"} 1
gateway_limit_refused_total{limit="in_flight"} 1
gateway_limit_refused_total{limit="rate"} 0
gateway_limit_wait_seconds_sum{limit="in_flight"} 1
gateway_limit_wait_seconds_count{limit="in_flight"} 1
gateway_limit_wait_seconds_sum{limit="rate"} 0.25
gateway_limit_wait_seconds_count{limit="rate"} 2
gateway_list_domains{tenant="acme"} 500
gateway_list_unread_domains{tenant="acme"} 20
gateway_list_walked_timestamp_seconds{tenant="acme"} 1.7e+09
gateway_old_v3_calls_total{method="domain.info",old_v3="answered"} 1
gateway_operations{step="RUN",type="domain_create"} 2
gateway_operations{step="SUPPORT",type="domain_renew"} 1
gateway_operations_oldest_open_seconds 90
gateway_operations_overshoot_total{type="domain_renew"} 1
gateway_operations_undecided_total{type="domain_renew"} 1
gateway_recordings_total{recording="written"} 1
gateway_shadow_total{method="domain.info",shadow="different"} 1
gateway_unmapped_v5_errors_total{route="POST /domain/domains"} 1
gateway_v5_auth_failures_total{status="401"} 1
gateway_v5_auth_failures_total{status="403"} 0
gateway_v5_breaker_open 1
gateway_v5_dry_run_ignored_total{type="domain_create"} 1
gateway_v5_rate_wait_seconds_sum 0.5
gateway_v5_rate_wait_seconds_count 2
gateway_v5_request_duration_seconds_sum{route="GET /domain/domains/{fqdn}"} 30.25
gateway_v5_request_duration_seconds_count{route="GET /domain/domains/{fqdn}"} 2
gateway_v5_requests_total{route="GET /domain/domains/{fqdn}",status="200"} 1
gateway_v5_requests_total{route="GET /domain/domains/{fqdn}",status="none"} 1
gateway_zone_drift_total 1`), "\n")
	if diff := cmp.Diff(want, exposition(t, reg)); diff != "" {
		t.Error(diff)
	}
}

func TestFreshRegistry(t *testing.T) {
	reg, _ := newTestMetrics(t)
	want := []string{
		`gateway_build_info{commit="abcdef",go="go1.26",version="1.2.3"} 1`,
		`gateway_config_last_reload_success 1`,
		`gateway_config_reloads_total{result="failed"} 0`,
		`gateway_config_reloads_total{result="ok"} 0`,
		`gateway_connections 0`,
		`gateway_contact_drift_total 0`,
		`gateway_limit_refused_total{limit="in_flight"} 0`,
		`gateway_limit_refused_total{limit="rate"} 0`,
		`gateway_limit_wait_seconds_sum{limit="in_flight"} 0`,
		`gateway_limit_wait_seconds_count{limit="in_flight"} 0`,
		`gateway_limit_wait_seconds_sum{limit="rate"} 0`,
		`gateway_limit_wait_seconds_count{limit="rate"} 0`,
		`gateway_v5_auth_failures_total{status="401"} 0`,
		`gateway_v5_auth_failures_total{status="403"} 0`,
		`gateway_v5_breaker_open 0`,
		`gateway_v5_rate_wait_seconds_sum 0`,
		`gateway_v5_rate_wait_seconds_count 0`,
		`gateway_zone_drift_total 0`,
	}
	if diff := cmp.Diff(want, exposition(t, reg)); diff != "" {
		t.Error(diff)
	}
	text := scrape(t, reg)
	wantHere := []string{"go_goroutines", "go_info"}
	if runtime.GOOS == "linux" {
		wantHere = append(wantHere, "process_open_fds", "process_start_time_seconds")
	}
	for _, name := range wantHere {
		if !strings.Contains(text, "\n"+name) {
			t.Errorf("no %s", name)
		}
	}
}

// TestLabelValuesAreBounded hands over what a careless caller might: nothing
// panics, the scrape stays valid, and nothing of it becomes a value of its own.
func TestLabelValuesAreBounded(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := NewMetrics(reg, Build{})
	m.Call("", "great", 0)
	m.Call("\xff", "", 0)
	for _, status := range []int{-1, 7, 600, 123456} {
		m.V5Request("", status, 0)
		m.V5AuthFailure(status)
	}
	m.SetOperations(map[[2]string]int{{"", "\xff"}: 1, {"\xfe", ""}: 2}, 0)
	var got []string
	for _, line := range exposition(t, reg) {
		if !strings.Contains(line, "_sum") && !strings.HasSuffix(line, " 0") {
			got = append(got, line)
		}
	}
	want := []string{
		`gateway_build_info{commit="unknown",go="` + runtime.Version() + `",version="unknown"} 1`,
		`gateway_call_duration_seconds_count{method="unknown"} 2`,
		`gateway_calls_total{method="unknown",outcome="unknown"} 2`,
		`gateway_config_last_reload_success 1`,
		`gateway_operations{step="unknown",type="unknown"} 3`,
		`gateway_v5_auth_failures_total{status="unknown"} 4`,
		`gateway_v5_request_duration_seconds_count{route="unknown"} 4`,
		`gateway_v5_requests_total{route="unknown",status="unknown"} 4`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSetOperationsReplacesTheReading(t *testing.T) {
	reg, m := newTestMetrics(t)
	counts := map[[2]string]int{{"domain_create", "RUN"}: 2, {"domain_renew", "WAIT"}: 1}
	m.SetOperations(counts, time.Minute)
	clear(counts) // the map stays the caller's
	if got := operationLines(t, reg); len(got) != 3 {
		t.Errorf("first reading: %q", got)
	}
	m.SetOperations(map[[2]string]int{{"domain_create", "DONE"}: 2}, 0)
	want := []string{
		`gateway_operations{step="DONE",type="domain_create"} 2`,
		`gateway_operations_oldest_open_seconds 0`,
	}
	if diff := cmp.Diff(want, operationLines(t, reg)); diff != "" {
		t.Error(diff)
	}
	m.SetOperations(nil, 0)
	if diff := cmp.Diff(want[1:], operationLines(t, reg)); diff != "" {
		t.Error(diff)
	}
}

func operationLines(t *testing.T, reg *prometheus.Registry) []string {
	t.Helper()
	var found []string
	for _, line := range exposition(t, reg) {
		if strings.HasPrefix(line, "gateway_operations") {
			found = append(found, line)
		}
	}
	return found
}

// TestScrapeSeesOneReading moves one operation to and fro while others scrape:
// it must be in exactly one step each time.
func TestScrapeSeesOneReading(t *testing.T) {
	reg, m := newTestMetrics(t)
	steps := []string{"BILL", "WAIT", "RUN"}
	m.SetOperations(map[[2]string]int{{"domain_create", steps[0]}: 1}, 0)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 2000 {
			m.SetOperations(map[[2]string]int{{"domain_create", steps[i%3]}: 1}, 0)
		}
	})
	for range 50 {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "gateway_operations" && len(f.GetMetric()) != 1 {
				t.Fatalf("%d series of one operation", len(f.GetMetric()))
			}
		}
	}
	wg.Wait()
}

func TestTwoRegistriesInOneProcess(t *testing.T) {
	one, m := newTestMetrics(t)
	two, _ := newTestMetrics(t)
	exercise(m)
	if n := len(exposition(t, one)); n != 48 {
		t.Errorf("the first gateway shows %d series", n)
	}
	if n := len(exposition(t, two)); n != 18 {
		t.Errorf("the second gateway shows %d series, some of the first", n)
	}
}

func TestSecondMetricsOnOneRegistryPanics(t *testing.T) {
	reg, _ := newTestMetrics(t)
	defer func() {
		if recover() == nil {
			t.Error("two gateways share a registry")
		}
	}()
	NewMetrics(reg, Build{})
}

func TestMetricsAreSafeForManyGoroutines(t *testing.T) {
	reg, m := newTestMetrics(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				exercise(m)
			}
		})
	}
	for range 5 {
		scrape(t, reg)
	}
	wg.Wait()
	text := scrape(t, reg)
	for _, want := range []string{
		`gateway_calls_total{method="domain.info",outcome="ok"} 400`,
		`gateway_v5_auth_failures_total{status="401"} 200`,
		`gateway_handles 7`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}
