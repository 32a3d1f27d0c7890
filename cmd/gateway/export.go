package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"v3gate/internal/estate"
	"v3gate/internal/gateway"
)

func exportCommand() *cobra.Command {
	var file gateway.StoreFile
	cmd := &cobra.Command{
		Use:   "export json|csv",
		Short: "Write contacts and domains out, with their handles and ids",
		Long: `export prints all contacts, domains and counters of the store, as of one moment, in the
form that gateway import reads: json is an object a line. While a gateway runs it is asked
for them. What is printed tells of people, in the clear, also when the store is sealed.
Operations are not in it: gateway backup has them.`,
		Example: `  (umask 077; gateway export json --store /var/lib/v3gate/store.db >estate.jsonl)
  gateway export csv --store /var/lib/v3gate/store.db --seal-key-file /etc/v3gate/seal.key`,
		ValidArgs: []string{"json", "csv"},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := needStore(cmd, &file); err != nil {
				return err
			}
			e, err := file.OpenEstate(gateway.DefaultFloors(), false, false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, e.Close()) }()
			out := estate.NewWriter(args[0], cmd.OutOrStdout())
			if err := errors.Join(e.Export(cmd.Context(), out.Write), out.Close()); err != nil {
				return fmt.Errorf("export %s: %w; what was printed is not all", file.Path, err)
			}
			return nil
		},
	}
	storeFlags(cmd.Flags(), &file)
	return cmd
}
