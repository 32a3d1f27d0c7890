package gateway

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

type deadlineKey struct{}

// TestDeadlineIsWithTimeout does the same to a lazyDeadline and to what
// context.WithTimeout makes, in all orders that chance brings, and looks for a
// difference after each step.
func TestDeadlineIsWithTimeout(t *testing.T) {
	const span = 10 * time.Second
	for seed := range uint64(2000) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			base := context.WithValue(context.Background(), deadlineKey{}, "value")
			if random.IntN(3) == 0 {
				var cancel context.CancelFunc
				base, cancel = context.WithTimeout(base, time.Duration(random.IntN(20))*time.Second)
				defer cancel()
			}
			caller, hangUp := context.WithCancel(base)
			defer hangUp()
			want, cancel := context.WithTimeout(caller, span)
			defer cancel()
			have := &lazyDeadline{Context: caller, end: time.Now().Add(span)}
			var waits [][2]context.Context // made of want and of have
			for range 8 {
				synctest.Wait()
				switch random.IntN(7) {
				case 0, 1:
					time.Sleep(time.Duration(random.IntN(6)) * time.Second)
				case 2:
					hangUp()
				case 3, 4:
					if want, have := closed(want.Done()), closed(have.Done()); want != have {
						t.Fatalf("seed %d: done is %v, want %v", seed, have, want)
					}
				case 5:
					w, cancel := context.WithCancel(want)
					defer cancel()
					h, cancel := context.WithCancel(have)
					defer cancel()
					waits = append(waits, [2]context.Context{w, h})
				case 6:
					if value := have.Value(deadlineKey{}); value != "value" {
						t.Fatalf("seed %d: the value is %v", seed, value)
					}
				}
				synctest.Wait()
				if want, have := want.Err(), have.Err(); want != have {
					t.Fatalf("seed %d: the error is %v, want %v", seed, have, want)
				}
				wantEnd, _ := want.Deadline()
				if end, ok := have.Deadline(); !ok || !end.Equal(wantEnd) {
					t.Fatalf("seed %d: the deadline is %v, want %v", seed, end, wantEnd)
				}
				for _, w := range waits {
					if want, have := w[0].Err(), w[1].Err(); want != have {
						t.Fatalf("seed %d: the error of what was made of it is %v, want %v", seed, have, want)
					}
				}
			}
			cancel()
			have.release()
			for _, w := range waits {
				if w[0].Err() != w[1].Err() {
					t.Fatalf("seed %d: after the release the error is %v, want %v", seed, w[1].Err(), w[0].Err())
				}
			}
		})
	}
}

func closed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// TestDeadlineNeedsNoGoroutine makes contexts of a lazyDeadline: package context
// has to know it for one of its own, or each of them would cost a goroutine.
func TestDeadlineNeedsNoGoroutine(t *testing.T) {
	l := &lazyDeadline{Context: t.Context(), end: time.Now().Add(time.Hour)}
	defer l.release()
	before := runtime.NumGoroutine()
	for range 100 {
		_, cancel := context.WithCancel(l)
		defer cancel()
	}
	if more := runtime.NumGoroutine() - before; more >= 100 {
		t.Errorf("100 contexts made of it have %d goroutines", more)
	}
}
