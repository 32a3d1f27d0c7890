package v5

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// one waits for one turn and uses it.
func (q *queue) one(ctx context.Context, name string, p priority) error {
	t, err := q.enter(ctx, name, p)
	if err == nil {
		t.end(true)
	}
	return err
}

// withinMinute fails the test when more than n of the times lie within any span
// of a minute.
func withinMinute(t *testing.T, n int, at []time.Time) {
	t.Helper()
	for i := range at {
		if j := i + n; j < len(at) && at[j].Sub(at[i]) < time.Minute {
			t.Fatalf("%d a minute: %d requests within %s", n, n+1, at[j].Sub(at[i]))
		}
	}
}

func TestQueueKeepsToTheMinute(t *testing.T) {
	for _, perMinute := range []int{1, 2, 3, 7, 10, 30, 999, 1000} {
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(Options{PerMinute: perMinute})
			var left []time.Time
			for range 3 * perMinute {
				if err := q.one(t.Context(), "", foreground); err != nil {
					t.Fatal(err)
				}
				left = append(left, time.Now())
			}
			withinMinute(t, perMinute, left)
			if spent := left[len(left)-1].Sub(left[0]); spent > 6*time.Minute {
				t.Errorf("%d a minute: %d requests took %s", perMinute, len(left), spent)
			}
		})
	}
}

func TestNoLimitIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, start := newQueue(Options{}), time.Now()
		for range 5000 {
			if err := q.one(t.Context(), "", foreground); err != nil {
				t.Fatal(err)
			}
		}
		if time.Since(start) != 0 {
			t.Errorf("took %s", time.Since(start))
		}
	})
}

func TestBucketGivesBackExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(30)
		for range b.burst {
			b.take(time.Now())
		}
		empty := b.due(time.Now(), 0)
		for range 1000 {
			b.take(time.Now())
			time.Sleep(time.Millisecond)
			b.giveBack()
		}
		if got := b.due(time.Now(), 0); !got.Equal(empty) {
			t.Errorf("the next token is due %s later", got.Sub(empty))
		}
		// A full bucket does not grow.
		time.Sleep(time.Hour)
		b.take(time.Now())
		b.giveBack()
		if got := b.due(time.Now(), b.burst).Sub(time.Now()); got != b.interval {
			t.Errorf("one more than the burst is due in %s, want %s", got, b.interval)
		}
	})
}

func TestWhoGivesUpTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(Options{PerMinute: 2}) // one at once, then one a minute
		if err := q.one(t.Context(), "", foreground); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := q.one(ctx, "", foreground); !errors.Is(err, context.Canceled) {
			t.Errorf("wait = %v", err)
		}
		short, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		at := time.Now()
		if err := q.one(short, "", foreground); !errors.Is(err, context.DeadlineExceeded) || time.Now() != at {
			t.Errorf("wait beyond the deadline = %v after %s", err, time.Since(at))
		}
		if err := q.one(t.Context(), "", foreground); err != nil || time.Since(at) != 59*time.Second {
			t.Errorf("the next came after %s, %v", time.Since(at), err)
		}
	})
}

func TestTooManyPausesTheWholeClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &script{steps: []step{says(429, "", "Retry-After: 10"), says(200, `{"id":"u"}`)}}
		var waited time.Duration
		a := open(t, Options{BaseURL: "https://h", Transport: rt, Waited: func(d time.Duration) { waited += d }})
		b := a.c.SessionFor("b", Credential{Scheme: "Apikey", Secret: secret}, "other")
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
		q := newQueue(Options{})
		q.pause(72 * time.Hour)
		q.pause(time.Second) // does not shorten it
		start := time.Now()
		if err := q.one(t.Context(), "", foreground); err != nil || time.Since(start) != longestPause {
			t.Errorf("waited %s, %v", time.Since(start), err)
		}
	})
}

// A pause that begins while requests wait holds those too.
func TestPauseHoldsThoseThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(Options{PerMinute: 2})
		q.one(t.Context(), "", foreground)
		start := time.Now()
		time.AfterFunc(59*time.Second, func() { q.pause(10 * time.Second) })
		if err := q.one(t.Context(), "", foreground); err != nil || time.Since(start) != 69*time.Second {
			t.Errorf("left after %s, %v", time.Since(start), err)
		}
	})
}

func TestNoRushAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perMinute = 30
		q := newQueue(Options{PerMinute: perMinute})
		q.pause(time.Minute)
		c := crowd{q: q}
		for range 40 {
			c.join(t.Context(), "", foreground)
		}
		c.running.Wait()
		if len(c.at) != 40 {
			t.Fatalf("%d left", len(c.at))
		}
		withinMinute(t, perMinute, c.at)
	})
}
