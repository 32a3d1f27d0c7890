package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
	"v3gate/internal/xmlrpc"
)

// checkRig is a gateway without sockets, in a bubble with the simulation, for two
// tenants of one organization.
type checkRig struct {
	t   *testing.T
	g   *Gateway
	sim *sandbox.Sandbox
	api http.Handler
	net checkNet
}

// checkNet is the way to the simulation. It holds requests back for a while, or
// for good, and knows how many were under way at a time.
type checkNet struct {
	r *checkRig

	mu       sync.Mutex
	latency  time.Duration // below 0 for ever
	now, top int
	asked    map[string]int // checks by name
}

func (n *checkNet) RoundTrip(q *http.Request) (*http.Response, error) {
	n.mu.Lock()
	wait := n.latency
	n.now++
	n.top = max(n.top, n.now)
	if q.URL.Path == "/v5/domain/check" {
		n.asked[q.URL.Query().Get("name")]++
	}
	n.mu.Unlock()
	defer func() { n.mu.Lock(); n.now--; n.mu.Unlock() }()
	if wait != 0 {
		timer := time.NewTimer(max(wait, 0))
		if wait < 0 {
			timer.Stop()
		}
		select {
		case <-timer.C:
		case <-q.Context().Done():
			return nil, q.Context().Err()
		}
	}
	arrived := q.Clone(q.Context())
	if arrived.Body == nil {
		arrived.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	n.r.sim.Handler().ServeHTTP(w, arrived)
	return w.Result(), nil
}

// slow sets how long each request is held back from now on.
func (n *checkNet) slow(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.latency = d
}

// most is how many requests were under way at a time.
func (n *checkNet) most() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.top
}

// checks are how often v5 was asked about a name, and about all.
func (r *checkRig) checks(name string) (n, all int) {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	for _, asked := range r.net.asked {
		all += asked
	}
	return r.net.asked[name], all
}

func checkBubble(t *testing.T, pending, rate int, fn func(*checkRig)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := &checkRig{t: t}
		r.net.r, r.net.asked = r, map[string]int{}
		r.sim = sandbox.New(sandbox.Options{PendingChecks: pending, Now: time.Now,
			Tokens: []sandbox.Token{{Secret: "v5-secret-token", Orgs: []string{orgA}}}})
		cfg := config.Default()
		cfg.Store, cfg.V5URL, cfg.V5Rate = filepath.Join(dir, "store.db"), "http://v5.test/v5", rate
		for name, key := range map[string]string{"a": keyA, "b": keyB} {
			cfg.Tenants = append(cfg.Tenants, config.Tenant{Name: name, V3Key: key, V5Token: "v5-secret-token", SharingID: orgA,
				Limits: config.Limits{InFlight: 1000}})
		}
		var err error
		if r.g, err = New(cfg, Hooks{Log: zap.NewNop(), Transport: &r.net}); err != nil {
			t.Fatal(err)
		}
		if r.api, err = r.g.Handler(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := r.g.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		fn(r)
	})
}

// call makes a v3 call; the answer is decoded.
func (r *checkRig) call(method string, params ...xmlrpc.Value) xmlrpc.Value {
	r.t.Helper()
	body, err := xmlrpc.AppendCall(nil, method, params...)
	if err != nil {
		r.t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, httptest.NewRequest("POST", "/xmlrpc/", bytes.NewReader(body)))
	answer, err := xmlrpc.DecodeResponse(w.Body.Bytes(), xmlrpc.DefaultLimits())
	if err != nil {
		r.t.Fatalf("%s: %v in %s", method, err, w.Body)
	}
	return answer
}

// available asks for names and gives the words for them, in order.
func (r *checkRig) available(key string, names ...string) (words []string) {
	r.t.Helper()
	var list []xmlrpc.Value
	for _, name := range names {
		list = append(list, xmlrpc.String(name))
	}
	answer := r.call("domain.available", xmlrpc.String(key), xmlrpc.Array(list...))
	for _, name := range names {
		word, _ := answer.Get(name)
		words = append(words, word.Text())
	}
	return words
}

func manyNames(from, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("n%d.com", from+i))
	}
	return names
}

func tally(words []string) map[string]int {
	n := map[string]int{}
	for _, w := range words {
		n[w]++
	}
	return n
}

// A name that v5 calls pending is found out about behind the call, by questions
// that become rarer, and the next call is answered from that.
func TestAPendingNameIsFoundOutBehindTheCall(t *testing.T) {
	checkBubble(t, 3, 0, func(r *checkRig) {
		if got := r.available(keyA, "free.com"); got[0] != "pending" {
			t.Errorf("at once: %v", got)
		}
		time.Sleep(400 * time.Millisecond)
		if got := r.available(keyA, "free.com"); got[0] != "pending" {
			t.Errorf("while it is asked: %v", got)
		}
		if n, _ := r.checks("free.com"); n != 1 {
			t.Errorf("%d checks: a caller who polls hurries them", n)
		}
		time.Sleep(8 * time.Second)
		if got := r.available(keyA, "free.com"); got[0] != "available" {
			t.Errorf("afterwards: %v", got)
		}
		if n, _ := r.checks("free.com"); n != 4 {
			t.Errorf("%d checks", n)
		}
	})
}

// What stays pending is not asked for ever, but again when somebody asks.
func TestANameThatStaysPending(t *testing.T) {
	checkBubble(t, 1000, 0, func(r *checkRig) {
		r.available(keyA, "slow.com")
		time.Sleep(time.Hour)
		if n, _ := r.checks("slow.com"); n != 10 {
			t.Errorf("%d checks in an hour", n)
		}
		if got := r.available(keyA, "slow.com"); got[0] != "pending" {
			t.Errorf("asked again: %v", got)
		}
		if n, _ := r.checks("slow.com"); n != 11 {
			t.Errorf("%d checks after asking again", n)
		}
	})
}

// Equal questions are one request of v5, though many ask at a time; another
// account's are its own.
func TestEqualChecksAreOneRequest(t *testing.T) {
	checkBubble(t, -1, 0, func(r *checkRig) {
		r.net.slow(2 * time.Second)
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				if got := r.available(keyA, "free.com", "FREE.com"); got[0] != "available" || got[1] != "available" {
					t.Errorf("caller %d: %v", i, got)
				}
			})
		}
		all.Wait()
		if n, _ := r.checks("free.com"); n != 1 {
			t.Errorf("%d requests for equal questions", n)
		}
		r.available(keyB, "free.com")
		if n, _ := r.checks("free.com"); n != 2 {
			t.Errorf("%d requests after another account asked", n)
		}
		r.call("domain.available", xmlrpc.String(keyA), xmlrpc.Array(xmlrpc.String("free.com")),
			xmlrpc.Struct(xmlrpc.M("phase", xmlrpc.String("golive"))))
		if n, _ := r.checks("free.com"); n != 3 {
			t.Errorf("%d requests after another question", n)
		}
	})
}

// What the rate allows in the time of a call is answered, the rest is pending; who
// polls has the whole list in the end, and v5 was asked once about each name.
func TestAListThatTakesLongerThanACall(t *testing.T) {
	for _, n := range []int{500, 100} {
		checkBubble(t, -1, map[int]int{500: 1000, 100: 120}[n], func(r *checkRig) {
			names := manyNames(0, n)
			begin := time.Now()
			first := tally(r.available(keyA, names...))
			if took := time.Since(begin); took > 25*time.Second || first["pending"] == 0 || first["available"] == 0 {
				t.Errorf("after %s: %v", took, first)
			}
			last := first
			for polls := 0; last["pending"] > 0 && polls < 10; polls++ {
				time.Sleep(time.Second)
				last = tally(r.available(keyA, names...))
			}
			if _, all := r.checks(""); last["available"] != n || all != n {
				t.Errorf("in the end %v, with %d requests for %d names", last, all, n)
			}
		})
	}
}

// A v5 that hangs is asked a few names at a time; what one account asks is bounded,
// and another one's is asked all the same. The gateway stops with all that open.
func TestChecksAreBounded(t *testing.T) {
	checkBubble(t, -1, 0, func(r *checkRig) {
		r.net.slow(-1)
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() {
				if got := tally(r.available(keyA, manyNames(1000*i, 500)...)); got["pending"] != 500 {
					t.Errorf("call %d: %v", i, got)
				}
			})
		}
		all.Go(func() { r.available(keyB, "free.com") })
		begin := time.Now()
		all.Wait()
		if took := time.Since(begin); took > 25*time.Second {
			t.Errorf("answered after %s", took)
		}
		if n, _ := r.checks("free.com"); n == 0 || r.net.most() > 17 {
			t.Errorf("%d checks for the other account, %d requests at a time", n, r.net.most())
		}
	})
}

// Checks that are under way, or wait to be made, end with the gateway and are no
// longer made after it.
func TestChecksEndWithTheGateway(t *testing.T) {
	checkBubble(t, 1000, 0, func(r *checkRig) {
		r.available(keyA, manyNames(0, 40)...)
		r.net.slow(-1)
		time.Sleep(3 * time.Second) // some are asked again and hang
		begin := time.Now()
		r.g.services.Close()
		if took := time.Since(begin); took != 0 {
			t.Errorf("it took %s", took)
		}
		_, before := r.checks("")
		if got := r.available(keyA, "late.com"); got[0] != "pending" {
			t.Errorf("after the end: %v", got)
		}
		if _, after := r.checks(""); after != before {
			t.Errorf("%d checks after the end", after-before)
		}
	})
}

// A name that is bought is asked about anew, at once and by whomever.
func TestABoughtNameIsNoLongerAvailable(t *testing.T) {
	checkBubble(t, -1, 0, func(r *checkRig) {
		for _, key := range []string{keyA, keyB} {
			if got := r.available(key, "free.com"); got[0] != "available" {
				t.Fatalf("%v", got)
			}
		}
		me := r.call("contact.create", xmlrpc.String(keyA), structOf(person()))
		handle, _ := me.Get("handle")
		r.call("domain.create", xmlrpc.String(keyA), xmlrpc.String("free.com"), xmlrpc.Struct(xmlrpc.M("owner", handle),
			xmlrpc.M("admin", handle), xmlrpc.M("bill", handle), xmlrpc.M("tech", handle), xmlrpc.M("duration", xmlrpc.Int(1))))
		for _, key := range []string{keyA, keyB} {
			if got := r.available(key, "free.com"); got[0] != "unavailable" {
				t.Errorf("bought: %v", got)
			}
		}
	})
}

// What the gateway knows of a name buys nothing: v5 is asked again, and its word
// counts.
func TestAPurchaseAsksForItself(t *testing.T) {
	checkBubble(t, -1, 0, func(r *checkRig) {
		r.available(keyA, "gold.com")
		if err := r.sim.Seed(sandbox.Seed{Premium: map[string]string{"gold.com": "500.00"}}); err != nil {
			t.Fatal(err)
		}
		me := r.call("contact.create", xmlrpc.String(keyA), structOf(person()))
		handle, _ := me.Get("handle")
		body, err := xmlrpc.AppendCall(nil, "domain.create", xmlrpc.String(keyA), xmlrpc.String("gold.com"), xmlrpc.Struct(xmlrpc.M("owner", handle),
			xmlrpc.M("admin", handle), xmlrpc.M("bill", handle), xmlrpc.M("tech", handle), xmlrpc.M("duration", xmlrpc.Int(1))))
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		r.api.ServeHTTP(w, httptest.NewRequest("POST", "/xmlrpc/", bytes.NewReader(body)))
		if !bytes.Contains(w.Body.Bytes(), []byte("buy_premium")) || len(r.sim.Ledger()) != 0 {
			t.Errorf("answered %s, ledger %v", w.Body, r.sim.Ledger())
		}
	})
}

// structOf turns the parameters of the other tests into a value.
func structOf(params map[string]any) xmlrpc.Value {
	var members []xmlrpc.Member
	for name, value := range params {
		v := xmlrpc.Nil()
		switch value := value.(type) {
		case string:
			v = xmlrpc.String(value)
		case int:
			v = xmlrpc.Int(int64(value))
		}
		members = append(members, xmlrpc.M(name, v))
	}
	return xmlrpc.Struct(members...)
}
