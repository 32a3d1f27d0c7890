package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// Options sets an Engine up. The zero durations mean the defaults.
type Options struct {
	// Session gives the v5 session of a tenant; work outlives the call that
	// asked for it and is kept by the tenant's name.
	Session func(tenant string) (*v5.Session, error)
	// Settle writes what became true with a DONE operation, in its commit. It
	// may be run twice.
	Settle func(*store.Tx, *Operation) error

	Wait      time.Duration // how long Submit waits for v5's word: 4 s
	LookGap   time.Duration // least time between the two looks before a second send: 10 s
	GiveUp    time.Duration // how long an unknown outcome is looked for before SUPPORT: 1 h
	UnsentFor time.Duration // how long a call that cannot be sent is tried before ERROR: 10 min
	SettleFor time.Duration // how long an accepted unpaid change may stay invisible: 15 min
	FirstID   int64         // operation ids count from here: 1,000,000,000

	Now func() time.Time
	Log *zap.Logger

	DryRunIgnored func(op *Operation) // v5 took a Dry-Run for the real thing
	Undecided     func(op *Operation) // an operation went to SUPPORT with an unknown outcome

	// At is called at each point between two steps of the journal. Tests kill
	// the process there.
	At func(point string)
}

func (o *Options) defaults() {
	setDuration(&o.Wait, 4*time.Second)
	setDuration(&o.LookGap, 10*time.Second)
	setDuration(&o.GiveUp, time.Hour)
	setDuration(&o.UnsentFor, 10*time.Minute)
	setDuration(&o.SettleFor, 15*time.Minute)
	if o.FirstID == 0 {
		o.FirstID = 1_000_000_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.DryRunIgnored == nil {
		o.DryRunIgnored = func(*Operation) {}
	}
	if o.Undecided == nil {
		o.Undecided = func(*Operation) {}
	}
	if o.At == nil {
		o.At = func(string) {}
	}
}

func setDuration(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

// Engine carries operations out and follows them. New makes it usable; Start
// adds the background work.
type Engine struct {
	db    *store.DB
	opt   Options
	kinds map[string]Kind

	ctx    context.Context // of all v5 calls: not the caller's
	cancel context.CancelFunc
	turns  singleflight.Group
	work   sync.WaitGroup // turns in flight and the background loop
	wake   chan struct{}

	mu      sync.Mutex
	closed  bool
	counts  map[[2]string]int
	open    map[int64]time.Time // id -> created
	due     map[int64]time.Time // id -> next turn
	looked  map[int64]time.Time // id -> last look
	resumed map[int64]bool      // found in the store at the start, not yet looked at
}

// New reads the tally of what the store holds.
func New(db *store.DB, opt Options) (*Engine, error) {
	opt.defaults()
	e := &Engine{
		db: db, opt: opt, kinds: kinds(), wake: make(chan struct{}, 1),
		counts: map[[2]string]int{}, open: map[int64]time.Time{}, due: map[int64]time.Time{},
		looked: map[int64]time.Time{}, resumed: map[int64]bool{},
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	now := opt.Now()
	err := db.View(func(tx *store.Tx) error {
		return tx.Scan(store.OpsPrefix(), func(key, value []byte) error {
			var op Operation
			if err := json.Unmarshal(value, &op); err != nil {
				return fmt.Errorf("read operation %d: %w", store.TrailingID(key), err)
			}
			e.count("", &op)
			if !op.Step.AtEnd() {
				e.due[op.ID] = now
				e.resumed[op.ID] = true
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Start begins to move open operations in the background, those of an earlier
// process first.
func (e *Engine) Start() {
	e.work.Add(1)
	go e.reconcile()
}

// Close takes no new work, waits until ctx ends for turns in flight, then cuts
// them. What was cut is found in the journal by the next process.
func (e *Engine) Close(ctx context.Context) {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.poke()
	done := make(chan struct{})
	go func() { e.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
	e.cancel()
	<-done
}

// Submit journals an intent, sends it and waits a few seconds for v5's word.
// It gives:
//   - the operation, in BILL or WAIT or further on, when v5 took the call, when
//     it is still under way, or when the same call is open already;
//   - the operation in ERROR and v5's error when v5 definitely refused it;
//   - a *BusyError when another operation holds the name;
//   - a *v5.Error when v5 could not be read before anything was written.
//
// Once the intent is written the work goes on whether the caller waits or not.
func (e *Engine) Submit(ctx context.Context, in Intent) (Operation, error) {
	if in.Nothing {
		op, _, err := e.intend(in, nil)
		return op, err
	}
	kind, ok := e.kinds[in.Kind]
	if !ok {
		return Operation{}, fmt.Errorf("submit: no kind %q", in.Kind)
	}
	running, err := e.running(kind, in)
	if err != nil || running != nil {
		return deref(running), err
	}
	session, err := e.opt.Session(in.Tenant)
	if err != nil {
		return Operation{}, err
	}
	baseline, err := kind.Baseline(ctx, session, in.FQDN)
	if err != nil {
		return Operation{}, err
	}
	op, fresh, err := e.intend(in, baseline)
	if err != nil || !fresh {
		return op, err
	}
	e.opt.At("intended")
	return e.await(ctx, op)
}

func deref(op *Operation) Operation {
	if op == nil {
		return Operation{}
	}
	return *op
}

// running spares the baseline's reads when the name is held anyway. The guard
// that counts is the one taken inside intend's commit.
func (e *Engine) running(kind Kind, in Intent) (op *Operation, err error) {
	if !kind.Paid {
		return nil, nil
	}
	err = e.db.View(func(tx *store.Tx) error {
		op, err = held(tx, in)
		return err
	})
	return op, err
}

// await runs the first turn detached from the caller and waits for it, for the
// caller or for the set time, whichever ends first.
func (e *Engine) await(ctx context.Context, op Operation) (Operation, error) {
	first := e.turn(op.ID)
	timer := time.NewTimer(e.opt.Wait)
	defer timer.Stop()
	select {
	case r := <-first:
		return r.op, r.err
	case <-timer.C:
	case <-ctx.Done():
	}
	return e.Get(op.Tenant, op.ID)
}

// Refresh gives the operation after a look at v5, unless it is at its end or
// was looked at within the last second. Callers that ask at once share a look.
// When ctx ends first the stored state is given.
func (e *Engine) Refresh(ctx context.Context, tenant string, id int64) (Operation, error) {
	op, err := e.Get(tenant, id)
	if err != nil || op.Step.AtEnd() || !e.stale(id) {
		return op, err
	}
	select {
	case <-e.turn(id):
	case <-ctx.Done():
	}
	return e.Get(tenant, id)
}

func (e *Engine) stale(id int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.opt.Now().Sub(e.looked[id]) >= time.Second
}
