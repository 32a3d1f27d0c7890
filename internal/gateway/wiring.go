package gateway

import (
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// newClient makes the client of v5, which counts what it does.
func (g *Gateway) newClient(hooks Hooks) (*v5.Client, error) {
	o := v5.Options{
		Jitter:  hooks.Jitter,
		BaseURL: g.cfg.V5URL, PerMinute: g.cfg.V5Rate, MaxInFlight: g.cfg.V5InFlight, Transport: hooks.Transport,
		Waited: func(d time.Duration) {
			g.metrics.RateWait(d)
			g.activity.V5Waited(d)
		},
		UserAgent: "v3gate/" + Build().Version,
		BreakerChanged: func(open bool) {
			g.metrics.BreakerOpen(open)
			g.log.Warn("v5 does not answer, or answers again", zap.Bool("refusing", open))
		},
		Observe: func(x v5.Exchange) {
			g.metrics.V5Request(x.Route, x.Status, x.Duration)
			g.activity.V5Request(x.Status)
			if hooks.Exchanged != nil {
				hooks.Exchanged(x)
			}
		},
	}
	if g.recorder != nil {
		o.Record = g.recorder.attempt
	}
	return v5.New(o)
}

// openStore opens the configured store, with its keys where it is sealed.
func openStore(cfg config.Config, options []store.Option) (*store.DB, error) {
	if cfg.SealKeyFile != "" {
		seal, err := SealWith(cfg.SealKeyFile, cfg.SealOldKeyFiles...)
		if err != nil {
			return nil, fmt.Errorf("seal-key-file: %w", err)
		}
		options = append(slices.Clone(options), seal)
	}
	options = append(slices.Clone(options), store.WithRecords(records()))
	return store.Open(cfg.Store, 2*time.Second, options...)
}
