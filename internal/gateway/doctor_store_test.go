package gateway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"v3gate/internal/store"
)

func TestDoctorOfARunningStore(t *testing.T) {
	d, _, g := newDoctor(t)
	d.VersionInfo = func(context.Context, string) (string, error) { return "3.3.42", nil }
	moved := d.Store.Path + ".moved"
	if err := errors.Join(os.Rename(d.Store.Path, moved), os.WriteFile(d.Store.Path, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	ill(t, diagnose(t, d), "store", Broken, "replaced", "gateway backup")
	if err := os.Rename(moved, d.Store.Path); err != nil {
		t.Fatal(err)
	}
	g.Stop(t.Context())

	broken := &atomic.Bool{}
	a, b := keyFile(t, "aa"), keyFile(t, "bb")
	if _, err := d.Store.Rekey(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	both, err := SealWith(b, a)
	if err != nil {
		t.Fatal(err)
	}
	d.Store.KeyFile, d.Store.OldKeyFiles = b, []string{a}
	ill(t, diagnose(t, d), "store", Warning, "old key", "rekey")
	api := strings.TrimSuffix(d.Config.V5URL, "/v5")
	g = startOn(t, d.Store.Path, api, both, store.BeforeCommit(func() error {
		if broken.Load() {
			return syscall.EROFS
		}
		return nil
	}))
	defer g.Stop(t.Context())
	ill(t, diagnose(t, d), "store", Warning, "old key", "rekey")
	broken.Store(true)
	if _, err := g.services.Book.Own("acme", ""); err == nil {
		t.Fatal("the disk is not broken")
	}
	ill(t, diagnose(t, d), "store", Broken, "read-only file system")
}

func TestDoctorOfAStoreThatNoGatewayRunsOn(t *testing.T) {
	d, _, g := newDoctor(t)
	g.Stop(t.Context())
	key := keyFile(t, "aa")
	if found := diagnose(t, d); Worst(found) != Fine {
		t.Errorf("a good one: %+v", found)
	}

	d.Store.KeyFile = key
	ill(t, diagnose(t, d), "store", Broken, "not sealed", "rekey")
	d.Store.KeyFile = ""
	if _, err := d.Store.Rekey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	ill(t, diagnose(t, d), "store", Broken, "no key is given", "--seal-key-file")
	d.Store.KeyFile = keyFile(t, "bb")
	ill(t, diagnose(t, d), "store", Broken, "another key")
	d.Store.KeyFile = key
	if found := diagnose(t, d); Worst(found) != Fine {
		t.Errorf("sealed: %+v", found)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if found := diagnose(t, d); Worst(found) != Broken || !strings.Contains(fmt.Sprint(found), "chmod 600 "+key) {
		t.Errorf("an open key: %+v", found)
	}

}

func TestDoctorOfAStoreThatIsNotAsItShouldBe(t *testing.T) {
	d, _, g := newDoctor(t)
	g.Stop(t.Context())
	path := d.Store.Path
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(socketOf(path))
	found := diagnose(t, d)
	ill(t, found, "store", Warning, "does not answer")
	if err := errors.Join(db.Update(func(tx *store.Tx) error { return tx.Put(store.OpOpenKey(77), nil) }), db.Close()); err != nil {
		t.Fatal(err)
	}
	ill(t, diagnose(t, d), "consistency", Broken, "op-open 77", "store check")

	if err := errors.Join(os.WriteFile(path, whole, 0o600), store.StampBackup(path, time.Now())); err != nil {
		t.Fatal(err)
	}
	ill(t, diagnose(t, d), "store", Warning, "is a backup of")
	if err := os.WriteFile(path, whole[:9000], 0o600); err != nil {
		t.Fatal(err)
	}
	if found := diagnose(t, d); Worst(found) != Broken {
		t.Errorf("cut: %+v", found)
	}
	os.Remove(path)
	ill(t, diagnose(t, d), "store", Warning, "no store")
	d.Store.Path = filepath.Join(filepath.Dir(path), "absent", "store.db")
	if found := diagnose(t, d); Worst(found) != Broken || found[0].Level != Broken {
		t.Errorf("no directory: %+v", found)
	}
	d.Store.Path = ""
	if found := diagnose(t, d); found[0].Level != Broken || !strings.Contains(found[0].Do, "--store") {
		t.Errorf("no path: %+v", found)
	}
}

func TestARoomyStoreIsToBeCompacted(t *testing.T) {
	for _, c := range []struct {
		bytes, free int64
		want        int
	}{{1 << 20, 1 << 20, 0}, {1 << 30, 100 << 20, 0}, {1 << 30, 600 << 20, 1}} {
		if got := roomInStore(c.bytes, c.free); len(got) != c.want {
			t.Errorf("%d of %d: %+v", c.free, c.bytes, got)
		}
	}
}
