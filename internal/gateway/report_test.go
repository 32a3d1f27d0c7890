package gateway

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/store"
	"v3gate/internal/tenant"
	"v3gate/internal/usage"
)

func lineOf(r Report, tenantName, method string) *ReportLine {
	for i, l := range r.Lines {
		if l.Tenant == tenantName && l.Method == method {
			return &r.Lines[i]
		}
	}
	return &ReportLine{}
}

// The report is the same from a running gateway and from its file, is kept over a
// restart, tells tenants and keys apart, and in a sealed store needs the key.
func TestReport(t *testing.T) {
	r := newRig(t, nil)
	file, since := StoreFile{Path: r.store}, time.Now().Add(-time.Hour)
	r.must(t, "contact.create", keyA, person())
	odd := person()
	maps.Copy(odd, map[string]any{"community": "yes"})
	r.must(t, "contact.create", keyA, odd)
	if _, err := r.call(t, "domain.info", keyB, "worked.net"); err == nil {
		t.Error("a foreign domain is shown")
	}
	if _, err := r.call(t, "domain.info", "cccccccccccccccccccccccc", "worked.net"); err == nil {
		t.Error("an unknown key is taken")
	}
	if _, err := r.call(t, "domain.fly", keyA); err == nil {
		t.Error("an unknown method is there")
	}
	want := func(f StoreFile, calls uint64) {
		t.Helper()
		report, err := f.Report(t.Context(), since, "")
		if err != nil {
			t.Fatal(err)
		}
		if l := lineOf(report, "a", "contact.create"); l.Calls != calls || l.Ignored["params.community"] != 1 || l.Key != tenant.KeyID(tenant.HashKey(keyA)) ||
			l.Remote != "127.0.0.1" || l.Agent == "" || l.Support != "local" || l.Note == "" {
			t.Errorf("%+v", l)
		}
		if l := lineOf(report, "b", "domain.info"); l.Faults != 1 || len(l.Codes) != 1 || l.Key != tenant.KeyID(tenant.HashKey(keyB)) || len(l.V5) != 1 {
			t.Errorf("%+v", l)
		}
		if l := lineOf(report, "", "domain.info"); l.Faults != 1 || l.Key != "" {
			t.Errorf("%+v", l)
		}
		if l := lineOf(report, "", "unknown"); l.Faults != 1 || l.Support != "unknown" {
			t.Errorf("%+v", l)
		}
		of, err := f.Report(t.Context(), since, "b")
		if err != nil || len(of.Lines) != 1 || of.Lines[0].Tenant != "b" {
			t.Errorf("of one tenant: %+v, %v", of.Lines, err)
		}
	}
	want(file, 2)
	r.stop()
	want(file, 2)
	key := keyFile(t, "aa")
	if _, err := file.Rekey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(r.store); err != nil || bytes.Contains(raw, []byte("127.0.0.1")) {
		t.Errorf("an address is in the sealed file, %v", err)
	}
	if _, err := file.Report(t.Context(), since, ""); err == nil {
		t.Error("a sealed store is read without its key")
	}
	file.KeyFile = key
	want(file, 2)
	option, err := SealWith(key)
	if err != nil {
		t.Fatal(err)
	}
	r.Gateway = startOn(t, r.store, "http://127.0.0.1:1", option)
	r.must(t, "contact.create", keyA, person())
	want(file, 3)
	wellChecked(t, file, true)
	if _, err := file.Report(t.Context(), time.Now().Add(48*time.Hour), ""); err == nil {
		t.Error("a report of the future")
	}
}

// A disk that takes nothing costs the report, not the calls and not the stop.
func TestCountingOutlivesAFullDisk(t *testing.T) {
	r, api, _ := sessionRig(t)
	r.stop()
	var full atomic.Bool
	r.Gateway = startOn(t, r.store, api, store.BeforeCommit(func() error {
		if full.Load() {
			return errors.New("no space left on device")
		}
		return nil
	}))
	full.Store(true)
	if _, err := r.ask(t, "contact.available_currencies", keyA); err != nil {
		t.Error(err)
	}
	if _, err := (StoreFile{Path: r.store}).Report(t.Context(), time.Now(), ""); err != nil {
		t.Errorf("what is on disk is not told: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		t.Errorf("it does not stop: %v", err)
	}
	r.Gateway = nil
}

func TestNothingIsCountedWhereNothingIsKept(t *testing.T) {
	r := newRig(t, func(cfg *config.Config) { cfg.KeepReport = 0 })
	r.must(t, "contact.create", keyA, person())
	if got, err := r.report(time.Now(), ""); err != nil || len(got.Lines) != 0 {
		t.Errorf("%+v, %v", got.Lines, err)
	}
}

// What is counted is on disk a minute later, also when the process then dies, and
// is forgotten when it is kept long enough.
func TestCountsAreWrittenEachMinuteAndPruned(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		cfg := config.Default()
		cfg.Store, cfg.KeepReport = filepath.Join(dir, "store.db"), 48*time.Hour
		cfg.Tenants = []config.Tenant{{Name: "a", V3Key: keyA, V5Token: "t"}}
		g, err := New(cfg, Hooks{Log: zap.NewNop()})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { g.Stop(t.Context()) }()
		begin := time.Now()
		stored := func() int {
			report, err := usage.Read(g.db, begin, time.Now(), "")
			if err != nil {
				t.Fatal(err)
			}
			return len(report.Lines)
		}
		g.count(usage.Call{Tenant: "a", Method: "domain.info"})
		ctx, cancel := context.WithCancel(t.Context())
		var loops sync.WaitGroup
		loops.Go(func() { g.keepCounting(ctx) })
		loops.Go(func() { g.keepPruning(ctx) })
		time.Sleep(flushEvery - time.Second)
		if n := stored(); n != 0 {
			t.Errorf("%d lines before the minute is over", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := stored(); n != 1 {
			t.Errorf("%d lines after it", n)
		}
		time.Sleep(49 * time.Hour)
		synctest.Wait()
		if n := stored(); n != 1 {
			t.Errorf("%d lines two days later", n)
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n := stored(); n != 0 {
			t.Errorf("%d lines are kept for too long", n)
		}
		cancel()
		loops.Wait()
	})
}
