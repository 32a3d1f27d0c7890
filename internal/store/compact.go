package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
)

// Rewritten tells what became of a store whose file was written anew.
type Rewritten struct {
	Before int64 `json:"before"` // bytes of the file
	After  int64 `json:"after"`
	Keys   int   `json:"keys"`
	// Sealed is the id of the key that it is sealed with now, "" for none.
	Sealed string `json:"sealed,omitempty"`
	// LeftOut counts the contact-content keys that led to no contact of that
	// content; see Rekey.
	LeftOut int `json:"left_out,omitempty"`
	// AsItWas: there was nothing to do.
	AsItWas bool `json:"as_it_was,omitempty"`
}

// errSchema is in the error of rewriting a store of an older schema.
var errSchema = errors.New("its schema is not this program's; start this gateway on it once, and stop it")

// Compact writes a store anew, without what is free in its file, and puts the
// new file in place of the old one once it is known to hold the same. The lock
// is held for all of it, so nobody else can have the store open. A process that
// dies on the way leaves the old file or the new one in place, whole, and at
// worst a file beside it that the next run removes. No key is needed.
func Compact(ctx context.Context, path string, lockTimeout time.Duration) (done Rewritten, err error) {
	err = holding(path, lockTimeout, nil, func(db *DB) error {
		r := rewriting{from: db, seal: db.seal, change: func(_ *Tx, k, v []byte) ([]byte, []byte, error) { return k, v, nil }}
		r.same = func(tx *Tx) ([]byte, error) { return sum(tx, func(k, v []byte) ([]byte, error) { return v, nil }) }
		done, err = r.run(ctx, nil)
		return err
	})
	if err != nil {
		return done, fmt.Errorf("compact %s: %w", path, err)
	}
	return done, nil
}

// holding opens a store for a tool that is to be alone with it, as it is. It
// makes no file.
func holding(path string, lockTimeout time.Duration, ring *Ring, fn func(*DB) error) (err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	db := newDB(path, []Option{WithKeys(ring)})
	db.inspect, db.alone = true, true
	if err := unfaulted(func() error { return db.open(lockTimeout) }); err != nil {
		return err
	}
	err = fn(db)
	return errors.Join(err, db.bolt.Close())
}

// rewriting is one run of writing a store's file anew.
type rewriting struct {
	from *DB
	seal *sealing // how the new file keeps values
	// change gives what becomes of a key and its value, both as they are in the
	// file; a nil key is left out.
	change func(tx *Tx, key, value []byte) (k, v []byte, err error)
	// same is a sum over all that must be equal before and after.
	same func(tx *Tx) ([]byte, error)
	done Rewritten
}

// run writes the new file, verifies it, and puts it in the place of the old one.
func (r *rewriting) run(ctx context.Context, verify func(*DB) error) (done Rewritten, err error) {
	path, old := r.from.path, fs.FileInfo(nil)
	if old, err = os.Stat(path); err != nil {
		return done, err
	}
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return done, err
	}
	defer os.Remove(temporary) // gone by then when all went well
	if err := r.write(ctx, temporary); err != nil {
		return done, err
	}
	if err := errors.Join(giveTo(temporary, old), syncFile(temporary)); err != nil {
		return done, err
	}
	if err := r.verify(ctx, temporary, verify); err != nil {
		return done, fmt.Errorf("the new file is not what it should be, and the old one stays: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return done, err
	}
	r.done.Before, r.done.After = old.Size(), sizeOf(path)
	if r.seal != nil && r.seal.with != nil {
		r.done.Sealed = r.seal.with.id
	}
	return r.done, SyncDir(filepath.Dir(path))
}

// commitEvery bounds what one transaction of a new file holds in memory.
const commitEvery = 16 << 20

// write copies every key into a new file.
func (r *rewriting) write(ctx context.Context, path string) error {
	engine := &bbolt.Options{NoSync: true, OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
		return os.OpenFile(name, flag|os.O_EXCL, mode)
	}}
	to, err := bbolt.Open(path, 0o600, engine)
	if err != nil {
		return err
	}
	err = unfaulted(func() error { return r.copyTo(ctx, to) })
	size := int64(0)
	if err == nil {
		err = errors.Join(to.Sync(), to.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil }))
	}
	if err := errors.Join(err, to.Close()); err != nil {
		return err
	}
	// The engine grows files in steps, ahead of what it needs.
	return os.Truncate(path, size)
}

func (r *rewriting) copyTo(ctx context.Context, to *bbolt.DB) error {
	return r.from.view(func(bt *bbolt.Tx) (err error) {
		out, err := to.Begin(true)
		if err != nil {
			return err
		}
		defer func() {
			if out != nil {
				out.Rollback() // of the last one; nothing after its commit
			}
		}()
		b, err := out.CreateBucket(bucket)
		if err != nil {
			return err
		}
		tx, held := r.from.tx(bt), 0
		if tx.b == nil {
			return fmt.Errorf("%w: it has no store in it", errFile)
		}
		cursor := tx.b.Cursor()
		for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
			key, value, err := r.change(tx, k, v)
			if err != nil {
				return err
			}
			if key == nil {
				continue
			}
			if held += len(key) + len(value); held > commitEvery {
				if err := errors.Join(out.Commit(), ctx.Err()); err != nil {
					return err
				}
				if out, err = to.Begin(true); err != nil {
					return err
				}
				b, held = out.Bucket(bucket), 0
			}
			b.FillPercent = 0.95 // keys come in order, mostly
			if err := b.Put(key, value); err != nil {
				return err
			}
			r.done.Keys++
		}
		return errors.Join(ctx.Err(), r.mark(b), out.Commit())
	})
}

// mark says in the new file how it is sealed.
func (r *rewriting) mark(b *bbolt.Bucket) error {
	if r.seal == nil || r.seal.with == nil {
		return nil // without keys the mark was copied
	}
	return b.Put(sealMark(), []byte(r.seal.with.id))
}

// verify opens the new file and compares.
func (r *rewriting) verify(ctx context.Context, path string, also func(*DB) error) error {
	var ring *Ring
	if r.seal != nil {
		ring = r.seal.ring
	}
	db, err := Inspect(path, time.Second, WithKeys(ring))
	if err != nil {
		return err
	}
	defer db.bolt.Close()
	return unfaulted(func() error {
		before, err := sumOf(r.from, r.same)
		if err != nil {
			return err
		}
		after, err := sumOf(db, r.same)
		switch {
		case err != nil:
			return err
		case !bytes.Equal(before, after):
			return errors.New("its content is another")
		}
		var pages Report
		if err := db.checkPages(ctx, &pages); err != nil {
			return err
		}
		if pages.Wrong > 0 {
			return errors.New(pages.Found[0].String())
		}
		if also == nil {
			return nil
		}
		return also(db)
	})
}

func sumOf(db *DB, same func(*Tx) ([]byte, error)) (total []byte, err error) {
	err = db.view(func(bt *bbolt.Tx) error {
		total, err = same(db.tx(bt))
		return err
	})
	return total, err
}

// sum hashes all keys with what content gives for their values; nil leaves a key
// out.
func sum(tx *Tx, content func(key, value []byte) ([]byte, error)) ([]byte, error) {
	h := sha256.New()
	var size [8]byte
	write := func(b []byte) {
		binary.BigEndian.PutUint64(size[:], uint64(len(b)))
		h.Write(size[:])
		h.Write(b)
	}
	cursor := tx.b.Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		c, err := content(k, v)
		if err != nil {
			return nil, err
		}
		if c != nil {
			write(k)
			write(c)
		}
	}
	return h.Sum(nil), nil
}

// current tells whether the schema is this program's.
func (db *DB) current() (bool, error) {
	var schema string
	err := db.view(func(bt *bbolt.Tx) error {
		if b := bt.Bucket(bucket); b != nil {
			schema = string(b.Get(Key(kindMeta, "schema")))
		}
		return nil
	})
	return schema == strconv.Itoa(len(migrations)), err
}

func sizeOf(path string) int64 {
	fi, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return fi.Size()
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// SyncDir waits until the names in a directory are on disk.
func SyncDir(dir string) error {
	if lacksModes {
		return nil // nor can its directories be opened
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
