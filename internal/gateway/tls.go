package gateway

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"

	"go.uber.org/zap"

	"v3gate/internal/certs"
	"v3gate/internal/config"
)

// secure reads the certificate of the TLS endpoint, if there is to be one, and
// has it read again at each reload.
func (g *Gateway) secure() error {
	if g.cfg.ListenTLS == "" {
		return nil
	}
	least, err := certs.ParseVersion(g.cfg.TLSMin)
	if err != nil {
		return err
	}
	source, err := certs.Load(g.cfg.TLSCert, g.cfg.TLSKey)
	if err != nil {
		return fmt.Errorf("tls-cert and tls-key, for listen-tls: %w", err)
	}
	g.tls = certs.TLSConfig(source, least)
	// What is wrong with new files shows before anything else is changed; they
	// are in force at once, since Reload keeps the old ones otherwise.
	g.OnReload(func(config.Config) (func(), error) { return nil, source.Reload() })
	if least < tls.VersionTLS12 && !source.RSA() {
		g.log.Warn("clients that know no elliptic curves cannot connect: the lowered tls-min wants a certificate made with gateway cert --rsa")
	}
	return nil
}

// listenTLS serves the v3 endpoint over TLS, beside the plain one.
func (g *Gateway) listenTLS(handler http.Handler) error {
	if g.tls == nil {
		return nil
	}
	l, err := net.Listen("tcp", g.cfg.ListenTLS)
	if err != nil {
		return fmt.Errorf("listen for v3 calls over TLS: %w", err)
	}
	g.secured = l
	s := g.server(handler)
	s.ConnState = g.countConnections
	g.run(s, tls.NewListener(g.bounded(l), g.tls))
	g.log.Info("gateway is serving over TLS", zap.String("listen_tls", g.TLSAddr()))
	return nil
}

// TLSAddr is the address of the TLS endpoint; "" when there is none.
func (g *Gateway) TLSAddr() string {
	if g.secured == nil {
		return ""
	}
	return g.secured.Addr().String()
}
