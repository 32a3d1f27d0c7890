package sandbox

import "time"

// task is work that becomes visible at a later time. Its function runs with
// Sandbox.mu held and is given the time at which it was due, so that one long
// step of the clock has the same effect as many short ones.
type task struct {
	due time.Time
	run func(at time.Time)
}

// Now is the sandbox's present time: the clock underneath, or the time at which
// it was frozen, plus every advance so far.
func (s *Sandbox) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// Advance moves the clock forward, frozen or not, and lets everything happen
// that becomes due on the way.
func (s *Sandbox) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
	s.settle()
}

// Freeze stops the clock or lets it run on from where it stopped.
func (s *Sandbox) Freeze(frozen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case frozen && !s.frozen:
		s.frozenAt = s.opts.Now()
	case !frozen && s.frozen:
		s.offset -= s.opts.Now().Sub(s.frozenAt)
	}
	s.frozen = frozen
}

func (s *Sandbox) now() time.Time {
	base := s.frozenAt
	if !s.frozen {
		base = s.opts.Now()
	}
	return base.Add(s.offset).UTC()
}

// later queues work for one StepTime after at.
func (s *Sandbox) later(at time.Time, run func(at time.Time)) {
	s.queue = append(s.queue, task{due: at.Add(s.opts.StepTime), run: run})
}

// settle runs all queued work that is due, oldest first, and returns the
// present time.
func (s *Sandbox) settle() time.Time {
	now := s.now()
	for {
		first := -1
		for i, t := range s.queue {
			if !t.due.After(now) && (first < 0 || t.due.Before(s.queue[first].due)) {
				first = i
			}
		}
		if first < 0 {
			return now
		}
		t := s.queue[first]
		s.queue = append(s.queue[:first], s.queue[first+1:]...)
		t.run(t.due)
	}
}

// parisClock shifts a time by the offset of Central European time. The recorded
// created_at values are one hour (winter) or two hours (summer) later than the
// registry's, although marked as UTC.
func parisClock(t time.Time) time.Time {
	t = t.UTC()
	start := lastSunday(t.Year(), time.March)
	end := lastSunday(t.Year(), time.October)
	if !t.Before(start) && t.Before(end) {
		return t.Add(2 * time.Hour)
	}
	return t.Add(time.Hour)
}

// lastSunday is 01:00 UTC of a month's last Sunday, when European summer time
// begins or ends.
func lastSunday(year int, month time.Month) time.Time {
	t := time.Date(year, month+1, 0, 1, 0, 0, 0, time.UTC)
	return t.AddDate(0, 0, -int(t.Weekday()))
}

// stamp is the date form of v5: UTC to the second, with a Z.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
