package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"v3gate/internal/gateway"
)

func reportCommand() *cobra.Command {
	var file gateway.StoreFile
	var since, tenant string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "report",
		Short: "List who still calls which v3 methods, and what replaces them at v5",
		Long: `report prints what is to be done before v3 can be left: each integration, by tenant, key,
User-Agent and address, with each method that it calls, how often, with what faults and
parameters without effect, when last, and the v5 calls that replace it. A running gateway
is asked for it; else the file is read, and nothing is written to it.

A key is shown by the begin of its SHA-256 (printf %s KEY | sha256sum). Days are UTC. A
day of a tenant tells 64 integrations apart, and those for whom there was no room are
counted together as others.`,
		Example: `  gateway report --store /var/lib/v3gate/store.db
  gateway report --since 2026-01-31 --store /var/lib/v3gate/store.db
  gateway report --since 2160h --json --store /var/lib/v3gate/store.db | jq '.lines[] | select(.support=="refused")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needStore(cmd, &file); err != nil {
				return err
			}
			from, err := sinceWhen(since, time.Now())
			if err != nil {
				return err
			}
			r, err := file.Report(cmd.Context(), from, tenant)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), r)
			}
			return printCallers(cmd.OutOrStdout(), r)
		},
	}
	storeFlags(cmd.Flags(), &file)
	f := cmd.Flags()
	f.StringVar(&since, "since", "720h", "day (2026-01-31) or time before now from which on it counts")
	f.StringVar(&tenant, "tenant", "", "only this tenant")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func sinceWhen(text string, now time.Time) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return time.Time{}, fmt.Errorf("since %q is no day, such as 2026-01-31, and no time before now, such as 720h", text)
	}
	return now.Add(-d), nil
}

func printCallers(out io.Writer, r gateway.Report) error {
	if len(r.Lines) == 0 {
		_, err := fmt.Fprintf(out, "Nobody has called since %s.\n", r.From.Format(time.DateOnly))
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "METHOD\tCALLS\tFAULTS\tLAST\tTENANT\tKEY\tADDRESS\tPROGRAM\tIGNORED\tIN V5")
	for _, l := range r.Lines {
		program := oneLine(cmp.Or(l.Agent, "-"))
		if l.Others {
			program = "(others)"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Method, l.Calls, faults(l), l.Last.Format("2006-01-02 15:04"),
			cmp.Or(l.Tenant, "-"), cmp.Or(l.Key, "-"), cmp.Or(oneLine(l.Remote), "-"), program, named(l.Ignored), replacement(l))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	calls := uint64(0)
	for _, d := range r.Days {
		calls += d.Calls
	}
	_, err := fmt.Fprintf(out, "\n%d calls since %s. gateway explain METHOD JSON... shows what one of them is at v5.\n", calls, r.From.Format(time.DateOnly))
	if r.LeftOut > 0 && err == nil {
		_, err = fmt.Fprintf(out, "%d lines with fewer calls are left out.\n", r.LeftOut)
	}
	return err
}

// faults are how many and which.
func faults(l gateway.ReportLine) string {
	if l.Faults == 0 {
		return "0"
	}
	return strconv.FormatUint(l.Faults, 10) + " (" + named(l.Codes) + ")"
}

// named are counts by name, those with most first.
func named(counts map[string]uint64) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s ×%d", oneLine(name), counts[name])
	}
	return cmp.Or(strings.Join(names, ", "), "-")
}

// replacement is what stands in the table for a method.
func replacement(l gateway.ReportLine) string {
	switch {
	case len(l.V5) > 0:
		return strings.Join(l.V5, "; ")
	case l.Support == "unknown":
		return "no method of v3"
	}
	return "nothing: " + cmp.Or(l.Note, "the gateway answers it itself")
}
