package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"v3gate/internal/estate"
	"v3gate/internal/gateway"
)

// importing are the flags and the state that the import commands share.
type importing struct {
	file      gateway.StoreFile
	floors    gateway.Floors
	run       estate.Run
	keepGoing bool
}

func importCommand() *cobra.Command {
	im := &importing{floors: gateway.DefaultFloors()}
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Bring contacts and domains in, with the handles and ids that they have",
		Long: `import writes contacts and domains into the store, through the gateway that runs on it,
or into the file, which is made where there is none. It changes nothing at v5.

What is there already with the same content is counted as equal; with other content it is
listed and left alone, unless --overwrite is given. So an import that was cut off is run
again. Numbers that are minted later are above all that were imported.

Status 0: all was imported. 1: it failed. 2: something was refused.`,
		Example: `  gateway import csv contacts.csv --dry-run --store /var/lib/v3gate/store.db
  gateway import json estate.jsonl --store /var/lib/v3gate/store.db`,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return needStore(cmd, &im.file) },
	}
	f := cmd.PersistentFlags()
	storeFlags(f, &im.file)
	f.StringVar(&im.run.Tenant, "tenant", "default", "whose the entries are that name no tenant")
	f.BoolVar(&im.run.DryRun, "dry-run", false, "say what would be done, and write nothing")
	f.BoolVar(&im.run.Overwrite, "overwrite", false, "replace what is there with other content")
	f.Int64Var(&im.floors.Handle, "first-handle", im.floors.Handle, "number that handles are minted from, as gateway serve has it")
	f.Int64Var(&im.floors.ID, "first-id", im.floors.ID, "number that ids are minted from, as gateway serve has it")
	cmd.AddCommand(im.fileCommand("csv", `The first line names the columns, in any order: handle and the members of a v3 contact
(type, given, family, email, ...; extra_parameters and shippingaddress as JSON), and id where
contact ids are to be kept. A line with fqdn is a domain: id, owner, admin, bill, tech.`),
		im.fileCommand("json", `Each line is an object: handle and the members of a v3 contact, with id where it is to be
kept; or fqdn with id, owner, admin, bill and tech.`), im.v3Command(), im.v5Command(), importZonesCommand())
	return cmd
}

func (im *importing) fileCommand(format, long string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   format + " FILE",
		Short: "Import a file of the format " + format,
		Long: long + `

All of the file is read before anything is written. A wrong line is listed with its number
and reason, and nothing is imported unless --keep-going is given.`,
		Example: "  gateway import " + format + " FILE --dry-run --store /var/lib/v3gate/store.db",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			return im.do(cmd, func(ctx context.Context, p *progress) error {
				return im.run.File(ctx, format, f, im.keepGoing, func(total int) { p.total = total })
			})
		},
	}
	cmd.Flags().BoolVar(&im.keepGoing, "keep-going", false, "leave wrong lines out and import the others")
	return cmd
}

// do runs an import on the store and prints its summary.
func (im *importing) do(cmd *cobra.Command, source func(context.Context, *progress) error) (err error) {
	e, err := im.file.OpenEstate(im.floors, true, im.run.DryRun)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	p := newProgress(cmd.ErrOrStderr())
	out := cmd.OutOrStdout()
	im.run.Send = e.Import
	im.run.Say = func(line string) {
		p.clear()
		fmt.Fprintln(out, oneLine(line))
	}
	im.run.Done = p.show
	err = source(cmd.Context(), p)
	p.clear()
	if broken := (*estate.Broken)(nil); errors.As(err, &broken) {
		return err
	}
	im.summary(out)
	switch refused := im.run.Refused(); {
	case err != nil:
		return fmt.Errorf("%w; run it again to go on", err)
	case refused > 0:
		return exitError{inconsistent, fmt.Errorf("%d entries were refused", refused)}
	}
	return nil
}

// keep writes what was read before a source failed or somebody stopped it, so that
// it need not be read again.
func (im *importing) keep(ctx context.Context, failed error) error {
	return errors.Join(failed, im.run.Flush(context.WithoutCancel(ctx)))
}

func (im *importing) summary(out io.Writer) {
	for _, c := range []struct {
		what string
		estate.Count
	}{{"contacts", im.run.Contacts}, {"domains", im.run.Domains}} {
		fmt.Fprintf(out, "%s: %d new, %d equal, %d changed, %d refused\n", c.what, c.New, c.Equal, c.Changed, c.Refused)
	}
	if im.run.DryRun {
		fmt.Fprintln(out, "this was a dry run: nothing was written")
	}
}

// progress shows how far an import has come: as a bar on a terminal, as a line now
// and then elsewhere.
type progress struct {
	out      io.Writer
	terminal bool
	total    int // 0 while it is not known
	said     int
}

// lineEvery is how many entries a line of progress stands for, where there is no
// terminal.
const lineEvery = 10_000

func newProgress(out io.Writer) *progress {
	p := &progress{out: out}
	if f, ok := out.(*os.File); ok {
		fi, err := f.Stat()
		p.terminal = err == nil && fi.Mode()&os.ModeCharDevice != 0
	}
	return p
}

func (p *progress) show(done int) {
	text := fmt.Sprint(done)
	if p.total > 0 {
		text = fmt.Sprintf("%d of %d", done, p.total)
	}
	if p.terminal {
		const width = 30
		full := 0
		if p.total > 0 {
			full = min(width, done*width/p.total)
		}
		fmt.Fprintf(p.out, "\r\x1b[K[%s%s] %s", strings.Repeat("#", full), strings.Repeat(" ", width-full), text)
	} else if done-p.said >= lineEvery {
		p.said = done
		fmt.Fprintln(p.out, text)
	}
}

func (p *progress) clear() {
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
