package store

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	modelWriters = 24
	modelUpdates = 120
)

var errMeant = errors.New("meant to fail")

// plan is one random update. It is drawn before the closure, which may be run
// more than once, and must do the same each time.
type plan struct {
	set    map[string]string // "" deletes
	amount int64
	end    int // how it ends: see run
}

func draw(r *rand.Rand, writer, n int) plan {
	p := plan{set: map[string]string{}, amount: int64(r.IntN(100)), end: r.IntN(10)}
	for range 1 + r.IntN(4) {
		k := string(Key("model", int64(writer), int64(r.IntN(20))))
		if p.set[k] = ""; r.IntN(3) > 0 {
			p.set[k] = fmt.Sprintf("%d:%d:%0*d", writer, n, r.IntN(600), 0)
		}
	}
	return p
}

// run writes what is planned, to the writer's own keys, to its own sum and to
// the sum and the counter of all.
func (p plan) run(tx *Tx, writer int) (int64, error) {
	if p.end == 0 {
		return 0, errMeant
	}
	for k, v := range p.set {
		err := tx.Delete([]byte(k))
		if v != "" {
			err = tx.Put([]byte(k), []byte(v))
		}
		if err != nil {
			return 0, err
		}
	}
	for _, key := range [][]byte{Key("all"), Key("sum", int64(writer))} {
		if err := PutID(tx, key, GetID(tx, key)+p.amount); err != nil {
			return 0, err
		}
	}
	id, err := tx.NextID("model", 1000)
	switch p.end {
	case 1:
		return id, errMeant
	case 2:
		panic(errMeant)
	}
	return id, err
}

// model is what one writer was told is in the store.
type model struct {
	keys   map[string]string
	sum    int64
	ids    []int64
	failed int // commits
}

func (m *model) write(db *DB, r *rand.Rand, writer int) error {
	for n := range modelUpdates {
		p := draw(r, writer, n)
		id, err := func() (id int64, err error) {
			defer func() {
				if recover() == errMeant {
					err = errMeant
				}
			}()
			return Committed(db, func(tx *Tx) (int64, error) { return p.run(tx, writer) })
		}()
		switch meant := p.end < 3; {
		case errors.Is(err, errFull):
			m.failed++
		case meant != errors.Is(err, errMeant), !meant && err != nil:
			return fmt.Errorf("update %d of writer %d, end %d: %v", n, writer, p.end, err)
		case err == nil:
			maps.Copy(m.keys, p.set)
			m.sum += p.amount
			m.ids = append(m.ids, id)
		}
	}
	return nil
}

var errFull = errors.New("no space left")

func TestRandomUpdatesEndAsTheModelSays(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var commits atomic.Int64
	db := open(t, BeforeCommit(func() error {
		if commits.Add(1)%17 == 0 {
			return errFull
		}
		return nil
	}))
	models := make([]model, modelWriters)
	var writers, reader sync.WaitGroup
	for w := range models {
		models[w].keys = map[string]string{}
		writers.Go(func() {
			if err := models[w].write(db, rand.New(rand.NewPCG(seed, uint64(w))), w); err != nil {
				t.Error(err)
			}
		})
	}
	stop := make(chan struct{})
	reader.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				sumsAgree(t, db)
			}
		}
	})
	writers.Wait()
	close(stop)
	reader.Wait()
	if n := int(commits.Load()); n >= modelWriters*modelUpdates/2 {
		t.Errorf("%d commits: hardly any update shared one", n)
	}
	agree(t, db, models)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(db.Path(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	agree(t, again, models)
	sound(t, again)
}

// sumsAgree looks whether every update that can be seen is there as a whole.
func sumsAgree(t *testing.T, db *DB) {
	t.Helper()
	err := db.View(func(tx *Tx) error {
		all := GetID(tx, Key("all"))
		for w := range modelWriters {
			all -= GetID(tx, Key("sum", int64(w)))
		}
		if all != 0 {
			t.Errorf("the writers' sums and the sum of all differ by %d", all)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func agree(t *testing.T, db *DB, models []model) {
	t.Helper()
	want, got := map[string]string{}, map[string]string{}
	var sum, last int64
	var failed int
	seen := map[int64]bool{}
	for _, m := range models {
		for k, v := range m.keys {
			if v != "" {
				want[k] = v
			}
		}
		sum += m.sum
		failed += m.failed
		for i, id := range m.ids {
			if seen[id] || i > 0 && id <= m.ids[i-1] {
				t.Errorf("id %d was given again", id)
			}
			seen[id] = true
			last = max(last, id)
		}
	}
	if failed == 0 || len(seen) == 0 {
		t.Errorf("%d updates failed with their commit, %d succeeded: nothing was tested", failed, len(seen))
	}
	err := db.View(func(tx *Tx) error {
		if n := GetID(tx, Key("all")); n != sum {
			t.Errorf("the sum is %d, want %d", n, sum)
		}
		// No id is lost, either: what was not committed was given again.
		if n := GetID(tx, Key(kindCounter, "model")); n != last || n != 999+int64(len(seen)) {
			t.Errorf("the counter is at %d; %d ids up to %d were given", n, len(seen), last)
		}
		return tx.Scan(Key("model"), func(k, v []byte) error { got[string(k)] = string(v); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	sumsAgree(t, db)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("store (-model +store):\n%s", diff)
	}
}
