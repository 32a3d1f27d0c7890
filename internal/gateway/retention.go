package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"go.uber.org/zap"
)

// pruneEvery is how often operations that are kept long enough are archived.
const pruneEvery = 24 * time.Hour

// keepPruning archives and prunes now and then until ctx ends.
func (g *Gateway) keepPruning(ctx context.Context) {
	for {
		n, err := g.prune(ctx)
		if n > 0 {
			g.log.Info("operations were archived and pruned", zap.Int("operations", n), zap.String("archive", g.archive()))
		}
		if err != nil && ctx.Err() == nil {
			g.log.Error("operations were not archived", zap.Error(err))
		}
		if _, err := g.usage.Prune(g.now().Add(-g.cfg.KeepReport)); err != nil {
			g.log.Error("old counts of the report were not deleted", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pruneEvery):
		}
	}
}

func (g *Gateway) archive() string {
	if g.cfg.Archive != "" {
		return g.cfg.Archive
	}
	return g.cfg.Store + ".archive.jsonl"
}

// prune writes operations that ended long ago to the archive, one JSON object a
// line, and takes them out of the store once the lines are on disk. It ends
// early, with nothing half done, when ctx does.
func (g *Gateway) prune(ctx context.Context) (n int, err error) {
	f := archiveFile{path: g.archive(), store: g.cfg.Store}
	defer func() { err = errors.Join(err, f.close()) }()
	return g.services.Ops.Prune(g.now().Add(-g.cfg.KeepOperations), &f, func() error {
		return errors.Join(ctx.Err(), f.sync())
	})
}

// archiveFile is made with its first line, so that nothing to archive leaves no
// file.
type archiveFile struct {
	path, store string
	file        *os.File
}

func (f *archiveFile) Write(p []byte) (int, error) {
	if f.file == nil {
		if err := f.open(); err != nil {
			return 0, err
		}
	}
	return f.file.Write(p)
}

// open opens the file to append whole lines to it. What a full disk or the end
// of a process left of a line is cut off: its operation is still in the store,
// and comes again.
func (f *archiveFile) open() (err error) {
	_, err = os.Stat(f.path)
	fresh := errors.Is(err, fs.ErrNotExist)
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	if same, err := sameFile(file, f.store); err != nil {
		return err
	} else if same {
		return errors.New("archive: it is the file of the store; name another one")
	}
	if err := cutUnended(file); err != nil {
		return err
	}
	if fresh { // its name has to be on disk, too, before anything is deleted
		if err := syncDirectory(filepath.Dir(f.path)); err != nil {
			return err
		}
	}
	f.file = file
	return nil
}

func sameFile(file *os.File, path string) (bool, error) {
	a, err := file.Stat()
	if err != nil {
		return false, err
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b), err
}

// cutUnended cuts a file behind its last line break. A last line that does not
// look like one of ours is left alone, and ended.
func cutUnended(file *os.File) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return err
	}
	const most = 1 << 20 // more than any operation has
	tail := make([]byte, min(size, most))
	if _, err := file.ReadAt(tail, size-int64(len(tail))); err != nil {
		return err
	}
	rest := tail[bytes.LastIndexByte(tail, '\n')+1:]
	begin := []byte(`{"ID":`)
	begin = begin[:min(len(begin), len(rest))]
	switch {
	case len(rest) == 0:
		return nil
	case bytes.HasPrefix(rest, begin) && (len(rest) < len(tail) || int64(len(tail)) == size):
		return file.Truncate(size - int64(len(rest)))
	}
	_, err = file.WriteString("\n")
	return err
}

// syncDirectory makes a new name in a directory durable, where directories can
// be synced.
func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil && runtime.GOOS != "windows" {
		return errors.Join(err, d.Close())
	}
	return d.Close()
}

func (f *archiveFile) sync() error {
	if f.file == nil {
		return nil
	}
	return f.file.Sync()
}

func (f *archiveFile) close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}
