package gateway

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"v3gate/internal/ops"
)

// errand is an operation with one of the kinds that it has in its lives: a transfer
// is ordered, and relaunched in another way.
type errand struct {
	id   int64
	kind string
}

// departed is what left for a work, as the network saw it: orders without Dry-Run
// that v5 has not definitely refused.
type departed struct {
	n    int
	last time.Time
	leap time.Duration // c.leaps then
}

// apart is the least time between a first and a second order.
const apart = 10 * time.Second

// depart holds an order that leaves against the journal: it must be written
// there as being on its way, by the one operation that may send it. n.mu is held.
func (w *chaosWire) depart(x *chaosRequest) {
	kind := orderKind(x.req.Method, x.req.URL.Path)
	if kind == "" {
		if strings.HasSuffix(x.req.URL.Path, "/contacts/owner") {
			w.departCopy(x)
		}
		return
	}
	if x.dry {
		w.rehearse(x, kind)
		return
	}
	found := w.senders(x, kind, ops.Sending)
	if len(found) == 0 && kind == ops.KindContacts {
		w.departCopy(x)
		return
	}
	if len(found) == 0 {
		w.c.violated(x.fqdn, "an order leaves that the journal does not know to be on its way: %s %s", x.req.Method, x.req.URL.Path)
		return
	}
	if kind == ops.KindContacts || strings.HasSuffix(x.req.URL.Path, "/authinfo") {
		return // free, and contacts may be changed by several at once
	}
	if len(found) > 1 {
		w.c.violated(x.fqdn, "operations %d and %d send at the same time", found[0].ID, found[1].ID)
	}
	op := found[0]
	key := errand{op.ID, kind}
	s := w.sends[key]
	if s == nil {
		s = &departed{}
		w.sends[key] = s
	}
	x.who, x.before = s, *s
	w.c.mu.Lock()
	leaps := w.c.leaps
	w.c.mu.Unlock()
	if gap := time.Since(s.last) + leaps - s.leap; s.n > 0 && op.Sends > 1 && gap < apart {
		w.c.violated(x.fqdn, "operation %d is sent again after %s", op.ID, gap)
	}
	s.n, s.last, s.leap = s.n+1, time.Now(), leaps
}

// rehearse holds a Dry-Run against the journal: v5 may take it for the real
// thing, so the intent must be there. What a caller asked to be a dry run is not,
// and is tried only where v5 honours the header.
func (w *chaosWire) rehearse(x *chaosRequest, kind string) {
	if w.c.set.ignores && len(w.senders(x, kind, ops.Intended, ops.Unknown)) == 0 {
		w.c.violated(x.fqdn, "a Dry-Run leaves without an intent: %s %s", x.req.Method, x.req.URL.Path)
	}
}

// senders are the operations that an order can be of.
func (w *chaosWire) senders(x *chaosRequest, kind string, states ...ops.State) (found []ops.Operation) {
	tn := w.c.tenant(x.req.URL.Query().Get("sharing_id"))
	err := w.p.services.Ops.Everywhere(func(o ops.Operation) error {
		if o.FQDN == x.fqdn && o.Kind == kind && slices.Contains(states, o.State) && !o.Step.AtEnd() && (tn == nil || tn.name == o.Tenant) {
			found = append(found, o)
		}
		return nil
	})
	if err != nil {
		w.c.t.Error(err)
	}
	return found
}

// end notes what the sender sees. A definite no takes the order back.
func (w *chaosWire) end(x *chaosRequest, resp *http.Response, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	status := 0
	if resp != nil {
		status = resp.StatusCode
	}
	whole := x.fate == "" || x.fate == "slow"
	if x.copied != nil && whole && status == http.StatusAccepted {
		w.took[*x.copied] = true
	}
	if x.who != nil && (whole && status >= 400 && status < 500 || status == http.StatusTooManyRequests) {
		*x.who = x.before
	}
}

// orderKind is the kind of operation behind an order; "" for what is none.
func orderKind(method, path string) string {
	rest := strings.TrimPrefix(path, "/v5/domain/")
	switch {
	case method == "POST" && rest == "domains":
		return ops.KindCreate
	case method == "POST" && rest == "transferin":
		return ops.KindTransferIn
	case method == "POST" && strings.HasPrefix(rest, "changeowner/"):
		return ops.KindChangeOwner
	case method == "POST" && strings.HasSuffix(rest, "/renew"):
		return ops.KindRenew
	case method == "POST" && strings.HasSuffix(rest, "/restore"):
		return ops.KindRestore
	case method == "PATCH" && strings.HasSuffix(rest, "/contacts"):
		return ops.KindContacts
	case method == "PUT" && strings.HasPrefix(rest, "transferin/"):
		return ops.KindRelaunchTransfer
	}
	return ""
}

// subjectOf is the name that a path is about.
func subjectOf(path string) string {
	for _, part := range strings.Split(path, "/") {
		if strings.Contains(part, ".") {
			name, _ := url.PathUnescape(part)
			return name
		}
	}
	return ""
}

// chaosCallerKey marks the context of a caller's call.
type chaosCallerKey struct{}

func caller(ctx context.Context) string {
	name, _ := ctx.Value(chaosCallerKey{}).(string)
	return name
}
