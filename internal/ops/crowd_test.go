package ops

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

// crowd is a number of old operations and what v5 says of them: RUN, each
// answer after a tenth of a second.
type crowd struct {
	mu    sync.Mutex
	looks map[string]int
}

func newCrowd(r *rig, n int, state State) *crowd {
	c := &crowd{looks: map[string]int{}}
	r.must(r.db.Update(func(tx *store.Tx) error {
		for i := range n {
			op := Operation{
				ID: int64(1 + i), Tenant: tenantA, Type: "domain_create", Kind: KindCreate, Step: Run, State: state,
				FQDN: fmt.Sprintf("old%d.com", i), Created: time.Now().Add(-48 * time.Hour), Started: time.Now().Add(-48 * time.Hour),
				Baseline: []byte("null"), Request: createIntent("old.com").Request,
			}
			if state == Unknown {
				op.UnknownSince, op.Started, op.Sends = time.Now(), time.Time{}, 1
			}
			if err := put(tx, &op, true); err != nil {
				return err
			}
		}
		return nil
	}))
	v5 := r.wire.handler
	r.wire.handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		time.Sleep(100 * time.Millisecond)
		name, old := strings.CutPrefix(q.URL.Path, "/v5/domain/domains/old")
		switch {
		case !old:
			v5.ServeHTTP(w, q)
		case strings.HasSuffix(name, "/createstatus"):
			c.mu.Lock()
			c.looks[name]++
			c.mu.Unlock()
			fmt.Fprint(w, `{"step":"RUN","step_nb":3}`)
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"code":404}`)
		}
	})
	r.restart()
	return c
}

// seen tells how many looks there were, and at how many operations.
func (c *crowd) seen() (looks, operations int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.looks {
		looks += n
	}
	return looks, len(c.looks)
}

// A crowd that is only watched leaves v5's rate limit to callers.
func TestACrowdIsWatchedAtAPace(t *testing.T) {
	bubble(t, sandbox.Options{}, func(r *rig) {
		c := newCrowd(r, 2_000, Accepted)
		r.e.Start()
		time.Sleep(2 * time.Minute)
		if looks, _ := c.seen(); looks < 200 || looks > 250 {
			t.Errorf("%d looks in 2 minutes", looks)
		}
	})
	bubble(t, sandbox.Options{}, func(r *rig) { // and nobody is forgotten
		c := newCrowd(r, 700, Accepted)
		r.e.Start()
		time.Sleep(6 * time.Minute)
		if _, operations := c.seen(); operations != 700 {
			t.Errorf("%d of 700 looked at in 6 minutes", operations)
		}
		time.Sleep(6 * time.Minute)
		if looks, _ := c.seen(); looks < 1300 || looks > 1500 {
			t.Errorf("%d looks in 12 minutes", looks)
		}
	})
}

// Neither a crowd that is watched nor one that is to be decided at once keeps a
// new operation waiting.
func TestACrowdDoesNotKeepTheNewWaiting(t *testing.T) {
	for _, state := range []State{Accepted, Unknown} {
		t.Run(string(state), func(t *testing.T) {
			bubble(t, sandbox.Options{}, func(r *rig) {
				newCrowd(r, 1_500, state)
				r.e.Start()
				time.Sleep(10 * time.Second)
				op := r.submitted(createIntent(fqdn))
				time.Sleep(6 * time.Second)
				r.check(op.ID, end{Done, Accepted, "", 1, 1})
			})
		})
	}
}
