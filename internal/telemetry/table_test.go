package telemetry

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// TestTableIsWhatIsRegistered compares the table with a scrape, both ways, and
// lets Prometheus's own linter look at the names.
func TestTableIsWhatIsRegistered(t *testing.T) {
	reg, m := newTestMetrics(t)
	exercise(m)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var scraped []Metric
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "gateway_") {
			continue
		}
		d := Metric{Name: f.GetName(), Type: Type(strings.ToLower(f.GetType().String())), Help: f.GetHelp()}
		for _, pair := range f.GetMetric()[0].GetLabel() {
			d.Labels = append(d.Labels, pair.GetName())
		}
		scraped = append(scraped, d)
	}
	listed := Describe()
	for _, d := range listed {
		slices.Sort(d.Labels) // as a scrape has them
	}
	slices.SortFunc(listed, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	if diff := cmp.Diff(listed, scraped); diff != "" {
		t.Error(diff)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestDescribeHandsOutCopies(t *testing.T) {
	Describe()[0].Labels[0] = "changed"
	if Describe()[0].Labels[0] == "changed" {
		t.Error("the table can be changed from outside")
	}
}

func TestHistogramsHaveBothKindsOfBuckets(t *testing.T) {
	reg, m := newTestMetrics(t)
	exercise(m)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "gateway_") || f.GetType().String() != "HISTOGRAM" {
			continue
		}
		seen++
		h := f.GetMetric()[0].GetHistogram()
		var bounds []float64
		for _, b := range h.GetBucket() {
			bounds = append(bounds, b.GetUpperBound())
		}
		if diff := cmp.Diff(buckets, bounds); diff != "" {
			t.Errorf("%s: %s", f.GetName(), diff)
		}
		if h.GetSchema() != 3 || len(h.GetPositiveSpan()) == 0 {
			t.Errorf("%s: schema %d, %d spans", f.GetName(), h.GetSchema(), len(h.GetPositiveSpan()))
		}
	}
	if seen != 4 {
		t.Errorf("%d histograms", seen)
	}
	if first, last := buckets[0], buckets[len(buckets)-1]; first != .001 || last != 60 {
		t.Errorf("buckets from %v to %v", first, last)
	}
}

func TestTableCanBePrinted(t *testing.T) {
	used := map[string]bool{}
	for _, d := range Describe() {
		if strings.ContainsAny(d.Help, "|\n") || !strings.HasSuffix(d.Help, ".") {
			t.Errorf("%s: help %q", d.Name, d.Help)
		}
		for _, l := range d.Labels {
			used[l] = true
		}
	}
	for _, l := range labels {
		if !used[l.Name] {
			t.Errorf("label %s is described but not used, or described twice", l.Name)
		}
		if strings.ContainsAny(l.Values, "|\n") {
			t.Errorf("label %s: %q", l.Name, l.Values)
		}
		delete(used, l.Name)
	}
	for name := range used {
		t.Errorf("label %s is not described", name)
	}
}

func TestMetricsDoc(t *testing.T) {
	doc := MetricsDoc()
	if doc != MetricsDoc() {
		t.Error("two runs differ")
	}
	for _, want := range []string{
		"# Metrics\n",
		"| `gateway_calls_total` | counter | `method`, `outcome` | v3 calls answered, by method and outcome. |\n",
		"| `gateway_handles` | gauge | - | Contact handles in the store. |\n",
		"0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60.\n",
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("no %q in\n%s", want, doc)
		}
	}
	row := regexp.MustCompile("(?m)^\\| `(gateway_[a-z0-9_]+)` \\|")
	var printed, listed []string
	for _, m := range row.FindAllStringSubmatch(doc, -1) {
		printed = append(printed, m[1])
	}
	for _, d := range Describe() {
		listed = append(listed, d.Name)
	}
	if diff := cmp.Diff(listed, printed); diff != "" {
		t.Error(diff)
	}
	// A name in the running text has to exist as well.
	for _, name := range regexp.MustCompile(`gateway_[a-z0-9_]+`).FindAllString(doc, -1) {
		if !slices.Contains(listed, name) {
			t.Errorf("%s does not exist", name)
		}
	}
	if !strings.HasSuffix(doc, ".\n") || strings.Contains(doc, "\n\n\n") {
		t.Error("the layout is off")
	}
}
