package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"v3gate/internal/gateway"
)

func checkConfigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check-config",
		Short: "Check the configuration and print what would be in force",
		Long: `check-config reads the configuration as serve would, with its flags and variables, and
starts nothing. When something is wrong it says all of it at once and ends with status
1. Else it prints every value with the place that it comes from, secrets masked, and
ends with status 0; warnings go to standard error.`,
		Example: `  gateway check-config --config /etc/v3gate/gateway.toml
  gateway check-config --config new.toml && mv new.toml /etc/v3gate/gateway.toml && kill -HUP "$PID"`,
		Args: cobra.NoArgs,
	}
	from := settingFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := fromEnvironment(cmd); err != nil {
			return err
		}
		loaded := from().Load()
		for _, w := range loaded.Warnings {
			fmt.Fprintln(cmd.ErrOrStderr(), "warning:", w)
		}
		if err := errors.Join(loaded.Validate(), gateway.CheckRoutes(loaded.Config)); err != nil {
			return fmt.Errorf("the configuration is wrong:\n  %s", strings.ReplaceAll(err.Error(), "\n", "\n  "))
		}
		fmt.Fprint(cmd.OutOrStdout(), loaded.Effective())
		return nil
	}
	return cmd
}
