package gateway

import (
	"cmp"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"go.uber.org/zap"

	"v3gate/internal/console"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/telemetry"
	"v3gate/internal/translate"
)

// adminHandler refreshes what is counted by looking before it is read.
func (g *Gateway) adminHandler() http.Handler {
	h := telemetry.AdminHandler(g.registry, g.Ready)
	people := console.New(g.consoleNeeds())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/metrics":
			g.metrics.SetOperations(g.services.Ops.Tally())
			if n, err := g.services.Book.Count(); err == nil {
				g.metrics.SetHandles(n)
			}
		case g.showsConsole(r):
			people.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// showsConsole tells whether a request is for the console, and from somebody who
// is to see it. For others there is none.
func (g *Gateway) showsConsole(r *http.Request) bool {
	if r.URL.Path != "/" && !strings.HasPrefix(r.URL.Path+"/", console.Path) {
		return false
	}
	switch g.cfg.Console {
	case "always":
		return true
	case "loopback":
		local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
		return local != nil && local.IP.IsLoopback()
	}
	return false
}

func methodNames(table *translate.Table) []string {
	var names []string
	for i := range table.Rows {
		names = append(names, table.Rows[i].Name)
	}
	return names
}

// consoleNeeds is what the console asks for, in its words.
func (g *Gateway) consoleNeeds() console.Needs {
	return console.Needs{
		Now: g.now, Activity: g.activity,
		Failed:     func(err error) { g.log.Error("a page of the console could not be shown", zap.Error(err)) },
		State:      g.consoleState,
		Operations: g.openOperations, Operation: g.consoleOperation,
		Report: g.consoleReport, Explain: g.consoleExplain, Methods: func() []string { return methodNames(g.services.Table) },
		Handles: g.consoleHandles, Handle: g.consoleHandle, Uses: g.consoleUses,
	}
}

func (g *Gateway) consoleState() (console.State, error) {
	build, stats, v5 := Build(), g.db.Stats(), g.client.State()
	sealed, _ := g.db.SealedWith()
	s := console.State{
		Version: build.Version, Commit: build.Commit, GoVersion: build.GoVersion, Started: g.started,
		Store: console.Store{Bytes: stats.FileBytes, PageSize: stats.PageSize, FreePages: stats.FreePages,
			Sealed: sealed != "", Replaced: g.db.Replaced()},
		V5:         console.V5{Address: g.cfg.V5URL, PerMinute: g.cfg.V5Rate, Waiting: v5.Waiting, InFlight: v5.InFlight, Refusing: v5.Refusing},
		Reload:     console.Reload{At: g.started, OK: true, Start: true},
		Operations: map[string]int{},
	}
	if err := g.Ready(); err != nil {
		s.NotReady = err.Error()
	}
	if last := g.reloaded.Load(); last != nil {
		s.Reload = console.Reload{At: last.at, OK: last.ok}
	}
	for _, t := range g.tenants.Load().All() {
		s.Tenants = append(s.Tenants, console.Tenant{Name: t.Name, Mode: string(t.Mode), Anonymous: t.Anonymous,
			InFlight: t.Limits.InFlight, Rate: t.Limits.Rate, Window: t.Limits.Window})
	}
	counts, _ := g.services.Ops.Tally()
	for key, n := range counts {
		s.Operations[key[1]] += n
	}
	for _, o := range g.services.Ops.Standings() {
		if g.stuck(o) {
			s.Stuck++
		}
	}
	var err error
	s.Handles, err = g.services.Book.Count()
	return s, err
}

func (g *Gateway) stuck(o ops.Standing) bool {
	return console.Stuck(o.Type, string(o.Step), g.now().Sub(o.Since))
}

// openOperations gives a page of those that are not at their end, in the order in
// which they need people.
func (g *Gateway) openOperations(skip, most int) (page []console.Operation, all int, err error) {
	open := g.services.Ops.Standings()
	waits := func(o ops.Standing) int {
		if o.Step == ops.Support {
			return 0
		}
		return 1
	}
	slices.SortFunc(open, func(a, b ops.Standing) int {
		return cmp.Or(cmp.Compare(waits(a), waits(b)), a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	for _, o := range open[min(skip, len(open)):min(skip+most, len(open))] {
		op, err := g.services.Ops.Find(o.ID)
		if errors.Is(err, ops.ErrUnknown) { // it has ended meanwhile, and is archived
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		page = append(page, g.shownOperation(op))
	}
	return page, len(open), nil
}

// shownOperation leaves out what an operation sends and what its caller gave:
// those hold contact data and transfer codes.
func (g *Gateway) shownOperation(op ops.Operation) console.Operation {
	shown := console.Operation{
		ID: op.ID, Tenant: op.Tenant, Type: op.Type, Domain: op.FQDN, Step: string(op.Step), State: string(op.State),
		Source: op.Source, Sends: op.Sends, Created: op.Created, Since: op.Updated, Update: op.Updated,
		ErrorType: op.ErrorType,
	}
	if op.LastError != "" {
		shown.Error = console.MaskText(op.LastError, g.private(op)...)
	}
	for i, p := range op.Passed {
		shown.Passed = append(shown.Passed, console.Passage{Step: string(p.Step), State: string(p.State), At: p.At})
		if i == 0 || op.Passed[i-1].Step != p.Step {
			shown.Since = p.At
		}
	}
	shown.Stuck = !op.Step.AtEnd() && console.Stuck(op.Type, shown.Step, g.now().Sub(shown.Since))
	return shown
}

// private are the texts that a reason of v5's may repeat: what the operation
// sends, what its caller gave, and the contacts that those name.
func (g *Gateway) private(op ops.Operation) (private []string) {
	for _, text := range append(texts(op.Request), texts(op.Params)...) {
		contact, err := g.services.Book.Find(text)
		switch {
		case err == nil:
			fields, _ := json.Marshal(contact.Fields) // of texts and numbers, so it cannot fail
			private = append(private, texts(fields)...)
		case text != op.FQDN:
			private = append(private, text)
		}
	}
	return private
}

// texts are the strings in JSON; none of what is no JSON.
func texts(raw json.RawMessage) (all []string) {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return nil
	}
	var collect func(any)
	collect = func(v any) {
		switch v := v.(type) {
		case string:
			all = append(all, v)
		case []any:
			for _, inner := range v {
				collect(inner)
			}
		case map[string]any:
			for _, inner := range v {
				collect(inner)
			}
		}
	}
	collect(value)
	return all
}

// mostItems bounds the items of a work list that a page names, mostCounted those
// that it counts.
const mostItems, mostCounted = 50, 10_000

func (g *Gateway) consoleOperation(id int64) (*console.Operation, error) {
	op, err := g.services.Ops.Find(id)
	if errors.Is(err, ops.ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	shown := g.shownOperation(op)
	w, hidden := &shown.Work, g.private(op)
	err = g.services.Ops.Items(op.Tenant, id, func(it ops.Item) error {
		if w.More = w.All == mostCounted; w.More {
			return store.Stop
		}
		w.All++
		switch it.State {
		case ops.ItemDone:
			w.Done++
		case ops.ItemFailed:
			w.Failed++
		case ops.ItemSkipped:
			w.Skipped++
		case ops.ItemSending, ops.ItemTaken:
			w.Sending++
		default:
			w.Todo++
		}
		if (it.State == ops.ItemFailed || it.State == ops.ItemSending) && len(w.Open) < mostItems {
			w.Open = append(w.Open, console.Item{Name: it.Name, State: string(it.State), Tries: it.Tries,
				Error: console.MaskText(it.LastError, hidden...)})
		}
		return nil
	})
	return &shown, err
}

// contactKinds are the words for a contact's type (v3 contact reference).
var contactKinds = []string{"person", "company", "association", "public body", "reseller"}

func shownHandle(c handles.Contact) console.Handle {
	h := console.Handle{
		Handle: c.Handle, Tenant: c.Tenant, ID: c.ID, Created: c.Created, Empty: c.Empty,
		Name: console.MaskName(c.Given, c.Family), Org: console.MaskName(c.OrgName),
		Email: console.MaskEmail(c.Email), Phone: console.MaskPhone(c.Phone),
	}
	if c.Type >= 0 && c.Type < len(contactKinds) {
		h.Kind = contactKinds[c.Type]
	}
	return h
}

func (g *Gateway) consoleHandles(after string, most int) (page []console.Handle, more bool, err error) {
	contacts, more, err := g.services.Book.Page(after, most)
	for _, c := range contacts {
		page = append(page, shownHandle(c))
	}
	return page, more, err
}

func (g *Gateway) consoleHandle(handle string) (*console.Handle, error) {
	c, err := g.services.Book.Find(handle)
	if errors.Is(err, handles.ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	shown := shownHandle(c)
	return &shown, nil
}

func (g *Gateway) consoleUses(handle string, after console.Use, most int) (page []console.Use, more bool, err error) {
	uses, more, err := g.services.Book.Uses(handle, handles.Use(after), most)
	for _, u := range uses {
		page = append(page, console.Use(u))
	}
	return page, more, err
}
