// Package console is the gateway for people who look: a few HTML pages on the
// admin listener that show how the service is, who calls it, and what waits for
// somebody.
//
// It only reads. No page holds contact data, a key, a token or a transfer code,
// there is no script, and what a page costs is bounded: by a page of a list, by
// rings of fixed size, by a few pages at a time.
package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

//go:embed pages static
var files embed.FS

// Path is where the console is.
const Path = "/console/"

// mostAtOnce bounds the pages that are made at a time; one more is a 503.
const mostAtOnce = 8

// console makes the pages.
type console struct {
	Needs
	// pages are read when the first one is asked for: most gateways are never
	// looked at, and templates take as much memory as all else at rest.
	pages func() (map[string]*template.Template, error)
	busy  chan struct{}
}

// New gives the handler of Path and of "/", which leads there.
func New(needs Needs) http.Handler {
	c := &console{Needs: needs, busy: make(chan struct{}, mostAtOnce)}
	c.pages = sync.OnceValues(c.read)
	return c.guard(c.routes())
}

func (c *console) read() (map[string]*template.Template, error) {
	layout, err := template.New("layout.html").Funcs(c.words()).ParseFS(files, "pages/layout.html", "pages/parts.html")
	if err != nil {
		return nil, fmt.Errorf("read the console's layout: %w", err)
	}
	names, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, name := range names {
		page, err := layout.Clone()
		if err == nil {
			page, err = page.ParseFS(files, name)
		}
		if err != nil {
			return nil, fmt.Errorf("read the console's %s: %w", name, err)
		}
		pages[name] = page
	}
	return pages, nil
}

// words are the functions that templates use.
func (c *console) words() template.FuncMap {
	return template.FuncMap{
		"number": func(n any) string {
			switch n := n.(type) {
			case int:
				return number(n)
			case int64:
				return number(n)
			case uint64:
				return number(n)
			}
			return fmt.Sprint(n)
		},
		"percent": percent, "long": func(n int) uint64 { return uint64(n) }, "size": size, "span": span, "list": list, "count": count,
		"shown":   func(text string) string { return shown(text, 300) },
		"day":     func(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05") },
		"machine": func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
	}
}

// page is what every template gets.
type page struct {
	Title   string
	At      string // which entry of the navigation it is
	URL     string // of itself, to load it again
	Now     time.Time
	Content any
}

func (c *console) routes() http.Handler {
	mux := http.NewServeMux()
	to := func(pattern string, show func(*http.Request) (*shownPage, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, show) })
	}
	to(Path+"{$}", c.overview)
	to(Path+"calls", c.calls)
	to(Path+"callers", c.callers)
	to(Path+"operations", c.operations)
	to(Path+"operations/{id}", c.operation)
	to(Path+"handles", c.handles)
	to(Path+"handles/{handle}", c.handle)
	to(Path+"v5", c.v5)
	to(Path+"report", c.report)
	to(Path+"explain", c.explain)
	to(Path, c.nothing)
	static := func(name, kind string) {
		mux.HandleFunc(Path+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			http.ServeFileFS(w, r, files, "static/"+name)
		})
	}
	static("style.css", "text/css; charset=utf-8")
	static("icon.svg", "image/svg+xml")
	return mux
}

// shownPage is a page that is to be shown.
type shownPage struct {
	status       int // 0 is 200
	name         string
	title, place string
	content      any
}

// serve makes a page and then sends it, so that one that fails is none at all.
func (c *console) serve(w http.ResponseWriter, r *http.Request, show func(*http.Request) (*shownPage, error)) {
	var out bytes.Buffer
	p, err := show(r)
	var pages map[string]*template.Template
	if err == nil {
		pages, err = c.pages()
	}
	if err == nil {
		view := page{Title: p.title, At: p.place, URL: r.URL.RequestURI(), Now: c.Now().UTC(), Content: p.content}
		err = pages["pages/"+p.name+".html"].ExecuteTemplate(&out, "layout.html", view)
	}
	if err != nil {
		c.Failed(fmt.Errorf("show %s: %w", r.URL.Path, err))
		http.Error(w, "this page cannot be shown; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(out.Len()))
	if p.status != 0 {
		w.WriteHeader(p.status)
	}
	_, _ = w.Write(out.Bytes()) // a reader that has gone away is its own affair
}

// nothing is the page of what there is not.
func (c *console) nothing(*http.Request) (*shownPage, error) {
	return missing("There is no such page", "The console has the pages that are named above."), nil
}

func missing(title, text string) *shownPage {
	return &shownPage{status: http.StatusNotFound, name: "missing", title: title, content: text}
}

// link is a path of the console with a query.
func link(path string, query ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		values.Set(query[i], query[i+1])
	}
	if len(values) == 0 {
		return Path + path
	}
	return Path + path + "?" + values.Encode()
}
