package ops

import (
	"context"
	"errors"
	"testing"
	"time"

	"v3gate/internal/sandbox"
)

func TestWhoWaitsForAListIsToldOfItsEnd(t *testing.T) {
	workshop(t, 8, sandbox.Options{}, func(s *shop) {
		s.sim.SetChaos(sandbox.Chaos{Latency: time.Second})
		op := s.submitted(pushIntent(items(8, "Carol")...))
		begin := time.Now()
		const most = 100 * time.Millisecond
		if now, err := s.e.WaitList(context.Background(), tenantA, op.ID, most); err != nil || now.Step != Run || time.Since(begin) != most {
			t.Errorf("after %v: %s, %v", time.Since(begin), now.Step, err)
		}
		short, cancel := contextFor(200 * time.Millisecond)
		defer cancel()
		if now, err := s.e.WaitList(short, tenantA, op.ID, time.Hour); err != nil || now.Step != Run {
			t.Errorf("a caller who left: %s, %v", now.Step, err)
		}
		if now, err := s.e.WaitList(context.Background(), tenantA, op.ID, time.Hour); err != nil || now.Step != Done || time.Since(begin) > 3*time.Second {
			t.Errorf("after %v: %s, %v", time.Since(begin), now.Step, err)
		}
		if now, err := s.e.WaitList(context.Background(), tenantA, op.ID, time.Hour); err != nil || now.Step != Done {
			t.Errorf("after its end: %s, %v", now.Step, err)
		}
		if _, err := s.e.WaitList(context.Background(), "other", op.ID, time.Hour); !errors.Is(err, ErrForeign) {
			t.Errorf("another tenant: %v", err)
		}
		s.onceEach(8, "Carol")
	})
}
