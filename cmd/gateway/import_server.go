package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/kolo/xmlrpc"
	"github.com/spf13/pflag"

	"v3gate/internal/oldv3"
)

// v3Server is a server that still speaks v3, read as one account and no faster
// than the old service let an account.
type v3Server struct {
	url, keyFile, connectTo string // as the flags give them

	client *xmlrpc.Client
	key    string
	pace   *oldv3.Pace
}

func (s *v3Server) flags(f *pflag.FlagSet) {
	f.StringVar(&s.url, "url", "", "v3 endpoint to read from")
	f.StringVar(&s.keyFile, "key-file", "", "file with the v3 API key")
	f.StringVar(&s.connectTo, "connect-to", "", "IP:PORT to connect to instead of what the name in --url leads to")
}

// open reads the key and makes the client, which is to be closed.
func (s *v3Server) open() error {
	if s.url == "" || s.keyFile == "" {
		return errors.New("give --url and --key-file")
	}
	key, err := os.ReadFile(s.keyFile)
	if err != nil {
		return err
	}
	s.key, s.pace = strings.TrimSpace(string(key)), oldv3.NewPace()
	transport, err := oldv3.Transport(s.url, s.connectTo)
	if err != nil {
		return err
	}
	s.client, err = xmlrpc.NewClient(s.url, transport)
	return err
}

// call makes one call when its turn has come.
func (s *v3Server) call(ctx context.Context, method string, params ...any) (answer any, err error) {
	if err := s.pace.Wait(ctx); err != nil {
		return nil, err
	}
	if err := s.client.Call(method, append([]any{s.key}, params...), &answer); err != nil {
		return nil, fmt.Errorf("%s there: %w", method, err)
	}
	return answer, nil
}

const perPage = 100 // the old service's default, which every server takes

// list goes through the pages of a list. A server that takes no pages ends it by
// bringing the first one again: each tells whether an item is new.
func (s *v3Server) list(ctx context.Context, method string, params []any, options map[string]any,
	each func(item map[string]any) (fresh bool, err error)) error {
	for page := 0; ; page++ {
		asked := map[string]any{"items_per_page": perPage}
		maps.Copy(asked, options)
		asked["page"] = page
		v, err := s.call(ctx, method, append(params[:len(params):len(params)], asked)...)
		if err != nil {
			return err
		}
		items, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%s there: the answer is no list", method)
		}
		brought := false
		for _, item := range items {
			m, ok := item.(map[string]any)
			if !ok {
				return fmt.Errorf("%s there: an item is no struct", method)
			}
			fresh, err := each(m)
			if err != nil {
				return err
			}
			brought = brought || fresh
		}
		if !brought {
			return nil
		}
	}
}
