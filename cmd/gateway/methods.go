package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"v3gate/internal/gateway"
)

func methodsCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "methods",
		Short:   "Print the compatibility table",
		Example: "  gateway methods\n  gateway methods -o json | jq '.[] | select(.support==\"refused\")'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromEnvironment(cmd); err != nil {
				return err
			}
			table, out := gateway.Table(), cmd.OutOrStdout()
			switch format {
			case "json":
				enc := json.NewEncoder(out)
				enc.SetIndent("", "  ")
				return enc.Encode(table.Rows)
			case "csv":
				w := csv.NewWriter(out)
				if err := w.Write([]string{"name", "support", "class", "key", "v5", "note"}); err != nil {
					return err
				}
				for _, r := range table.Rows {
					if err := w.Write([]string{r.Name, string(r.Support), string(r.Class), string(r.Key), strings.Join(r.V5, "; "), r.Note}); err != nil {
						return err
					}
				}
				w.Flush()
				return w.Error()
			case "table":
				w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "METHOD\tSTATE\tCLASS\tKEY\tNOTE")
				for _, r := range table.Rows {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Name, r.Support, r.Class, r.Key, r.Note)
				}
				fmt.Fprintf(w, "\n%s\n", table.Totals())
				return w.Flush()
			}
			return fmt.Errorf("output %q is not table, json or csv", format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table, json or csv")
	return cmd
}
