package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

//go:embed names.lua
var script []byte

// sample is one run of the load generator against one peer.
type sample struct {
	rate     float64 // calls a second
	p50, p99 float64 // milliseconds
	most     float64
	cpu      float64 // seconds a 1000 calls
	rss      float64 // MiB, the most that was seen
	errors   int
	timeouts int
	calls    float64
	asked    float64 // upstream requests a call
}

// generator calls wrk.
type generator struct {
	dir     string
	seconds int
}

func newGenerator(dir string, seconds int) (*generator, error) {
	if _, err := exec.LookPath("wrk"); err != nil {
		return nil, errors.New("wrk is not installed; test/bench/run.sh installs it")
	}
	return &generator{dir, seconds}, errors.Join(
		os.WriteFile(filepath.Join(dir, "names.lua"), script, 0o644),
		os.WriteFile(filepath.Join(dir, "call.xml"), callOf(nameOf(0)), 0o644))
}

// run loads a peer over a number of connections with calls for so many names.
func (g *generator) run(p *peer, connections, names int) (s sample, err error) {
	pids := p.process.pids()
	before, _, err := usage(pids)
	if err != nil {
		return s, err
	}
	cmd := exec.Command("wrk", "-t1", "-c", strconv.Itoa(connections), "-d", fmt.Sprintf("%ds", g.seconds), "--timeout", "20s",
		"-s", filepath.Join(g.dir, "names.lua"), "http://"+p.address+"/xmlrpc/",
		"--", filepath.Join(g.dir, "call.xml"), strconv.Itoa(names))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return s, err
	}
	stopWatching := make(chan struct{})
	most := make(chan float64)
	go func() { most <- watch(pids, stopWatching) }()
	err = cmd.Wait()
	close(stopWatching)
	s.rss = <-most
	after, _, lost := usage(pids)
	if err = errors.Join(err, lost); err != nil {
		return s, fmt.Errorf("%w\n%s", err, out.Bytes())
	}
	return s, s.read(out.Bytes(), after-before)
}

// watch gives the most memory that is seen until done.
func watch(pids []int, done <-chan struct{}) (most float64) {
	for {
		if _, rss, err := usage(pids); err == nil {
			most = max(most, rss)
		}
		select {
		case <-done:
			return most
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// read takes the numbers out of what wrk and the script's last line say.
func (s *sample) read(out []byte, cpu float64) error {
	var said struct {
		Calls, Microseconds, P50, P99, Most float64
		Errors, Timeouts                    int
	}
	at := bytes.LastIndexByte(out, '{')
	if at < 0 {
		return fmt.Errorf("wrk said no numbers:\n%s", out)
	}
	if err := json.Unmarshal(out[at:], &said); err != nil {
		return fmt.Errorf("read wrk's numbers: %w\n%s", err, out)
	}
	if said.Calls == 0 {
		return fmt.Errorf("no call was answered:\n%s", out)
	}
	s.calls, s.rate = said.Calls, said.Calls/said.Microseconds*1e6
	s.p50, s.p99, s.most = said.P50/1000, said.P99/1000, said.Most/1000
	s.cpu = cpu / said.Calls * 1000
	s.errors, s.timeouts = said.Errors, said.Timeouts
	return nil
}
