package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"v3gate/internal/config"
)

// variable is the environment variable of a flag: v5-rate is GATEWAY_V5_RATE.
func variable(flag string) string {
	return "GATEWAY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment sets the flags that were not given from their variables. All
// that is wrong is said at once. Flags of settings are left alone: package
// config puts their variables over the file.
func fromEnvironment(cmd *cobra.Command) error {
	var wrong []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value, ok := os.LookupEnv(variable(f.Name))
		if _, setting := f.Value.(config.Value); setting || !ok || f.Changed || f.Name == "help" {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", variable(f.Name), err))
		}
	})
	return errors.Join(wrong...)
}

// settingFlags gives a command --config and a flag for each setting, and a
// function that says, once flags are parsed, where to read the configuration
// from.
func settingFlags(cmd *cobra.Command) func() config.From {
	var file string
	shown := config.Default()
	f := cmd.Flags()
	f.StringVar(&file, "config", "", "TOML file with settings and tenants (see gateway.example.toml)")
	for _, s := range config.Settings() {
		flag := f.VarPF(s.In(&shown), s.Flag(), "", s.Help())
		if flag.Value.Type() == "bool" {
			flag.NoOptDefVal = "true" // it may stand alone
		}
	}
	return func() config.From {
		from := config.From{File: file, Environ: os.Environ(), Flags: map[string]string{}}
		f.Visit(func(f *pflag.Flag) {
			if _, setting := f.Value.(config.Value); setting {
				from.Flags[f.Name] = f.Value.String()
			}
		})
		return from
	}
}
