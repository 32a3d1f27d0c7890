// Package sandbox simulates the v5 REST API as an http.Handler: strict about
// what it accepts, stateful, with a clock and a chaos dial of its own. It is
// written from the v5 documentation and from recorded answers alone and shares
// no type with any client, so that a client's mistake is not repeated here.
package sandbox

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// DefaultToken is the credential accepted when Options.Tokens is empty.
	DefaultToken = "sandbox"
	// DefaultSharingID is the organization of DefaultToken. A sharing_id is the
	// uuid of an organization (v5 documentation).
	DefaultSharingID = "e58f2734-5f7b-11e9-a5c3-00163ec4cb00"
)

// What happens to a purchase that the prepaid account cannot pay. Neither form
// is established for v5, so both can be had.
const (
	// OutOfMoneyRefuse answers 400 and starts nothing.
	OutOfMoneyRefuse = "refuse"
	// OutOfMoneyBill accepts the order, which then stays in step BILL until the
	// balance suffices.
	OutOfMoneyBill = "bill"
)

// Options configure a Sandbox. The zero value is a usable one.
type Options struct {
	// Tokens are the accepted credentials. Empty means one token, DefaultToken,
	// for one organization, DefaultSharingID.
	Tokens []Token
	// Organizations describes organizations. One that only occurs in a token
	// gets a description: the first of a token is the user's own, every further
	// one is a reseller.
	Organizations []Organization
	// Now is the clock underneath; the management clock adds an offset to it.
	// Nil means time.Now.
	Now func() time.Time
	// StepTime is how long a creation stays in each of BILL, WAIT and RUN, an
	// owner change in WAIT and RUN, and how long a simple change takes to show.
	// Zero means 600 ms.
	StepTime time.Duration
	// Normalise stores contacts as v5 might: city in upper case, state FR-IDF
	// added where the country is FR and the zip begins with 75.
	Normalise bool
	// IntContactType answers contact.type as an integer (recorded) instead of
	// a string (v5 documentation).
	IntContactType bool
	// PendingChecks is how many times GET check answers pending for a fresh name.
	// Zero means 1; a negative number means never.
	PendingChecks int
	// Balance is the prepaid amount of each organization. Empty means "1000.00".
	Balance string
	// OutOfMoney is OutOfMoneyRefuse (also the meaning of "") or OutOfMoneyBill.
	OutOfMoney string
	// IgnoreDryRun makes the real purchase in spite of the Dry-Run header.
	IgnoreDryRun bool
	// ForgetOwnerChange makes a finished owner change unreadable (404) instead
	// of keeping the last one. Which of the two v5 does is not established.
	ForgetOwnerChange bool
	// RandSeed starts the random source of the chaos dial; equal seeds give
	// equal decisions.
	RandSeed uint64
	// Log receives one line a request. Nil means silence.
	Log func(format string, args ...any)
}

// Token is one accepted credential.
type Token struct {
	Secret string
	// Scheme is "Bearer" or "Apikey"; "" accepts both.
	Scheme string
	// Orgs are the sharing_ids it may use. The first one is the user's own
	// organization, which pays when no sharing_id is given. Empty means
	// DefaultSharingID.
	Orgs []string
}

// Sandbox is the state behind both handlers. All methods are safe for
// concurrent use.
type Sandbox struct {
	opts   Options
	routes []route

	mu sync.Mutex
	state
}

// state is everything that Reset throws away. It is guarded by Sandbox.mu.
type state struct {
	rng        *rand.Rand
	chaos      Chaos
	nextErrors []NextError

	offset   time.Duration
	frozen   bool
	frozenAt time.Time
	queue    []task

	requests []*Request
	ledger   []Charge

	orgs       map[string]*organization
	unpaid     []purchase
	outOfMoney string

	domains      map[string]*domain
	creations    map[string]*creation
	ownerChanges map[string]*ownerChange
	transfers    map[string]*transfer

	taken           map[string]bool
	transferCodes   map[string]string
	checkStatus     map[string]string
	premium         map[string]int64
	claims          map[string]bool // of a name, whether they were accepted
	checked         map[string]int
	failCreate      map[string]FailedOrder
	failChangeOwner map[string]FailedOrder

	counter int
}

// New returns a sandbox in its initial state.
func New(opts Options) *Sandbox {
	if len(opts.Tokens) == 0 {
		opts.Tokens = []Token{{Secret: DefaultToken}}
	}
	opts.Tokens = slices.Clone(opts.Tokens)
	for i := range opts.Tokens {
		if len(opts.Tokens[i].Orgs) == 0 {
			opts.Tokens[i].Orgs = []string{DefaultSharingID}
		}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.StepTime == 0 {
		opts.StepTime = 600 * time.Millisecond
	}
	if opts.PendingChecks == 0 {
		opts.PendingChecks = 1
	}
	if opts.Balance == "" {
		opts.Balance = "1000.00"
	}
	s := &Sandbox{opts: opts, routes: routeTable()}
	s.Reset()
	return s
}

// Reset puts everything back to the state after New: no domains, empty log and
// ledger, no chaos but what the options ask for, the clock running without an
// offset.
func (s *Sandbox) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state{
		rng:             rand.New(rand.NewPCG(s.opts.RandSeed, s.opts.RandSeed)),
		chaos:           Chaos{IgnoreDryRun: s.opts.IgnoreDryRun},
		outOfMoney:      s.opts.OutOfMoney,
		orgs:            map[string]*organization{},
		domains:         map[string]*domain{},
		creations:       map[string]*creation{},
		ownerChanges:    map[string]*ownerChange{},
		transfers:       map[string]*transfer{},
		taken:           map[string]bool{},
		transferCodes:   map[string]string{},
		checkStatus:     map[string]string{},
		premium:         map[string]int64{},
		claims:          map[string]bool{},
		checked:         map[string]int{},
		failCreate:      map[string]FailedOrder{},
		failChangeOwner: map[string]FailedOrder{},
	}
	s.foundOrganizations()
}

// Handler is the API, under /v5.
func (s *Sandbox) Handler() http.Handler { return http.HandlerFunc(s.serve) }
