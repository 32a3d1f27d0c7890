// Package store is the gateway's memory: ordered keys and values in one file,
// read and written in transactions.
//
// Only this package knows the engine (bbolt). What it offers is what any
// ordered key-value engine with transactions has, so that another can take its
// place: View, Update, Get, Put, Delete, Scan and NextID.
package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
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
}

// Open opens or creates the store in the file path, with mode 0600, and brings
// an older schema up to date. One process holds a store at a time; when another
// one does, Open gives up after lockTimeout with an error that names the file.
func Open(path string, lockTimeout time.Duration) (*DB, error) {
	bolt, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open store %s: another process holds it; stop that gateway or name another file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	db := &DB{bolt: bolt, path: path}
	// An umask or an older file may have left it wider than it should be: it
	// holds contact data.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), bolt.Close())
	}
	if err := db.migrate(migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), bolt.Close())
	}
	return db, nil
}

// Close waits for running transactions and gives the file free.
func (db *DB) Close() error { return db.bolt.Close() }

// Path is the file the store lives in.
func (db *DB) Path() string { return db.path }

// View runs fn on a snapshot. Long views keep freed pages from being reused, so
// nothing slow belongs in fn, above all no network call.
func (db *DB) View(fn func(*Tx) error) error {
	return db.bolt.View(func(tx *bbolt.Tx) error { return fn(&Tx{tx.Bucket(bucket)}) })
}

// Update runs fn and commits what it wrote, durably, unless fn gives an error;
// then nothing is written. fn may be run more than once and must do nothing but
// read and write through tx. No network call belongs in it.
func (db *DB) Update(fn func(*Tx) error) error {
	return db.bolt.Update(func(tx *bbolt.Tx) error { return fn(&Tx{tx.Bucket(bucket)}) })
}

// Tx is a transaction, valid until the function it was given to returns.
type Tx struct{ b *bbolt.Bucket }

// Get gives the value of key, or nil. The bytes are only valid inside the
// transaction and must not be changed.
func (tx *Tx) Get(key []byte) []byte { return tx.b.Get(key) }

// Put sets the value of key. An empty value is allowed; it reads as present.
func (tx *Tx) Put(key, value []byte) error {
	if err := tx.b.Put(key, value); err != nil {
		return fmt.Errorf("put %q: %w", key, err)
	}
	return nil
}

// Delete removes key; a missing key is no error.
func (tx *Tx) Delete(key []byte) error {
	if err := tx.b.Delete(key); err != nil {
		return fmt.Errorf("delete %q: %w", key, err)
	}
	return nil
}

// Stop ends a Scan early without an error.
var Stop = errors.New("stop scanning")

// Scan calls fn for each key with the prefix, in ascending order. Key and value
// are valid until fn returns. fn must not write to keys under prefix.
func (tx *Tx) Scan(prefix []byte, fn func(key, value []byte) error) error {
	c := tx.b.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if err := fn(k, v); err != nil {
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
	for ; k != nil && bytes.HasPrefix(k, prefix); k, v = c.Prev() {
		if err := fn(k, v); err != nil {
			return stopped(err)
		}
	}
	return nil
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

// NextID gives the next number of a counter, at least first. Numbers are never
// given twice, and a committed number is never given again.
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
	raw := tx.Get(key)
	if raw == nil {
		return false, nil
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
