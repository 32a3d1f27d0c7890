package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/handles"
	"v3gate/internal/store"
)

// mostBatch bounds what one batch of an import may have, in bytes.
const mostBatch = 64 << 20

// importRoute takes batches of an import. The tenants have to be configured: what
// is somebody's whom nobody can be would be lost.
func (g *Gateway) importRoute(w http.ResponseWriter, r *http.Request) {
	unhurried(w)
	var batch handles.Batch
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBatch)).Decode(&batch); err != nil {
		http.Error(w, "the body is no batch of an import: "+err.Error(), http.StatusBadRequest)
		return
	}
	tenants := g.tenants.Load()
	for i := range batch.Entries {
		e := &batch.Entries[i]
		if _, ok := tenants.Named(e.Tenant); !ok && e.Kind() != "counter" {
			http.Error(w, fmt.Sprintf("it has no tenant %q; name one of its configuration with --tenant", e.Tenant), http.StatusConflict)
			return
		}
	}
	out, err := g.services.Book.Import(batch)
	if err == nil && !batch.DryRun {
		g.log.Info("a batch was imported", zap.Int("entries", len(out)), zap.Bool("overwrite", batch.Overwrite))
	}
	reply(w, out, err)
}

func (g *Gateway) exportRoute(w http.ResponseWriter, _ *http.Request) {
	unhurried(w)
	w.Header().Set("Content-Type", "application/jsonl")
	enc := json.NewEncoder(patient{w})
	n := 0
	err := g.services.Book.Export(func(e *handles.Entry) error { n++; return enc.Encode(e) })
	if err != nil {
		g.log.Error("an export was not finished", zap.Int("entries", n), zap.Error(err))
		panic(http.ErrAbortHandler) // so that nobody takes it for a whole one
	}
	g.log.Info("the store was exported", zap.Int("entries", n))
}

// Estate is the contacts and domains of a store: through the daemon that runs on
// it, or in the file itself.
type Estate struct {
	client *http.Client // nil without a daemon
	book   *handles.Book
	close  func() error
}

// OpenEstate opens the estate of a store. One that is not there yet is made, sealed
// where there is a key; a rehearsal makes it where it leaves nothing behind. Numbers
// minted without a daemon start from the floors.
func (f StoreFile) OpenEstate(floors handles.Floors, create, rehearsal bool) (*Estate, error) {
	client, err := f.daemon()
	if err != nil {
		return nil, err
	}
	if client != nil {
		return &Estate{client: client, close: func() error { client.CloseIdleConnections(); return nil }}, nil
	}
	keys, err := f.keys()
	if err != nil {
		return nil, err
	}
	path, clean := f.Path, func() error { return nil }
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !create {
		return nil, fmt.Errorf("open store: there is no file %s; give --store the file that gateway serve has", path)
	} else if errors.Is(err, fs.ErrNotExist) && rehearsal {
		dir, err := os.MkdirTemp("", "v3gate-rehearsal-")
		if err != nil {
			return nil, err
		}
		path, clean = filepath.Join(dir, "store.db"), func() error { return os.RemoveAll(dir) }
	}
	db, err := store.Open(path, lockWait, keys)
	if err != nil {
		return nil, errors.Join(err, clean())
	}
	if taken, err := db.BackupTaken(); create && (err != nil || !taken.IsZero()) {
		if err == nil {
			err = fmt.Errorf("%s is a backup; start the gateway on it once, so that it leaves out the numbers given out since, then import", f.Path)
		}
		return nil, errors.Join(err, db.Close(), clean())
	}
	return &Estate{book: handles.New(db, floors, time.Now), close: func() error { return errors.Join(db.Close(), clean()) }}, nil
}

// Close ends the connection or gives the store free.
func (e *Estate) Close() error { return e.close() }

// Import takes a batch, in one commit.
func (e *Estate) Import(ctx context.Context, b handles.Batch) ([]handles.Outcome, error) {
	if e.client == nil {
		return e.book.Import(b)
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	body, err := askDaemonTo(ctx, e.client, http.MethodPost, "/store/import", bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var out []handles.Outcome
	if err := json.NewDecoder(body).Decode(&out); err != nil {
		return nil, fmt.Errorf("ask the running gateway: %w", err)
	}
	return out, nil
}

// Export gives all entries as of one moment.
func (e *Estate) Export(ctx context.Context, fn func(*handles.Entry) error) error {
	if e.client == nil {
		return e.book.Export(func(entry *handles.Entry) error { return errors.Join(ctx.Err(), fn(entry)) })
	}
	body, err := askDaemon(ctx, e.client, "/store/export")
	if err != nil {
		return err
	}
	defer body.Close()
	for dec := json.NewDecoder(body); ; {
		var entry handles.Entry
		switch err := dec.Decode(&entry); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("copy from the running gateway: %w", err)
		}
		if err := fn(&entry); err != nil {
			return err
		}
	}
}

// Floors are the numbers that minted ones start from.
type Floors = handles.Floors

// DefaultFloors lie above everything the old service is known to have given out.
func DefaultFloors() Floors { return handles.DefaultFloors() }
