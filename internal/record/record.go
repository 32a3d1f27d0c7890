// Package record writes what a gateway was asked and answered to files, without
// secrets and contact data, in the form that the fixtures of the tests have: a
// call that fails at somebody's becomes a test by moving its file.
package record

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"go.uber.org/zap"
)

// What becomes of a call, as the metric counts it.
const (
	Written = "written"
	Dropped = "dropped"   // the writer could not keep up
	TooBig  = "too_large" // for one file
	Full    = "full"      // the directory has all that it may have
	Failed  = "failed"    // it could not be written, or had no place in the form
)

// Options are where a recorder writes and how much.
type Options struct {
	Dir       string
	MostFiles int   // files in the directory
	MostBytes int64 // bytes in the directory
	FileBytes int64 // bytes of a file
	Log       *zap.Logger
	Count     func(result string)
}

// waiting is how many calls wait to be written; further ones are dropped.
const waiting = 64

// Recorder writes calls behind the answers. It is safe for concurrent use.
type Recorder struct {
	o     Options
	salt  salt
	queue chan *Call
	done  chan struct{}

	mu     sync.Mutex // of what follows
	closed bool

	// What follows is the writer's.
	files  int
	bytes  int64
	full   bool
	broken bool // the last file could not be written
}

// Open makes the directory, or looks what is in it: that counts too.
func Open(o Options) (*Recorder, error) {
	r := &Recorder{o: o, queue: make(chan *Call, waiting), done: make(chan struct{})}
	rand.Read(r.salt[:]) // it never fails
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	info, err := os.Stat(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("record: %s has mode %04o and would show recordings to others; give it 0700", o.Dir, mode)
	}
	if err := r.count(); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	go r.run()
	return r, nil
}

// count counts what is in the directory, and removes what a process that died has
// left half written.
func (r *Recorder) count() error {
	return filepath.WalkDir(r.o.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasPrefix(d.Name(), unfinished) {
			return os.Remove(path)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		r.files++
		r.bytes += info.Size()
		return nil
	})
}

// Add hands a call over to be written. It never waits.
func (r *Recorder) Add(c *Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	select {
	case r.queue <- c:
	default:
		r.o.Count(Dropped)
	}
}

// Most is how many bytes a call may have to be recorded.
func (r *Recorder) Most() int64 { return r.o.FileBytes }

// Count counts a call that is not handed over.
func (r *Recorder) Count(result string) { r.o.Count(result) }

// Close writes what waits, until ctx ends.
func (r *Recorder) Close(ctx context.Context) error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("record: write what waits: %w", ctx.Err())
	}
}

func (r *Recorder) run() {
	defer close(r.done)
	for c := range r.queue {
		r.o.Count(r.one(c))
	}
}

// one writes one call and says what became of it.
func (r *Recorder) one(c *Call) (result string) {
	defer func() {
		if p := recover(); p != nil { // a value that nobody has thought of
			r.o.Log.Error("a call could not be recorded", zap.String("method", c.Method), zap.String("panic", fmt.Sprintf("%T", p)))
			result = Failed
		}
	}()
	if r.full {
		return Full
	}
	raw, err := c.file(&r.salt)
	if err != nil { // it is about this call only, and may repeat its texts
		r.o.Log.Warn("a call could not be recorded", zap.String("request_id", c.ID), zap.String("method", c.Method), zap.Bool("secret", errors.Is(err, errLeak)))
		return Failed
	}
	size := int64(len(raw))
	if size > r.o.FileBytes {
		return TooBig
	}
	if r.files >= r.o.MostFiles || r.bytes+size > r.o.MostBytes {
		r.full = true
		r.o.Log.Warn("recording has ended: the directory has all that it may have", zap.String("directory", r.o.Dir),
			zap.Int("files", r.files), zap.Int64("bytes", r.bytes))
		return Full
	}
	if err := r.write(c, raw); err != nil {
		if !r.broken {
			r.o.Log.Error("a recording could not be written; further ones are tried", zap.Error(err))
		}
		r.broken = true
		return Failed
	}
	r.broken = false
	r.files, r.bytes = r.files+1, r.bytes+size
	return Written
}

// unfinished begins the name of a file that is being written.
const unfinished = ".recording-"

// write writes a file as a whole or not at all.
func (r *Recorder) write(c *Call, raw []byte) (err error) {
	dir := filepath.Join(r.o.Dir, c.Method)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, unfinished+"*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, c.name(r.salt)))
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// name is that of a case among the fixtures: ok… or fault-… by what was answered.
func (c *Call) name(s salt) string {
	kind := "ok"
	if c.Fault != nil {
		kind = "fault"
	}
	return fmt.Sprintf("%s-%s-%x.txtar", kind, c.At.UTC().Format("20060102t150405.000"), s.digest("name", c.ID, 4))
}
