package translate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"v3gate/internal/handles"
	"v3gate/internal/portfolio"
	"v3gate/internal/query"
	"v3gate/internal/store"
	"v3gate/internal/tenant"
	"v3gate/internal/v5"
	"v3gate/internal/zones"
)

// benchPortfolio gives a call of a tenant with n domains that are all mirrored,
// each with handles, a hundred different owners and a zone.
func benchPortfolio(b *testing.B, n int) *Call {
	b.Helper()
	db, err := store.Open(filepath.Join(b.TempDir(), "store.db"), time.Second)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(i int) *time.Time { t := now.Add(time.Duration(i%5000) * time.Hour); return &t }
	name := func(i int) string { return fmt.Sprintf("d%06d.%s", i, []string{"com", "net", "org"}[i%3]) }
	const atOnce = 10_000
	for from := 0; from < n; from += atOnce {
		err := db.Update(func(tx *store.Tx) error {
			var errs []error
			for i := from; i < min(from+atOnce, n); i++ {
				owner := fmt.Sprintf("AB%d-GANDI", i%100)
				row := portfolio.Row{Flags: 1, Read: now, Ours: true, Shown: portfolio.Shown{
					TLD: name(i)[8:], Status: []string{"clientTransferProhibited"}, Services: []string{"gandilivedns"}, AutoRenew: i%2 == 0,
					Nameservers: []string{"ns-1-a.gandi.net", "ns-2-b.gandi.net", "ns-3-c.gandi.net"},
					Created:     at(i), Updated: at(i + 1), Registered: at(i), Ends: at(i + 2), HoldBegins: at(i + 2), HoldEnds: at(i + 3), Deletes: at(i + 3)}}
				errs = append(errs,
					store.PutJSON(tx, store.PortfolioKey(benchTenant, name(i)), row),
					store.PutJSON(tx, store.DomainKey(benchTenant, name(i)), handles.Domain{ID: int64(1_000_000_000 + i),
						Roles: handles.Roles{Owner: owner, Admin: owner, Bill: owner, Tech: owner}}),
					store.PutJSON(tx, store.ZoneLinkKey(benchTenant, name(i)), zones.Link{Zone: int64(1 + i%100)}))
			}
			for z := range int64(100) {
				errs = append(errs, store.PutJSON(tx, store.ZoneKey(z+1), zones.Zone{ID: z + 1, Tenant: benchTenant, Name: fmt.Sprint("zone ", z)}))
			}
			errs = append(errs, store.PutJSON(tx, store.PortfolioStateKey(benchTenant), map[string]time.Time{"asked": now, "walked": now}))
			return errors.Join(errs...)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	clock := func() time.Time { return now }
	none := errors.New("v5 is not to be asked")
	mirror := portfolio.New(db, portfolio.Options{
		Page:    func(context.Context, string, int) ([]v5.DomainItem, bool, error) { return nil, false, none },
		Read:    func(context.Context, string, string) (portfolio.Shown, error) { return portfolio.Shown{}, none },
		Account: func(string) string { return "" },
		Owns:    func(string, *v5.DomainItem) bool { return true },
		Refresh: time.Hour, Reread: time.Hour, Now: clock,
		Failed: func(string, error) {}, Progress: func(string, int, int, time.Time) {},
	})
	b.Cleanup(mirror.Close)
	return &Call{Tenant: &tenant.Tenant{Name: benchTenant}, Services: &Services{Now: clock, Portfolio: mirror,
		Book: handles.New(db, handles.DefaultFloors(), clock), Zones: zones.New(db, 1, clock)}}
}

// benchPage lists a page once and gives how long that took.
func benchPage(b *testing.B, c *Call, want int, options ...query.Option) time.Duration {
	b.Helper()
	begin := time.Now()
	q, err := domainOptions().Parse(options)
	if err != nil {
		b.Fatal(err)
	}
	out, err := domainList(b.Context(), c, q)
	took := time.Since(begin)
	if err != nil || len(out) != want {
		b.Fatalf("%v: %d domains, %v", options, len(out), err)
	}
	return took
}

const benchDomains = 100_000

// BenchmarkDomainListPage lists the first, the middle and the last page in the order
// of names, of a thousand domains and of a hundred thousand in turns. It must hardly matter how many there are.
func BenchmarkDomainListPage(b *testing.B) {
	few, many := benchPortfolio(b, 1_000), benchPortfolio(b, benchDomains)
	var short, long time.Duration
	page := func(c *Call, order string, number int64) time.Duration {
		return benchPage(b, c, 100, query.Option{Key: "sort_by", Value: order}, query.Option{Key: "page", Value: number})
	}
	for b.Loop() {
		for _, order := range []string{"fqdn", "fqdn DESC"} {
			short += page(few, order, 0) + page(few, order, 5) + page(few, order, 9)
			long += page(many, order, 0) + page(many, order, 500) + page(many, order, benchDomains/100-1)
		}
	}
	b.ReportMetric(float64(long)/float64(short), "many/few")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkDomainListQuery lists a page under filters and orders, each in turns with
// a bare walk over the mirror's rows.
func BenchmarkDomainListQuery(b *testing.B) {
	c := benchPortfolio(b, benchDomains)
	option := func(key string, value any) query.Option { return query.Option{Key: key, Value: value} }
	for _, q := range []struct {
		name    string
		want    int
		options []query.Option
	}{
		{"fqdn-like", 100, []query.Option{option("~fqdn", "%7%.net")}},
		{"nothing", 0, []query.Option{option("tag", "none")}},
		{"by-date", 100, []query.Option{option("sort_by", "date_registry_end DESC")}},
		{"by-owner", 100, []query.Option{option("sort_by", "owner")}},
		{"by-id-last-page", 100, []query.Option{option("sort_by", "id"), option("page", int64(benchDomains/100-1))}},
		{"of-handle", 100, []query.Option{option("handle", "AB7-GANDI"), option("sort_by", "date_created")}},
		{"zone-name", 100, []query.Option{option("~zone_name", "%5"), option("sort_by", "zone_name")}},
	} {
		b.Run(q.name, func(b *testing.B) {
			var bare, page time.Duration
			for b.Loop() {
				begin := time.Now()
				rows := 0
				if err := c.Portfolio.View(func(tx *store.Tx) error {
					return portfolio.Each(tx, benchTenant, false, func(*portfolio.Row) error { rows++; return nil })
				}); err != nil || rows != benchDomains {
					b.Fatalf("%d rows, %v", rows, err)
				}
				bare += time.Since(begin)
				page += benchPage(b, c, q.want, q.options...)
			}
			b.ReportMetric(float64(page)/float64(bare), "page/bare")
			b.ReportMetric(float64(bare.Milliseconds())/float64(b.N), "bare_ms")
			b.ReportMetric(0, "ns/op")
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapInuse)/(1<<20), "heap_MiB")
		})
	}
}
