// Command gateway lets unmodified Gandi v3 XML-RPC integrations work on the v5
// REST API. See README.md.
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/cobra"
)

func main() {
	runtime.MemProfileRate = 0 // nobody can ask for that profile, which takes a megabyte
	if err := root().ExecuteContext(untilSignal()); err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(exitStatus(err))
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Gandi's v3 XML-RPC API on top of its v5 REST API",
		Long: `gateway answers Gandi's legacy v3 XML-RPC API and carries each call out on the v5
REST API, so that integrations written for v3 go on working unmodified.

Every flag also has an environment variable: GATEWAY_ and the flag's name in
capitals, with _ for -. A flag on the command line wins.`,
		Example:       "  gateway demo\n  gateway serve --sandbox",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(serveCommand(), checkConfigCommand(), demoCommand(), sandboxCommand(), opsCommand(), explainCommand(), reportCommand(), backupCommand(), storeCommand(), doctorCommand(), callCommand(), methodsCommand(), certCommand(), versionCommand(), healthCommand(), importCommand(), exportCommand(), shadowCommand())
	return cmd
}
