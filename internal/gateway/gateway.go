// Package gateway assembles the daemon: it wires store, handles, operations, v5
// client, table and wire together, and starts and stops them as one object.
package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/rpc/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/telemetry"
	"v3gate/internal/tenant"
	"v3gate/internal/translate"
	"v3gate/internal/usage"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
	"v3gate/internal/zones"
)

// Gateway is one daemon: made by New, run by Start, ended by Stop. Two of them
// can live in one process.
type Gateway struct {
	cfg       config.Config
	log       *zap.Logger
	flushLog  func() error
	registry  *prometheus.Registry
	metrics   *telemetry.Metrics
	activity  *telemetry.Activity
	usage     *usage.Counter
	db        *store.DB
	client    *v5.Client
	tenants   atomic.Pointer[tenant.Set]
	limiter   *limiter
	services  *translate.Services
	recorder  *recorder  // nil without a recording
	forwarder *forwarder // nil where every method is answered here
	requestID func() string

	reloading sync.Mutex // one reload at a time
	reread    func() *config.Loaded
	simulated func(Explaining) Simulation
	prepares  []Prepare
	tls       *tls.Config  // nil without a TLS endpoint
	secured   net.Listener // the TLS endpoint's
	manager   *Notifier

	front, admin net.Listener
	servers      []*http.Server
	served       chan error // the end of each server

	background    sync.WaitGroup
	endBackground func()
	now           func() time.Time
	started       time.Time
	reloaded      atomic.Pointer[reloaded] // nil before the first reload
	state         atomic.Int32
}

// The states of a gateway.
const (
	starting int32 = iota
	serving
	stopping
)

// Hooks are for programs that embed a gateway and want to watch it.
type Hooks struct {
	// Log receives the log; nil logs to standard error at the configured level.
	Log *zap.Logger
	// Exchanged is told of every attempt at v5.
	Exchanged func(v5.Exchange)
	// Transport replaces the HTTP transport to v5.
	Transport http.RoundTripper
	// Now replaces the clock that operations are dated by.
	Now func() time.Time
	// At is called between the steps of the journal.
	At func(point string)
	// Store are options of the store.
	Store []store.Option
	// Jitter replaces the source of the random waits before retries of v5.
	Jitter func(bound time.Duration) time.Duration
	// RequestID replaces the source of request ids.
	RequestID func() string
	// Reread reads the configuration again, for Reload.
	Reread func() *config.Loaded
	// Simulation is the v5 of calls that the console explains; nil: it explains none.
	Simulation func(Explaining) Simulation
	// Warnings about the configuration are logged.
	Warnings []string
}

// New opens the store and checks the whole configuration. What it opened it
// closes again when something later fails.
func New(cfg config.Config, hooks Hooks) (g *Gateway, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	g = &Gateway{cfg: cfg, log: hooks.Log, registry: prometheus.NewRegistry(), served: make(chan error, 4), reread: hooks.Reread, simulated: hooks.Simulation}
	if hooks.Now == nil {
		hooks.Now = time.Now
	}
	g.now, g.started = hooks.Now, hooks.Now()
	if g.requestID = hooks.RequestID; g.requestID == nil {
		g.requestID = randomID
	}
	g.flushLog = func() error { return nil }
	if g.log == nil {
		if g.log, g.flushLog, err = telemetry.NewBufferedLogger(os.Stderr, cfg.LogLevel); err != nil {
			return nil, err
		}
	}
	defer func(flush func() error) {
		if err != nil {
			err = errors.Join(err, flush())
		}
	}(g.flushLog)
	g.manager = NewNotifier(g.log)
	warn(g.log, hooks.Warnings)
	set, err := tenants(cfg.Tenants)
	if err != nil {
		return nil, err
	}
	g.metrics = telemetry.NewMetrics(g.registry, Build())
	g.activity = telemetry.NewActivity(methodNames(Table()), hooks.Now)
	g.limiter = newLimiter(cfg.MaxInFlight, cfg.MaxConnections, g.metrics.LimitWait, g.metrics.LimitRefused)
	g.limiter.configure(set)
	g.tenants.Store(set)
	if err := g.secure(); err != nil {
		return nil, err
	}
	defer func(g *Gateway) {
		if err != nil {
			g.closeForwarder()
			err = errors.Join(err, g.closeRecorder(context.Background()))
		}
	}(g)
	if err := errors.Join(g.newForwarder(), g.newRecorder()); err != nil {
		return nil, err
	}
	if g.client, err = g.newClient(hooks); err != nil {
		return nil, err
	}
	if g.db, err = openStore(cfg, hooks.Store); err != nil {
		g.client.Close()
		return nil, err
	}
	g.usage = usage.New(g.db, hooks.Now)
	if err := g.assemble(hooks); err != nil {
		g.client.Close()
		return nil, errors.Join(err, g.db.Close())
	}
	return g, nil
}

// assemble builds what works on store and client.
func (g *Gateway) assemble(hooks Hooks) error {
	table := translate.NewTable()
	if err := errors.Join(table.Validate(nil)...); err != nil {
		return fmt.Errorf("check the table of methods: %w", err)
	}
	if err := g.takeIntoUse(); err != nil {
		return err
	}
	book := handles.New(g.db, handles.Floors{Handle: g.cfg.FirstHandle, ID: g.cfg.FirstID}, hooks.Now)
	zoneBook := zones.New(g.db, g.cfg.FirstID, hooks.Now)
	push := &translate.ZonePush{Zones: zoneBook, Drift: g.cfg.ZoneDrift, Wait: g.cfg.ZoneWait, Now: hooks.Now, Drifted: g.drifted}
	kinds := translate.Kinds(book)
	maps.Copy(kinds, push.Kinds())
	engine, err := ops.New(g.db, ops.Options{
		Session: g.session, Settle: translate.Settle(book, zoneBook), Wait: g.cfg.PaidWait, FirstID: g.cfg.FirstID,
		SkipDryRun: !g.cfg.V5DryRun, Kinds: kinds, Follow: translate.Follow(book),
		Now: hooks.Now, Log: g.log, At: hooks.At,
		DryRunIgnored: func(op *ops.Operation) { g.metrics.DryRunIgnored(op.Type) },
		Undecided:     func(op *ops.Operation) { g.metrics.OperationUndecided(op.Type) },
		Overshoot:     func(op *ops.Operation) { g.metrics.OperationOvershoot(op.Type) },
	})
	if err != nil {
		return err
	}
	g.services = &translate.Services{
		Table: table, Book: book, Ops: engine, Zones: zoneBook, Push: push, Now: hooks.Now,
		Ignored: g.metrics.IgnoredParameter, UnmappedV5: g.metrics.UnmappedV5Error, AuthFailed: g.metrics.V5AuthFailure,
		Drifted: g.metrics.ContactDrift,
	}
	g.services.Portfolio = g.newPortfolio(hooks.Now)
	return nil
}

// drifted logs that somebody changed records past the gateway.
func (g *Gateway) drifted(fqdn string, zone, version int64) {
	g.metrics.ZoneDrift()
	g.log.Warn("records were changed in LiveDNS past the gateway; they are a version of the zone now",
		zap.String("fqdn", fqdn), zap.Int64("zone", zone), zap.Int64("version", version))
}

// session is a tenant's view of v5.
func (g *Gateway) session(name string) (*v5.Session, error) {
	t, ok := g.tenants.Load().Named(name)
	if !ok {
		return nil, errNoTenant(name)
	}
	return g.sessionOf(t), nil
}

func errNoTenant(name string) error { return fmt.Errorf("tenant %s is no longer configured", name) }

func (g *Gateway) sessionOf(t *tenant.Tenant) *v5.Session {
	return g.client.SessionFor(t.Name, v5.Credential{Scheme: t.AuthScheme, Secret: t.AuthSecret}, t.SharingID)
}

// Handler is the v3 endpoint: the wire in front of gorilla's dispatch in front
// of one service for each row of the table.
func (g *Gateway) Handler() (http.Handler, error) {
	limits := xmlrpc.DefaultLimits()
	limits.MaxBytes = g.cfg.MaxBody
	server := rpc.NewServer()
	server.RegisterCodec(&xmlrpc.Codec{
		Limits:   limits,
		Targets:  xmlrpc.Targets(methodNames(g.services.Table)),
		Rejected: g.rejected,
		Internal: g.unwritable,
	}, xmlrpc.ContentType)
	chain := g.chain()
	for i := range g.services.Table.Rows {
		row := &g.services.Table.Rows[i]
		if err := server.RegisterService(&Service{g: g, row: row, chain: chain}, xmlrpc.ServiceName(row.Name)); err != nil {
			return nil, fmt.Errorf("register %s: %w", row.Name, err)
		}
	}
	return xmlrpc.NewFront(server, limits), nil
}

// Start opens the listeners and begins to serve. When it fails nothing is left
// running, and the gateway is still to be Stopped.
func (g *Gateway) Start() (err error) {
	handler, err := g.Handler()
	if err != nil {
		return err
	}
	if g.front, err = net.Listen("tcp", g.cfg.Listen); err != nil {
		return fmt.Errorf("listen for v3 calls: %w", err)
	}
	if g.admin, err = net.Listen("tcp", g.cfg.Admin); err != nil {
		return errors.Join(fmt.Errorf("listen for metrics and health: %w", err), g.front.Close())
	}
	v3 := g.server(handler)
	v3.ConnState = g.countConnections
	g.run(v3, g.bounded(g.front))
	g.serve(g.admin, g.adminHandler())
	if err := g.listenTLS(handler); err != nil {
		return err
	}
	g.listenForOperators()
	if err := sweepRehearsals(g.cfg.Store); err != nil {
		g.log.Warn("what an explained call left beside the store is still there", zap.Error(err))
	}
	g.services.Ops.Start()
	background, cancel := context.WithCancel(context.Background())
	g.background.Go(func() { g.keepPruning(background) })
	g.background.Go(func() { g.services.Portfolio.Keep(background) })
	g.background.Go(func() { g.keepCounting(background) })
	g.endBackground = func() { cancel(); g.background.Wait() }
	g.state.Store(serving)
	g.log.Info("gateway is serving", zap.String("listen", g.Addr()), zap.String("admin", g.AdminAddr()),
		zap.String("store", g.cfg.Store), zap.String("v5_url", g.cfg.V5URL), zap.String("version", Build().Version))
	return nil
}

// serve runs an HTTP server until Stop.
func (g *Gateway) serve(l net.Listener, h http.Handler) { g.run(g.server(h), l) }

func (g *Gateway) run(s *http.Server, l net.Listener) {
	g.servers = append(g.servers, s)
	go func() { g.served <- s.Serve(l) }()
}

// Ready says why the gateway cannot serve, or nil.
func (g *Gateway) Ready() error {
	switch g.state.Load() {
	case starting:
		return errors.New("starting")
	case stopping:
		return errors.New("stopping")
	}
	return g.db.Health()
}

// Addr is the address of the v3 endpoint, with the port that was chosen.
func (g *Gateway) Addr() string { return g.front.Addr().String() }

// AdminAddr is the address of the metrics and health endpoint.
func (g *Gateway) AdminAddr() string { return g.admin.Addr().String() }

// Stop ends in the reverse order of the start: no new calls, those in flight are
// answered, paid work gets until ctx ends to hear v5's word, then the store is
// closed. What was cut off is found in the journal at the next start.
func (g *Gateway) Stop(ctx context.Context) error {
	g.state.Store(stopping)
	if g.endBackground != nil {
		g.endBackground()
	}
	var errs []error
	calls, cancel := share(ctx)
	defer cancel()
	for _, s := range g.servers {
		if err := s.Shutdown(calls); err != nil {
			errs = append(errs, s.Close())
		}
	}
	g.services.Close()
	g.closeForwarder()
	g.services.Ops.Close(ctx)
	g.services.Portfolio.Close()
	g.client.Close()
	if err := g.usage.Flush(); err != nil { // it costs the last minute of a report, and no stop
		g.log.Warn("who called in the last minute was not written down", zap.Error(err))
	}
	return errors.Join(append(errs, g.closeRecorder(ctx), g.db.Close(), g.flushLog())...)
}

// share ends before ctx does: a caller who dribbles a request until the end must
// not take all the time that purchases in flight have.
func share(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)*3/4)
}

// Run starts, serves until ctx ends, and stops with grace for work in flight. A
// service manager that listens is told of each step.
func (g *Gateway) Run(ctx context.Context, grace time.Duration) error {
	err := g.Start()
	if err == nil {
		g.manager.Ready("answering on " + g.Addr())
		watch, end := context.WithCancel(ctx)
		g.background.Go(func() { g.manager.Watch(watch, g.Ready) })
		select {
		case <-ctx.Done():
			g.log.Info("gateway is stopping")
		case err = <-g.served:
			err = fmt.Errorf("serve: %w", err)
		}
		end()
		g.manager.Stopping()
	}
	stopping, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	return errors.Join(err, g.Stop(stopping))
}

// version is set at the build: -ldflags "-X v3gate/internal/gateway.version=1.2.3".
var version = "dev"

// Build is what this program was built from.
func Build() telemetry.Build {
	b := telemetry.Build{Version: version}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.GoVersion = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Commit = s.Value
			}
		}
	}
	return b
}

// Table is the compatibility table, for programs that print it.
func Table() *translate.Table { return translate.NewTable() }
