package translate

import (
	"context"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/xmlrpc"
)

type domainAvailableIn struct {
	Domains []string         `v3:"domains"`
	Opts    availableOptions `v3:"opts,opt"`
}

type availableOptions struct {
	Lang  string `v3:"lang,opt"`
	Phase string `v3:"phase,opt"`
}

const (
	// mostNames bounds a list. v3 names no bound.
	mostNames = 500
	// answerMargin is how long before its deadline a call answers.
	answerMargin = time.Second
)

// domainAvailable asks v5 for each name. The answer is keyed by the names just
// as they were submitted: clients index it with their own strings. What v5 has not
// decided in time is pending.
func domainAvailable(ctx context.Context, c *Call, in domainAvailableIn) (keyed, error) {
	period, err := tldPeriod("opts.phase", in.Opts.Phase)
	switch n := len(in.Domains); {
	case err != nil:
		return nil, err
	case n == 0:
		return nil, fault.New(fault.List, fault.CauseExpected, "domains needs a name at least").About("domains")
	case n > mostNames:
		return nil, fault.New(fault.List, fault.CauseSize, "domains has %d names, and %d is the most", n, mostNames).About("domains")
	case in.Opts.Lang != "" && !isLang(in.Opts.Lang):
		return nil, fault.New(fault.String, fault.CauseBadParameter, "opts.lang: '%s' is not an ISO 639-2 code", clip(in.Opts.Lang)).About("opts.lang")
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-answerMargin))
		defer cancel()
	}
	names, open := make([]string, 0, len(in.Domains)), make([]*check, 0, len(in.Domains))
	seen := make(map[string]bool, len(in.Domains))
	for _, name := range in.Domains {
		if seen[name] {
			continue
		}
		seen[name] = true
		one := heard("error_invalid")
		if fqdn, err := normal(name); err == nil {
			one = c.checks.ask(c, question{fqdn, in.Opts.Lang, period})
		}
		names, open = append(names, name), append(open, one)
	}
	return c.checked(ctx, names, open)
}

// checked waits for checks, but not longer than ctx.
func (c *Call) checked(ctx context.Context, names []string, open []*check) (keyed, error) {
	out := make(keyed, len(names))
	var wrong error
	for i, one := range open {
		select {
		case <-one.told:
		case <-ctx.Done():
		}
		status, err := c.checks.leave(one)
		if err != nil {
			wrong = err
		}
		out[i] = xmlrpc.M(names[i], xmlrpc.String(status))
	}
	if wrong != nil {
		return nil, wrong
	}
	return out, nil
}

func isLang(code string) bool {
	for i := range len(code) {
		if b := code[i] | 0x20; b < 'a' || b > 'z' {
			return false
		}
	}
	return len(code) == 3
}

// tldPeriod turns a phase of v3 into a period of v5. claims is a phase in which
// a trademark notice must be accepted first.
func tldPeriod(path, phase string) (string, error) {
	switch {
	case phase == "":
		return "", nil
	case phase == "open" || phase == "golive":
		return "golive", nil
	case phase == "sunrise" || phase == "landrush" || len(phase) == 4 && phase[:3] == "eap" && '1' <= phase[3] && phase[3] <= '9':
		return phase, nil
	case phase == "claims":
		return "", unsupported(path, "v5 has no claims period")
	}
	return "", fault.New(fault.Phase, fault.CauseValue, "%s: '%s' is not one of open, golive, sunrise, landrush, eap1 to eap9", path, clip(phase))
}
