package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/kolo/xmlrpc"
	"github.com/spf13/pflag"
)

// v3Server is a server that still speaks v3, read as one account and no faster
// than the old service let an account.
type v3Server struct {
	url, keyFile, connectTo string // as the flags give them

	client *xmlrpc.Client
	key    string
	pace   pace
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
	s.key, s.pace = strings.TrimSpace(string(key)), pace{most: 28, window: 2 * time.Second}
	s.client, err = clientAt(s.url, s.connectTo)
	return err
}

func clientAt(address, connectTo string) (*xmlrpc.Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("url %q is no http or https address", address)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = time.Minute
	if connectTo != "" {
		if _, _, err := net.SplitHostPort(connectTo); err != nil {
			return nil, fmt.Errorf("connect-to: %w", err)
		}
		transport.Proxy = nil // it would be told the name
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 30 * time.Second}).DialContext(ctx, network, connectTo)
		}
	}
	return xmlrpc.NewClient(address, transport)
}

// pace keeps calls to a number in each window of time, as the old service wanted:
// 30 in 2 seconds for an account, of which its integrations need some, too.
type pace struct {
	most   int
	window time.Duration
	times  []time.Time // of the last calls
}

// wait tells how long the call that comes at now has to wait.
func (p *pace) wait(now time.Time) time.Duration {
	if len(p.times) < p.most {
		p.times = append(p.times, now)
		return 0
	}
	turn := p.times[0].Add(p.window)
	if turn.Before(now) {
		turn = now
	}
	p.times = append(p.times[1:], turn)
	return turn.Sub(now)
}

// call makes one call when its turn has come.
func (s *v3Server) call(ctx context.Context, method string, params ...any) (answer any, err error) {
	if d := s.pace.wait(time.Now()); d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
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
