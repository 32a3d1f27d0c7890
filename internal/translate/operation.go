package translate

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/xmlrpc"
)

// operationOut is an operation as v3 gave it: exactly these members (v3 domain
// reference), with the types that were recorded: eta an int, infos a struct,
// errortype nil.
type operationOut struct {
	DateCreated time.Time    `v3:"date_created"`
	DateStart   *time.Time   `v3:"date_start"`
	DateUpdated time.Time    `v3:"date_updated"`
	ErrorType   *[]string    `v3:"errortype"`
	ETA         int64        `v3:"eta"`
	ID          int64        `v3:"id"`
	Infos       infosOut     `v3:"infos"`
	LastError   *string      `v3:"last_error"`
	Params      xmlrpc.Value `v3:"params"`
	SessionID   int64        `v3:"session_id"`
	Source      string       `v3:"source"`
	Step        string       `v3:"step"`
	Type        string       `v3:"type"`
}

// infosOut is what an operation was about; id, quantity and extras were always
// empty for domains (recorded).
type infosOut struct {
	Extras        keyed  `v3:"extras"`
	ID            string `v3:"id"`
	Label         string `v3:"label"`
	ProductAction string `v3:"product_action"`
	ProductName   string `v3:"product_name"`
	ProductType   string `v3:"product_type"`
	Quantity      string `v3:"quantity"`
}

// expected is how long an operation is thought to take; eta counts down from it
// and goes below zero on one that takes longer, as it did in v3 (recorded).
const expected = time.Minute

func (s *Services) operationAnswer(op *ops.Operation) (operationOut, error) {
	params, err := fromJSON(op.Params)
	if err != nil {
		return operationOut{}, fmt.Errorf("params of operation %d: %w", op.ID, err)
	}
	params = withMember(params, xmlrpc.M("session_id", xmlrpc.Int(op.Session)))
	out := operationOut{
		DateCreated: paris(op.Created), DateStart: parisOrNil(&op.Started), DateUpdated: paris(op.Updated),
		ID: op.ID, LastError: orNil(op.LastError), Params: params, SessionID: op.Session,
		Source: op.Source, Step: string(op.Step), Type: op.Type,
		Infos: infosOut{
			Extras: keyed{}, Label: op.Infos.Label, ProductAction: op.Infos.Action,
			ProductName: op.Infos.TLD, ProductType: "domain",
		},
	}
	if !op.Step.AtEnd() {
		out.ETA = int64(op.Created.Add(expected).Sub(s.Now()) / time.Second)
	}
	return out, nil
}

type operationIDIn struct {
	ID int64 `v3:"id"`
}

// operationInfo looks at v5 before it answers, so that a caller who polls sees
// the end as soon as v5 has reached it.
func operationInfo(ctx context.Context, c *Call, in operationIDIn) (operationOut, error) {
	op, err := c.Ops.Refresh(ctx, c.Tenant.Name, in.ID)
	if err != nil {
		return operationOut{}, err
	}
	return c.operationAnswer(&op)
}

// operationOpts are the options of operation.list and operation.count.
type operationOpts struct {
	ID           oneOrMany    `v3:"id,opt"`
	Type         oneOrMany    `v3:"type,opt"`
	Step         oneOrMany    `v3:"step,opt"`
	Domain       oneOrMany    `v3:"domain,opt"`
	ItemsPerPage *int64       `v3:"items_per_page,opt"`
	Page         int64        `v3:"page,opt"`
	SortBy       string       `v3:"sort_by,opt"`
	CreatedAfter xmlrpc.Value `v3:">date_created" refuse:"filters by date are not built yet"`
	CreatedUntil xmlrpc.Value `v3:"<date_created" refuse:"filters by date are not built yet"`
	CreatedExact xmlrpc.Value `v3:"=date_created" refuse:"filters by date are not built yet"`
	CreatedAt    xmlrpc.Value `v3:"date_created" refuse:"filters by date are not built yet"`
	StartAfter   xmlrpc.Value `v3:">date_start" refuse:"filters by date are not built yet"`
	StartUntil   xmlrpc.Value `v3:"<date_start" refuse:"filters by date are not built yet"`
	StartExact   xmlrpc.Value `v3:"=date_start" refuse:"filters by date are not built yet"`
	StartAt      xmlrpc.Value `v3:"date_start" refuse:"filters by date are not built yet"`
	UpdatedAfter xmlrpc.Value `v3:">date_updated" refuse:"filters by date are not built yet"`
	UpdatedUntil xmlrpc.Value `v3:"<date_updated" refuse:"filters by date are not built yet"`
	UpdatedExact xmlrpc.Value `v3:"=date_updated" refuse:"filters by date are not built yet"`
	UpdatedAt    xmlrpc.Value `v3:"date_updated" refuse:"filters by date are not built yet"`
	ContactID    xmlrpc.Value `v3:"contact_id" refuse:"the filter by contact is not built yet"`
	CertID       xmlrpc.Value `v3:"cert_id" refuse:"there are no certificates behind this gateway"`
	CertHostname xmlrpc.Value `v3:"cert.hostname" refuse:"there are no certificates behind this gateway"`
	DiskName     xmlrpc.Value `v3:"disk.name" refuse:"there is no hosting behind this gateway"`
	DiskID       xmlrpc.Value `v3:"disk_id" refuse:"there is no hosting behind this gateway"`
	VMID         xmlrpc.Value `v3:"vm_id" refuse:"there is no hosting behind this gateway"`
}

type operationListIn struct {
	Opts operationOpts `v3:"opts,opt"`
}

// filter turns the options into a filter of the journal.
func (o *operationOpts) filter() (ops.Filter, error) {
	f := ops.Filter{Types: o.Type, Steps: o.Step}
	for _, text := range o.ID {
		id, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return f, fault.New(fault.Integer, fault.CauseType, "opts.id must be of type int, not '%s'", clip(text))
		}
		f.IDs = append(f.IDs, id)
	}
	for _, name := range o.Domain {
		fqdn, err := normal(name)
		if err != nil {
			return f, err
		}
		f.FQDNs = append(f.FQDNs, fqdn)
	}
	return f, nil
}

// page is how many items to leave out and how many to give at most: 100 by
// default, pages from 0.
func (o *operationOpts) page() (skip, most int64, err error) {
	most = 100
	if o.ItemsPerPage != nil {
		most = *o.ItemsPerPage
	}
	if most < 0 || o.Page < 0 || most > 0 && o.Page > (1<<31)/most {
		return 0, 0, fault.New(fault.Integer, fault.CauseValue, "opts.items_per_page and opts.page cannot be below 0 or that large")
	}
	return o.Page * most, most, nil
}

func operationList(_ context.Context, c *Call, in operationListIn) ([]operationOut, error) {
	filter, err := in.Opts.filter()
	if err != nil {
		return nil, err
	}
	skip, most, err := in.Opts.page()
	if err != nil {
		return nil, err
	}
	order, err := operationOrder(in.Opts.SortBy)
	if err != nil {
		return nil, err
	}
	found, err := c.listOperations(filter, order, skip+most)
	if err != nil {
		return nil, err
	}
	out := []operationOut{}
	for i := skip; i < min(skip+most, int64(len(found))); i++ {
		answer, err := c.operationAnswer(&found[i])
		if err != nil {
			return nil, err
		}
		out = append(out, answer)
	}
	return out, nil
}

// listOperations gives the first operations in an order. The journal holds them
// by id, which is by creation too; only other orders read them all.
func (c *Call) listOperations(f ops.Filter, o order, most int64) ([]ops.Operation, error) {
	var found []ops.Operation
	err := c.Ops.List(c.Tenant.Name, f, o.by == nil && o.down, func(op ops.Operation) error {
		if o.by == nil && int64(len(found)) >= most {
			return store.Stop
		}
		found = append(found, op)
		return nil
	})
	if o.by != nil {
		slices.SortStableFunc(found, func(a, b ops.Operation) int {
			if o.down {
				a, b = b, a
			}
			return o.by(&a, &b)
		})
	}
	return found, err
}

// order is a sort_by: by is nil for the order of the journal.
type order struct {
	by   func(a, b *ops.Operation) int
	down bool
}

// operationOrder reads "field", "field desc" and "field DESC" (both are sent).
func operationOrder(sortBy string) (order, error) {
	words := strings.Fields(sortBy)
	if len(words) == 0 {
		return order{}, nil
	}
	o := order{}
	switch words[0] {
	case "id", "date_created":
	case "date_updated":
		o.by = func(a, b *ops.Operation) int { return a.Updated.Compare(b.Updated) }
	case "date_start":
		o.by = func(a, b *ops.Operation) int { return a.Started.Compare(b.Started) }
	case "type":
		o.by = func(a, b *ops.Operation) int { return cmp.Compare(a.Type, b.Type) }
	case "step":
		o.by = func(a, b *ops.Operation) int { return cmp.Compare(a.Step, b.Step) }
	case "domain":
		o.by = func(a, b *ops.Operation) int { return cmp.Compare(a.FQDN, b.FQDN) }
	default:
		return o, fault.New(fault.String, fault.CauseValue,
			"opts.sort_by: '%s' is not one of date_created, date_start, date_updated, domain, id, step, type", clip(words[0]))
	}
	switch {
	case len(words) == 1, len(words) == 2 && strings.EqualFold(words[1], "asc"):
	case len(words) == 2 && strings.EqualFold(words[1], "desc"):
		o.down = true
	default:
		return o, fault.New(fault.String, fault.CauseValue, "opts.sort_by: '%s' is no field with asc or desc", clip(sortBy))
	}
	return o, nil
}

func operationCount(_ context.Context, c *Call, in operationListIn) (int64, error) {
	filter, err := in.Opts.filter()
	if err != nil {
		return 0, err
	}
	var n int64
	err = c.Ops.List(c.Tenant.Name, filter, false, func(ops.Operation) error { n++; return nil })
	return n, err
}

// withMember adds a member to a struct.
func withMember(v xmlrpc.Value, m xmlrpc.Member) xmlrpc.Value {
	members := make([]xmlrpc.Member, 0, v.Len()+1)
	for i := range v.Len() {
		members = append(members, v.Member(i))
	}
	return xmlrpc.Struct(append(members, m)...)
}

// fromJSON turns a JSON value into a wire value, members in the order written.
func fromJSON(raw json.RawMessage) (xmlrpc.Value, error) {
	if len(raw) == 0 {
		return xmlrpc.Struct(), nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return jsonValue(dec)
}

func jsonValue(dec *json.Decoder) (xmlrpc.Value, error) {
	token, err := dec.Token()
	if err != nil {
		return xmlrpc.Value{}, err
	}
	switch t := token.(type) {
	case string:
		return xmlrpc.String(t), nil
	case bool:
		return xmlrpc.Bool(t), nil
	case json.Number:
		n, err := t.Int64()
		return xmlrpc.Int(n), err
	case json.Delim:
		return jsonContainer(dec, t)
	}
	return xmlrpc.Nil(), nil
}

func jsonContainer(dec *json.Decoder, open json.Delim) (xmlrpc.Value, error) {
	var members []xmlrpc.Member
	var items []xmlrpc.Value
	for dec.More() {
		var name string
		if open == '{' {
			token, err := dec.Token()
			if err != nil {
				return xmlrpc.Value{}, err
			}
			name, _ = token.(string)
		}
		v, err := jsonValue(dec)
		if err != nil {
			return xmlrpc.Value{}, err
		}
		if open == '{' {
			members = append(members, xmlrpc.M(name, v))
		} else {
			items = append(items, v)
		}
	}
	if _, err := dec.Token(); err != nil {
		return xmlrpc.Value{}, err
	}
	if open == '{' {
		return xmlrpc.Struct(members...), nil
	}
	return xmlrpc.Array(items...), nil
}
