package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"v3gate/internal/gateway"
)

func storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Check, compact and seal the store",
		Example: `  gateway store check --store /var/lib/v3gate/store.db
  gateway store compact --store /var/lib/v3gate/store.db
  gateway store rekey --store /var/lib/v3gate/store.db --key-file /etc/v3gate/seal.key`,
	}
	cmd.AddCommand(storeCheckCommand(), storeCompactCommand(), storeRekeyCommand())
	return cmd
}

func storeCheckCommand() *cobra.Command {
	var file gateway.StoreFile
	var quick bool
	var format string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look whether everything in the store leads where it should",
		Long: `check looks whether every index leads to a record, and every record has its indexes, and
prints each that does not, by its key. A running gateway is asked to do it, on what it
works with; else the file is opened, nothing is written to it, and its pages are checked,
too. A backup is checked the same way.

Status 0: all is consistent. 1: it could not be checked. 2: something is not.`,
		Example: `  gateway store check --store /var/lib/v3gate/store.db
  gateway store check --store /var/backups/v3gate/2026-01-31.db --seal-key-file /etc/v3gate/seal.key -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needStore(cmd, &file); err != nil {
				return err
			}
			if format != "table" && format != "json" {
				return fmt.Errorf("output %q is not table or json", format)
			}
			c, err := file.Check(cmd.Context(), quick)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if format == "table" {
				return printReport(out, c)
			}
			return errors.Join(printJSON(out, c), printReport(io.Discard, c))
		},
	}
	storeFlags(cmd.Flags(), &file)
	cmd.Flags().BoolVar(&quick, "quick", false, "only what open operations depend on")
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table or json")
	return cmd
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func storeCompactCommand() *cobra.Command {
	var file gateway.StoreFile
	cmd := &cobra.Command{
		Use:   "compact",
		Short: "Write the store's file anew, without what is free in it",
		Long: `compact writes a new file beside the store, compares it with the old one, and puts it in
its place. It needs room for both, and no gateway may run. Whatever happens on the way, the
store is the old file or the new one, whole. A sealed store is compacted without its key.`,
		Example: "  gateway store compact --store /var/lib/v3gate/store.db",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needStore(cmd, &file); err != nil {
				return err
			}
			done, err := file.Compact(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes became %d, %d are saved; %d keys\n",
				file.Path, done.Before, done.After, done.Before-done.After, done.Keys)
			return err
		},
	}
	cmd.Flags().StringVar(&file.Path, "store", "", "file of the gateway's store")
	return cmd
}

func storeRekeyCommand() *cobra.Command {
	var file gateway.StoreFile
	var key string
	var unseal bool
	cmd := &cobra.Command{
		Use:   "rekey",
		Short: "Seal the store, change the key that it is sealed with, or unseal it",
		Long: `rekey encrypts contacts and operations in the store with the key of --key-file: 32 random
bytes in hex or base64, in a file that only its owner can read, or credential:NAME for a
credential of systemd. Where the store is sealed already, --old-key-file is its present
key. --unseal takes the encryption away.

It writes the file anew, as compact does, so no gateway may run, there must be room for
both files, and nothing of what was in the old one is in the new one. Killed on the way,
it leaves the old file or the new one, whole; run it again. Then give the gateway the new
key. Backups stay sealed as they were: keep the keys of those that you keep.`,
		Example: `  (umask 077; openssl rand -hex 32 >/etc/v3gate/seal.key)
  gateway store rekey --store /var/lib/v3gate/store.db --key-file /etc/v3gate/seal.key
  gateway store rekey --store /var/lib/v3gate/store.db --key-file new.key --old-key-file /etc/v3gate/seal.key`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needStore(cmd, &file); err != nil {
				return err
			}
			if (key == "") != unseal {
				return errors.New("give --key-file, or --unseal")
			}
			done, err := file.Rekey(cmd.Context(), key)
			if err != nil {
				return err
			}
			out, state := cmd.OutOrStdout(), "not sealed"
			if done.Sealed != "" {
				state = "sealed with key " + done.Sealed
			}
			if done.AsItWas {
				_, err = fmt.Fprintf(out, "%s is %s already\n", file.Path, state)
				return err
			}
			if done.LeftOut > 0 {
				fmt.Fprintf(out, "%d contact-content keys led to no contact and were left out\n", done.LeftOut)
			}
			_, err = fmt.Fprintf(out, "%s is %s now: %d bytes, %d keys\n", file.Path, state, done.After, done.Keys)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&file.Path, "store", "", "file of the gateway's store")
	f.StringVar(&key, "key-file", "", "file with the key to seal with")
	f.StringVar(&file.KeyFile, "old-key-file", "", "file with the key that the store is sealed with now")
	f.BoolVar(&unseal, "unseal", false, "decrypt the store for good")
	return cmd
}
