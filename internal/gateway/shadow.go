package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/oldv3"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

const (
	comparisonsWaiting = 64 // further ones are dropped
	comparers          = 4
	comparisonTimeout  = 20 * time.Second
	mostCompared       = 1 << 20 // bytes of parameters and an answer; more is dropped
	mostPaths          = 100     // of one method in the report
)

// job is a call that is to be compared, when it has its answer.
type job struct {
	c      *call
	ours   handler       // makes our answer, where the caller got theirs
	theirs *oldv3.Answer // nil where the caller got ours
	here   xmlrpc.Value  // our answer
	fault  *xmlrpc.Fault // our fault
}

// comparer compares answers behind the calls.
type comparer struct {
	g      *Gateway
	queue  chan *job
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex // of what follows
	closed  bool
	methods map[string]*MethodReport
}

// MethodReport is what the comparison of a method has found since the start.
type MethodReport struct {
	Method    string `json:"method"`
	Equal     int    `json:"equal"`
	Different int    `json:"different"`
	Dropped   int    `json:"dropped"` // there was no time or room to compare them
	Failed    int    `json:"failed"`  // one of the two gave no answer
	// Paths are where the answers differed, the most frequent first; Others counts
	// differences beyond the hundred paths that are kept.
	Paths  []PathReport `json:"paths"`
	Others int          `json:"others,omitempty"`
}

// PathReport is a place in which answers differed.
type PathReport struct {
	oldv3.Difference
	Count int       `json:"count"`
	Last  time.Time `json:"last"`
}

func (g *Gateway) newComparer() *comparer {
	k := &comparer{g: g, queue: make(chan *job, comparisonsWaiting), methods: map[string]*MethodReport{}}
	k.ctx, k.cancel = context.WithCancel(v5.Background(context.Background()))
	for range comparers {
		k.done.Go(func() {
			for j := range k.queue {
				k.one(j)
			}
		})
	}
	return k
}

// close ends what is compared; what waits is dropped.
func (k *comparer) close() {
	k.mu.Lock()
	if !k.closed {
		k.closed = true
		close(k.queue)
	}
	k.mu.Unlock()
	k.cancel()
	k.done.Wait()
}

// shadow hands answered calls over to be compared. It never waits.
func (g *Gateway) shadow(next handler) handler {
	if g.forwarder == nil {
		return next
	}
	return func(ctx context.Context, c *call) (xmlrpc.Answer, error) {
		answer, err := next(ctx, c)
		if c.job != nil {
			j := c.job
			if j.c = c; j.theirs == nil {
				var told error
				j.here, told = g.tree(c, answer, err)
				j.fault = faultOf(told)
			}
			g.forwarder.compare.offer(j)
		}
		return answer, err
	}
}

// tree is the value of an answer, and the error that its caller is given.
func (g *Gateway) tree(c *call, answer xmlrpc.Answer, err error) (xmlrpc.Value, error) {
	if err != nil {
		return xmlrpc.Value{}, err
	}
	v, err := xmlrpc.Tree(answer)
	if err != nil {
		f, _ := g.services.Fault(&c.Call, err)
		return v, f
	}
	return v, nil
}

func faultOf(err error) *xmlrpc.Fault {
	var f interface{ Fault() (int, string) }
	if !errors.As(err, &f) {
		return nil
	}
	code, text := f.Fault()
	return &xmlrpc.Fault{Code: code, Text: text}
}

func (k *comparer) offer(j *job) {
	size := int64(j.c.size) + sizeOf(j.here, mostCompared)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	if size <= mostCompared {
		select {
		case k.queue <- j:
			return
		default:
		}
	}
	k.tell(j, "dropped", nil)
}

// one asks who has not been asked, and compares.
func (k *comparer) one(j *job) {
	became, found := "failed", []oldv3.Difference(nil)
	defer func() {
		if p := recover(); p != nil { // in our own answer, which nobody waits for
			k.g.log.Error("handler panicked in a comparison", zap.String("request_id", j.c.ID), zap.String("method", j.c.Method))
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.tell(j, became, found)
	}()
	ctx, cancel := context.WithTimeout(k.ctx, comparisonTimeout)
	defer cancel()
	if !k.complete(ctx, j) {
		return
	}
	ignore := func(path string) bool {
		return slices.ContainsFunc(k.g.cfg.ShadowIgnore, func(text string) bool {
			method, pattern, _ := strings.Cut(text, ":")
			return oldv3.Match(method, j.c.Method) && oldv3.Match(pattern, path)
		})
	}
	if found = oldv3.CompareFaults(j.fault, j.theirs.Fault, ignore); j.fault == nil && j.theirs.Fault == nil {
		found = oldv3.Compare(j.here, j.theirs.Value, ignore)
	}
	if became = "equal"; len(found) > 0 {
		became = "different"
		k.log(j, found)
	}
}

// complete gets the answer that is missing. A trouble of a server is none: it says
// nothing of what the other would have said.
func (k *comparer) complete(ctx context.Context, j *job) bool {
	if j.theirs == nil {
		if j.fault != nil && serverTrouble(j.fault) {
			return false
		}
		var err error
		j.theirs, err = k.g.forward(ctx, j.c)
		return err == nil && (j.theirs.Fault == nil || !serverTrouble(j.theirs.Fault))
	}
	c := *j.c
	answer, err := j.ours(ctx, &c)
	if j.here, err = k.g.tree(&c, answer, err); err != nil {
		f, known := k.g.services.Fault(&c.Call, err)
		if !known || f.Server() {
			return false
		}
		j.fault = faultOf(f)
	}
	return j.theirs.Fault == nil || !serverTrouble(j.theirs.Fault)
}

// serverTrouble tells of faults of class 1, which are the server's and not the
// caller's (v3 documentation).
func serverTrouble(f *xmlrpc.Fault) bool { return f.Code/100000 == 1 }

func (k *comparer) log(j *job, found []oldv3.Difference) {
	paths := make([]string, 0, 20)
	for _, d := range found[:min(len(found), cap(paths))] {
		paths = append(paths, d.String())
	}
	k.g.log.Info("the old server answers otherwise", zap.String("request_id", j.c.ID), zap.String("method", j.c.Method),
		zap.String("tenant", tenantName(j.c)), zap.Int("differences", len(found)), zap.Strings("paths", paths))
}

func tenantName(c *call) string {
	if c.Tenant == nil {
		return ""
	}
	return c.Tenant.Name
}

// tell counts; k.mu is held.
func (k *comparer) tell(j *job, became string, found []oldv3.Difference) {
	k.g.metrics.Shadow(j.c.Method, became)
	m := k.methods[j.c.Method]
	if m == nil {
		m = &MethodReport{Method: j.c.Method}
		k.methods[j.c.Method] = m
	}
	switch became {
	case "equal":
		m.Equal++
	case "different":
		m.Different++
	case "dropped":
		m.Dropped++
	default:
		m.Failed++
	}
	for _, d := range found {
		i := slices.IndexFunc(m.Paths, func(p PathReport) bool { return p.Difference == d })
		if i < 0 && len(m.Paths) == mostPaths {
			m.Others++
			continue
		}
		if i < 0 {
			i = len(m.Paths)
			m.Paths = append(m.Paths, PathReport{Difference: d})
		}
		m.Paths[i].Count++
		m.Paths[i].Last = k.g.now().UTC()
	}
}

// ShadowReport is what a gateway's comparison has found since its start.
type ShadowReport struct {
	URL     string         `json:"url"`
	Answer  string         `json:"answer"`  // whose the callers get
	Forward []string       `json:"forward"` // methods that the old server alone answers
	Compare []string       `json:"compare"` // methods that both answer
	Methods []MethodReport `json:"methods"` // those that were called, by name
}

var errNoShadow = errors.New("this gateway answers every method itself; see old_v3_methods and shadow_methods in docs/config.md")

// shadowReport is the report of now.
func (g *Gateway) shadowReport() (*ShadowReport, error) {
	if g.forwarder == nil {
		return nil, errNoShadow
	}
	k := g.forwarder.compare
	r := &ShadowReport{URL: g.cfg.OldV3URL, Answer: g.cfg.ShadowAnswer, Forward: g.forwarder.routedMethods(old),
		Compare: g.forwarder.routedMethods(shadow), Methods: []MethodReport{}}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.methods {
		whole := *m
		whole.Paths = slices.Clone(m.Paths)
		slices.SortStableFunc(whole.Paths, func(a, b PathReport) int { return b.Count - a.Count })
		r.Methods = append(r.Methods, whole)
	}
	slices.SortFunc(r.Methods, func(a, b MethodReport) int { return strings.Compare(a.Method, b.Method) })
	return r, nil
}
