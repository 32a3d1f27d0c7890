package translate

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"v3gate/internal/v5"
)

// checks finds out which names can be had. v5 tells of one name a request, perhaps
// after a while, so a check is not its caller's: it goes on when that one leaves
// with "pending", and the next who asks has the answer.
//
// An answer is for domain.available alone. What buys asks v5 itself.
type checks struct {
	mu      sync.Mutex
	tenants map[string]*inquiry
	closed  bool
	ctx     context.Context // of all checks; nil before the first
	cancel  context.CancelFunc
	work    sync.WaitGroup
}

const (
	// checksAtOnce bounds a tenant's requests under way, and mostChecks the names
	// that it can have open, two full lists: further ones are pending and not asked.
	checksAtOnce = 16
	mostChecks   = 2 * mostNames
	// answerLasts is how long an answer is good: v5's 1000 requests a minute answer
	// a full list in half of that, so that who polls has it whole in the end.
	answerLasts = time.Minute
	// mostAnswers bounds what is kept of a tenant's.
	mostAnswers = 4 * mostNames
	// checkFor bounds a check, with its waits for a turn, and requestFor one request:
	// v5 may hang on a name.
	checkFor   = 2 * time.Minute
	requestFor = 30 * time.Second
	// mostAgain bounds how often v5 is asked again about what it calls pending: after
	// firstRest, since clients poll after 0.7 s, then twice that, and never more than
	// lastRest. That is about a minute.
	mostAgain = 9
	firstRest = 500 * time.Millisecond
	lastRest  = 10 * time.Second
)

const pending = "pending"

// question is what v5 is asked.
type question struct{ fqdn, lang, period string }

// inquiry is all that a tenant asks, or has asked lately.
type inquiry struct {
	slots chan struct{}
	open  map[question]*check
	known map[question]*answer
	order []*answer // the oldest first; some are no longer known
}

// check is a question under way. Its fields are checks.mu's but for told.
type check struct {
	told    chan struct{} // closed with the first word, be it pending
	heard   bool          // it is closed
	waiting int           // callers
	stale   bool          // what is answered is not to be kept
	status  string
	err     error // what no name is to blame for
}

// answer is a word on a name, and since when it is known.
type answer struct {
	question
	status string
	at     time.Time
}

// ask gives the check of a question: one that is under way, one that is answered,
// or a new one. The caller must leave it.
func (k *checks) ask(c *Call, q question) *check {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.of(c.Tenant.Name)
	t.expire(c.Now())
	known, open := t.known[q], t.open[q]
	switch {
	case known != nil:
		return heard(known.status)
	case open == nil && (k.closed || len(t.open) >= mostChecks):
		return heard(pending)
	case open == nil:
		open = &check{told: make(chan struct{}), status: pending}
		t.open[q] = open
		if k.ctx == nil {
			k.ctx, k.cancel = context.WithCancel(context.Background())
		}
		k.work.Go(func() { k.find(t, open, q, c.V5, c.Now) })
	}
	open.waiting++
	return open
}

// heard is a check that is at its end.
func heard(status string) *check {
	told := make(chan struct{})
	close(told)
	return &check{told: told, heard: true, waiting: 1, status: status}
}

// leave gives what a check has come to.
func (k *checks) leave(open *check) (status string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	open.waiting--
	return open.status, open.err
}

// of finds a tenant's; k.mu is held.
func (k *checks) of(tenant string) *inquiry {
	t := k.tenants[tenant]
	if t == nil {
		t = &inquiry{slots: make(chan struct{}, checksAtOnce), open: map[question]*check{}, known: map[question]*answer{}}
		if k.tenants == nil {
			k.tenants = map[string]*inquiry{}
		}
		k.tenants[tenant] = t
	}
	return t
}

// find asks v5 until it has decided, or for long enough.
func (k *checks) find(t *inquiry, open *check, q question, s *v5.Session, now func() time.Time) {
	ctx, cancel := context.WithTimeout(k.ctx, checkFor)
	defer cancel()
	status, err := pending, error(nil)
	for n := 0; status == pending && err == nil && n <= mostAgain && ctx.Err() == nil; n++ {
		if n > 0 {
			rest(ctx, min(firstRest<<(n-1), lastRest))
		}
		if status, err = k.once(ctx, t, open, q, s); status == pending {
			k.say(open)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(t.open, q)
	open.status, open.err = status, err
	if err == nil && !open.stale && lasting(status) {
		t.keep(&answer{question: q, status: status, at: now()})
	}
	open.tell()
}

// once is one request, or none when ctx ends before its turn.
func (k *checks) once(ctx context.Context, t *inquiry, open *check, q question, s *v5.Session) (status string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("check %s: panic with %T: %s", q.fqdn, p, debug.Stack())
		}
	}()
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	case <-ctx.Done():
		return pending, nil
	}
	request, cancel := context.WithTimeout(ctx, requestFor)
	defer cancel()
	if k.alone(open) {
		request = v5.Background(request)
	}
	check, err := s.Check(request, v5.CheckQuery{Name: q.fqdn, Lang: q.lang, Period: q.period})
	if ctx.Err() != nil {
		return pending, nil
	}
	return availability(check, err)
}

// rest returns after d, or when ctx ends.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// alone tells a check that nobody waits for.
func (k *checks) alone(open *check) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return open.waiting == 0
}

// say lets those who wait leave with what there is.
func (k *checks) say(open *check) {
	k.mu.Lock()
	defer k.mu.Unlock()
	open.tell()
}

func (open *check) tell() {
	if !open.heard {
		open.heard = true
		close(open.told)
	}
}

// lasting tells the words that are about the name and not about the moment.
func lasting(status string) bool {
	switch status {
	case pending, "error_timeout", "error_unknown", "error_ratelimited":
		return false
	}
	return true
}

// keep remembers an answer, in the place of the oldest one where there are too
// many.
func (t *inquiry) keep(a *answer) {
	t.known[a.question] = a
	t.order = append(t.order, a)
	if len(t.order) > mostAnswers {
		t.drop()
	}
}

// expire forgets what is too old, or from a future that was taken back.
func (t *inquiry) expire(now time.Time) {
	for len(t.order) > 0 {
		if age := now.Sub(t.order[0].at); 0 <= age && age < answerLasts {
			return
		}
		t.drop()
	}
}

func (t *inquiry) drop() {
	oldest := t.order[0]
	t.order = t.order[1:]
	if t.known[oldest.question] == oldest {
		delete(t.known, oldest.question)
	}
}

// forget drops all that is known of a name that somebody is buying.
func (k *checks) forget(fqdn string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.tenants {
		for q := range t.known {
			if q.fqdn == fqdn {
				delete(t.known, q)
			}
		}
		for q, open := range t.open {
			open.stale = open.stale || q.fqdn == fqdn
		}
	}
}

// close ends all checks and waits for them.
func (k *checks) close() {
	k.mu.Lock()
	k.closed = true
	if k.cancel != nil {
		k.cancel()
	}
	k.mu.Unlock()
	k.work.Wait()
}

// availability is v3's word for what v5 answered about one name. The words are
// the same in both; a name that one request could not tell about does not spoil
// the others, but a refused credential does.
func availability(check *v5.Check, err error) (string, error) {
	var e *v5.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, v5.ErrQueueFull):
		return pending, nil
	case errors.As(err, &e) && (e.Status == 401 || e.Status == 403):
		return "", err
	case errors.As(err, &e) && e.Status == 429:
		return pending, nil
	case errors.As(err, &e) && e.IsJSON && e.Status >= 400 && e.Status < 500:
		return "error_invalid", nil
	case err != nil:
		return "error_timeout", nil
	}
	for _, p := range check.Products {
		if p.Process == "create" || p.Process == "" {
			return p.Status, nil
		}
	}
	return "unavailable", nil // v5 sells nothing under that name
}
