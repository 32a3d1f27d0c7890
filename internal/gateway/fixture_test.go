package gateway

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/exchange"
	"v3gate/internal/xmlrpc"
)

var update = flag.Bool("update", false, "rewrite what the gateway produces in the fixtures: v5 requests and answers")

const (
	fixtures  = "../../testdata/fixtures"
	testKey   = "abcdefghijklmnopqrstuvwx"
	testToken = "v5-token-of-the-fixtures"
	testOrg   = "e58f2734-5f7b-11e9-a5c3-00163ec4cb00"
)

// A fixture is a file of internal/exchange, <method>/<case>.txtar, which says the
// form. Its config lines are own_handle=… or anonymous=1 or mode=… or
// no_sharing_id=1 or buy_mail_slots=1 or buy_premium=1 of the tenant, zone_drift=… or v5_dry_run=0
// of the gateway, or last_handle=… and its like: the number given out last.
//
// With -update the lines that start with > and response.xml are rewritten; what
// a client or v5 sent never is.
type fixture struct {
	*exchange.File
	path    string
	config  config.Config
	last    map[string]int64 // number given out last, by counter
	lenient bool             // errors of v5 that are not mapped are no failure
}

func readFixture(t *testing.T, path string) *fixture {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := exchange.Parse(raw)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	f := &fixture{File: file, path: path, config: config.Default(), last: map[string]int64{}}
	f.config.Tenants = []config.Tenant{{Name: "fixture", V3Key: testKey, V5Token: testToken, SharingID: testOrg}}
	for _, line := range f.Lines {
		if line.Word == "config" {
			if err := configureExchange(&f.config, f.last, line.Text); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		}
	}
	return f
}

func TestFixtures(t *testing.T) {
	paths, err := filepath.Glob(fixtures + "/*/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(strings.TrimPrefix(path, fixtures+"/"), ".txtar")
		t.Run(name, func(t *testing.T) {
			f := readFixture(t, path)
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) { f.run(t, dir) })
		})
	}
}

// play plays the fixture through the whole chain, with a real store, on a clock
// that stands where the file says and moves only when something waits.
func (f *fixture) play(t *testing.T, dir string) (got []byte, script *script) {
	now, err := f.Now()
	if err != nil {
		t.Fatal(err)
	}
	if now.IsZero() {
		now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	time.Sleep(time.Until(now))
	after, err := f.After()
	if err != nil {
		t.Fatal(err)
	}
	script = newScript(f.V5)
	unmapped := f.newGateway(t, dir, script)
	for _, step := range f.Lines {
		switch step.Word {
		case "wait":
			d, err := time.ParseDuration(step.Text)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(d)
		case "call":
			if got := unmapped(f.callBefore(t, step.Text)); bytes.Contains(got, []byte("<fault>")) {
				t.Fatalf("call before: %s\n%s", step.Text, got)
			}
		}
	}
	got = unmapped(f.Request)
	time.Sleep(after)
	synctest.Wait() // for the items of a work list that can go on at once
	return got, script
}

// run plays the fixture and compares.
func (f *fixture) run(t *testing.T, dir string) {
	got, script := f.play(t, dir)
	script.finish(t)
	asked := script.written()
	if *update {
		f.V5, f.Answer = asked, got
		raw, err := f.Format()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(exchange.Conversation(f.V5), exchange.Conversation(asked)); diff != "" {
		t.Errorf("v5 requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(string(f.Answer), string(got)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

// newGateway gives a function that sends one request body to a fresh gateway.
func (f *fixture) newGateway(t *testing.T, dir string, script *script) func([]byte) []byte {
	cfg := f.config
	cfg.Store, cfg.V5URL = filepath.Join(dir, "store.db"), "http://v5.test/v5"
	n := 0
	g, err := New(cfg, Hooks{Log: zap.NewNop(), Transport: script, RequestID: func() string {
		n++
		return fmt.Sprintf("request-%d", n)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if err := fillFor(g, f.File, f.last); err != nil {
		t.Fatalf("%s: %v", f.path, err)
	}
	g.services.UnmappedV5 = func(route string) {
		if !f.lenient {
			t.Errorf("v5 error of %s is not mapped to a fault", route)
		}
	}
	h, err := g.Handler()
	if err != nil {
		t.Fatal(err)
	}
	return func(body []byte) []byte {
		r := httptest.NewRequest("POST", "/xmlrpc/", bytes.NewReader(body))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/xml; charset=utf-8" {
			t.Errorf("answered with status %d, %s", w.Code, w.Header().Get("Content-Type"))
		}
		return w.Body.Bytes()
	}
}

// callBefore turns "method.name JSON..." into a request.
func (f *fixture) callBefore(t *testing.T, text string) []byte {
	t.Helper()
	method, params, err := callLine(text)
	if err != nil {
		t.Fatalf("%s: call %s: %v", f.path, text, err)
	}
	body, err := xmlrpc.AppendCall(nil, method, slices.Insert(params, 0, xmlrpc.String(testKey))...)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// script is v5 as a fixture tells it: an http.RoundTripper that answers by
// heart, in order, and writes down what it was asked.
type script struct {
	mu    sync.Mutex
	turns []exchange.Turn
	asked []exchange.Turn // the same, with each request as it came
	extra []string        // requests that came after the last answer
	bad   []string
}

func newScript(turns []exchange.Turn) *script { return &script{turns: turns} }

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	turn := exchange.Turn{Method: r.Method, Target: r.URL.RequestURI(), DryRun: r.Header.Get("Dry-Run") != ""}
	if got := r.Header.Get("Authorization"); got != "Bearer "+testToken {
		s.bad = append(s.bad, "Authorization: "+got)
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if string(body) != "{}" {
			turn.Body = string(body)
		}
		if bytes.Contains(body, []byte(testKey)) || strings.Contains(r.URL.String(), testKey) {
			s.bad = append(s.bad, "the v3 key is sent to v5")
		}
	}
	if len(s.asked) == len(s.turns) {
		s.extra = append(s.extra, turn.Asked())
		return nil, fmt.Errorf("no answer left for %s", turn.Asked())
	}
	told := s.turns[len(s.asked)]
	turn.Status, turn.Answer = told.Status, told.Answer
	s.asked = append(s.asked, turn)
	if turn.Status == exchange.Cut {
		return nil, io.ErrUnexpectedEOF
	}
	w := httptest.NewRecorder()
	body := turn.Answer
	if rest, ok := strings.CutPrefix(body, "Location: "); ok {
		w.Header().Set("Location", rest)
		body = ""
	}
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(body, "<") {
		w.Header().Set("Content-Type", "text/html")
	}
	code, err := strconv.Atoi(turn.Status)
	if err != nil {
		return nil, err
	}
	w.WriteHeader(code)
	w.WriteString(body)
	return w.Result(), nil
}

// finish fails for answers nobody asked for and requests nobody expected.
func (s *script) finish(t *testing.T) {
	t.Helper()
	s.mu.Lock() // a turn behind the call may still ask
	defer s.mu.Unlock()
	for _, line := range s.extra {
		t.Errorf("unexpected v5 request:\n%s", line)
	}
	for _, line := range s.bad {
		t.Error(line)
	}
	if n := len(s.turns) - len(s.asked); n > 0 {
		t.Errorf("%d v5 answers were not asked for", n)
	}
}

func (s *script) written() []exchange.Turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}
