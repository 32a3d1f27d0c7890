package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"v3gate/internal/exchange"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

// What stands in a recording for the things that a fixture has one of.
const (
	Key          = "abcdefghijklmnopqrstuvwx"             // the tenant's v3 key
	Organization = "e58f2734-5f7b-11e9-a5c3-00163ec4cb00" // the sharing_id
	Fixture      = "fixture"                              // the tenant's name
	RequestID    = "request-1"                            // the id of the call
)

// Call is one answered call with everything in it, secrets too.
type Call struct {
	Method string
	ID     string    // of the call; operations that it makes show it
	At     time.Time // when it came
	// Names are those of the parameters, Params the values; the key is the first
	// where the method takes one.
	Names  []string
	Params []xmlrpc.Value
	// Known are the v3 key of the tenant that was found, "" for none, and its
	// organization.
	Known, Organization string
	// Tenant is the tenant's name, which does not stand in the file.
	Tenant string
	Config []string // settings that the answer depends on
	// Note is what is missing in it, "" for nothing.
	Note string
	// Store is what the store had before, in lines of JSON.
	Store  []string
	V5     []v5.Attempt
	Base   string // path that all targets of V5 begin with
	Answer xmlrpc.Value
	Fault  interface{ Fault() (int, string) } // nil where Answer is given
}

var domainForm = regexp.MustCompile(`^([A-Za-z0-9_-]+\.)+[A-Za-z][A-Za-z0-9-]+$`)

var errLeak = errors.New("a secret of the exchange would be in the file")

// file is the call without its secrets.
func (c *Call) file(s *salt) ([]byte, error) {
	r := &redaction{salt: s, about: map[string]bool{}, fixed: map[string]string{}, found: map[string]string{}, ours: map[string]bool{}, secrets: map[string]bool{}}
	for from, to := range map[string]string{c.Known: Key, c.Organization: Organization, c.ID: RequestID} {
		if from != "" {
			r.fixed[from] = to
		}
	}
	for _, p := range c.Params {
		if p.Kind() == xmlrpc.KindString && domainForm.MatchString(p.Text()) {
			r.about[strings.ToLower(p.Text())] = true
		}
	}
	if _, err := c.redacted(r); err != nil { // it learns
		return nil, err
	}
	r.write()
	f, err := c.redacted(r)
	if err != nil {
		return nil, err
	}
	raw, err := f.Format()
	if err != nil {
		return nil, err
	}
	return raw, r.leaks(string(raw))
}

var inXML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// leaks looks once more whether a secret or an address of mail is in the file
// after all: then it is not written.
func (r *redaction) leaks(raw string) error {
	for from := range r.found {
		if !(r.secrets[from] && len(from) >= 6 || emailForm.MatchString(from)) {
			continue
		}
		quoted, err := json.Marshal(from)
		if err != nil {
			return err
		}
		for _, form := range []string{from, inXML.Replace(from), strings.Trim(string(quoted), `"`), url.QueryEscape(from), url.PathEscape(from)} {
			if replaceWords(raw, form, "") != raw {
				return errLeak
			}
		}
	}
	for from, to := range r.fixed {
		if from != to && len(from) >= 6 && strings.Contains(raw, from) {
			return errLeak
		}
	}
	return nil
}

func (c *Call) redacted(r *redaction) (*exchange.File, error) {
	f := &exchange.File{Lines: c.lines()}
	var params []xmlrpc.Value
	for i, v := range c.Params {
		p := place{}
		if i < len(c.Names) {
			p.name = c.Names[i]
		}
		p.hidden = strings.Contains(c.Method, ".responder.") && p.name == "content"
		params = append(params, r.value(p, v))
	}
	var err error
	if f.Request, err = xmlrpc.AppendCall(nil, c.Method, params...); err != nil {
		return nil, err
	}
	for _, line := range c.Store {
		f.Store = append(f.Store, r.json(place{}, line)+"\n"...)
	}
	for _, a := range c.V5 {
		f.V5 = append(f.V5, c.turn(r, a))
	}
	if c.Fault != nil {
		code, text := c.Fault.Fault()
		f.Answer = xmlrpc.AppendFault(nil, code, r.text(place{}, text))
		return f, nil
	}
	f.Answer, err = xmlrpc.AppendResponse(nil, r.value(place{}, c.Answer))
	return f, err
}

func (c *Call) lines() []exchange.Line {
	source := "recorded from a gateway; secrets and contact data are stand-ins"
	if c.Note != "" {
		source += "; " + c.Note
	}
	lines := []exchange.Line{{Word: "source", Text: source}}
	for _, text := range c.Config {
		lines = append(lines, exchange.Line{Word: "config", Text: text})
	}
	return append(lines, exchange.Line{Word: "now", Text: c.At.UTC().Format(time.RFC3339Nano)})
}

func (c *Call) turn(r *redaction, a v5.Attempt) exchange.Turn {
	t := exchange.Turn{Method: a.Method, Target: "/v5" + strings.TrimPrefix(a.Target, c.Base), DryRun: a.DryRun, Status: exchange.Cut}
	if a.Body != "" && a.Body != "{}" {
		t.Body = r.json(place{}, a.Body)
	}
	learn(r, t.Target)
	t.Target = r.target(t.Target)
	if a.Status == 0 {
		return t
	}
	t.Status = fmt.Sprint(a.Status)
	switch {
	case a.Answer != "":
		t.Answer = r.json(place{}, a.Answer)
	case a.Location != "":
		t.Answer = "Location: " + r.target(a.Location)
	}
	return t
}

// learn finds addresses of mail in a path.
func learn(r *redaction, target string) {
	for part := range strings.SplitSeq(target, "/") {
		if plain, err := url.PathUnescape(part); err == nil && emailForm.MatchString(plain) {
			r.text(place{}, plain)
		}
	}
}
