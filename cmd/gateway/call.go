package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/kolo/xmlrpc"
	"github.com/spf13/cobra"
)

func callCommand() *cobra.Command {
	var url, key string
	cmd := &cobra.Command{
		Use:   "call METHOD [JSON...]",
		Short: "Make one v3 call, as a client",
		Long: `call is a small v3 client. Each further argument is a parameter in JSON; what is no
JSON is taken as a string. --key is put in front of them; --key "" leaves it out.
The answer is printed as JSON. A fault is printed and ends with status 1.`,
		Example: `  gateway call version.info
  gateway call domain.available '["example.com"]'
  gateway call domain.info example.com
  gateway call --url https://rpc.example.net/xmlrpc/ --key "$KEY" operation.list '{"step":["BILL","WAIT","RUN"]}'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := fromEnvironment(cmd); err != nil {
				return err
			}
			var params []any
			if key != "" && !strings.HasPrefix(args[0], "system.") {
				params = append(params, key)
			}
			for _, text := range args[1:] {
				params = append(params, parameter(text))
			}
			client, err := newClient(url)
			if err != nil {
				return err
			}
			defer client.Close()
			var answer any
			if err := client.Call(args[0], params, &answer); err != nil {
				return err
			}
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			enc.SetEscapeHTML(false)
			return enc.Encode(answer)
		},
	}
	f := cmd.Flags()
	f.StringVar(&url, "url", "http://127.0.0.1:8080/xmlrpc/", "v3 endpoint")
	f.StringVar(&key, "key", defaultKey(), "v3 API key (default: that of serve --sandbox)")
	return cmd
}

// defaultKey is the sidecar's own key where it is set.
func defaultKey() string {
	if key := os.Getenv("GATEWAY_V3_KEY"); key != "" {
		return key
	}
	return "sandboxsandboxsandbox123"
}

func newClient(url string) (*xmlrpc.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = time.Minute
	return xmlrpc.NewClient(url, transport)
}

// parameter reads JSON into what kolo/xmlrpc sends: whole numbers as ints.
func parameter(text string) any {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil || dec.More() {
		return text
	}
	return numbers(v)
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return fmt.Sprint(v)
		}
		return f
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}
