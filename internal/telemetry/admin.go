package telemetry

import (
	"io"
	"net/http"
	"strings"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxScrapes bounds how many scrapes run at once; one more gets a 503.
const maxScrapes = 8

// AdminHandler serves the three things that an operator's machines ask for and
// nothing else. It only reads, has no side effect and asks for no credential,
// so it belongs on a listener of its own that the v3 clients do not reach.
//
//	GET /metrics  the registry; a 500 when a collector fails, never half a scrape
//	GET /healthz  200 "ok" as long as the process serves: a restart helps if not
//	GET /readyz   200 "ok", or 503 with the reason on one line: a restart does
//	              not help, but calls should go elsewhere
//
// Another path is a 404, and another method than GET on these paths, HEAD
// included, a 405. ready is called for every /readyz, possibly several times at
// once; nil means that the gateway is always ready.
func AdminHandler(reg *prometheus.Registry, ready func() error) http.Handler {
	pages := map[string]http.Handler{
		"/metrics": promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes}),
		"/healthz": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			line(w, http.StatusOK, "ok")
		}),
		"/readyz": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if ready != nil {
				if err := ready(); err != nil {
					line(w, http.StatusServiceUnavailable, oneLine(err.Error()))
					return
				}
			}
			line(w, http.StatusOK, "ok")
		}),
	}
	// Not a ServeMux: it would redirect //healthz and let HEAD through.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, found := pages[r.URL.Path]
		switch {
		case !found:
			line(w, http.StatusNotFound, "not found")
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			line(w, http.StatusMethodNotAllowed, "method not allowed")
		default:
			page.ServeHTTP(w, r)
		}
	})
}

// line answers with one line of text that no proxy may keep.
func line(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // a reader that has gone away is its own affair
}

// oneLine joins the lines of a reason, since errors.Join puts one error a line
// and probes show only the first. No text at all becomes "not ready".
func oneLine(reason string) string {
	lines := strings.FieldsFunc(reason, func(r rune) bool { return r == '\n' || r == '\r' })
	joined := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.Join(lines, "; "))
	if strings.TrimSpace(joined) == "" {
		return "not ready"
	}
	return joined
}
