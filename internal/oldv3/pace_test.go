package oldv3

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestPaceKeepsToTheWindow(t *testing.T) {
	p := &Pace{most: 3, window: 2 * time.Second}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var at []time.Duration
	for range 8 { // as fast as it lets
		d, _ := p.turn(now.Add(sum(at)), time.Hour)
		at = append(at, d)
	}
	for i := 3; i < len(at); i++ {
		if took := sum(at[:i+1]) - sum(at[:i-2]); took < 2*time.Second {
			t.Errorf("calls %d to %d come within %s", i-3, i, took)
		}
	}
	if sum(at) > 4*time.Second {
		t.Errorf("eight calls take %s", sum(at))
	}
}

func sum(ds []time.Duration) (all time.Duration) {
	for _, d := range ds {
		all += d
	}
	return all
}

// Who cannot wait so long does not take a turn from others.
func TestATurnThatComesTooLateIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPace()
		for range 28 {
			if err := p.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if err := p.Wait(hasty); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 0 {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
		if err := p.Wait(t.Context()); err != nil || time.Since(begun) != 2*time.Second {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
	})
}
