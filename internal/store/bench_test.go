//go:build linux

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// mutate is what a durable call writes: a contact of 700 bytes, its indexes, and
// an operation of 300 bytes.
func mutate(tx *Tx) error {
	id, err := tx.NextID("contact", 1)
	if err != nil {
		return err
	}
	handle := fmt.Sprintf("AB%d-GANDI", id)
	return errors.Join(
		tx.Put(ContactKey(handle), make([]byte, 700)),
		tx.Put(ContactIDKey(id), []byte(handle)),
		tx.Put(OpKey(id), make([]byte, 300)),
		tx.Put(OpTenantKey("tenant", id), nil))
}

// floor is what the disk allows: the two waits that no commit can do without,
// for its pages and then for its root.
func floor(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	if _, err := f.Write(make([]byte, 1<<20)); err != nil || f.Sync() != nil {
		b.Fatal("no file to write into")
	}
	for i := 0; b.Loop(); i++ {
		for half := range 2 {
			page[0]++
			_, err := f.WriteAt(page, int64(half*len(page)+i%100*2*len(page)))
			if err := errors.Join(err, syscall.Fdatasync(int(f.Fd()))); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// perSecond reports a rate, beside the rates that were measured before in the
// same run and on the same disk.
func perSecond(b *testing.B, beside map[string]float64) float64 {
	rate := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "writes/s")
	for name, other := range beside {
		if other > 0 { // it was not left out of this run
			b.ReportMetric(rate/other, "x_"+name)
		}
	}
	return rate
}

// BenchmarkUpdate goes through the disk's floor, a bare Update of the engine,
// and the store with 1, 16 and 64 writers.
func BenchmarkUpdate(b *testing.B) {
	beside := map[string]float64{}
	var bottom, bare, one float64
	b.Run("floor", func(b *testing.B) {
		floor(b)
		bottom = perSecond(b, nil)
	})
	beside["floor"] = bottom
	b.Run("bare", func(b *testing.B) {
		db := open(b)
		for b.Loop() {
			err := db.bolt.Update(func(bt *bbolt.Tx) error { return mutate(&Tx{b: bt.Bucket(bucket)}) })
			if err != nil {
				b.Fatal(err)
			}
		}
		bare = perSecond(b, beside)
	})
	beside["bare"] = bare
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			rate := updates(b, writers, beside)
			if writers == 1 {
				one = rate
			}
		})
		beside["one"] = one
	}
}

func updates(b *testing.B, writers int, beside map[string]float64) float64 {
	db := open(b)
	var left atomic.Int64
	left.Store(int64(b.N))
	took := make([][]time.Duration, writers)
	var wg sync.WaitGroup
	b.ResetTimer()
	for w := range writers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				began := time.Now()
				if err := db.Update(mutate); err != nil {
					b.Error(err)
					return
				}
				took[w] = append(took[w], time.Since(began))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50_ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99_ms")
	return perSecond(b, beside)
}

// BenchmarkNewest reads the newest 100 operations' keys of a tenant that has a
// thousand and of one that has a million. It must not matter.
func BenchmarkNewest(b *testing.B) {
	if testing.Short() {
		b.Skip("a million keys are written first")
	}
	db := open(b)
	sizes := map[string]int64{"few": 1_000, "many": 1_000_000, "other": 1_000}
	const atOnce = 20_000
	for tenant, size := range sizes {
		for from := int64(0); from < size; from += atOnce {
			err := db.Update(func(tx *Tx) (err error) {
				for id := from; id < min(from+atOnce, size) && err == nil; id++ {
					err = tx.Put(OpTenantKey(tenant, 1_000_000_000+id), nil)
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	var few float64
	for _, tenant := range []string{"few", "many"} {
		b.Run(fmt.Sprint("of=", sizes[tenant]), func(b *testing.B) {
			for b.Loop() {
				newest := 0
				err := db.View(func(tx *Tx) error {
					return tx.ScanBack(OpTenantPrefix(tenant), func(_, _ []byte) error {
						if newest++; newest == 100 {
							return Stop
						}
						return nil
					})
				})
				if err != nil || newest != 100 {
					b.Fatal(newest, err)
				}
			}
			each := b.Elapsed().Seconds() / float64(b.N)
			if few == 0 {
				few = each
			}
			b.ReportMetric(each/few, "x_few")
		})
	}
}

// BenchmarkSeal is what sealing adds to the write and to the read of a contact
// of 700 bytes.
func BenchmarkSeal(b *testing.B) {
	s := &sealing{}
	ring := NewRing(sealKey(b, 1))
	s.with, s.ring = &ring.keys[0], ring
	key, value := ContactKey("AB1-GANDI"), make([]byte, 700)
	sealed := s.cover(key, value)
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			s.cover(key, value)
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.reveal(key, sealed); err != nil {
				b.Fatal(err)
			}
		}
	})
}
