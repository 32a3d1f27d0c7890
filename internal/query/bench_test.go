package query_test

import (
	"testing"
	"time"

	"v3gate/internal/query"
)

// BenchmarkNewest is the newest 100 of few and of many, in turns in one run. The
// ratio of the two is about 1 where reading stops at the end of the page; the
// ratio to another order, which has to read all, is there to compare with.
func BenchmarkNewest(b *testing.B) {
	const few, many = 1000, 1_000_000
	items := make([]thing, many)
	for i := range items {
		items[i] = thing{ID: int64(i), TTL: int64(i * 7919 % many), Tags: []string{"run"}}
	}
	measure := func(sortBy string, n int) func() time.Duration {
		q, err := schema.Parse([]query.Option{opt("tag", []any{"wait", "run"}), opt("sort_by", sortBy)})
		if err != nil {
			b.Fatal(err)
		}
		return func() time.Duration {
			start := time.Now()
			if len(q.Page(query.Slice(items[:n]))) != 100 {
				b.Fatal("no whole page")
			}
			return time.Since(start)
		}
	}
	newestOfFew, newestOfMany := measure("date_created DESC", few), measure("date_created DESC", many)
	byTTL := measure("ttl DESC", many)()
	var short, long time.Duration
	for b.Loop() {
		short += newestOfFew()
		long += newestOfMany()
	}
	b.ReportMetric(float64(long)/float64(short), "many/few")
	b.ReportMetric(float64(byTTL)/float64(long)*float64(b.N), "otherorder/many")
}

// BenchmarkMatch is one item against the filters of a usual call.
func BenchmarkMatch(b *testing.B) {
	q, err := schema.Parse([]query.Option{opt("tag", []any{"bill", "wait", "run"}), opt(">date_created", "2011-01-01"), opt("~name", "%example%")})
	if err != nil {
		b.Fatal(err)
	}
	item := thing{Name: "shop.example.com", Tags: []string{"run"}, Created: day(2, 0)}
	b.ReportAllocs()
	for b.Loop() {
		if !q.Match(&item) {
			b.Fatal("no match")
		}
	}
}
