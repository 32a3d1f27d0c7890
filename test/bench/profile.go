package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// profiler takes CPU profiles of a gateway that was built with testdata/pprof.go
// in it. A nil one takes none.
type profiler struct {
	dir, address string
	taken        chan error
}

func newProfiler(dir string) (*profiler, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	return &profiler{dir: dir, address: address}, os.MkdirAll(dir, 0o755)
}

func (p *profiler) environment() string { return "BENCH_PPROF=" + p.address }

// begin takes a profile while the load runs; end waits for it.
func (p *profiler) begin(connections, seconds int) {
	if p == nil {
		return
	}
	p.taken = make(chan error, 1)
	go func() {
		p.taken <- p.take(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", p.address, seconds),
			filepath.Join(p.dir, fmt.Sprintf("cpu-%d.pprof", connections)))
	}()
}

func (p *profiler) end() error {
	if p == nil {
		return nil
	}
	return <-p.taken
}

func (p *profiler) take(url, path string) error {
	resp, err := http.Get(url)
	if err != nil {
		return fmt.Errorf("%w; is the gateway built by run.sh -profiles?", err)
	}
	defer resp.Body.Close()
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(f, resp.Body)
	return err
}
