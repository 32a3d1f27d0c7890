package v5

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A list is read to the number of items that v5 tells, whatever a page holds, and
// without that number to the first page that is not full.
func TestListsAreReadToTheirEnd(t *testing.T) {
	pageOf := func(n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`{"source":"a","destinations":["b@example.org"]},`, n), ",") + "]"
	}
	for name, c := range map[string]struct {
		script *script
		want   int
		asked  int
	}{
		"one page":             {&script{steps: steps(says(200, pageOf(3)))}, 3, 1},
		"short pages":          {&script{steps: steps(says(200, pageOf(50), "Total-Count: 120"), says(200, pageOf(50), "Total-Count: 120"), says(200, pageOf(20), "Total-Count: 120"))}, 120, 3},
		"full pages, no total": {&script{steps: steps(says(200, pageOf(100)), says(200, pageOf(1)))}, 101, 2},
		"a total that is less": {&script{steps: steps(says(200, pageOf(2), "Total-Count: 9"), says(200, "[]", "Total-Count: 9"))}, 2, 2},
		"nothing":              {&script{steps: steps(says(200, "[]"))}, 0, 1},
	} {
		s := open(t, Options{BaseURL: "https://h/v5", Transport: c.script})
		got, err := s.Forwards(t.Context(), "a.com")
		if err != nil || len(got) != c.want || c.script.count() != c.asked {
			t.Errorf("%s: %d items in %d requests, %v", name, len(got), c.script.count(), err)
		}
		if q := c.script.sent[c.asked-1].URL.RawQuery; !strings.Contains(q, "page="+string(rune('0'+c.asked))) {
			t.Errorf("%s: last query %s", name, q)
		}
	}
}

// Purchases are sent once, whatever becomes of them, and not at all without a
// term.
func TestMailPurchasesAreSentOnce(t *testing.T) {
	for name, order := range map[string]func(context.Context, *Session, bool) error{
		"slot": func(ctx context.Context, s *Session, whole bool) error {
			o := SlotOrder{MailboxType: "standard_2023"}
			if whole {
				o.Duration = 12
			}
			return s.BuySlot(ctx, "a.com", o)
		},
		"renewal": func(ctx context.Context, s *Session, whole bool) error {
			months := 3
			if whole {
				months = 12
			}
			return s.RenewMailbox(ctx, "a.com", "bob@a.com", months)
		},
	} {
		sc := &script{steps: steps(says(503, "<html>no</html>"), says(202, `{"message":"taken"}`))}
		s := open(t, Options{BaseURL: "https://h/v5", Transport: sc})
		if e := asError(t, order(t.Context(), s, false)); e.MaybeSent || sc.count() != 0 {
			t.Errorf("%s without a term: %v", name, e)
		}
		if e := asError(t, order(t.Context(), s, true)); e.DefiniteNo() || sc.count() != 1 {
			t.Errorf("%s: %d requests, %v", name, sc.count(), e)
		}
		if q := sc.sent[0].URL.Query().Get("sharing_id"); q != sharing {
			t.Errorf("%s is paid by %q", name, q)
		}
	}
}

func TestResponderIsActiveBetweenItsTimes(t *testing.T) {
	now := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	before, after := now.Add(-time.Second), now.Add(time.Second)
	for _, c := range []struct {
		r    *Responder
		want bool
	}{
		{nil, false}, {&Responder{}, false}, {&Responder{Enabled: true}, true},
		{&Responder{Enabled: true, StartsAt: &now}, true}, {&Responder{Enabled: true, StartsAt: &after}, false},
		{&Responder{Enabled: true, EndsAt: &now}, false}, {&Responder{Enabled: true, StartsAt: &before, EndsAt: &after}, true},
	} {
		if got := c.r.Active(now); got != c.want {
			t.Errorf("%+v: %t", c.r, got)
		}
	}
}

func steps(all ...func(*http.Request) (*http.Response, error)) []func(*http.Request) (*http.Response, error) {
	return all
}
