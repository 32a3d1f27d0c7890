package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/translate"
	"v3gate/internal/v5"
	"v3gate/internal/zones"
)

// OperationView is an operation as operators see it. It holds no contact data
// and no secrets.
type OperationView struct {
	ID        int64           `json:"id"`
	Tenant    string          `json:"tenant"`
	Type      string          `json:"type"`
	Step      string          `json:"step"`
	State     string          `json:"state"` // intended, sending, unknown, accepted, refused
	Domain    string          `json:"domain"`
	Source    string          `json:"source"`
	Sends     int             `json:"sends"` // how often the request went out
	Created   time.Time       `json:"created"`
	Updated   time.Time       `json:"updated"`
	Started   *time.Time      `json:"started,omitempty"`
	LastError string          `json:"last_error,omitempty"`
	ErrorType string          `json:"errortype,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
}

func viewOf(o ops.Operation) OperationView {
	v := OperationView{
		ID: o.ID, Tenant: o.Tenant, Type: o.Type, Step: string(o.Step), State: string(o.State), Domain: o.FQDN,
		Source: o.Source, Sends: o.Sends, Created: o.Created, Updated: o.Updated, LastError: o.LastError,
		ErrorType: o.ErrorType, Params: o.Params,
	}
	if !o.Started.IsZero() {
		v.Started = &o.Started
	}
	return v
}

// Selection is which operations to list, the newest first; zero values select
// all, and at most 100.
type Selection struct {
	Step, Type, Domain, Tenant string
	Most                       int
}

func (s Selection) has(o *ops.Operation) bool {
	return (s.Step == "" || s.Step == string(o.Step)) && (s.Type == "" || s.Type == o.Type) &&
		(s.Domain == "" || s.Domain == o.FQDN) && (s.Tenant == "" || s.Tenant == o.Tenant)
}

// usual is the selection in the forms of the journal. What can have nothing is an
// error, for it would look as if there were nothing to do.
func (s Selection) usual() (Selection, error) {
	s.Step, s.Domain = strings.ToUpper(s.Step), strings.ToLower(strings.TrimSuffix(s.Domain, "."))
	if s.Most <= 0 {
		s.Most = 100
	}
	if s.Step != "" && !slices.Contains(ops.Steps, ops.Step(s.Step)) {
		return s, fmt.Errorf("%w: there is no step %q; steps are %v", errSelection, s.Step, ops.Steps)
	}
	return s, nil
}

// What operators are told, with what to do.
var (
	errNone      = errors.New("no such operation; gateway ops list shows what there is")
	errResolved  = errors.New("only an operation in SUPPORT can be resolved; gateway ops show tells where it stands")
	errSelection = errors.New("list operations")
)

// told puts an error of the engine in an operator's words.
func told(err error) error {
	switch {
	case errors.Is(err, ops.ErrUnknown):
		return errNone
	case errors.Is(err, ops.ErrStep):
		return errResolved
	}
	return err
}

// operator is what an operator can do with operations.
type operator struct{ engine *ops.Engine }

func (op operator) list(s Selection) ([]OperationView, error) {
	s, err := s.usual()
	if err != nil {
		return nil, err
	}
	out := []OperationView{}
	err = op.engine.Everywhere(func(o ops.Operation) error {
		if s.has(&o) {
			out = append(out, viewOf(o))
		}
		if len(out) == s.Most {
			return store.Stop
		}
		return nil
	})
	return out, err
}

func (op operator) show(id int64) (OperationView, error) {
	o, err := op.engine.Find(id)
	return viewOf(o), told(err)
}

func (op operator) resolve(id int64, happened bool) (OperationView, error) {
	o, err := op.engine.Resolve(id, happened)
	return viewOf(o), told(err)
}

// socketOf is where the daemon of a store listens for operators.
func socketOf(storePath string) string { return storePath + ".sock" }

// listenForOperators opens the socket, which only the daemon's user may use. A
// file system without sockets costs the commands for operators, not the service.
func (g *Gateway) listenForOperators() {
	path := socketOf(g.cfg.Store)
	os.Remove(path) // one of a killed process; the store's lock says that none runs
	private := net.ListenConfig{Control: onlyOurs}
	l, err := private.Listen(context.Background(), "unix", path)
	if err == nil {
		if err = os.Chmod(path, 0o600); err != nil {
			err = errors.Join(err, l.Close())
		}
	}
	if err != nil {
		g.log.Warn("no socket for operators; stop the gateway to use the ops commands", zap.Error(err))
		return
	}
	g.serve(l, g.storeRoutes(operator{g.services.Ops}.handler()))
}

// handler serves operators in JSON.
func (op operator) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /operations", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		most, _ := strconv.Atoi(q.Get("most"))
		list, err := op.list(Selection{Step: q.Get("step"), Type: q.Get("type"), Domain: q.Get("domain"), Tenant: q.Get("tenant"), Most: most})
		reply(w, list, err)
	})
	mux.HandleFunc("GET /operations/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
		view, err := op.show(id)
		reply(w, view, err)
	})
	mux.HandleFunc("POST /operations/{id}/resolve", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
		var body struct {
			Happened *bool `json:"happened"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1024)).Decode(&body); err != nil || body.Happened == nil {
			http.Error(w, `the body must be {"happened": true} or {"happened": false}`, http.StatusBadRequest)
			return
		}
		view, err := op.resolve(id, *body.Happened)
		reply(w, view, err)
	})
	return mux
}

func reply(w http.ResponseWriter, v any, err error) {
	switch {
	case errors.Is(err, errNone):
		http.Error(w, err.Error(), http.StatusNotFound)
	case errors.Is(err, errResolved):
		http.Error(w, err.Error(), http.StatusConflict)
	case errors.Is(err, errSelection):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v) // to a local socket; its failure is the caller's
	}
}

// Control is an operator's hand on the operations of a store: through the daemon
// that runs on it, or on the file itself when none does.
type Control struct {
	client *http.Client // nil without a daemon
	local  operator
	close  func() error
}

// OpenControl finds the daemon of a store, or opens the store.
func OpenControl(storePath string, options ...store.Option) (*Control, error) {
	client, err := dialDaemon(socketOf(storePath))
	if err != nil {
		return nil, err
	}
	if client != nil {
		return &Control{client: client, close: func() error { client.CloseIdleConnections(); return nil }}, nil
	}
	if _, err := os.Stat(storePath); errors.Is(err, fs.ErrNotExist) { // do not make an empty one
		return nil, fmt.Errorf("open store: there is no file %s; give --store the file that gateway serve has", storePath)
	} else if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	options = append(slices.Clone(options), store.WithRecords(records()))
	db, err := store.Open(storePath, 2*time.Second, options...)
	if err != nil {
		return nil, err
	}
	book := handles.New(db, handles.DefaultFloors(), time.Now)
	engine, err := ops.New(db, ops.Options{
		Settle:  translate.Settle(book, zones.New(db, handles.DefaultFloors().ID, time.Now)),
		Kinds:   translate.Kinds(book),
		Follow:  translate.Follow(book),
		Session: func(string) (*v5.Session, error) { return nil, errors.New("no daemon is running") },
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Control{local: operator{engine}, close: func() error { engine.Close(context.Background()); return db.Close() }}, nil
}

// Close ends the connection or gives the store free.
func (c *Control) Close() error { return c.close() }

// List gives the operations of a selection.
func (c *Control) List(s Selection) ([]OperationView, error) {
	if c.client == nil {
		return c.local.list(s)
	}
	var out []OperationView
	err := c.ask("GET", "/operations?"+s.query(), nil, &out)
	return out, err
}

// Show gives one operation.
func (c *Control) Show(id int64) (OperationView, error) {
	if c.client == nil {
		return c.local.show(id)
	}
	var out OperationView
	err := c.ask("GET", fmt.Sprintf("/operations/%d", id), nil, &out)
	return out, err
}

// Resolve ends an operation in SUPPORT by an operator's word.
func (c *Control) Resolve(id int64, happened bool) (OperationView, error) {
	if c.client == nil {
		return c.local.resolve(id, happened)
	}
	var out OperationView
	err := c.ask("POST", fmt.Sprintf("/operations/%d/resolve", id), map[string]bool{"happened": happened}, &out)
	return out, err
}
