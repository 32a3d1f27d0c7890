package translate

import (
	"fmt"
	"strings"
)

// help is a row as plain text, for system.methodHelp.
func (r *Row) help() string {
	var b strings.Builder
	names := make([]string, 0, len(r.Params)+1)
	if r.Key != KeyNone {
		names = append(names, "apikey")
	}
	for _, p := range r.Params {
		name := p.Name
		if p.Need == "optional" {
			name = "[" + name + "]"
		}
		names = append(names, name)
	}
	fmt.Fprintf(&b, "%s(%s): %s, %s", r.Name, strings.Join(names, ", "), r.Support, r.Class)
	if r.Note != "" {
		b.WriteString(". " + r.Note)
	}
	for _, p := range r.Params {
		helpParam(&b, p, "  ")
	}
	return b.String()
}

func helpParam(b *strings.Builder, p Param, indent string) {
	fmt.Fprintf(b, "\n%s%s (%s, %s)", indent, p.Name, p.Type, p.Need)
	if p.Support != "honoured" {
		fmt.Fprintf(b, " %s: %s", p.Support, p.Reason)
	}
	for _, m := range p.Members {
		helpParam(b, m, indent+"  ")
	}
}

// supports is the order in which states are told.
var supports = []Support{Full, Partial, Local, Refused}

// Totals is how many methods there are of each state, as one line.
func (t *Table) Totals() string {
	counts := map[Support]int{}
	for _, r := range t.Rows {
		counts[r.Support]++
	}
	parts := make([]string, 0, len(supports))
	for _, s := range supports {
		parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
	}
	return fmt.Sprintf("%d methods: %s", len(t.Rows), strings.Join(parts, ", "))
}

// MethodsDoc renders docs/methods.md.
func (t *Table) MethodsDoc() string {
	var b strings.Builder
	b.WriteString(`# The v3 methods

<!-- Generated from internal/translate/table.go by: go test ./internal/gateway -update -->

States: **full** as in v3; **partial** some parameters are refused, each by its name; **local** answered by the
gateway itself; **refused** v5 has nothing for it, the fault says why.
A refused method answers fault 501654, a name that is not listed here answers fault code 1.
Class: a **paid** call can cost money and goes through the journal. Key: whether the API key comes first.

`)
	b.WriteString(t.Totals() + ".\n\n| method | state | class | key | v5 requests | note | divergences |\n|---|---|---|---|---|---|---|\n")
	for _, r := range t.Rows {
		numbers := make([]string, len(r.Divergences))
		for i, n := range r.Divergences {
			numbers[i] = fmt.Sprintf("[%d](divergences.md#%d)", n, n)
		}
		name := r.Name
		if len(r.Params) > 0 {
			name = fmt.Sprintf("[%s](#%s)", r.Name, strings.ReplaceAll(strings.ToLower(r.Name), ".", ""))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", name, r.Support, r.Class, r.Key,
			strings.Join(r.V5, "; "), r.Note, strings.Join(numbers, ", "))
	}
	b.WriteString("\n# Parameters of what is built\n")
	for _, r := range t.Rows {
		if len(r.Params) > 0 {
			fmt.Fprintf(&b, "\n## %s\n\n| parameter | type | need | state |\n|---|---|---|---|\n", r.Name)
			docParams(&b, r.Params, "")
		}
	}
	return b.String()
}

func docParams(b *strings.Builder, params []Param, path string) {
	for _, p := range params {
		state := p.Support
		if p.Reason != "" {
			state += ": " + p.Reason
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", path+p.Name, p.Type, p.Need, state)
		docParams(b, p.Members, path+p.Name+".")
	}
}
