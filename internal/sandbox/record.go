package sandbox

// Request is one line of the request log.
type Request struct {
	Method string `json:"method"`
	// Path is the escaped path as received, with /v5.
	Path  string `json:"path"`
	Query string `json:"query"`
	Body  string `json:"body"`
	// Status is what was decided, even if the client left before the answer or
	// the connection was cut on purpose. It is 0 while the request is running
	// and where the connection was cut before anything was decided.
	Status int `json:"status"`
	// DryRun tells that the header asked for a dry run, honoured or not.
	DryRun bool `json:"dry_run"`
	// SharingID is the query parameter of that name.
	SharingID string `json:"sharing_id"`
}

// Charge is one line of the ledger: money taken from a prepaid account.
type Charge struct {
	// What is the process as the price list names it: create, renew, restore,
	// transfer or change_owner. A free owner change is entered with 0.00.
	What   string `json:"what"`
	FQDN   string `json:"fqdn"`
	Years  int    `json:"years"`
	Amount string `json:"amount"`
	// SharingID is the organization that paid.
	SharingID string `json:"sharing_id"`
}

// maxLog bounds the request log; beyond it the older half is forgotten.
const maxLog = 100_000

func (s *Sandbox) log(entry *Request) {
	if len(s.requests) >= maxLog {
		s.requests = append([]*Request(nil), s.requests[maxLog/2:]...)
	}
	s.requests = append(s.requests, entry)
}

// Requests is the log of all requests since the last Reset, in order of arrival.
func (s *Sandbox) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Request, 0, len(s.requests))
	for _, r := range s.requests {
		all = append(all, *r)
	}
	return all
}

// Ledger is the list of all charges since the last Reset, oldest first.
func (s *Sandbox) Ledger() []Charge {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Charge{}, s.ledger...)
}
