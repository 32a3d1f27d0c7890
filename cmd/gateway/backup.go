package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"v3gate/internal/gateway"
)

// exitError ends the program with a status of its own.
type exitError struct {
	status int
	error
}

func (e exitError) Unwrap() error { return e.error }

// exitStatus is the status that an error of a command ends the program with.
func exitStatus(err error) int {
	var e exitError
	if errors.As(err, &e) {
		return e.status
	}
	return 1
}

// inconsistent is the status of a store that is not what it should be.
const inconsistent = 2

// storeFlags are those that name a store and what it is sealed with.
func storeFlags(f *pflag.FlagSet, file *gateway.StoreFile) {
	f.StringVar(&file.Path, "store", "", "file of the gateway's store")
	f.StringVar(&file.KeyFile, "seal-key-file", "", "file with the key that the store is sealed with, or credential:NAME")
}

// needStore takes the flags from the environment, and wants a store.
func needStore(cmd *cobra.Command, file *gateway.StoreFile) error {
	if err := fromEnvironment(cmd); err != nil {
		return err
	}
	if file.Path == "" {
		return errors.New("store: name the file of the gateway's store, such as --store /var/lib/v3gate/store.db")
	}
	return nil
}

func backupCommand() *cobra.Command {
	var file gateway.StoreFile
	var force bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the store, while the gateway works on it or not",
		Long: `backup writes the store as it is at one moment into FILE, readable by you alone. While a
gateway runs it sends the copy over the socket beside its store and goes on working. FILE
appears when the copy is on disk and was opened and checked; one that exists is not
replaced without --force.

The copy of a sealed store is sealed with the same key, and useless without it: keep the
key elsewhere. Without --seal-key-file what is sealed is not opened by the check.

Status 0: a sound backup was made. 1: none was made. 2: one was made, and what is in the
store is inconsistent.`,
		Example: `  gateway backup /var/backups/v3gate/$(date +%F).db --store /var/lib/v3gate/store.db
  gateway backup latest.db --force --store /var/lib/v3gate/store.db --seal-key-file /etc/v3gate/seal.key`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needStore(cmd, &file); err != nil {
				return err
			}
			done, err := file.Backup(cmd.Context(), args[0], force)
			if err != nil {
				return err
			}
			from := "the file, which no gateway has open"
			if done.Running {
				from = "the running gateway"
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "%s: %d bytes, as of %s, from %s\n", done.File, done.Bytes, done.Taken.Format("2006-01-02 15:04:05 MST"), from)
			return printReport(out, gateway.StoreCheck{Report: done.Check})
		},
	}
	storeFlags(cmd.Flags(), &file)
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE where it exists")
	return cmd
}

// printReport says what a check found; what is inconsistent is an error.
func printReport(out io.Writer, c gateway.StoreCheck) error {
	for _, i := range c.Found {
		fmt.Fprintln(out, i)
	}
	if more := c.Wrong - len(c.Found); more > 0 {
		fmt.Fprintf(out, "and %d more\n", more)
	}
	keys := 0
	for _, n := range c.Keys {
		keys += n
	}
	fmt.Fprintf(out, "checked %d keys", keys)
	if c.Pages {
		fmt.Fprint(out, " and the pages of the file")
	}
	if c.Unread {
		fmt.Fprint(out, "; what is sealed was not opened, for want of its key")
	}
	fmt.Fprintf(out, ": %d inconsistencies\n", c.Wrong)
	if c.Wrong > 0 {
		return exitError{inconsistent, fmt.Errorf("%d inconsistencies in the store", c.Wrong)}
	}
	return nil
}
