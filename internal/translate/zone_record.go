package translate

import (
	"context"
	"fmt"
	"reflect"
	"strconv"

	"v3gate/internal/fault"
	"v3gate/internal/query"
	"v3gate/internal/store"
	"v3gate/internal/xmlrpc"
	"v3gate/internal/zones"
)

// recordOut is a record as v3 gave it; the id is a string since 2017 (recorded).
type recordOut struct {
	ID    string `v3:"id"`
	Name  string `v3:"name"`
	TTL   int64  `v3:"ttl"`
	Type  string `v3:"type"`
	Value string `v3:"value"`
}

func recordAnswers(records []zones.Record) []recordOut {
	out := []recordOut{}
	for i := range records {
		r := &records[i]
		out = append(out, recordOut{strconv.FormatInt(r.ID, 10), r.Name, r.TTL, r.Type, r.Value})
	}
	return out
}

type recordsIn struct {
	Zone    zoneNumber `v3:"zone_id"`
	Version zoneNumber `v3:"version_id"`
	Opts    options    `v3:"opts,opt"`
}

// optionsOf makes the row of a method whose third parameter is options.
func optionsOf(schema *query.Schema[zones.Record], r Row) Row {
	r.Params[2].Type = "struct"
	for _, o := range schema.Describe() {
		r.Params[2].Members = append(r.Params[2].Members, Param{Name: o.Key, Type: o.Type, Need: "optional", Support: "honoured"})
	}
	return r
}

func recordList(ctx context.Context, c *Call, in recordsIn) ([]recordOut, error) {
	q, z, err := c.asked(ctx, in)
	if err != nil {
		return nil, err
	}
	page, err := c.Zones.Page(c.Tenant.Name, z.ID, int64(in.Version), q)
	return recordAnswers(page), err
}

func recordCount(ctx context.Context, c *Call, in recordsIn) (int64, error) {
	q, z, err := c.asked(ctx, in)
	if err != nil {
		return 0, err
	}
	return c.Zones.Count(c.Tenant.Name, z.ID, int64(in.Version), q)
}

func (c *Call) asked(ctx context.Context, in recordsIn) (q *query.Query[zones.Record], z zones.Zone, err error) {
	if q, err = zones.ListOptions().Parse(in.Opts); err != nil {
		return q, z, optionFault("opts", err)
	}
	z, err = c.zone(ctx, in.Zone)
	return q, z, err
}

type recordParams struct {
	Name  string `v3:"name"`
	TTL   *int64 `v3:"ttl,opt"`
	Type  string `v3:"type"`
	Value string `v3:"value"`
}

// record checks a record.
func (p *recordParams) record(apexes []string) (zones.Record, error) {
	ttl := int64(zones.DefaultTTL)
	if p.TTL != nil {
		ttl = *p.TTL
	}
	return zones.Normal(apexes, p.Name, p.Type, p.Value, ttl)
}

type recordAddIn struct {
	Zone    zoneNumber   `v3:"zone_id"`
	Version zoneNumber   `v3:"version_id"`
	Params  recordParams `v3:"params"`
}

func recordAddCheck(ctx context.Context, c *Call, in recordAddIn) (later[recordOut], []FieldError, error) {
	z, v, err := c.ownVersion(ctx, in.Zone, in.Version)
	if err != nil {
		return nil, nil, err
	}
	apexes, err := c.Zones.Linked(c.Tenant.Name, z.ID)
	if err != nil {
		return nil, nil, err
	}
	r, err := in.Params.record(apexes)
	return func(ctx context.Context, c *Call) (recordOut, error) {
		e, err := c.edit(ctx, &z, v.N, func(tx *store.Tx) (zones.Edited, error) {
			return c.Zones.Add(tx, c.Tenant.Name, z.ID, v.N, r)
		})
		if err != nil {
			return recordOut{}, err
		}
		return recordAnswers(e.Records)[0], nil
	}, nil, err
}

type recordUpdateIn struct {
	Zone    zoneNumber       `v3:"zone_id"`
	Version zoneNumber       `v3:"version_id"`
	Opts    recordUpdateOpts `v3:"opts"`
	Params  recordParams     `v3:"params"`
}

type recordUpdateOpts struct {
	ID *int64 `v3:"id,opt"`
}

// recordUpdateCheck keeps the ttl where none is given: who changes an address
// does not mean it.
func recordUpdateCheck(ctx context.Context, c *Call, in recordUpdateIn) (later[[]recordOut], []FieldError, error) {
	if in.Opts.ID == nil {
		return nil, nil, fault.New(fault.Struct, fault.CauseExpected, "opts.id is missing: it says which record").About("opts.id")
	}
	z, v, err := c.ownVersion(ctx, in.Zone, in.Version)
	if err != nil {
		return nil, nil, err
	}
	apexes, err := c.Zones.Linked(c.Tenant.Name, z.ID)
	if err != nil {
		return nil, nil, err
	}
	r, err := in.Params.record(apexes)
	return func(ctx context.Context, c *Call) ([]recordOut, error) {
		e, err := c.edit(ctx, &z, v.N, func(tx *store.Tx) (zones.Edited, error) {
			return c.Zones.Update(tx, c.Tenant.Name, z.ID, v.N, *in.Opts.ID, func(old zones.Record) zones.Record {
				now := r
				if in.Params.TTL == nil {
					now.TTL = old.TTL
				}
				return now
			})
		})
		return recordAnswers(e.Records), err
	}, nil, err
}

func recordDeleteCheck(ctx context.Context, c *Call, in recordsIn) (later[int64], []FieldError, error) {
	q, err := zones.DeleteOptions().Parse(in.Opts)
	if err != nil {
		return nil, nil, optionFault("opts", err)
	}
	z, v, err := c.ownVersion(ctx, in.Zone, in.Version)
	return func(ctx context.Context, c *Call) (int64, error) {
		e, err := c.edit(ctx, &z, v.N, func(tx *store.Tx) (zones.Edited, error) {
			return c.Zones.Remove(tx, c.Tenant.Name, z.ID, v.N, q)
		})
		return int64(e.Count), err
	}, nil, err
}

// recordSet is what record.set takes: a zone text or a list of records.
type recordSet struct {
	text    string
	records []recordParams
	isText  bool
}

// setRecords takes both forms. An empty array is an empty list.
func setRecords(c *Call, path string, v xmlrpc.Value, to *recordSet) error {
	if v.Kind() != xmlrpc.KindArray {
		to.isText = true
		if err := setText(path, v, &to.text); err != nil {
			return wrongType(fault.List, path, "string or array of struct", v)
		}
		return nil
	}
	to.records = make([]recordParams, v.Len())
	for i := range to.records {
		if err := setStruct(c, fmt.Sprintf("%s[%d]", path, i), v.Index(i), reflect.ValueOf(&to.records[i]).Elem()); err != nil {
			return err
		}
	}
	return nil
}

type recordSetIn struct {
	Zone    zoneNumber `v3:"zone_id"`
	Version zoneNumber `v3:"version_id"`
	Params  recordSet  `v3:"params"`
}

func recordSetCheck(ctx context.Context, c *Call, in recordSetIn) (later[[]recordOut], []FieldError, error) {
	z, v, err := c.ownVersion(ctx, in.Zone, in.Version)
	if err != nil {
		return nil, nil, err
	}
	apexes, err := c.Zones.Linked(c.Tenant.Name, z.ID)
	if err != nil {
		return nil, nil, err
	}
	var records []zones.Record
	if in.Params.isText {
		records, err = zones.Parse(apexes, in.Params.text)
	}
	for i := range in.Params.records {
		var r zones.Record
		if r, err = in.Params.records[i].record(apexes); err != nil {
			err = zones.At(fmt.Sprintf("params[%d]", i), err)
			break
		}
		records = append(records, r)
	}
	return func(ctx context.Context, c *Call) ([]recordOut, error) {
		e, err := c.edit(ctx, &z, v.N, func(tx *store.Tx) (zones.Edited, error) {
			return c.Zones.Set(tx, c.Tenant.Name, z.ID, v.N, records)
		})
		return recordAnswers(e.Records), err
	}, nil, err
}
