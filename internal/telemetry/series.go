package telemetry

import (
	"sync/atomic"
	"time"
)

// Span is how far back a reading of Activity goes.
type Span int

// The two spans that are kept: the last hour by minutes, the last day by half
// hours.
const (
	Hour Span = iota
	Day
)

const (
	hourSteps, hourStep = 60, time.Minute
	daySteps, dayStep   = 48, 30 * time.Minute
)

// Step is the time that one count of a reading stands for.
func (s Span) Step() time.Duration {
	if s == Day {
		return dayStep
	}
	return hourStep
}

// Steps is how many counts a reading has.
func (s Span) Steps() int {
	if s == Day {
		return daySteps
	}
	return hourSteps
}

// tally counts what happened in one step of time. The upper 24 bits say which
// step, so that one word holds both and the place is taken over from a step that
// is long past without a lock. Steps are told apart for 31 years, and 40 bits
// count a trillion in each.
type tally struct{ word atomic.Uint64 }

const tallyBits = 40

func (t *tally) add(step, n uint64) {
	mark := step << tallyBits
	for {
		old := t.word.Load()
		next := old + n
		if old>>tallyBits != mark>>tallyBits {
			next = mark | n
		}
		if t.word.CompareAndSwap(old, next) {
			return
		}
	}
}

// of is the count, 0 when what stands here is of another step.
func (t *tally) of(step uint64) uint64 {
	word := t.word.Load()
	if word>>tallyBits != step<<tallyBits>>tallyBits {
		return 0
	}
	return word & (1<<tallyBits - 1)
}

// series counts events over time in two rings of fixed size.
type series struct {
	hour [hourSteps]tally
	day  [daySteps]tally
}

func stepOf(at time.Time, step time.Duration) uint64 {
	return uint64(at.Unix()) / uint64(step/time.Second)
}

func (s *series) add(at time.Time, n uint64) {
	step := stepOf(at, hourStep)
	s.hour[step%hourSteps].add(step, n)
	step = stepOf(at, dayStep)
	s.day[step%daySteps].add(step, n)
}

// read gives the counts of a span, the oldest first. The last one is of the step
// that now is in, which is not over.
func (s *series) read(span Span, now time.Time) []uint64 {
	ring := s.hour[:]
	if span == Day {
		ring = s.day[:]
	}
	last, n := stepOf(now, span.Step()), uint64(len(ring))
	counts := make([]uint64, n)
	for i := range n {
		step := last - (n - 1 - i)
		counts[i] = ring[step%n].of(step)
	}
	return counts
}
