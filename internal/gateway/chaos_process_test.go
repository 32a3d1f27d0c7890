package gateway

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"v3gate/internal/config"
)

// chaosProcess is one life of the gateway.
type chaosProcess struct {
	*Gateway
	c       *chaos
	n       int
	handler http.Handler
	calls   sync.WaitGroup // callers' calls in it
	gone    chan struct{}  // closed when its callers are cut off
	buried  chan struct{}  // closed when a dead process's goroutines may end
	once    sync.Once
	dead    bool // under net.mu: nothing leaves it any more, and nobody hears it
}

// start runs a process on the store that the last one left.
func (c *chaos) start() {
	c.t.Helper()
	p := &chaosProcess{c: c, n: c.started, gone: make(chan struct{}), buried: make(chan struct{})}
	c.started++
	cfg := config.Default()
	cfg.Store, cfg.V5URL, cfg.V5Rate = c.store, "http://v5.test/v5", c.set.rate
	for _, tn := range c.tenants {
		cfg.Tenants = append(cfg.Tenants, config.Tenant{Name: tn.name, V3Key: tn.key, V5Token: tn.token, SharingID: tn.org})
	}
	request := 0
	var mu sync.Mutex
	g, err := New(cfg, Hooks{
		Log: c.logger(), Transport: &chaosWire{c.net, p}, Now: c.clock, At: p.reach,
		Jitter: func(bound time.Duration) time.Duration { return time.Duration(c.set.jitter * float64(bound)) },
		RequestID: func() string {
			mu.Lock()
			defer mu.Unlock()
			request++
			return fmt.Sprintf("request-%d-%d", p.n, request)
		},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	p.Gateway = g
	g.services.UnmappedV5 = func(route string) { c.violated("", "v5's error of %s is not mapped to a fault", route) }
	if p.handler, err = g.Handler(); err != nil {
		c.t.Fatal(err)
	}
	g.services.Ops.Start()
	c.note("", "process %d starts, its clock is off by %s", p.n, c.skew)
	c.mu.Lock()
	c.process = p
	c.mu.Unlock()
}

// logger writes the gateway's warnings into the trace.
func (c *chaos) logger() *zap.Logger {
	enc := zapcore.NewConsoleEncoder(zapcore.EncoderConfig{MessageKey: "msg", LevelKey: "level", EncodeLevel: zapcore.LowercaseLevelEncoder,
		EncodeDuration: zapcore.StringDurationEncoder})
	return zap.New(zapcore.NewCore(enc, zapcore.AddSync(logLines{c}), zap.WarnLevel))
}

type logLines struct{ c *chaos }

func (l logLines) Write(b []byte) (int, error) {
	l.c.note("", "log: %s", strings.TrimSpace(string(b)))
	return len(b), nil
}

// current is the process that callers reach; nil while there is none.
func (c *chaos) current() *chaosProcess {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.process
}

func (p *chaosProcess) isDead() bool {
	p.c.net.mu.Lock()
	defer p.c.net.mu.Unlock()
	return p.dead
}

// reach kills the process if it is to die at this point.
func (p *chaosProcess) reach(point string) {
	if !p.c.net.fatal(p, point) {
		return
	}
	p.die(point)
	<-p.buried
}

// die is what SIGKILL does: from one moment on nothing leaves the process, and
// the next one finds what was committed until then. The order matters: a request
// that leaves is in the journal that is kept.
func (p *chaosProcess) die(how string) {
	p.once.Do(func() {
		c := p.c
		c.net.mu.Lock()
		p.dead = true
		c.net.mu.Unlock()
		next := filepath.Join(c.dir, fmt.Sprintf("store-%d.db", p.n+1))
		f, err := os.Create(next)
		if err == nil {
			_, err = p.db.Backup(f)
			f.Close()
		}
		if err != nil {
			c.t.Error(err)
		}
		c.note("", "process %d dies: %s", p.n, how)
		c.mu.Lock()
		c.store = next
		c.crashes++
		c.points[how]++
		c.mu.Unlock()
		close(p.gone)
	})
}

// bury lets the goroutines of a dead process end. What they still write goes to
// a file that nobody reads.
func (c *chaos) bury(p *chaosProcess) {
	c.mu.Lock()
	c.process = nil
	c.mu.Unlock()
	close(p.buried)
	cut, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Stop(cut)
	p.calls.Wait()
	os.Remove(p.cfg.Store)
}

// stop ends the process as SIGTERM does: no new calls, and grace for those in
// flight, before callers and calls of v5 are cut.
func (c *chaos) stop(grace time.Duration) {
	c.net.arm("")
	p := c.current()
	if p.isDead() {
		return
	}
	c.note("", "process %d stops within %s", p.n, grace)
	c.mu.Lock()
	c.process = nil
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	answered := make(chan struct{})
	go func() { p.calls.Wait(); close(answered) }()
	select {
	case <-answered:
	case <-ctx.Done():
	}
	close(p.gone)
	if err := p.Stop(ctx); err != nil {
		c.violated("", "the process does not stop well: %v", err)
	}
	c.note("", "process %d has stopped", p.n)
	<-answered
}

// down sees to it that a gateway runs again, after a while without one.
func (c *chaos) down(most time.Duration) {
	p := c.current()
	switch {
	case p != nil && !p.isDead():
		return
	case p != nil:
		<-p.gone
		c.bury(p)
	}
	time.Sleep(someTime(c.rng, 0, most+1))
	if most > 0 && c.chance(0.3) {
		c.setClock(someTime(c.rng, -10*time.Minute, 90*time.Minute))
	}
	c.restarts++
	c.start()
}

// direct lets things happen to the gateway until the callers are done.
func (c *chaos) direct(done chan struct{}) {
	for {
		var dead <-chan struct{}
		if p := c.current(); p != nil {
			dead = p.gone
		}
		timer := time.NewTimer(someTime(c.rng, 2*time.Second, 40*time.Second))
		select {
		case <-done:
			timer.Stop()
			return
		case <-dead:
			c.down(longestDown)
		case <-timer.C:
			c.happen()
		}
		timer.Stop()
	}
}

// longestDown is how long callers may be without a gateway.
const longestDown = 20 * time.Second

// happen is one thing that goes wrong.
func (c *chaos) happen() {
	switch n := c.rng.IntN(20); {
	case n < 10:
		c.net.change(c.drawWeather())
	case n < 11:
		d := someTime(c.rng, time.Second, 36*time.Hour)
		c.note("", "v5's clock goes forward by %s", d)
		c.sim.Advance(d)
	case n < 13:
		c.setClock(someTime(c.rng, -10*time.Minute, 90*time.Minute))
	case n < 14:
		c.stop(someTime(c.rng, time.Millisecond, 6*time.Second))
		c.down(longestDown)
	case n < 15:
		c.current().die("at any time")
		c.down(longestDown)
	default:
		c.net.arm(oneOf(c.rng, []string{"intended", "dry-run", "sending", "sent", "outcome", "departs", "lands",
			"list", "item", "item-sent", "item-outcome", "list-end"}))
	}
}

// setClock moves the gateway's clock, as people and NTP do. What a process
// measures within itself is not touched by that, and here it is: there is no
// monotonic clock in a bubble. So the clock is set forward only while nothing is
// on its way to v5 that two looks a moment apart could both miss.
func (c *chaos) setClock(by time.Duration) {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if by > 0 {
		if c.net.air > 0 {
			return
		}
		c.leaps += by
	}
	c.skew += by
	c.noteLocked("", "the gateway's clock is now off by %s", c.skew)
}

// drawWeather is what the network and v5 are like for a while.
func (c *chaos) drawWeather() chaosWeather {
	w := oneOf(c.rng, chaosWeathers)
	if w.sim.Latency > 0 {
		w.sim.Latency = someTime(c.rng, time.Second, longestLatency)
	}
	w.sim.IgnoreDryRun = c.set.ignores && c.chance(0.4)
	return w
}
