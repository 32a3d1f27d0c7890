package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"v3gate/internal/estate"
	"v3gate/internal/gateway"
)

func (im *importing) v5Command() *cobra.Command {
	var resume bool
	cmd := &cobra.Command{
		Use:   "v5",
		Short: "Make handles for the domains that v5 has",
		Long: `v5 reads the domains of --tenant from v5, with the configuration of serve, and gives each
contact that has no handle here the one with the same content, or a new one. Roles that have
a handle keep it, so import from v3 or from a file first. It is what the gateway does by
itself when a domain is first asked for, done before.

With --resume, domains whose handles are all known here are not read again.`,
		Example: "  gateway import v5 --config /etc/v3gate/gateway.toml --tenant default --dry-run",
		Args:    cobra.NoArgs,
	}
	from := settingFlags(cmd)
	cmd.Flags().BoolVar(&resume, "resume", false, "do not read domains again whose handles are all known here")
	cmd.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return fromEnvironment(cmd) }
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		loaded := from().Load()
		if err := loaded.Validate(); err != nil {
			return err
		}
		im.file = gateway.StoreFile{Path: loaded.Store, KeyFile: loaded.SealKeyFile, OldKeyFiles: loaded.SealOldKeyFiles}
		im.floors = gateway.Floors{Handle: loaded.FirstHandle, ID: loaded.FirstID}
		return im.do(cmd, func(ctx context.Context, p *progress) error {
			wanted := func(names []string) ([]string, error) {
				if !resume {
					p.total += len(names)
					return names, nil
				}
				some := make([]estate.Entry, 0, len(names))
				for _, fqdn := range names {
					some = append(some, estate.Entry{Tenant: im.run.Tenant, FQDN: fqdn})
				}
				some, err := im.unknown(ctx, some)
				names = names[:0]
				for _, e := range some {
					names = append(names, e.FQDN)
				}
				p.total += len(names)
				return names, err
			}
			left, err := gateway.Walk(ctx, loaded.Config, im.run.Tenant, wanted, func(fqdn string, contacts estate.Shown) error {
				return im.run.AddShown(ctx, fqdn, contacts)
			})
			if left > 0 {
				im.run.Say(fmt.Sprintf("%d domains were left out: they are another organization's, or gone", left))
			}
			return im.keep(ctx, err)
		})
	}
	return cmd
}

// unknown leaves out the domains that are here with all their handles.
func (im *importing) unknown(ctx context.Context, domains []estate.Entry) ([]estate.Entry, error) {
	outcomes, err := im.run.Send(ctx, estate.Batch{Entries: domains, DryRun: true})
	if err != nil {
		return nil, err
	}
	var out []estate.Entry
	for i, o := range outcomes {
		if o.State == estate.Equal && o.Whole {
			im.run.Domains.Equal++
		} else {
			out = append(out, domains[i])
		}
	}
	return out, nil
}
