package sandbox

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// Management is the handler of the management listener. It is no part of v5 and
// asks for no credential.
func (s *Sandbox) Management() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /requests", func(w http.ResponseWriter, r *http.Request) {
		reply(http.StatusOK, s.Requests()).write(w)
	})
	mux.HandleFunc("GET /ledger", func(w http.ResponseWriter, r *http.Request) {
		reply(http.StatusOK, s.Ledger()).write(w)
	})
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, r *http.Request) {
		s.Reset()
		s.tellClock(w)
	})
	mux.HandleFunc("POST /seed", func(w http.ResponseWriter, r *http.Request) {
		var in Seed
		manage(w, r, &in, func() error { return s.Seed(in) }, s.tellClock)
	})
	mux.HandleFunc("POST /clock", func(w http.ResponseWriter, r *http.Request) {
		var in clockOrder
		manage(w, r, &in, func() error { return s.turnClock(in) }, s.tellClock)
	})
	mux.HandleFunc("POST /chaos", func(w http.ResponseWriter, r *http.Request) {
		var in chaosOrder
		manage(w, r, &in, func() error { return s.turnChaos(in) }, s.tellChaos)
	})
	return mux
}

// manage decodes a body strictly, applies it and tells the new state.
func manage(w http.ResponseWriter, r *http.Request, into any, apply func() error, tell func(http.ResponseWriter)) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = strict(data, into)
	}
	if err == nil {
		err = apply()
	}
	if err != nil {
		reply(http.StatusBadRequest, members{"error": err.Error()}).write(w)
		return
	}
	tell(w)
}

// clockOrder is the body of POST /clock: one of the two, or both, freeze first.
type clockOrder struct {
	AdvanceS *float64 `json:"advance_s"`
	Freeze   *bool    `json:"freeze"`
}

func (s *Sandbox) turnClock(in clockOrder) error {
	if in.AdvanceS == nil && in.Freeze == nil {
		return fmt.Errorf("advance_s or freeze is required")
	}
	if in.AdvanceS != nil && *in.AdvanceS < 0 {
		return fmt.Errorf("advance_s must not be negative")
	}
	if in.Freeze != nil {
		s.Freeze(*in.Freeze)
	}
	if in.AdvanceS != nil {
		s.Advance(time.Duration(*in.AdvanceS * float64(time.Second)))
	}
	return nil
}

func (s *Sandbox) tellClock(w http.ResponseWriter) {
	s.mu.Lock()
	out := members{"now": s.now().Format(time.RFC3339Nano), "frozen": s.frozen}
	s.mu.Unlock()
	reply(http.StatusOK, out).write(w)
}

// chaosOrder is the body of POST /chaos. What is left out stays as it is.
type chaosOrder struct {
	ErrorRate     *float64 `json:"error_rate"`
	Reject429     *float64 `json:"reject_429"`
	DropAfterWork *float64 `json:"drop_after_work"`
	LatencyMS     *float64 `json:"latency_ms"`
	IgnoreDryRun  *bool    `json:"ignore_dry_run"`
	// Seed starts the random source anew.
	Seed *uint64 `json:"seed"`
}

func (s *Sandbox) turnChaos(in chaosOrder) error {
	dials := map[string]*float64{
		"error_rate": in.ErrorRate, "reject_429": in.Reject429, "drop_after_work": in.DropAfterWork,
	}
	for name, rate := range dials {
		if rate != nil && (*rate < 0 || *rate > 1) {
			return fmt.Errorf("%s must be between 0 and 1", name)
		}
	}
	if in.LatencyMS != nil && *in.LatencyMS < 0 {
		return fmt.Errorf("latency_ms must not be negative")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	set(&s.chaos.ErrorRate, in.ErrorRate)
	set(&s.chaos.Reject429, in.Reject429)
	set(&s.chaos.DropAfterWork, in.DropAfterWork)
	set(&s.chaos.IgnoreDryRun, in.IgnoreDryRun)
	if in.LatencyMS != nil {
		s.chaos.Latency = time.Duration(*in.LatencyMS * float64(time.Millisecond))
	}
	if in.Seed != nil {
		s.rng = rand.New(rand.NewPCG(*in.Seed, *in.Seed))
	}
	return nil
}

func set[V any](into *V, v *V) {
	if v != nil {
		*into = *v
	}
}

func (s *Sandbox) tellChaos(w http.ResponseWriter) {
	s.mu.Lock()
	out := members{
		"error_rate": s.chaos.ErrorRate, "reject_429": s.chaos.Reject429,
		"drop_after_work": s.chaos.DropAfterWork, "latency_ms": s.chaos.Latency.Milliseconds(),
		"ignore_dry_run": s.chaos.IgnoreDryRun,
	}
	s.mu.Unlock()
	reply(http.StatusOK, out).write(w)
}
