package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// maxBody bounds a request body; v5's own bound is not established.
const maxBody = 4 << 20

// serve is the way of one request: record, wait, decide under the lock, answer
// without it.
func (s *Sandbox) serve(w http.ResponseWriter, r *http.Request) {
	body, readErr := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	s.mu.Lock()
	entry := &Request{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Body: string(body),
		DryRun: r.Header.Get("Dry-Run") == "1", SharingID: r.URL.Query().Get("sharing_id"),
	}
	s.log(entry)
	latency := s.chaos.Latency
	s.mu.Unlock()
	if latency > 0 {
		time.Sleep(latency)
	}
	a, cut := s.decide(r, body, readErr, entry)
	if s.opts.Log != nil {
		s.opts.Log("%s %s answered %d", r.Method, r.URL.RequestURI(), a.status)
	}
	if cut {
		panic(http.ErrAbortHandler)
	}
	a.write(w)
}

// decide does everything that needs the state and enters the status in the log.
// cut tells to break the connection off in place of the answer.
func (s *Sandbox) decide(r *http.Request, body []byte, readErr error, entry *Request) (a answer, cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { entry.Status = a.status }()
	s.settle()
	fate := s.interfere(r.Method, r.URL.EscapedPath())
	if fate.instead != nil {
		return *fate.instead, fate.cut
	}
	a = s.handle(r, body, readErr)
	if fate.after != nil && fate.after.status != 0 {
		a = *fate.after
	}
	return a, fate.cut
}

// handle runs the pipeline: route, credential, query, body, resource, checks,
// work. The first stage that fails answers.
func (s *Sandbox) handle(r *http.Request, body []byte, readErr error) answer {
	row, vars := s.match(r.Method, r.URL.EscapedPath())
	if row == nil {
		return unrouted(r.Method, r.URL.EscapedPath())
	}
	c := &call{route: row, vars: vars, base: baseOf(r)}
	credential, refused := s.authenticate(r.Header.Get("Authorization"))
	if refused != nil {
		return *refused
	}
	c.credential = credential
	c.readQuery(r)
	dry := row.dryRun && c.wantsDryRun(r)
	if len(c.problems) > 0 {
		return invalid(c.problems)
	}
	if id := c.query.Get("sharing_id"); id != "" && !s.mayUse(credential, id) {
		return forbidden()
	}
	if a := c.readBody(r, body, readErr); a != nil {
		return *a
	}
	if row.find != nil {
		if a := row.find(s, c); a != nil {
			return *a
		}
	}
	return s.checkAndDo(c, dry)
}

// checkAndDo validates, and unless this is a dry run carries out.
func (s *Sandbox) checkAndDo(c *call, dry bool) answer {
	row := c.route
	if row.body != nil {
		c.problems = append(c.problems, row.body.validate(c.body, "")...)
	}
	var refusal *answer
	if len(c.problems) == 0 && row.check != nil {
		refusal = row.check(s, c)
	}
	if dry && !s.chaos.IgnoreDryRun {
		return dryRunAnswer(c, refusal)
	}
	if len(c.problems) > 0 {
		return invalid(c.problems)
	}
	if refusal != nil {
		return *refusal
	}
	return row.do(s, c)
}

// dryRunAnswer reports the outcome of the checks with status 200 (v5
// documentation).
func dryRunAnswer(c *call, refusal *answer) answer {
	problems := c.problems
	if refusal != nil {
		problems = append(problems, refusal.field)
	}
	out := members{"status": "success"}
	if len(problems) > 0 {
		out = members{"status": "error", "errors": problems}
	}
	a := reply(http.StatusOK, out)
	if c.warning != "" {
		a.header = map[string]string{"Warning": `199 - "` + c.warning + `"`}
	}
	return a
}

// readQuery checks the query parameters against the row. An array is repeated,
// with or without brackets behind its name (v5 documentation, recorded).
func (c *call) readQuery(r *http.Request) {
	c.query = map[string][]string{}
	for name, values := range r.URL.Query() {
		plain, bracketed := strings.CutSuffix(name, "[]")
		m := find(c.route.query, plain)
		switch {
		case m == nil || bracketed && m.kind != list:
			c.refuse("querystring", name, "unknown parameter")
			continue
		case m.kind != list && len(values) > 1:
			c.refuse("querystring", name, "given more than once")
		}
		for _, v := range values {
			if wrong := m.checkQuery(v); wrong != "" {
				c.refuse("querystring", plain, wrong)
			}
		}
		c.query[plain] = append(c.query[plain], values...)
	}
	for _, m := range c.route.query {
		if m.need && c.query.Get(m.name) == "" {
			c.refuse("querystring", m.name, "required")
		}
	}
}

// wantsDryRun reads the Dry-Run header: 1 is a dry run, 0 or absent a real
// request (v5 documentation); anything else is refused here.
func (c *call) wantsDryRun(r *http.Request) bool {
	switch r.Header.Get("Dry-Run") {
	case "1":
		return true
	case "", "0":
		return false
	}
	c.refuse("header", "Dry-Run", "must be 0 or 1")
	return false
}

// readBody decodes the JSON object of a mutation. A missing body counts as an
// empty object, so that required members are reported by name.
func (c *call) readBody(r *http.Request, body []byte, readErr error) *answer {
	c.body = map[string]any{}
	var tooLarge *http.MaxBytesError
	if errors.As(readErr, &tooLarge) {
		a := failure(http.StatusRequestEntityTooLarge, "HTTPRequestEntityTooLarge", "Request Entity Too Large", "the body is too large")
		return &a
	}
	if readErr != nil {
		return badBody("the body ended early")
	}
	if r.Method == http.MethodGet || r.Method == http.MethodDelete || len(body) == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		a := invalid([]problem{{"header", "Content-Type", "must be application/json"}})
		return &a
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return badBody("the body is not JSON")
	}
	if _, err := dec.Token(); err != io.EOF {
		return badBody("the body holds more than one JSON value")
	}
	object, isObject := v.(map[string]any)
	if !isObject {
		return badBody("the body must be a JSON object")
	}
	c.body = object
	return nil
}

func badBody(what string) *answer {
	a := invalid([]problem{{"body", "", what}})
	return &a
}

func baseOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// url is the address of a resource below /v5.
func (c *call) url(path string) string { return c.base + apiRoot + path }
