// Package telemetry is what the gateway says about itself: the JSON log, the
// Prometheus metrics and the admin endpoints that show them.
//
// It imports no other package of the project. Its arguments are strings,
// numbers and durations, and nothing here is global: each gateway brings its
// own registry, so that two can run in one process.
package telemetry

import (
	"runtime"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// unknown stands for a label value that was empty, not UTF-8, or outside the
// few that the label may have. It is one more value, never one for each bad
// input, and WithLabelValues would panic on text that is not UTF-8.
const unknown = "unknown"

// Build says which program is running. It becomes the labels of
// gateway_build_info; an empty GoVersion is filled in from the runtime.
type Build struct {
	Version   string
	Commit    string
	GoVersion string
}

// Metrics holds the gateway's counters, gauges and histograms. All methods may
// be called at any time from any goroutine, also while a scrape is running.
//
// The number of series stays bounded only because the callers hand over names
// from their own tables: a method of the table of v3 methods (or "unknown"), a
// parameter of that table, a v5 route as a pattern such as
// "POST /domain/domains/{fqdn}/renew", an operation type, a step. Text that a
// client sent, a domain name or an id must never be an argument here.
type Metrics struct {
	calls             *prometheus.CounterVec
	callDuration      *prometheus.HistogramVec
	faults            *prometheus.CounterVec
	ignoredParameters *prometheus.CounterVec

	v5Requests      *prometheus.CounterVec
	v5Duration      *prometheus.HistogramVec
	v5RateWait      *prometheus.HistogramVec
	v5AuthFailures  *prometheus.CounterVec
	v5DryRunIgnored *prometheus.CounterVec
	unmappedErrors  *prometheus.CounterVec

	operations          *operationsGauge
	oldestOpen          *prometheus.GaugeVec
	operationsUndecided *prometheus.CounterVec
	operationsOvershoot *prometheus.CounterVec
	breakerOpen         *prometheus.GaugeVec
	handles             *prometheus.GaugeVec
	contactDrift        *prometheus.CounterVec
	zoneDrift           *prometheus.CounterVec
	listDomains         *prometheus.GaugeVec
	listUnread          *prometheus.GaugeVec
	listWalked          *prometheus.GaugeVec
	buildInfo           *prometheus.GaugeVec

	connections    *prometheus.GaugeVec
	limitWait      *prometheus.HistogramVec
	limitRefused   *prometheus.CounterVec
	configReloads  *prometheus.CounterVec
	configReloaded *prometheus.GaugeVec
	recordings     *prometheus.CounterVec
	oldV3          *prometheus.CounterVec
	shadow         *prometheus.CounterVec

	// Parts of the above, which each call counts in: to find them there takes longer
	// than to count.
	rateWaited  prometheus.Observer
	limitWaited lookup[string, prometheus.Observer]
	answered    lookup[answered, pair]
	exchanged   lookup[exchanged, pair]
}

// pair counts events and how long they took.
type pair struct {
	count prometheus.Counter
	took  prometheus.Observer
}

func (p pair) add(d time.Duration) {
	p.count.Inc()
	p.took.Observe(d.Seconds())
}

// answered and exchanged are what the calls and the requests to v5 are told apart by.
type (
	answered  struct{ method, outcome string }
	exchanged struct {
		route  string
		status int
	}
)

// NewMetrics creates every metric of the table and registers it on reg,
// together with the Go runtime and process collectors. A second call on the
// same registry panics: two gateways that count into one registry is a mistake
// in the wiring, and one that would not show in the numbers.
func NewMetrics(reg *prometheus.Registry, build Build) *Metrics {
	m := &Metrics{}
	for _, r := range table {
		reg.MustRegister(r.create(m, r.Metric))
	}
	reg.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)

	if build.GoVersion == "" {
		build.GoVersion = runtime.Version()
	}
	m.buildInfo.WithLabelValues(label(build.Version), label(build.Commit), label(build.GoVersion)).Set(1)

	// A series that starts at 1 shows no increase, so the ones that are known
	// beforehand start at 0.
	m.v5AuthFailures.WithLabelValues("401")
	m.v5AuthFailures.WithLabelValues("403")
	m.rateWaited = m.v5RateWait.WithLabelValues()
	m.BreakerOpen(false)
	m.contactDrift.WithLabelValues()
	m.zoneDrift.WithLabelValues()
	m.connections.WithLabelValues()
	for _, limit := range [...]string{"rate", "in_flight"} {
		m.limitWait.WithLabelValues(limit)
		m.limitRefused.WithLabelValues(limit)
	}
	m.configReloads.WithLabelValues("ok")
	m.configReloads.WithLabelValues("failed")
	m.configReloaded.WithLabelValues().Set(1)
	return m
}

// Call counts one answered v3 call and the time that it took. The outcome is
// "ok", "fault" (the caller is told why not), "refused" (v5 has no such thing,
// or the tenant's mode forbids it) or "error" (our own bug or an unreachable
// v5); anything else is counted as "unknown". The method comes from the table
// of v3 methods, "unknown" for all other names.
func (m *Metrics) Call(method, outcome string, d time.Duration) {
	switch outcome {
	case "ok", "fault", "refused", "error":
	default:
		outcome = unknown
	}
	m.answered.get(answered{method, outcome}, func() pair {
		method := label(method)
		return pair{m.calls.WithLabelValues(method, outcome), m.callDuration.WithLabelValues(method)}
	}).add(d)
}

// Fault counts one v3 fault by the number that the client saw.
func (m *Metrics) Fault(code int) {
	m.faults.WithLabelValues(strconv.Itoa(code)).Inc()
}

// V5Request counts one HTTP exchange with v5 and its duration without the wait
// for the rate limit; every attempt of a retried request is one of its own.
// Status 0 means that no answer came and is shown as "none".
func (m *Metrics) V5Request(route string, status int, d time.Duration) {
	if status != 0 && (status < 100 || status > 599) {
		status = -1 // for all that a peer may make up, see statusLabel
	}
	m.exchanged.get(exchanged{route, status}, func() pair {
		route := label(route)
		return pair{m.v5Requests.WithLabelValues(route, statusLabel(status)), m.v5Duration.WithLabelValues(route)}
	}).add(d)
}

// RateWait records how long a request was held back by our own rate limit. It
// is called for requests that did not wait too, with 0: only then does the
// histogram say which share of them waits.
func (m *Metrics) RateWait(d time.Duration) {
	m.rateWaited.Observe(d.Seconds())
}

// IgnoredParameter counts a parameter that a client gave and that the table
// marks as ignored. The parameter is the table's name for it, not the client's.
func (m *Metrics) IgnoredParameter(method, parameter string) {
	m.ignoredParameters.WithLabelValues(label(method), label(parameter)).Inc()
}

// UnmappedV5Error counts a v5 error for which no rule knows a v3 fault.
func (m *Metrics) UnmappedV5Error(route string) {
	m.unmappedErrors.WithLabelValues(label(route)).Inc()
}

// V5AuthFailure counts a 401 or 403 that concerns the tenant's v5 credential
// rather than the one thing asked for: somebody has to renew a token.
func (m *Metrics) V5AuthFailure(status int) {
	m.v5AuthFailures.WithLabelValues(statusLabel(status)).Inc()
}

// DryRunIgnored counts a 202 to a request that carried Dry-Run, by the type of
// the operation it was for. v5 answers a dry run with 200, so the 202 means that
// money was spent by a check.
func (m *Metrics) DryRunIgnored(opType string) {
	m.v5DryRunIgnored.WithLabelValues(label(opType)).Inc()
}

// OperationOvershoot counts an operation after which more had been done than it
// asked for: a domain renewed past what was wanted, by whomever.
func (m *Metrics) OperationOvershoot(opType string) {
	m.operationsOvershoot.WithLabelValues(label(opType)).Inc()
}

// BreakerOpen tells whether requests to v5 are refused for now because it does
// not answer.
func (m *Metrics) BreakerOpen(open bool) {
	value := 0.0
	if open {
		value = 1
	}
	m.breakerOpen.WithLabelValues().Set(value)
}

// OperationUndecided counts a paid operation whose outcome the reconciler could
// not establish by reads; it has gone to step SUPPORT and needs a person.
func (m *Metrics) OperationUndecided(opType string) {
	m.operationsUndecided.WithLabelValues(label(opType)).Inc()
}

// ContactDrift counts a contact of a domain that was found changed without the
// gateway, which then shows another handle there.
func (m *Metrics) ContactDrift() { m.contactDrift.WithLabelValues().Inc() }

// ZoneDrift counts a domain whose records were changed past the gateway and kept.
func (m *Metrics) ZoneDrift() { m.zoneDrift.WithLabelValues().Inc() }

// List is how far the mirror of a tenant's domains is.
func (m *Metrics) List(tenant string, domains, unread int, walked time.Time) {
	tenant = label(tenant)
	m.listDomains.WithLabelValues(tenant).Set(float64(domains))
	m.listUnread.WithLabelValues(tenant).Set(float64(unread))
	if !walked.IsZero() {
		m.listWalked.WithLabelValues(tenant).Set(float64(walked.Unix()))
	}
}

// SetOperations replaces the whole reading of operations by {type, step} and
// the age of the oldest one that is still open (0 when there is none). A pair
// that is no longer in counts disappears, and a scrape sees either the previous
// reading or this one, never an operation in two steps. The map is copied.
func (m *Metrics) SetOperations(counts map[[2]string]int, oldestOpen time.Duration) {
	m.operations.set(counts)
	m.oldestOpen.WithLabelValues().Set(oldestOpen.Seconds())
}

// SetHandles replaces the number of contact handles in the store.
func (m *Metrics) SetHandles(n int) {
	m.handles.WithLabelValues().Set(float64(n))
}

// Connection counts connections of the v3 endpoint: 1 for one that opened, -1
// for one that ended.
func (m *Metrics) Connection(change int) {
	m.connections.WithLabelValues().Add(float64(change))
}

// LimitWait records how long a call was held back by one of the gateway's
// limits, "rate" or "in_flight"; 0 for one that was not.
func (m *Metrics) LimitWait(limit string, d time.Duration) {
	m.limitWaited.get(limit, func() prometheus.Observer { return m.limitWait.WithLabelValues(label(limit)) }).Observe(d.Seconds())
}

// LimitRefused counts a call that a limit refused.
func (m *Metrics) LimitRefused(limit string) {
	m.limitRefused.WithLabelValues(label(limit)).Inc()
}

// OldV3 counts a call that was made at the old server: "answered", "fault" or
// "failed"; anything else is counted as "unknown".
func (m *Metrics) OldV3(method, became string) {
	switch became {
	case "answered", "fault", "failed":
	default:
		became = unknown
	}
	m.oldV3.WithLabelValues(label(method), became).Inc()
}

// Shadow counts a call whose two answers were to be compared: "equal",
// "different", "dropped" or "failed"; anything else is counted as "unknown".
func (m *Metrics) Shadow(method, became string) {
	switch became {
	case "equal", "different", "dropped", "failed":
	default:
		became = unknown
	}
	m.shadow.WithLabelValues(label(method), became).Inc()
}

// RecorderBegins has the recorder's series start at 0, in a gateway that has one.
func (m *Metrics) RecorderBegins() {
	for _, became := range [...]string{"written", "dropped", "too_large", "full", "failed"} {
		m.recordings.WithLabelValues(became)
	}
}

// Recorded counts a call by what the recorder made of it: "written", "dropped",
// "too_large", "full" or "failed"; anything else is counted as "unknown".
func (m *Metrics) Recorded(became string) {
	switch became {
	case "written", "dropped", "too_large", "full", "failed":
	default:
		became = unknown
	}
	m.recordings.WithLabelValues(became).Inc()
}

// ConfigReload counts one reading of the configuration while running, and tells
// whether what was read is in use.
func (m *Metrics) ConfigReload(ok bool) {
	result, last := "ok", 1.0
	if !ok {
		result, last = "failed", 0
	}
	m.configReloads.WithLabelValues(result).Inc()
	m.configReloaded.WithLabelValues().Set(last)
}

// label makes any string fit to be a label value.
func label(s string) string {
	if s == "" || !utf8.ValidString(s) {
		return unknown
	}
	return s
}

// statusLabel bounds what a peer can put into a label: an answer's status line
// may carry any three digits and more.
func statusLabel(status int) string {
	switch {
	case status == 0:
		return "none"
	case status < 100 || status > 599:
		return unknown
	}
	return strconv.Itoa(status)
}
