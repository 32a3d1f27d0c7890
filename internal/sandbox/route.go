package sandbox

import (
	"net/url"
	"slices"
	"strings"
)

// apiRoot stands in front of every path of the API.
const apiRoot = "/v5"

// Route describes one route, for comparison with a list typed by hand.
type Route struct {
	Method string `json:"method"`
	// Path is below /v5, with {d} for a domain name.
	Path string `json:"path"`
	// Query holds the names of the accepted query parameters, sorted.
	Query []string `json:"query"`
	// Required and Optional are the body's members at the top level, sorted.
	Required []string `json:"required"`
	Optional []string `json:"optional"`
	// DryRun tells that the Dry-Run header is honoured.
	DryRun bool `json:"dry_run"`
	// Success is the status of a real success.
	Success int `json:"success"`
}

// route is one row of the table. The pipeline in serve.go runs its functions in
// the order find, check, do; a dry run ends before do, so that a handler cannot
// forget it.
type route struct {
	method  string
	pattern string
	query   []member
	body    *shape
	dryRun  bool
	success int
	// find establishes that the resource exists and may be seen.
	find func(s *Sandbox, c *call) *answer
	// check reports what the shape of the body cannot: as problems added to the
	// call, or as a refusal.
	check func(s *Sandbox, c *call) *answer
	// do carries out the request.
	do func(s *Sandbox, c *call) answer
}

// call is one request on its way through the pipeline.
type call struct {
	route      *route
	base       string // scheme and host as the client addressed them
	credential *Token
	vars       map[string]string
	query      url.Values // array parameters without their brackets
	body       map[string]any
	domain     *domain // set by find where the path names one
	problems   []problem
	warning    string // text of the Warning header of a dry run
}

func (c *call) refuse(location, name, description string) {
	c.problems = append(c.problems, problem{location, name, description})
}

// routeTable lists the rows of all resources.
func routeTable() []route {
	return slices.Concat(
		checkRoutes(), domainRoutes(), contactRoutes(), ownerChangeRoutes(),
		renewRoutes(), nameserverRoutes(), hostRoutes(), dnskeyRoutes(), claimRoutes(), webredirRoutes(), settingRoutes(), tagRoutes(),
		tldRoutes(), transferRoutes(), organizationRoutes(), billingRoutes(), priceRoutes(), liveDNSRoutes(),
		forwardRoutes(), mailboxRoutes(), slotRoutes(),
	)
}

// Routes describes the API as it is served, in the order of the table.
func (s *Sandbox) Routes() []Route {
	all := make([]Route, 0, len(s.routes))
	for _, r := range s.routes {
		d := Route{
			Method: r.method, Path: r.pattern, DryRun: r.dryRun, Success: r.success,
			Query: []string{}, Required: []string{}, Optional: []string{},
		}
		for _, m := range r.query {
			d.Query = append(d.Query, m.name)
		}
		if r.body != nil {
			d.Required, d.Optional = r.body.names()
		}
		slices.Sort(d.Query)
		all = append(all, d)
	}
	return all
}

// match finds the row for a method and an escaped path. A trailing slash or an
// empty element matches nothing: v5 uses neither.
func (s *Sandbox) match(method, escaped string) (*route, map[string]string) {
	rest, under := strings.CutPrefix(escaped, apiRoot+"/")
	if !under {
		return nil, nil
	}
	have := strings.Split(rest, "/")
	for i := range s.routes {
		r := &s.routes[i]
		if r.method != method {
			continue
		}
		if vars, fits := fit(strings.Split(r.pattern[1:], "/"), have); fits {
			return r, vars
		}
	}
	return nil, nil
}

func fit(want, have []string) (map[string]string, bool) {
	if len(want) != len(have) {
		return nil, false
	}
	vars := map[string]string{}
	for i, w := range want {
		h, err := url.PathUnescape(have[i])
		if err != nil || h == "" {
			return nil, false
		}
		if name, variable := strings.CutPrefix(w, "{"); variable {
			vars[strings.TrimSuffix(name, "}")] = h
		} else if w != h {
			return nil, false
		}
	}
	return vars, true
}
