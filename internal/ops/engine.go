package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// Options sets an Engine up. The zero durations mean the defaults.
type Options struct {
	// Session gives the v5 session of a tenant; work outlives the call that
	// asked for it and is kept by the tenant's name.
	Session func(tenant string) (*v5.Session, error)
	// Kinds are those that know more than v5 and operations, by their names.
	Kinds map[string]Kind
	// Settle writes what became true with a DONE operation, in its commit; of a
	// purchase with a sequel, when that begins. It may be run twice.
	Settle func(*store.Tx, *Operation) error
	// Follow gives the work lists that a settled operation has made needed, each
	// with a name; they are written in that commit, after Settle. nil where nothing
	// follows. It may be run twice and must not write.
	Follow func(*store.Tx, *Operation) ([]Intent, error)

	Wait      time.Duration // how long Submit waits for v5's word: 4 s
	LookGap   time.Duration // least time between the two looks before a second send: 10 s
	GiveUp    time.Duration // how long an unknown outcome is looked for before SUPPORT: 1 h
	UnsentFor time.Duration // how long a call that cannot be sent is tried before ERROR: 10 min
	SettleFor time.Duration // how long an accepted unpaid change may stay invisible: 15 min
	FirstID   int64         // operation ids count from here: 1,000,000,000

	// SkipDryRun asks v5's Dry-Run about nothing, for a v5 that does not honour it.
	SkipDryRun bool

	Now func() time.Time
	Log *zap.Logger

	DryRunIgnored func(op *Operation) // v5 took a Dry-Run for the real thing
	Undecided     func(op *Operation) // an operation went to SUPPORT with an unknown outcome
	Overshoot     func(op *Operation) // more was done than an operation asked for

	// At is called at each point between two steps of the journal: intended,
	// dry-run, sending, sent, outcome; and of a work list: list, item, item-sent,
	// item-outcome, list-end. Tests kill the process there.
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
	if o.Overshoot == nil {
		o.Overshoot = func(*Operation) {}
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

	ctx    context.Context // of all v5 calls after the intent: not the caller's
	cancel context.CancelFunc
	work   sync.WaitGroup // turns in flight and the background loop
	wake   chan struct{}

	mu       sync.Mutex
	closed   bool
	counts   map[[2]string]int
	entering map[string]chan struct{} // fqdn -> closed when the next caller may enter
	turns    map[int64]*turn          // in flight
	lists    map[int64]*worklist      // at work
	slots    chan struct{}            // one for each of their items under way

	// What is known of open operations; their end takes them off.
	open   map[int64]Standing
	due    map[int64]time.Time // id -> next turn, unless one is in flight
	looked map[int64]time.Time // id -> last look
	absent map[int64]time.Time // id -> first of the looks that now prove absence
	unsent map[int64]bool      // INTENDED, and this process knows that nothing was sent
}

// New reads the tally of what the store holds.
func New(db *store.DB, opt Options) (*Engine, error) {
	opt.defaults()
	e := &Engine{
		db: db, opt: opt, kinds: kinds(), wake: make(chan struct{}, 1),
		counts: map[[2]string]int{}, entering: map[string]chan struct{}{}, turns: map[int64]*turn{},
		lists: map[int64]*worklist{}, slots: make(chan struct{}, itemsInAll),
		open: map[int64]Standing{}, due: map[int64]time.Time{},
		looked: map[int64]time.Time{}, absent: map[int64]time.Time{}, unsent: map[int64]bool{},
	}
	maps.Copy(e.kinds, opt.Kinds)
	e.ctx, e.cancel = context.WithCancel(context.Background())
	next := opt.Now()
	followed := next
	err := db.View(func(tx *store.Tx) error {
		return tx.Scan(store.OpsPrefix(), func(key, value []byte) error {
			var op Operation
			if err := json.Unmarshal(value, &op); err != nil {
				return fmt.Errorf("read operation %d: %w", store.TrailingID(key), err)
			}
			e.count("", &op)
			switch {
			case op.Step.AtEnd():
			case op.followed():
				e.due[op.ID] = followed
				followed = followed.Add(pace)
			default:
				e.due[op.ID] = next
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
	for _, l := range e.lists {
		l.poke()
	}
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

func (e *Engine) isClosed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}
