package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/tenant"
)

// limits makes a limiter of tenants a and b, and counts what it tells.
type limits struct {
	*limiter
	waits    atomic.Int64 // that were not 0
	refusals atomic.Int64
}

func newLimits(t *testing.T, most, connections int, each tenant.Limits) *limits {
	t.Helper()
	l := &limits{}
	l.limiter = newLimiter(most, connections, func(_ string, d time.Duration) {
		if d > 0 {
			l.waits.Add(1)
		}
	}, func(string) { l.refusals.Add(1) })
	l.set(t, each)
	return l
}

func (l *limits) set(t *testing.T, each tenant.Limits) {
	t.Helper()
	var all []tenant.Tenant
	for name, key := range map[string]string{"a": keyA, "b": keyB} {
		all = append(all, tenant.Tenant{Name: name, AuthScheme: "Bearer", AuthSecret: "x",
			KeyHashes: [][32]byte{tenant.HashKey(key)}, Limits: each})
	}
	s, err := tenant.NewSet(all...)
	if err != nil {
		t.Fatal(err)
	}
	l.configure(s)
}

// must enters, or fails the test.
func (l *limits) must(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	if err := l.enter(ctx, name); err != nil {
		t.Fatal(err)
	}
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// wantTooMany wants v3's fault for too many calls, with the way out.
func wantTooMany(t *testing.T, err error, text string) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code() != 150004 || !strings.Contains(f.Text(), text) || !strings.Contains(f.Text(), "operator") {
		t.Errorf("got %v, want fault 150004 with %q", err, text)
	}
}

func TestTheRateMakesCallsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(t, 100, 10000, tenant.Limits{Rate: 30, Window: 2 * time.Second})
		begin := time.Now()
		for range 30 {
			l.must(t, within(t, 25*time.Second), "a")
			l.leave("a")
		}
		if took := time.Since(begin); took != 0 || l.waits.Load() != 0 {
			t.Fatalf("30 calls took %s", took)
		}
		for range 150 {
			l.must(t, within(t, 25*time.Second), "a")
			l.leave("a")
		}
		if took := time.Since(begin); took < 9900*time.Millisecond || took > 10*time.Second {
			t.Errorf("180 calls took %s, want 10 s: 15 in a second after the first 30", took)
		}
		l.must(t, within(t, time.Millisecond), "b") // nobody else waits
		l.leave("b")
		// A burst waits as long as a call has time for it, and not in vain.
		time.Sleep(time.Minute)
		begin = time.Now()
		var served, refused atomic.Int64
		var calls sync.WaitGroup
		for range 400 {
			calls.Go(func() {
				err := l.enter(within(t, 25*time.Second), "a")
				if err == nil {
					l.leave("a")
					served.Add(1)
					return
				}
				wantTooMany(t, err, "this account may make 30 in 2s")
				if took := time.Since(begin); took > 0 {
					t.Errorf("a call that cannot be served is told so after %s", took)
				}
				refused.Add(1)
			})
		}
		calls.Wait()
		// 30 at once, and 15 in each second of three quarters of 25 s.
		if n := served.Load(); n != 30+281 || refused.Load() != 400-n || l.refusals.Load() != 400-n {
			t.Errorf("%d are served, %d refused, %d counted", n, refused.Load(), l.refusals.Load())
		}
	})
}

// Who kept v3's limit, 30 calls in any 2 seconds, never waits.
func TestWhoKeptTheLimitOfV3NeverWaits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const window = 2 * time.Second
	for round := range 50 {
		var b bucket
		now := time.Now()
		b.resize(30, window, now)
		var calls []time.Time
		for range 2000 {
			if random.IntN(20) == 0 {
				now = now.Add(time.Duration(random.Int64N(int64(window))))
			} else if random.IntN(3) == 0 {
				now = now.Add(time.Duration(random.Int64N(int64(window / 20))))
			}
			if len(calls) >= 30 && now.Sub(calls[len(calls)-30]) < window {
				now = calls[len(calls)-30].Add(window) // as v3 wanted it
			}
			if wait := b.wait(now); wait > 0 {
				t.Fatalf("round %d: call %d waits %s", round, len(calls), wait)
			}
			b.take(now)
			calls = append(calls, now)
		}
	}
}

func TestGivenUpCallsTakeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(t, 1, 100, tenant.Limits{Rate: 1, Window: 10 * time.Second})
		l.must(t, t.Context(), "a")
		var calls sync.WaitGroup
		for range 5 {
			ctx, cancel := context.WithCancel(t.Context())
			calls.Go(func() {
				if err := l.enter(ctx, "a"); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
			synctest.Wait()
			cancel()
		}
		calls.Wait()
		// The place too: b waits for it and hangs up.
		ctx, cancel := context.WithCancel(t.Context())
		calls.Go(func() {
			if err := l.enter(ctx, "b"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
		synctest.Wait()
		cancel()
		calls.Wait()
		l.leave("a")
		begin := time.Now()
		l.must(t, t.Context(), "a")
		l.leave("a")
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("the next call waits %s, want one interval of 10 s", took)
		}
		if l.inFlight != 0 || l.turns.Len() != 0 || l.lanes["a"].slowed != 0 {
			t.Errorf("%d in flight, %d lanes in turn, %d waiting", l.inFlight, l.turns.Len(), l.lanes["a"].slowed)
		}
	})
}

func TestPlacesGoRoundBetweenTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(t, 2, 1000, tenant.Limits{})
		var mu sync.Mutex
		var order string
		var calls sync.WaitGroup
		queue := func(name string, n int) {
			for range n {
				calls.Go(func() {
					l.must(t, within(t, time.Hour), name)
					mu.Lock()
					order += name
					mu.Unlock()
					time.Sleep(time.Second)
					l.leave(name)
				})
				synctest.Wait()
			}
		}
		queue("a", 8)
		queue("b", 3)
		calls.Wait()
		// Two places are given out each second, in either order.
		var pairs string
		for i := 0; i+1 < len(order); i += 2 {
			pairs += string(min(order[i], order[i+1])) + string(max(order[i], order[i+1])) + " "
		}
		if pairs != "aa ab ab ab aa " {
			t.Errorf("places went to %s: b came last and should have had every other one", order)
		}
	})
}

func TestATenantsOwnLimitHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(t, 10, 1000, tenant.Limits{InFlight: 2})
		l.must(t, t.Context(), "a")
		l.must(t, t.Context(), "a") // for ever
		begin := time.Now()
		err := l.enter(within(t, 20*time.Second), "a")
		wantTooMany(t, err, "this account may make 2")
		if took := time.Since(begin); took != 15*time.Second {
			t.Errorf("refused after %s, want three quarters of the call's 20 s", took)
		}
		l.must(t, within(t, time.Millisecond), "b")
		l.leave("b")
		l.must(t, within(t, time.Millisecond), "") // a call without a key
		l.leave("")
		// A higher limit lets in who waits.
		var calls sync.WaitGroup
		calls.Go(func() { l.must(t, within(t, time.Minute), "a") })
		synctest.Wait()
		l.set(t, tenant.Limits{InFlight: 3})
		calls.Wait()
		l.leave("a")
	})
}

func TestTheDaemonsLimitSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(t, 1, 1000, tenant.Limits{InFlight: 5})
		l.must(t, t.Context(), "a")
		defer l.leave("a")
		err := l.enter(within(t, time.Second), "b")
		wantTooMany(t, err, "the gateway has too many calls")
		if l.refusals.Load() != 1 {
			t.Errorf("%d refusals are counted", l.refusals.Load())
		}
	})
}

// A tenant can have a quarter of the connections waiting, no more.
func TestTheRoomToWaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, each := range map[string]tenant.Limits{
			"rate": {Rate: 1, Window: time.Second}, "in flight": {InFlight: 1},
		} {
			l := newLimits(t, 10, 40, each)
			l.must(t, t.Context(), "a")
			var refused atomic.Int64
			var calls sync.WaitGroup
			for range 15 {
				calls.Go(func() {
					begin := time.Now()
					if err := l.enter(within(t, time.Hour), "a"); err != nil && time.Since(begin) == 0 {
						wantTooMany(t, err, "more wait already")
						refused.Add(1)
					}
				})
			}
			synctest.Wait()
			if refused.Load() != 5 {
				t.Errorf("%s: %d are refused at once, want 5: 10 may wait", name, refused.Load())
			}
			calls.Wait()
		}
	})
}

func TestANewRateKeepsWhatWasTaken(t *testing.T) {
	now := time.Now()
	var b bucket
	b.resize(10, 10*time.Second, now)
	for range 10 {
		b.take(now)
	}
	for _, c := range []struct {
		rate   int
		window time.Duration
		want   time.Duration
	}{
		{10, 10 * time.Second, time.Second}, // the same
		{20, 10 * time.Second, -4500 * time.Millisecond},
		{5, 10 * time.Second, 12 * time.Second},
		{0, 0, 0},
	} {
		again := b
		if again.resize(c.rate, c.window, now); again.wait(now) != c.want {
			t.Errorf("%d in %s: wait %s, want %s", c.rate, c.window, again.wait(now), c.want)
		}
	}
}

// No more than the limits are ever in flight, and nothing is left behind.
func TestLimitsHoldUnderLoad(t *testing.T) {
	l := newLimits(t, 7, 100000, tenant.Limits{InFlight: 5})
	var all atomic.Int64
	one := map[string]*atomic.Int64{"a": {}, "b": {}, "": {}}
	var calls sync.WaitGroup
	for i := range 300 {
		name := []string{"a", "b", ""}[i%3]
		calls.Go(func() {
			for range 20 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(20)+1)*time.Millisecond)
				if err := l.enter(ctx, name); err == nil {
					if n, m := all.Add(1), one[name].Add(1); n > 7 || name != "" && m > 5 {
						t.Errorf("%d in flight, %d of %q", n, m, name)
					}
					time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
					all.Add(-1)
					one[name].Add(-1)
					l.leave(name)
				}
				cancel()
			}
		})
	}
	for i := range 20 { // as reloads do
		l.set(t, tenant.Limits{InFlight: 5 - i%2})
		time.Sleep(time.Millisecond)
	}
	calls.Wait()
	if l.inFlight != 0 || l.turns.Len() != 0 {
		t.Errorf("%d in flight, %d lanes in turn", l.inFlight, l.turns.Len())
	}
	for name, lane := range l.lanes {
		if lane.inFlight != 0 || lane.slowed != 0 || lane.waiting.Len() != 0 || lane.turn != nil {
			t.Errorf("lane %q: %+v", name, lane)
		}
	}
}
