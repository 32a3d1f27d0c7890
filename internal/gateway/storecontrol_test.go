package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

// keyFile writes a sealing key and gives its file.
func keyFile(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	text := strings.Repeat(fmt.Sprintf("%x", name[:2]), 16)
	if err := os.WriteFile(path, []byte(text[:63]+"f\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sessionRig is a gateway that has been worked with: contacts, a domain,
// operations that are done.
func sessionRig(t *testing.T, options ...store.Option) (r *rig, api, handle string) {
	t.Helper()
	r = &rig{store: filepath.Join(t.TempDir(), "store.db"), log: &bytes.Buffer{}}
	r.sim = sandbox.New(sandbox.Options{StepTime: time.Millisecond, PendingChecks: -1})
	server := httptest.NewServer(r.sim.Handler())
	t.Cleanup(server.Close)
	r.Gateway = startOn(t, r.store, server.URL, options...)
	t.Cleanup(r.stop)
	handle = r.register(t, keyA, "worked.net")
	return r, server.URL, handle
}

func wellChecked(t *testing.T, f StoreFile, running bool) {
	t.Helper()
	for _, quick := range []bool{false, true} {
		c, err := f.Check(t.Context(), quick)
		if err != nil || c.Wrong != 0 || c.Running != running || c.Pages == (running || quick) || c.Keys["meta"] == 0 {
			t.Errorf("%s, quick %t: %+v, %v", f.Path, quick, c, err)
		}
	}
}

func alone(t *testing.T, path string) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	hidden, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if list = append(list, hidden...); err != nil || len(list) != 1 {
		t.Errorf("beside %s: %v, %v", path, list, err)
	}
}

func TestBackupOfARunningGateway(t *testing.T) {
	r, _, handle := sessionRig(t)
	file := StoreFile{Path: r.store}
	wellChecked(t, file, true)
	var callers sync.WaitGroup
	stop := make(chan struct{})
	var last string
	callers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			m, err := r.call(t, "contact.create", keyA, person())
			if err != nil {
				t.Error(err)
				return
			}
			last, _ = m["handle"].(string)
		}
	})
	dir := t.TempDir()
	for i := range 3 {
		done, err := file.Backup(t.Context(), filepath.Join(dir, fmt.Sprint("backup", i)), false)
		if err != nil || !done.Running || done.Check.Wrong != 0 || !done.Check.Pages || done.Bytes == 0 {
			t.Errorf("%+v, %v", done, err)
		}
		if fi, err := os.Stat(done.File); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", fi.Mode(), err)
		}
		wellChecked(t, StoreFile{Path: done.File}, false)
	}
	close(stop)
	callers.Wait()
	after, err := file.Backup(t.Context(), filepath.Join(t.TempDir(), "b"), false)
	if err != nil {
		t.Fatal(err)
	}
	alone(t, after.File)
	for _, known := range []string{handle, last} {
		if raw, _ := os.ReadFile(after.File); !bytes.Contains(raw, []byte(known)) {
			t.Errorf("%s is not in it", known)
		}
	}
}

func TestBackupOverwritesNothing(t *testing.T) {
	r, _, _ := sessionRig(t)
	r.stop()
	file := StoreFile{Path: r.store}
	to := filepath.Join(t.TempDir(), "backup.db")
	done, err := file.Backup(t.Context(), to, false)
	if err != nil || done.Running {
		t.Fatalf("%+v, %v", done, err)
	}
	first, _ := os.ReadFile(to)
	if _, err := file.Backup(t.Context(), to, false); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "--force") {
		t.Errorf("over a file: %v", err)
	}
	if _, err := file.Backup(t.Context(), t.TempDir(), true); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("over a directory: %v", err)
	}
	if _, err := file.Backup(t.Context(), r.store, true); err == nil || !strings.Contains(err.Error(), "the store itself") {
		t.Errorf("over the store: %v", err)
	}
	if _, err := (StoreFile{Path: to + ".absent"}).Backup(t.Context(), to+"2", true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
	if again, _ := os.ReadFile(to); !bytes.Equal(again, first) {
		t.Error("the first backup was changed")
	}
	if _, err := file.Backup(t.Context(), to, true); err != nil {
		t.Errorf("with force: %v", err)
	}
	alone(t, to)
	wellChecked(t, StoreFile{Path: to}, false)
}

// A backup that breaks off, or arrives damaged, gets no name.
func TestABackupThatIsNotWholeGetsNoName(t *testing.T) {
	r, _, _ := sessionRig(t)
	r.stop()
	whole, err := os.ReadFile(r.store)
	if err != nil {
		t.Fatal(err)
	}
	for name, serve := range map[string]http.HandlerFunc{
		"cut":      func(w http.ResponseWriter, _ *http.Request) { w.Write(whole[:12_000]); panic(http.ErrAbortHandler) },
		"short":    func(w http.ResponseWriter, _ *http.Request) { w.Write(whole[:12_000]) },
		"empty":    func(http.ResponseWriter, *http.Request) {},
		"no store": func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte("no store "), 9000)) },
		"noise":    func(w http.ResponseWriter, _ *http.Request) { w.Write(append(make([]byte, 9000), whole[9000:]...)) },
		"refused": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "disk on fire", http.StatusInternalServerError)
		},
		"unknown": http.NotFound,
	} {
		path := filepath.Join(t.TempDir(), "s.db")
		l, err := net.Listen("unix", socketOf(path))
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: serve}
		go server.Serve(l)
		dir := t.TempDir()
		done, err := StoreFile{Path: path}.Backup(t.Context(), filepath.Join(dir, "backup"), false)
		if err == nil {
			t.Errorf("%s: %+v", name, done)
		}
		if list, _ := os.ReadDir(dir); len(list) != 0 {
			t.Errorf("%s leaves %v", name, list)
		}
		server.Close()
	}
}

func TestToolsThatNeedTheStoreAloneRefuseWhileAGatewayRuns(t *testing.T) {
	r, _, _ := sessionRig(t)
	file := StoreFile{Path: r.store}
	if _, err := file.Compact(t.Context()); !errors.Is(err, store.ErrHeld) {
		t.Errorf("compact: %v", err)
	}
	if _, err := file.Rekey(t.Context(), keyFile(t, "aa")); !errors.Is(err, store.ErrHeld) {
		t.Errorf("rekey: %v", err)
	}
	r.must(t, "contact.create", keyA, person())
	r.stop()
	if done, err := file.Compact(t.Context()); err != nil || done.After >= done.Before {
		t.Errorf("%+v, %v", done, err)
	}
	wellChecked(t, file, false)
}

// A store is sealed, served, backed up, rotated and unsealed; at each stop it
// answers as before and its file says nothing of people while it is sealed.
func TestASealedStoreServesAsAPlainOne(t *testing.T) {
	r, api, handle := sessionRig(t)
	r.stop()
	keys := []string{"", keyFile(t, "aa"), keyFile(t, "bb"), ""}
	for i := 1; i < len(keys); i++ {
		done, err := StoreFile{Path: r.store, KeyFile: keys[i-1]}.Rekey(t.Context(), keys[i])
		if err != nil || done.AsItWas || done.LeftOut != 0 {
			t.Fatalf("%+v, %v", done, err)
		}
		if keys[i] != "" {
			refusesToStart(t, r.store)
		}
		option, err := SealWith(keys[i])
		if err != nil {
			t.Fatal(err)
		}
		r.Gateway = startOn(t, r.store, api, option)
		if c := r.must(t, "contact.info", keyA, handle); c["family"] != "Quackenbush" {
			t.Errorf("the contact is %v", c)
		}
		again := r.register(t, keyA, fmt.Sprintf("again%d.net", i))
		// What v5 shows is recognised by its content, though the digests differ.
		contacts := r.must(t, "domain.info", keyA, "worked.net")["contacts"].(map[string]any)
		if got := contacts["owner"].(map[string]any)["handle"]; got != handle {
			t.Errorf("the owner is %v, want %s", got, handle)
		}
		file := StoreFile{Path: r.store, KeyFile: keys[i]}
		wellChecked(t, file, true)
		backup, err := file.Backup(t.Context(), filepath.Join(t.TempDir(), "backup"), false)
		if err != nil || backup.Check.Wrong > 0 || backup.Check.Unread {
			t.Errorf("%+v, %v", backup, err)
		}
		blind, err := StoreFile{Path: r.store}.Backup(t.Context(), filepath.Join(t.TempDir(), "backup"), false)
		if err != nil || blind.Check.Wrong > 0 || blind.Check.Unread != (keys[i] != "") {
			t.Errorf("without a key: %+v, %v", blind, err)
		}
		r.stop()
		wellChecked(t, file, false)
		oneDone(t, r.store, fmt.Sprintf("again%d.net", i), option)
		for _, path := range []string{r.store, backup.File, blind.File} {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"Quackenbush", "quackenbush", "Xylophone", "domain_create", "198765432"} {
				if bytes.Contains(raw, []byte(text)) != (keys[i] == "") {
					t.Errorf("%s in %s: %t", text, filepath.Base(path), keys[i] != "")
				}
			}
			if !bytes.Contains(raw, []byte(again)) {
				t.Errorf("%s is not in %s", again, filepath.Base(path))
			}
		}
	}
}

// refusesToStart wants no gateway on a sealed store without its key.
func refusesToStart(t *testing.T, path string) {
	t.Helper()
	cfg := config.Default()
	cfg.Listen, cfg.Admin, cfg.Store = "127.0.0.1:0", "127.0.0.1:0", path
	cfg.Tenants = []config.Tenant{{Name: "a", V3Key: keyA, V5Token: sandbox.DefaultToken}}
	if g, err := New(cfg, Hooks{Log: zap.NewNop()}); !errors.Is(err, store.ErrSealed) {
		t.Fatalf("it is served without its key: %v, %v", g, err)
	}
}

// oneDone wants one operation on a domain, which is DONE, seen without a daemon.
func oneDone(t *testing.T, path, domain string, option store.Option) {
	t.Helper()
	control, err := OpenControl(path, option)
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	if list, err := control.List(Selection{Domain: domain}); err != nil || len(list) != 1 || list[0].Step != "DONE" {
		t.Errorf("operations %+v, %v", list, err)
	}
}

// The drill of docs: stop, put the backup in the place of the store, start.
func TestRestore(t *testing.T) {
	r, api, handle := sessionRig(t)
	backup, err := StoreFile{Path: r.store}.Backup(t.Context(), filepath.Join(t.TempDir(), "backup"), false)
	if err != nil {
		t.Fatal(err)
	}
	lost := r.register(t, keyA, "lost.net") // a contact and an operation since
	r.stop()
	if err := os.Rename(backup.File, r.store); err != nil {
		t.Fatal(err)
	}
	r.Gateway = startOn(t, r.store, api)
	if _, err := r.call(t, "contact.info", keyA, lost); err == nil {
		t.Error("the contact that the backup does not know is there")
	}
	r.must(t, "contact.info", keyA, handle)
	if c := r.must(t, "contact.create", keyA, person()); c["handle"] == lost {
		t.Errorf("%s is given out again", lost)
	}
	op := r.must(t, "domain.contacts.set", keyA, "worked.net", map[string]any{"tech": handle})
	if id := op["id"].(int64); id < 1_001_000_000 {
		t.Errorf("operation id %d may have been given out before", id)
	}
	// What was bought since is the organization's all the same.
	if d := r.must(t, "domain.info", keyA, "lost.net"); d["fqdn"] != "lost.net" {
		t.Errorf("the domain that was bought since: %v", d)
	}
	wellChecked(t, StoreFile{Path: r.store}, true)
}
