package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"v3gate/internal/estate"
)

func (im *importing) v3Command() *cobra.Command {
	var server v3Server
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
			if err := server.open(); err != nil {
				return err
			}
			defer server.client.Close()
			return im.do(cmd, func(ctx context.Context, p *progress) error {
				s := &v3Source{v3Server: &server, im: im, ctx: ctx, progress: p, known: map[string]bool{}, left: map[string]int{}}
				return im.keep(ctx, s.read(resume))
			})
		},
	}
	f := cmd.Flags()
	server.flags(f)
	f.BoolVar(&resume, "resume", false, "do not read domains again whose handles are all known here")
	return cmd
}

// v3Source reads an account of the old service into an import.
type v3Source struct {
	*v3Server
	im       *importing
	ctx      context.Context
	progress *progress
	known    map[string]bool // handles that were added
	left     map[string]int  // members of contacts that are not kept
}

func (s *v3Source) read(resume bool) error {
	own, err := s.call(s.ctx, "contact.info")
	if err != nil {
		return err
	}
	m, _ := own.(map[string]any)
	if err := s.contact(m, true); err != nil {
		return err
	}
	err = s.list(s.ctx, "contact.list", nil, nil, func(m map[string]any) (bool, error) {
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
	v, err := s.call(s.ctx, "contact.info", handle)
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
	err := s.list(s.ctx, "domain.list", nil, map[string]any{"sort_by": "fqdn"}, func(m map[string]any) (bool, error) {
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
	v, err := s.call(s.ctx, "domain.info", fqdn)
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
	options := map[string]any{"sort_by": "id", "step": []any{"BILL", "WAIT", "RUN"}}
	err := s.list(s.ctx, "operation.list", nil, options, func(m map[string]any) (bool, error) {
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
