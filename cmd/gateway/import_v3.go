package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kolo/xmlrpc"
	"github.com/spf13/cobra"

	"v3gate/internal/estate"
)

func (im *importing) v3Command() *cobra.Command {
	var address, keyFile, connectTo string
	var resume bool
	cmd := &cobra.Command{
		Use:   "v3",
		Short: "Import from a server that still speaks v3",
		Long: `v3 reads contact.list, domain.list and domain.info of the account of a key, in at most 28
calls in 2 seconds, and keeps handles, contact ids, domain ids and which domain uses which
handle. Operations that are still open there are listed: they are not carried on here.

--connect-to is where the server really is, for when its name already leads to this gateway;
its certificate has to be that of the name. What was read is written as it comes, so that an
import that was cut off goes on with --resume: domains whose handles are all known here are
then not read again.`,
		Example: `  gateway import v3 --url https://rpc.gandi.net/xmlrpc/ --key-file v3.key --dry-run --store /var/lib/v3gate/store.db
  gateway import v3 --url https://rpc.gandi.net/xmlrpc/ --key-file v3.key --connect-to 192.0.2.7:443 --resume`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if address == "" || keyFile == "" {
				return errors.New("give --url and --key-file")
			}
			key, err := os.ReadFile(keyFile)
			if err != nil {
				return err
			}
			client, err := clientAt(address, connectTo)
			if err != nil {
				return err
			}
			defer client.Close()
			return im.do(cmd, func(ctx context.Context, p *progress) error {
				s := &v3Source{im: im, ctx: ctx, client: client, key: strings.TrimSpace(string(key)), progress: p,
					pace: pace{most: 28, window: 2 * time.Second}, known: map[string]bool{}, left: map[string]int{}}
				return im.keep(ctx, s.read(resume))
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&address, "url", "", "v3 endpoint to read from")
	f.StringVar(&keyFile, "key-file", "", "file with the v3 API key")
	f.StringVar(&connectTo, "connect-to", "", "IP:PORT to connect to instead of what the name in --url leads to")
	f.BoolVar(&resume, "resume", false, "do not read domains again whose handles are all known here")
	return cmd
}

func clientAt(address, connectTo string) (*xmlrpc.Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("url %q is no http or https address", address)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = time.Minute
	if connectTo != "" {
		if _, _, err := net.SplitHostPort(connectTo); err != nil {
			return nil, fmt.Errorf("connect-to: %w", err)
		}
		transport.Proxy = nil // it would be told the name
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 30 * time.Second}).DialContext(ctx, network, connectTo)
		}
	}
	return xmlrpc.NewClient(address, transport)
}

// pace keeps calls to a number in each window of time, as the old service wanted:
// 30 in 2 seconds for an account, of which its integrations need some, too.
type pace struct {
	most   int
	window time.Duration
	times  []time.Time // of the last calls
}

// wait tells how long the call that comes at now has to wait.
func (p *pace) wait(now time.Time) time.Duration {
	if len(p.times) < p.most {
		p.times = append(p.times, now)
		return 0
	}
	turn := p.times[0].Add(p.window)
	if turn.Before(now) {
		turn = now
	}
	p.times = append(p.times[1:], turn)
	return turn.Sub(now)
}

// v3Source reads an account of the old service into an import.
type v3Source struct {
	im       *importing
	ctx      context.Context
	client   *xmlrpc.Client
	key      string
	progress *progress
	pace     pace
	known    map[string]bool // handles that were added
	left     map[string]int  // members of contacts that are not kept
}

func (s *v3Source) call(method string, params ...any) (answer any, err error) {
	if d := s.pace.wait(time.Now()); d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.ctx.Done():
		}
	}
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.client.Call(method, append([]any{s.key}, params...), &answer); err != nil {
		return nil, fmt.Errorf("%s there: %w", method, err)
	}
	return answer, nil
}

// list goes through the pages of a list. A server that takes no pages ends it by
// bringing the first one again: each tells whether an item is new.
func (s *v3Source) list(method string, options map[string]any, each func(item map[string]any) (fresh bool, err error)) error {
	for page := 0; ; page++ {
		asked := maps.Clone(options)
		asked["page"] = page
		v, err := s.call(method, asked)
		if err != nil {
			return err
		}
		items, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%s there: the answer is no list", method)
		}
		brought := false
		for _, item := range items {
			m, ok := item.(map[string]any)
			if !ok {
				return fmt.Errorf("%s there: an item is no struct", method)
			}
			fresh, err := each(m)
			if err != nil {
				return err
			}
			brought = brought || fresh
		}
		if !brought {
			return nil
		}
	}
}

const perPage = 100 // the old service's default, which every server takes

func (s *v3Source) read(resume bool) error {
	own, err := s.call("contact.info")
	if err != nil {
		return err
	}
	m, _ := own.(map[string]any)
	if err := s.contact(m, true); err != nil {
		return err
	}
	err = s.list("contact.list", map[string]any{"items_per_page": perPage}, func(m map[string]any) (bool, error) {
		handle := text(m["handle"])
		if s.known[handle] {
			return false, nil
		}
		if _, whole := m["streetaddr"]; !whole {
			return true, s.contactOf(handle)
		}
		return true, s.contact(m, false)
	})
	if err != nil {
		return err
	}
	domains, err := s.domains()
	if err != nil {
		return err
	}
	s.progress.total = len(s.known) + len(domains)
	if resume {
		if domains, err = s.unknown(domains); err != nil {
			return err
		}
	}
	for _, e := range domains {
		if err := s.domain(e.FQDN); err != nil {
			return err
		}
	}
	if err := errors.Join(s.im.run.Flush(s.ctx), s.operations()); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.left)) {
		s.im.run.Say(fmt.Sprintf("left out: %s of %d contacts, which this gateway does not keep", name, s.left[name]))
	}
	return nil
}

func (s *v3Source) contactOf(handle string) error {
	v, err := s.call("contact.info", handle)
	if err != nil {
		return err
	}
	m, _ := v.(map[string]any)
	return s.contact(m, false)
}

func (s *v3Source) contact(m map[string]any, own bool) error {
	e, left, err := v3Contact(m)
	for _, name := range left {
		s.left[name]++
	}
	if e.Own = own; err != nil {
		return fmt.Errorf("contact %s there: %w", e.Handle, err)
	}
	s.known[e.Handle] = true
	return s.im.run.Add(s.ctx, e, "contact")
}

func (s *v3Source) domains() ([]estate.Entry, error) {
	var out []estate.Entry
	seen := map[string]bool{}
	err := s.list("domain.list", map[string]any{"items_per_page": perPage, "sort_by": "fqdn"}, func(m map[string]any) (bool, error) {
		fqdn, id := text(m["fqdn"]), number(m["id"])
		if fqdn == "" || id == 0 {
			return false, errors.New("domain.list there: a domain without fqdn or id")
		}
		fresh := !seen[fqdn]
		if fresh {
			seen[fqdn] = true
			out = append(out, estate.Entry{Tenant: s.im.run.Tenant, FQDN: strings.ToLower(fqdn), ID: id})
		}
		return fresh, nil
	})
	return out, err
}

// unknown leaves out the domains that are here with all their handles.
func (s *v3Source) unknown(domains []estate.Entry) ([]estate.Entry, error) {
	if err := s.im.run.Flush(s.ctx); err != nil {
		return nil, err
	}
	var out []estate.Entry
	for some := range slices.Chunk(domains, 500) {
		left, err := s.im.unknown(s.ctx, some)
		if err != nil {
			return nil, err
		}
		out = append(out, left...)
	}
	return out, nil
}

func (s *v3Source) domain(fqdn string) error {
	v, err := s.call("domain.info", fqdn)
	if err != nil {
		return err
	}
	m, _ := v.(map[string]any)
	contacts, _ := m["contacts"].(map[string]any)
	e := estate.Entry{FQDN: strings.ToLower(text(m["fqdn"])), ID: number(m["id"])}
	for role, to := range map[string]*string{"owner": &e.Owner, "admin": &e.Admin, "bill": &e.Bill, "tech": &e.Tech} {
		c, _ := contacts[role].(map[string]any)
		*to = text(c["handle"])
		if *to != "" && !s.known[*to] {
			if err := s.contactOf(*to); err != nil {
				return fmt.Errorf("%s of %s: %w", role, fqdn, err)
			}
		}
	}
	if e.FQDN == "" || e.ID == 0 || e.Owner == "" {
		return fmt.Errorf("domain.info of %s there: no fqdn, id or owner", fqdn)
	}
	return s.im.run.Add(s.ctx, e, "domain")
}

// operations lists those that are still open there.
func (s *v3Source) operations() error {
	open := map[int64]bool{}
	options := map[string]any{"items_per_page": perPage, "sort_by": "id", "step": []any{"BILL", "WAIT", "RUN"}}
	err := s.list("operation.list", options, func(m map[string]any) (bool, error) {
		id := number(m["id"])
		fresh := !open[id]
		if open[id] = true; fresh {
			infos, _ := m["infos"].(map[string]any)
			s.im.run.Say(fmt.Sprintf("open there: operation %d, %s %s, step %s", id, text(m["type"]), text(infos["label"]), text(m["step"])))
		}
		return fresh, nil
	})
	if len(open) > 0 {
		s.im.run.Say(fmt.Sprintf("%d operations are open there; wait for their end, and import again, before callers are pointed here", len(open)))
	}
	return err
}
