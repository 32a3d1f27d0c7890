package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"v3gate/internal/config"
	"v3gate/internal/gateway"
)

func importZonesCommand() *cobra.Command {
	var tenant, file string
	var server v3Server
	cmd := &cobra.Command{
		Use:   "zones",
		Short: "Take over zones, versions, records and linked domains",
		Long: `zones keeps zones with the ids that scripts have hard-coded, their versions, and which
domains are linked to them. Nothing is written to LiveDNS. It takes the flags and
variables of serve; no gateway may run on the store. A zone that is there already stays
as it is, so it can be run again.

--csv reads a file with the columns zone_id, zone_name, version, active, domains, name,
type, ttl, value: one line a record, or one with an empty type for a version without
records. active is 1 on the lines of the active version, domains are separated by
blanks. - is standard input.

--url reads from a server that still speaks v3, as import v3 does.`,
		Example: `  gateway import zones --config /etc/v3gate/gateway.toml --tenant acme --csv zones.csv
  gateway import zones --config /etc/v3gate/gateway.toml --tenant acme --url https://rpc.gandi.net/xmlrpc/ --key-file v3.key`,
		Args: cobra.NoArgs,
		// It has the store from the settings, as serve does.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
	}
	from := settingFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&tenant, "tenant", "default", "name of the tenant whose zones they are")
	f.StringVar(&file, "csv", "", "file to read, - for standard input")
	server.flags(f)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := fromEnvironment(cmd); err != nil {
			return err
		}
		loaded := from().Load()
		if err := loaded.Validate(); err != nil {
			return fmt.Errorf("the configuration is wrong; gateway check-config shows it: %w", err)
		}
		if !slices.ContainsFunc(loaded.Tenants, func(t config.Tenant) bool { return t.Name == tenant }) {
			return fmt.Errorf("tenant %q is not in the configuration", tenant)
		}
		zones, err := readZones(cmd.Context(), cmd.InOrStdin(), file, &server)
		if err != nil {
			return err
		}
		done, err := gateway.ImportZones(loaded.Config, tenant, zones)
		printImported(cmd.OutOrStdout(), done)
		return err
	}
	return cmd
}

// readZones reads from the one place that was named.
func readZones(ctx context.Context, in io.Reader, file string, server *v3Server) ([]gateway.ImportedZone, error) {
	switch {
	case (file == "") == (server.url == ""):
		return nil, errors.New("name one of --csv and --url")
	case file == "-":
		return zonesOfCSV(in)
	case file != "":
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return zonesOfCSV(f)
	}
	if err := server.open(); err != nil {
		return nil, err
	}
	defer server.client.Close()
	return server.zones(ctx)
}

func printImported(out io.Writer, done gateway.ZonesImported) {
	fmt.Fprintf(out, "%d zones with %d versions and %d records, %d domains linked\n", done.Zones, done.Versions, done.Records, done.Domains)
	if len(done.Known) > 0 {
		fmt.Fprintf(out, "%d zones were there already: %s\n", len(done.Known), strings.Trim(fmt.Sprint(done.Known), "[]"))
	}
	if len(done.Elsewhere) > 0 {
		fmt.Fprintf(out, "%d domains keep the zone that they are linked to: %s\n", len(done.Elsewhere), strings.Join(done.Elsewhere, " "))
	}
}
