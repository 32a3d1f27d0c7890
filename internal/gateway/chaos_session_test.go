package gateway

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"v3gate/internal/ops"
	"v3gate/internal/sandbox"
)

// chaos is one session: the registrar, the network, one gateway process after
// the other, and those who call it.
type chaos struct {
	t     *testing.T
	seed  uint64
	rng   *rand.Rand // of what happens to processes, clocks and the network
	begin time.Time
	set   chaosSetting
	sim   *sandbox.Sandbox
	net   *chaosNet
	dir   string

	tenants []*chaosTenant
	left    map[string]int // names whose orders v5 lets fail, and how often

	mu      sync.Mutex
	process *chaosProcess // nil while none runs
	started int           // processes until now
	store   string        // of the next one
	skew    time.Duration // of the gateway's clock
	leaps   time.Duration // by how much that clock was set forward, in all
	trace   []chaosLine
	wrong   []violation
	told    []hearing
	seen    []sighting
	asked   []askedYear
	lives   map[int64]int // operation -> relaunches that may have been heard

	restarts, crashes, calls, cut int
	points                        map[string]int
	faults                        map[int]int
	journal                       []ops.Operation // at the end
}

// chaosSetting is what stays the same throughout a session.
type chaosSetting struct {
	options      sandbox.Options
	rate         int
	jitter       float64 // of the waits between retries
	ignores      bool    // now and then v5 takes a Dry-Run for the real call
	simultaneous bool    // requests may leave in the very same moment
}

// chaosTenant is a v3 account with what its integrations know in common.
type chaosTenant struct {
	name, key, token, org string
	shares                bool // its token is another's too

	mu      sync.Mutex
	handles []string
	ids     []int64 // of operations
}

// Names that everybody wants, that can be transferred, and of each account one
// to renew, one to restore, and one whose change of owner costs money.
var (
	wantedNames   = []string{"apple.com", "berry.fr", "cherry.net"}
	transferNames = []string{"date.com", "elder.org"}
	ownNames      = []string{"fig-%s.com", "grape-%s.fr", "hazel-%s.io"}
)

const chaosRightCode, chaosWrongCode = "the-Right1!", "the-Wrong1!"

func newChaos(t *testing.T, seed uint64, dir string) *chaos {
	c := &chaos{
		t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), dir: dir,
		lives: map[int64]int{}, points: map[string]int{}, faults: map[int]int{}, left: map[string]int{},
	}
	// A quarter of the sessions go through the turn of a year, which renewals
	// are guarded by.
	begin := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	if c.chance(0.25) {
		begin = time.Date(2026, 12, 31, 23, 50, 0, 0, time.UTC)
	}
	time.Sleep(time.Until(begin))
	c.begin = time.Now()
	c.settle()
	c.sim = sandbox.New(c.set.options)
	if err := c.sim.Seed(c.seeds()); err != nil {
		t.Fatal(err)
	}
	c.net = newChaosNet(c)
	return c
}

// settle draws what stays the same.
func (c *chaos) settle() {
	orgs := []string{orgA, orgB, "33333333-5f7b-11e9-a5c3-00163ec4cb00"}
	tokens := [][]string{{"one", "one", "one"}, {"one", "one", "two"}, {"one", "two", "two"}, {"one", "two", "three"}}[c.rng.IntN(4)]
	secrets := map[string]*sandbox.Token{}
	for i := range 2 + c.rng.IntN(2) {
		name := string(rune('a' + i))
		c.tenants = append(c.tenants, &chaosTenant{
			name: name, key: fmt.Sprintf("%024d", i+1), token: "v5-token-" + tokens[i], org: orgs[i],
		})
		if secrets[tokens[i]] == nil {
			secrets[tokens[i]] = &sandbox.Token{Secret: "v5-token-" + tokens[i]}
		}
		secrets[tokens[i]].Orgs = append(secrets[tokens[i]].Orgs, orgs[i])
	}
	for _, tn := range c.tenants {
		for _, s := range secrets {
			tn.shares = tn.shares || s.Secret == tn.token && len(s.Orgs) > 1
		}
	}
	c.set.ignores = c.chance(0.25)
	c.set.simultaneous = c.chance(0.1)
	c.set.jitter = c.rng.Float64()
	c.set.rate = []int{0, 1000, 1000, 1000, 120}[c.rng.IntN(5)]
	o := sandbox.Options{
		Now: time.Now, RandSeed: c.seed,
		StepTime:      []time.Duration{600 * time.Millisecond, 600 * time.Millisecond, 4 * time.Second, time.Minute}[c.rng.IntN(4)],
		PendingChecks: []int{-1, 1, 2}[c.rng.IntN(3)],
		Normalise:     c.chance(0.5), IntContactType: c.chance(0.5), ForgetOwnerChange: c.chance(0.3),
	}
	if c.chance(0.2) {
		o.Balance, o.OutOfMoney = "60.00", []string{sandbox.OutOfMoneyBill, sandbox.OutOfMoneyRefuse}[c.rng.IntN(2)]
	}
	for _, name := range []string{"one", "two", "three"} {
		if s := secrets[name]; s != nil {
			o.Tokens = append(o.Tokens, *s)
		}
	}
	c.set.options = o
}

// seeds are the domains that are there from the beginning, and the orders that
// v5 will take and not bring to a good end.
func (c *chaos) seeds() sandbox.Seed {
	s := sandbox.Seed{
		Taken: transferNames, TransferCodes: map[string]string{transferNames[0]: chaosRightCode},
		FailCreate: map[string]sandbox.FailedOrder{}, FailChangeOwner: map[string]sandbox.FailedOrder{},
	}
	now := time.Now()
	for _, tn := range c.tenants {
		for i, name := range ownNames {
			d := sandbox.SeedDomain{FQDN: fmt.Sprintf(name, tn.name), SharingID: tn.org, RegistryEndsAt: now.AddDate(0, 0, 20+c.rng.IntN(300))}
			if i == 1 {
				d.RegistryEndsAt = now.AddDate(0, 0, -40) // in redemption for 18 more days
			}
			s.Domains = append(s.Domains, d)
		}
	}
	failed := func() sandbox.FailedOrder {
		return sandbox.FailedOrder{Step: []string{"ERROR", "ERROR", "SUPPORT"}[c.rng.IntN(3)], ErrorType: "registry:refused"}
	}
	if c.chance(0.3) {
		name := oneOf(c.rng, wantedNames)
		s.FailCreate[name], c.left[name] = failed(), 1
	}
	if c.chance(0.2) {
		s.FailChangeOwner["hazel-a.io"] = failed()
	}
	return s
}

func oneOf[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

func (c *chaos) chance(p float64) bool { return c.rng.Float64() < p }

// someTime is a random time, to the nanosecond, so that few things happen in the
// same moment and the order of things is the seed's.
func someTime(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)))
}

// clock is the gateway's.
func (c *chaos) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.skew)
}

// play lets all callers finish what they want while everything fails around
// them, and then waits until nothing can change any more.
func (c *chaos) play() {
	c.store = filepath.Join(c.dir, "store-0.db")
	c.start()
	var callers sync.WaitGroup
	for i, tn := range c.tenants {
		newCaller(c, tn, 10*i).getHandles()
	}
	for i, tn := range c.tenants {
		for j := range 2 {
			k := newCaller(c, tn, 10*i+j+1)
			callers.Go(k.live)
		}
	}
	done := make(chan struct{})
	go func() { callers.Wait(); close(done) }()
	c.direct(done)
	c.heal()
}

// heal ends all chaos and lets every limit pass: the ten minutes in which a
// call is tried, the hour in which its outcome is looked for, and as much as
// the clock was set back.
func (c *chaos) heal() {
	c.net.change(chaosWeather{name: "quiet"})
	c.net.arm("")
	c.sim.SetChaos(sandbox.Chaos{})
	c.note("", "all is quiet")
	c.down(0)
	if err := c.sim.Seed(sandbox.Seed{Balance: "100000.00"}); err != nil {
		c.t.Error(err)
	}
	for range 60 {
		time.Sleep(10 * time.Minute)
		if c.read(); !slices.ContainsFunc(c.journal, unfinished) {
			break
		}
	}
	time.Sleep(2 * time.Hour)
	c.read()
}

func unfinished(o ops.Operation) bool {
	return o.Step == ops.Bill || o.Step == ops.Wait || o.Step == ops.Run
}

// read takes the journal as it is, the oldest operation first.
func (c *chaos) read() {
	c.journal = nil
	err := c.process.services.Ops.Everywhere(func(o ops.Operation) error {
		c.journal = append(c.journal, o)
		return nil
	})
	if err != nil {
		c.t.Error(err)
	}
	slices.Reverse(c.journal)
}

// end stops the last process, which must have nothing left to wait for, and
// waits for what is on its way.
func (c *chaos) end() {
	c.stop(time.Minute)
	c.net.served.Wait()
}

// tenant finds an account by its organization.
func (c *chaos) tenant(org string) *chaosTenant {
	for _, tn := range c.tenants {
		if tn.org == org {
			return tn
		}
	}
	return nil
}
