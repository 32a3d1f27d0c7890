package store

import "sync"

// Memo keeps values that were read from a store and decoded, for as long as
// nothing is committed to it. What it gives is what a View at that moment would,
// and who writes need not know of it. The zero Memo is empty and ready; it serves
// one store. A key that has a method Clone is kept as its clone, since its texts
// may be parts of a caller's whole document.
type Memo[K comparable, V any] struct {
	mu   sync.RWMutex
	kept map[K]kept[V]
}

type kept[V any] struct {
	commits uint64
	value   V
}

// mostKept bounds a Memo; a full one begins anew.
const mostKept = 10_000

// Get gives the value of key, from memory or by reading it. Errors are those of
// View and of read, and are not kept.
func (m *Memo[K, V]) Get(db *DB, key K, read func(*Tx, K) (V, error)) (V, error) {
	commits := db.commits.Load()
	m.mu.RLock()
	k, ok := m.kept[key]
	m.mu.RUnlock()
	if ok && k.commits == commits {
		return k.value, nil
	}
	var value, none V
	err := db.View(func(tx *Tx) (err error) {
		value, err = read(tx, key)
		return err
	})
	if err != nil {
		return none, err
	}
	// A commit on its way, or one that came in between, may or may not be in what
	// was read.
	if commits%2 == 0 && commits == db.commits.Load() {
		m.keep(key, kept[V]{commits, value})
	}
	return value, nil
}

func (m *Memo[K, V]) keep(key K, k kept[V]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil || len(m.kept) >= mostKept {
		m.kept = map[K]kept[V]{}
	}
	if own, ok := any(key).(interface{ Clone() K }); ok {
		key = own.Clone()
	}
	m.kept[key] = k
}
