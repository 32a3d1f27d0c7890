package gateway

import (
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/netutil"

	"v3gate/internal/telemetry"
)

// otherFiles is how many files the process may need beside the connections of
// the v3 endpoint: those to v5, the store, metrics, operators.
const otherFiles = 256

// bounded gives a listener of the v3 endpoint its bound of open connections.
// Who comes beyond it waits in the system's queue, in place of being refused,
// until a connection ends; time-outs see to it that one does.
func (g *Gateway) bounded(l net.Listener) net.Listener {
	if files := openFiles(); files > 0 && files < uint64(g.cfg.MaxConnections)+otherFiles {
		g.log.Warn("the system allows fewer open files than max_connections may need", zap.Uint64("open_files", files),
			zap.Int("max_connections", g.cfg.MaxConnections), zap.Int("beside_them", otherFiles))
	}
	return netutil.LimitListener(l, g.cfg.MaxConnections)
}

// server makes an HTTP server with all time-outs. Some clients read until the
// server closes, so a kept-alive connection may idle for a few seconds only.
func (g *Gateway) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ErrorLog: telemetry.StdLog(g.log), MaxHeaderBytes: 64 << 10,
		ReadHeaderTimeout: g.cfg.HeaderTimeout,
		// net/http counts from the first byte of the header, and the writing from
		// its last.
		ReadTimeout:  g.cfg.HeaderTimeout + g.cfg.BodyTimeout,
		WriteTimeout: g.cfg.BodyTimeout + g.cfg.CallTimeout + 30*time.Second,
		IdleTimeout:  g.cfg.IdleTimeout,
	}
}

// countConnections keeps the gauge of open connections.
func (g *Gateway) countConnections(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		g.metrics.Connection(1)
	case http.StateClosed, http.StateHijacked:
		g.metrics.Connection(-1)
	}
}
