package v5

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// crowd are requests that wait in a queue. It keeps who left, and when.
type crowd struct {
	q       *queue
	running sync.WaitGroup
	mu      sync.Mutex
	who     []string // the tenant, with a lower-case b in front for background work
	at      []time.Time
	lost    []error
}

// join has one more request wait, behind those that do already.
func (c *crowd) join(ctx context.Context, name string, p priority) {
	c.running.Go(func() {
		t, err := c.q.enter(ctx, name, p)
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil {
			c.lost = append(c.lost, err)
			return
		}
		if p == background {
			name = "b" + name
		}
		c.who, c.at = append(c.who, name), append(c.at, time.Now())
		t.end(true)
	})
	synctest.Wait()
}

// empty fails the test where a queue holds anything.
func empty(t *testing.T, q *queue) {
	t.Helper()
	if q.waiting != 0 || q.inFlight != [2]int{} || len(q.tenants) != 0 || q.turns[0].Len() != 0 || q.turns[1].Len() != 0 {
		t.Errorf("%d wait, %v in flight, %d tenants", q.waiting, q.inFlight, len(q.tenants))
	}
}

// late is a context that has ended when it is asked for the second time.
type late struct {
	context.Context
	asked int
}

func (l *late) Err() error {
	if l.asked++; l.asked > 1 {
		return context.Canceled
	}
	return nil
}

// A turn that comes in the moment in which the caller gives up is given back.
func TestTurnThatComesTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, start := newQueue(Options{PerMinute: 2, MaxInFlight: 1}), time.Now()
		for range 3 {
			if _, err := q.enter(&late{Context: t.Context()}, "A", foreground); !errors.Is(err, context.Canceled) {
				t.Errorf("entered: %v", err)
			}
		}
		if err := q.one(t.Context(), "A", foreground); err != nil || time.Now() != start {
			t.Errorf("the next came after %s, %v", time.Since(start), err)
		}
		empty(t, q)
	})
}

func TestOneTenantIsServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits []time.Duration
		q := newQueue(Options{PerMinute: 30, Waited: func(d time.Duration) { waits = append(waits, d) }})
		var mu sync.Mutex
		var order []int
		var running sync.WaitGroup
		for i := range 25 {
			running.Go(func() {
				turn, err := q.enter(t.Context(), "", foreground)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				turn.end(true)
			})
			synctest.Wait() // i is in the queue
		}
		running.Wait()
		var want []int
		var wantWaits []time.Duration
		for i := range 25 {
			want = append(want, i)
			wantWaits = append(wantWaits, time.Duration(max(0, i-9))*3*time.Second) // ten at once, then 20 a minute
		}
		if diff := cmp.Diff(want, order); diff != "" {
			t.Errorf("order:\n%s", diff)
		}
		if diff := cmp.Diff(wantWaits, waits); diff != "" {
			t.Errorf("waits:\n%s", diff)
		}
		empty(t, q)
	})
}

// byTenant answers and keeps whose credential each request had.
type byTenant struct {
	mu  sync.Mutex
	who []string
}

func (b *byTenant) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "-")
	b.who = append(b.who, name+" "+r.Method)
	status := http.StatusOK
	if r.Method == "POST" {
		status = http.StatusAccepted
	}
	return says(status, example)(r)
}

func TestOneTenantDoesNotHoldUpAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &byTenant{}
		c := open(t, Options{BaseURL: "https://h", Transport: rt, PerMinute: 1000, MaxInFlight: 4}).c
		loud := c.SessionFor("loud", Credential{"Bearer", "loud-" + secret}, "")
		calm := c.SessionFor("calm", Credential{"Bearer", "calm-" + secret}, "")
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		var mu sync.Mutex
		var refused []*Error
		for range 516 {
			running.Go(func() {
				if _, err := loud.Domain(ctx, "a.com"); err != nil {
					mu.Lock()
					defer mu.Unlock()
					refused = append(refused, asError(t, err))
				}
			})
		}
		synctest.Wait()
		if c.queue.waiting != 500 {
			t.Fatalf("%d wait, want 500", c.queue.waiting)
		}
		before := len(rt.who)
		if _, err := calm.Domain(t.Context(), "b.com"); err != nil {
			t.Fatal(err)
		}
		if after := len(rt.who) - before; after > 2 || rt.who[len(rt.who)-1] != "calm GET" {
			t.Errorf("served in turn %d, last %v", after, rt.who[before:])
		}
		// All the others leave at once when their context ends.
		sent, at := len(rt.who), time.Now()
		cancel()
		running.Wait()
		if time.Now() != at || len(rt.who) != sent || len(refused) != 516-sent+1 {
			t.Errorf("%d left without a turn in %s, %d more were sent", len(refused), time.Since(at), len(rt.who)-sent)
		}
		for _, e := range refused {
			if e.MaybeSent || !errors.Is(e, context.Canceled) || e.Route != "GET /domain/domains/{d}" {
				t.Fatalf("%+v", e)
			}
		}
		empty(t, c.queue)
	})
}

func TestTenantsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := crowd{q: newQueue(Options{PerMinute: 2})}
		for _, name := range strings.Fields("- A A A A A B B C B") {
			c.join(t.Context(), name, foreground)
		}
		c.running.Wait()
		if got := strings.Join(c.who, " "); got != "- A B C A B A B A A" {
			t.Errorf("order %s", got)
		}
		empty(t, c.q)
	})
}

func TestForegroundGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := crowd{q: newQueue(Options{PerMinute: 2})}
		c.join(t.Context(), "-", foreground)
		for range 15 {
			c.join(t.Context(), "A", background)
			c.join(t.Context(), "B", background)
			c.join(t.Context(), "B", foreground)
			c.join(t.Context(), "C", foreground)
		}
		c.running.Wait()
		// 30 of each priority: one background turn in ten, then what is left.
		tens := " B C B C B C B C B bA C B C B C B C B C bB B C B C B C B C B bA C B C"
		want := "-" + tens + strings.Repeat(" bB bA", 13) + " bB"
		if got := strings.Join(c.who, " "); got != want {
			t.Errorf("order\n%s, want\n%s", got, want)
		}
		empty(t, c.q)
	})
}

// A stream of foreground work without end does not keep background work out.
func TestBackgroundIsServedInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := crowd{q: newQueue(Options{PerMinute: 2})}
		ctx, cancel := context.WithCancel(t.Context())
		for range 100 {
			c.join(ctx, "A", foreground)
		}
		start := time.Now()
		if err := c.q.one(t.Context(), "A", background); err != nil || time.Since(start) > backgroundTurn*time.Minute {
			t.Errorf("served after %s, %v", time.Since(start), err)
		}
		cancel()
		c.running.Wait()
		empty(t, c.q)
	})
}

func TestPaidCallsAreForeground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &byTenant{}
		c := open(t, Options{BaseURL: "https://h", Transport: rt, PerMinute: 2}).c
		s := c.SessionFor("a", Credential{"Bearer", "a-" + secret}, "")
		var running sync.WaitGroup
		for range 4 {
			running.Go(func() { s.Domain(Background(t.Context()), "d.com") })
			synctest.Wait()
		}
		running.Go(func() { s.CreateDomain(Background(t.Context()), creation) })
		synctest.Wait()
		running.Go(func() { s.SetContacts(Background(t.Context()), "d.com", Contacts{Tech: owner}) })
		running.Wait()
		if got := strings.Join(rt.who, ", "); got != "a GET, a POST, a GET, a GET, a GET, a PATCH" {
			t.Errorf("order %s", got)
		}
	})
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told atomic.Int32
		c := open(t, Options{BaseURL: "https://h", Transport: &byTenant{}, PerMinute: 2, MaxWaiting: 10, Waited: func(time.Duration) { told.Add(1) }}).c
		crowd := crowd{q: c.queue}
		ctx, cancel := context.WithCancel(t.Context())
		for range 11 { // one leaves at once
			crowd.join(ctx, "A", foreground)
		}
		start := time.Now()
		e := asError(t, c.SessionFor("A", Credential{"Bearer", secret}, "").CreateDomain(t.Context(), creation))
		if e.MaybeSent || !e.DefiniteNo() || !errors.Is(e, ErrQueueFull) || time.Now() != start || told.Load() != 1 {
			t.Errorf("%+v after %s, told %d", e, time.Since(start), told.Load())
		}
		if want := "call v5 POST /domain/domains: not sent: too many requests to v5 wait already: 10"; e.Error() != want {
			t.Errorf("%s, want %s", e, want)
		}
		// Another tenant finds a place all the same, but not as many as it likes.
		crowd.join(ctx, "B", foreground)
		crowd.join(ctx, "B", foreground)
		if len(crowd.lost) != 1 || !errors.Is(crowd.lost[0], ErrQueueFull) || c.queue.waiting != 11 {
			t.Errorf("%d wait, lost %v", c.queue.waiting, crowd.lost)
		}
		cancel()
		crowd.running.Wait()
		empty(t, c.queue)
	})
}

// Ten minutes of callers that come, give up, and do not use the turn that they
// get: no token is lost and none is gained.
func TestNoTokenIsLostOrGained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perMinute, span = 60, 10 * time.Minute
		q := newQueue(Options{PerMinute: perMinute, MaxInFlight: 5})
		var mu sync.Mutex
		var left []time.Time
		end := time.Now().Add(span)
		caller := func(id uint64) {
			dice := rand.New(rand.NewPCG(id, 7))
			for time.Now().Before(end) {
				// Whole seconds, to meet tokens in the same moment often.
				ctx, cancel := context.WithCancel(t.Context())
				stop := time.AfterFunc(time.Duration(1+dice.IntN(40))*time.Second*6/5, cancel)
				turn, err := q.enter(ctx, string(rune('A'+id%7)), priority(id%2))
				if err == nil {
					used := dice.IntN(3) > 0
					if used {
						mu.Lock()
						left = append(left, time.Now())
						mu.Unlock()
					}
					turn.end(used)
				}
				stop.Stop()
				cancel()
			}
		}
		var running sync.WaitGroup
		for id := range uint64(60) {
			running.Go(func() { caller(id) })
		}
		running.Wait()
		withinMinute(t, perMinute, left)
		got := 0
		for _, at := range left {
			if !at.After(end) {
				got++
			}
		}
		if want := q.bucket.burst + int(span/q.bucket.interval); got != want {
			t.Errorf("%d requests left in %s, want %d", got, span, want)
		}
		empty(t, q)
	})
}
