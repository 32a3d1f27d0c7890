package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// serve is one of the servers that this program plays as a process of its own.
func serve(o options) error {
	var h http.Handler
	switch o.serve {
	case "upstream":
		h = newUpstream(o.names, o.delay, o.chunked)
	case "reverseproxy":
		h = reverseProxy(o.upstream)
	case "shim":
		h = shim(o.upstream)
	default:
		return fmt.Errorf("no server %q", o.serve)
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	return http.Serve(l, h)
}

// upstream is v5 with one route. To a POST it gives the finished v3 answer: that
// is what the plain proxies ask it for, so that all peers take and give the same
// bytes to the caller.
type upstream struct {
	domains map[string][]byte
	answer  []byte
	delay   time.Duration
	chunked bool // send answer without its length, as net/http does with what is longer than 2 KB
	asked   atomic.Int64
}

func newUpstream(names int, delay time.Duration, chunked bool) *upstream {
	u := &upstream{domains: map[string][]byte{}, answer: answerOf(0), delay: delay, chunked: chunked}
	for i := range names {
		u.domains[v5Path+nameOf(i)] = domainOf(nameOf(i))
	}
	return u
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/asked" {
		fmt.Fprint(w, u.asked.Load())
		return
	}
	u.asked.Add(1)
	if u.delay > 0 {
		time.Sleep(u.delay)
	}
	if r.Method == http.MethodPost {
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		if !u.chunked {
			w.Header().Set("Content-Length", strconv.Itoa(len(u.answer)))
		}
		w.Write(u.answer)
		return
	}
	domain, ok := u.domains[r.URL.Path]
	if !ok || r.Header.Get("Authorization") != "Bearer "+v5Token {
		http.Error(w, "no such domain", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(domain)
}

// tuned is a transport that keeps as many connections as there are callers.
func tuned() *http.Transport {
	return &http.Transport{
		DialContext:  (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConns: 2048, MaxIdleConnsPerHost: 2048, IdleConnTimeout: time.Minute, DisableCompression: true,
	}
}

func reverseProxy(upstream string) http.Handler {
	to, err := url.Parse(upstream)
	if err != nil {
		panic(err) // this program made it
	}
	return &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:  tuned(),
		BufferPool: &bufferPool{},
	}
}

type bufferPool struct{ sync.Pool }

func (p *bufferPool) Get() []byte {
	if b, ok := p.Pool.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 32<<10)
}

func (p *bufferPool) Put(b []byte) { p.Pool.Put(&b) }

// nginxConfig is nginx as a keep-alive proxy. It is started in dir.
func nginxConfig(listen, upstream string) string {
	return strings.NewReplacer("LISTEN", listen, "UPSTREAM", strings.TrimPrefix(upstream, "http://")).Replace(`
daemon off;
pid nginx.pid;
error_log error.log;
worker_processes auto;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
	access_log off;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	keepalive_requests 1000000000;
	upstream v5 { server UPSTREAM; keepalive 1024; keepalive_requests 1000000000; }
	server {
		listen LISTEN backlog=4096;
		location / { proxy_pass http://v5; proxy_http_version 1.1; proxy_set_header Connection ""; }
	}
}
`)
}
