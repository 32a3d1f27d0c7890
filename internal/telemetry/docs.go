package telemetry

import (
	"fmt"
	"strconv"
	"strings"
)

// MetricsDoc renders docs/metrics.md from the table that also creates the
// metrics. The text is the same on every run and machine, so that a test can
// compare the file with it.
func MetricsDoc() string {
	var b strings.Builder
	b.WriteString("# Metrics\n\n")
	b.WriteString("<!-- Generated from the table in internal/telemetry. Change the table, not this file. -->\n\n")
	b.WriteString("The admin listener serves these at `/metrics`. The Go runtime's `go_*` and the\n")
	b.WriteString("process's `process_*` metrics are there as well, under their usual names.\n\n")

	b.WriteString("| Name | Type | Labels | Meaning |\n|---|---|---|---|\n")
	for _, d := range Describe() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, d.Type, quoted(d.Labels), d.Help)
	}

	b.WriteString("\n## Labels\n\n")
	b.WriteString("No label holds anything that a client is free to choose, so the number of series\n")
	b.WriteString("is bounded. `unknown` also stands for a value that was missing.\n\n")
	b.WriteString("| Label | Values |\n|---|---|\n")
	for _, l := range labels {
		fmt.Fprintf(&b, "| `%s` | %s |\n", l.Name, l.Values)
	}

	b.WriteString("\n## Series that are not there yet\n\n")
	b.WriteString("A counter with labels appears with its first event, so `increase()` does not see\n")
	b.WriteString("that event. An alert on a rare counter has to test the value itself, such as\n")
	b.WriteString("`gateway_v5_dry_run_ignored_total > 0`. `gateway_v5_auth_failures_total` starts\n")
	b.WriteString("at 0 for `401` and `403`; the counters of limits and reloads start at 0 too. The\n")
	b.WriteString("gauges of operations and handles appear with their first reading.\n")

	b.WriteString("\n## Histograms\n\n")
	b.WriteString("All durations are in seconds. Each histogram has these classic buckets:\n")
	bounds := make([]string, len(buckets))
	for i, v := range buckets {
		bounds[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	fmt.Fprintf(&b, "%s.\n", strings.Join(bounds, ", "))
	fmt.Fprintf(&b, "A Prometheus that scrapes native histograms gets buckets at most %g times as wide\n", nativeBucketFactor)
	fmt.Fprintf(&b, "as the one before, up to %d of them.\n", nativeBucketLimit)
	return b.String()
}

// quoted renders label names as code, and none as a dash.
func quoted(names []string) string {
	if len(names) == 0 {
		return "-"
	}
	return "`" + strings.Join(names, "`, `") + "`"
}
