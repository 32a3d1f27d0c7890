package gateway

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/handles"
	"v3gate/internal/record"
	"v3gate/internal/tenant"
	"v3gate/internal/translate"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

// recorder keeps what calls in flight say and hear, for the recording.
type recorder struct {
	*record.Recorder
	base string // path of the configured v5

	mu   sync.Mutex
	open map[*recording]bool // calls in flight
}

// recording is what is known of one call in flight.
type recording struct {
	call record.Call
	row  *translate.Row
	// contacts are those that the call names or gave, domains those that it names.
	contacts, domains []handles.Entry
	// lastContact and lastZone are the highest numbers before the call.
	lastContact, lastZone int64

	mu    sync.Mutex // of what follows, and of call.V5
	size  int64
	mixed bool // requests behind the call may be another's
	over  bool
}

type recordingKey struct{}

// newRecorder opens the configured recording; nil without one.
func (g *Gateway) newRecorder() error {
	if g.cfg.Record == "" {
		return nil
	}
	base, err := url.Parse(g.cfg.V5URL)
	if err != nil {
		return errors.New("record: v5_url cannot be parsed")
	}
	r, err := record.Open(record.Options{Dir: g.cfg.Record, MostFiles: g.cfg.RecordFiles, MostBytes: g.cfg.RecordBytes,
		FileBytes: g.cfg.RecordFileBytes, Log: g.log, Count: g.metrics.Recorded})
	if err != nil {
		return err
	}
	g.metrics.RecorderBegins()
	g.recorder = &recorder{Recorder: r, base: strings.TrimRight(base.EscapedPath(), "/"), open: map[*recording]bool{}}
	return nil
}

// record hands each answered call to the recorder. It is the outermost link: what
// it keeps is what the caller gets.
func (g *Gateway) record(next handler) handler {
	if g.recorder == nil {
		return next
	}
	return func(ctx context.Context, c *call) (xmlrpc.Answer, error) {
		rec := &recording{row: c.row, size: int64(c.size), call: record.Call{Method: c.Method, ID: c.ID, At: g.now(),
			Params: c.params, Names: parameterNames(c.row), Base: g.recorder.base}}
		g.recorder.begin(rec)
		answer, err := next(context.WithValue(ctx, recordingKey{}, rec), c)
		// What the old server says no fixture can play. Strangers are not recorded:
		// they would fill the directory.
		if c.forwarded || c.Tenant == nil {
			g.recorder.forget(rec)
			return answer, err
		}
		tree, told := g.tree(c, answer, err)
		if err := g.after(rec, c, tree); err != nil {
			g.log.Warn("the store could not be read for a recording", zap.String("request_id", c.ID), zap.Error(err))
		}
		g.recorder.end(rec, tree, told)
		return answer, err
	}
}

func parameterNames(row *translate.Row) (names []string) {
	if row.Key != translate.KeyNone {
		names = append(names, "apikey")
	}
	for _, p := range row.Params {
		names = append(names, p.Name)
	}
	return names
}

// remember keeps what the store has before a call, as far as the call names it.
func (g *Gateway) remember(next handler) handler {
	if g.recorder == nil {
		return next
	}
	return func(ctx context.Context, c *call) (xmlrpc.Answer, error) {
		if rec, ok := ctx.Value(recordingKey{}).(*recording); ok && c.Tenant != nil {
			rec.identified(c)
			if err := g.before(rec, c); err != nil {
				g.log.Warn("the store could not be read for a recording", zap.String("request_id", c.ID), zap.Error(err))
			}
			rec.call.Config = append(rec.call.Config, g.settingsOf(c.Tenant)...)
		}
		return next(ctx, c)
	}
}

func (rec *recording) identified(c *call) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.call.Organization = c.Tenant.SharingID
	if len(rec.call.Params) > len(c.params) {
		if key, err := readKey(rec.call.Params[0]); err == nil {
			rec.call.Known = key.apikey
		}
	}
	rec.call.Tenant = c.Tenant.Name
}

// settingsOf are the settings that a fixture has to have, too.
func (g *Gateway) settingsOf(t *tenant.Tenant) (lines []string) {
	for text, yes := range map[string]bool{
		"own_handle=" + t.OwnHandle:     t.OwnHandle != "",
		"mode=" + string(t.Mode):        t.Mode != tenant.Normal && t.Mode != "",
		"anonymous=1":                   t.Anonymous,
		"no_sharing_id=1":               t.SharingID == "",
		"buy_mail_slots=1":              t.MailSlots.Buy,
		"buy_premium=1":                 t.BuyPremium,
		"v5_dry_run=0":                  !g.cfg.V5DryRun,
		"zone_drift=" + g.cfg.ZoneDrift: g.cfg.ZoneDrift != "adopt",
	} {
		if yes {
			lines = append(lines, text)
		}
	}
	slices.Sort(lines)
	return lines
}

func (r *recorder) begin(rec *recording) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[rec] = true
}

// attempt keeps a request to v5 with the call that it was made for. The journal
// works behind the calls: what it sends at once is for the tenant's one call in
// flight whose method makes such requests, and where there are several it is
// nobody's.
func (r *recorder) attempt(ctx context.Context, a v5.Attempt) {
	if rec, ok := ctx.Value(recordingKey{}).(*recording); ok {
		rec.add(a, r.Most())
		return
	}
	if a.Background {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var of []*recording
	for rec := range r.open {
		if rec.makes(&a) {
			of = append(of, rec)
		}
	}
	for _, rec := range of {
		if len(of) == 1 {
			rec.add(a, r.Most())
		} else {
			rec.mix()
		}
	}
}

func (rec *recording) makes(a *v5.Attempt) bool {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return rec.call.Tenant == a.Tenant && slices.ContainsFunc(rec.row.V5, func(text string) bool { return strings.Contains(text, a.Route) })
}

func (rec *recording) mix() {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.mixed = true
}

func (rec *recording) add(a v5.Attempt, most int64) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.over {
		return
	}
	if rec.size += int64(len(a.Target) + len(a.Body) + len(a.Answer)); rec.size > most {
		rec.call.V5 = nil // it will not be written
		return
	}
	rec.call.V5 = append(rec.call.V5, a)
}

func (r *recorder) forget(rec *recording) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, rec)
}

// end closes a recording and hands it over.
func (r *recorder) end(rec *recording, answer xmlrpc.Value, err error) {
	r.forget(rec)
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.over = true
	if rec.size+sizeOf(answer, r.Most()) > r.Most() {
		r.Count(record.TooBig)
		return
	}
	var f interface{ Fault() (int, string) }
	if err != nil && !errors.As(err, &f) {
		return // the chain gives only faults
	}
	rec.call.Answer, rec.call.Fault = answer, f
	slices.SortFunc(rec.call.V5, func(a, b v5.Attempt) int { return cmp.Compare(a.Number, b.Number) })
	if rec.mixed {
		rec.call.Note = "requests to v5 behind it are missing, since several calls of the tenant could have made them"
	}
	r.Add(&rec.call)
}

// sizeOf is about how many bytes a value has, or more than most.
func sizeOf(v xmlrpc.Value, most int64) (n int64) {
	n = int64(len(v.Text())) + 16
	for i := range v.Len() {
		if n > most {
			break
		}
		n += int64(len(v.Member(i).Name)) + sizeOf(v.Index(i), most)
	}
	return n
}

// closeRecorder writes what waits: little, and for a moment at most, also where ctx
// has ended.
func (g *Gateway) closeRecorder(ctx context.Context) error {
	if g.recorder == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return g.recorder.Close(ctx)
}
