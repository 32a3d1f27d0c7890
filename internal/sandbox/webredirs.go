package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// webredir is a web redirection.
type webredir struct {
	host, typ, url, protocol string
	created, updated         time.Time
}

// webredirPage is how many redirections a page has by itself (seen in a client).
const webredirPage = 50

func webredirRoutes() []route {
	path := "/domain/domains/{d}/webredirs"
	protocol := member{name: "protocol", kind: text, words: []string{"http", "https", "httpsonly"}}
	typ := member{name: "type", kind: text, words: []string{"cloak", "http301", "http302"}}
	override, target := member{name: "override", kind: truth}, member{name: "url", kind: text}
	return []route{
		{
			method: "GET", pattern: path, success: 200, query: paging(), find: (*Sandbox).findDomain,
			do: func(s *Sandbox, c *call) answer {
				items := []any{}
				for _, w := range c.domain.webredirs {
					items = append(items, w.item())
				}
				if c.query.Get("per_page") == "" {
					c.query.Set("per_page", strconv.Itoa(webredirPage))
				}
				return page(c, items, len(items))
			},
		},
		{
			method: "POST", pattern: path, success: 202, find: (*Sandbox).findDomain,
			body:  &shape{members: need(member{name: "host", kind: text, check: fqdnError}, override, protocol, typ, target)},
			check: (*Sandbox).checkWebredir, do: (*Sandbox).addWebredir,
		},
		{
			method: "GET", pattern: path + "/{host}", success: 200, find: (*Sandbox).findWebredir,
			do: func(s *Sandbox, c *call) answer {
				return reply(http.StatusOK, c.domain.webredir(c.vars["host"]).item())
			},
		},
		{
			method: "PATCH", pattern: path + "/{host}", success: 200, find: (*Sandbox).findWebredir,
			body: &shape{members: []member{override, protocol, typ, target}},
			do: func(s *Sandbox, c *call) answer {
				w := c.domain.webredir(c.vars["host"])
				for name, into := range map[string]*string{"protocol": &w.protocol, "type": &w.typ, "url": &w.url} {
					if text := textOf(c.body, name); text != "" {
						*into = text
					}
				}
				w.updated = s.now()
				return reply(http.StatusOK, members{"message": "the redirection was changed"})
			},
		},
		{
			method: "DELETE", pattern: path + "/{host}", success: 200, find: (*Sandbox).findWebredir,
			do: func(s *Sandbox, c *call) answer {
				d, host := c.domain, strings.ToLower(c.vars["host"])
				d.webredirs = slices.DeleteFunc(slices.Clone(d.webredirs), func(w *webredir) bool { return w.host == host })
				return reply(http.StatusOK, members{"message": "the redirection was deleted"})
			},
		},
	}
}

func (d *domain) webredir(host string) *webredir {
	for _, w := range d.webredirs {
		if w.host == strings.ToLower(host) {
			return w
		}
	}
	return nil
}

func (w *webredir) item() members {
	return members{"host": w.host, "type": w.typ, "url": w.url, "protocol": w.protocol,
		"created_at": w.created.UTC().Format(time.RFC3339), "updated_at": w.updated.UTC().Format(time.RFC3339)}
}

// findWebredir answers 400 to a bare label (seen in a client).
func (s *Sandbox) findWebredir(c *call) *answer {
	if a := s.findDomain(c); a != nil {
		return a
	}
	host := strings.ToLower(c.vars["host"])
	switch {
	case host != c.domain.fqdn && !strings.HasSuffix(host, "."+c.domain.fqdn):
		a := failure(http.StatusBadRequest, "HTTPBadRequest", "Bad Request", "the host is not in the domain")
		return &a
	case c.domain.webredir(host) == nil:
		a := notFound()
		return &a
	}
	return nil
}

func (s *Sandbox) checkWebredir(c *call) *answer {
	host := strings.ToLower(textOf(c.body, "host"))
	if host != c.domain.fqdn && !strings.HasSuffix(host, "."+c.domain.fqdn) {
		c.refuse("body", "host", "is not in the domain")
	}
	if c.domain.webredir(host) != nil {
		return conflict("Duplicate Entry", "the redirection exists", problem{Location: "body", Name: "host"})
	}
	return nil
}

func (s *Sandbox) addWebredir(c *call) answer {
	d := c.domain
	w := &webredir{host: strings.ToLower(textOf(c.body, "host")), typ: textOf(c.body, "type"), url: textOf(c.body, "url"),
		protocol: textOf(c.body, "protocol"), created: s.now(), updated: s.now()}
	s.change(d, func() { d.webredirs = append(slices.Clone(d.webredirs), w) })
	return accepted("the redirection is being made", c.url("/domain/domains/"+d.fqdn+"/webredirs/"+w.host))
}
