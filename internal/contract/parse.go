package contract

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// line is one line without its comment.
type line struct {
	no     int
	fields []string
}

// scan calls open for each line at the margin and what open returned for the indented lines below it.
func scan(r io.Reader, open func(line) (func(line) error, error)) error {
	var item func(line) error
	sc := bufio.NewScanner(r)
	for no := 1; sc.Scan(); no++ {
		l := line{no: no, fields: strings.Fields(sc.Text())}
		if i := slices.IndexFunc(l.fields, func(f string) bool { return f[0] == '#' }); i >= 0 {
			l.fields = l.fields[:i]
		}
		if len(l.fields) == 0 {
			continue
		}
		var err error
		switch {
		case sc.Text()[0] != ' ':
			item, err = open(l)
		case item == nil:
			err = errors.New("indented line outside a block")
		default:
			err = item(l)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", no, err)
		}
	}
	return sc.Err()
}

// head splits off the n fields that must stand first and parses the rest as attributes.
func (l line) head(n int, allowed ...string) ([]string, map[string]string, error) {
	if len(l.fields) < n {
		return nil, nil, fmt.Errorf("%q wants %d fields", l.fields[0], n)
	}
	attrs := map[string]string{}
	for _, f := range l.fields[n:] {
		key, value, isPair := strings.Cut(f, "=")
		word := key
		if isPair {
			word += "="
		}
		if !slices.Contains(allowed, word) {
			return nil, nil, fmt.Errorf("unknown word %q", f)
		}
		if _, twice := attrs[key]; twice {
			return nil, nil, fmt.Errorf("%q twice", key)
		}
		if isPair && value == "" {
			return nil, nil, fmt.Errorf("%q has no value", f)
		}
		attrs[key] = value
	}
	return l.fields[:n], attrs, nil
}

// parser has what the two formats share.
type parser struct {
	Types
	scalars   string // the scalar types, blank-separated
	word      string // the word for a struct: "struct" or "object"
	sources   string
	section   string
	from      string          // of the section
	defined   map[string]int  // by kind of block and name, "struct Operation": the line
	mentioned map[string]int  // struct, enum and errors names, by the line that mentions them first
	free      map[string]bool // those marked unreferenced
}

func newParser(scalars, word, sources string) parser {
	return parser{scalars: scalars, word: word, sources: sources,
		defined: map[string]int{}, mentioned: map[string]int{}, free: map[string]bool{}}
}

// define notes that the thing (a kind of block and its name) is defined on this line.
func (p *parser) define(l line, thing string) error {
	if at, twice := p.defined[thing]; twice {
		return fmt.Errorf("%s is already on line %d", thing, at)
	}
	if p.section == "" {
		return fmt.Errorf("%s stands before the first section", thing)
	}
	p.defined[thing] = l.no
	return nil
}

func (p *parser) mention(l line, thing string) {
	if p.mentioned[thing] == 0 {
		p.mentioned[thing] = l.no
	}
}

// source is the value of from=, or else the given one.
func (p *parser) source(attrs map[string]string, otherwise string) (string, error) {
	from, ok := attrs["from"]
	if !ok {
		return otherwise, nil
	}
	if !slices.Contains(strings.Fields(p.sources), from) {
		return "", fmt.Errorf("unknown source %q", from)
	}
	return from, nil
}

func (p *parser) openSection(l line) error {
	head, attrs, err := l.head(2, "from=")
	if err != nil {
		return err
	}
	if p.from, err = p.source(attrs, ""); err != nil {
		return err
	}
	if p.from == "" {
		return errors.New("a section needs from=")
	}
	p.section = head[1]
	return nil
}

// typ parses a type and notes the structs it names.
func (p *parser) typ(l line, text string) (Type, error) {
	t, rest, err := p.union(text)
	if err == nil && rest != "" {
		err = fmt.Errorf("unexpected %q", rest)
	}
	if err != nil {
		return Type{}, fmt.Errorf("type %q: %w", text, err)
	}
	for _, name := range t.names(nil) {
		p.mention(l, p.word+" "+name)
	}
	return t, nil
}

func (p *parser) union(text string) (Type, string, error) {
	var alts []Type
	for {
		t, rest, err := p.single(text)
		if err != nil {
			return t, rest, err
		}
		alts = append(alts, t)
		if !strings.HasPrefix(rest, "|") {
			if len(alts) == 1 {
				return t, rest, nil
			}
			return Type{Kind: "union", Elems: alts}, rest, nil
		}
		text = rest[1:]
	}
}

func (p *parser) single(text string) (Type, string, error) {
	end := strings.IndexAny(text, "<>|")
	if end < 0 {
		end = len(text)
	}
	word, rest := text[:end], text[end:]
	isList := word == "array" || word == "map"
	switch {
	case isList && strings.HasPrefix(rest, "<"):
		elem, rest, err := p.union(rest[1:])
		if err == nil && !strings.HasPrefix(rest, ">") {
			err = errors.New("> is missing")
		}
		return Type{Kind: word, Elems: []Type{elem}}, strings.TrimPrefix(rest, ">"), err
	case word == "array", word == "?", word == p.word, slices.Contains(strings.Fields(p.scalars), word):
		return Type{Kind: word}, rest, nil
	case word != "" && word[0] >= 'A' && word[0] <= 'Z':
		return Type{Kind: p.word, Name: word}, rest, nil
	}
	return Type{}, "", fmt.Errorf("unknown word %q", word)
}

// member parses "NAME TYPE NEED attributes", which begin at field number at.
func (p *parser) member(l line, at int, from string, needs ...string) (Member, error) {
	head, attrs, err := l.head(at+3, "default=", "documented=", "seen=", "enum=", "oneof=", "sort=", "range=", "format=",
		"when=", "alt=", "from=", "unsettled", "deprecated", "readonly")
	if err != nil {
		return Member{}, err
	}
	m := Member{Line: l.no, Name: head[at], Need: head[at+2], Enum: attrs["enum"], Default: attrs["default"],
		Range: attrs["range"], Format: attrs["format"], When: attrs["when"], Alt: attrs["alt"]}
	_, m.HasDefault = attrs["default"]
	_, m.Unsettled = attrs["unsettled"]
	_, m.Deprecated = attrs["deprecated"]
	_, m.ReadOnly = attrs["readonly"]
	if !slices.Contains(needs, m.Need) {
		return m, fmt.Errorf("%s: %q is none of %s", m.Name, m.Need, strings.Join(needs, ", "))
	}
	if m.Type, err = p.typ(l, head[at+1]); err != nil {
		return m, err
	}
	for key, to := range map[string]**Type{"documented": &m.Documented, "seen": &m.Seen} {
		if text, ok := attrs[key]; ok {
			t, err := p.typ(l, text)
			if err != nil {
				return m, err
			}
			*to = &t
		}
	}
	for key, to := range map[string]*[]string{"oneof": &m.OneOf, "sort": &m.Sort} {
		if list, ok := attrs[key]; ok {
			*to = strings.Split(list, ",")
		}
	}
	if m.Range != "" {
		low, high, _ := strings.Cut(m.Range, "-")
		a, errA := strconv.Atoi(low)
		b, errB := strconv.Atoi(high)
		if errA != nil || errB != nil || a > b {
			return m, fmt.Errorf("range %q is not LOW-HIGH", m.Range)
		}
	}
	if m.Format != "" && m.Format != "datetime" && m.Format != "uuid" {
		return m, fmt.Errorf("unknown format %q", m.Format)
	}
	if m.Enum != "" {
		p.mention(l, "enum "+m.Enum)
	}
	m.From, err = p.source(attrs, from)
	return m, err
}

// add appends a member unless the name is there already.
func (ms *Members) add(m Member, err error) error {
	if err != nil {
		return err
	}
	if ms.Get(m.Name) != nil {
		return fmt.Errorf("%s is already there", m.Name)
	}
	*ms = append(*ms, m)
	return nil
}

// openStruct opens a struct; needs gives the words that its members may have.
func (p *parser) openStruct(l line, attributes []string, needs func(kind string) []string) (func(line) error, error) {
	head, attrs, err := l.head(2, append(attributes, "from=", "open", "unsettled", "unreferenced")...)
	if err != nil {
		return nil, err
	}
	s := &Struct{Line: l.no, Name: head[1], Section: p.section, Kind: attrs["kind"], OpenPrefix: attrs["open"],
		Includes: attrs["includes"]}
	if s.Includes != "" {
		p.mention(l, p.word+" "+s.Includes)
	}
	_, s.Open = attrs["open"]
	s.Open = s.Open && s.OpenPrefix == ""
	_, s.Unsettled = attrs["unsettled"]
	_, s.Unreferenced = attrs["unreferenced"]
	words := needs(s.Kind)
	if words == nil {
		return nil, fmt.Errorf("unknown kind %q", s.Kind)
	}
	if s.From, err = p.source(attrs, p.from); err != nil {
		return nil, err
	}
	p.Structs = append(p.Structs, s)
	p.free[p.word+" "+s.Name] = s.Unreferenced
	return func(l line) error { return s.Members.add(p.member(l, 0, s.From, words...)) }, p.define(l, p.word+" "+s.Name)
}

func (p *parser) openEnum(l line) (func(line) error, error) {
	head, attrs, err := l.head(2, "from=", "open", "unreferenced")
	if err != nil {
		return nil, err
	}
	e := &Enum{Line: l.no, Name: head[1]}
	_, e.Open = attrs["open"]
	_, e.Unreferenced = attrs["unreferenced"]
	from, err := p.source(attrs, p.from)
	if err != nil {
		return nil, err
	}
	p.Enums = append(p.Enums, e)
	p.free["enum "+e.Name] = e.Unreferenced
	return func(l line) error {
		n := slices.IndexFunc(l.fields, func(f string) bool { return strings.HasPrefix(f, "from=") })
		if n < 0 {
			n = len(l.fields)
		}
		values, attrs, err := l.head(n, "from=")
		if err != nil {
			return err
		}
		from, err := p.source(attrs, from)
		for _, v := range values {
			if e.Has(v) {
				return fmt.Errorf("%s is already there", v)
			}
			e.Values, e.From = append(e.Values, v), append(e.From, from)
		}
		return err
	}, p.define(l, "enum "+e.Name)
}

// check finds the first line that mentions what is not defined, or defines what nothing mentions. It carries out the
// includes.
func (p *parser) check() error {
	first, text := 0, ""
	report := func(at int, format string, args ...any) {
		if first == 0 || at < first {
			first, text = at, fmt.Sprintf(format, args...)
		}
	}
	for thing, at := range p.mentioned {
		if p.defined[thing] == 0 {
			report(at, "there is no %s", thing)
		}
	}
	for thing, at := range p.defined {
		switch kind, _, _ := strings.Cut(thing, " "); {
		case kind == "method" || kind == "route":
		case p.mentioned[thing] == 0 && !p.free[thing]:
			report(at, "nothing mentions %s", thing)
		case p.mentioned[thing] != 0 && p.free[thing]:
			report(at, "%s is marked unreferenced, but line %d mentions it", thing, p.mentioned[thing])
		}
	}
	if first != 0 {
		return fmt.Errorf("line %d: %s", first, text)
	}
	for _, s := range p.Structs {
		if s.Includes == "" {
			continue
		}
		from := p.Struct(s.Includes)
		if from.Includes != "" {
			return fmt.Errorf("line %d: %s includes others itself", s.Line, from.Name)
		}
		for _, m := range from.Members {
			if err := s.Members.add(m, nil); err != nil {
				return fmt.Errorf("line %d: %w", s.Line, err)
			}
		}
	}
	return nil
}
