package gateway

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	chaosSeed     = flag.Uint64("chaos.seed", 0, "chaos: play the sessions from this seed on and no others")
	chaosSessions = flag.Int("chaos.sessions", 0, "chaos: how many sessions follow each seed")
	chaosFor      = flag.Duration("chaos.for", 0, "chaos: play random sessions for as long as that")
)

// chaosSeeds are played in every run, and after them a random one.
var chaosSeeds = []uint64{1, 10_000, 20_000}

// chaosPerSeed is how many sessions follow each seed: 240 in a plain run, 64
// under the race detector, which is some eight times as slow.
const chaosPerSeed = 60 - 44*chaosRace

// TestChaos plays random sessions: two or three accounts, whose integrations
// register, renew, transfer, restore and change what they can get, and call
// again when nobody answers, while v5, the network, the clocks and the gateway
// itself fail. When all is quiet again, money must have moved once and every
// operation must have come to its end; chaos_check_test.go has the rules.
//
// A session runs in a bubble with a clock of its own, so that its hours pass in
// milliseconds, and takes all its decisions from its seed. One that fails tells
// how to play it again; what happens in the same moment has no order, so it may
// take a few tries.
func TestChaos(t *testing.T) {
	if *chaosFor > 0 {
		chaosMarathon(t)
		return
	}
	seeds, sessions := chaosSeeds, chaosPerSeed
	if *chaosSeed != 0 {
		seeds = []uint64{*chaosSeed}
	} else {
		seeds = append(seeds[:len(seeds):len(seeds)], randomSeed())
	}
	if *chaosSessions > 0 {
		sessions = *chaosSessions
	}
	var all chaosTotals
	t.Run("sessions", func(t *testing.T) {
		for _, seed := range seeds {
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				for i := range uint64(sessions) {
					if all.add(playChaos(t, seed+i)); t.Failed() {
						return
					}
				}
			})
		}
	})
	t.Logf("seeds %d: %s", seeds, all.chaosTally)
	if *chaosSeed == 0 && *chaosSessions == 0 && !t.Failed() {
		all.enough(t, len(seeds)*sessions)
	}
}

// chaosMarathon plays random sessions on every processor until time is up.
func chaosMarathon(t *testing.T) {
	var all chaosTotals
	end := time.Now().Add(*chaosFor)
	t.Run("sessions", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			seed := randomSeed()
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				for ; time.Now().Before(end) && !t.Failed(); seed++ {
					all.add(playChaos(t, seed))
				}
			})
		}
	})
	t.Log(all.chaosTally)
}

func randomSeed() uint64 { return 1_000_000 + rand.Uint64N(1_000_000_000) }

// playChaos plays one session and fails the test for what went wrong in it.
func playChaos(t *testing.T, seed uint64) (n chaosTally) {
	t.Helper()
	chaosBubble(t, seed, func(c *chaos) {
		if c.check(); len(c.wrong) > 0 {
			t.Error(c.report())
		}
		n.count(c)
	})
	return n
}

// chaosBubble plays a session up to the quiet at its end, lets end look at it,
// and stops it.
func chaosBubble(t *testing.T, seed uint64, end func(*chaos)) {
	t.Helper()
	// A file system in memory holds what a killed process wrote as well as a
	// disk does, and its syncs take no time.
	dir, err := os.MkdirTemp(inMemory(), "chaos")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	synctest.Test(t, func(t *testing.T) {
		c := newChaos(t, seed, dir)
		c.play()
		end(c)
		c.end()
	})
}

func inMemory() string {
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() {
		return shm
	}
	return ""
}

// chaosTally is what sessions came to, so that a log shows what was tried.
type chaosTally struct {
	sessions, restarts, crashes int
	calls, cut, requests, sends int
	again                       int // operations that were sent twice
	steps                       map[string]int
	points                      map[string]int // where processes died
}

func (n *chaosTally) count(c *chaos) {
	n.sessions, n.restarts, n.crashes = 1, c.restarts, c.crashes
	n.calls, n.cut, n.requests = c.calls, c.cut, len(c.sim.Requests())
	n.steps, n.points = map[string]int{}, c.points
	for _, o := range c.journal {
		n.steps[string(o.Step)]++
	}
	for _, s := range c.net.sends {
		n.sends += s.n
		if s.n > 1 {
			n.again++
		}
	}
}

// chaosTotals adds the tallies of sessions that are played at the same time.
type chaosTotals struct {
	mu sync.Mutex
	chaosTally
}

func (n *chaosTotals) add(m chaosTally) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sessions, n.restarts, n.crashes = n.sessions+m.sessions, n.restarts+m.restarts, n.crashes+m.crashes
	n.calls, n.cut, n.requests = n.calls+m.calls, n.cut+m.cut, n.requests+m.requests
	n.sends, n.again = n.sends+m.sends, n.again+m.again
	if n.steps == nil {
		n.steps, n.points = map[string]int{}, map[string]int{}
	}
	for step, k := range m.steps {
		n.steps[step] += k
	}
	for point, k := range m.points {
		n.points[point] += k
	}
}

func (n chaosTally) String() string {
	return fmt.Sprintf("%d sessions, %d restarts, %d of them after a crash %v; %d calls, %d of them cut, %d requests to v5; "+
		"operations %v, %d orders, %d operations sent twice", n.sessions, n.restarts, n.crashes, n.points,
		n.calls, n.cut, n.requests, n.steps, n.sends, n.again)
}

// enough fails for a run that had too little chaos to prove anything.
func (n chaosTally) enough(t *testing.T, sessions int) {
	if n.sessions < sessions || n.restarts < 20 || n.crashes < 10 || n.again == 0 || n.steps["DONE"] < sessions || n.steps["SUPPORT"] == 0 {
		t.Errorf("too little happened: %s", n)
	}
}
