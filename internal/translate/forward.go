package translate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"v3gate/internal/fault"
	"v3gate/internal/query"
	"v3gate/internal/v5"
)

type forwardOut struct {
	Destinations []string `v3:"destinations"`
	Source       string   `v3:"source"`
}

func forwardOptions() *query.Schema[v5.Forward] {
	return query.New(query.DefaultPerPage,
		query.Text("source", query.Eq|query.Like|query.Sort|query.Natural, func(f *v5.Forward) string { return f.Source }))
}

// forwards gives the forwards of a domain by their sources.
func (c *Call) forwards(ctx context.Context, fqdn string) ([]v5.Forward, error) {
	all, err := c.V5.Forwards(ctx, fqdn)
	slices.SortStableFunc(all, func(a, b v5.Forward) int { return strings.Compare(a.Source, b.Source) })
	return all, err
}

func forwardList(ctx context.Context, c *Call, fqdn string, q *query.Query[v5.Forward]) ([]forwardOut, error) {
	all, err := c.forwards(ctx, fqdn)
	out := []forwardOut{}
	for _, f := range q.Page(query.Slice(all)) {
		out = append(out, forwardOut{list(f.Destinations), f.Source})
	}
	return out, err
}

func forwardCount(ctx context.Context, c *Call, fqdn string, q *query.Query[v5.Forward]) (int64, error) {
	all, err := c.forwards(ctx, fqdn)
	return q.Count(query.Slice(all)(false)), err
}

type forwardSetIn struct {
	Domain string        `v3:"domain"`
	Source string        `v3:"source"`
	Params forwardParams `v3:"params"`
}

type forwardParams struct {
	Destinations []string `v3:"destinations"`
}

type forwardIn struct {
	Domain string `v3:"domain"`
	Source string `v3:"source"`
}

// forwardPlan is a change of a forward. same tells that v5 shows it already: a
// change that changes nothing would still count against v5's weekly limit.
type forwardPlan struct {
	fqdn string
	v5.Forward
	same bool
}

// forward finds a forward by its source, in any case of letters; nil where there
// is none.
func (c *Call) forward(ctx context.Context, fqdn, source string) (*v5.Forward, error) {
	all, err := c.V5.Forwards(ctx, fqdn)
	for i := range all {
		if strings.EqualFold(all[i].Source, source) {
			return &all[i], nil
		}
	}
	return nil, mailError(fqdn, err)
}

// findForward checks domain and source and looks for the forward.
func (c *Call) findForward(ctx context.Context, domain, source string) (fqdn string, f *v5.Forward, err error) {
	if err := localPart(fault.Forward, "source", source); err != nil {
		return "", nil, err
	}
	if fqdn, err = c.mailDomain(ctx, domain); err != nil {
		return "", nil, err
	}
	f, err = c.forward(ctx, fqdn, source)
	return fqdn, f, err
}

func noForward(fqdn, source string) error {
	return fault.New(fault.Forward, fault.CauseNotFound, "Forward '%s@%s' doesn't exist.", clip(source), fqdn)
}

func checkDestinations(destinations []string) error {
	const field = "params.destinations"
	if len(destinations) == 0 {
		return fault.New(fault.Struct, fault.CauseExpected, "%s is empty", field).About(field)
	}
	for i, d := range destinations {
		if !emailForm.MatchString(d) {
			return matchError(fmt.Sprintf("%s[%d]", field, i), fault.Email, d, emailForm.String()).Fault().About(field)
		}
	}
	return nil
}

func forwardCreateCheck(ctx context.Context, c *Call, in forwardSetIn) (forwardPlan, []FieldError, error) {
	var plan forwardPlan
	if err := checkDestinations(in.Params.Destinations); err != nil {
		return plan, nil, err
	}
	fqdn, there, err := c.findForward(ctx, in.Domain, in.Source)
	if err != nil {
		return plan, nil, err
	}
	if there != nil {
		return plan, nil, fault.New(fault.Forward, fault.CauseExist, "Forward '%s@%s' already exists.", there.Source, fqdn)
	}
	return forwardPlan{fqdn: fqdn, Forward: v5.Forward{Source: in.Source, Destinations: in.Params.Destinations}}, nil, nil
}

func forwardCreateDo(ctx context.Context, c *Call, p forwardPlan) (forwardOut, error) {
	err := found(c.V5.CreateForward(ctx, p.fqdn, p.Forward), p.shown(ctx, c))
	return forwardOut{p.Destinations, p.Source}, mailError(p.fqdn, err)
}

func forwardUpdateCheck(ctx context.Context, c *Call, in forwardSetIn) (forwardPlan, []FieldError, error) {
	var plan forwardPlan
	if err := checkDestinations(in.Params.Destinations); err != nil {
		return plan, nil, err
	}
	fqdn, there, err := c.findForward(ctx, in.Domain, in.Source)
	if err != nil {
		return plan, nil, err
	}
	if there == nil {
		return plan, nil, noForward(fqdn, in.Source)
	}
	plan = forwardPlan{fqdn: fqdn, Forward: v5.Forward{Source: there.Source, Destinations: in.Params.Destinations}}
	plan.same = sameTexts(there.Destinations, plan.Destinations)
	return plan, nil, nil
}

func forwardUpdateDo(ctx context.Context, c *Call, p forwardPlan) (forwardOut, error) {
	var err error
	if !p.same {
		err = found(c.V5.SetForward(ctx, p.fqdn, p.Forward), p.shown(ctx, c))
	}
	return forwardOut{p.Destinations, p.Source}, mailError(p.fqdn, err)
}

func forwardDeleteCheck(ctx context.Context, c *Call, in forwardIn) (forwardPlan, []FieldError, error) {
	fqdn, there, err := c.findForward(ctx, in.Domain, in.Source)
	if err != nil {
		return forwardPlan{}, nil, err
	}
	if there == nil {
		return forwardPlan{}, nil, noForward(fqdn, in.Source)
	}
	return forwardPlan{fqdn: fqdn, Forward: *there}, nil, nil
}

func forwardDeleteDo(ctx context.Context, c *Call, p forwardPlan) (bool, error) {
	err := found(c.V5.DeleteForward(ctx, p.fqdn, p.Source), func() (bool, error) {
		f, err := c.forward(ctx, p.fqdn, p.Source)
		return f == nil, err
	})
	return err == nil, mailError(p.fqdn, err)
}

// shown tells whether v5 has the forward with the destinations of the plan.
func (p *forwardPlan) shown(ctx context.Context, c *Call) func() (bool, error) {
	return func() (bool, error) {
		f, err := c.forward(ctx, p.fqdn, p.Source)
		return f != nil && sameTexts(f.Destinations, p.Destinations), err
	}
}

// sameTexts compares lists whose order and letters' case mean nothing.
func sameTexts(a, b []string) bool {
	return slices.Equal(folded(a), folded(b))
}

func folded(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = strings.ToLower(t)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
