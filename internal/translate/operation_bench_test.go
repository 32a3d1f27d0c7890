package translate

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"v3gate/internal/ops"
	"v3gate/internal/query"
	"v3gate/internal/store"
	"v3gate/internal/tenant"
)

const benchTenant = "default"

// BenchmarkOpenOperations asks for the open ones among a thousand operations that
// are DONE and among a hundred thousand, in turns in one run, as who waits for all
// of them does again and again.
func BenchmarkOpenOperations(b *testing.B) {
	open := []query.Option{{Key: "step", Value: []any{"BILL", "WAIT", "RUN"}}}
	few, many := benchList(b, 1_000, 0, open), benchList(b, 100_000, 0, open)
	var short, long time.Duration
	for b.Loop() {
		short += few()
		long += many()
	}
	b.ReportMetric(float64(long)/float64(short), "many/few")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkNewestOperations lists the newest 100 of a thousand operations and of
// a million, in turns in one run, as operation.list does. It must hardly matter
// how many there are.
func BenchmarkNewestOperations(b *testing.B) {
	if testing.Short() {
		b.Skip("a million operations are written first")
	}
	newest := []query.Option{{Key: "items_per_page", Value: int64(100)}, {Key: "sort_by", Value: "date_created DESC"}}
	few, many := benchList(b, 1_000, 100, newest), benchList(b, 1_000_000, 100, newest)
	var short, long time.Duration
	for b.Loop() {
		short += few()
		long += many()
	}
	b.ReportMetric(float64(long)/float64(short), "many/few")
	b.ReportMetric(float64(long.Microseconds())/float64(b.N), "many_µs")
	b.ReportMetric(0, "ns/op") // of both together: it says nothing
}

// benchList gives a function that asks once for some of n operations that are DONE,
// which are to be want.
func benchList(b *testing.B, n int64, want int, options []query.Option) func() time.Duration {
	db, err := store.Open(filepath.Join(b.TempDir(), "store.db"), time.Second)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	benchStore(b, db, n)
	engine, err := ops.New(db, ops.Options{})
	if err != nil {
		b.Fatal(err)
	}
	q, err := operationOptions().Parse(options)
	if err != nil {
		b.Fatal(err)
	}
	c := &Call{Services: &Services{Ops: engine, Now: time.Now}, Tenant: &tenant.Tenant{Name: benchTenant}}
	return func() time.Duration {
		begin := time.Now()
		var err error
		page := q.Page(c.operations(q, &err))
		took := time.Since(begin)
		if err != nil || len(page) != want || want > 0 && page[0].ID != n {
			b.Fatalf("%d operations, %v", len(page), err)
		}
		return took
	}
}

// benchStore writes n operations that are DONE, as the journal writes them.
func benchStore(b *testing.B, db *store.DB, n int64) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	raw, err := json.Marshal(ops.Operation{
		Tenant: benchTenant, Type: "domain_renew", Kind: ops.KindRenew, Step: ops.Done, Source: "AD1-GANDI", Session: 1, FQDN: "example.com",
		Params: json.RawMessage(`{"domain":"example.com","domain_id":1000000000,"tld":"com","param_type":"domain","duration":1,"current_year":2026}`),
		Infos:  ops.Infos{Action: "renew", TLD: "com", Label: "example.com"}, Created: now, Started: now, Updated: now,
		State: ops.Accepted, Fingerprint: `{"duration":1,"current_year":2026}`, Once: "2026", Baseline: json.RawMessage(`"2026-09-22T10:00:00Z"`),
	})
	if err != nil {
		b.Fatal(err)
	}
	head, tail := []byte(`{"ID":`), raw[len(`{"ID":0`):]
	const atOnce = 50_000
	for from := int64(1); from <= n; from += atOnce {
		err := db.Update(func(tx *store.Tx) error {
			var errs []error
			for id := from; id < min(from+atOnce, n+1); id++ {
				value := append(strconv.AppendInt(append([]byte{}, head...), id, 10), tail...)
				errs = append(errs, tx.Put(store.OpKey(id), value), tx.Put(store.OpTenantKey(benchTenant, id), nil))
			}
			return errors.Join(errs...)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
