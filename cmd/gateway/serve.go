package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"v3gate/internal/config"
	"v3gate/internal/gateway"
	"v3gate/internal/sandbox"
)

// grace is how long a stopping gateway waits for calls and purchases in flight.
const grace = 20 * time.Second

func serveCommand() *cobra.Command {
	cfg := config.Default()
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

With --sandbox nothing is needed: an embedded simulation stands in for v5.`,
		Example: `  gateway serve --sandbox
  GATEWAY_V3_KEY=... GATEWAY_V5_TOKEN=... gateway serve --store /var/lib/v3gate/store.db
  gateway serve --v5-url http://127.0.0.1:8085/v5 --store /tmp/store.db`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromEnvironment(cmd); err != nil {
				return err
			}
			if useSandbox {
				return serveSandbox(cmd.Context(), cmd.OutOrStdout(), cfg, sandboxKey)
			}
			cfg.Tenants = tenantFromEnvironment()
			return serve(cmd.Context(), cfg)
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Listen, "listen", cfg.Listen, "address of the v3 endpoint")
	f.StringVar(&cfg.Admin, "admin", cfg.Admin, "address of metrics and health")
	f.StringVar(&cfg.Store, "store", "", "file that keeps handles and operations (--sandbox: a temporary one)")
	f.StringVar(&cfg.V5URL, "v5-url", cfg.V5URL, "base address of the v5 API")
	f.IntVar(&cfg.V5Rate, "v5-rate", cfg.V5Rate, "v5 requests a minute, 0 for unlimited")
	f.StringVar(&cfg.LogLevel, "log-level", cfg.LogLevel, "debug, info, warn or error")
	f.Int64Var(&cfg.MaxBody, "max-body", cfg.MaxBody, "largest request in bytes, after decompression")
	f.DurationVar(&cfg.IdleTimeout, "idle-timeout", cfg.IdleTimeout, "how long a kept-alive connection may idle")
	f.DurationVar(&cfg.CallTimeout, "call-timeout", cfg.CallTimeout, "how long a call may take")
	f.DurationVar(&cfg.PaidWait, "paid-wait", cfg.PaidWait, "how long a paid call waits for v5 before its operation is returned open")
	f.DurationVar(&cfg.KeepOperations, "keep-operations", cfg.KeepOperations, "how long finished operations are kept before they are archived")
	f.StringVar(&cfg.Archive, "archive", "", "file that archived operations are appended to, one JSON object a line (default: beside the store)")
	f.Int64Var(&cfg.FirstHandle, "first-handle", cfg.FirstHandle, "number of the first handle that is made up")
	f.Int64Var(&cfg.FirstID, "first-id", cfg.FirstID, "first contact, domain and operation id that is made up")
	f.BoolVar(&useSandbox, "sandbox", false, "run against an embedded simulation of v5")
	f.StringVar(&sandboxKey, "sandbox-key", "sandboxsandboxsandbox123", "v3 key of the tenant that --sandbox makes")
	return cmd
}

// tenantFromEnvironment is the sidecar's one tenant, or none when nothing of it
// is set.
func tenantFromEnvironment() []config.Tenant {
	t := config.Tenant{
		Name: "default", V3Key: os.Getenv("GATEWAY_V3_KEY"), V5Token: os.Getenv("GATEWAY_V5_TOKEN"),
		V5APIKey: os.Getenv("GATEWAY_V5_APIKEY"), SharingID: os.Getenv("GATEWAY_SHARING_ID"),
		OwnHandle: os.Getenv("GATEWAY_OWN_HANDLE"), Anonymous: os.Getenv("GATEWAY_ANONYMOUS") == "1",
	}
	if t == (config.Tenant{Name: "default"}) {
		return nil
	}
	return []config.Tenant{t}
}

func serve(ctx context.Context, cfg config.Config) error {
	g, err := gateway.New(cfg, gateway.Hooks{})
	if err != nil {
		return err
	}
	return g.Run(ctx, grace)
}

// serveSandbox runs the daemon against a simulation in the same process, over
// HTTP on a loopback port.
func serveSandbox(ctx context.Context, out io.Writer, cfg config.Config, key string) (err error) {
	sim := sandbox.New(sandbox.Options{})
	url, closeSim, err := listen("127.0.0.1:0", sim.Handler())
	if err != nil {
		return err
	}
	defer closeSim()
	cfg.V5URL = url + "/v5"
	cfg.Tenants = []config.Tenant{sandboxTenant(key)}
	if cfg.Store == "" {
		dir, err := os.MkdirTemp("", "v3gate-sandbox-")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		cfg.Store = filepath.Join(dir, "store.db")
	}
	fmt.Fprintf(out, "v3 endpoint http://%s/xmlrpc/ with the key %s, simulated v5 %s\n", cfg.Listen, key, cfg.V5URL)
	return serve(ctx, cfg)
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
