package translate

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"v3gate/internal/fault"
	"v3gate/internal/query"
	"v3gate/internal/v5"
)

// priceActions are v3's names of what has a price (v3 catalog); v5 has the same
// words for its processes.
var priceActions = []string{"create", "renew", "restore", "transfer", "change_owner", "transfer_reseller", "update", "add", "remove", "release", "delete"}

// domainActions are those that v5 sells for domains, in the order of an answer
// that has them all.
var domainActions = []string{"create", "renew", "restore", "transfer", "change_owner"}

// mostPriced bounds the names of one call; v5 takes one a request.
const mostPriced = 100

// priceContext is whose prices are asked for: v3's defaults were EUR and A.
type priceContext struct{ currency, grid string }

// priced reads currency and grid; path names the struct they are in, "" for none.
func priced(path, currency, grid string) (priceContext, error) {
	p := priceContext{"EUR", "A"}
	if currency != "" {
		p.currency = strings.ToUpper(currency)
	}
	if grid != "" {
		p.grid = strings.ToUpper(grid)
	}
	if !slices.Contains(currencies, p.currency) {
		return p, fault.New(fault.Currency, fault.CauseValue, "%scurrency: '%s' is not one of %s", path, clip(currency), strings.Join(currencies, ", ")).About("currency")
	}
	if len(p.grid) != 1 || p.grid < "A" || p.grid > "E" {
		return p, fault.New(fault.Grid, fault.CauseValue, "%sgrid: '%s' is not one of A to E", path, clip(grid)).About("grid")
	}
	return p, nil
}

// answered makes sure that v5 answered with the prices that were asked for: the
// numbers of others would be taken for these.
func (p priceContext) answered(currency, grid string) error {
	if currency != "" && currency != p.currency {
		return fault.New(fault.Currency, fault.CauseCurrencyMismatch, "currency: the registrar has prices in %s and not in %s for this account", clip(currency), p.currency)
	}
	if grid != "" && grid != p.grid {
		return fault.New(fault.Grid, fault.CauseBadParameter, "grid: the registrar has prices of grid %s and not of %s for this account", clip(grid), p.grid)
	}
	return nil
}

// actionNames reads the names of actions; none is what usually says.
func actionNames(path string, given []string, usually []string) ([]string, error) {
	for _, name := range given {
		if !slices.Contains(priceActions, name) {
			return nil, fault.New(fault.String, fault.CauseValue, "%s: '%s' is not one of %s", path, clip(name), strings.Join(priceActions, ", ")).About(path)
		}
	}
	if len(given) == 0 {
		return usually, nil
	}
	return given, nil
}

// amountOf is one price: regular, or special, of a promotion. They are separate
// in v3, and in v5's check one entry.
type amountOf struct {
	unit     string
	min, max int64
	price    float64
	special  bool
	kind     string // premium, or ""
}

// amounts are the prices of a check, the regular one first.
func amounts(prices []v5.Price) []amountOf {
	var out []amountOf
	for _, p := range prices {
		a := amountOf{p.DurationUnit, int64(p.MinDuration), int64(p.MaxDuration), p.PriceBeforeTaxes, p.Discount, p.Type}
		if p.Discount && p.NormalPriceBeforeTaxes != nil {
			regular := a
			regular.price, regular.special = *p.NormalPriceBeforeTaxes, false
			out = append(out, regular)
		}
		out = append(out, a)
	}
	return out
}

// priceID is an id that depends on what the price is of. It fits the 31 bits that
// clients have.
func priceID(parts ...any) int64 {
	h := fnv.New32a()
	fmt.Fprint(h, parts...)
	return int64(h.Sum32()&0x7fffffff) | 1
}

// eachName calls ask for each name, a few at a time.
func eachName(ctx context.Context, path string, names []string, ask func(ctx context.Context, i int, name string) error) error {
	if len(names) > mostPriced {
		return fault.New(fault.List, fault.CauseSize, "%s has %d names, and at most %d are taken at a time", path, len(names), mostPriced).About(path)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(checksAtOnce)
	for i, name := range names {
		group.Go(func() error { return ask(ctx, i, name) })
	}
	return group.Wait()
}

type catalogListIn struct {
	Opts     catalogOptions `v3:"opts"`
	Currency string         `v3:"currency,opt"`
	Grid     string         `v3:"grid,opt"`
	Date     string         `v3:"date_price" refuse:"v5's prices of another day are not documented"`
}

type catalogOptions struct {
	Product      *catalogProduct `v3:"product,opt"`
	Action       catalogAction   `v3:"action,opt"`
	ContactV5    string          `v3:"contact_v5" refuse:"v5 has prices of the account's organization only"`
	ItemsPerPage *int64          `v3:"items_per_page,opt"`
	Page         int64           `v3:"page,opt"`
	SortBy       string          `v3:"sort_by" refuse:"what it may name is not documented; the order is that of the products asked for"`
}

type catalogProduct struct {
	Type        string    `v3:"type"`
	Description oneOrMore `v3:"description,opt"`
	Like        string    `v3:"~description" refuse:"v5 searches no prices by a pattern; name the extensions in description"`
	Quantity    int64     `v3:"quantity" refuse:"v5 has the prices of one domain"`
}

type catalogAction struct {
	Name     string        `v3:"name,opt"`
	Duration wholeYears    `v3:"duration,opt"`
	Param    catalogParams `v3:"param,opt"`
}

type catalogParams struct {
	TLDPhase string `v3:"tld_phase,opt"`
}

type catalogOut struct {
	Product catalogProductOut `v3:"product"`
	Action  catalogActionOut  `v3:"action"`
	Prices  []catalogPrice    `v3:"unit_price"`
}

type catalogProductOut struct {
	Description string `v3:"description"`
	Type        string `v3:"type"`
}

type catalogActionOut struct {
	Name string `v3:"name"`
}

type catalogPrice struct {
	ID           int64   `v3:"id"`
	Price        float64 `v3:"price"`
	Currency     string  `v3:"currency"`
	Grid         string  `v3:"grid"`
	DurationUnit string  `v3:"duration_unit"`
	MinDuration  int64   `v3:"min_duration"`
	MaxDuration  int64   `v3:"max_duration"`
	SpecialOp    bool    `v3:"special_op"`
}

// catalogList answers one entry for each extension and action, none where v5
// sells nothing for the duration. A client counts them.
func catalogList(ctx context.Context, c *Call, in catalogListIn) ([]catalogOut, error) {
	q, err := catalogQuestion(in)
	if err != nil {
		return nil, err
	}
	per := int64(query.DefaultPerPage)
	if in.Opts.ItemsPerPage != nil {
		per = *in.Opts.ItemsPerPage
	}
	if page := in.Opts.Page; per < 0 || page < 0 || per > math.MaxInt32 || page > math.MaxInt32 {
		return nil, fault.New(fault.Integer, fault.CauseValue, "opts.page and opts.items_per_page must be between 0 and %d", math.MaxInt32)
	}
	found := make([][]catalogOut, len(q.names))
	err = eachName(ctx, "opts.product.description", q.names, func(ctx context.Context, i int, name string) (err error) {
		found[i], err = q.ask(ctx, c, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := slices.Concat(found...)
	from := min(int64(len(out)), in.Opts.Page*per)
	return append([]catalogOut{}, out[from:min(int64(len(out)), from+per)]...), nil
}

// catalogQuery is what one call of catalog.list asks for.
type catalogQuery struct {
	priceContext
	names   []string // extensions with a dot in front, and domains
	actions []string
	phase   string
	years   int64 // 0 for any
}

func catalogQuestion(in catalogListIn) (q catalogQuery, err error) {
	if q.priceContext, err = priced("", in.Currency, in.Grid); err != nil {
		return q, err
	}
	p, a := in.Opts.Product, in.Opts.Action
	switch {
	case p == nil || len(p.Description) == 0:
		return q, fault.New(fault.Struct, fault.CauseExpected, "opts.product.description is missing: v5 is asked for the prices of one extension at a time").About("opts.product.description")
	case p.Type != "domain" && p.Type != "domains": // the plural is seen in a client's manual
		return q, unsupported("opts.product.type", "v5's prices are translated for domains only")
	case a.Duration < 0:
		return q, fault.New(fault.Duration, fault.CauseValue, "opts.action.duration cannot be below 0").About("opts.action.duration")
	}
	var names []string
	if a.Name != "" {
		names = []string{a.Name}
	}
	if q.actions, err = actionNames("opts.action.name", names, domainActions); err != nil {
		return q, err
	}
	if q.phase, err = tldPeriod("opts.action.param.tld_phase", a.Param.TLDPhase); err != nil {
		return q, err
	}
	if q.phase == "" {
		q.phase = "golive"
	}
	q.years = int64(a.Duration)
	for _, name := range p.Description {
		bare, extension := strings.CutPrefix(name, ".")
		if extension {
			bare = "x." + bare
		}
		fqdn, err := normal(bare)
		if err != nil {
			return q, err
		}
		if extension {
			fqdn = strings.TrimPrefix(fqdn, "x")
		}
		if !slices.Contains(q.names, fqdn) {
			q.names = append(q.names, fqdn)
		}
	}
	return q, nil
}

// ask reads the prices of one extension from the list, and those of one domain,
// which may be premium, from its check.
func (q *catalogQuery) ask(ctx context.Context, c *Call, name string) ([]catalogOut, error) {
	found := map[string][]amountOf{}
	extension := name
	if !strings.HasPrefix(name, ".") {
		extension = "." + tld(name)
		check, err := c.V5.Check(ctx, v5.CheckQuery{Name: name, Processes: q.actions, Period: q.phase, Currency: q.currency, Grid: q.grid})
		if err != nil {
			return nil, err
		}
		if err := q.answered(check.Currency, check.Grid); err != nil {
			return nil, err
		}
		for _, p := range check.Products {
			found[p.Process] = append(found[p.Process], amounts(p.Prices)...)
		}
	} else {
		list, err := c.V5.DomainPrices(ctx, v5.PriceQuery{Name: name, Processes: q.actions, Currency: q.currency, Grid: q.grid})
		if err != nil {
			return nil, err
		}
		if err := q.answered(list.Currency, list.Grid); err != nil {
			return nil, err
		}
		for _, p := range list.Products {
			if strings.EqualFold(strings.TrimPrefix(p.Name, "."), name[1:]) {
				found[p.Process] = append(found[p.Process], inPhase(p.Prices, q.phase)...)
			}
		}
	}
	var out []catalogOut
	for _, action := range q.actions {
		if prices := q.entry(extension, action, found[action]); len(prices) > 0 {
			out = append(out, catalogOut{catalogProductOut{extension, "domain"}, catalogActionOut{action}, prices})
		}
	}
	return out, nil
}

// inPhase are the list's prices of a phase, and those that are of none, the regular
// ones first.
func inPhase(prices []v5.ListPrice, phase string) []amountOf {
	var out []amountOf
	for _, p := range prices {
		if p.Options.Phase == "" || p.Options.Phase == phase {
			out = append(out, amountOf{p.DurationUnit, int64(p.MinDuration), int64(p.MaxDuration), p.PriceBeforeTaxes, p.Special(), ""})
		}
	}
	slices.SortStableFunc(out, func(a, b amountOf) int {
		switch {
		case a.special == b.special:
			return 0
		case a.special:
			return 1
		}
		return -1
	})
	return out
}

// entry are the prices of one entry that are for the duration.
func (q *catalogQuery) entry(extension, action string, found []amountOf) (out []catalogPrice) {
	for _, a := range found {
		if q.years != 0 && (q.years < a.min || q.years > a.max) {
			continue
		}
		out = append(out, catalogPrice{
			ID:    priceID(extension, action, q.phase, q.currency, q.grid, a.unit, a.min, a.max, a.special),
			Price: a.price, Currency: q.currency, Grid: q.grid, DurationUnit: a.unit,
			MinDuration: a.min, MaxDuration: a.max, SpecialOp: a.special,
		})
	}
	return out
}
