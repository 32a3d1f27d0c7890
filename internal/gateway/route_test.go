package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"v3gate/internal/config"
)

const (
	oldKeyA = "dddddddddddddddddddddddd"
	oldKeyB = "eeeeeeeeeeeeeeeeeeeeeeee"
)

// oldServer answers v3 calls as it is told, over real HTTP.
type oldServer struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]string   // whole documents, by method
	queued  map[string][]string // those that come before them, one after the other
	bodies  []string
	before  func(method string, w http.ResponseWriter) // nil, or what happens before the answer
}

var methodNamed = regexp.MustCompile(`<methodName>([^<]+)</methodName>`)

func newOldServer(t *testing.T) *oldServer {
	o := &oldServer{answers: map[string]string{}, queued: map[string][]string{}}
	o.Server = httptest.NewServer(o)
	t.Cleanup(o.Close)
	return o
}

func (o *oldServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	method := ""
	if m := methodNamed.FindSubmatch(body); m != nil {
		method = string(m[1])
	}
	o.mu.Lock()
	o.bodies = append(o.bodies, string(body))
	before := o.before
	o.mu.Unlock()
	if before != nil {
		before(method, w)
	}
	o.mu.Lock()
	answer := o.answers[method]
	if q := o.queued[method]; len(q) > 0 {
		answer, o.queued[method] = q[0], q[1:]
	}
	o.mu.Unlock()
	io.WriteString(w, answer)
}

// calls are the bodies that came with a method.
func (o *oldServer) calls(method string) (bodies []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, b := range o.bodies {
		if method == "" || strings.Contains(b, "<methodName>"+method+"</methodName>") {
			bodies = append(bodies, b)
		}
	}
	return bodies
}

// routed is a gateway with an old server behind it.
func routed(t *testing.T, change func(*config.Config)) (*rig, *oldServer) {
	o := newOldServer(t)
	return newRig(t, func(c *config.Config) {
		c.OldV3URL = o.URL + "/xmlrpc/"
		c.Tenants[0].OldV3Key, c.Tenants[1].OldV3Key = oldKeyA, oldKeyB
		change(c)
	}), o
}

// post sends a document and gives what comes back, byte for byte.
func (r *rig) post(t *testing.T, doc string) string {
	t.Helper()
	resp, err := http.Post("http://"+r.Addr()+"/xmlrpc/", "text/xml", strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func document(method string, params ...string) string {
	var b strings.Builder
	for _, p := range params {
		fmt.Fprintf(&b, "<param><value><string>%s</string></value></param>", p)
	}
	return "<methodCall><methodName>" + method + "</methodName><params>" + b.String() + "</params></methodCall>"
}

// counted reads a counter of the admin endpoint.
func (r *rig) counted(t *testing.T, series string) bool {
	t.Helper()
	resp, err := http.Get("http://" + r.AdminAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(raw, []byte("\n"+series+"\n"))
}

// The old server's answers go on to the last byte, faults too, and it is asked with
// the tenant's key there, never with the caller's.
func TestTheOldServersAnswerGoesOnToTheLastByte(t *testing.T) {
	r, o := routed(t, func(c *config.Config) { c.OldV3Methods = []string{"domain.list", "domain.push", "contact.activate"} })
	o.answers["domain.list"] = "<?xml version=\"1.0\"?>\n<!-- odd --><methodResponse ><params><param><value>Zoë<!-- x --></value></param></params></methodResponse>\n\n"
	o.answers["domain.push"] = "<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>faultString</name><value>no</value></member>" +
		"<member><name>faultCode</name><value><i4>999999</i4></value></member></struct></value></fault></methodResponse> "
	o.answers["contact.activate"] = "<?xml version='1.0' encoding='iso-8859-1'?><methodResponse><params><param><value>Zo\xeb</value></param></params></methodResponse>"
	for _, method := range []string{"domain.list", "domain.push"} {
		if got := r.post(t, document(method, keyA, "x.net")); got != o.answers[method] {
			t.Errorf("%s:\n%q became\n%q", method, o.answers[method], got)
		}
	}
	// It is said to be UTF-8, so what is not is written anew.
	if got := r.post(t, document("contact.activate", keyA)); !strings.Contains(got, "<string>Zoë</string>") {
		t.Errorf("%q", got)
	}
	for _, body := range o.calls("") {
		if strings.Contains(body, keyA) || !strings.Contains(body, oldKeyA) {
			t.Errorf("it was asked:\n%s", body)
		}
	}
	r.post(t, document("domain.list", keyB))
	if bodies := o.calls("domain.list"); len(bodies) != 2 || !strings.Contains(bodies[1], oldKeyB) {
		t.Errorf("the other tenant asks %q", bodies)
	}
	for _, series := range []string{`gateway_old_v3_calls_total{method="domain.list",old_v3="answered"} 2`,
		`gateway_old_v3_calls_total{method="domain.push",old_v3="fault"} 1`} {
		if !r.counted(t, series) {
			t.Errorf("it does not count %s", series)
		}
	}
}

// A call that changes something is sent once, also where its answer gets lost, and
// the caller is told that nobody knows.
func TestAWriteLeavesOnce(t *testing.T) {
	r, o := routed(t, func(c *config.Config) {
		c.OldV3Methods = []string{"domain.renew", "domain.info"}
		c.Tenants[1].Mode = "no_spend"
	})
	o.answers["domain.info"] = "<methodResponse><params><param><value>x</value></param></params></methodResponse>"
	r.post(t, document("domain.info", keyA, "x.net")) // it leaves a kept connection behind
	o.mu.Lock()
	o.before = func(string, http.ResponseWriter) { panic(http.ErrAbortHandler) }
	o.mu.Unlock()
	got := r.post(t, document("domain.renew", keyA, "x.net"))
	if n := len(o.calls("domain.renew")); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
	if !strings.Contains(got, "<int>160005</int>") || !strings.Contains(got, "may have carried the call out") {
		t.Error(got)
	}
	// Who may not spend cannot have it spent there.
	if got := r.post(t, document("domain.renew", keyB, "x.net")); !strings.Contains(got, "may not spend") || len(o.calls("domain.renew")) != 1 {
		t.Errorf("%s\n%d calls", got, len(o.calls("domain.renew")))
	}
}

func TestAnAnswerThatIsTooLargeOrNoneIsAFault(t *testing.T) {
	r, o := routed(t, func(c *config.Config) { c.OldV3Methods, c.MaxBody = []string{"domain.info", "domain.list"}, 2048 })
	o.answers["domain.info"] = "<methodResponse><params><param><value>" + strings.Repeat("x", 3000) + "</value></param></params></methodResponse>"
	o.answers["domain.list"] = "<html>secret text</html>"
	for _, method := range []string{"domain.info", "domain.list"} {
		if got := r.post(t, document(method, keyA, "x.net")); !strings.Contains(got, "the old server cannot be reached") {
			t.Errorf("%s: %s", method, got)
		}
	}
	if log := r.log.String(); strings.Contains(log, "secret text") || !strings.Contains(log, "more than 2048 bytes") {
		t.Error(log)
	}
}

// A certificate has to be one that is trusted, also where connect-to says where to
// go.
func TestTheOldServersCertificateIsChecked(t *testing.T) {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	r := newRig(t, func(c *config.Config) {
		c.OldV3URL, c.OldV3ConnectTo = "https://rpc.example.net/xmlrpc/", srv.Listener.Addr().String()
		c.OldV3Methods, c.Tenants[0].OldV3Key = []string{"domain.info"}, oldKeyA
	})
	if got := r.post(t, document("domain.info", keyA, "x.net")); !strings.Contains(got, "cannot be reached") {
		t.Error(got)
	}
	if log := r.log.String(); !strings.Contains(log, "x509") && !strings.Contains(log, "certificate") {
		t.Error(log)
	}
	// A tenant without a key there is told so.
	if got := r.post(t, document("domain.info", keyB, "x.net")); !strings.Contains(got, "no key there") {
		t.Error(got)
	}
}

// An address that leads back here ends after one round.
func TestAGatewayIsNotItsOwnOldServer(t *testing.T) {
	front := httptest.NewUnstartedServer(nil)
	r := newRig(t, func(c *config.Config) {
		c.OldV3URL, c.OldV3Methods = "http://"+front.Listener.Addr().String()+"/", []string{"domain.info"}
		c.Tenants[0].OldV3Key = keyA
	})
	handler, err := r.Handler()
	if err != nil {
		t.Fatal(err)
	}
	front.Config.Handler = handler
	front.Start()
	t.Cleanup(front.Close)
	if got := r.post(t, document("domain.info", keyA, "x.net")); !strings.Contains(got, "leads to a gateway") {
		t.Error(got)
	}
}

func TestRoutesAreChecked(t *testing.T) {
	for _, c := range []struct {
		old, shadow []string
		url         string
		wrong       []string // "" for none
	}{
		{old: []string{"domain.renew", "contact.activate"}, shadow: []string{"domain.*", "contact.info"}, url: "http://x"},
		{old: []string{"domain.renew"}, wrong: []string{"old_v3_methods: there is no old_v3_url"}},
		{shadow: []string{"domain.renew", "contact.update"}, url: "http://x",
			wrong: []string{"shadow_methods: domain.renew changes something (paid)", "shadow_methods: contact.update changes something (write)"}},
		{old: []string{"domain.reenew"}, url: "http://x", wrong: []string{"there is no method domain.reenew"}},
		{shadow: []string{"*.renew"}, url: "http://x", wrong: []string{"no method that reads is like *.renew"}},
		{old: []string{"domain.info"}, shadow: []string{"domain.*"}, url: "http://x", wrong: []string{"domain.info is in old_v3_methods, too"}},
	} {
		cfg := config.Default()
		cfg.OldV3Methods, cfg.ShadowMethods, cfg.OldV3URL = c.old, c.shadow, c.url
		err := CheckRoutes(cfg)
		if (err != nil) != (c.wrong != nil) {
			t.Errorf("%v, %v: %v", c.old, c.shadow, err)
		}
		for _, text := range c.wrong {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%v, %v: %v, want %s", c.old, c.shadow, err, text)
			}
		}
	}
	routes, err := routesOf(&config.Config{OldV3URL: "http://x", OldV3Methods: []string{"*"}}, Table())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range Table().Rows {
		if _, ok := routes[row.Name]; ok != (row.Class == "read") {
			t.Errorf("* covers %s, %s: %v", row.Name, row.Class, ok)
		}
	}
}

// The old server is never asked faster than it lets an account.
func TestTheOldServersPaceIsKept(t *testing.T) {
	r, o := routed(t, func(c *config.Config) {
		c.OldV3Methods, c.CallTimeout = []string{"domain.info"}, 500*time.Millisecond
		c.Tenants[0].Limits, c.Tenants[1].Limits = config.Limits{}, config.Limits{}
	})
	o.answers["domain.info"] = fmt.Sprintf(oldVersion, "x")
	refused, begun := 0, time.Now()
	for range 40 {
		if got := r.post(t, document("domain.info", keyA, "x.net")); strings.Contains(got, "cannot be reached") {
			refused++
		}
	}
	// Within one window 28 get a turn; the next one would come after the deadline.
	if n := len(o.calls("")); n != 40-refused || n != 28 && time.Since(begun) < 2*time.Second {
		t.Errorf("%d calls came there, %d were refused", n, refused)
	}
	if got := r.post(t, document("domain.info", keyB, "x.net")); !strings.Contains(got, "api_version") {
		t.Errorf("another account waits, too: %s", got)
	}
}
