package ops

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// try is one try of an item, as it is written down.
type try struct {
	op    Operation
	item  Item
	send  bool // it is to be sent; else tried is all that became of it
	doubt bool // nobody knows what became of its last send
	look  bool // it is not to be sent again yet
	tried tried
}

// beginItem writes an item's try down and lets it go on by itself. It has a slot,
// which it gives back.
func (e *Engine) beginItem(l *worklist, n int64) error {
	free := func() { <-e.slots }
	session, err := e.opt.Session(l.tenant)
	if err != nil {
		free()
		return err
	}
	b, err := e.markItem(l, n)
	if err != nil {
		free()
		return err
	}
	delete(l.waiting, n)
	if n == l.cursor {
		l.cursor++
	}
	if !b.send {
		free()
		return l.note(b.tried)
	}
	l.hand[n] = true
	go func() {
		t := tried{n: n}
		err := safely(func() (err error) {
			defer free()
			t, err = e.tryItem(&l.kind, session, &b)
			return err
		})
		t.n, t.err = n, err
		l.news <- t
	}()
	return nil
}

// markItem commits that an item's request is on its way, unless it is gone or no
// longer wanted.
func (e *Engine) markItem(l *worklist, n int64) (try, error) {
	now := e.opt.Now().UTC()
	return store.Committed(e.db, func(tx *store.Tx) (b try, err error) {
		op, err := load(tx, l.id)
		if err != nil || op.Step.AtEnd() {
			return b, err
		}
		it, err := loadItem(tx, l.id, n)
		if err != nil || it == nil || it.State.AtEnd() {
			return b, err
		}
		if it.Then != nil {
			it.succeed()
		}
		b.doubt = it.State == ItemSending
		it.Tries++
		if want := l.kind.WantItem; want != nil {
			err = safely(func() error { return want(tx, op, it) })
		}
		if b.send = err == nil; b.send {
			it.NotBefore = now.Add(e.opt.LookGap)
			b.look = b.doubt && it.Tries-it.Sent <= l.kind.Looks
			if it.State != ItemTaken && !b.look {
				it.State, it.Sent = ItemSending, it.Tries
			}
		} else {
			v := judge(err, b.doubt, false)
			if it.State == ItemTaken && !v.state.AtEnd() {
				v.state = ItemTaken
			}
			b.tried = it.settle(v, e.opt.LookGap, now)
		}
		b.op, b.item = *op, *it
		return b, putItem(tx, l.id, it)
	})
}

// tryItem makes one try of an item and commits what became of it.
func (e *Engine) tryItem(kind *Kind, s *v5.Session, b *try) (tried, error) {
	e.opt.At("item")
	ctx, cancel := context.WithTimeout(v5.Background(e.ctx), itemFor)
	defer cancel()
	v := e.attempt(ctx, kind, s, b)
	e.opt.At("item-sent")
	now := e.opt.Now().UTC()
	t, err := store.Committed(e.db, func(tx *store.Tx) (tried, error) {
		it, err := loadItem(tx, b.op.ID, b.item.N)
		if err != nil || it == nil || it.State.AtEnd() {
			return tried{}, err
		}
		if e.ctx.Err() != nil && !v.state.AtEnd() {
			// Cut by our own end, which is no try of v5.
			it.State, it.Tries = v.state, it.Tries-1
			return tried{}, putItem(tx, b.op.ID, it)
		}
		t := it.settle(v, e.opt.LookGap, now)
		if it.State == ItemDone && kind.DoneItem != nil {
			err = safely(func() error { return kind.DoneItem(tx, &b.op, &b.item) })
		}
		return t, errors.Join(err, putItem(tx, b.op.ID, it))
	})
	e.opt.At("item-outcome")
	return t, err
}

// attempt sends an item's request, unless v5 shows that an earlier one did the
// work.
func (e *Engine) attempt(ctx context.Context, kind *Kind, s *v5.Session, b *try) verdict {
	shown := func() (v verdict, decided bool) {
		done := false
		err := safely(func() (err error) {
			done, err = kind.ShownItem(ctx, s, &b.op, &b.item)
			return err
		})
		e.warn(b, err)
		return judge(err, true, false), done || err != nil
	}
	if b.item.State == ItemTaken {
		v, decided := shown()
		return v.ofTaken(decided, b.item.Tries)
	}
	inDoubt := b.doubt && kind.ShownItem != nil
	if inDoubt {
		if v, decided := shown(); decided {
			return v
		}
		if b.look {
			return verdict{state: ItemSending, text: "v5's answer got lost, and it does not show the change yet"}
		}
	}
	err := safely(func() error { return kind.DoItem(ctx, s, &b.op, &b.item) })
	e.warn(b, err)
	v := judge(err, b.doubt, true)
	if v.state == ItemFailed && inDoubt {
		// What v5 refuses may be the earlier request's effect.
		if v, decided := shown(); decided {
			return v
		}
	}
	if v.state == ItemDone && kind.AwaitItem {
		return verdict{state: ItemTaken}
	}
	return v
}

// mostLooks bounds how often v5 is asked for what it took. With the delays
// between them that is about ten minutes.
const mostLooks = 7

// ofTaken is the verdict on an item that v5 took, from that of a look: it is
// never sent again.
func (v verdict) ofTaken(decided bool, looks int) verdict {
	switch {
	case !decided && looks >= mostLooks:
		return verdict{state: ItemFailed, text: "v5 took the change and does not show it"}
	case !decided:
		return verdict{state: ItemTaken}
	case !v.state.AtEnd():
		v.state = ItemTaken
	}
	return v
}

// warn logs why an item was not done at once. Its last_error has v5's words only.
func (e *Engine) warn(b *try, err error) {
	if err != nil {
		e.opt.Log.Warn("item of a work list is not done", zap.Int64("operation", b.op.ID),
			zap.String("item", b.item.Name), zap.Int("tries", b.item.Tries), zap.Error(err))
	}
}

// verdict is what an error, or none, says about an item.
type verdict struct {
	// state is where it leaves the item: at its end, or to be tried again.
	state ItemState
	text  string
	doubt bool          // with ItemFailed: nobody knows whether it happened
	after time.Duration // v5 asked to wait so long
	hold  bool          // v5 did not look at the request, or not at any of the tenant's
}

// judge decides what an item's function came to. doubt tells that an earlier
// send may have had its effect, sent that the error is that of a send.
func judge(err error, doubt, sent bool) verdict {
	if err == nil {
		return verdict{state: ItemDone}
	}
	v := verdict{state: ItemTodo, text: "the gateway could not carry it out"}
	var skip *SkipError
	if errors.As(err, &skip) {
		return verdict{state: ItemSkipped, text: skip.Reason}
	}
	var lost *LostError
	if errors.As(err, &lost) {
		return verdict{state: ItemFailed, text: lost.Reason, doubt: true}
	}
	var later *LaterError
	if errors.As(err, &later) {
		v.text = later.Reason
	}
	if gone, ok := stale(err); ok {
		return verdict{state: ItemFailed, text: gone.Reason}
	}
	refused, unsent := false, false
	var answer *v5.Error
	switch {
	case errors.As(err, new(*v5.DryRunError)):
		v.text, refused = reason(err), true
	case errors.As(err, &answer):
		v.text, v.after = reason(err), answer.RetryAfter
		busy := answer.Status == http.StatusTooManyRequests || answer.Auth()
		unsent = answer.DefiniteNo() && (busy || !answer.MaybeSent)
		refused = answer.DefiniteNo() && !unsent
		v.hold = busy || unsent && (errors.Is(err, v5.ErrOpen) || errors.Is(err, v5.ErrQueueFull) || errors.Is(err, context.DeadlineExceeded))
	}
	switch {
	case refused && sent:
		v.state = ItemFailed
	case doubt || sent && !unsent:
		v.state = ItemSending
	}
	return v
}

// settle writes a verdict into an item. One whose request is replaced goes on
// with the new one, whatever became of the old.
func (it *Item) settle(v verdict, first time.Duration, now time.Time) tried {
	t := tried{n: it.N, hold: v.hold}
	state := v.state
	if state == ItemTaken && it.State != ItemTaken {
		it.Tries, it.Sent = 0, 0 // from now on they are looks
	}
	if !state.AtEnd() {
		t.after = max(delay(it.Tries, first), min(v.after, longestDelay))
		if it.Tries >= mostTries {
			state = ItemFailed
		}
	}
	switch {
	case it.Then != nil:
		it.succeed()
	case state.AtEnd():
		t.failed, it.Doubt = state == ItemFailed, v.doubt
		it.end(state, v.text)
		return t
	default:
		it.State, it.LastError = state, v.text
	}
	t.again, it.NotBefore = true, now.Add(t.after)
	return t
}

// delay is the time before another try, which grows with their number.
func delay(tries int, first time.Duration) time.Duration {
	return min(first<<(max(1, min(tries, mostTries))-1), longestDelay)
}
