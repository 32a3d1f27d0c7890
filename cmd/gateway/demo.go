package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kolo/xmlrpc"
	"github.com/spf13/cobra"

	"v3gate/internal/config"
	"v3gate/internal/gateway"
	"v3gate/internal/sandbox"
)

func demoCommand() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Play a reseller's session and show what becomes of each call",
		Long: `demo starts a simulated v5 API and a gateway on free loopback ports, plays the session
of Gandi's migration FAQ with a stock XML-RPC client over HTTP, and prints for each
step the v3 call, the v5 requests it became, and the v3 answer. It needs no account,
no configuration and no network, and ends with status 0 only if every step gave what
it should.`,
		Example: "  gateway demo\n  gateway demo --serve",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromEnvironment(cmd); err != nil {
				return err
			}
			return demo(cmd.Context(), cmd.OutOrStdout(), keep)
		},
	}
	cmd.Flags().BoolVar(&keep, "serve", false, "keep both running afterwards and print a Python snippet to try")
	return cmd
}

// stepTime is how long the simulation stays in each step.
const stepTime = time.Second

const demoKey = "sandboxsandboxsandbox123"

func demo(ctx context.Context, out io.Writer, keep bool) (err error) {
	dir, err := os.MkdirTemp("", "v3gate-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	sim := sandbox.New(sandbox.Options{StepTime: stepTime})
	sim.Freeze(true) // its clock moves when a step has been seen, so that each one is
	api, closeAPI, err := listen("127.0.0.1:0", sim.Handler())
	if err != nil {
		return err
	}
	defer closeAPI()

	d := &demonstration{out: out, ctx: ctx, sim: sim}
	cfg := config.Default()
	cfg.Listen, cfg.Admin, cfg.LogLevel = "127.0.0.1:0", "127.0.0.1:0", "warn"
	cfg.Store, cfg.V5URL = filepath.Join(dir, "store.db"), api+"/v5"
	cfg.Tenants = []config.Tenant{sandboxTenant(demoKey)}
	g, err := gateway.New(cfg, gateway.Hooks{})
	if err != nil {
		return err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.Background(), cfg.StopTimeout)
		defer cancel()
		err = errors.Join(err, g.Stop(stopping))
	}()
	if err := g.Start(); err != nil {
		return err
	}
	url := "http://" + g.Addr() + "/xmlrpc/"
	if d.client, err = newClient(url); err != nil {
		return err
	}
	defer d.client.Close()
	fmt.Fprintf(out, "v3 endpoint %s, simulated v5 %s/v5\n", url, api)
	if err := d.play(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nEvery step gave what it should. The ledger of the simulation:\n")
	for _, c := range sim.Ledger() {
		fmt.Fprintf(out, "  %s %s, %d year(s): %s\n", c.What, c.FQDN, c.Years, c.Amount)
	}
	if keep {
		sim.Freeze(false)
		fmt.Fprintf(out, snippet, url, demoKey)
		<-ctx.Done()
	}
	return nil
}

const snippet = `
Still running; stop with Ctrl-C. Try it from Python:

  import xmlrpc.client
  api = xmlrpc.client.ServerProxy('%s', allow_none=True)
  key = '%s'
  print(api.domain.info(key, 'mydomain.net'))
  print(api.operation.list(key, {'sort_by': 'date_created DESC'}))
`

// demonstration plays calls one after the other and prints them.
type demonstration struct {
	ctx    context.Context
	out    io.Writer
	client *xmlrpc.Client
	sim    *sandbox.Sandbox
	shown  int // v5 requests printed so far

}

// play is the session of the migration FAQ. It ends with an error at the first
// step that does not give what it should.
func (d *demonstration) play() error {
	alice := map[string]any{
		"given": "First Name", "family": "Last Name", "email": "example@example.com",
		"streetaddr": "My Street Address", "zip": "75011", "city": "Paris", "country": "FR",
		"phone": "+33.123456789", "type": 0, "password": "xxxxxxxx",
	}
	bob := map[string]any{
		"given": "Bob", "family": "Doe", "email": "bob@example.org", "streetaddr": "8 rue neuve", "zip": "75001",
		"city": "Paris", "country": "FR", "phone": "+33.123456788", "type": 0, "password": "xxxxxxxx",
	}
	const domain = "mydomain.net"
	s := &steps{d: d}
	s.call("The gateway speaks v3", "version.info").is("3.3.42", "api_version")
	first := s.call("A contact is created; v5 is not asked, it has no contacts", "contact.create", alice).text("handle")
	s.until("Is the name free? Asked again while it is pending", "domain.available", domain, []string{"pending", "available"}, []string{domain})
	op := s.call("The domain is registered", "domain.create", domain, map[string]any{
		"owner": first, "admin": first, "bill": first, "tech": first, "duration": 1,
		"nameservers": []string{"a.dns.gandi-ote.net", "b.dns.gandi-ote.net", "c.dns.gandi-ote.net"},
	}).is("BILL", "step").number("id")
	s.until("The operation is followed to its end", "operation.info", "step", []string{"BILL", "WAIT", "RUN", "DONE"}, op)
	s.call("The domain's contacts are handles again", "domain.info", domain).is(first, "contacts", "owner", "handle")
	second := s.call("A second contact", "contact.create", bob).text("handle")
	op = s.call("Three contacts are changed", "domain.contacts.set", domain,
		map[string]any{"admin": second, "tech": second, "bill": second}).number("id")
	s.until("That operation too", "operation.info", "step", []string{"RUN", "DONE"}, op)
	op = s.call("The domain gets another owner", "domain.owner.set", domain,
		map[string]any{"owner": second, "admin": second, "tech": second, "bill": second, "old_owner": first}).number("id")
	s.until("And that one", "operation.info", "step", []string{"WAIT", "RUN", "DONE"}, op)
	s.call("The new owner is seen", "domain.info", domain).is(second, "contacts", "owner", "handle")
	s.refused("What cannot be honoured is refused by its name", "domain.create", 501637, "other.net", map[string]any{
		"owner": first, "admin": first, "bill": first, "tech": first, "duration": 1, "authinfo": "xyz",
	})
	if n := len(d.sim.Ledger()); s.err == nil && n != 2 {
		return fmt.Errorf("the ledger has %d charges, not the registration and the change of owner", n)
	}
	return s.err
}

// steps are calls in a row; after the first failure the rest do nothing.
type steps struct {
	d   *demonstration
	err error
	n   int
}

// answer is what a call gave, with where to report a wrong one.
type answer struct {
	s    *steps
	what string
	v    any
}

func (s *steps) call(title, method string, params ...any) answer {
	if s.err != nil {
		return answer{s: s}
	}
	s.title(title)
	v, err := s.d.show(method, params)
	if err != nil {
		s.err = fmt.Errorf("%s: %w", method, err)
	}
	return answer{s: s, what: method, v: v}
}

// until repeats a call, as polling clients do, until a member of its answer has
// the last of the wanted values; those before must have been seen in order.
func (s *steps) until(title, method, member string, wanted []string, params ...any) {
	if s.err != nil {
		return
	}
	s.title(title)
	deadline := time.Now().Add(time.Minute)
	for i := 0; ; {
		v, err := s.d.show(method, params)
		if err != nil {
			s.err = fmt.Errorf("%s: %w", method, err)
			return
		}
		switch got := fmt.Sprint(dig(v, member)); {
		case got == wanted[i]:
			if i++; i == len(wanted) {
				return
			}
			s.d.sim.Advance(stepTime)
		case i == 0 || got != wanted[i-1] || time.Now().After(deadline):
			s.err = fmt.Errorf("%s: %s is %s, not %s", method, member, got, wanted[i])
			return
		}
		// The gateway looks at v5 at most once a second for one operation.
		select {
		case <-time.After(1100 * time.Millisecond):
		case <-s.d.ctx.Done():
			s.err = s.d.ctx.Err()
			return
		}
	}
}

func (s *steps) refused(title, method string, code int, params ...any) {
	if s.err != nil {
		return
	}
	s.title(title)
	_, err := s.d.show(method, params)
	// kolo/xmlrpc hands faults through net/rpc, which keeps their text only.
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("Fault(%d)", code)) {
		s.err = fmt.Errorf("%s: got %v, want fault %d", method, err, code)
	}
}

func (s *steps) title(text string) {
	s.n++
	fmt.Fprintf(s.d.out, "\n%d. %s\n", s.n, text)
}

// is checks a member of the answer.
func (a answer) is(want string, path ...string) answer {
	if got := fmt.Sprint(dig(a.v, path...)); a.s.err == nil && got != want {
		a.s.err = fmt.Errorf("%s: %v is %s, not %s", a.what, path, got, want)
	}
	return a
}

func (a answer) text(member string) string {
	text, ok := dig(a.v, member).(string)
	if a.s.err == nil && !ok {
		a.s.err = fmt.Errorf("%s: no text in %s", a.what, member)
	}
	return text
}

func (a answer) number(member string) int64 {
	n, ok := dig(a.v, member).(int64)
	if a.s.err == nil && !ok {
		a.s.err = fmt.Errorf("%s: no number in %s", a.what, member)
	}
	return n
}

func dig(v any, path ...string) any {
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// show makes a call and prints it, the v5 requests it became, and the answer.
func (d *demonstration) show(method string, params []any) (any, error) {
	fmt.Fprintf(d.out, "   v3  %s(apikey", method)
	for _, p := range params {
		fmt.Fprintf(d.out, ", %s", masked(p))
	}
	fmt.Fprintln(d.out, ")")
	var v any
	err := d.client.Call(method, append([]any{demoKey}, params...), &v)
	requests := d.sim.Requests()
	for _, r := range requests[d.shown:] {
		d.printRequest(r)
	}
	d.shown = len(requests)
	if err != nil {
		fmt.Fprintf(d.out, "   =>  fault: %v\n", err)
		return nil, err
	}
	fmt.Fprintf(d.out, "   =>  %s\n", masked(v))
	return v, nil
}

func (d *demonstration) printRequest(r sandbox.Request) {
	path := r.Path
	if r.Query != "" {
		path += "?" + r.Query
	}
	mark := ""
	if r.DryRun {
		mark = "  (Dry-Run: 1)"
	}
	fmt.Fprintf(d.out, "   v5    %s %s%s  Authorization: Bearer ***  -> %d\n", r.Method, path, mark, r.Status)
	if r.Body != "" && r.Body != "{}" {
		fmt.Fprintf(d.out, "         %s\n", r.Body)
	}
}

// masked prints a value as JSON without passwords and transfer codes.
func masked(v any) string {
	if m, ok := v.(map[string]any); ok {
		hidden := make(map[string]any, len(m))
		for name, value := range m {
			if (name == "password" || name == "authinfo") && value != nil {
				value = "***"
			}
			hidden[name] = value
		}
		v = hidden
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}
