package telemetry

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// operationsGauge is a gauge whose readings are replaced all at once. A
// GaugeVec would have to be emptied and filled series by series, and a scrape
// in between would miss operations or see one in two steps.
type operationsGauge struct {
	desc    *prometheus.Desc
	reading atomic.Pointer[map[[2]string]int]
}

func newOperationsGauge(d Metric) *operationsGauge {
	return &operationsGauge{desc: prometheus.NewDesc(d.Name, d.Help, d.Labels, nil)}
}

// set publishes a copy of counts. Keys that become equal once they are made fit
// for labels are added up: the same label set twice would fail the whole scrape.
func (g *operationsGauge) set(counts map[[2]string]int) {
	reading := make(map[[2]string]int, len(counts))
	for key, n := range counts {
		reading[[2]string{label(key[0]), label(key[1])}] += n
	}
	g.reading.Store(&reading)
}

// Describe implements prometheus.Collector.
func (g *operationsGauge) Describe(ch chan<- *prometheus.Desc) { ch <- g.desc }

// Collect implements prometheus.Collector. It sends nothing before the first
// reading, since "no operations" and "not looked yet" are different.
func (g *operationsGauge) Collect(ch chan<- prometheus.Metric) {
	reading := g.reading.Load()
	if reading == nil {
		return
	}
	for key, n := range *reading {
		ch <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, float64(n), key[0], key[1])
	}
}
