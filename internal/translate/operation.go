package translate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"v3gate/internal/ops"
	"v3gate/internal/query"
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
		ID: op.ID, Params: params, SessionID: op.Session,
		Source: op.Source, Step: string(op.Step), Type: op.Type,
		Infos: infosOut{
			Extras: keyed{}, Label: op.Infos.Label, ProductAction: op.Infos.Action,
			ProductName: op.Infos.TLD,
		},
	}
	if op.Infos.TLD != "" { // a contact is no product
		out.Infos.ProductType = "domain"
	}
	out.LastError, out.ErrorType = lastError(op)
	if !op.Step.AtEnd() {
		out.ETA = int64(op.Created.Add(expected).Sub(s.Now()) / time.Second)
	}
	return out, nil
}

// lastError is the text of what went wrong and, where v5 gave an identifier that
// v3 documents, that one in brackets in front and in errortype. Clients take nil
// or an array there, not the documented struct (seen in clients).
func lastError(op *ops.Operation) (text *string, errortype *[]string) {
	if op.Step != ops.Error && op.Step != ops.Support || op.LastError == "" {
		return orNil(op.LastError), nil
	}
	if !slices.Contains(errorTypes, op.ErrorType) {
		return &op.LastError, nil
	}
	shown := "[" + op.ErrorType + "] " + op.LastError
	return &shown, &[]string{op.ErrorType}
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

// operationOptions are those of operation.list and operation.count. Operations
// come from the journal by their ids, which grow with time. None is about a
// certificate, a disk or a server, so filters by these find none.
func operationOptions() *query.Schema[ops.Operation] {
	type op = ops.Operation
	const date = query.Eq | query.EqSign | query.Lt | query.Gt | query.Sort
	none := func(*op) int64 { return query.None }
	nothing := func(*op) []string { return nil }
	return query.New(query.DefaultPerPage,
		query.Time("date_created", date|query.Natural, parisZone, func(o *op) time.Time { return o.Created }),
		query.Time("date_start", date, parisZone, func(o *op) time.Time { return o.Started }),
		query.Time("date_updated", date, parisZone, func(o *op) time.Time { return o.Updated }),
		query.Int("contact_id", query.Eq, callerOf),
		query.Text("domain", query.Eq|query.Many|query.Sort, func(o *op) string { return o.FQDN }).Form(normal),
		query.Int("cert_id", query.Eq|query.Many, none),
		query.Texts("cert.hostname", query.Eq, nothing),
		query.Texts("disk.name", query.Eq, nothing),
		query.Int("disk_id", query.Eq, none),
		query.Int("vm_id", query.Eq, none),
		query.Int("id", query.Eq|query.Many|query.Sort|query.Natural, func(o *op) int64 { return o.ID }),
		query.Text("type", query.Eq|query.Many|query.Sort, func(o *op) string { return o.Type }),
		query.Text("step", query.Eq|query.Many|query.Sort, func(o *op) string { return string(o.Step) }),
	)
}

// callerOf is the id of the contact that called, the auth_id of params.
func callerOf(o *ops.Operation) int64 {
	params := struct {
		AuthID int64 `json:"auth_id"`
	}{query.None}
	if json.Unmarshal(o.Params, &params) != nil {
		return query.None
	}
	return params.AuthID
}

// operations gives the tenant's operations in either direction, all that q may ask
// for, and afterwards what went wrong. Who waits asks for open steps again and
// again, and of these there are few.
func (c *Call) operations(q *query.Query[ops.Operation], err *error) func(backward bool) iter.Seq[*ops.Operation] {
	list := c.Ops.List
	atEnd := func(step string) bool { return ops.Step(step).AtEnd() }
	if _, steps, ok := q.Exact("step"); ok && !slices.ContainsFunc(steps, atEnd) {
		list = c.Ops.ListOpen
	}
	return func(backward bool) iter.Seq[*ops.Operation] {
		return func(yield func(*ops.Operation) bool) {
			*err = list(c.Tenant.Name, backward, func(op ops.Operation) error {
				if !yield(&op) {
					return store.Stop
				}
				return nil
			})
		}
	}
}

func operationList(_ context.Context, c *Call, q *query.Query[ops.Operation]) ([]operationOut, error) {
	var err error
	out := []operationOut{}
	for _, op := range q.Page(c.operations(q, &err)) {
		answer, err := c.operationAnswer(op)
		if err != nil {
			return nil, err
		}
		out = append(out, answer)
	}
	return out, err
}

func operationCount(_ context.Context, c *Call, q *query.Query[ops.Operation]) (int64, error) {
	var err error
	n := q.Count(c.operations(q, &err)(false))
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
