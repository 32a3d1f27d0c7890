package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"v3gate/internal/config"
)

func healthCommand() *cobra.Command {
	var admin string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running daemon whether it is ready",
		Long: `health asks the daemon's /readyz. It ends with status 0 when the daemon is ready, and
with status 1 and the reason otherwise. It is the health check of a container image that
has no shell; GATEWAY_ADMIN, which the daemon listens by, serves it as well.`,
		Example: `  gateway health
  gateway health --admin http://127.0.0.1:9090`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromEnvironment(cmd); err != nil {
				return err
			}
			target, err := readyURL(admin)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			answer, err := askReady(ctx, target)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), answer)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&admin, "admin", config.Default().Admin, "address or URL of metrics and health")
	f.DurationVar(&timeout, "timeout", 3*time.Second, "how long to wait for the answer")
	return cmd
}

// readyURL is where an admin listener says whether the daemon is ready. It takes
// an address to listen on as well, where no host means every interface: this
// machine is one of them.
func readyURL(admin string) (string, error) {
	if !strings.Contains(admin, "://") {
		host, port, err := net.SplitHostPort(admin)
		if err != nil {
			return "", fmt.Errorf("admin: %q is neither HOST:PORT nor a URL, such as http://127.0.0.1:9090", admin)
		}
		switch host {
		case "", "0.0.0.0":
			host = "127.0.0.1"
		case "::":
			host = "::1"
		}
		admin = "http://" + net.JoinHostPort(host, port)
	}
	u, err := url.Parse(admin)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("admin: %q is not an http or https URL, such as http://127.0.0.1:9090", admin)
	}
	return u.JoinPath("readyz").String(), nil
}

// askReady asks once. No proxy stands between a daemon and its health check, and
// one that sends the question elsewhere is not ours.
func askReady(ctx context.Context, target string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("not ready: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	answer := strings.TrimSpace(string(body))
	if resp.StatusCode != http.StatusOK {
		return "", errors.Join(fmt.Errorf("not ready: %s: %s", resp.Status, answer), err)
	}
	return answer, err
}
