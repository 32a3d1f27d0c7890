package certs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var allFiles = []string{CAFile, CAKeyFile, CertFile, KeyFile}

// contents are the files of a directory, to be compared.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		if e.IsDir() {
			all[e.Name()] = "folder"
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(raw)
	}
	return all
}

func modes(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	all := map[string]fs.FileMode{}
	for _, name := range allFiles {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = info.Mode()
	}
	return all
}

func TestModes(t *testing.T) {
	dir, _ := create(t, Request{Hosts: []string{gandi}})
	want := map[string]fs.FileMode{CAFile: 0o644, CAKeyFile: 0o600, CertFile: 0o644, KeyFile: 0o600}
	if diff := cmp.Diff(want, modes(t, dir)); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
	for name, begin := range map[string]string{CAFile: "CERTIFICATE", CAKeyFile: "PRIVATE KEY", CertFile: "CERTIFICATE", KeyFile: "PRIVATE KEY"} {
		if got := contents(t, dir)[name]; !strings.HasPrefix(got, "-----BEGIN "+begin+"-----\n") {
			t.Errorf("%s begins with %.40q", name, got)
		}
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	for _, name := range allFiles {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Create(dir, Request{Hosts: []string{gandi}})
		if err == nil || !strings.Contains(err.Error(), "has "+name+" already") || !strings.Contains(err.Error(), "--renew") {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(map[string]string{name: "mine"}, contents(t, dir)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// One that appears after the look is not overwritten either, and the others
	// are taken away again.
	dir := t.TempDir()
	files := []file{{"a", []byte("new"), 0o600}, {"b", []byte("new"), 0o600}}
	if err := os.WriteFile(filepath.Join(dir, "b"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := createAll(dir, files); err == nil {
		t.Error("a file was overwritten")
	}
	if diff := cmp.Diff(map[string]string{"b": "mine"}, contents(t, dir)); diff != "" {
		t.Errorf("after a failure (-want +got):\n%s", diff)
	}
}

func TestRenew(t *testing.T) {
	begin := time.Now().AddDate(0, -6, 0)
	hosts := []string{gandi, "rpc.ote.gandi.net", "192.0.2.7"}
	dir, first := create(t, Request{Hosts: hosts, RSA: true, Now: begin})
	// An operator gave the gateway's group the key, and everyone by mistake.
	if err := os.Chmod(filepath.Join(dir, KeyFile), 0o644); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	second, err := Renew(dir, Request{})
	if err != nil {
		t.Fatal(err)
	}
	after := contents(t, dir)
	if after[CAFile] != before[CAFile] || after[CAKeyFile] != before[CAKeyFile] {
		t.Error("the CA was replaced")
	}
	if after[CertFile] == before[CertFile] || after[KeyFile] == before[KeyFile] || len(after) != 4 {
		t.Errorf("the leaf or its key was not replaced, or something was left: %d files", len(after))
	}
	if diff := cmp.Diff(hosts, load(t, dir).Names()); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	if !second.Leaf.NotAfter.After(first.Leaf.NotAfter) || !load(t, dir).RSA() {
		t.Errorf("it ends on %s, the first on %s; RSA %v", second.Leaf.NotAfter, first.Leaf.NotAfter, load(t, dir).RSA())
	}
	want := map[string]fs.FileMode{CAFile: 0o644, CAKeyFile: 0o600, CertFile: 0o644, KeyFile: 0o640}
	if diff := cmp.Diff(want, modes(t, dir)); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
	if _, err := Renew(dir, Request{Hosts: []string{gandi}, Days: 10}); err != nil {
		t.Error(err)
	}
	if got := load(t, dir); time.Until(got.NotAfter()) > 10*24*time.Hour || len(got.Names()) != 1 {
		t.Errorf("10 days for one host: until %s for %v", got.NotAfter(), got.Names())
	}
}

func TestRenewWithoutALeafTakesTheHostsOfTheCA(t *testing.T) {
	dir, _ := create(t, Request{Hosts: []string{gandi, "2001:db8::7"}})
	for _, name := range []string{CertFile, KeyFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Renew(dir, Request{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{gandi, "2001:db8::7"}, load(t, dir).Names()); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	want := map[string]fs.FileMode{CAFile: 0o644, CAKeyFile: 0o600, CertFile: 0o644, KeyFile: 0o600}
	if diff := cmp.Diff(want, modes(t, dir)); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
}

func TestRenewThatFails(t *testing.T) {
	dir, _ := create(t, Request{Hosts: []string{gandi}})
	other, _ := create(t, Request{Hosts: []string{gandi}})
	dirAt := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := errors.Join(os.Remove(filepath.Join(dir, name)), os.Mkdir(filepath.Join(dir, name), 0o700)); err != nil {
				t.Fatal(err)
			}
		}
	}
	put := func(name, data string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name, want string
		r          Request
		spoil      func(t *testing.T, dir string)
	}{
		{"no CA", "make a new CA without --renew", Request{}, func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, CAFile)) }},
		{"no key", "bring both files back", Request{}, func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, CAKeyFile)) }},
		{"another's key", "bring both files back", Request{}, put(CAKeyFile, contents(t, other)[CAKeyFile])},
		{"no leaf in PEM", "name the hosts with --host", Request{}, put(CertFile, "x")},
		{"a key that is a folder", "call --renew again", Request{Hosts: []string{gandi}}, dirAt(KeyFile)},
		{"another host", "the CA may speak for rpc.gandi.net only", Request{Hosts: []string{"example.com"}}, func(*testing.T, string) {}},
		{"days", "days: 500", Request{Days: 500}, func(*testing.T, string) {}},
		{"RSA", "make a new CA with --rsa", Request{RSA: true}, func(*testing.T, string) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			work := t.TempDir()
			for name, data := range contents(t, dir) {
				put(name, data)(t, work)
			}
			c.spoil(t, work)
			before := contents(t, work)
			if _, err := Renew(work, c.r); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if diff := cmp.Diff(before, contents(t, work)); diff != "" {
				t.Errorf("something was written (-before +after):\n%s", diff)
			}
		})
	}
}
