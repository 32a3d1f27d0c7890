package deploy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"v3gate/internal/ops"
	"v3gate/internal/telemetry"
)

// query is what a PromQL expression asks for: its metrics with the labels that
// select them, and the labels that it groups by.
type query struct {
	metrics []selector
	grouped []string
}

type selector struct {
	name   string
	values map[string]string // label and what it is compared with
}

var promqlToken = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[a-zA-Z_:][a-zA-Z0-9_:]*|[0-9.]+[a-zA-Z0-9]*|[=!<>]=|[=!]~|\S`)

// parse reads as much of PromQL as the files here use. promtool, run by test.sh,
// says whether an expression is one at all.
func parse(expr string) (q query) {
	tokens := append(promqlToken.FindAllString(expr, -1), "", "")
	isName := regexp.MustCompile(`^[a-zA-Z_:]`).MatchString
	for i := 0; i < len(tokens); i++ {
		switch word := tokens[i]; {
		case word == "[": // a duration
			for tokens[i] != "]" && tokens[i] != "" {
				i++
			}
		case slices.Contains([]string{"by", "without", "on", "ignoring", "group_left", "group_right"}, word):
			for i++; tokens[i] != ")" && tokens[i] != ""; i++ {
				if isName(tokens[i]) {
					q.grouped = append(q.grouped, tokens[i])
				}
			}
		case !isName(word), slices.Contains([]string{"and", "or", "unless", "bool", "offset"}, word):
		case tokens[i+1] == "(", tokens[i+1] == "by", tokens[i+1] == "without": // a function
		default:
			s := selector{name: word, values: map[string]string{}}
			if tokens[i+1] == "{" {
				for i += 2; tokens[i] != "}" && tokens[i] != ""; i++ {
					if isName(tokens[i]) {
						s.values[tokens[i]] = strings.Trim(tokens[i+2], `"'`)
						i += 2
					}
				}
			}
			q.metrics = append(q.metrics, s)
		}
	}
	return q
}

func TestParse(t *testing.T) {
	got := fmt.Sprint(parse(`sum by (job, le) (rate(a_bucket{le="1",x=~"a|b"}[5m])) / on(job) b_count offset 1h > 0.2 and topk(3, c unless d) or vector(0)`))
	want := `{[{a_bucket map[le:1 x:a|b]} {b_count map[]} {c map[]} {d map[]}] [job le job]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// fromTheTarget are the labels that Prometheus itself puts on a series.
var fromTheTarget = []string{"job", "instance"}

// labelsOf are the labels that a metric's series have; ok tells whether the
// gateway has such a metric, or Prometheus's client library or Prometheus itself.
func labelsOf(name string) (labels []string, ok bool) {
	if name == "up" || slices.Contains([]string{
		"process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds",
		"go_goroutines", "go_memstats_heap_inuse_bytes",
	}, name) {
		return fromTheTarget, true
	}
	for _, m := range telemetry.Describe() {
		labels := slices.Concat(m.Labels, fromTheTarget)
		switch {
		case m.Type == telemetry.Histogram && name == m.Name+"_bucket":
			return append(labels, "le"), true
		case m.Type == telemetry.Histogram && (name == m.Name+"_count" || name == m.Name+"_sum"),
			m.Type != telemetry.Histogram && name == m.Name:
			return labels, true
		}
	}
	return nil, false
}

// wrongWithQuery says which metrics, labels and values of an expression are none
// of the gateway's.
func wrongWithQuery(expr string) (wrong []string) {
	q := parse(expr)
	if len(q.metrics) == 0 {
		return []string{"it asks for no metric"}
	}
	var all []string
	for _, m := range q.metrics {
		labels, ok := labelsOf(m.name)
		if !ok {
			wrong = append(wrong, "there is no metric "+m.name)
			continue
		}
		all = append(all, labels...)
		for label, value := range m.values {
			if !slices.Contains(labels, label) {
				wrong = append(wrong, fmt.Sprintf("%s has no label %s", m.name, label))
			}
			for _, v := range strings.Split(value, "|") {
				if !possible(label, v) {
					wrong = append(wrong, fmt.Sprintf("%s is never %q", label, v))
				}
			}
		}
	}
	for _, label := range q.grouped {
		if len(wrong) == 0 && !slices.Contains(all, label) {
			wrong = append(wrong, "it groups by "+label+", which none of its metrics has")
		}
	}
	return wrong
}

// possible tells whether a label can have a value, where there are few.
func possible(label, value string) bool {
	switch label {
	case "step":
		return slices.Contains(ops.Steps, ops.Step(value))
	case "outcome":
		return slices.Contains([]string{"ok", "fault", "refused", "error"}, value)
	case "status":
		return regexp.MustCompile(`^([1-5](\d\d|\.\.)|none|unknown)$`).MatchString(value)
	case "le":
		return slices.Contains([]string{"0.1", "0.5", "1", "5", "10", "30", "60", "+Inf"}, value)
	}
	return true
}

func TestWrongQueriesAreSeen(t *testing.T) {
	for _, expr := range []string{
		`gateway_nonsense > 0`, `gateway_v5_rate_wait_seconds > 1`, `gateway_calls_total_count`, `gateway_calls_total{step="DONE"}`,
		`sum by (route) (gateway_calls_total)`, `gateway_operations{step="STUCK"}`, `gateway_calls_total{outcome=~"error|failure"}`,
		`gateway_v5_requests_total{status="5xx"}`, `gateway_v5_rate_wait_seconds_bucket{le="1s"}`, `vector(1)`,
	} {
		if len(wrongWithQuery(expr)) == 0 {
			t.Errorf("%s: nothing is said about it", expr)
		}
	}
	if wrong := wrongWithQuery(`sum by (job, step) (gateway_operations{step=~"BILL|RUN"}) > 0 or vector(0)`); len(wrong) > 0 {
		t.Errorf("a good one: %v", wrong)
	}
}
