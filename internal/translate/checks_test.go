package translate

import (
	"context"
	"fmt"
	"testing"
	"time"

	"v3gate/internal/v5"
)

// What keeps v5 from being asked is no word on the name, and is asked again.
func TestAvailabilityOfWhatFailed(t *testing.T) {
	sold := func(process, status string) *v5.Check {
		return &v5.Check{Products: []v5.Product{{Process: "renew", Status: "unavailable"}, {Process: process, Status: status}}}
	}
	for _, c := range []struct {
		check *v5.Check
		err   error
		want  string
		fails bool
	}{
		{nil, &v5.Error{Err: fmt.Errorf("%w: 10000", v5.ErrQueueFull)}, "pending", false},
		{nil, &v5.Error{Err: context.DeadlineExceeded}, "pending", false},
		{nil, &v5.Error{Status: 429, IsJSON: true, MaybeSent: true}, "pending", false},
		{nil, &v5.Error{Err: v5.ErrOpen}, "error_timeout", false},
		{nil, &v5.Error{Status: 502, MaybeSent: true}, "error_timeout", false},
		{nil, &v5.Error{Status: 400, IsJSON: true, MaybeSent: true}, "error_invalid", false},
		{nil, &v5.Error{Status: 401, IsJSON: true, MaybeSent: true}, "", true},
		{nil, &v5.Error{Status: 403, IsJSON: true, MaybeSent: true}, "", true},
		{sold("create", "available"), nil, "available", false},
		{sold("", "reserved_corporate"), nil, "reserved_corporate", false},
		{sold("transfer", "available"), nil, "unavailable", false},
		{&v5.Check{}, nil, "unavailable", false},
	} {
		if got, err := availability(c.check, c.err); got != c.want || (err != nil) != c.fails {
			t.Errorf("%v, %v: %q, %v", c.check, c.err, got, err)
		}
	}
}

// What is kept of a tenant's answers is bounded in number and in time, whatever the
// clock does, and the newest stay.
func TestKeptAnswersAreBounded(t *testing.T) {
	var k checks
	one := k.of("a")
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	name := func(i int) question { return question{fqdn: fmt.Sprintf("n%d.com", i)} }
	for i := range 3 * mostAnswers {
		one.keep(&answer{question: name(i), status: "available", at: now})
	}
	if len(one.known) != mostAnswers || len(one.order) != mostAnswers || one.known[name(3*mostAnswers-1)] == nil {
		t.Errorf("%d known, %d in order", len(one.known), len(one.order))
	}
	k.forget(name(3*mostAnswers - 1).fqdn)
	if one.known[name(3*mostAnswers-1)] != nil || len(one.known) != mostAnswers-1 {
		t.Error("what was bought is known")
	}
	one.expire(now.Add(answerLasts - 1))
	if len(one.known) != mostAnswers-1 {
		t.Errorf("%d known before their time is up", len(one.known))
	}
	one.expire(now.Add(answerLasts))
	if len(one.known) != 0 || len(one.order) != 0 {
		t.Errorf("%d known after it", len(one.known))
	}
	one.keep(&answer{question: name(1), status: "available", at: now})
	if one.expire(now.Add(-time.Second)); len(one.known) != 0 {
		t.Error("an answer from the future is known")
	}
}

// An answer that comes after its name was bought is given and not kept.
func TestAnAnswerThatWasOvertaken(t *testing.T) {
	var k checks
	one := k.of("a")
	q := question{fqdn: "free.com"}
	open := &check{told: make(chan struct{}), status: pending}
	one.open[q] = open
	k.forget("free.com")
	if !open.stale {
		t.Error("a check under way is kept")
	}
}
