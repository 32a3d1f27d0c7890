package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// results are all samples, by peer, connections and round.
type results struct {
	samples map[string]map[int]map[int]sample
}

func (r *results) add(peer string, connections, round int, s sample) {
	if r.samples == nil {
		r.samples = map[string]map[int]map[int]sample{}
	}
	if r.samples[peer] == nil {
		r.samples[peer] = map[int]map[int]sample{}
	}
	if r.samples[peer][connections] == nil {
		r.samples[peer][connections] = map[int]sample{}
	}
	r.samples[peer][connections][round] = s
}

// median is the median over the rounds.
func (r *results) median(peer string, connections int, of func(sample) float64) float64 {
	var values []float64
	for _, s := range r.samples[peer][connections] {
		values = append(values, of(s))
	}
	return median(values)
}

// ratio is the median over the rounds of what a peer has, divided by what the
// first peer has in the same round.
func (r *results) ratio(peer string, connections int, of func(sample) float64) float64 {
	var values []float64
	for round, s := range r.samples[peer][connections] {
		if first, ok := r.samples[peerNames[0]][connections][round]; ok && of(first) > 0 {
			values = append(values, of(s)/of(first))
		}
	}
	return median(values)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

var (
	rate = func(s sample) float64 { return s.rate }
	p50  = func(s sample) float64 { return s.p50 }
	p99  = func(s sample) float64 { return s.p99 }
	cpu  = func(s sample) float64 { return s.cpu }
	rss  = func(s sample) float64 { return s.rss }
)

func (r *results) print(out io.Writer, levels []int) {
	fmt.Fprintf(out, "\nmedians; behind each the median of the rounds' ratios to %s. Only the ratios mean something.\n", peerNames[0])
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "connections\tpeer\tcalls/s\t\tp50 ms\t\tp99 ms\t\tCPU s/1000\t\tMiB\t\tupstream/call\terrors\t")
	for _, connections := range levels {
		for _, peer := range peerNames {
			rounds := r.samples[peer][connections]
			if len(rounds) == 0 {
				continue
			}
			failed := 0
			for _, s := range rounds {
				failed += s.errors + s.timeouts
			}
			fmt.Fprintf(w, "%d\t%s\t", connections, peer)
			for _, column := range []struct {
				format string
				of     func(sample) float64
			}{{"%.0f", rate}, {"%.2f", p50}, {"%.1f", p99}, {"%.3f", cpu}, {"%.0f", rss}} {
				fmt.Fprintf(w, column.format+"\t%.2fx\t", r.median(peer, connections, column.of), r.ratio(peer, connections, column.of))
			}
			fmt.Fprintf(w, "%.2f\t%d\t\n", r.median(peer, connections, func(s sample) float64 { return s.asked }), failed)
		}
	}
	w.Flush()
	r.goals(out, levels)
}

// goals says which of the goals of docs/performance.md the gateway reaches.
func (r *results) goals(out io.Writer, levels []int) {
	if len(r.samples["gateway"]) == 0 {
		return
	}
	fmt.Fprintln(out)
	say := func(reached bool, what string, args ...any) {
		word := "reached"
		if !reached {
			word = "MISSED "
		}
		fmt.Fprintf(out, "%s  %s\n", word, fmt.Sprintf(what, args...))
	}
	for _, c := range levels {
		if c < 16 || c > 256 {
			continue
		}
		calls, time, late := r.ratio("gateway", c, rate), r.ratio("gateway", c, cpu), r.ratio("gateway", c, p99)
		say(calls >= 0.9, "%d connections: calls %.2fx, at least 0.90x", c, calls)
		say(time <= 1.2, "%d connections: CPU a call %.2fx, at most 1.20x", c, time)
		say(late <= 1.5, "%d connections: p99 %.2fx, at most 1.50x", c, late)
		if shim := r.ratio("shim", c, rate); shim > 0 {
			say(calls/shim >= 1.3, "%d connections: calls %.2fx those of the shim, at least 1.30x", c, calls/shim)
			say(time/r.ratio("shim", c, cpu) <= 0.7, "%d connections: CPU a call %.2fx that of the shim, at most 0.70x", c, time/r.ratio("shim", c, cpu))
		}
	}
	if most := r.median("gateway", 256, rss); most > 0 {
		say(most < 64, "256 connections: %.0f MiB resident, below 64", most)
	}
	if last := levels[len(levels)-1]; last > 256 {
		before, calls := r.ratio("gateway", 256, rate), r.ratio("gateway", last, rate)
		say(calls >= 0.7*before, "%d connections: calls %.2fx, no collapse from the %.2fx at 256", last, calls, before)
	}
	if direct := r.median("direct", 1, p50); direct > 0 {
		own, proxy := r.median("gateway", 1, p50)-direct, r.median(peerNames[0], 1, p50)-direct
		say(own <= 0.3 && own <= 1.25*proxy, "1 connection: p50 %.2f ms over direct, at most 0.30 and 1.25x the proxy's %.2f", own, proxy)
	}
	if direct := r.ratio("direct", 256, rate); direct > 0 {
		fmt.Fprintf(out, "         256 connections: calls %.2fx those of wrk asking the upstream directly\n", r.ratio("gateway", 256, rate)/direct)
	}
}
