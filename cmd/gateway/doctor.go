package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"v3gate/internal/gateway"
)

// doctorStatus are the exit statuses for scripts.
var doctorStatus = map[gateway.Level]int{gateway.Fine: 0, gateway.Warning: 1, gateway.Broken: 2}

func doctorCommand() *cobra.Command {
	d := gateway.Doctor{VersionInfo: versionInfo}
	var format string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine a gateway and what it depends on",
		Long: `doctor looks at the configuration, the store (through the running gateway, or the file
itself), the modes of files, the space on the disk, v5 and the clock, each tenant's
credential, organization and prepaid balance, certificates, and the v3 endpoint. It
changes nothing and spends nothing, and says of everything that is wrong what to do.

It takes the flags and variables of serve. Status 0: all is well. 1: warnings. 2:
something is broken.`,
		Example: `  gateway doctor --config /etc/v3gate/gateway.toml
  gateway doctor --store /var/lib/v3gate/store.db --certificate /etc/v3gate/tls.pem --host rpc.example.net -o json`,
		// What is wrong with the command line must not be taken for a warning.
		Args: func(cmd *cobra.Command, args []string) error { return unusable(cobra.NoArgs(cmd, args)) },
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return unusable(err) })
	from := settingFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&d.Endpoint, "url", "", "v3 endpoint as callers have it (default: http at the address of --listen)")
	f.StringArrayVar(&d.Certificates, "certificate", nil, "PEM file of a server certificate, with those that lead to its issuer; may be repeated")
	f.StringArrayVar(&d.Names, "host", nil, "host that the certificates have to be good for; may be repeated")
	f.StringArrayVar(&d.Secrets, "secret-file", nil, "further file whose mode is looked at; may be repeated")
	f.DurationVar(&d.Timeout, "timeout", 10*time.Second, "how long each check may take")
	f.StringVarP(&format, "output", "o", "table", "table or json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := fromEnvironment(cmd); err != nil {
			return unusable(err)
		}
		if format != "table" && format != "json" {
			return unusable(fmt.Errorf("output %q is not table or json", format))
		}
		loaded := from().Load()
		d.Config, d.Store.Path = loaded.Config, loaded.Store
		d.Store.KeyFile, d.Store.OldKeyFiles = loaded.SealKeyFile, loaded.SealOldKeyFiles
		if len(d.Certificates) == 0 && loaded.TLSCert != "" {
			d.Certificates = []string{loaded.TLSCert}
		}
		if d.Endpoint == "" {
			d.Endpoint = endpointOf(loaded.Listen)
		}
		found := configFindings(loaded.Validate(), loaded.Warnings)
		found = append(found, d.Examine(cmd.Context())...)
		return printFindings(cmd.OutOrStdout(), format, found)
	}
	return cmd
}

func unusable(err error) error {
	if err == nil {
		return nil
	}
	return exitError{doctorStatus[gateway.Broken], err}
}

// configFindings are what check-config would say.
func configFindings(wrong error, warnings []string) (found []gateway.Finding) {
	if wrong != nil {
		for _, line := range strings.Split(wrong.Error(), "\n") {
			found = append(found, gateway.Finding{Check: "configuration", Level: gateway.Broken, What: line, Do: "correct it; gateway check-config shows what is in force"})
		}
	}
	for _, w := range warnings {
		found = append(found, gateway.Finding{Check: "configuration", Level: gateway.Warning, What: w, Do: "correct it; gateway check-config shows what is in force"})
	}
	if found == nil {
		found = []gateway.Finding{{Check: "configuration", Level: gateway.Fine, What: "it can be read, and is complete"}}
	}
	return found
}

// endpointOf is the v3 endpoint at an address to listen on; no host there means
// every interface, of which this machine is one.
func endpointOf(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/xmlrpc/"
}

// versionInfo makes the v3 call version.info. The client knows no context; a
// call that outlives it is left behind.
func versionInfo(ctx context.Context, url string) (string, error) {
	client, err := newClient(url)
	if err != nil {
		return "", err
	}
	type answer struct {
		version string
		err     error
	}
	answered := make(chan answer, 1)
	go func() {
		defer client.Close()
		var v struct {
			Version string `xmlrpc:"api_version"`
		}
		err := client.Call("version.info", nil, &v)
		answered <- answer{v.Version, err}
	}()
	select {
	case a := <-answered:
		return a.version, a.err
	case <-ctx.Done():
		return "", fmt.Errorf("no answer: %w", ctx.Err())
	}
}

func printFindings(out io.Writer, format string, found []gateway.Finding) error {
	worst := gateway.Worst(found)
	if format == "json" {
		if err := printJSON(out, map[string]any{"status": worst, "findings": found}); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			where := f.Check
			if f.Tenant != "" {
				where += " of " + f.Tenant
			}
			fmt.Fprintf(out, "%-8s %-24s %s\n", f.Level, where, f.What)
			if f.Do != "" {
				fmt.Fprintf(out, "%33s %s\n", "->", f.Do)
			}
		}
	}
	if worst == gateway.Fine {
		return nil
	}
	counts := map[gateway.Level]int{}
	for _, f := range found {
		counts[f.Level]++
	}
	return exitError{doctorStatus[worst], fmt.Errorf("%d broken, %d warnings", counts[gateway.Broken], counts[gateway.Warning])}
}
