package store

import (
	"fmt"
	"os"
	"time"

	"go.etcd.io/bbolt"
)

// Inspect opens a store to be read, as it is: nothing is written, an older
// schema stays what it is, and one that is sealed is opened without a key, too;
// then what is sealed is not read. Several processes can inspect a store at a
// time, and none while a gateway runs on it. A damaged file is an error.
func Inspect(path string, lockTimeout time.Duration, options ...Option) (db *DB, err error) {
	db = newDB(path, options)
	db.inspect = true
	fi, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("open store: %w", err)
	case !fi.Mode().IsRegular() || fi.Size() == 0:
		return nil, fmt.Errorf("open store %s: it is empty, or no file", path)
	}
	err = unfaulted(func() error {
		if err := db.open(lockTimeout); err != nil {
			return err
		}
		return db.view(func(bt *bbolt.Tx) error {
			if bt.Size() > fi.Size() {
				return fmt.Errorf("open store %s: %w: it ends after %d of %d bytes", path, errFile, fi.Size(), bt.Size())
			}
			return nil
		})
	})
	if err == nil {
		return db, nil
	}
	if db.bolt != nil {
		db.bolt.Close()
	} else if db.file != nil {
		db.file.Close() // the engine may have panicked with it in its hands
	}
	return nil, err
}

// Replaced tells whether the file that path names is no longer the one that is
// open: what is written is then lost when the process ends.
func (db *DB) Replaced() bool {
	is, err := db.file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(db.path)
	return err != nil || !os.SameFile(is, now)
}
