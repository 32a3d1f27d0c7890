package telemetry

import (
	"maps"
	"sync"
	"sync/atomic"
)

// lookup is a map that is read with every call and seldom grows. A new key makes a
// new map, so that reading takes no lock. The zero lookup is empty and ready.
type lookup[K comparable, V any] struct {
	adding sync.Mutex
	kept   atomic.Pointer[map[K]V]
}

// all is the present map, which never changes.
func (l *lookup[K, V]) all() map[K]V {
	if kept := l.kept.Load(); kept != nil {
		return *kept
	}
	return nil
}

// get is what is kept for key: what create gave when it was first asked for.
func (l *lookup[K, V]) get(key K, create func() V) V {
	if v, ok := l.all()[key]; ok {
		return v
	}
	l.adding.Lock()
	defer l.adding.Unlock()
	if v, ok := l.all()[key]; ok {
		return v
	}
	more := maps.Clone(l.all())
	if more == nil {
		more = map[K]V{}
	}
	more[key] = create()
	l.kept.Store(&more)
	return more[key]
}
