package gateway

import (
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

// stuckRig is a gateway with a renewal in SUPPORT, two operations that are DONE,
// and one of another tenant. Its clock is ahead, so that an hour is over soon.
func stuckRig(t *testing.T) *paidRig {
	t.Helper()
	r := newPaidRig(t, sandbox.Options{}, func(c *config.Config) { c.PaidWait = 100 * time.Millisecond })
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "stuck.net", RegistryEndsAt: midYear(1)}}})
	r.before(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == "POST" && strings.HasSuffix(q.URL.Path, "/renew") && q.Header.Get("Dry-Run") == "" {
			panic(http.ErrAbortHandler) // the request gets lost
		}
		r.sim.Handler().ServeHTTP(w, q)
	})
	r.register(t, keyA, "first.net")
	r.must(t, "domain.renew", keyA, "stuck.net", renewal(1, midYear(1).Year())) // 1000000001
	r.register(t, keyB, "second.net")
	r.giveUp(t, 1000000001)
	return r
}

// giveUp lets an hour pass for an operation that nobody knows the outcome of.
func (r *paidRig) giveUp(t *testing.T, id int64) {
	t.Helper()
	r.ahead.Store(int64(90 * time.Minute))
	for range 200 {
		if r.must(t, "operation.info", keyA, id)["step"] == "SUPPORT" {
			return
		}
		r.ahead.Add(int64(20 * time.Second))
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the operation does not come to SUPPORT")
}

// hands gives an operator's hand on the rig's store, with the daemon and
// without.
func (r *paidRig) hands(t *testing.T, each func(t *testing.T, c *Control)) {
	for _, running := range []bool{true, false} {
		t.Run(map[bool]string{true: "over the socket", false: "on the file"}[running], func(t *testing.T) {
			if !running {
				r.stop()
			}
			c, err := OpenControl(r.store)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}()
			if (c.client != nil) != running {
				t.Errorf("talks to a daemon: %t", c.client != nil)
			}
			each(t, c)
		})
	}
}

func TestOperatorsSeeOperations(t *testing.T) {
	r := stuckRig(t)
	r.hands(t, func(t *testing.T, c *Control) {
		for name, s := range map[string]struct {
			Selection
			want string
		}{
			"all":              {Selection{}, "1000000002 1000000001 1000000000"},
			"two":              {Selection{Most: 2}, "1000000002 1000000001"},
			"a step":           {Selection{Step: "SUPPORT"}, "1000000001"},
			"a step, as typed": {Selection{Step: "support"}, "1000000001"},
			"a type":           {Selection{Type: "domain_create"}, "1000000002 1000000000"},
			"a domain":         {Selection{Domain: "First.NET."}, "1000000000"},
			"a tenant":         {Selection{Tenant: "b"}, "1000000002"},
			"nothing":          {Selection{Tenant: "nobody"}, ""},
		} {
			list, err := c.List(s.Selection)
			var got []string
			for _, o := range list {
				got = append(got, itoa(o.ID))
			}
			if err != nil || list == nil || strings.Join(got, " ") != s.want {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
		if _, err := c.List(Selection{Step: "STUCK"}); err == nil || !strings.Contains(err.Error(), "SUPPORT") {
			t.Errorf("a step that there is not: %v", err)
		}
		o, err := c.Show(1000000001)
		if err != nil || o.Step != "SUPPORT" || o.State != "unknown" || o.Tenant != "a" || o.Domain != "stuck.net" || o.Sends != 1 ||
			o.Type != "domain_renew" || !strings.Contains(o.LastError, "nobody knows") || !strings.Contains(string(o.Params), `"current_year"`) {
			t.Errorf("%+v, %v", o, err)
		}
		if _, err := c.Show(42); err == nil || !strings.Contains(err.Error(), "gateway ops list") {
			t.Errorf("none: %v", err)
		}
		if _, err := c.Resolve(42, true); err == nil || !strings.Contains(err.Error(), "gateway ops list") {
			t.Errorf("resolve none: %v", err)
		}
		if _, err := c.Resolve(1000000000, false); err == nil || !strings.Contains(err.Error(), "SUPPORT") {
			t.Errorf("resolve what is DONE: %v", err)
		}
	})
}

func TestOperatorsResolve(t *testing.T) {
	t.Parallel()
	for _, happened := range []bool{true, false} {
		for _, running := range []bool{true, false} {
			r := stuckRig(t)
			if !running {
				r.stop()
			}
			c, err := OpenControl(r.store)
			if err != nil {
				t.Fatal(err)
			}
			want := map[bool]string{true: "DONE", false: "ERROR"}[happened]
			if o, err := c.Resolve(1000000001, happened); err != nil || o.Step != want {
				t.Errorf("%+v, %v", o, err)
			}
			if _, err := c.Resolve(1000000001, happened); err == nil || !strings.Contains(err.Error(), "SUPPORT") {
				t.Errorf("twice: %v", err)
			}
			if o, err := c.Show(1000000001); err != nil || o.Step != want || (o.LastError == "") != happened {
				t.Errorf("%+v, %v", o, err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if !running {
				continue
			}
			if op := r.must(t, "operation.info", keyA, 1000000001); op["step"] != want {
				t.Errorf("the caller sees %v", op)
			}
			// The year stays spent only where it happened.
			r.before(r.sim.Handler().ServeHTTP)
			again := r.must(t, "domain.renew", keyA, "stuck.net", renewal(1, midYear(1).Year()))
			if same := again["id"] == int64(1000000001); same != happened {
				t.Errorf("happened %t, asked again: operation %v", happened, again["id"])
			}
			if !strings.Contains(r.log.String(), "an operator resolved an operation") {
				t.Error("not logged")
			}
		}
	}
}

// Only the daemon's user may talk to it, from the first moment on.
func TestTheSocketIsPrivate(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	r := newPaidRig(t, sandbox.Options{}, nil)
	info, err := os.Stat(socketOf(r.store))
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	path := filepath.Join(t.TempDir(), "early.sock")
	private := net.ListenConfig{Control: onlyOurs}
	l, err := private.Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info, err := os.Stat(path); err != nil || info.Mode()&0o077 != 0 {
		t.Errorf("before the chmod: %v, %v", info.Mode(), err)
	}
	r.stop()
	if _, err := os.Stat(socketOf(r.store)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket of a daemon that stopped: %v", err)
	}
}

// A socket that a killed daemon left is no daemon, and no obstacle to the next.
func TestAStaleSocket(t *testing.T) {
	r := stuckRig(t)
	r.stop()
	l, err := net.Listen("unix", socketOf(r.store))
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	c, err := OpenControl(r.store)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := c.List(Selection{}); err != nil || len(list) != 3 || c.client != nil {
		t.Errorf("%d operations, %v", len(list), err)
	}
	c.Close()
	next := startOn(t, r.store, "http://127.0.0.1:1")
	defer next.Stop(t.Context())
	if c, err = OpenControl(r.store); err != nil || c.client == nil {
		t.Fatalf("the next daemon: %v", err)
	}
	if list, err := c.List(Selection{}); err != nil || len(list) != 3 {
		t.Errorf("%d operations, %v", len(list), err)
	}
	c.Close()
}

func TestOperatorsAreToldWhatToDo(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.db")
	if _, err := OpenControl(missing); err == nil || !strings.Contains(err.Error(), missing) || !strings.Contains(err.Error(), "--store") {
		t.Errorf("no file: %v", err)
	}
	if left, err := filepath.Glob(dir + "/*"); err != nil || len(left) != 0 {
		t.Errorf("it leaves %v", left)
	}
	other := filepath.Join(dir, "other.db")
	if err := os.WriteFile(other, []byte(strings.Repeat("no store\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenControl(other); err == nil || !strings.Contains(err.Error(), other) {
		t.Errorf("no store: %v", err)
	}
	r := newPaidRig(t, sandbox.Options{}, nil)
	if err := os.Remove(socketOf(r.store)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenControl(r.store); err == nil || !strings.Contains(err.Error(), "another process holds it") {
		t.Errorf("a daemon without a socket: %v", err)
	}
}
