package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"v3gate/internal/config"
	"v3gate/internal/gateway"
	"v3gate/internal/sandbox"
)

func serveCommand() *cobra.Command {
	var useSandbox bool
	var sandboxKey string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the daemon",
		Long: `serve answers v3 calls on --listen, and metrics and health on --admin.

A sidecar with one tenant needs no file. Set
  GATEWAY_V3_KEY      the 24 character key that the integration sends
  GATEWAY_V5_TOKEN    a v5 personal access token, or GATEWAY_V5_APIKEY
  GATEWAY_SHARING_ID  the id of the v5 organization that pays (optional)
  GATEWAY_OWN_HANDLE  the v3 handle of the key's owner (optional)
  GATEWAY_ANONYMOUS=1 to serve calls without a key where v3 allowed that

Several tenants are in the file of --config; check-config checks it, and SIGHUP reads
it again. A flag wins over its variable, and that over the file.

SIGTERM lets calls and purchases in flight end; a second one ends them at once.

With --sandbox nothing is needed: an embedded simulation stands in for v5.`,
		Example: `  gateway serve --sandbox
  GATEWAY_V3_KEY=... GATEWAY_V5_TOKEN=... gateway serve --store /var/lib/v3gate/store.db
  gateway serve --config /etc/v3gate/gateway.toml`,
		Args: cobra.NoArgs,
	}
	from := settingFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&useSandbox, "sandbox", false, "run against an embedded simulation of v5")
	f.StringVar(&sandboxKey, "sandbox-key", "sandboxsandboxsandbox123", "v3 key of the tenant that --sandbox makes")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := fromEnvironment(cmd); err != nil {
			return err
		}
		if useSandbox {
			return serveSandbox(cmd.Context(), cmd.OutOrStdout(), from(), sandboxKey)
		}
		return serve(cmd.Context(), from().Load)
	}
	return cmd
}

// What the collector of garbage is told, so that it runs seldom under load and the
// gateway stays small; docs/performance.md has the figures.
const (
	// headroom is taken for live memory beside the little that a gateway holds. It
	// is never touched, so no memory stands behind it.
	headroom = 16 << 20
	// growth is how much may come to what lives before garbage is collected, in
	// percent of it. The variable GOGC overrides it.
	growth = 60
)

// serve runs the daemon. load reads the configuration, now and at each SIGHUP.
func serve(ctx context.Context, load func() *config.Loaded) error {
	room := make([]byte, headroom)
	defer runtime.KeepAlive(room)
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(growth))
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP) // from now on it no longer ends the process
	defer signal.Stop(hangup)
	loaded := load()
	if err := loaded.Validate(); err != nil {
		return err
	}
	g, err := gateway.New(loaded.Config, gateway.Hooks{Reread: load, Warnings: loaded.Warnings, Simulation: simulation})
	if err != nil {
		return err
	}
	stop := onEach(hangup, g.Reload)
	defer stop()
	return g.Run(ctx, loaded.StopTimeout)
}

// untilSignal is a context that the first SIGINT or SIGTERM ends. The second one
// is from somebody who does not want to wait: it ends the process.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		fmt.Fprintln(os.Stderr, "gateway: a second signal; calls in flight are cut off, the journal knows of purchases")
		os.Exit(1)
	}()
	return ctx
}

// onEach calls fn at each signal, until it is stopped. What fn has to say is in
// the log.
func onEach(signals <-chan os.Signal, fn func() error) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-signals:
				fn()
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-done }
}

// serveSandbox runs the daemon against a simulation in the same process, over
// HTTP on a loopback port.
func serveSandbox(ctx context.Context, out io.Writer, from config.From, key string) (err error) {
	sim := sandbox.New(sandbox.Options{})
	url, closeSim, err := listen("127.0.0.1:0", sim.Handler())
	if err != nil {
		return err
	}
	defer closeSim()
	dir, err := os.MkdirTemp("", "v3gate-sandbox-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	from.NoTenants = true
	load := func() *config.Loaded {
		l := from.Load()
		t := sandboxTenant(key)
		t.Limits = l.TenantLimits
		l.V5URL, l.Tenants = url+"/v5", []config.Tenant{t}
		if l.Store == "" {
			l.Store = filepath.Join(dir, "store.db")
		}
		return l
	}
	l := load()
	fmt.Fprintf(out, "v3 endpoint http://%s/xmlrpc/ with the key %s, simulated v5 %s\n", l.Listen, key, l.V5URL)
	return serve(ctx, load)
}

func sandboxTenant(key string) config.Tenant {
	return config.Tenant{Name: "sandbox", V3Key: key, V5Token: sandbox.DefaultToken, SharingID: sandbox.DefaultSharingID, Anonymous: true}
}

// listen serves a handler on an address until it is closed.
func listen(addr string, h http.Handler) (url string, closer func() error, err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("listen: %w", err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go s.Serve(l)
	return "http://" + l.Addr().String(), s.Close, nil
}
