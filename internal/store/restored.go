package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"go.etcd.io/bbolt"
)

// skipped is how many numbers of each counter are left out when a backup comes
// into use: those are taken to have been given out after it was made. Callers
// may have kept them, and they must not come to mean something else.
const skipped = 1_000_000

// StampBackup writes into a copy of a store that it is a backup, and of when. No
// key is needed.
func StampBackup(path string, taken time.Time) error {
	bolt, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return fmt.Errorf("stamp backup %s: %w", path, err)
	}
	err = bolt.Update(func(bt *bbolt.Tx) error {
		b := bt.Bucket(bucket)
		if b == nil {
			return errors.New("it has no store in it")
		}
		return b.Put(Key(kindMeta, "backup"), []byte(taken.UTC().Format(time.RFC3339)))
	})
	if err := errors.Join(err, bolt.Close()); err != nil {
		return fmt.Errorf("stamp backup %s: %w", path, err)
	}
	return nil
}

// BackupTaken is when a store that is a backup was taken; zero for one in use.
func (db *DB) BackupTaken() (taken time.Time, err error) {
	err = db.View(func(tx *Tx) error {
		taken = backupTaken(tx)
		return nil
	})
	return taken, err
}

func backupTaken(tx *Tx) time.Time {
	taken, err := time.Parse(time.RFC3339, string(tx.Get(Key(kindMeta, "backup"))))
	if err != nil {
		return time.Time{}
	}
	return taken
}

// TakeIntoUse makes a backup the store in use: its counters skip what they may
// have given out since. It gives when the backup was taken; zero where the store
// is none, and then nothing is written. Whoever serves callers from a store has
// to call it first.
func (db *DB) TakeIntoUse() (taken time.Time, err error) {
	if taken, err = db.BackupTaken(); err != nil || taken.IsZero() {
		return taken, err
	}
	err = db.Update(func(tx *Tx) error {
		if taken = backupTaken(tx); taken.IsZero() {
			return nil
		}
		last := map[string]int64{}
		err := tx.Scan(Key(kindCounter), func(key, value []byte) error {
			last[string(bytes.Clone(key))] = TrailingID(value)
			return nil
		})
		errs := []error{err, tx.Delete(Key(kindMeta, "backup"))}
		for key, n := range last {
			ahead := max(0, min(skipped, (math.MaxInt32-n)/2)) // v3's ints end there
			errs = append(errs, tx.Put([]byte(key), binary.BigEndian.AppendUint64(nil, uint64(n+ahead))))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return taken, fmt.Errorf("take backup into use: %w", err)
	}
	return taken, nil
}
