package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/idna"

	"v3gate/internal/exchange"
	"v3gate/internal/store"
	"v3gate/internal/translate"
	"v3gate/internal/xmlrpc"
)

// Explained is one request that a call becomes.
type Explained struct {
	Method string `json:"method"`
	Target string `json:"target"` // path and query
	DryRun bool   `json:"dry_run,omitempty"`
	Body   string `json:"body,omitempty"` // with secrets as variables
	Curl   string `json:"curl"`           // command that sends it, with the key in $GANDI_KEY
	// Status is that of the answer: three digits, "cut" where none came, "none"
	// where none was recorded.
	Status string `json:"status"`
	// Assumed: the answer is a simulation's.
	Assumed bool `json:"assumed"`
	// Behind: it is sent when the caller has its answer.
	Behind bool `json:"behind,omitempty"`
	Times  int  `json:"times"` // in a row
}

// noAnswer is the status of a request for which nothing was recorded.
const noAnswer = "none"

// asked is a request as it came.
type asked struct {
	exchange.Turn
	origin string // scheme and host
	scheme string // of the Authorization: Bearer or Apikey
	behind bool
}

// explainer is the http.RoundTripper of a rehearsal: it writes down what v5 is
// asked and answers it from a simulation, or by heart from a recording. It has no
// way to send anything.
type explainer struct {
	sim    *Simulation // nil where answers are recorded
	tenant string
	db     *store.DB

	mu       sync.Mutex
	recorded []exchange.Turn // not asked for yet
	asked    []asked
	from     int // where the explained call begins
	behind   bool
	fresh    map[string]bool // names that must not be the account's: they are bought
	planted  map[string]bool
	owner    string // handle of who has the names of which nothing is known, "" for anybody
}

func (p *explainer) RoundTrip(r *http.Request) (*http.Response, error) {
	a := asked{
		Turn:   exchange.Turn{Method: r.Method, Target: r.URL.RequestURI(), DryRun: r.Header.Get("Dry-Run") != ""},
		origin: r.URL.Scheme + "://" + r.URL.Host,
	}
	a.scheme, _, _ = strings.Cut(r.Header.Get("Authorization"), " ")
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err = errors.Join(err, r.Body.Close()); err != nil {
			return nil, err
		}
		a.Body = string(body)
	}
	if p.sim == nil {
		return p.recite(r, a)
	}
	if err := p.plant(r.URL.Path); err != nil {
		return nil, err
	}
	var answer kept
	p.sim.Handler.ServeHTTP(&answer, arrived(r, a.Body))
	res := answer.response(r)
	a.Status = strconv.Itoa(res.StatusCode)
	p.note(a)
	return res, nil
}

// arrived is a request as a server gets it.
func arrived(r *http.Request, body string) *http.Request {
	in := r.Clone(r.Context())
	in.RequestURI, in.Host = r.URL.RequestURI(), r.URL.Host
	in.Body, in.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	return in
}

// recite gives the first recorded answer to such a request that was not given yet.
func (p *explainer) recite(r *http.Request, a asked) (*http.Response, error) {
	told := p.take(a.Turn)
	a.Status = told.Status
	p.note(a)
	switch told.Status {
	case noAnswer:
		return nil, fmt.Errorf("no answer is recorded for %s %s", a.Method, a.Target)
	case exchange.Cut:
		return nil, io.ErrUnexpectedEOF
	}
	status, err := strconv.Atoi(told.Status)
	if err != nil {
		return nil, fmt.Errorf("read the recorded status %q: %w", told.Status, err)
	}
	answer := kept{status: status}
	h := answer.Header()
	h.Set("Content-Type", "application/json")
	if strings.HasPrefix(told.Answer, "<") {
		h.Set("Content-Type", "text/html")
	}
	if at, ok := strings.CutPrefix(told.Answer, "Location: "); ok {
		h.Set("Location", at)
	} else {
		answer.body.WriteString(told.Answer)
	}
	return answer.response(r), nil
}

// take gives a recorded turn away once.
func (p *explainer) take(like exchange.Turn) exchange.Turn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range p.recorded {
		if t.Method == like.Method && t.Target == like.Target && t.DryRun == like.DryRun {
			p.recorded = append(p.recorded[:i:i], p.recorded[i+1:]...)
			return t
		}
	}
	return exchange.Turn{Status: noAnswer}
}

func (p *explainer) note(a asked) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.behind = p.behind; len(p.asked)-p.from < explainMost {
		p.asked = append(p.asked, a)
	}
}

// begin says that what is asked from now on belongs to the explained call, and
// answered that its caller has the answer.
func (p *explainer) begin() { p.mu.Lock(); p.from = len(p.asked); p.mu.Unlock() }

func (p *explainer) answered() { p.mu.Lock(); p.behind = true; p.mu.Unlock() }

func (p *explainer) count() int { p.mu.Lock(); defer p.mu.Unlock(); return len(p.asked) }

// left is how many recorded answers nobody has asked for yet.
func (p *explainer) left() int { p.mu.Lock(); defer p.mu.Unlock(); return len(p.recorded) }

// done tells whether following further shows nothing new.
func (p *explainer) done() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)-p.from >= explainMost || p.sim == nil && len(p.recorded) == 0
}

// told gives the requests of the explained call, and how many recorded answers
// nobody asked for.
func (p *explainer) told(secret *secrets) (list []Explained, left int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list = []Explained{}
	for _, a := range p.asked[p.from:] {
		x := Explained{Method: a.Method, DryRun: a.DryRun, Status: a.Status, Assumed: p.sim != nil, Behind: a.behind, Times: 1}
		x.Target, x.Body = maskQuery(a.Target, secret), secret.body(a.Body)
		x.Curl = curl(a, secret)
		if n := len(list); n > 0 && list[n-1].Curl == x.Curl && list[n-1].Behind == x.Behind {
			list[n-1].Times++
			list[n-1].Status = x.Status
			continue
		}
		list = append(list, x)
	}
	return list, len(p.recorded)
}

// fqdnIn is a domain name in a path or a parameter.
var fqdnIn = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$`)

// nameOf is a text as v5 names a domain, "" where it is none.
func nameOf(text string) string {
	name, err := idna.ToASCII(strings.ToLower(strings.TrimSuffix(text, ".")))
	if err != nil || !fqdnIn.MatchString(name) {
		return ""
	}
	return name
}

// arrange says which names are not the account's domains: those that the call would
// buy, and hosts. One that it would transfer is somebody else's, and what changes its
// owner has the one that the call says.
func (p *explainer) arrange(row *translate.Row, params []xmlrpc.Value) error {
	p.fresh, p.planted = map[string]bool{}, map[string]bool{}
	for _, param := range params {
		if old, ok := param.Get("old_owner"); ok {
			p.owner = strings.ToUpper(old.Text())
		}
	}
	if strings.HasPrefix(row.Name, "domain.host.") && len(params) > 0 && row.Params[0].Name == "fqdn" { // a host's, not its domain's
		if host := nameOf(params[0].Text()); strings.Count(host, ".") > 1 {
			p.fresh[host] = true
		}
	}
	routes := strings.Join(row.V5, "\n")
	transfers := strings.Contains(routes, "POST /domain/transferin")
	if !transfers && !strings.Contains(routes, "POST /domain/domains with") && !strings.Contains(routes, "GET /domain/check") {
		return nil
	}
	for _, text := range textsIn(params) {
		if name := nameOf(text); name != "" {
			p.fresh[name] = true
			if transfers {
				if err := p.sim.Taken(name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// plant makes the names in a path domains of the account.
func (p *explainer) plant(path string) error {
	for part := range strings.SplitSeq(path, "/") {
		name := nameOf(part)
		p.mu.Lock()
		if name == "" || p.fresh[name] || p.planted[name] {
			p.mu.Unlock()
			continue
		}
		p.planted[name] = true
		contacts, err := shownOf(p.db, p.tenant, name, p.owner)
		if err == nil {
			err = p.sim.Domain(name, contacts)
		}
		p.mu.Unlock() // once others may ask, it is there
		if err != nil {
			return err
		}
	}
	return nil
}

// kept is an answer in memory.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) Header() http.Header {
	if k.header == nil {
		k.header = http.Header{}
	}
	return k.header
}

func (k *kept) WriteHeader(status int) {
	if k.status == 0 {
		k.status = status
	}
}

func (k *kept) Write(b []byte) (int, error) {
	k.WriteHeader(http.StatusOK)
	return k.body.Write(b)
}

func (k *kept) response(r *http.Request) *http.Response {
	k.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: strconv.Itoa(k.status) + " " + http.StatusText(k.status), StatusCode: k.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: k.Header(),
		Body: io.NopCloser(&k.body), ContentLength: int64(k.body.Len()), Request: r,
	}
}
