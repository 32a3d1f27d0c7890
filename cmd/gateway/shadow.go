package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"v3gate/internal/gateway"
)

func shadowCommand() *cobra.Command {
	var file gateway.StoreFile
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "shadow",
		Short: "Show how answers compare with the old server's",
		Long: `shadow asks the running daemon, over the socket beside its store, what it has found since
its start for the methods of shadow_methods: how many answers were equal to those of the old
server, and in which members the others differed. It shows no values.`,
		Example: `  gateway shadow --store /var/lib/v3gate/store.db
  gateway shadow --store /var/lib/v3gate/store.db --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needStore(cmd, &file); err != nil {
				return err
			}
			return withControl(&file, func(c *gateway.Control) error {
				report, err := c.Shadow()
				if err != nil {
					return err
				}
				if asJSON {
					enc := json.NewEncoder(cmd.OutOrStdout())
					enc.SetIndent("", "  ")
					return enc.Encode(report)
				}
				return printShadow(cmd, &report)
			})
		},
	}
	storeFlags(cmd.Flags(), &file)
	cmd.Flags().BoolVar(&asJSON, "json", false, "the whole report as JSON")
	return cmd
}

func printShadow(cmd *cobra.Command, r *gateway.ShadowReport) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintf(cmd.OutOrStdout(), "%d methods are answered by %s alone, %d by both; callers get the answer of %s\n",
		len(r.Forward), r.URL, len(r.Compare), r.Answer)
	fmt.Fprintln(w, "METHOD\tEQUAL\tDIFFERENT\tDROPPED\tFAILED")
	for _, m := range r.Methods {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", m.Method, m.Equal, m.Different, m.Dropped, m.Failed)
	}
	fmt.Fprintln(w, "\nMETHOD\tMEMBER\tDIFFERENCE\tCOUNT\tLAST")
	for _, m := range r.Methods {
		for _, p := range m.Paths {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", m.Method, p.Path, p.Kind, p.Count, p.Last.Format(time.RFC3339))
		}
		if m.Others > 0 {
			fmt.Fprintf(w, "%s\t...\t\t%d\t\n", m.Method, m.Others)
		}
	}
	return w.Flush()
}
