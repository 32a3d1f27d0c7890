package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"v3gate/internal/sandbox"
)

func sandboxCommand() *cobra.Command {
	var addr, manage, token string
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run the simulated v5 API alone",
		Long: `sandbox serves a stateful simulation of the v5 API, so that a gateway in front of it
can be stopped, killed and started again. Any free .com .net .org .fr name can be
registered and is done in about two seconds. Nothing is kept when it ends.

On the management address:
  GET  /requests  what was asked, in order of arrival
  GET  /ledger    what was charged
  POST /reset
  POST /seed      {"domains":[...],"balance":"x","taken":[...],"next_error":{...}}
  POST /clock     {"advance_s":n} or {"freeze":bool}
  POST /chaos     {"error_rate":0..1,"reject_429":0..1,"latency_ms":n,"drop_after_work":0..1}`,
		Example: `  gateway sandbox --listen 127.0.0.1:8085 --manage 127.0.0.1:8086 --token sandbox
  GATEWAY_V3_KEY=sandboxsandboxsandbox123 GATEWAY_V5_TOKEN=sandbox \
    gateway serve --store /tmp/store.db --v5-url http://127.0.0.1:8085/v5`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromEnvironment(cmd); err != nil {
				return err
			}
			sim := sandbox.New(sandbox.Options{
				Tokens: []sandbox.Token{{Secret: token, Orgs: []string{sandbox.DefaultSharingID}}},
			})
			api, closeAPI, err := listen(addr, sim.Handler())
			if err != nil {
				return err
			}
			defer closeAPI()
			management, closeManagement, err := listen(manage, sim.Management())
			if err != nil {
				return err
			}
			defer closeManagement()
			fmt.Fprintf(cmd.OutOrStdout(), "simulated v5 %s/v5, management %s, organization %s\n", api, management, sandbox.DefaultSharingID)
			<-cmd.Context().Done()
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&addr, "listen", "127.0.0.1:8085", "address of the simulated API")
	f.StringVar(&manage, "manage", "127.0.0.1:8086", "address of the management listener")
	f.StringVar(&token, "token", sandbox.DefaultToken, "credential that the simulation takes, as Bearer or Apikey")
	return cmd
}
