package certs

import (
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"
)

// Source is a server's certificate in two files, which can be replaced while
// connections come in. Its methods may be called from any goroutine.
type Source struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
	reloading         sync.Mutex
	now               func() time.Time
}

// Load reads the certificate, with the CAs between it and the root behind it,
// and its key. One that has ended is taken, for clients that do not look: ask
// NotAfter.
func Load(certFile, keyFile string) (*Source, error) {
	s := &Source{certFile: certFile, keyFile: keyFile, now: time.Now}
	cert, err := s.read()
	if err != nil {
		return nil, err
	}
	s.current.Store(cert)
	return s, nil
}

// Reload reads both files again. On an error, which a pair that does not belong
// together and a certificate that has ended are, the old one stays. Handshakes
// from then on get the new one; open connections go on.
func (s *Source) Reload() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	cert, err := s.read()
	if err != nil {
		return fmt.Errorf("%w; the old certificate stays", err)
	}
	if end := cert.Leaf.NotAfter; s.now().After(end) {
		return fmt.Errorf("tls-cert: %s ended on %s; the old certificate stays; make a new one with gateway cert --renew",
			s.certFile, end.Format(time.DateOnly))
	}
	s.current.Store(cert)
	return nil
}

// read names the way out with each error: the operator sees it at the start.
func (s *Source) read() (*tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(s.certFile, s.keyFile)
	switch {
	case err == nil && cert.Leaf.IsCA:
		return nil, fmt.Errorf("tls-cert: %s begins with a CA; put the server's own certificate first", s.certFile)
	case err == nil:
		return &cert, nil
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%w; make both with gateway cert", err)
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w; give the file to the user that runs the gateway", err)
	default:
		err = fmt.Errorf("%s with %s: %w; they must be one pair in PEM, and the key without a passphrase", s.certFile, s.keyFile, err)
	}
	return nil, fmt.Errorf("tls-cert and tls-key: %w", err)
}

// GetCertificate is for a tls.Config. Whatever name the client asks for, it is
// answered with the one certificate: some clients send no name at all.
func (s *Source) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return s.current.Load(), nil
}

// NotAfter is when the certificate in use ends.
func (s *Source) NotAfter() time.Time { return s.current.Load().Leaf.NotAfter }

// Names are the host names and addresses of the certificate in use.
func (s *Source) Names() []string { return hosts(s.current.Load().Leaf) }

// RSA says whether the key in use is an RSA key. Clients without elliptic
// curves, which a lowered minimum version is for, can use no other.
func (s *Source) RSA() bool {
	_, ok := s.current.Load().PrivateKey.(*rsa.PrivateKey)
	return ok
}
