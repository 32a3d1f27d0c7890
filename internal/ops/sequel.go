package ops

import (
	"context"
	"encoding/json"
	"errors"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// Sequel is what is to be done with a domain once it is there, one after the
// other: v5 refuses name servers without their glue records, a zone replaces all
// records, and a redirection makes its own.
type Sequel struct {
	Hosts       []HostRequest
	Nameservers *NameserversRequest // nil leaves them
	// Zone is the request of the item ItemZone, which is for a kind of
	// Options.Kinds to do; nil for none.
	Zone     json.RawMessage
	Webredir *v5.NewWebredir
}

// ItemZone is the name of the item that gives a domain its zone.
const ItemZone = "zone"

// Items is the work list of a sequel.
func (q Sequel) Items() (items []Item, err error) {
	add := func(name string, it sequelItem) {
		raw, wrong := json.Marshal(it)
		items, err = append(items, Item{Name: name, Request: raw}), errors.Join(err, wrong)
	}
	for i := range q.Hosts {
		add("host "+q.Hosts[i].Label+" of "+q.Hosts[i].Domain, sequelItem{Host: &q.Hosts[i]})
	}
	if q.Nameservers != nil {
		add("nameservers", sequelItem{Nameservers: q.Nameservers})
	}
	if q.Zone != nil {
		items = append(items, Item{Name: ItemZone, Request: q.Zone})
	}
	if q.Webredir != nil {
		add("webredir", sequelItem{Webredir: q.Webredir})
	}
	return items, err
}

// sequelItem is one thing of a sequel; one member is given.
type sequelItem struct {
	Host        *HostRequest        `json:",omitempty"`
	Nameservers *NameserversRequest `json:",omitempty"`
	Webredir    *v5.NewWebredir     `json:",omitempty"`
}

// nameserverHosts is nameservers after glue records that it needs, or before a
// zone.
var nameserverHosts = Kind{Sequential: true, DoItem: doSequel, ShownItem: showsSequel}

// followed gives a purchase its sequel.
func followed(k Kind) Kind {
	k.Sequel, k.Sequential, k.ShownItem = true, true, showsSequel
	k.DoItem = func(ctx context.Context, s *v5.Session, op *Operation, item *Item) error {
		err := doSequel(ctx, s, op, item)
		if absent(err) { // parts of v5 learn of a new domain later than others
			return &LaterError{Reason: "v5 does not know the domain everywhere yet"}
		}
		return err
	}
	return k
}

// doSequel sends an item unless v5 shows it. v5 carries out later what it takes,
// so an item is at its end when v5 shows it: one that was sent is looked for, and
// sent again as long as it is not there, which does no harm.
func doSequel(ctx context.Context, s *v5.Session, op *Operation, item *Item) error {
	it, err := request[sequelItem](item.Request)
	if err != nil {
		return err
	}
	if done, err := it.shown(ctx, s, op.FQDN); done || err != nil {
		return err
	}
	if err := it.send(ctx, s, op.FQDN); err != nil {
		return err
	}
	return &LaterError{Reason: "v5 took the change and does not show it"}
}

func showsSequel(ctx context.Context, s *v5.Session, op *Operation, item *Item) (bool, error) {
	it, err := request[sequelItem](item.Request)
	if err != nil {
		return false, err
	}
	return it.shown(ctx, s, op.FQDN)
}

func (it *sequelItem) shown(ctx context.Context, s *v5.Session, fqdn string) (bool, error) {
	switch {
	case it.Host != nil:
		return showsHost(ctx, s, *it.Host)
	case it.Nameservers != nil:
		return showsNameservers(ctx, s, fqdn, *it.Nameservers)
	}
	w, err := webredirOf(ctx, s, fqdn, it.Webredir.Host)
	return w != nil && w.Type == it.Webredir.Type && w.URL == it.Webredir.URL, err
}

func (it *sequelItem) send(ctx context.Context, s *v5.Session, fqdn string) error {
	switch {
	case it.Host != nil:
		return setHost(ctx, s, *it.Host)
	case it.Nameservers != nil:
		return setNameservers(ctx, s, fqdn, *it.Nameservers)
	}
	w, err := webredirOf(ctx, s, fqdn, it.Webredir.Host)
	switch {
	case err != nil:
		return err
	case w == nil:
		return s.CreateWebredir(ctx, fqdn, *it.Webredir)
	}
	return s.UpdateWebredir(ctx, fqdn, w.Host, it.Webredir.Type, it.Webredir.URL)
}

// setHost makes a glue record, or gives one that is there other addresses.
func setHost(ctx context.Context, s *v5.Session, r HostRequest) error {
	_, err := s.Host(ctx, r.Domain, r.Label)
	if e := (*v5.Error)(nil); errors.As(err, &e) && e.Missing() {
		return s.CreateHost(ctx, r.Domain, r.Label, r.IPs)
	}
	if err != nil {
		return err
	}
	return s.UpdateHost(ctx, r.Domain, r.Label, r.IPs)
}

// webredirOf reads a redirection; nil where there is none.
func webredirOf(ctx context.Context, s *v5.Session, fqdn, host string) (*v5.Webredir, error) {
	w, err := s.Webredir(ctx, fqdn, host)
	if e := (*v5.Error)(nil); errors.As(err, &e) && e.Missing() {
		return nil, nil
	}
	return w, err
}

// RelaunchSequel does once more what follows a purchase, as far as it is not done,
// for an operation that ended in ERROR because of it. The purchase is not touched,
// so this costs nothing. params and items take the place of those before. ErrStep
// where an operation has not come that far, or is not in ERROR.
func (e *Engine) RelaunchSequel(ctx context.Context, tenant string, id int64, params json.RawMessage, items []Item) (Operation, error) {
	if _, err := e.Get(tenant, id); err != nil {
		return Operation{}, err
	}
	op, err := e.reserve(ctx, id, func() (after Operation, err error) {
		var next []Operation
		err = e.db.Update(func(tx *store.Tx) error {
			next = nil
			op, err := load(tx, id)
			switch {
			case err != nil:
				return err
			case op.Step != Error || !e.SequelLeft(op):
				return ErrStep
			}
			now := e.opt.Now().UTC()
			op.Step, op.LastError, op.ErrorType, op.Params = Run, "", "", params
			op.Updated, op.Relaunched = now, now
			if err := stock(tx, op, ListOf(items...)); err != nil {
				return err
			}
			next, err = e.write(tx, op)
			after = *op
			return err
		})
		if err != nil {
			return Operation{}, err
		}
		e.count(Error, &after)
		e.begun(next)
		return after, nil
	})
	if err == nil {
		e.turn(id)
	}
	return op, err
}

// SequelLeft tells an operation whose purchase is done: all that can be left of it
// is what follows.
func (e *Engine) SequelLeft(op *Operation) bool { return e.kinds[op.Kind].Sequel && op.Work.Begun }
