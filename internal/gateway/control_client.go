package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// dialDaemon gives a client of the daemon behind a socket; nil when none
// answers.
func dialDaemon(socket string) (*http.Client, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	conn, err := dial(context.Background(), "", "")
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("ask the running gateway: %w; run this command as the user of the daemon", err)
	case err != nil:
		return nil, nil
	}
	conn.Close()
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: dial}}, nil
}

func (s Selection) query() string {
	q := url.Values{}
	for name, value := range map[string]string{"step": s.Step, "type": s.Type, "domain": s.Domain, "tenant": s.Tenant} {
		if value != "" {
			q.Set(name, value)
		}
	}
	q.Set("most", strconv.Itoa(s.Most))
	return q.Encode()
}

// ask makes a request of the daemon. What it refuses is an error with its words.
func (c *Control) ask(method, path string, body, out any) error {
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(raw)
	}
	r, err := http.NewRequest(method, "http://daemon"+path, in)
	if err != nil {
		return err
	}
	res, err := c.client.Do(r)
	if err != nil {
		return fmt.Errorf("ask the running gateway: %w", err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("ask the running gateway: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSpace(string(raw)))
	}
	return json.Unmarshal(raw, out)
}

// Shadow asks the running gateway how its answers compare with the old server's.
func (c *Control) Shadow() (ShadowReport, error) {
	var out ShadowReport
	if c.client == nil {
		return out, errors.New("no gateway runs on this store, and only a running one compares answers")
	}
	err := c.ask("GET", "/shadow", nil, &out)
	return out, err
}
