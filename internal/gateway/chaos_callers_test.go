package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/kolo/xmlrpc"
)

// integration is one client program of an account. It calls, waits as long as it
// likes, and calls again.
type integration struct {
	c   *chaos
	tn  *chaosTenant
	n   int
	rng *rand.Rand
	nth int // calls until now; under c.mu
}

func newCaller(c *chaos, tn *chaosTenant, n int) *integration {
	return &integration{c: c, tn: tn, n: n, rng: rand.New(rand.NewPCG(c.seed, uint64(100+n)))}
}

var (
	errRefused = errors.New("connection refused")
	errCut     = errors.New("connection cut")
	errTooLong = errors.New("no answer in time")
)

// Faults that are the gateway's own bugs, or that no rule knows.
const (
	faultInternal = 150000
	faultUnmapped = 500000
)

// call makes one call of the process that runs now.
func (k *integration) call(rng *rand.Rand, method string, params ...any) (any, error) {
	c := k.c
	c.mu.Lock()
	p := c.process
	if p != nil {
		p.calls.Add(1)
	}
	c.calls++
	k.nth++
	name := fmt.Sprintf("call %d.%d", k.n, k.nth)
	c.mu.Unlock()
	about := aboutOf(params)
	began := time.Now()
	c.note(about, "%s: %s as %s %v", name, method, k.tn.name, params)
	answer, err := k.exchange(p, rng, method, params)
	c.note(about, "%s: %s", name, inShort(answer, err))
	c.mu.Lock()
	defer c.mu.Unlock()
	var fault xmlrpc.FaultError
	switch {
	case err == nil:
		c.hear(k.tn.name, method, answer, began)
	case errors.As(err, &fault):
		c.faults[fault.Code]++
		c.hearFault(k.tn.name, fault, began)
		if fault.Code == faultInternal || fault.Code == faultUnmapped {
			c.wrong = append(c.wrong, violation{about, fmt.Sprintf("%s: %v", method, err)})
		}
	default:
		c.cut++
	}
	return answer, err
}

// aboutOf is the name, or the operation, that a call is about.
func aboutOf(params []any) string {
	if len(params) > 0 {
		switch p := params[0].(type) {
		case string, int64:
			return fmt.Sprint(p)
		}
	}
	return ""
}

// chaosRequest is the way of a call through the process, whose death or stop cuts
// the connection; so does the caller's patience.
func (k *integration) exchange(p *chaosProcess, rng *rand.Rand, method string, params []any) (any, error) {
	if p == nil {
		return nil, errRefused
	}
	body, err := xmlrpc.EncodeMethodCall(method, append([]any{k.tn.key}, params...)...)
	if err != nil {
		k.c.t.Error(err)
	}
	patience := oneOf(rng, []time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute})
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), chaosCallerKey{}, fmt.Sprint(k.n, rng.Uint32())), patience)
	defer cancel()
	answered := make(chan []byte, 1)
	go func() {
		defer p.calls.Done()
		rec := httptest.NewRecorder()
		p.handler.ServeHTTP(rec, httptest.NewRequest("POST", "/xmlrpc/", bytes.NewReader(body)).WithContext(ctx))
		answered <- rec.Body.Bytes()
	}()
	select {
	case raw := <-answered:
		if p.isDead() {
			return nil, errCut
		}
		answer := xmlrpc.Response(raw)
		if err := answer.Err(); err != nil {
			return nil, err
		}
		var v any
		return v, answer.Unmarshal(&v)
	case <-ctx.Done():
		return nil, errTooLong
	case <-p.gone:
		return nil, errCut
	}
}

// order makes a call as integrations do: again when the connection broke or
// nobody answered in time, and now and then twice at once.
func (k *integration) order(method string, params ...any) map[string]any {
	if k.rng.IntN(6) == 0 {
		rng, delay := rand.New(rand.NewPCG(k.rng.Uint64(), 0)), someTime(k.rng, 0, 20*time.Millisecond)
		if k.c.set.simultaneous {
			delay = 0
		}
		var twin sync.WaitGroup
		defer twin.Wait()
		twin.Go(func() {
			time.Sleep(delay)
			k.call(rng, method, params...)
		})
	}
	for {
		answer, err := k.call(k.rng, method, params...)
		var fault xmlrpc.FaultError
		if err == nil || errors.As(err, &fault) || k.rng.IntN(5) == 0 {
			m, _ := answer.(map[string]any)
			return m
		}
		k.pause(15 * time.Second)
	}
}

func (k *integration) pause(most time.Duration) { time.Sleep(someTime(k.rng, time.Millisecond, most)) }

// hearing is that a caller was told of an operation, by a call that began and ended
// at these times. step is "" where only the number was named.
type hearing struct {
	tenant, typ, fqdn, step string
	id                      int64
	began, ended            time.Time
}

// sighting is that a caller was shown a domain.
type sighting struct{ tenant, fqdn string }

// askedYear is that a caller asked for one.
type askedYear struct {
	fqdn string
	year int
}

// hear keeps what an answer tells. c.mu is held.
func (c *chaos) hear(tenant, method string, answer any, began time.Time) {
	switch v := answer.(type) {
	case []any:
		for _, item := range v {
			c.hear(tenant, method, item, began)
		}
	case map[string]any:
		if step, ok := v["step"].(string); ok {
			infos, _ := v["infos"].(map[string]any)
			id, _ := v["id"].(int64)
			typ, _ := v["type"].(string)
			fqdn, _ := infos["label"].(string)
			c.told = append(c.told, hearing{tenant, typ, fqdn, step, id, began, time.Now()})
		}
		if fqdn, ok := v["fqdn"].(string); ok && method == "domain.info" {
			c.seen = append(c.seen, sighting{tenant, fqdn})
		}
	}
}

var namedOperation = regexp.MustCompile(`operation (\d+)`)

// hearFault keeps the operation that a fault names. c.mu is held.
func (c *chaos) hearFault(tenant string, f xmlrpc.FaultError, began time.Time) {
	if m := namedOperation.FindStringSubmatch(f.String); m != nil {
		id, _ := strconv.ParseInt(m[1], 10, 64)
		c.told = append(c.told, hearing{tenant: tenant, id: id, began: began, ended: time.Now()})
	}
}

// inShort is an answer for the trace.
func inShort(answer any, err error) string {
	if err != nil {
		return err.Error()
	}
	switch v := answer.(type) {
	case map[string]any:
		if step, ok := v["step"]; ok {
			return fmt.Sprintf("operation %v %v %v %v", v["id"], v["type"], step, v["last_error"])
		}
		if fqdn, ok := v["fqdn"]; ok {
			return fmt.Sprintf("domain %v ends %v", fqdn, v["date_registry_end"])
		}
		if handle, ok := v["handle"]; ok {
			return fmt.Sprint("contact ", handle)
		}
	case []any:
		return fmt.Sprintf("%d items", len(v))
	}
	return fmt.Sprint(answer)
}
