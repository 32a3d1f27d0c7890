// Command bench loads the gateway and its peers side by side with domain.info
// and compares them. See docs/performance.md; run.sh builds and runs it.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are what can be asked for.
type options struct {
	gateway     string
	environment []string
	peers       string
	connections string
	collapse    int
	rounds      int
	seconds     int
	names       int
	delay       time.Duration
	profiles    string
	chunked     bool

	serve, listen, upstream string
}

func (o *options) wants(peer string) bool {
	return o.peers == "" || slices.Contains(strings.Split(o.peers, ","), peer)
}

func main() {
	var o options
	flag.StringVar(&o.gateway, "gateway", "dist/gateway", "the gateway's binary")
	flag.StringVar(&o.peers, "peers", "", "of "+strings.Join(peerNames, ",")+"; all where none are named")
	flag.StringVar(&o.connections, "connections", "1,16,64,256", "connections of the load generator")
	flag.IntVar(&o.collapse, "collapse", 1024, "connections of the look for a collapse, once at the end; 0 for none")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; all is measured once in each")
	flag.IntVar(&o.seconds, "seconds", 2, "length of one measurement")
	flag.IntVar(&o.names, "names", 2048, "domains that are asked for in turn; more than the connections, so that no two equal calls meet")
	flag.DurationVar(&o.delay, "delay", 0, "time that the upstream takes for an answer")
	flag.BoolVar(&o.chunked, "chunked", false, "the upstream sends the answer that proxies pass on in chunks, which costs them more")
	flag.StringVar(&o.profiles, "profiles", "", "directory for CPU profiles of the gateway, one for each number of connections")
	flag.Func("env", "variable for the gateway, such as GOGC=200; may be repeated", func(v string) error {
		o.environment = append(o.environment, v)
		return nil
	})
	flag.StringVar(&o.serve, "serve", "", "internal: be this server")
	flag.StringVar(&o.listen, "listen", "", "internal")
	flag.StringVar(&o.upstream, "upstream", "", "internal")
	flag.Parse()
	var err error
	if o.serve != "" {
		err = serve(o)
	} else {
		err = compare(o, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// compare measures all peers in interleaved rounds and prints what came out.
func compare(o options, out io.Writer) error {
	levels, err := numbers(o.connections)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "v3gate-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.gateway, err = filepath.Abs(o.gateway); err != nil {
		return err
	}
	g, err := newGenerator(dir, o.seconds)
	if err != nil {
		return err
	}
	var profiler *profiler
	if o.profiles != "" {
		if profiler, err = newProfiler(o.profiles); err != nil {
			return err
		}
		o.environment = append(o.environment, profiler.environment())
	}
	s := &scene{options: o, dir: dir}
	defer s.stop()
	if err := s.start(); err != nil {
		return err
	}
	if err := s.verify(); err != nil {
		return err
	}
	fmt.Fprintf(out, "every answer is right; %d rounds of %d s each, the upstream takes %s\n", o.rounds, o.seconds, o.delay)
	for _, why := range s.skipped {
		fmt.Fprintln(out, "skipped", why)
	}
	r := &results{}
	for round := range o.rounds {
		for _, connections := range levels {
			if err := s.measure(g, profiler, r, round, connections); err != nil {
				return err
			}
		}
	}
	if o.collapse > 0 { // at the end, since memory that it takes is given back slowly
		if err := s.measure(g, profiler, r, o.rounds-1, o.collapse); err != nil {
			return err
		}
		levels = append(levels, o.collapse)
	}
	r.print(out, levels)
	return s.measureShared(g, out)
}

// measure runs the load once against each peer, the first one another each time.
func (s *scene) measure(g *generator, profiler *profiler, r *results, round, connections int) error {
	for i := range s.peers {
		p := s.peers[(i+round)%len(s.peers)]
		var before, faulty float64
		var err error
		if before, err = s.asked(); err != nil {
			return err
		}
		if p.admin != "" {
			if faulty, err = p.faults(); err != nil {
				return err
			}
			profiler.begin(connections, g.seconds)
		}
		sample, err := g.run(p, connections, s.options.names)
		if err != nil {
			return fmt.Errorf("%s, %d connections: %w", p.name, connections, err)
		}
		if p.admin != "" {
			if err := profiler.end(); err != nil {
				return err
			}
			now, err := p.faults()
			if err != nil {
				return err
			}
			// Calls that the generator hangs up on at its end are faults to the gateway.
			sample.errors += max(0, int(now-faulty)-connections)
		}
		after, err := s.asked()
		if err != nil {
			return err
		}
		sample.asked = (after - before) / sample.calls
		r.add(p.name, connections, round, sample)
	}
	return nil
}

// measureShared asks for one and the same name on all connections.
func (s *scene) measureShared(g *generator, out io.Writer) error {
	r := &results{}
	for round := range s.options.rounds {
		for _, p := range s.peers {
			if p.name != "gateway" && p.name != peerNames[0] {
				continue
			}
			before, err := s.asked()
			if err != nil {
				return err
			}
			sample, err := g.run(p, 64, 1)
			if err != nil {
				return err
			}
			after, err := s.asked()
			if err != nil {
				return err
			}
			sample.asked = (after - before) / sample.calls
			r.add(p.name, 64, round, sample)
		}
	}
	if !slices.ContainsFunc(s.peers, func(p *peer) bool { return p.name == "gateway" }) {
		return nil
	}
	calls := r.ratio("gateway", 64, func(s sample) float64 { return s.rate })
	fmt.Fprintf(out, "\n64 connections that ask for the same name: %.2fx the calls of %s, %.2f upstream requests a call\n",
		calls, peerNames[0], r.median("gateway", 64, func(s sample) float64 { return s.asked }))
	return nil
}

func numbers(list string) (out []int, err error) {
	for _, word := range strings.Split(list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("connections: %q is no number above 0", word)
		}
		out = append(out, n)
	}
	return out, nil
}
