package v5

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

type step = func(*http.Request) (*http.Response, error)

// unsent fails as a transport does that got no connection.
func unsent(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GetConn("h:443")
	return nil, errors.New("dial: refused")
}

// gone fails as a transport does that lost its connection.
func gone(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GetConn("h:443")
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	return nil, io.ErrUnexpectedEOF
}

// cut answers 200 and breaks off.
func cut(*http.Request) (*http.Response, error) {
	body := io.MultiReader(strings.NewReader(`{"fqdn":`), iotest.ErrReader(io.ErrUnexpectedEOF))
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body)}, nil
}

func TestReadsAreTriedAgain(t *testing.T) {
	ok := says(200, example)
	for _, tc := range []struct {
		name   string
		steps  []step
		sent   int
		status int // of the error; -1 for none
		least  time.Duration
		most   time.Duration
	}{
		{"at once", []step{ok}, 1, -1, 0, 0},
		{"429 with a time", []step{says(429, "", "Retry-After: 3"), ok}, 2, -1, 3 * time.Second, 3*time.Second + firstBackoff},
		{"429 without", []step{says(429, ""), ok}, 2, -1, unsaidPause, unsaidPause},
		{"503 with a time", []step{says(503, "", "Retry-After: 2"), ok}, 2, -1, 2 * time.Second, 2*time.Second + firstBackoff},
		{"5xx and network", []step{says(502, "<html>"), gone, cut, ok}, 4, -1, 0, 7 * firstBackoff},
		{"no connection", []step{unsent, ok}, 2, -1, 0, firstBackoff},
		{"too often", []step{says(500, ""), says(500, ""), says(500, ""), says(503, ""), ok}, 4, 503, 0, 7 * firstBackoff},
		{"a time beyond the budget", []step{says(429, "", "Retry-After: 25"), ok}, 1, 429, 0, 0},
		{"budget used up", []step{says(503, "", "Retry-After: 12"), says(503, "", "Retry-After: 12"), ok}, 2, 503, 12 * time.Second, 12*time.Second + firstBackoff},
		{"404", []step{says(404, `{"code":404}`), ok}, 1, 404, 0, 0},
		{"HTML 403", []step{says(403, "<html>"), ok}, 1, 403, 0, 0},
		{"undecodable", []step{says(200, "{"), ok}, 1, 200, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := &script{steps: tc.steps}
				s := open(t, Options{BaseURL: "https://h", Transport: rt})
				start := time.Now()
				_, err := s.Domain(t.Context(), "example.com")
				if took := time.Since(start); took < tc.least || took > tc.most {
					t.Errorf("took %s, want %s to %s", took, tc.least, tc.most)
				}
				if rt.count() != tc.sent {
					t.Errorf("%d requests, want %d", rt.count(), tc.sent)
				}
				if tc.status < 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if e := asError(t, err); e.Status != tc.status || !e.MaybeSent {
					t.Errorf("error %+v, want status %d", e, tc.status)
				}
			})
		})
	}
}

func TestOrdersAreSentOnce(t *testing.T) {
	for name, first := range map[string]step{
		"429": says(429, "", "Retry-After: 1"), "503": says(503, "", "Retry-After: 1"), "gone": gone, "unsent": unsent, "cut": cut, "redirect": says(307, "", "Location: /x"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, call := range []func(*Session) error{
					func(s *Session) error { return s.CreateDomain(t.Context(), creation) },
					func(s *Session) error { return s.DryRunCreateDomain(t.Context(), creation) },
					func(s *Session) error { return s.ChangeOwner(t.Context(), "d", ChangeOwner{Owner: owner}) },
					func(s *Session) error { return s.DryRunChangeOwner(t.Context(), "d", ChangeOwner{Owner: owner}) },
					func(s *Session) error { return s.Renew(t.Context(), "d", 1) },
					func(s *Session) error { return s.DryRunRenew(t.Context(), "d", 1) },
					func(s *Session) error { return s.Restore(t.Context(), "d") },
					func(s *Session) error { return s.TransferIn(t.Context(), TransferIn{FQDN: "d", Owner: owner}) },
					func(s *Session) error { return s.DryRunTransferIn(t.Context(), TransferIn{FQDN: "d", Owner: owner}) },
				} {
					rt := &script{steps: []step{first, says(202, "")}}
					s := open(t, Options{BaseURL: "https://h", Transport: rt})
					start := time.Now()
					e := asError(t, call(s))
					if rt.count() != 1 || time.Since(start) != 0 {
						t.Errorf("%d requests in %s", rt.count(), time.Since(start))
					}
					if e.MaybeSent == (name == "unsent") || e.DefiniteNo() != (name == "unsent" || name == "429") {
						t.Errorf("%+v", e)
					}
					if name == "429" && e.RetryAfter != time.Second {
						t.Errorf("RetryAfter %s", e.RetryAfter)
					}
				}
			})
		})
	}
}

func TestOnceIsSentAgainOnlyWhenNothingHappened(t *testing.T) {
	accepted := says(202, "")
	for _, tc := range []struct {
		name  string
		steps []step
		sent  int
		ok    bool
		no    bool
	}{
		{"429", []step{says(429, ""), accepted}, 2, true, false},
		{"unsent", []step{unsent, unsent, accepted}, 3, true, false},
		{"503", []step{says(503, ""), accepted}, 1, false, false},
		{"gone", []step{gone, accepted}, 1, false, false},
		{"429, then gone", []step{says(429, ""), gone, accepted}, 2, false, false},
		{"429, then unsent", []step{says(429, ""), unsent, unsent, unsent}, 4, false, true},
		{"unsent, then 400", []step{unsent, says(400, `{"code":400}`)}, 2, false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, call := range []func(*Session) error{
					func(s *Session) error { return s.SetContacts(t.Context(), "d", Contacts{Admin: owner}) },
					func(s *Session) error { return s.RelaunchTransfer(t.Context(), "d") },
					func(s *Session) error { return s.SetTransferAuthInfo(t.Context(), "d", "a code") },
				} {
					rt := &script{steps: tc.steps}
					err := call(open(t, Options{BaseURL: "https://h", Transport: rt}))
					if rt.count() != tc.sent || (err == nil) != tc.ok {
						t.Errorf("%d requests, error %v", rt.count(), err)
					}
					if err != nil && asError(t, err).DefiniteNo() != tc.no {
						t.Errorf("error %+v", err)
					}
				}
			})
		})
	}
}

func TestClasses(t *testing.T) {
	failures := []*failure{
		{Error: &Error{Status: 429, MaybeSent: true}},
		{Error: &Error{Status: 500, MaybeSent: true}},
		{Error: &Error{MaybeSent: true}, network: true},
		{Error: &Error{}, network: true},
		{Error: &Error{Status: 404, MaybeSent: true}},
		{Error: &Error{Err: context.Canceled}},
	}
	for class, want := range map[Class][]bool{
		Read:       {true, true, true, true, false, false},
		Idempotent: {true, true, true, true, false, false},
		Once:       {true, false, false, true, false, false},
		Paid:       {false, false, false, false, false, false},
		Class(9):   {false, false, false, false, false, false},
	} {
		for i, f := range failures {
			if got := class.again(f); got != want[i] {
				t.Errorf("%s after %+v: %v", class, f.Error, got)
			}
		}
	}
}

// A definite no to the last attempt is none to the call when an earlier attempt
// may have been carried out: a 409 may be its effect.
func TestEarlierAttemptsCount(t *testing.T) {
	lost := &Error{MaybeSent: true, Err: io.EOF}
	refusal := &Error{Status: 409, IsJSON: true, MaybeSent: true}
	notSent := &Error{Err: io.ErrClosedPipe}
	busy := &Error{Status: 429, MaybeSent: true}
	for _, tc := range []struct {
		before, last *Error
		class        Class
		no           bool
		status       int
	}{
		{nil, refusal, Idempotent, true, 409},
		{lost, refusal, Idempotent, false, 409},
		{lost, refusal, Read, true, 409},
		{busy, refusal, Idempotent, true, 409},
		{lost, notSent, Idempotent, false, 0},
		{lost, busy, Idempotent, false, 429},
		{busy, notSent, Once, true, 429},
		{notSent, busy, Once, true, 429},
		{&Error{Status: 429, MaybeSent: true, Unclear: true}, refusal, Idempotent, false, 409},
	} {
		sum := tc.last.after(tc.before, tc.class)
		if sum.DefiniteNo() != tc.no || sum.Status != tc.status || (!sum.MaybeSent && tc.before != nil) {
			t.Errorf("%+v after %+v: %+v", tc.last, tc.before, sum)
		}
	}
	if refusal.Unclear || lost.Err != io.EOF || busy.Err != nil {
		t.Error("an attempt's own error was changed")
	}
}

func TestContextBoundsRetries(t *testing.T) {
	t.Run("deadline before the next attempt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rt := &script{steps: []step{says(503, "", "Retry-After: 5"), says(200, example)}}
			s := open(t, Options{BaseURL: "https://h", Transport: rt})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			start := time.Now()
			_, err := s.Domain(ctx, "example.com")
			if e := asError(t, err); e.Status != 503 || time.Since(start) != 0 || rt.count() != 1 {
				t.Errorf("%+v after %s", e, time.Since(start))
			}
		})
	})
	t.Run("cancelled while waiting", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rt := &script{steps: []step{says(503, "", "Retry-After: 5"), says(200, example)}}
			s := open(t, Options{BaseURL: "https://h", Transport: rt})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			_, err := s.Domain(ctx, "example.com")
			if e := asError(t, err); e.Status != 503 || !errors.Is(err, context.Canceled) || rt.count() != 1 {
				t.Errorf("%+v", e)
			}
		})
	})
	t.Run("an attempt that never ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			hang := func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			rt := &script{steps: []step{hang, says(200, example)}}
			s := open(t, Options{BaseURL: "https://h", Transport: rt})
			if _, err := s.Domain(t.Context(), "example.com"); err != nil || rt.count() != 2 {
				t.Errorf("%d requests, %v", rt.count(), err)
			}
		})
	})
}
