// Command front is api.gandi.net in the container of walk.sh: TLS before the
// simulation of v5. It takes the tokens that stand in a file, one a line, so that
// one can be revoked, and gives the simulation its own.
//
//	front LISTEN CERTIFICATE KEY TOKENS SIMULATION TOKEN
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
)

func main() {
	listen, cert, key, tokens, token := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[6]
	simulation, err := url.Parse(os.Args[5])
	if err != nil {
		log.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(simulation)
		raw, err := os.ReadFile(tokens)
		if err != nil {
			log.Fatal(err)
		}
		given, bearer := strings.CutPrefix(r.In.Header.Get("Authorization"), "Bearer ")
		if bearer && slices.Contains(strings.Fields(string(raw)), given) {
			r.Out.Header.Set("Authorization", "Bearer "+token)
		} else if bearer {
			r.Out.Header.Set("Authorization", "Bearer revoked")
		}
	}}
	log.Fatal(http.ListenAndServeTLS(listen, cert, key, proxy))
}
