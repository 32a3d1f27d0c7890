package v5

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// hang answers when the context ends, with its error.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// always plays the same step for each request.
type always struct {
	step step
	n    int
}

func (a *always) RoundTrip(r *http.Request) (*http.Response, error) { a.n++; return a.step(r) }

// ending gives a context that ends on its own.
type ending func(context.Context) (context.Context, context.CancelFunc)

func never(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}

func bounded(d time.Duration) ending {
	return func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
}

func cancelled(d time.Duration) ending {
	return func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(d, cancel)
		return ctx, cancel
	}
}

func TestBreakerTripsOnlyOnAnUnwellV5(t *testing.T) {
	for _, tc := range []struct {
		name  string
		step  step
		ctx   ending
		trips bool
	}{
		{"500", says(500, ""), never, true},
		{"503 in JSON", says(503, `{"code":503}`), never, true},
		{"no connection", unsent, never, true},
		{"connection lost", gone, never, true},
		{"no answer until the attempt's time-out", hang, never, true},
		{"no answer until the caller's deadline", hang, bounded(fairChance), true},
		{"a deadline that left v5 no chance", hang, bounded(fairChance - time.Second), false},
		{"the caller gave up", hang, cancelled(time.Second), false},
		{"the caller gave up late", hang, cancelled(time.Minute), false},
		{"400", says(400, `{"code":400}`), never, false},
		{"HTML 404", says(404, "<html>"), never, false},
		{"408", says(408, ""), never, false},
		{"429", says(429, ""), never, false},
		{"an answer that is not wanted", says(200, ""), never, false},
		{"a redirect", says(302, ""), never, false},
		{"accepted", says(202, ""), never, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { breaks(t, tc.step, tc.ctx, tc.trips) })
		})
	}
}

// breaks makes as many requests as trip a breaker, all with the same outcome, and
// wants the next one refused or not.
func breaks(t *testing.T, outcome step, ctx ending, trips bool) {
	var changes []bool
	rt := &always{step: outcome}
	s := open(t, Options{BaseURL: "https://h", Transport: rt, BreakerChanged: func(open bool) { changes = append(changes, open) }})
	for range defaultBreakAfter {
		ctx, cancel := ctx(t.Context())
		s.CreateDomain(ctx, creation)
		cancel()
	}
	start := time.Now()
	short, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err := s.CreateDomain(short, creation)
	if !trips {
		if errors.Is(err, ErrOpen) || rt.n != defaultBreakAfter+1 || len(changes) != 0 {
			t.Errorf("%v after %d requests, changes %v", err, rt.n, changes)
		}
		return
	}
	e := asError(t, err)
	if e.MaybeSent || !e.DefiniteNo() || !errors.Is(e, ErrOpen) || e.Status != 0 || rt.n != defaultBreakAfter || time.Now() != start {
		t.Errorf("%+v after %d requests and %s", e, rt.n, time.Since(start))
	}
	if !slices.Equal(changes, []bool{true}) {
		t.Errorf("changes %v", changes)
	}
}

func TestBreakerCountsInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, good := says(500, ""), says(404, `{"code":404}`)
		rt := &script{steps: []step{bad, bad, good, bad, bad, says(202, ""), bad, bad, bad, bad}}
		s := open(t, Options{BaseURL: "https://h", Transport: rt, BreakAfter: 3})
		for range 12 {
			s.CreateDomain(t.Context(), creation)
		}
		if rt.count() != 9 {
			t.Errorf("%d requests, want 9", rt.count())
		}
	})
}

// Some names on which v5 hangs do not close the way for the others.
func TestBreakerMindsAnswersMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		choosy := func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/domain/domains/good.com" {
				return says(200, example)(r)
			}
			return hang(r)
		}
		s := open(t, Options{BaseURL: "https://h", Transport: roundTrip(choosy), BreakAfter: 3})
		hung := func() {
			for range 10 {
				go func() {
					ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
					defer cancel()
					s.Domain(ctx, "bad.com")
				}()
			}
			synctest.Wait()
		}
		hung()
		time.Sleep(5 * time.Second)
		for range 2 {
			if _, err := s.Domain(t.Context(), "good.com"); err != nil {
				t.Error(err)
			}
			time.Sleep(26 * time.Second)
		}
		hung()
		time.Sleep(31 * time.Second)
		if _, err := s.Domain(t.Context(), "good.com"); !errors.Is(err, ErrOpen) {
			t.Errorf("nothing was answered for half a minute, and still: %v", err)
		}
	})
}

func TestBreakerTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes []bool
		var answer step = says(500, "")
		rt := &always{step: func(r *http.Request) (*http.Response, error) { return answer(r) }}
		s := open(t, Options{BaseURL: "https://h", Transport: rt, BreakAfter: 2, BreakFor: 20 * time.Second,
			BreakerChanged: func(open bool) { changes = append(changes, open) }})
		call := func(want int, refused bool) {
			t.Helper()
			rt.n = 0
			err := s.CreateDomain(t.Context(), creation)
			if rt.n != want || errors.Is(err, ErrOpen) != refused {
				t.Errorf("%d requests, %v", rt.n, err)
			}
		}
		call(1, false)
		call(1, false)
		call(0, true)
		time.Sleep(20*time.Second - 1)
		call(0, true)
		time.Sleep(2)
		call(1, false) // the first one is let through, and fails
		call(0, true)
		time.Sleep(20*time.Second + 1)

		// While the one is on its way, no other is; and none of them waits.
		done := make(chan struct{})
		answer = func(r *http.Request) (*http.Response, error) { <-done; return says(202, "")(r) }
		var first error
		go func() { first = s.CreateDomain(t.Context(), creation) }()
		synctest.Wait()
		start := time.Now()
		if e := asError(t, s.CreateDomain(t.Context(), creation)); !errors.Is(e, ErrOpen) || time.Now() != start {
			t.Errorf("%+v", e)
		}
		close(done)
		synctest.Wait()
		call(1, false)
		if first != nil || !slices.Equal(changes, []bool{true, false}) {
			t.Errorf("changes %v, %v", changes, first)
		}
		empty(t, s.c.queue)
	})
}

// A caller that gives up says nothing, so the next one is let through.
func TestBreakerTriesAgainAfterACallerThatGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &script{steps: []step{gone, hang, says(202, "")}}
		s := open(t, Options{BaseURL: "https://h", Transport: rt, BreakAfter: 1})
		s.CreateDomain(t.Context(), creation)
		time.Sleep(defaultBreakFor + 1)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if e := asError(t, s.CreateDomain(ctx, creation)); !e.MaybeSent {
			t.Errorf("%+v", e)
		}
		if err := s.CreateDomain(t.Context(), creation); err != nil {
			t.Error(err)
		}
	})
}

// Those that wait for a turn when v5 fails are told at once, and give their
// tokens back.
func TestBreakerEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &always{step: gone}
		s := open(t, Options{BaseURL: "https://h", Transport: rt, PerMinute: 2, BreakAfter: 2})
		s.CreateDomain(t.Context(), creation)
		start := time.Now()
		lost := make(chan error, 50)
		for i := range cap(lost) {
			s := s.c.SessionFor([]string{"A", "B", "C"}[i%3], Credential{"Bearer", secret}, "")
			go func() { lost <- s.CreateDomain(t.Context(), creation) }()
		}
		open := 0
		for range cap(lost) {
			if e := asError(t, <-lost); errors.Is(e, ErrOpen) && !e.MaybeSent {
				open++
			}
		}
		if open != cap(lost)-1 || time.Since(start) != time.Minute || rt.n != 2 {
			t.Errorf("%d were refused after %s, %d sent", open, time.Since(start), rt.n)
		}
		// There is no token now, but nobody waits for one.
		if e := asError(t, s.CreateDomain(t.Context(), creation)); !errors.Is(e, ErrOpen) || time.Since(start) != time.Minute {
			t.Errorf("%+v after %s", e, time.Since(start))
		}
		empty(t, s.c.queue)
		rt.step = says(202, "")
		time.Sleep(time.Minute)
		if err := s.CreateDomain(t.Context(), creation); err != nil {
			t.Error(err)
		}
	})
}

// Of those that wait while the breaker is half-open, the first decides.
func TestBreakerDecidesForThoseThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &script{steps: []step{gone, unsent, says(202, ""), says(202, ""), says(202, "")}}
		s := open(t, Options{BaseURL: "https://h", Transport: rt, PerMinute: 2, BreakAfter: 1})
		s.CreateDomain(t.Context(), creation)
		round := func() (sent int) {
			time.Sleep(defaultBreakFor + 1)
			results := make(chan error, 3)
			for range cap(results) {
				go func() { results <- s.CreateDomain(t.Context(), creation) }()
			}
			for range cap(results) {
				if !errors.Is(<-results, ErrOpen) {
					sent++
				}
			}
			return sent
		}
		if n := round(); n != 1 || rt.count() != 2 {
			t.Errorf("%d were sent, %d in all", n, rt.count())
		}
		if n := round(); n != 3 || rt.count() != 5 {
			t.Errorf("%d were sent, %d in all", n, rt.count())
		}
		empty(t, s.c.queue)
	})
}

// Those whose turns come together while the breaker is half-open: one is sent,
// the others give their tokens back. Who comes then does not wait for a token.
func TestBreakerLetsOneThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return says(202, "")(r)
		}
		rt := &script{steps: []step{gone, slow}}
		s := open(t, Options{BaseURL: "https://h", Transport: rt, PerMinute: 30, BreakAfter: 1})
		s.CreateDomain(t.Context(), creation)
		time.Sleep(time.Hour)
		s.c.queue.pause(5 * time.Second)
		results := make(chan error, 10)
		for range cap(results) {
			go func() { results <- s.CreateDomain(t.Context(), creation) }()
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(results) != 9 || rt.count() != 2 {
			t.Fatalf("%d have ended, %d sent", len(results), rt.count())
		}
		for range 9 {
			if e := asError(t, <-results); !errors.Is(e, ErrOpen) || e.MaybeSent {
				t.Errorf("%+v", e)
			}
		}
		b := &s.c.queue.bucket
		if left := b.due(time.Now(), b.burst-2).Sub(time.Now()); left > 0 {
			t.Errorf("of %d tokens, more than one is gone: %s", b.burst, left)
		}
		for range b.burst - 1 {
			b.take(time.Now())
		}
		start := time.Now()
		if e := asError(t, s.CreateDomain(t.Context(), creation)); !errors.Is(e, ErrOpen) || time.Now() != start {
			t.Errorf("%+v after %s", e, time.Since(start))
		}
		if err := <-results; err != nil {
			t.Error(err)
		}
		empty(t, s.c.queue)
	})
}

// What earlier attempts did stands when the breaker ends a call.
func TestBreakerBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &always{step: says(502, "")}
		s := open(t, Options{BaseURL: "https://h", Transport: rt, BreakAfter: 2})
		_, err := s.Domain(t.Context(), "d.com")
		if e := asError(t, err); e.Status != 502 || !e.MaybeSent || !errors.Is(e, ErrOpen) || rt.n != 2 {
			t.Errorf("%+v after %d requests", e, rt.n)
		}
		if _, err := s.Domain(t.Context(), "d.com"); asError(t, err).MaybeSent || rt.n != 2 {
			t.Errorf("%v after %d requests", err, rt.n)
		}
	})
}
