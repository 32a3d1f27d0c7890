package telemetry

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Type is the kind of a metric, in Prometheus's own words.
type Type string

// The kinds in use. There are no summaries: they cannot be added up over two
// gateways.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Metric is what a reader needs to know about one metric before using it in a
// rule or a panel.
type Metric struct {
	Name   string
	Type   Type
	Labels []string
	Help   string
}

// row is a metric and how it comes to life in a Metrics.
type row struct {
	Metric
	create func(m *Metrics, d Metric) prometheus.Collector
}

// table is the only list of the gateway's metrics: NewMetrics registers it and
// MetricsDoc prints it.
var table = []row{
	{Metric{
		"gateway_calls_total", Counter, []string{"method", "outcome"},
		"v3 calls answered, by method and outcome.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.calls, d) }},
	{Metric{
		"gateway_call_duration_seconds", Histogram, []string{"method"},
		"Time to answer a v3 call, waiting for v5 and for the rate limit included.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return histogram(&m.callDuration, d) }},
	{Metric{
		"gateway_faults_total", Counter, []string{"code"},
		"v3 faults sent, by fault number.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.faults, d) }},
	{Metric{
		"gateway_ignored_parameters_total", Counter, []string{"method", "parameter"},
		"Parameters that a client gave and that the gateway accepts without effect, as the methods' documentation says.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.ignoredParameters, d) }},
	{Metric{
		"gateway_v5_requests_total", Counter, []string{"route", "status"},
		"HTTP requests sent to v5, each attempt of a retried one counted, by route and answer.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.v5Requests, d) }},
	{Metric{
		"gateway_v5_request_duration_seconds", Histogram, []string{"route"},
		"Time from sending a request to v5 to its whole answer, without the wait for the rate limit.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return histogram(&m.v5Duration, d) }},
	{Metric{
		"gateway_v5_rate_wait_seconds", Histogram, nil,
		"Time that requests were held back by the gateway's own rate limit, 0 for those that were not.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return histogram(&m.v5RateWait, d) }},
	{Metric{
		"gateway_v5_auth_failures_total", Counter, []string{"status"},
		"Answers by which v5 rejects a tenant's credential. Renew the token or widen its permissions.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.v5AuthFailures, d) }},
	{Metric{
		"gateway_v5_dry_run_ignored_total", Counter, []string{"type"},
		"Dry runs that v5 answered with 202, which is a purchase. Look at each of them.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.v5DryRunIgnored, d) }},
	{Metric{
		"gateway_unmapped_v5_errors_total", Counter, []string{"route"},
		"v5 errors for which the gateway knows no v3 fault; the client got a generic one.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.unmappedErrors, d) }},
	{Metric{
		"gateway_operations", Gauge, []string{"type", "step"},
		"v3 operations in the store, by type and step.",
	}, func(m *Metrics, d Metric) prometheus.Collector {
		m.operations = newOperationsGauge(d)
		return m.operations
	}},
	{Metric{
		"gateway_operations_oldest_open_seconds", Gauge, nil,
		"Age of the oldest operation that is not finished, 0 when all are.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return gauge(&m.oldestOpen, d) }},
	{Metric{
		"gateway_operations_undecided_total", Counter, []string{"type"},
		"Paid operations whose outcome could not be established; they wait in step SUPPORT for a person.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.operationsUndecided, d) }},
	{Metric{
		"gateway_operations_overshoot_total", Counter, []string{"type"},
		"Operations after which more had been done than was asked for, by the gateway or by somebody else.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.operationsOvershoot, d) }},
	{Metric{
		"gateway_v5_breaker_open", Gauge, nil,
		"1 while requests to v5 are refused at once because it does not answer, else 0.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return gauge(&m.breakerOpen, d) }},
	{Metric{
		"gateway_handles", Gauge, nil,
		"Contact handles in the store.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return gauge(&m.handles, d) }},
	{Metric{
		"gateway_contact_drift_total", Counter, nil,
		"Contacts of domains that were found changed without the gateway; the domain then shows another handle.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.contactDrift, d) }},
	{Metric{
		"gateway_list_domains", Gauge, []string{"tenant"},
		"Domains in the mirror that domain.list answers from.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return gauge(&m.listDomains, d) }},
	{Metric{
		"gateway_list_unread_domains", Gauge, []string{"tenant"},
		"Domains in that mirror whose detail is still to be read from v5.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return gauge(&m.listUnread, d) }},
	{Metric{
		"gateway_list_walked_timestamp_seconds", Gauge, []string{"tenant"},
		"When v5's list of domains was last read to its end for that mirror, Unix time.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return gauge(&m.listWalked, d) }},
	{Metric{
		"gateway_zone_drift_total", Counter, nil,
		"Domains whose records were found changed in LiveDNS without the gateway; they were kept as a version of the zone.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.zoneDrift, d) }},
	{Metric{
		"gateway_connections", Gauge, nil,
		"Open connections of the v3 endpoint, which max_connections bounds.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return gauge(&m.connections, d) }},
	{Metric{
		"gateway_limit_wait_seconds", Histogram, []string{"limit"},
		"Time that calls were held back by the gateway's limits before they were served, 0 for those that were not.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return histogram(&m.limitWait, d) }},
	{Metric{
		"gateway_limit_refused_total", Counter, []string{"limit"},
		"Calls that a limit refused with fault 150004 because they would have waited too long.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.limitRefused, d) }},
	{Metric{
		"gateway_config_reloads_total", Counter, []string{"result"},
		"Times that the configuration was read again while running.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.configReloads, d) }},
	{Metric{
		"gateway_config_last_reload_success", Gauge, nil,
		"1 when the configuration in use is the last one that was read, 0 when that was wrong and the one before is kept.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return gauge(&m.configReloaded, d) }},
	{Metric{
		"gateway_recordings_total", Counter, []string{"recording"},
		"Calls that the recorder was to write to a file, by what became of it.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.recordings, d) }},
	{Metric{
		"gateway_old_v3_calls_total", Counter, []string{"method", "old_v3"},
		"Calls that were made at the old server, by what it answered.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.oldV3, d) }},
	{Metric{
		"gateway_shadow_total", Counter, []string{"method", "shadow"},
		"Calls whose answer here was to be compared with the old server's, by what became of it.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return counter(&m.shadow, d) }},
	{Metric{
		"gateway_build_info", Gauge, []string{"version", "commit", "go"},
		"Always 1; the labels say which program is running.",
	}, func(m *Metrics, d Metric) prometheus.Collector { return gauge(&m.buildInfo, d) }},
}

// labels says which values each label of the table can have, and with that why
// the number of series is bounded.
var labels = []struct{ Name, Values string }{
	{"method", "a v3 method that the gateway knows; `unknown` for every other name a client sends"},
	{"outcome", "`ok`, `fault` (the caller is told why not), `refused` (v5 cannot do it, or the tenant's mode forbids it), `error` (a bug here, a limit of the gateway, or v5 out of reach)"},
	{"code", "a v3 fault number"},
	{"parameter", "a parameter of that method, by its documented name"},
	{"route", "an HTTP method and a v5 path with its variable parts in braces"},
	{"status", "an HTTP status in three digits; `none` when no answer came; `unknown` when it was no HTTP status"},
	{"type", "a v3 operation type"},
	{"step", "a v3 operation step"},
	{"tenant", "the name of a tenant of the configuration"},
	{"limit", "`rate` (calls of a tenant in its window), `in_flight` (calls at a time of a tenant or of all)"},
	{"result", "`ok`, `failed` (the old configuration is kept)"},
	{"old_v3", "`answered`, `fault`, `failed` (no answer of XML-RPC came)"},
	{"shadow", "`equal`, `different`, `dropped` (no room to compare it), `failed` (one of the two gave no answer)"},
	{"recording", "`written`, `dropped` (the writer could not keep up), `too_large` (for one file), `full` (the directory has all that it may have), `failed` (the disk, or it has no place in the form)"},
	{"version", "the gateway's version"},
	{"commit", "the commit it was built from"},
	{"go", "the Go release it was built with"},
}

// buckets are the classic buckets of all histograms, in seconds: from an answer
// out of the local store to the longest call that a deadline lets live.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// Native histogram settings: buckets at most 10 % apart, and a limit since the
// range of durations is not ours to choose. No reset interval is set, because a
// reset empties the classic buckets as well; past the limit the resolution is
// halved instead.
const (
	nativeBucketFactor = 1.1
	nativeBucketLimit  = 160
)

// Describe lists the gateway's own metrics in the order of the table. It lets a
// test hold alert rules and dashboards against the names that exist.
func Describe() []Metric {
	list := make([]Metric, len(table))
	for i, r := range table {
		list[i] = r.Metric
		list[i].Labels = slices.Clone(r.Labels)
	}
	return list
}

// counter creates the row's counter in the field where Metrics keeps it.
func counter(field **prometheus.CounterVec, d Metric) prometheus.Collector {
	*field = prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.Name, Help: d.Help}, d.Labels)
	return *field
}

// gauge creates the row's gauge. Like every vector, one without labels is
// absent from a scrape until it is first set.
func gauge(field **prometheus.GaugeVec, d Metric) prometheus.Collector {
	*field = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.Name, Help: d.Help}, d.Labels)
	return *field
}

// histogram creates the row's histogram with classic and native buckets, so
// that it serves a Prometheus of either kind.
func histogram(field **prometheus.HistogramVec, d Metric) prometheus.Collector {
	*field = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:                           d.Name,
		Help:                           d.Help,
		Buckets:                        buckets,
		NativeHistogramBucketFactor:    nativeBucketFactor,
		NativeHistogramMaxBucketNumber: nativeBucketLimit,
		NativeHistogramMaxExemplars:    -1, // none are recorded
	}, d.Labels)
	return *field
}
