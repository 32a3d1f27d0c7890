package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// document is the file, read but not yet understood.
type document struct {
	name    string // for messages, without its directories
	top     map[string]any
	tenants []map[string]any
	lines   map[slot]int
}

// place is where a key stands, as name:line.
func (d *document) place(at slot) string {
	for _, at := range []slot{at, {at.tenant, ""}, {daemon, "tenant"}} {
		if n := d.lines[at]; n > 0 {
			return fmt.Sprintf("%s:%d", d.name, n)
		}
	}
	return d.name
}

// read reads the file and finds keys that do not exist.
//
// It goes into maps and from there into the fields by the tables, not into a
// struct: the parser's own list of unknown keys has no lines, and its errors
// about types end at the first.
func (l *Loaded) read(path string) *document {
	d := &document{name: filepath.Base(path)}
	raw, err := os.ReadFile(path)
	if err != nil {
		l.unread, l.blind = append(l.unread, fmt.Errorf("config: %w", err)), true
		return d
	}
	d.lines = linesOf(string(raw))
	if _, err := toml.Decode(string(raw), &d.top); err != nil {
		l.unread, l.blind = append(l.unread, d.syntax(err)), true
		d.top = nil
		return d
	}
	d.tenants = l.tables(d)
	known, ofTenant := keysOf(settings), keysOf(tenantKeys)
	l.unread = append(l.unread, d.unknown(daemon, d.top, append(known, "tenant"), ofTenant)...)
	secrets := false
	for i, t := range d.tenants {
		l.unread = append(l.unread, d.unknown(i, t, ofTenant, known)...)
		for _, k := range tenantKeys {
			secrets = secrets || k.secret && t[k.key] != nil
		}
	}
	if secrets {
		l.warnWide(path)
	}
	return d
}

// tables are the file's [[tenant]] tables.
func (l *Loaded) tables(d *document) (all []map[string]any) {
	switch list := d.top["tenant"].(type) {
	case nil:
		return nil
	case []map[string]any:
		return list
	case []any: // tenant = [{...}, {...}]
		for _, item := range list {
			if t, ok := item.(map[string]any); ok {
				all = append(all, t)
			}
		}
		if len(all) == len(list) {
			return all
		}
	}
	l.unread = append(l.unread, fmt.Errorf("%s: tenant: each begins with [[tenant]], in two pairs of brackets", d.place(slot{daemon, "tenant"})))
	return nil
}

func keysOf[T any](rows []row[T]) (keys []string) {
	for _, r := range rows {
		keys = append(keys, r.key)
	}
	return keys
}

// unknown names the keys of a table that do not exist, in the order of lines.
func (d *document) unknown(tenant int, table map[string]any, known, elsewhere []string) (wrong []error) {
	keys := slices.Sorted(maps.Keys(table))
	slices.SortStableFunc(keys, func(a, b string) int { return d.lines[slot{tenant, a}] - d.lines[slot{tenant, b}] })
	for _, key := range keys {
		if slices.Contains(known, key) {
			continue
		}
		hint := fmt.Sprintf("the nearest known key is %s", nearest(key, known))
		switch {
		case slices.Contains(elsewhere, key) && tenant == daemon:
			hint = "it belongs to a tenant, below [[tenant]]"
		case slices.Contains(elsewhere, key):
			hint = "it is the daemon's and belongs above the first [[tenant]]"
		}
		wrong = append(wrong, fmt.Errorf("%s: unknown key %s; %s", d.place(slot{tenant, key}), key, hint))
	}
	return wrong
}

// repeated is what an error of the parser may repeat of the file.
var repeated = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[0-9][0-9A-Za-z_.+-]{7,}`)

// syntax is a parser's error without what it repeats, but for keys and single
// letters: it may be a secret that lacks its quotes.
func (d *document) syntax(err error) error {
	var e toml.ParseError
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: it is not TOML", d.name)
	}
	hint := ""
	message := repeated.ReplaceAllStringFunc(e.Message, func(s string) string {
		key := strings.TrimPrefix(strings.Trim(s, `"'`), "tenant.")
		if len(s) <= len(`'\n'`) || rowOf(key) != nil || slices.Contains(keysOf(settings), key) {
			return s
		}
		hint = "; strings stand in quotes"
		return "..."
	})
	if e.LastKey != "" {
		hint = fmt.Sprintf(" (key %s)%s", e.LastKey, hint)
	}
	return fmt.Errorf("%s:%d: %s%s", d.name, e.Position.Line, message, hint)
}

// linesOf finds the line of each key and each [[tenant]], which the parser keeps
// to itself. A line inside a string of several lines that looks like a key can
// mislead it, and then a message names a wrong line.
func linesOf(text string) map[slot]int {
	lines := map[slot]int{}
	tenant := daemon
	note := func(at slot, line int) {
		if lines[at] == 0 {
			lines[at] = line
		}
	}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "[[tenant]]"); ok && !strings.HasPrefix(name, "=") {
			tenant++
			note(slot{tenant, ""}, i+1)
			note(slot{daemon, "tenant"}, i+1)
		} else if strings.HasPrefix(line, "[") {
			name, _, _ := strings.Cut(strings.Trim(line, "[ "), "]")
			name, _, _ = strings.Cut(name, ".")
			note(slot{daemon, strings.TrimSpace(name)}, i+1)
		} else if key, _, ok := strings.Cut(line, "="); ok {
			key, _, _ = strings.Cut(key, ".")
			note(slot{tenant, strings.Trim(key, " \t\"'")}, i+1)
		}
	}
	return lines
}

// nearest is the known name that takes the fewest changes.
func nearest(name string, known []string) string {
	return slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
}

// distance counts the letters to add, drop or change from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
