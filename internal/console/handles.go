package console

import (
	"net/http"
	"net/url"
	"strings"
)

const (
	// usesInRow is how many domains the list of handles names for each.
	usesInRow = 3
	// mostHandle bounds the bytes of a handle that is searched for.
	mostHandle = 100
)

// domainUse is a domain and the roles in which it uses a handle.
type domainUse struct {
	Tenant, FQDN string
	Roles        []string
}

// byDomain puts the uses of one domain together, which follow each other.
func byDomain(uses []Use) (list []domainUse) {
	for _, u := range uses {
		if n := len(list) - 1; n >= 0 && list[n].FQDN == u.FQDN && list[n].Tenant == u.Tenant {
			list[n].Roles = append(list[n].Roles, u.Role)
			continue
		}
		list = append(list, domainUse{u.Tenant, u.FQDN, []string{u.Role}})
	}
	return list
}

type handleRow struct {
	Handle
	Link string
	Uses []domainUse
	More bool // there are further ones
}

type handlesPage struct {
	Rows        []handleRow
	After       string
	First, More string
	Search      string
}

func handleLink(handle string) string { return Path + "handles/" + url.PathEscape(handle) }

func (c *console) handles(r *http.Request) (*shownPage, error) {
	q := r.URL.Query()
	if q.Has("handle") && strings.TrimSpace(q.Get("handle")) != "" {
		return c.found(strings.ToUpper(strings.TrimSpace(q.Get("handle"))), Use{})
	}
	after := q.Get("after")
	page, more, err := c.Handles(after[:min(len(after), mostHandle)], onPage)
	if err != nil {
		return nil, err
	}
	p := handlesPage{After: shown(after, mostHandle)}
	for _, h := range page {
		row := handleRow{Handle: h, Link: handleLink(h.Handle)}
		// Four roles a domain at most, and one use to see that there are more.
		uses, more, err := c.Uses(h.Handle, Use{}, 4*(usesInRow+1))
		if err != nil {
			return nil, err
		}
		row.Uses = byDomain(uses)
		if row.More = more; len(row.Uses) > usesInRow {
			row.Uses, row.More = row.Uses[:usesInRow], true
		}
		p.Rows = append(p.Rows, row)
	}
	if after != "" {
		p.First = link("handles")
	}
	if more {
		p.More = link("handles", "after", page[len(page)-1].Handle)
	}
	return &shownPage{name: "handles", title: "Handles", place: "handles", content: p}, nil
}

type handlePage struct {
	Handle
	Uses        []domainUse
	First, More string
}

func (c *console) handle(r *http.Request) (*shownPage, error) {
	q := r.URL.Query()
	return c.found(r.PathValue("handle"), Use{q.Get("tenant"), q.Get("after"), q.Get("role")})
}

// found shows one handle.
func (c *console) found(name string, after Use) (*shownPage, error) {
	if len(name) > mostHandle {
		name = name[:mostHandle]
	}
	h, err := c.Needs.Handle(name)
	if err != nil {
		return nil, err
	}
	if h == nil {
		p := missing("There is no such handle", "No contact has the handle "+shown(name, mostHandle)+
			". The search finds whole handles only, such as FLN123-GANDI.")
		p.place = "handles"
		return p, nil
	}
	uses, more, err := c.Uses(h.Handle, after, 4*onPage)
	if err != nil {
		return nil, err
	}
	p := handlePage{Handle: *h, Uses: byDomain(uses)}
	if more {
		last := uses[len(uses)-1]
		p.More = handleLink(h.Handle) + "?" + url.Values{"tenant": {last.Tenant}, "after": {last.FQDN}, "role": {last.Role}}.Encode()
	}
	if after.FQDN != "" {
		p.First = handleLink(h.Handle)
	}
	return &shownPage{name: "handle", title: "Handle " + shown(h.Handle, mostHandle), place: "handles", content: p}, nil
}
