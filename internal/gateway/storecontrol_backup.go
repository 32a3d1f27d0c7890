package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"v3gate/internal/store"
)

// BackupDone is a backup that was made and verified.
type BackupDone struct {
	File    string    `json:"file"`
	Bytes   int64     `json:"bytes"`
	Taken   time.Time `json:"taken"`
	Running bool      `json:"running"` // a daemon was at work on the store meanwhile
	// Check is what was found in it. What is inconsistent in it is so in the
	// store, too.
	Check store.Report `json:"check"`
}

// Backup copies the store as it is at one moment into a file: through the daemon
// that runs on it, which goes on working, or from the file itself. The copy gets
// its name only when it is on disk and was opened and checked. A file that is
// there is only replaced with force.
//
// The daemon sends the copy and this process writes it, so that it can go where
// the daemon may not write, and is whose command it was.
func (f StoreFile) Backup(ctx context.Context, to string, force bool) (done BackupDone, err error) {
	fail := func(err error) (BackupDone, error) {
		return BackupDone{}, fmt.Errorf("back up %s to %s: %w", f.Path, to, err)
	}
	if err := f.mayWrite(to, force); err != nil {
		return fail(err)
	}
	done = BackupDone{File: to, Taken: time.Now().UTC().Truncate(time.Second)}
	temporary, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".*.part") // 0600
	if err != nil {
		return fail(err)
	}
	defer os.Remove(temporary.Name())
	done.Running, err = f.copyTo(ctx, temporary)
	if err := errors.Join(err, temporary.Close()); err != nil {
		return fail(err)
	}
	if done.Check, err = f.verify(ctx, temporary.Name(), done.Taken); err != nil {
		return fail(fmt.Errorf("the copy is no good and was removed: %w", err))
	}
	if err := f.name(temporary.Name(), to, force); err != nil {
		return fail(err)
	}
	if fi, err := os.Stat(to); err == nil {
		done.Bytes = fi.Size()
	}
	if err := store.SyncDir(filepath.Dir(to)); err != nil {
		return fail(err)
	}
	return done, nil
}

// mayWrite refuses early what would be refused in the end.
func (f StoreFile) mayWrite(to string, force bool) error {
	there, err := os.Lstat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case there.IsDir():
		return errors.New("it is a directory; name a file in it")
	}
	if at, err := os.Stat(to); err == nil {
		if of, err := os.Stat(f.Path); err == nil && os.SameFile(at, of) {
			return errors.New("that is the store itself")
		}
	}
	if !force {
		return fmt.Errorf("%w; name another or give --force", fs.ErrExist)
	}
	return nil
}

// copyTo writes the store into w, and tells whether a daemon did.
func (f StoreFile) copyTo(ctx context.Context, w *os.File) (running bool, err error) {
	client, err := f.daemon()
	if err != nil {
		return false, err
	}
	if client == nil {
		db, err := store.Inspect(f.Path, lockWait) // it is copied as it is: no key is needed
		if err != nil {
			return false, err
		}
		_, err = db.Backup(w)
		return false, errors.Join(err, db.Close(), w.Sync())
	}
	defer client.CloseIdleConnections()
	body, err := askDaemon(ctx, client, "/store/backup")
	if err != nil {
		return true, err
	}
	defer body.Close()
	if _, err := io.Copy(w, body); err != nil {
		return true, fmt.Errorf("copy from the running gateway: %w", err)
	}
	return true, w.Sync()
}

// verify opens the copy and checks it, once it is marked as one.
func (f StoreFile) verify(ctx context.Context, path string, taken time.Time) (report store.Report, err error) {
	keys, err := f.keys()
	if err != nil {
		return report, err
	}
	db, err := store.Inspect(path, lockWait) // before anything is written to it
	if err != nil {
		return report, err
	}
	if err := errors.Join(db.Close(), store.StampBackup(path, taken)); err != nil {
		return report, err
	}
	if db, err = store.Inspect(path, lockWait, keys); err != nil {
		return report, err
	}
	report, err = db.Check(ctx, records(), true, false)
	if err = errors.Join(err, db.Close()); err != nil {
		return report, err
	}
	for _, found := range report.Found {
		if found.Key == "" { // of the file, not of what is in it
			return report, errors.New(found.What)
		}
	}
	return report, nil
}

// name gives the copy its name. Without force it never takes that from another
// file, even one that was made meanwhile.
func (f StoreFile) name(temporary, to string, force bool) error {
	if force {
		return os.Rename(temporary, to)
	}
	err := os.Link(temporary, to) // fails where there is something; a rename would not
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := f.mayWrite(to, false); err != nil { // a file system without links
		return err
	}
	return os.Rename(temporary, to)
}
