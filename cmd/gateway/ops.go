package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"v3gate/internal/gateway"
)

func opsCommand() *cobra.Command {
	var file gateway.StoreFile
	cmd := &cobra.Command{
		Use:   "ops",
		Short: "Look at operations, and resolve stuck ones",
		Long: `ops talks to the running daemon over the socket beside its store, and opens the store
itself when none runs. An operation in SUPPORT waits for a person: find out at the
registrar whether it happened, then resolve it.`,
		Example: `  gateway ops list --store /var/lib/v3gate/store.db --step SUPPORT
  gateway ops show 1000000042 --store /var/lib/v3gate/store.db
  gateway ops resolve 1000000042 --happened --store /var/lib/v3gate/store.db`,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return needStore(cmd, &file) },
	}
	storeFlags(cmd.PersistentFlags(), &file)
	cmd.AddCommand(opsListCommand(&file), opsShowCommand(&file), opsResolveCommand(&file))
	return cmd
}

// withControl runs fn with a hand on the store's operations.
func withControl(file *gateway.StoreFile, fn func(*gateway.Control) error) (err error) {
	keys, err := gateway.SealWith(file.KeyFile, file.OldKeyFiles...)
	if err != nil {
		return err
	}
	c, err := gateway.OpenControl(file.Path, keys)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return fn(c)
}

func opsListCommand(file *gateway.StoreFile) *cobra.Command {
	var s gateway.Selection
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List operations, the newest first",
		Example: "  gateway ops list --step SUPPORT",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withControl(file, func(c *gateway.Control) error {
				list, err := c.List(s)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "ID\tSTEP\tSTATE\tTYPE\tDOMAIN\tTENANT\tCREATED\tLAST ERROR")
				for _, o := range list {
					fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.ID, o.Step, o.State, o.Type, o.Domain, o.Tenant,
						o.Created.Format(time.RFC3339), oneLine(o.LastError))
				}
				return w.Flush()
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.Step, "step", "", "only this step, such as SUPPORT")
	f.StringVar(&s.Type, "type", "", "only this type, such as domain_create")
	f.StringVar(&s.Domain, "domain", "", "only this domain")
	f.StringVar(&s.Tenant, "tenant", "", "only this tenant")
	f.IntVar(&s.Most, "most", 100, "how many at most")
	return cmd
}

func opsShowCommand(file *gateway.StoreFile) *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show one operation as JSON",
		Example: "  gateway ops show 1000000042",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withControl(file, func(c *gateway.Control) error {
				return printOperation(cmd, args[0], c.Show)
			})
		},
	}
}

func opsResolveCommand(file *gateway.StoreFile) *cobra.Command {
	var happened, not bool
	cmd := &cobra.Command{
		Use:   "resolve ID --happened|--did-not-happen",
		Short: "End an operation in SUPPORT by your own word",
		Long: `resolve ends an operation that the gateway could not decide. With --happened it is
DONE. With --did-not-happen it is in ERROR, its name is free, and the caller may try
again: be sure, for a second try can be charged a second time.`,
		Example: "  gateway ops resolve 1000000042 --happened",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if happened == not {
				return errors.New("give one of --happened and --did-not-happen")
			}
			return withControl(file, func(c *gateway.Control) error {
				return printOperation(cmd, args[0], func(id int64) (gateway.OperationView, error) { return c.Resolve(id, happened) })
			})
		},
	}
	cmd.Flags().BoolVar(&happened, "happened", false, "it happened: the operation is DONE")
	cmd.Flags().BoolVar(&not, "did-not-happen", false, "it did not happen: the operation is in ERROR")
	return cmd
}

// oneLine is a text of v5's for a terminal: without what could move its cursor.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}

func printOperation(cmd *cobra.Command, text string, get func(int64) (gateway.OperationView, error)) error {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no operation id", text)
	}
	op, err := get(id)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	return enc.Encode(op)
}
