package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"v3gate/internal/gateway"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print build information",
		Example: "  gateway version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := gateway.Build()
			if b.Commit == "" {
				b.Commit = "unknown"
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "gateway %s, commit %s, %s\n", b.Version, b.Commit, b.GoVersion)
			return err
		},
	}
}
