package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"v3gate/internal/exchange"
	"v3gate/internal/gateway"
	"v3gate/internal/sandbox"
)

func explainCommand() *cobra.Command {
	var e gateway.Explaining
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain METHOD [JSON...]",
		Short: "Show what a v3 call becomes at v5, as curl commands, and send nothing",
		Long: `explain makes a v3 call at a gateway of its own, in this process, in front of a simulated
v5, and prints the v5 requests that it becomes, each as a curl command. Nothing is sent
and nothing is written: it is for those who rewrite an integration for v5.

Each further argument is a parameter behind the key, in JSON; what is no JSON is taken as
a string. With --store handles are expanded from a copy of that store, which a running
gateway is asked for; what is printed then tells of people. Without it a contact marked
PLACEHOLDER stands for each handle, and ids that a gateway gave out are not known.

The domains of the call are assumed to be the account's, those that it would buy to be
free, and every answer of v5 is an assumption: the real one may lead to other requests.
With --exchange the call and the answers of v5 are those of a recording, in the form of
testdata/fixtures, and nothing is assumed.

The key is $GANDI_KEY in the commands; passwords and transfer codes are variables, too.`,
		Example: `  gateway explain domain.info example.com
  gateway explain domain.create example.com '{"owner":"FLN123-GANDI","admin":"FLN123-GANDI","bill":"FLN123-GANDI","tech":"FLN123-GANDI","duration":1}' --store /var/lib/v3gate/store.db
  gateway explain --exchange recorded.txtar`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := fromEnvironment(cmd); err != nil {
				return err
			}
			x, err := explain(cmd, e, file, args)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), x)
			}
			return printExplanation(cmd.OutOrStdout(), x)
		},
	}
	f := cmd.Flags()
	storeFlags(f, &e.Store)
	f.StringVar(&e.Tenant, "tenant", "default", "whose call it is")
	f.StringVar(&e.SharingID, "sharing-id", "", "v5 organization that pays, as the tenant has it")
	f.StringVar(&file, "exchange", "", "file with a recorded exchange, in place of METHOD")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func explain(cmd *cobra.Command, e gateway.Explaining, file string, args []string) (gateway.Explanation, error) {
	if (file == "") == (len(args) == 0) {
		return gateway.Explanation{}, errors.New("give a METHOD, or --exchange FILE")
	}
	if file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			return gateway.Explanation{}, err
		}
		recorded, err := exchange.Parse(raw)
		if err != nil {
			return gateway.Explanation{}, fmt.Errorf("%s: %w", file, err)
		}
		return gateway.ExplainExchange(cmd.Context(), recorded, e)
	}
	e.Method, e.Simulation = args[0], simulation
	for _, text := range args[1:] {
		e.Params = append(e.Params, parameter(text))
	}
	return gateway.Explain(cmd.Context(), e)
}

// simulation is the v5 that answers an explained call: one where the names that the
// call is about are there, with the mailboxes, forwards and hosts that it names.
func simulation(e gateway.Explaining) gateway.Simulation {
	token := sandbox.Token{Secret: sandbox.DefaultToken}
	if e.SharingID != "" {
		token.Orgs = []string{e.SharingID}
	}
	sim := sandbox.New(sandbox.Options{Tokens: []sandbox.Token{token}, StepTime: time.Second, PendingChecks: -1})
	return gateway.Simulation{
		Handler: sim.Handler(), Advance: sim.Advance, Token: token.Secret,
		Taken: func(fqdn string) error { return sim.Seed(sandbox.Seed{Taken: []string{fqdn}}) },
		Domain: func(fqdn string, contacts map[string]map[string]any) error {
			d := sandbox.SeedDomain{FQDN: fqdn, Owner: contacts["owner"], Admin: contacts["admin"], Bill: contacts["bill"], Tech: contacts["tech"]}
			seedNamed(&d, e)
			if err := sim.Seed(sandbox.Seed{Domains: []sandbox.SeedDomain{d}}); err != nil {
				return err
			}
			return seedWebredir(sim, d.FQDN, e)
		},
	}
}

// seedNamed adds what a call names besides its domain, unless it would make it.
func seedNamed(d *sandbox.SeedDomain, e gateway.Explaining) {
	making := strings.HasSuffix(e.Method, ".create")
	for i, p := range e.Params {
		if options, ok := p.(map[string]any); ok && options["current_year"] != nil {
			if year, err := strconv.Atoi(fmt.Sprint(options["current_year"])); err == nil { // the call knows when it ends
				d.RegistryEndsAt = time.Date(year, 12, 1, 0, 0, 0, 0, time.UTC)
			}
		}
		name, ok := p.(string)
		switch {
		case !ok || name == "":
		case i == 0 && strings.HasPrefix(e.Method, "domain.host.") && !making:
			if label, ok := strings.CutSuffix(strings.ToLower(name), "."+d.FQDN); ok {
				d.Hosts = map[string][]string{label: {"192.0.2.1"}}
			}
		case i == 0:
		case strings.HasPrefix(e.Method, "domain.mailbox.") && !making:
			d.Mail.Mailboxes = []string{name}
		case strings.HasPrefix(e.Method, "domain.forward.") && !making:
			d.Mail.Forwards = map[string][]string{name: {"placeholder@example.com"}}
		}
	}
	switch {
	case e.Method == "domain.mailbox.create":
		d.Mail.FreeSlots = 1
	case strings.HasPrefix(e.Method, "domain.packmail.") && !making:
		d.Mail.Mailboxes = []string{"placeholder"}
	case e.Method == "domain.restore":
		d.RegistryEndsAt = time.Now().AddDate(0, 0, -50) // beyond the grace period, as the simulation has it
	}
}

// seedWebredir makes the redirection that a call changes or deletes.
func seedWebredir(sim *sandbox.Sandbox, fqdn string, e gateway.Explaining) error {
	if e.Method != "domain.webredir.update" && e.Method != "domain.webredir.delete" || len(e.Params) < 2 {
		return nil
	}
	host := strings.ToLower(fmt.Sprint(e.Params[1]))
	if !strings.HasSuffix("."+host, "."+fqdn) {
		host += "." + fqdn
	}
	body, err := json.Marshal(map[string]any{"host": strings.TrimPrefix(host, "@."), "override": false, "protocol": "http", "type": "http302", "url": "http://placeholder.example.com/"})
	if err != nil {
		return err
	}
	r, err := http.NewRequest(http.MethodPost, "http://v5/v5/domain/domains/"+fqdn+"/webredirs", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+sandbox.DefaultToken)
	r.Header.Set("Content-Type", "application/json")
	sim.Handler().ServeHTTP(nowhere{http.Header{}}, r)
	sim.Advance(2 * time.Second) // until it shows
	return nil
}

// nowhere is an answer that nobody reads.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

// printExplanation prints what a shell can run, and all else as its comments.
func printExplanation(out io.Writer, x gateway.Explanation) error {
	var b strings.Builder
	say := func(format string, args ...any) {
		for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
			b.WriteString("# " + oneLine(line) + "\n")
		}
	}
	say("%s", x.Call)
	say("support: %s%s", x.Support, map[bool]string{true: "; " + x.Note}[x.Note != ""])
	switch {
	case x.Assumed:
		say("Nothing was sent. Every answer of v5 is assumed: it is a simulation's, and the real one may differ.")
	default:
		say("Nothing was sent. The answers of v5 are those that were recorded.")
	}
	if len(x.Placeholders) > 0 {
		say("A contact marked PLACEHOLDER stands for %s; --store expands handles.", strings.Join(x.Placeholders, ", "))
	}
	say("Variables: %s.", "$"+strings.Join(x.Variables, ", $"))
	if len(x.Requests) == 0 {
		say("It becomes no v5 request.")
	}
	for i, r := range x.Requests {
		b.WriteString("\n")
		say("%d. answered with %s", i+1, answered(r))
		if r.Behind && !slices.ContainsFunc(x.Requests[:i], func(r gateway.Explained) bool { return r.Behind }) {
			say("From here on it is sent behind the answer to the caller, to follow the operation.")
		}
		b.WriteString(r.Curl + "\n")
	}
	b.WriteString("\n")
	if x.Left > 0 {
		say("%d recorded answers were not asked for.", x.Left)
	}
	if x.Open {
		say("The operation goes on, and is followed, behind what is shown.")
	}
	if x.Fault != "" {
		say("The caller gets %s", x.Fault)
	} else {
		say("The caller gets %s", x.Answer)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func answered(r gateway.Explained) string {
	text := r.Status
	switch r.Status {
	case "cut":
		text = "nothing: the connection was cut"
	case "none":
		text = "nothing: no answer to this request is recorded"
	}
	if r.Assumed {
		text += " (assumed)"
	}
	if r.Times > 1 {
		text += fmt.Sprintf(", after being asked %d times", r.Times)
	}
	return text
}
