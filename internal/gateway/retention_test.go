package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

// lines reads an archive, each line of which must be whole, and gives the ids.
func lines(t *testing.T, path string) (ids []int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var line struct {
			ID   int64
			Type string
		}
		if err := json.Unmarshal(s.Bytes(), &line); err != nil || line.Type == "" {
			t.Errorf("line %q: %v", s.Text(), err)
		}
		ids = append(ids, line.ID)
	}
	return ids
}

// oldRig has two operations that are DONE, a day longer ago than they are kept.
func oldRig(t *testing.T, change func(*config.Config)) *paidRig {
	t.Helper()
	r := newPaidRig(t, sandbox.Options{}, change)
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "year.net", RegistryEndsAt: midYear(1)}}})
	op := r.must(t, "domain.renew", keyA, "year.net", renewal(1, midYear(1).Year()))
	r.becomes(t, op["id"], "DONE")
	r.register(t, keyA, "old.net")
	r.ahead.Store(int64(401 * 24 * time.Hour))
	return r
}

func TestOldOperationsAreArchived(t *testing.T) {
	r := oldRig(t, nil)
	young := r.must(t, "domain.create", keyA, "young.net", r.createParams(t))
	r.becomes(t, young["id"], "DONE")
	n, err := r.prune(t.Context())
	if err != nil || n != 2 {
		t.Fatalf("pruned %d, %v", n, err)
	}
	info, err := os.Stat(r.archive())
	if err != nil || info.Mode() != 0o600 || r.archive() != r.store+".archive.jsonl" {
		t.Errorf("%s: %v, %v", r.archive(), info, err)
	}
	if ids := lines(t, r.archive()); len(ids) != 2 || ids[0] != 1000000000 || ids[1] != 1000000001 {
		t.Errorf("archived %v", ids)
	}
	if n, err := r.ask(t, "operation.count", keyA); err != nil || n != int64(1) {
		t.Errorf("%v left, %v", n, err)
	}
	_, err = r.call(t, "operation.info", keyA, 1000000000)
	faults(t, "an archived one", err, 510242, "")
	_, err = r.call(t, "domain.renew", keyA, "year.net", renewal(1, midYear(1).Year()))
	faults(t, "its year", err, 520141, "was renewed")
	if n := len(r.sim.Ledger()); n != 3 {
		t.Errorf("%d charges", n)
	}
	if metrics := get(t, "http://"+r.AdminAddr()+"/metrics"); !strings.Contains(metrics, `gateway_operations{step="DONE",type="domain_create"} 1`) {
		t.Error("the tally does not follow")
	}
	if n, err := r.prune(t.Context()); n != 0 || err != nil || len(lines(t, r.archive())) != 2 {
		t.Errorf("again: %d, %v", n, err)
	}
}

func TestNothingOldLeavesNoArchive(t *testing.T) {
	r := newPaidRig(t, sandbox.Options{}, nil)
	r.register(t, keyA, "young.net")
	if n, err := r.prune(t.Context()); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := os.Stat(r.archive()); !os.IsNotExist(err) {
		t.Errorf("there is one: %v", err)
	}
}

// What a full disk or a kill left of a line is no obstacle: it is cut off, and
// comes again whole.
func TestAnArchiveThatEndsInTheMiddleOfALine(t *testing.T) {
	t.Parallel()
	whole := `{"ID":7,"Type":"domain_create"}` + "\n"
	for name, c := range map[string]struct{ begin, kept string }{
		"of one of ours":                 {whole + `{"ID":1000000000,"Tenant":"a","Ty`, whole},
		"right at its begin":             {whole + `{`, whole},
		"of the first":                   {`{"ID":100`, ""},
		"of somebody else's":             {"a note", "a note\n"},
		"after a line of somebody's":     {"a note\n", "a note\n"},
		"not at all":                     {whole, whole},
		"not at all, for there are none": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := oldRig(t, func(c *config.Config) { c.Archive = filepath.Join(filepath.Dir(c.Store), "old.jsonl") })
			if err := os.WriteFile(r.archive(), []byte(c.begin), 0o600); err != nil {
				t.Fatal(err)
			}
			if n, err := r.prune(t.Context()); n != 2 || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
			raw, err := os.ReadFile(r.archive())
			rest, ours := strings.CutPrefix(string(raw), c.kept)
			if err != nil || !ours || strings.Count(rest, "\n") != 2 || !strings.HasPrefix(rest, `{"ID":1000000000,`) {
				t.Errorf("%v, archive %s", err, raw)
			}
		})
	}
}

// An archive that cannot be written keeps everything in the store.
func TestAnArchiveThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]func(store string) string{
		"no directory":     func(store string) string { return filepath.Join(filepath.Dir(store), "missing", "old.jsonl") },
		"a directory":      func(store string) string { return filepath.Dir(store) },
		"the store itself": func(store string) string { return store },
		"a full disk":      func(string) string { return "/dev/full" },
	} {
		t.Run(name, func(t *testing.T) {
			r := oldRig(t, func(c *config.Config) { c.Archive = path(c.Store) })
			if n, err := r.prune(t.Context()); n != 0 || err == nil {
				t.Errorf("%d, %v", n, err)
			}
			if n, err := r.ask(t, "operation.count", keyA); err != nil || n != int64(2) {
				t.Errorf("%v left, %v", n, err)
			}
			r.stop()
			c, err := OpenControl(r.store) // the store is whole
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if list, err := c.List(Selection{}); err != nil || len(list) != 2 {
				t.Errorf("%d operations, %v", len(list), err)
			}
		})
	}
}

// A gateway that is told to stop ends between two batches.
func TestStoppingEndsPruning(t *testing.T) {
	r := oldRig(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := r.prune(ctx); n != 0 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := r.prune(t.Context()); n != 2 || err != nil {
		t.Errorf("the next time: %d, %v", n, err)
	}
	if ids := lines(t, r.archive()); len(ids) != 4 { // twice is better than never
		t.Errorf("archived %v", ids)
	}
}

// The background does it by itself at the start.
func TestTheNextStartArchives(t *testing.T) {
	r := oldRig(t, nil)
	cfg, ahead := r.cfg, r.ahead.Load()
	r.stop()
	cfg.Listen, cfg.Admin = "127.0.0.1:0", "127.0.0.1:0"
	g, err := New(cfg, Hooks{Now: func() time.Time { return time.Now().Add(time.Duration(ahead)) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	defer g.Stop(context.Background())
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err = os.Stat(g.archive()); err == nil && len(lines(t, g.archive())) == 2 {
			return
		}
	}
	t.Errorf("not archived: %v", err)
}
