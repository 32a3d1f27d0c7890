package ops

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

// While any request to v5 is under way, the store can be written: no
// transaction is open. In real time, since a bubble does not see locks.
func TestNoRequestIsMadeInsideATransaction(t *testing.T) {
	r := newRig(t, sandbox.Options{StepTime: time.Millisecond})
	r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn}}})
	r.opt.LookGap = time.Millisecond
	r.restart()
	requests := 0
	r.wire.during = func(q *http.Request) {
		requests++
		written := make(chan error, 1)
		go func() {
			written <- r.db.Update(func(tx *store.Tx) error { return tx.Put(store.Key("test"), nil) })
		}()
		select {
		case err := <-written:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			panic("a transaction is open during " + q.Method + " " + q.URL.Path)
		}
	}
	for _, in := range []Intent{createIntent("new.com"), ownerIntent("Carol"), contactsIntent("Dave")} {
		r.once("sending", func() { r.wire.fail(trouble{kind: "lose-before", method: "POST", real: true, times: 1}) })
		op := r.submitted(in)
		for deadline := time.Now().Add(20 * time.Second); op.Step != Done && time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
			turn := r.e.turn(op.ID)
			<-turn.done
			if op = turn.op; turn.err != nil {
				t.Fatal(turn.err)
			}
		}
		if op.Step != Done || op.Sends < 1 {
			t.Errorf("%s: %s, %d sends", in.Type, op.Step, op.Sends)
		}
	}
	if requests < 20 {
		t.Error(errors.New("hardly anything was asked"))
	}
}
