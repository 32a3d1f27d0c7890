package store

import (
	"fmt"
	"io"

	"go.etcd.io/bbolt"
)

// Backup writes the store as it is at this moment, as a file that Open opens,
// and gives its length. Updates go on meanwhile and are not in it. What they
// free is not reused until the backup ends, so a slow writer makes the file
// grow. Syncing and renaming a file that is written here is the caller's.
func (db *DB) Backup(w io.Writer) (n int64, err error) {
	err = db.view(func(tx *bbolt.Tx) error {
		n, err = tx.WriteTo(w)
		return err
	})
	if err != nil {
		return n, fmt.Errorf("back up store: %w", err)
	}
	return n, nil
}

// Stats is the size of a store.
type Stats struct {
	// FileBytes is how much of the file was ever used; the file itself may be a
	// little longer.
	FileBytes int64
	// FreePages is how many pages in it hold nothing. They are used again, but
	// each commit writes the list of them: when it is most of the file, write
	// a compacted one.
	FreePages int
	PageSize  int
}

// Stats is cheap; after Close it is empty.
func (db *DB) Stats() (s Stats) {
	_ = db.view(func(tx *bbolt.Tx) error {
		engine := db.bolt.Stats()
		s = Stats{
			FileBytes: tx.Size(),
			FreePages: engine.FreePageN + engine.PendingPageN,
			PageSize:  db.bolt.Info().PageSize,
		}
		return nil
	})
	return s
}
