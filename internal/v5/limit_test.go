package v5

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimiterKeepsToTheMinute(t *testing.T) {
	for _, perMinute := range []int{1, 2, 3, 10, 30, 1000} {
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(perMinute, nil)
			var left []time.Time
			for range 3 * perMinute {
				if err := l.wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				left = append(left, time.Now())
			}
			for i := range left {
				if j := i + perMinute; j < len(left) && left[j].Sub(left[i]) < time.Minute-time.Millisecond {
					t.Fatalf("%d a minute: %d requests within %s", perMinute, perMinute+1, left[j].Sub(left[i]))
				}
			}
			if spent := left[len(left)-1].Sub(left[0]); spent > 6*time.Minute {
				t.Errorf("%d a minute: %d requests took %s", perMinute, len(left), spent)
			}
		})
	}
}

func TestLimiterServesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []int
		var waits int
		l := newLimiter(30, func(d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			waits++
		})
		var running sync.WaitGroup
		for i := range 25 {
			running.Go(func() {
				if l.wait(t.Context()) == nil {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, i)
				}
			})
			synctest.Wait() // i is in the queue
		}
		running.Wait()
		for i, got := range order {
			if i != got {
				t.Fatalf("order %v", order)
			}
		}
		if len(order) != 25 || waits != 15 {
			t.Errorf("%d served, %d waited; want 25 and 15", len(order), waits)
		}
	})
}

func TestWhoGivesUpTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(2, nil) // one at once, then one a minute
		if err := l.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := l.wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("wait = %v", err)
		}
		short, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		at := time.Now()
		if err := l.wait(short); !errors.Is(err, context.DeadlineExceeded) || time.Now() != at {
			t.Errorf("wait beyond the deadline = %v after %s", err, time.Since(at))
		}
		if err := l.wait(t.Context()); err != nil || time.Since(at) != 59*time.Second {
			t.Errorf("the next came after %s, %v", time.Since(at), err)
		}
	})
}

func TestTooManyPausesTheWholeClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &script{steps: []step{says(429, "", "Retry-After: 10"), says(200, `{"id":"u"}`)}}
		var waited time.Duration
		a := open(t, Options{BaseURL: "https://h", Transport: rt, Waited: func(d time.Duration) { waited += d }})
		b := a.c.Session(Credential{Scheme: "Apikey", Secret: secret}, "other")
		start := time.Now()
		if e := asError(t, a.CreateDomain(t.Context(), creation)); e.Status != 429 || e.RetryAfter != 10*time.Second {
			t.Errorf("%+v", e)
		}
		if _, err := b.UserInfo(t.Context()); err != nil {
			t.Fatal(err)
		}
		if time.Since(start) != 10*time.Second || waited != 10*time.Second {
			t.Errorf("the other tenant waited %s, told %s", time.Since(start), waited)
		}
	})
}

func TestPauseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(0, nil)
		l.pause(72 * time.Hour)
		l.pause(time.Second) // does not shorten it
		start := time.Now()
		if err := l.wait(t.Context()); err != nil || time.Since(start) != longestPause {
			t.Errorf("waited %s, %v", time.Since(start), err)
		}
	})
}

func TestNoRushAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perMinute = 30
		l := newLimiter(perMinute, nil)
		l.pause(time.Minute)
		var mu sync.Mutex
		var left []time.Time
		var running sync.WaitGroup
		for range 40 {
			running.Go(func() {
				if l.wait(t.Context()) == nil {
					mu.Lock()
					defer mu.Unlock()
					left = append(left, time.Now())
				}
			})
		}
		running.Wait()
		if len(left) != 40 {
			t.Fatalf("%d left", len(left))
		}
		if d := left[perMinute].Sub(left[0]); d < time.Minute-time.Millisecond {
			t.Errorf("%d requests within %s", perMinute+1, d)
		}
	})
}

func TestMaxInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		slow := func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return says(200, `{"id":"u"}`)(r)
		}
		rt := &script{steps: []step{slow, slow, slow, slow, slow, slow, slow}}
		s := open(t, Options{BaseURL: "https://h", Transport: rt, MaxInFlight: 3})
		var running sync.WaitGroup
		for range 7 {
			running.Go(func() { s.UserInfo(t.Context()) })
		}
		running.Wait()
		if most != 3 || rt.count() != 7 {
			t.Errorf("%d at a time, %d in all", most, rt.count())
		}
	})
}
