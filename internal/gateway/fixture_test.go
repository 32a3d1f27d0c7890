package gateway

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"golang.org/x/tools/txtar"

	"v3gate/internal/config"
	"v3gate/internal/xmlrpc"
)

var update = flag.Bool("update", false, "rewrite what the gateway produces in the fixtures: v5 requests and answers")

const (
	fixtures  = "../../testdata/fixtures"
	testKey   = "abcdefghijklmnopqrstuvwx"
	testToken = "v5-token-of-the-fixtures"
	testOrg   = "e58f2734-5f7b-11e9-a5c3-00163ec4cb00"
)

// A fixture is one v3 exchange as a txtar file, <method>/<case>.txtar. Its
// comment has lines "word: text":
//
//	source: where the fact comes from; needed
//	call:   METHOD JSON...   a v3 call made before, with the test's key; it must succeed
//	wait:   DURATION         time that passes before the next call
//	after:  DURATION         time that passes after the request, for what it begins in the background
//	config: own_handle=… or anonymous=1 or mode=… or no_sharing_id=1 or buy_mail_slots=1 or buy_premium=1
//
// Its files:
//
//	request.xml   what the client sends, byte for byte
//	v5            the whole conversation with v5: "> METHOD PATH", "> BODY" if any,
//	              then "< STATUS BODY"; "Dry-Run" behind the path marks that header
//	response.xml  what the client gets, byte for byte
//
// With -update the lines that start with > and response.xml are rewritten; what
// a client or v5 sent never is.
type fixture struct {
	path    string
	archive *txtar.Archive
	source  string
	before  []string // call: and wait: lines in order
	after   time.Duration
	config  config.Tenant
}

func readFixture(t *testing.T, path string) *fixture {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{path: path, archive: txtar.Parse(raw)}
	f.config = config.Tenant{Name: "fixture", V3Key: testKey, V5Token: testToken, SharingID: testOrg}
	for _, line := range strings.Split(strings.TrimSpace(string(f.archive.Comment)), "\n") {
		word, text, _ := strings.Cut(line, ":")
		text = strings.TrimSpace(text)
		switch word {
		case "source":
			f.source = text
		case "call", "wait":
			f.before = append(f.before, word+" "+text)
		case "after":
			if f.after, err = time.ParseDuration(text); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		case "config":
			f.configure(t, text)
		default:
			t.Fatalf("%s: comment line %q", path, line)
		}
	}
	return f
}

func (f *fixture) configure(t *testing.T, text string) {
	t.Helper()
	name, value, _ := strings.Cut(text, "=")
	switch name {
	case "own_handle":
		f.config.OwnHandle = value
	case "anonymous":
		f.config.Anonymous = value == "1"
	case "mode":
		f.config.Mode = value
	case "buy_premium":
		f.config.BuyPremium = value == "1"
	case "buy_mail_slots":
		f.config.BuyMailSlots = value == "1"
	case "no_sharing_id":
		f.config.SharingID = ""
	default:
		t.Fatalf("%s: config %q", f.path, text)
	}
}

func (f *fixture) file(name string) []byte {
	for _, a := range f.archive.Files {
		if a.Name == name {
			return a.Data
		}
	}
	return nil
}

func (f *fixture) setFile(name string, data []byte) {
	for i := range f.archive.Files {
		if f.archive.Files[i].Name == name {
			f.archive.Files[i].Data = data
			return
		}
	}
	f.archive.Files = append(f.archive.Files, txtar.File{Name: name, Data: data})
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

// run plays the fixture through the whole chain, with a real store, on a clock
// that stands at the beginning of 2026 and moves only when something waits.
func (f *fixture) run(t *testing.T, dir string) {
	time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
	script := parseScript(t, f.file("v5"))
	unmapped := f.newGateway(t, dir, script)
	for _, step := range f.before {
		if text, ok := strings.CutPrefix(step, "wait "); ok {
			d, err := time.ParseDuration(text)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(d)
			continue
		}
		body := f.callBefore(t, strings.TrimPrefix(step, "call "))
		if got := unmapped(body); bytes.Contains(got, []byte("<fault>")) {
			t.Fatalf("call before: %s\n%s", step, got)
		}
	}
	got := unmapped(f.file("request.xml"))
	time.Sleep(f.after)
	synctest.Wait() // for the items of a work list that can go on at once
	script.finish(t)
	if *update {
		f.setFile("v5", script.written())
		f.setFile("response.xml", got)
		if err := os.WriteFile(f.path, txtar.Format(f.archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(f.file("v5")), string(script.written())); diff != "" {
		t.Errorf("v5 requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(string(f.file("response.xml")), string(got)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

// newGateway gives a function that sends one request body to a fresh gateway.
func (f *fixture) newGateway(t *testing.T, dir string, script *script) func([]byte) []byte {
	cfg := config.Default()
	cfg.Store, cfg.V5URL, cfg.Tenants = filepath.Join(dir, "store.db"), "http://v5.test/v5", []config.Tenant{f.config}
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
	g.services.UnmappedV5 = func(route string) { t.Errorf("v5 error of %s is not mapped to a fault", route) }
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
	method, rest, _ := strings.Cut(text, " ")
	params := []xmlrpc.Value{xmlrpc.String(testKey)}
	dec := json.NewDecoder(strings.NewReader(rest))
	dec.UseNumber()
	for dec.More() {
		var v any
		if err := dec.Decode(&v); err != nil {
			t.Fatalf("%s: call %s: %v", f.path, text, err)
		}
		params = append(params, wireValue(v))
	}
	body, err := xmlrpc.AppendCall(nil, method, params...)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func wireValue(v any) xmlrpc.Value {
	switch v := v.(type) {
	case string:
		return xmlrpc.String(v)
	case bool:
		return xmlrpc.Bool(v)
	case json.Number:
		n, _ := v.Int64()
		return xmlrpc.Int(n)
	case []any:
		var items []xmlrpc.Value
		for _, item := range v {
			items = append(items, wireValue(item))
		}
		return xmlrpc.Array(items...)
	case map[string]any:
		var members []xmlrpc.Member
		for name, value := range v {
			members = append(members, xmlrpc.M(name, wireValue(value)))
		}
		return xmlrpc.Struct(members...)
	}
	return xmlrpc.Nil()
}

// script is v5 as a fixture tells it: an http.RoundTripper that answers by
// heart, in order, and writes down what it was asked.
type script struct {
	mu      sync.Mutex
	answers []string // "STATUS BODY"
	asked   []string // "> …" lines of each request
	extra   []string // requests that came after the last answer
	bad     []string
}

func parseScript(t *testing.T, text []byte) *script {
	t.Helper()
	s := &script{}
	for _, line := range strings.Split(string(text), "\n") {
		if answer, ok := strings.CutPrefix(line, "< "); ok {
			s.answers = append(s.answers, answer)
		} else if line != "" && !strings.HasPrefix(line, "> ") {
			t.Fatalf("line of v5: %q", line)
		}
	}
	return s
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := "> " + r.Method + " " + r.URL.RequestURI()
	if r.Header.Get("Dry-Run") != "" {
		line += " Dry-Run"
	}
	if got := r.Header.Get("Authorization"); got != "Bearer "+testToken {
		s.bad = append(s.bad, "Authorization: "+got)
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if len(body) > 0 && string(body) != "{}" {
			line += "\n> " + string(body)
		}
		if bytes.Contains(body, []byte(testKey)) || strings.Contains(r.URL.String(), testKey) {
			s.bad = append(s.bad, "the v3 key is sent to v5")
		}
	}
	if len(s.asked) == len(s.answers) {
		s.extra = append(s.extra, line)
		return nil, fmt.Errorf("no answer left for %s", line)
	}
	answer := s.answers[len(s.asked)]
	s.asked = append(s.asked, line)
	status, body, _ := strings.Cut(answer, " ")
	if status == "cut" {
		return nil, io.ErrUnexpectedEOF
	}
	w := httptest.NewRecorder()
	if rest, ok := strings.CutPrefix(body, "Location: "); ok {
		w.Header().Set("Location", rest)
		body = ""
	}
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(body, "<") {
		w.Header().Set("Content-Type", "text/html")
	}
	code := 0
	if _, err := fmt.Sscan(status, &code); err != nil {
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
	if n := len(s.answers) - len(s.asked); n > 0 {
		t.Errorf("%d v5 answers were not asked for", n)
	}
}

func (s *script) written() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b bytes.Buffer
	for i, asked := range s.asked {
		fmt.Fprintf(&b, "%s\n< %s\n", asked, s.answers[i])
	}
	return b.Bytes()
}
