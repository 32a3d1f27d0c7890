// Package store is the gateway's memory: ordered keys and values in one file,
// read and written in transactions.
//
// Only this package knows the engine (bbolt). What it offers is what any
// ordered key-value engine with transactions has, so that another can take its
// place: View, Update, Get, Put, Delete, Scan and NextID. Updates that come
// together are committed together (group.go).
package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// bucket is the one bbolt bucket; the layout is in the keys (layout.go).
var bucket = []byte("v3gate")

// DB is an open store. It is safe for concurrent use.
type DB struct {
	bolt *bbolt.DB
	path string
	file *os.File // that the engine has open

	beforeCommit func() error
	runTwice     bool

	records Records  // for migrations
	inspect bool     // only to be read, as it is; see Inspect
	alone   bool     // and by nobody else meanwhile; see holding
	ring    *Ring    // the keys given, nil without
	seal    *sealing // how values are kept, nil as they are

	writer sync.Mutex     // one transaction at a time, with finding out what became of it
	work   sync.WaitGroup // Updates not yet answered, and the goroutine that commits for them

	mu      sync.Mutex
	closed  bool
	writing bool      // somebody commits, and will look at the queue when done
	queue   []*update // in the order they came

	lastCommit error // how the last one ended

	commits atomic.Uint64 // begun and ended; odd while one is on its way
}

// Option changes how a store behaves. All but WithKeys and
// WithRecords are for tests.
type Option func(*DB)

// BeforeCommit calls fn before each commit of Update. When fn gives an error the
// commit fails with it, as it does on a full disk: every caller that shares it
// gets the error, and nothing is written.
func BeforeCommit(fn func() error) Option { return func(db *DB) { db.beforeCommit = fn } }

// RunTwice runs every closure of Update twice, the first time for nothing. A
// closure that does more than Update allows then shows it in a test with one
// caller.
func RunTwice() Option { return func(db *DB) { db.runTwice = true } }

const (
	// mapSize is the address space kept for the file, 16 GiB where there is
	// room; only pages that are read take memory. A file that outgrows it is
	// mapped anew, and that waits for every open View and Backup, with all
	// others waiting behind it.
	mapSize = 1 << (30 + strconv.IntSize/64*4)
	// growth is by how much the file grows at a time, each with a sync of its
	// own.
	growth = 4 << 20
)

// Open opens or creates the store in the file path, with mode 0600, and brings
// an older schema up to date. One process holds a store at a time; when another
// one does, Open gives up after lockTimeout with an error that names the file.
func Open(path string, lockTimeout time.Duration, options ...Option) (*DB, error) {
	db := newDB(path, options)
	if err := db.open(lockTimeout); err != nil {
		return nil, err
	}
	// An umask or an older file may have left it wider than it should be: it
	// holds contact data.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), db.bolt.Close())
	}
	if err := db.migrate(migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), db.bolt.Close())
	}
	return db, nil
}

func newDB(path string, options []Option) *DB {
	db := &DB{path: path, beforeCommit: func() error { return nil }}
	for _, o := range options {
		o(db)
	}
	return db
}

// open opens the engine on the file, and finds the keys for it.
func (db *DB) open(lockTimeout time.Duration) error {
	engine := &bbolt.Options{Timeout: lockTimeout, ReadOnly: db.inspect && !db.alone, PreLoadFreelist: db.inspect}
	if runtime.GOOS != "windows" && !db.inspect { // there the file itself would become that large
		engine.InitialMmapSize = mapSize
	}
	bolt, err := db.openSame(engine)
	if errors.Is(err, bolterrors.ErrTimeout) {
		return fmt.Errorf("open store %s: %w; stop that gateway or name another file", db.path, ErrHeld)
	}
	if err != nil {
		return fmt.Errorf("open store %s: %w", db.path, err)
	}
	bolt.AllocSize = growth
	db.bolt = bolt
	if err := db.unlock(); err != nil {
		return errors.Join(fmt.Errorf("open store %s: %w", db.path, err), bolt.Close())
	}
	return nil
}

// ErrHeld is in the error of opening a store that another process has open.
var ErrHeld = errors.New("another process holds it")

// openSame opens the engine on the file that path names once the lock is had.
// While it was waited for, whoever held it may have put another file in its
// place, and what is written to the one that was opened would be lost.
func (db *DB) openSame(options *bbolt.Options) (*bbolt.DB, error) {
	options.OpenFile = func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		db.file, err = os.OpenFile(name, flag, mode)
		return db.file, err
	}
	for range 3 {
		bolt, err := bbolt.Open(db.path, 0o600, options)
		if err != nil {
			return nil, err
		}
		if !db.Replaced() {
			return bolt, nil
		}
		if err := bolt.Close(); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the file is replaced again and again")
}

// Close takes no more updates, waits until those it took are answered and until
// running views end, and gives the file free.
func (db *DB) Close() error {
	db.mu.Lock()
	db.closed = true
	db.mu.Unlock()
	db.work.Wait()
	if err := db.bolt.Close(); err != nil {
		return fmt.Errorf("close store %s: %w", db.path, err)
	}
	return nil
}

// Path is the file the store lives in.
func (db *DB) Path() string { return db.path }

// View runs fn on a snapshot of what is committed. Long views keep freed pages
// from being reused, so nothing slow belongs in fn, above all no network call,
// and no Update, which may wait for the view.
func (db *DB) View(fn func(*Tx) error) error {
	return db.view(func(bt *bbolt.Tx) error { return db.tx(bt).run(fn) })
}

func (db *DB) view(fn func(*bbolt.Tx) error) error {
	err := db.bolt.View(fn)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return fmt.Errorf("read %s: %w", db.path, ErrClosed)
	}
	return err
}

// Tx is a transaction, valid until the function it was given to returns.
type Tx struct {
	b    *bbolt.Bucket
	seal *sealing
	// Attempts to write, and the bytes in them.
	writes, bytes int
	// unread is the first value that did not open. Whatever fn made of its
	// absence is not to count.
	unread error
}

func (db *DB) tx(bt *bbolt.Tx) *Tx { return &Tx{b: bt.Bucket(bucket), seal: db.seal} }

// run runs a function of a caller. It fails when a value could not be read,
// whatever the function says.
func (tx *Tx) run(fn func(*Tx) error) error {
	err := fn(tx)
	if tx.unread != nil {
		err, tx.unread = tx.unread, nil // those that share the transaction are not touched
	}
	return err
}

// Get gives the value of key, or nil. The bytes are only valid inside the
// transaction and must not be changed. A sealed value that does not open reads
// as nil, and the View or Update then fails with ErrDamaged.
func (tx *Tx) Get(key []byte) []byte {
	value, err := tx.reveal(key, tx.b.Get(key))
	if err != nil {
		return nil
	}
	return value
}

func (tx *Tx) reveal(key, value []byte) ([]byte, error) {
	value, err := tx.seal.reveal(key, value)
	if err != nil {
		err = fmt.Errorf("read %s: %w", Readable(key), err)
		tx.unread = cmp.Or(tx.unread, err)
	}
	return value, err
}

// Put sets the value of key. An empty value is allowed; it reads as present.
func (tx *Tx) Put(key, value []byte) error {
	tx.writes++
	tx.bytes += len(key) + len(value)
	// The engine keeps the slice until the commit, which others may delay, and
	// would read a nil one as absent until then.
	if err := tx.b.Put(key, append([]byte{}, tx.seal.cover(key, value)...)); err != nil {
		return fmt.Errorf("put %q: %w", key, err)
	}
	return nil
}

// Delete removes key; a missing key is no error.
func (tx *Tx) Delete(key []byte) error {
	tx.writes++
	tx.bytes += len(key)
	if err := tx.b.Delete(key); err != nil {
		return fmt.Errorf("delete %q: %w", key, err)
	}
	return nil
}

// Stop ends a Scan early without an error.
var Stop = errors.New("stop scanning")

// Scan calls fn for each key with the prefix, in ascending order. Key and value
// are valid until fn returns. fn must not write: that moves the keys under the
// scan.
func (tx *Tx) Scan(prefix []byte, fn func(key, value []byte) error) error {
	return tx.ScanFrom(prefix, prefix, fn)
}

// ScanFrom is Scan that begins with the key start, or with the next one where
// there is none; a start that comes before the prefix is the prefix.
func (tx *Tx) ScanFrom(prefix, start []byte, fn func(key, value []byte) error) error {
	if bytes.Compare(start, prefix) < 0 {
		start = prefix
	}
	c := tx.b.Cursor()
	for k, v := c.Seek(start); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		value, err := tx.reveal(k, v)
		if err != nil {
			return err
		}
		if err := fn(k, value); err != nil {
			return stopped(err)
		}
	}
	return nil
}

// ScanKeys is Scan for those who do not need the values, which need not be
// opened then.
func (tx *Tx) ScanKeys(prefix []byte, fn func(key []byte) error) error {
	c := tx.b.Cursor()
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if err := fn(k); err != nil {
			return stopped(err)
		}
	}
	return nil
}

// ScanBack is Scan in descending order.
func (tx *Tx) ScanBack(prefix []byte, fn func(key, value []byte) error) error {
	c := tx.b.Cursor()
	k, v := c.Seek(after(prefix))
	if k == nil {
		k, v = c.Last()
	} else {
		k, v = c.Prev()
	}
	for k != nil && bytes.HasPrefix(k, prefix) {
		value, err := tx.reveal(k, v)
		if err != nil {
			return err
		}
		if err := fn(k, value); err != nil {
			return stopped(err)
		}
		k, v = tx.before(c, k)
	}
	return nil
}

// before moves c back by one from key. The engine's own Prev ends at a page that
// this transaction has emptied, as if there were no keys before it.
func (tx *Tx) before(c *bbolt.Cursor, key []byte) (k, v []byte) {
	if k, v = c.Prev(); k != nil || !tx.b.Writable() {
		return k, v
	}
	if first, _ := tx.b.Cursor().First(); bytes.Compare(first, key) >= 0 {
		return nil, nil
	}
	for k == nil {
		k, v = c.Prev()
	}
	return k, v
}

func stopped(err error) error {
	if errors.Is(err, Stop) {
		return nil
	}
	return err
}

// after is the first key behind all keys with the prefix. Every prefix here
// begins with a letter, so there always is one.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}

// NextID gives the next number of a counter, at least first. A committed number
// is never given again; one of a run that was not committed is.
func (tx *Tx) NextID(counter string, first int64) (int64, error) {
	key := Key(kindCounter, counter)
	next := first
	if v := tx.Get(key); v != nil {
		next = max(first, int64(binary.BigEndian.Uint64(v))+1)
	}
	return next, tx.Put(key, binary.BigEndian.AppendUint64(nil, uint64(next)))
}

// GetJSON reads the value of key into v and tells whether there was one.
func GetJSON(tx *Tx, key []byte, v any) (bool, error) {
	raw, err := tx.reveal(key, tx.b.Get(key))
	if err != nil || raw == nil {
		return false, err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return false, fmt.Errorf("read %q: %w", key, err)
	}
	return true, nil
}

// PutJSON writes v as the value of key.
func PutJSON(tx *Tx, key []byte, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %q: %w", key, err)
	}
	return tx.Put(key, raw)
}
