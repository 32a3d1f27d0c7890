package gateway

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/tenant"
)

// Prepare makes ready for a configuration that was read again, and gives what
// puts it into force. It must change nothing yet: something else may be wrong.
// apply cannot fail, and nil is nothing to do.
type Prepare func(config.Config) (apply func(), err error)

// reloaded is how the last reload ended.
type reloaded struct {
	at time.Time
	ok bool
}

// OnReload adds something that Reload renews beside the tenants, such as
// certificates. It is to be called before Start.
func (g *Gateway) OnReload(p Prepare) { g.prepares = append(g.prepares, p) }

// Reload reads the configuration again and puts the tenants with their secrets
// and limits into force, and what else was registered. It takes all or nothing.
// Calls in flight end with the tenant that they began with.
func (g *Gateway) Reload() error {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	if g.reread == nil {
		return errors.New("nothing says where the configuration is to be read from")
	}
	return g.manager.Reload(g.reload)
}

func (g *Gateway) reload() error {
	loaded := g.reread()
	warn(g.log, loaded.Warnings)
	set, before, err := g.replace(loaded)
	g.metrics.ConfigReload(err == nil)
	g.reloaded.Store(&reloaded{g.now(), err == nil})
	if err != nil {
		// The texts name keys, lines and files, and never what a secret is.
		g.log.Error("the configuration was read again and is wrong; the one before stays in force",
			zap.Strings("reasons", strings.Split(err.Error(), "\n")))
		return err
	}
	came, went := differences(before, set)
	g.log.Info("the configuration was read again and is in force", zap.Int("tenants", len(set.All())),
		zap.Strings("added", came), zap.Strings("removed", went))
	if keys := config.NeedRestart(g.cfg, loaded.Config); len(keys) > 0 {
		g.log.Warn("some settings have changed that need a restart; the old values stay in force", zap.Strings("settings", keys))
	}
	return nil
}

// replace checks and prepares everything before it changes anything.
func (g *Gateway) replace(loaded *config.Loaded) (set, before *tenant.Set, err error) {
	if err := errors.Join(loaded.Validate(), CheckRoutes(loaded.Config)); err != nil {
		return nil, nil, err
	}
	if set, err = tenants(loaded.Tenants); err != nil {
		return nil, nil, err
	}
	var apply []func()
	for _, prepare := range g.prepares {
		do, err := prepare(loaded.Config)
		if err != nil {
			return nil, nil, err
		}
		if do != nil {
			apply = append(apply, do)
		}
	}
	before = g.tenants.Swap(set)
	g.limiter.configure(set)
	for _, do := range apply {
		do()
	}
	return set, before, nil
}

// differences are the names that only one of two sets has.
func differences(before, after *tenant.Set) (came, went []string) {
	for _, t := range after.All() {
		if _, ok := before.Named(t.Name); !ok {
			came = append(came, t.Name)
		}
	}
	for _, t := range before.All() {
		if _, ok := after.Named(t.Name); !ok {
			went = append(went, t.Name)
		}
	}
	return came, went
}

func warn(log *zap.Logger, warnings []string) {
	for _, w := range warnings {
		log.Warn("the configuration is doubtful", zap.String("detail", w))
	}
}

// tenants turns the configured accounts into the set that keys select from.
func tenants(configured []config.Tenant) (*tenant.Set, error) {
	var all []tenant.Tenant
	for _, c := range configured {
		t := tenant.Tenant{Name: c.Name, AuthScheme: "Bearer", AuthSecret: c.V5Token, SharingID: c.SharingID,
			OwnHandle: c.OwnHandle, OldV3Key: c.OldV3Key, Anonymous: c.Anonymous, Mode: tenant.Mode(c.Mode), Limits: tenant.Limits(c.Limits),
			MailSlots:  tenant.MailSlots{Buy: c.BuyMailSlots, Type: cmp.Or(c.MailSlotType, "standard_2023"), Months: cmp.Or(c.MailSlotMonths, 12)},
			BuyPremium: c.BuyPremium}
		if c.V5APIKey != "" {
			t.AuthScheme, t.AuthSecret = "Apikey", c.V5APIKey
		}
		for _, key := range c.Keys() {
			t.KeyHashes = append(t.KeyHashes, tenant.HashKey(key))
		}
		for _, text := range c.V3KeySHA256 {
			var hash [32]byte
			if n, err := hex.Decode(hash[:], []byte(text)); err != nil || n != len(hash) {
				return nil, fmt.Errorf("tenant %s: v3_key_sha256 is not a SHA-256 in hex", c.Name)
			}
			t.KeyHashes = append(t.KeyHashes, hash)
		}
		all = append(all, t)
	}
	return tenant.NewSet(slices.Clip(all)...)
}
