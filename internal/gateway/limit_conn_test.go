package gateway

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"v3gate/internal/config"
)

// dribble opens connections that each send a byte of a request now and then, in
// turn of its header and of its body. open counts those that the server has not
// closed.
func dribble(t *testing.T, addr string, n int) (open *atomic.Int64) {
	t.Helper()
	open = &atomic.Int64{}
	end := make(chan struct{})
	var all sync.WaitGroup
	t.Cleanup(func() { close(end); all.Wait() })
	for i := range n {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		open.Add(1)
		all.Go(func() {
			defer conn.Close()
			defer open.Add(-1)
			fmt.Fprint(conn, "POST /xmlrpc/ HTTP/1.1\r\nHost: gateway\r\n")
			if i%2 == 0 {
				fmt.Fprint(conn, "Content-Length: 100000\r\n\r\n<?xml version='1.0'?>")
			}
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-end:
					return
				case <-tick.C:
				}
				// What is read is a fault or the end: either way it is over.
				conn.SetReadDeadline(time.Now().Add(time.Millisecond))
				_, err := conn.Read(make([]byte, 1))
				timeout, ok := err.(net.Error)
				if err == nil || !ok || !timeout.Timeout() {
					return
				}
				if _, err := conn.Write([]byte("x")); err != nil {
					return
				}
			}
		})
	}
	return open
}

// openConnections reads the gauge from the admin endpoint, which has no such
// bound.
func (r *rig) openConnections(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^gateway_connections (\d+)$`).FindStringSubmatch(get(t, "http://"+r.AdminAddr()+"/metrics"))
	if m == nil {
		t.Fatal("no gateway_connections")
	}
	return m[1]
}

// 500 callers that dribble do not keep others from being served, and are cut off
// by the time-outs.
func TestDribblersHoldUpNobody(t *testing.T) {
	r := newRig(t, func(c *config.Config) {
		c.HeaderTimeout, c.BodyTimeout, c.IdleTimeout = 5*time.Second, time.Second, 100*time.Millisecond
		c.MaxConnections = 600
	})
	r.must(t, "contact.info", keyA)
	begin := time.Now()
	open := dribble(t, r.Addr(), 500)
	calls := 0
	for time.Since(begin) < 2*time.Second {
		one := time.Now()
		r.must(t, "contact.info", keyA)
		if took := time.Since(one); took > 5*time.Second {
			t.Errorf("call %d took %s", calls, took)
		}
		calls++
	}
	if n := open.Load(); n != 500 || calls < 3 {
		t.Errorf("%d calls were made while %d connections dribbled", calls, n)
	}
	for open.Load() > 0 && time.Since(begin) < time.Minute {
		time.Sleep(20 * time.Millisecond)
	}
	if n := open.Load(); n > 0 {
		t.Fatalf("%d connections are not cut off", n)
	}
	for range 100 {
		if r.openConnections(t) == "0" {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%s connections are left", r.openConnections(t))
}

// When there are as many connections as may be, the next caller waits to be
// accepted in place of being refused. Metrics stay in reach.
func TestFurtherConnectionsWait(t *testing.T) {
	r := newRig(t, func(c *config.Config) {
		c.MaxConnections, c.HeaderTimeout, c.BodyTimeout = 20, 3*time.Second, time.Second
	})
	dribble(t, r.Addr(), 20)
	begin := time.Now()
	for time.Since(begin) < 20*time.Second && r.openConnections(t) != "20" {
		time.Sleep(5 * time.Millisecond)
	}
	answer := make(chan error, 1)
	go func() {
		_, err := r.call(t, "contact.info", keyA)
		answer <- err
	}()
	select {
	case err := <-answer:
		t.Fatalf("a connection too many was accepted: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	if err := <-answer; err != nil {
		t.Error(err)
	}
}

// Too few open files are said at the start, not when they are gone.
func TestTooFewFilesAreSaid(t *testing.T) {
	if openFiles() == 0 {
		t.Skip("this system does not tell how many files a process may open")
	}
	r := newRig(t, func(c *config.Config) { c.MaxConnections = 1 << 30 })
	r.stop()
	if !strings.Contains(r.log.String(), "fewer open files than max_connections") {
		t.Errorf("the log does not say so:\n%s", r.log)
	}
}

// orderGate holds up orders, and lets everything else through.
type orderGate struct{ held, arrived chan struct{} }

func (g *orderGate) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == "POST" && r.Header.Get("Dry-Run") == "" {
		close(g.arrived)
		<-g.held
	}
	return http.DefaultTransport.RoundTrip(r)
}

// While callers that dribble hold up the end of a gateway, a purchase in flight
// still hears v5's word.
func TestDribblersLeavePurchasesTheirTime(t *testing.T) {
	v5 := &orderGate{make(chan struct{}), make(chan struct{})}
	r := newReloadRig(t, time.Hour, v5, "paid_wait = \"50ms\"\n"+tenantA).start(t)
	handle := r.must(t, "contact.create", keyA, person())["handle"].(string)
	op := r.must(t, "domain.create", keyA, "late.net", map[string]any{
		"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1,
	})
	<-v5.arrived
	dribble(t, r.Addr(), 2)
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
		defer cancel()
		stopped <- r.Stop(ctx)
	}()
	time.Sleep(3300 * time.Millisecond)
	close(v5.held)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	control, err := OpenControl(r.store)
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	if o, err := control.Show(op["id"].(int64)); err != nil || o.State != "accepted" {
		t.Errorf("the operation is %s, %v: v5's answer was not waited for", o.State, err)
	}
}
