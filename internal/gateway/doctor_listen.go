package gateway

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"v3gate/internal/store"
)

// renewBefore is how long before its end a certificate should have a successor.
const renewBefore = 21 * 24 * time.Hour

// lookAtListener makes a v3 call as a client would.
func (d *Doctor) lookAtListener(ctx context.Context) []Finding {
	if d.Endpoint == "" || d.VersionInfo == nil {
		return nil
	}
	version, err := d.VersionInfo(ctx, d.Endpoint)
	if err == nil {
		return []Finding{fine("version.info at %s answers %s", d.Endpoint, version)}
	}
	what := fmt.Sprintf("version.info at %s fails: %v", d.Endpoint, err)
	client, daemonErr := d.Store.daemon()
	if client == nil && daemonErr == nil {
		return []Finding{warning(what+"; no gateway runs on the store", "start the gateway")}
	}
	if client != nil {
		client.CloseIdleConnections()
	}
	return []Finding{broken(what+"; a gateway runs on the store", "see that --url is the address that the gateway listens at, and what stands in front of it")}
}

// lookAtConsole tells of a console that others than this machine can open.
func (d *Doctor) lookAtConsole(context.Context) []Finding {
	if d.Config.Console != "always" {
		return nil
	}
	host, _, err := net.SplitHostPort(d.Config.Admin)
	if ip := net.ParseIP(host); err != nil || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return []Finding{warning(fmt.Sprintf("whoever reaches %s sees the console: it asks for no password and shows operations and domains", d.Config.Admin),
		`set console = "loopback", or admin to a loopback address, unless a proxy or the network keeps others out`)}
}

// lookAtCertificate looks at a PEM file of a server certificate and what leads
// to its issuer.
func (d *Doctor) lookAtCertificate(path string) []Finding {
	text, err := os.ReadFile(path)
	if err != nil {
		return []Finding{broken(err.Error(), "name the PEM file of the certificate")}
	}
	var chain []*x509.Certificate
	var found []Finding
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return []Finding{broken(path+": "+err.Error(), "make the file anew")}
			}
			chain = append(chain, c)
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			if fi, err := os.Stat(path); err == nil {
				if err := store.CheckSecretMode(path, fi); err != nil {
					found = append(found, broken("it holds a private key, and "+err.Error(), "chmod 600 "+path))
				}
			}
		}
	}
	if len(chain) == 0 {
		return []Finding{broken(path+" has no certificate in it", "name the PEM file of the certificate")}
	}
	return append(found, d.judge(path, chain)...)
}

func (d *Doctor) judge(path string, chain []*x509.Certificate) []Finding {
	var found []Finding
	now, leaf := d.Now(), chain[0]
	for _, c := range chain {
		what := fmt.Sprintf("%s: the certificate of %s", path, c.Subject)
		left := c.NotAfter.Sub(now)
		switch {
		case now.Before(c.NotBefore):
			found = append(found, broken(what+" begins on "+c.NotBefore.UTC().Format(time.DateTime), "see the clock, or wait"))
		case left < 0:
			found = append(found, broken(what+" ended on "+c.NotAfter.UTC().Format(time.DateTime), "renew it, and see why that does not happen by itself"))
		case left < renewBefore && left < c.NotAfter.Sub(c.NotBefore)/2:
			found = append(found, warning(fmt.Sprintf("%s ends in %d days", what, int(left.Hours()/24)), "renew it"))
		}
	}
	for i := range chain[1:] {
		if err := chain[i].CheckSignatureFrom(chain[i+1]); err != nil {
			found = append(found, warning(fmt.Sprintf("%s: certificate %d is not that of the issuer of the one before: %v", path, i+2, err),
				"put the server's first, then each issuer's: old clients need them in order"))
		}
	}
	names := append([]string{}, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		found = append(found, warning(path+" names its host in the subject alone, which most clients no longer read", "make one with a subject alternative name"))
	}
	for _, name := range d.Names {
		if err := leaf.VerifyHostname(name); err != nil {
			found = append(found, broken(fmt.Sprintf("%s is not good for %s, only for %s", path, name, strings.Join(names, ", ")), "make one for that name"))
		}
	}
	if len(found) == 0 {
		found = []Finding{fine("%s is good for %s until %s", path, strings.Join(names, ", "), leaf.NotAfter.UTC().Format(time.DateOnly))}
	}
	return found
}
