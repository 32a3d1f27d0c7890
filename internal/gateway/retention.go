package gateway

import (
	"context"
	"errors"
	"os"
	"time"

	"go.uber.org/zap"
)

// pruneEvery is how often operations that are kept long enough are archived.
const pruneEvery = 24 * time.Hour

// keepPruning archives and prunes now and then until ctx ends.
func (g *Gateway) keepPruning(ctx context.Context) {
	for {
		if n, err := g.prune(); err != nil {
			g.log.Error("operations were not archived", zap.Error(err))
		} else if n > 0 {
			g.log.Info("operations were archived and pruned", zap.Int("operations", n), zap.String("archive", g.archive()))
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
// line, and takes them out of the store once the lines are on disk.
func (g *Gateway) prune() (n int, err error) {
	f := lazyFile{path: g.archive()}
	defer func() { err = errors.Join(err, f.close()) }()
	return g.services.Ops.Prune(g.now().Add(-g.cfg.KeepOperations), &f, f.sync)
}

// lazyFile is made with its first line, so that nothing to archive leaves no
// file.
type lazyFile struct {
	path string
	file *os.File
}

func (f *lazyFile) Write(p []byte) (int, error) {
	if f.file == nil {
		var err error
		if f.file, err = os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			return 0, err
		}
	}
	return f.file.Write(p)
}

func (f *lazyFile) sync() error {
	if f.file == nil {
		return nil
	}
	return f.file.Sync()
}

func (f *lazyFile) close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}
