package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What the peers exchange is what the names promise: about 1.3 KB from v5, each
// name its own answer, all of one length.
func TestContent(t *testing.T) {
	if n := len(domainOf(nameOf(0))); n < 1200 || n > 1400 {
		t.Errorf("v5's answer has %d bytes", n)
	}
	first, last := answerOf(0), answerOf(2047)
	if len(first) != len(last) || bytes.Equal(first, last) {
		t.Errorf("answers of %d and %d bytes", len(first), len(last))
	}
	for _, name := range []string{"bench-0000x.com", "bench-1.com", "other.com"} {
		if i, ok := numberOf(name); ok {
			t.Errorf("%s is number %d", name, i)
		}
	}
	if i, ok := numberOf(nameOf(77)); i != 77 || !ok {
		t.Errorf("%d, %v", i, ok)
	}
}

func TestOwnServersAnswer(t *testing.T) {
	upstream := httptest.NewServer(newUpstream(2, 0, false))
	defer upstream.Close()
	for name, h := range map[string]http.Handler{"shim": shim(upstream.URL), "reverseproxy": reverseProxy(upstream.URL)} {
		peer := httptest.NewServer(h)
		said, err := post(strings.TrimPrefix(peer.URL, "http://"), callOf(nameOf(0)))
		if err != nil || !bytes.Equal(said, answerOf(0)) {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
		peer.Close()
	}
}

func TestRatiosAreOfOneRound(t *testing.T) {
	r := &results{}
	for round, rates := range [][2]float64{{100, 50}, {1000, 900}, {10, 7}} {
		r.add("reverseproxy", 16, round, sample{rate: rates[0]})
		r.add("gateway", 16, round, sample{rate: rates[1]})
	}
	if got := r.ratio("gateway", 16, rate); got != 0.7 {
		t.Errorf("ratio %v, want the median of 0.5, 0.9 and 0.7", got)
	}
	if got := r.median("gateway", 16, rate); got != 50 {
		t.Errorf("median %v", got)
	}
}

func TestSampleIsReadFromTheLastLine(t *testing.T) {
	var s sample
	out := "Running 1s test {\n" + `{"calls":2000,"microseconds":1000000,"p50":1500,"p99":9000,"most":20000,"errors":1,"timeouts":2}` + "\n"
	if err := s.read([]byte(out), 0.1); err != nil {
		t.Fatal(err)
	}
	if want := (sample{calls: 2000, rate: 2000, p50: 1.5, p99: 9, most: 20, cpu: 0.05, errors: 1, timeouts: 2}); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
	if err := s.read([]byte("unable to connect"), 0.1); err == nil {
		t.Error("no numbers are no error")
	}
}

func TestUsageIsOfTheProcess(t *testing.T) {
	p, err := start(t.TempDir(), "log", nil, "sleep", "60")
	if err != nil {
		t.Fatal(err)
	}
	if _, rss, err := usage(p.pids()); err != nil || rss <= 0 {
		t.Errorf("%v MiB, %v", rss, err)
	}
	begin := time.Now()
	p.stop()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("stopping took %s", took)
	}
	if _, _, err := usage([]int{p.cmd.Process.Pid}); err == nil {
		t.Error("a process that has ended has usage")
	}
}
