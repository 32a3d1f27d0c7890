package sandbox

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const (
	resellerID = "11111111-2222-3333-4444-555555555555"
	strangerID = "99999999-2222-3333-4444-555555555555"
)

// winter is a time at which Paris is one hour ahead of UTC.
var winter = time.Date(2026, 2, 10, 12, 0, 0, 0, time.UTC)

// rig is a sandbox behind a real server, with a clock that only moves by Advance.
type rig struct {
	t   *testing.T
	s   *Sandbox
	url string
	web *http.Client
}

func newRig(t *testing.T, opts Options) *rig {
	t.Helper()
	if opts.Now == nil {
		opts.Now = func() time.Time { return winter }
	}
	if opts.StepTime == 0 {
		opts.StepTime = time.Second
	}
	s := New(opts)
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	web := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &rig{t, s, srv.URL, web}
}

type got struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
	array  []any
}

// send makes a request below /v5. body is sent as it is if a string, else as
// JSON; headers are "Name: value".
func (r *rig) send(method, path string, body any, headers ...string) got {
	r.t.Helper()
	g, err := r.try(method, path, body, headers...)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return g
}

func (r *rig) try(method, path string, body any, headers ...string) (got, error) {
	r.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		data, err := json.Marshal(b)
		if err != nil {
			r.t.Fatal(err)
		}
		in = strings.NewReader(string(data))
	}
	req, err := http.NewRequest(method, r.url+apiRoot+path, in)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+DefaultToken)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
		if value == "" {
			req.Header.Del(name)
		}
	}
	res, err := r.web.Do(req)
	if err != nil {
		return got{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return got{}, err
	}
	g := got{status: res.StatusCode, header: res.Header, raw: string(raw)}
	if json.Unmarshal(raw, &g.body) != nil {
		_ = json.Unmarshal(raw, &g.array)
	}
	return g, nil
}

// want fails unless the status is as expected, and returns the answer.
func (g got) want(t *testing.T, status int) got {
	t.Helper()
	if g.status != status {
		t.Fatalf("status = %d, want %d; body %s", g.status, status, g.raw)
	}
	return g
}

// at walks into the body along a dotted path.
func (g got) at(path string) any {
	var v any = g.body
	for _, name := range strings.Split(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// errorNames lists "location name" of every entry of errors[].
func (g got) errorNames() string {
	var out []string
	list, _ := g.body["errors"].([]any)
	for _, e := range list {
		m := e.(map[string]any)
		out = append(out, m["location"].(string)+" "+m["name"].(string))
	}
	return strings.Join(out, ", ")
}

func equal[V comparable](t *testing.T, what string, got, want V) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// bob is a contact as a client may send it, with changes on top; a nil change
// takes the member away.
func bob(changes map[string]any) map[string]any {
	c := map[string]any{
		"type": "individual", "given": "Bob", "family": "Roe", "streetaddr": "8 rue neuve", "zip": "75001",
		"city": "Paris", "country": "FR", "phone": "+33.123456788", "email": "bob@example.org",
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func order(fqdn string, changes map[string]any) map[string]any {
	o := map[string]any{"fqdn": fqdn, "owner": bob(nil)}
	maps.Copy(o, changes)
	maps.DeleteFunc(o, func(_ string, v any) bool { return v == nil })
	return o
}

func (r *rig) seed(s Seed) {
	r.t.Helper()
	if err := r.s.Seed(s); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) seedNames(names ...string) {
	r.t.Helper()
	var s Seed
	for _, n := range names {
		s.Domains = append(s.Domains, SeedDomain{FQDN: n})
	}
	r.seed(s)
}
