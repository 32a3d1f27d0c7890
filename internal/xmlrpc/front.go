package xmlrpc

import (
	"net/http"
	"strings"
)

// Front is the HTTP handler that stands before gorilla's rpc.Server, in which a
// [Codec] is registered under [ContentType]. It serves POST on any path; what
// reaches the server is always answered by the codec, never by gorilla's own
// text/plain refusals.
type Front struct {
	next   http.Handler
	limits Limits
}

// NewFront puts a front before next. Only lim.MaxBytes is used: a connection that
// sends more than that is closed after the answer.
func NewFront(next http.Handler, lim Limits) *Front {
	return &Front{next: next, limits: lim.orDefault()}
}

// ServeHTTP answers 405 to anything but POST. Clients send no Content-Type at all
// (npm davexmlrpc), application/xml, or nonsense; gorilla would refuse these, so
// it gets a copy of the request that says text/xml and keeps the charset.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "XML-RPC calls are sent with POST", http.StatusMethodNotAllowed)
		return
	}
	contentType := first(r.Header["Content-Type"])
	if media, _, _ := strings.Cut(contentType, ";"); !strings.EqualFold(media, ContentType) {
		header := r.Header.Clone()
		if header == nil {
			header = http.Header{}
		}
		if charset := charsetOf(contentType); charset != "" {
			header.Set("Content-Type", ContentType+"; charset="+charset)
		} else {
			header.Set("Content-Type", ContentType)
		}
		r = r.WithContext(r.Context()) // a shallow copy, to be changed
		r.Header = header
	}
	r.Body = http.MaxBytesReader(w, r.Body, f.limits.MaxBytes)
	f.next.ServeHTTP(w, r)
}
