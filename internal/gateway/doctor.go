package gateway

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"v3gate/internal/config"
)

// Level is how bad a finding is.
type Level string

const (
	Fine    Level = "ok"
	Warning Level = "warning" // it works, and may not go on to
	Broken  Level = "broken"  // it does not work, or does harm
)

// Finding is what one check of the doctor has to say.
type Finding struct {
	Check  string `json:"check"`
	Tenant string `json:"tenant,omitempty"`
	Level  Level  `json:"level"`
	What   string `json:"what"`
	Do     string `json:"do,omitempty"` // what an operator should do about it
}

// Doctor examines a gateway from outside: what it needs, what it is to be
// reached by, and the store, through the daemon where one runs. It changes
// nothing and spends nothing.
type Doctor struct {
	Config config.Config // as the daemon has it; only tenants, store, v5_url, admin and console count
	Store  StoreFile
	// Endpoint is the URL of the v3 endpoint as callers have it; "" skips it.
	Endpoint string
	// VersionInfo makes the v3 call version.info.
	VersionInfo func(ctx context.Context, url string) (string, error)
	// Certificates are PEM files of server certificates with what leads to their
	// issuer; Names are the hosts that they have to be good for.
	Certificates, Names []string
	// Secrets are further files whose modes are looked at.
	Secrets []string

	Timeout time.Duration // of each check; 0 is ten seconds
	Now     func() time.Time

	transport http.RoundTripper                                // to v5; nil is the usual one
	free      func(dir string) (free, total uint64, err error) // of a volume; nil asks the system
}

// check is one thing to look at.
type check struct {
	name, tenant string
	look         func(context.Context) []Finding
}

// atATime bounds the checks that run at the same time.
const atATime = 8

// Examine makes all checks and gives their findings, in the same order each
// time. A check that does not end is a finding.
func (d Doctor) Examine(ctx context.Context) []Finding {
	d.defaults()
	checks := []check{
		{"store", "", d.lookAtStore}, {"consistency", "", d.lookInStore}, {"modes", "", d.lookAtModes}, {"disk", "", d.lookAtDisk},
		{"v5", "", d.lookAtV5},
	}
	for _, t := range d.Config.Tenants {
		checks = append(checks, check{"account", t.Name, func(ctx context.Context) []Finding { return d.lookAtAccount(ctx, t) }})
	}
	for _, path := range d.Certificates {
		checks = append(checks, check{"certificate", "", func(context.Context) []Finding { return d.lookAtCertificate(path) }})
	}
	checks = append(checks, check{"listener", "", d.lookAtListener}, check{"console", "", d.lookAtConsole}, check{"one gateway", "", d.remind})

	found := make([][]Finding, len(checks))
	slots := make(chan struct{}, atATime)
	var running sync.WaitGroup
	for i, c := range checks {
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i] = d.bounded(ctx, c)
		})
	}
	running.Wait()
	return d.masked(slices.Concat(found...))
}

func (d *Doctor) defaults() {
	d.Timeout = cmp.Or(d.Timeout, 10*time.Second)
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.free == nil {
		d.free = diskFree
	}
}

// bounded makes one check. What hangs where no context reaches, such as a file
// system that is away, is left behind.
func (d *Doctor) bounded(ctx context.Context, c check) []Finding {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	ended := make(chan []Finding, 1)
	go func() { ended <- c.look(ctx) }()
	late := time.NewTimer(d.Timeout + 500*time.Millisecond) // the check may want to say itself what it waited for
	defer late.Stop()
	var found []Finding
	select {
	case found = <-ended:
	case <-late.C:
		found = []Finding{broken(fmt.Sprintf("did not end within %s", d.Timeout), "find out what it waits for, or give it longer with --timeout")}
	}
	for i := range found {
		found[i].Check, found[i].Tenant = cmp.Or(found[i].Check, c.name), c.tenant
	}
	return found
}

// masked takes out what nobody may read, wherever it came from.
func (d *Doctor) masked(found []Finding) []Finding {
	var pairs []string
	for _, t := range d.Config.Tenants {
		for _, secret := range append(t.Keys(), t.V5Token, t.V5APIKey) {
			if secret != "" {
				pairs = append(pairs, secret, "[redacted]")
			}
		}
	}
	r := strings.NewReplacer(pairs...)
	for i := range found {
		found[i].What, found[i].Do = r.Replace(found[i].What), r.Replace(found[i].Do)
	}
	return found
}

// Worst is the level of the worst finding.
func Worst(found []Finding) Level {
	worst := Fine
	for _, f := range found {
		if f.Level == Broken || f.Level == Warning && worst == Fine {
			worst = f.Level
		}
	}
	return worst
}

func fine(format string, args ...any) Finding {
	return Finding{Level: Fine, What: fmt.Sprintf(format, args...)}
}

func warning(what, do string) Finding { return Finding{Level: Warning, What: what, Do: do} }

func broken(what, do string) Finding { return Finding{Level: Broken, What: what, Do: do} }

// of names the check of a finding that is not that of its examination.
func (f Finding) of(check string) Finding {
	f.Check = check
	return f
}

// remind says what cannot be looked at.
func (d *Doctor) remind(context.Context) []Finding {
	var ids []string
	for _, t := range d.Config.Tenants {
		if t.SharingID != "" && !slices.Contains(ids, t.SharingID) {
			ids = append(ids, t.SharingID)
		}
	}
	which := "each v5 organization"
	if len(ids) > 0 {
		which = "organization " + strings.Join(ids, ", ")
	}
	f := fine("nothing can tell whether another gateway serves %s", which)
	f.Do = "run exactly one gateway for an organization: a second one, with a store of its own, does not know what this one bought"
	return []Finding{f}
}
