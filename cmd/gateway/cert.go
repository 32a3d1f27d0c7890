package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"v3gate/internal/certs"
)

func certCommand() *cobra.Command {
	var r certs.Request
	var dir string
	var renew bool
	cmd := &cobra.Command{
		Use:   "cert --out DIR --host NAME...",
		Short: "Make a private CA and a certificate for clients with a hard-coded https address",
		Long: `cert makes what a gateway needs to stand in for https://rpc.gandi.net: a private CA,
which the clients are told to trust, and a certificate of it for the given hosts.
The CA can speak for these hosts and for no others, so that trusting it lends it no
other name. It lasts ten years, the certificate 397 days.

It writes into the directory
  ca.pem          the CA, for the clients
  ca-key.pem      its key, for --renew only
  server.pem      the certificate, with the CA behind it
  server-key.pem  its key
and never touches a file that is there. --renew makes a new certificate, and a new key
for it, from the CA that is there: the clients need nothing new. Without --host it is
for the same hosts as the old one.

The keys are ECDSA. --rsa is for clients of before about 2012, which know no elliptic
curves: they need a lower --tls-min of the gateway as well. As they may know no name
constraints either, those of an RSA CA are not critical; newer clients keep to them
all the same.`,
		Example: `  gateway cert --host rpc.gandi.net --host rpc.ote.gandi.net --out /etc/v3gate/tls
  gateway cert --host rpc.gandi.net,192.0.2.10 --rsa --days 90 --out ./tls
  gateway cert --renew --out /etc/v3gate/tls`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromEnvironment(cmd); err != nil {
				return err
			}
			if dir == "" {
				return errors.New("out: name the directory for the certificates, such as --out /etc/v3gate/tls")
			}
			if cmd.Flags().Changed("days") && r.Days == 0 {
				r.Days = -1 // 0 would be the default
			}
			return cert(cmd.OutOrStdout(), dir, r, renew)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&r.Hosts, "host", nil, "host name or IP address that the clients call, without scheme and port; may be repeated")
	f.StringVar(&dir, "out", "", "directory for the four files; made if it is missing")
	f.BoolVar(&renew, "renew", false, "make a new certificate from the CA in --out")
	f.IntVar(&r.Days, "days", certs.MostDays, "how long the certificate lasts, at most 397")
	f.BoolVar(&r.RSA, "rsa", false, "make RSA keys, for clients that know no elliptic curves")
	return cmd
}

func cert(out io.Writer, dir string, r certs.Request, renew bool) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if renew {
		made, err := certs.Renew(dir, r)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "made a new certificate for %s, until %s, in %s\n", strings.Join(made.Hosts(), ", "), day(made.Leaf.NotAfter), dir)
		fmt.Fprintln(out, "A running gateway takes it on SIGHUP; the clients need nothing new.")
		if made.Leaf.NotAfter.Equal(made.CA.NotAfter) {
			fmt.Fprintf(out, "The CA itself ends on %s: make a new one in another directory, and let the clients trust both.\n", day(made.CA.NotAfter))
		}
		return nil
	}
	made, err := certs.Create(dir, r)
	if err != nil {
		return err
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	lowered := ""
	if made.Leaf.PublicKeyAlgorithm == x509.RSA {
		lowered = " --tls-min 1.0"
	}
	_, err = fmt.Fprintf(out, next, strings.Join(made.Hosts(), ", "),
		dir, day(made.CA.NotAfter), day(made.Leaf.NotAfter), in(certs.CertFile), in(certs.KeyFile), lowered, hostsEntry(made.Leaf.DNSNames), day(made.Leaf.NotAfter), dir)
	return err
}

func day(t time.Time) string { return t.Format(time.DateOnly) }

// hostsEntry leads the names to the gateway.
func hostsEntry(names []string) string {
	if len(names) == 0 {
		return "The certificate is for addresses only: there is nothing to do."
	}
	return "In DNS, or in /etc/hosts with the gateway's address (127.0.0.1 for a sidecar):\n     127.0.0.1 " + strings.Join(names, " ")
}

// next says what is left to do. docs/clients.md tells which of it was tested.
const next = `made a private CA and a certificate for %s
in %s

  ca.pem          the CA, until %s: the clients trust it
  ca-key.pem      its key, for --renew only: keep it where no client is
  server.pem      the certificate, until %s
  server-key.pem  its key, for the gateway only

1. Serve it, as a user that may read the key and listen on port 443:
     gateway serve --listen-tls 0.0.0.0:443 --tls-cert %s --tls-key %s%s

2. On the clients' machines, lead the names to the gateway.
   %s

3. On the clients' machines, trust the CA (CA is the path of a copy of ca.pem there).
   Debian, all but Node     cp CA /usr/local/share/ca-certificates/v3gate.crt && update-ca-certificates
   Or for one program alone:
   Python, Ruby, Go         SSL_CERT_FILE=CA (with requests, as gandi.cli: REQUESTS_CA_BUNDLE=CA)
   PHP                      openssl.cafile=CA for streams, curl.cainfo=CA for curl, in php.ini
   Perl LWP                 PERL_LWP_SSL_CA_FILE=CA
   Node                     NODE_EXTRA_CA_CERTS=CA
   Java                     keytool -importcert -noprompt -alias v3gate -file CA -keystore v3gate.p12 -storepass changeit
                            JAVA_TOOL_OPTIONS="-Djavax.net.ssl.trustStore=v3gate.p12 -Djavax.net.ssl.trustStorePassword=changeit"
   curl                     CURL_CA_BUNDLE=CA (libcurl inside other programs takes the machine's store)
   Try it                   openssl s_client -connect HOST:443 -servername HOST -CAfile CA -verify_return_error

4. Before %s, renew it and let the gateway read it again:
     gateway cert --renew --out %s && kill -HUP PID
`
