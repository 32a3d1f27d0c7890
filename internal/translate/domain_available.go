package translate

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/sync/errgroup"

	"v3gate/internal/fault"
	"v3gate/internal/v5"
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

// checksAtOnce bounds the v5 checks of one call; v5 takes one name a request.
const checksAtOnce = 8

// domainAvailable asks v5 for each name. The answer is keyed by the names just
// as they were submitted: clients index it with their own strings.
func domainAvailable(ctx context.Context, c *Call, in domainAvailableIn) (keyed, error) {
	period, err := tldPeriod("opts.phase", in.Opts.Phase)
	if err != nil {
		return nil, err
	}
	statuses := make([]string, len(in.Domains))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(checksAtOnce)
	for i, name := range in.Domains {
		fqdn, err := normal(name)
		if err != nil {
			statuses[i] = "error_invalid"
			continue
		}
		group.Go(func() error {
			check, err := c.V5.Check(ctx, v5.CheckQuery{Name: fqdn, Lang: in.Opts.Lang, Period: period})
			statuses[i], err = availability(check, err)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := make(keyed, len(in.Domains))
	for i, name := range in.Domains {
		out[i] = xmlrpc.M(name, xmlrpc.String(statuses[i]))
	}
	return out, nil
}

// availability is v3's word for what v5 answered about one name. The words are
// the same in both; a name that one request could not tell about does not spoil
// the others, but a refused credential does.
func availability(check *v5.Check, err error) (string, error) {
	var e *v5.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "pending", nil
	case errors.As(err, &e) && (e.Status == 401 || e.Status == 403):
		return "", err
	case errors.As(err, &e) && e.Status == 429:
		return "pending", nil
	case errors.As(err, &e) && e.IsJSON && e.Status >= 400 && e.Status < 500:
		return "error_invalid", nil
	case err != nil:
		return "error_timeout", nil
	}
	for _, p := range check.Products {
		if p.Process == "create" || p.Process == "" {
			return p.Status, nil
		}
	}
	return "unavailable", nil // v5 sells nothing under that name
}

// tldPeriod turns a phase of v3 into a period of v5. claims is a phase in which
// a trademark notice must be accepted first.
func tldPeriod(path, phase string) (string, error) {
	switch {
	case phase == "":
		return "", nil
	case phase == "open" || phase == "golive":
		return "golive", nil
	case phase == "sunrise" || phase == "landrush" || strings.HasPrefix(phase, "eap"):
		return phase, nil
	case phase == "claims":
		return "", unsupported(path, "v5 has no claims period")
	}
	return "", fault.New(fault.Phase, fault.CauseValue, "%s: '%s' is not one of open, golive, sunrise, landrush", path, clip(phase))
}
