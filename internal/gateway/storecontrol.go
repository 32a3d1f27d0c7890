package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/zones"
)

// StoreFile is a store as the commands for operators are told of it.
type StoreFile struct {
	Path string
	// KeyFile holds the key that the store is sealed with, or credential:NAME; ""
	// for a store that is not sealed. OldKeyFiles are further ones, for a store
	// that was not rekeyed yet.
	KeyFile     string
	OldKeyFiles []string
}

// lockWait is how long the commands wait for a store that somebody has open.
const lockWait = 2 * time.Second

// SealWith gives the option that opens a sealed store, from the files of its
// keys: for Hooks.Store and OpenControl. Without a file it does nothing.
func SealWith(keyFile string, old ...string) (store.Option, error) {
	ring, err := store.ReadRing(keyFile, old...)
	return store.WithKeys(ring), err
}

func (f StoreFile) keys() (store.Option, error) { return SealWith(f.KeyFile, f.OldKeyFiles...) }

// records read what the packages that own the values keep in them.
func records() store.Records {
	return store.Records{
		Contact: handles.ContactRecord, Domain: handles.DomainRecord, DomainID: handles.DomainOfID,
		Operation: ops.Records(), Zone: zones.ZoneRecord, ZonePages: zones.PagesOf, ZoneLink: zones.ZoneOfLink,
	}
}

// StoreView is what a daemon says of its store.
type StoreView struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	Free   int64  `json:"free"`             // bytes of it that hold nothing
	Sealed string `json:"sealed,omitempty"` // id of the key, "" where it is not sealed
	// OldKey: it is sealed with a key that is not the current one.
	OldKey bool `json:"old_key,omitempty"`
	// Replaced: the file is no longer the one that the daemon writes to.
	Replaced bool `json:"replaced,omitempty"`
	// Health is why the disk takes nothing, "" while it does.
	Health string `json:"health,omitempty"`
}

func viewStore(db *store.DB) StoreView {
	s := db.Stats()
	v := StoreView{Path: db.Path(), Bytes: s.FileBytes, Free: int64(s.FreePages) * int64(s.PageSize), Replaced: db.Replaced()}
	id, newest := db.SealedWith()
	v.Sealed, v.OldKey = id, id != "" && !newest
	return v
}

// storeRoutes adds to the operators' routes those of the store.
func (g *Gateway) storeRoutes(operations http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", operations)
	mux.HandleFunc("GET /store", func(w http.ResponseWriter, _ *http.Request) {
		v := viewStore(g.db)
		if err := g.db.Health(); err != nil {
			v.Health = err.Error()
		}
		reply(w, v, nil)
	})
	mux.HandleFunc("GET /shadow", func(w http.ResponseWriter, _ *http.Request) {
		report, err := g.shadowReport()
		reply(w, report, err)
	})
	mux.HandleFunc("POST /store/import", g.importRoute)
	mux.HandleFunc("GET /store/export", g.exportRoute)
	mux.HandleFunc("GET /report", g.reportRoute)
	mux.HandleFunc("GET /store/check", func(w http.ResponseWriter, r *http.Request) {
		unhurried(w)
		report, err := g.db.Check(r.Context(), records(), false, r.URL.Query().Get("quick") != "")
		reply(w, report, err)
	})
	mux.HandleFunc("GET /store/backup", func(w http.ResponseWriter, _ *http.Request) {
		unhurried(w)
		w.Header().Set("Content-Type", "application/octet-stream")
		n, err := g.db.Backup(patient{w})
		if err != nil {
			g.log.Error("a backup was not finished", zap.Int64("bytes", n), zap.Error(err))
			panic(http.ErrAbortHandler) // so that nobody takes it for a whole one
		}
		g.log.Info("the store was backed up", zap.Int64("bytes", n))
	})
	return mux
}

// unhurried lifts the server's limits off an answer that may take long.
func unhurried(w http.ResponseWriter) {
	c := http.NewResponseController(w)
	_ = errors.Join(c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}))
}

// patient gives each write of a long answer a minute. A reader that takes
// nothing for so long is given up: its snapshot makes the store grow.
type patient struct{ http.ResponseWriter }

func (p patient) Write(b []byte) (int, error) {
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(time.Minute))
	return p.ResponseWriter.Write(b)
}

// takeIntoUse makes a store that was restored from a backup safe to serve from.
func (g *Gateway) takeIntoUse() error {
	if id, newest := g.db.SealedWith(); !newest {
		g.log.Warn("the store is sealed with an old key; stop the gateway and run gateway store rekey", zap.String("sealed_with", id))
	}
	taken, err := g.db.TakeIntoUse()
	if err == nil && !taken.IsZero() {
		g.log.Warn("the store is a backup that is taken into use: operations and contacts made since are not in it, and the numbers that they had are not given out again",
			zap.Time("taken", taken))
	}
	return err
}

// daemon is a client of the daemon that runs on the store; nil where none does.
func (f StoreFile) daemon() (*http.Client, error) {
	c, err := dialDaemon(socketOf(f.Path))
	if c != nil {
		c.Timeout = 0 // the context bounds what may take long
	}
	return c, err
}

// askDaemon gets a path from a daemon. The body is the caller's to close.
func askDaemon(ctx context.Context, c *http.Client, path string) (io.ReadCloser, error) {
	return askDaemonTo(ctx, c, http.MethodGet, path, nil)
}

// askDaemonTo is askDaemon with a method and a body.
func askDaemonTo(ctx context.Context, c *http.Client, method, path string, in io.Reader) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://daemon"+path, in)
	if err != nil {
		return nil, err
	}
	res, err := c.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask the running gateway: %w", err)
	}
	if res.StatusCode == http.StatusOK {
		return res.Body, nil
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if res.StatusCode == http.StatusNotFound && err == nil {
		err = errors.New("it is of another version; stop it first")
	}
	return nil, errors.Join(fmt.Errorf("the running gateway: %s", strings.TrimSpace(string(text))), err)
}

func readDaemon[T any](ctx context.Context, c *http.Client, path string) (v T, err error) {
	body, err := askDaemon(ctx, c, path)
	if err != nil {
		return v, err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(&v); err != nil {
		return v, fmt.Errorf("ask the running gateway: %w", err)
	}
	return v, nil
}

// StoreCheck is what a check of a store found.
type StoreCheck struct {
	store.Report
	// Running: a daemon did it, on what it works with.
	Running bool `json:"running"`
}

// Check looks whether everything in the store leads where it should: through the
// daemon that runs on it, or in the file itself, with its pages.
func (f StoreFile) Check(ctx context.Context, quick bool) (StoreCheck, error) {
	client, err := f.daemon()
	if err != nil {
		return StoreCheck{}, err
	}
	if client != nil {
		defer client.CloseIdleConnections()
		path := "/store/check"
		if quick {
			path += "?quick=1"
		}
		report, err := readDaemon[store.Report](ctx, client, path)
		return StoreCheck{report, true}, err
	}
	db, err := f.inspect()
	if err != nil {
		return StoreCheck{}, err
	}
	report, err := db.Check(ctx, records(), true, quick)
	return StoreCheck{Report: report}, errors.Join(err, db.Close())
}

func (f StoreFile) inspect() (*store.DB, error) {
	keys, err := f.keys()
	if err != nil {
		return nil, err
	}
	return store.Inspect(f.Path, lockWait, keys)
}

// Compact writes the file of the store anew, without what is free in it. No
// daemon may run.
func (f StoreFile) Compact(ctx context.Context) (store.Rewritten, error) {
	return store.Compact(ctx, f.Path, lockWait)
}

// Rekey seals the store with the key of a file, in place of f's, or with "" for
// a file unseals it. No daemon may run.
func (f StoreFile) Rekey(ctx context.Context, keyFile string) (store.Rewritten, error) {
	old, err := store.ReadRing(f.KeyFile, f.OldKeyFiles...)
	if err != nil {
		return store.Rewritten{}, err
	}
	next, err := store.ReadRing(keyFile)
	if err != nil {
		return store.Rewritten{}, err
	}
	return store.Rekey(ctx, f.Path, lockWait, old, next, records())
}
