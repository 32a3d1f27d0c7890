package translate

import (
	"fmt"
	"testing"
	"time"
)

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
