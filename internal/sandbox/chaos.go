package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Chaos is the setting of the dial. Rates are from 0 to 1.
type Chaos struct {
	// ErrorRate answers 5xx, sometimes with an HTML page, before any work.
	ErrorRate float64
	// Reject429 answers 429 with Retry-After and X-RateLimit headers before any
	// work.
	Reject429 float64
	// DropAfterWork does the work and then cuts the connection without a byte of
	// an answer.
	DropAfterWork float64
	// Latency is waited before the work; a client that leaves meanwhile does not
	// stop the work.
	Latency time.Duration
	// IgnoreDryRun makes the real purchase in spite of the Dry-Run header.
	IgnoreDryRun bool
}

// NextError is an answer given once in place of the real one, to the next
// request that matches.
type NextError struct {
	// Method is compared exactly; "" and "*" match every method.
	Method string `json:"method"`
	// Path is compared with the path with and without /v5 and may end in *.
	Path string `json:"path"`
	// Status 0 cuts the connection instead of answering.
	Status int `json:"status"`
	// Body is sent as it is when it is a string, else as JSON.
	Body any `json:"body"`
	// Header is added to the answer.
	Header map[string]string `json:"header"`
	// AfterWork carries out the request before its answer is replaced. The log
	// then has this Status, or that of the work when the connection is cut.
	AfterWork bool `json:"after_work"`
}

// SetChaos replaces the whole setting of the dial.
func (s *Sandbox) SetChaos(c Chaos) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chaos = c
}

// interference is what chaos decided for one request.
type interference struct {
	instead *answer // given in place of the work
	after   *answer // given in place of the work's own answer
	cut     bool    // cuts the connection, before the work if instead is set
}

// interfere decides the fate of one request, before its work.
func (s *Sandbox) interfere(method, path string) interference {
	for i, e := range s.nextErrors {
		if !e.matches(method, path) {
			continue
		}
		s.nextErrors = append(s.nextErrors[:i:i], s.nextErrors[i+1:]...)
		a := e.answer()
		if e.AfterWork {
			return interference{after: &a, cut: e.Status == 0}
		}
		return interference{instead: &a, cut: e.Status == 0}
	}
	if s.hit(s.chaos.ErrorRate) {
		a := s.serverError()
		return interference{instead: &a}
	}
	if s.hit(s.chaos.Reject429) {
		a := tooManyRequests()
		return interference{instead: &a}
	}
	return interference{cut: s.hit(s.chaos.DropAfterWork)}
}

func (s *Sandbox) hit(rate float64) bool { return rate > 0 && s.rng.Float64() < rate }

// serverError is one of the 5xx answers. Their form is not documented; HTML
// bodies have been met by clients.
func (s *Sandbox) serverError() answer {
	codes := []int{
		http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}
	code := codes[s.rng.IntN(len(codes))]
	text := http.StatusText(code)
	if s.rng.IntN(2) == 0 {
		page := "<html>\n<head><title>" + text + "</title></head>\n<body>\n<center><h1>" + text +
			"</h1></center>\n<hr><center>nginx</center>\n</body>\n</html>\n"
		return answer{status: code, media: "text/html", body: []byte(page)}
	}
	return failure(code, "HTTP"+strings.ReplaceAll(text, " ", ""), text, "an unexpected error occurred")
}

// tooManyRequests carries the headers that clients read; its body was never seen.
func tooManyRequests() answer {
	a := failure(http.StatusTooManyRequests, "HTTPTooManyRequests", "Too Many Requests", "too many requests")
	a.header = map[string]string{"Retry-After": "1", "X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0"}
	return a
}

func (e NextError) matches(method, path string) bool {
	if e.Method != "" && e.Method != "*" && e.Method != method {
		return false
	}
	for _, candidate := range []string{path, strings.TrimPrefix(path, apiRoot)} {
		if prefix, open := strings.CutSuffix(e.Path, "*"); open && strings.HasPrefix(candidate, prefix) {
			return true
		}
		if e.Path == candidate {
			return true
		}
	}
	return false
}

func (e NextError) answer() answer {
	a := answer{status: e.Status, header: e.Header, media: jsonMedia}
	text, isText := e.Body.(string)
	switch {
	case isText:
		a.body = []byte(text)
		if !json.Valid(a.body) {
			a.media = "text/html; charset=utf-8"
		}
	case e.Body != nil:
		a.body, _ = json.Marshal(e.Body)
	}
	return a
}
