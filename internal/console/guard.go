package console

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// policy lets a page load the console's own style and pictures and nothing else:
// no script runs, even if somebody got one into a page.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard is in front of every page.
func (c *console) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		switch {
		case !direct(r.Host):
			http.Error(w, "the console is asked for by an IP address or as localhost: a name could be a stranger's page that leads here", http.StatusForbidden)
			return
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		case r.URL.Path == "/" || r.URL.Path+"/" == Path:
			http.Redirect(w, r, Path, http.StatusFound)
			return
		}
		select {
		case c.busy <- struct{}{}:
			defer func() { <-c.busy }()
			next.ServeHTTP(w, r)
		default:
			h.Set("Retry-After", "1")
			http.Error(w, fmt.Sprintf("%d pages are being made at this moment; ask again", mostAtOnce), http.StatusServiceUnavailable)
		}
	})
}

// direct tells whether a Host header is an IP address or localhost. Of any other
// name a stranger may be the owner, who has it lead to this address, so that a
// page of theirs could read what is here (DNS rebinding).
func direct(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost")
}
