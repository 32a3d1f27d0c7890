package gateway

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

// console asks for a page of the console. The answer begins with its status.
func (r *rig) console(t *testing.T, path string) string {
	t.Helper()
	return get(t, "http://"+r.AdminAddr()+path)
}

// pages are all pages of a console that has something on each.
func (r *rig) pages(handle string) []string {
	return []string{"/console/", "/console/calls", "/console/calls?span=day", "/console/callers", "/console/operations", "/console/operations/1000000000",
		"/console/handles", "/console/handles/" + handle, "/console/handles?handle=" + handle, "/console/v5",
		"/console/report", "/console/explain?method=contact.info&params=%22" + handle + "%22"}
}

func TestConsoleShowsWhatHappened(t *testing.T) {
	r := newRig(t, nil)
	handle := r.register(t, keyA, "shown.net")
	r.call(t, "domain.info", keyA, "absent.net")
	r.call(t, "domain.info", keyB, "shown.net")
	r.call(t, "system.multicall", []any{})
	for path, texts := range map[string][]string{
		"/console/":                      {">Ready<", ">a<", ">b<", "normal", "closed", "not sealed", "read at the start"},
		"/console/calls":                 {"domain.create", "calls of domain.info in the last hour", "Faults: 2.", ">unknown<"},
		"/console/callers":               {"a · 127.0.0.1", "b · 127.0.0.1", "no tenant · 127.0.0.1", "operation.info"},
		"/console/operations":            {"None open"},
		"/console/operations/1000000000": {"domain_create", "shown.net", "BILL", "DONE", "written down, nothing is sent", "v5 took the call"},
		"/console/operations/1000000001": {"404", "There is no such operation"},
		"/console/handles":               {handle, "Z*** Q***", "z***@q***", "shown.net", "admin, bill, owner and tech"},
		"/console/handles/" + handle:     {"&#43;33.***", "person", "shown.net"},
		"/console/report":                {"domain.info", "a · key ", "b · key ", "no tenant · 127.0.0.1", "GET /domain/domains/{d}", "calls in the last 30 days", "510042 ×1"},
		"/console/explain":               {`<option value="domain.renew">`},
		"/console/explain?method=domain.info&params=%22x.net%22": {"/v5/domain/domains/x.net&#39;", "$GANDI_KEY", "answered with 200"},
		"/console/explain?method=domain.fly":                     {"There is no method domain.fly."},
		"/console/explain?method=domain.info&params=%7B":         {"no JSON values"},
		"/console/v5": {"1\u202f000 a minute", "requests to v5 in the last hour"},
	} {
		body := r.console(t, path)
		for _, want := range texts {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not have %q", path, want)
			}
		}
	}
	for _, path := range []string{"/", "/console"} {
		if got := r.console(t, path); !strings.Contains(got, "<h1>Overview</h1>") {
			t.Errorf("%s leads to %.80s", path, got)
		}
	}
	for _, path := range []string{"/consolex", "/console2/", "//console/", "/other"} {
		if got := r.console(t, path); got != "404 not found\n" {
			t.Errorf("%s: %.80s", path, got)
		}
	}
}

// No page has contact data, a key, a token, a password or a transfer code, also
// where a caller puts one where it does not belong.
func TestConsoleTellsNoSecrets(t *testing.T) {
	r := newRig(t, nil)
	handle := r.register(t, keyA, "secret.net")
	const code, stolen = "TransferCode123", "sssssssssssssssssssssss1"
	r.call(t, "domain.transferin.proceed", keyA, "coming.net", map[string]any{
		"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1, "authinfo": code})
	bad := person()
	bad["phone"] = "0198765432"
	r.call(t, "contact.create", keyA, bad)
	r.call(t, "domain.info", stolen, "secret.net")
	body := fmt.Sprintf("<methodCall><methodName>contact.info</methodName><params><param><value>%s</value></param></params></methodCall>", keyA)
	req, err := http.NewRequest("POST", "http://"+r.Addr()+"/xmlrpc/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "client "+keyA+" jane@doe.example <script>")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if callers := r.console(t, "/console/callers"); !strings.Contains(callers, "client *** ***@*** &lt;script&gt;") {
		t.Errorf("the caller is not there, or not masked: %s", callers)
	}
	pages := append(r.pages(handle), "/console/operations/1000000001", "/console/handles?after=A")
	for _, path := range pages {
		shown := r.console(t, path)
		if !strings.HasPrefix(shown, "200 ") {
			t.Errorf("%s: %.80s", path, shown)
		}
		for _, never := range []string{keyA, keyB, stolen, "v5-secret-token", "hunter2", code, "Zebulon", "Quackenbush", "Xylophone",
			"quackenbush.example", "98765432", "75011", "jane@doe", "<script"} {
			if strings.Contains(shown, never) {
				t.Errorf("%s has %q", path, never)
			}
		}
	}
}

// A reason of v5's can repeat what it was sent.
func TestConsoleMasksReasons(t *testing.T) {
	r := newRig(t, nil)
	handle := r.must(t, "contact.create", keyA, person())["handle"].(string)
	refusal := map[string]any{"object": "domain", "cause": "CAUSE_BADPARAMETER", "code": 400,
		"message": "owner Zebulon Quackenbush, zeb@quackenbush.example, is not wanted"}
	if err := r.sim.Seed(sandbox.Seed{NextError: &sandbox.NextError{Method: "POST", Path: "/domain/domains", Status: 400, Body: refusal}}); err != nil {
		t.Fatal(err)
	}
	r.call(t, "domain.create", keyA, "refused.net", map[string]any{"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1})
	page := r.console(t, "/console/operations/1000000000")
	if !strings.Contains(page, "ERROR") || !strings.Contains(page, "is not wanted") {
		t.Errorf("no reason in %s", page)
	}
	for _, never := range []string{"Zebulon", "Quackenbush", "quackenbush.example"} {
		if strings.Contains(page, never) {
			t.Errorf("it shows %s", never)
		}
	}
}

func TestConsoleIsForThoseOfTheMachine(t *testing.T) {
	outside := func() string { // an address of this machine that is no loopback one
		addrs, _ := net.InterfaceAddrs()
		for _, a := range addrs {
			if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() && ip.IP.To4() != nil {
				return ip.IP.String()
			}
		}
		return ""
	}()
	for _, c := range []struct{ setting, inside, outside string }{
		{"loopback", "200", "404"}, {"always", "200", "200"}, {"never", "404", "404"},
	} {
		r := newRig(t, func(cfg *config.Config) { cfg.Console, cfg.Admin = c.setting, "0.0.0.0:0" })
		_, port, _ := net.SplitHostPort(r.AdminAddr())
		for host, want := range map[string]string{"127.0.0.1": c.inside, outside: c.outside} {
			if host == "" {
				t.Log("this machine has loopback addresses only")
				continue
			}
			for _, path := range []string{"/console/", "/", "/console/handles", "/console/style.css"} {
				if got := get(t, "http://"+net.JoinHostPort(host, port)+path); !strings.HasPrefix(got, want) {
					t.Errorf("%s, %s%s: %.60s, want %s", c.setting, host, path, got, want)
				}
			}
			if got := get(t, "http://"+net.JoinHostPort(host, port)+"/healthz"); got != "200 ok\n" {
				t.Errorf("%s, %s: health %s", c.setting, host, got)
			}
		}
		r.stop()
	}
}

func TestConsoleIsNotReadUnderAStrangersName(t *testing.T) {
	r := newRig(t, nil)
	for host, want := range map[string]int{"localhost": 200, "127.0.0.1": 200, "rebound.example": 403} {
		req, err := http.NewRequest("GET", "http://"+r.AdminAddr()+"/console/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != want || want == 403 && strings.Contains(string(body), "Overview") {
			t.Errorf("%s: %d", host, res.StatusCode)
		}
	}
}

func TestConsoleShowsReloads(t *testing.T) {
	r := newRig(t, nil)
	good := config.Loaded{Config: r.cfg}
	bad := good
	bad.Tenants = nil
	for _, c := range []struct {
		loaded config.Loaded
		want   string
	}{{bad, "the last one was wrong"}, {good, "in force"}} {
		r.reread = func() *config.Loaded { return &c.loaded }
		r.Reload()
		if page := r.console(t, "/console/"); !strings.Contains(page, c.want) || strings.Contains(page, "read at the start") {
			t.Errorf("after a reload it does not say %q", c.want)
		}
	}
}

// An operation that waits for people comes first, and says what to do.
func TestConsoleShowsOpenOperations(t *testing.T) {
	r := newRig(t, nil)
	r.sim.Freeze(true)
	handle := r.must(t, "contact.create", keyA, person())["handle"].(string)
	for i := range 3 {
		r.must(t, "domain.create", keyA, fmt.Sprintf("open%d.net", i), map[string]any{
			"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1})
	}
	page := r.console(t, "/console/operations")
	for _, want := range []string{"3 open", "open0.net", "open1.net", "open2.net", `href="/console/operations/1000000002"`, "1 to 3 of 3"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
	r.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	state, err := r.consoleState()
	if err != nil || state.Stuck != 3 {
		t.Errorf("after two hours %d are stuck, %v", state.Stuck, err)
	}
}

// A page that explains works where only the store's directory can be written to,
// leaves nothing there, and what a killed process left is removed.
func TestConsoleExplainsBesideTheStore(t *testing.T) {
	left := ""
	r := newRig(t, func(cfg *config.Config) {
		left = cfg.Store + rehearsalMark + "1"
		for _, dir := range []string{left, filepath.Join(filepath.Dir(cfg.Store), "other.db"+rehearsalMark+"1")} {
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Setenv("TMPDIR", "/nonexistent")
	if body := r.console(t, "/console/explain?method=domain.info&params=%22x.net%22"); !strings.Contains(body, "curl -sS") {
		t.Error(body)
	}
	list, err := filepath.Glob(filepath.Join(filepath.Dir(r.store), "*"+rehearsalMark+"*"))
	if err != nil || len(list) != 1 || !strings.HasPrefix(filepath.Base(list[0]), "other.db") {
		t.Errorf("beside the store: %v, %v", list, err)
	}
}
