package gateway

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/translate"
	"v3gate/internal/xmlrpc"
)

// rehearsal is a gateway that a call is made at to see what becomes of it.
type rehearsal struct {
	g     *Gateway
	peer  *explainer
	ahead atomic.Int64 // of the clock underneath, in nanoseconds
	clean func() error
}

// rehearse makes a gateway on a copy of a store, or on an empty one.
func rehearse(ctx context.Context, cfg config.Config, e Explaining, peer *explainer, now time.Time) (r *rehearsal, err error) {
	in, name := "", "v3gate"
	if e.Beside != "" {
		in, name = filepath.Dir(e.Beside), filepath.Base(e.Beside)
	}
	dir, err := os.MkdirTemp(in, name+rehearsalMark+"*") // 0700
	if err != nil {
		return nil, err
	}
	clean := func() error { return os.RemoveAll(dir) }
	r = &rehearsal{peer: peer, clean: clean}
	defer func() {
		if err != nil {
			err = errors.Join(err, clean())
		}
	}()
	cfg.Store, cfg.V5Rate, cfg.KeepReport = filepath.Join(dir, "store.db"), 0, 0
	if e.Store.Path != "" {
		if err := e.Store.copyInto(ctx, cfg.Store); err != nil {
			return nil, err
		}
		cfg.SealKeyFile, cfg.SealOldKeyFiles = e.Store.KeyFile, e.Store.OldKeyFiles
	}
	if !now.IsZero() {
		r.ahead.Store(int64(time.Until(now)))
	}
	r.g, err = New(cfg, Hooks{Log: zap.NewNop(), Transport: peer, Now: func() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }})
	if err != nil {
		return nil, err
	}
	peer.db = r.g.db
	return r, nil
}

// rehearsalMark is in the name of the directory of a rehearsal.
const rehearsalMark = ".explain-"

// sweepRehearsals removes what a killed process left beside the store. Only the
// daemon makes rehearsals there, and one at a time has the store.
func sweepRehearsals(storePath string) error {
	entries, err := os.ReadDir(filepath.Dir(storePath))
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), filepath.Base(storePath)+rehearsalMark) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(filepath.Dir(storePath), e.Name())))
		}
	}
	return err
}

// copyInto copies the store into a file of this process's, readable by it alone.
func (f StoreFile) copyInto(ctx context.Context, path string) error {
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.copyTo(ctx, to)
	return errors.Join(err, to.Close())
}

func (r *rehearsal) end() error {
	stopping, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return errors.Join(r.g.Stop(stopping), r.clean())
}

// call makes one v3 call over the wire, without a network.
func (r *rehearsal) call(ctx context.Context, row *translate.Row, params []xmlrpc.Value) ([]byte, error) {
	body, err := xmlrpc.AppendCall(nil, row.Name, params...)
	if err != nil {
		return nil, err
	}
	h, err := r.g.Handler()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "/xmlrpc/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	var answer kept
	h.ServeHTTP(&answer, req)
	return answer.body.Bytes(), nil
}

// pass moves the clocks of the rehearsal and of its v5.
func (r *rehearsal) pass(d time.Duration) {
	r.ahead.Add(int64(d))
	if r.peer.sim != nil {
		r.peer.sim.Advance(d)
	}
	r.g.services.Ops.Wake()
}
