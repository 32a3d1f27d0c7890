package oldv3

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
	"unicode/utf8"

	"v3gate/internal/xmlrpc"
)

// Transport is the way to a server: to connectTo (IP:PORT) in place of what the
// name in the address leads to, where it is given. A certificate is checked
// against the name in either case.
func Transport(address, connectTo string) (*http.Transport, error) {
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
	return transport, nil
}

// Agent is the User-Agent that calls are forwarded with. A gateway that gets such
// a call is the old server of another one, or of itself.
const Agent = "v3gate-forwarding/1"

// Client forwards calls.
type Client struct {
	url    string
	most   int64 // bytes of an answer
	pooled *http.Transport
	fresh  *http.Transport // a connection for each request

	mu    sync.Mutex
	paces map[string]*Pace // by key
}

// NewClient makes a client of the server at an address. Answers of more than most
// bytes are an error.
func NewClient(address, connectTo string, most int64) (*Client, error) {
	pooled, err := Transport(address, connectTo)
	if err != nil {
		return nil, err
	}
	// HTTP/1.1 only: the rules by which net/http sends a request again on HTTP/2
	// are wider.
	pooled.ForceAttemptHTTP2, pooled.Protocols = false, new(http.Protocols)
	pooled.Protocols.SetHTTP1(true)
	pooled.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	fresh := pooled.Clone()
	fresh.DisableKeepAlives = true
	return &Client{url: address, most: most, pooled: pooled, fresh: fresh, paces: map[string]*Pace{}}, nil
}

// Close lets go of connections that no call uses.
func (c *Client) Close() { c.pooled.CloseIdleConnections() }

// Answer is what the server answered.
type Answer struct {
	Value    xmlrpc.Value
	Fault    *xmlrpc.Fault // nil where Value is given
	Document []byte        // as it came; nil where it was not in UTF-8
}

// ErrMaybe is wrapped where a request may have reached the server though no answer
// came.
var ErrMaybe = errors.New("the old server may have got it")

// Call makes one call with a key's turn, and sends it once at most: a request that
// must not be sent twice goes over a connection of its own, as net/http would send
// one again where a kept connection has died.
func (c *Client) Call(ctx context.Context, key, method string, params []xmlrpc.Value, once bool) (*Answer, error) {
	body, err := xmlrpc.AppendCall(nil, method, params...)
	if err != nil {
		return nil, err
	}
	if err := c.pace(key).Wait(ctx); err != nil {
		return nil, err
	}
	// A reader that is no *bytes.Reader gives the request no GetBody, without which
	// net/http cannot send it a second time.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, io.NopCloser(bytes.NewReader(body)))
	if err != nil {
		return nil, err
	}
	req.ContentLength = int64(len(body))
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("User-Agent", Agent)
	way := c.pooled
	if once {
		way = c.fresh
	}
	resp, err := way.RoundTrip(req) // it follows no redirect
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMaybe, err)
	}
	defer resp.Body.Close()
	doc, err := io.ReadAll(io.LimitReader(resp.Body, c.most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: read its answer: %w", ErrMaybe, err)
	case int64(len(doc)) > c.most:
		return nil, fmt.Errorf("%w: its answer has more than %d bytes", ErrMaybe, c.most)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: it answers with status %d", ErrMaybe, resp.StatusCode)
	}
	return c.read(doc)
}

func (c *Client) read(doc []byte) (*Answer, error) {
	limits := xmlrpc.DefaultLimits()
	limits.MaxBytes = c.most
	a := &Answer{}
	if utf8.Valid(doc) {
		a.Document = doc
	}
	var err error
	if a.Value, err = xmlrpc.DecodeResponse(doc, limits); err != nil && !errors.As(err, &a.Fault) {
		// Its text may repeat what is in the answer.
		return nil, fmt.Errorf("%w: its answer is no answer of XML-RPC", ErrMaybe)
	}
	return a, nil
}

func (c *Client) pace(key string) *Pace {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.paces[key]
	if p == nil {
		p = NewPace() // one for each tenant's key
		c.paces[key] = p
	}
	return p
}
