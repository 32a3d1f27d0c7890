package contract

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

type v3Parser struct {
	parser
	methods []*Method
	errors  []*OperationErrors
}

// ReadV3 reads the contract of the v3 API. An error names the line.
func ReadV3(r io.Reader) (*V3, error) {
	p := v3Parser{parser: newParser("int string boolean double datetime nil", "struct",
		"reference faq later recorded client inferred")}
	if err := scan(r, p.open); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	v := &V3{Types: p.Types, Methods: p.methods, Errors: p.errors}
	ops := v.Enum("OperationType")
	for _, m := range v.Methods {
		for _, op := range m.Op {
			if ops == nil || !ops.Has(op) {
				return nil, fmt.Errorf("line %d: OperationType has no %s", m.Line, op)
			}
		}
	}
	return v, nil
}

func (p *v3Parser) open(l line) (func(line) error, error) {
	switch l.fields[0] {
	case "section":
		return nil, p.openSection(l)
	case "method":
		return p.openMethod(l)
	case "struct":
		return p.openStruct(l, []string{"kind=", "open="}, func(kind string) []string {
			switch kind {
			case "params", "options", "both":
				return []string{"required", "optional"}
			case "return":
				return []string{"always", "sometimes"}
			}
			return nil
		})
	case "enum":
		return p.openEnum(l)
	case "errors":
		return p.openErrors(l)
	}
	return nil, fmt.Errorf("unknown word %q", l.fields[0])
}

func (p *v3Parser) openMethod(l line) (func(line) error, error) {
	head, attrs, err := l.head(2, "key=", "class=", "returns=", "documented=", "op=", "documented-op=", "errors=", "enum=",
		"since=", "from=")
	if err != nil {
		return nil, err
	}
	m := &Method{Line: l.no, Name: head[1], Section: p.section, Key: attrs["key"], Class: attrs["class"],
		ReturnsEnum: attrs["enum"], DocumentedOp: attrs["documented-op"], Errors: attrs["errors"], Since: attrs["since"]}
	if !slices.Contains([]string{"required", "optional", "none"}, m.Key) {
		return nil, fmt.Errorf("key %q is none of required, optional, none", m.Key)
	}
	if !slices.Contains([]string{"read", "write", "paid"}, m.Class) {
		return nil, fmt.Errorf("class %q is none of read, write, paid", m.Class)
	}
	if m.Returns, err = p.typ(l, attrs["returns"]); err != nil {
		return nil, err
	}
	if text, ok := attrs["documented"]; ok {
		t, err := p.typ(l, text)
		if err != nil {
			return nil, err
		}
		m.Documented = &t
	}
	if list, ok := attrs["op"]; ok {
		m.Op = strings.Split(list, ",")
	}
	if m.ReturnsEnum != "" {
		p.mention(l, "enum "+m.ReturnsEnum)
	}
	if m.Errors != "" {
		p.mention(l, "errors "+m.Errors)
	}
	if m.From, err = p.source(attrs, p.from); err != nil {
		return nil, err
	}
	p.methods = append(p.methods, m)
	return func(l line) error { return p.arg(m, l) }, p.define(l, "method "+m.Name)
}

func (p *v3Parser) arg(m *Method, l line) error {
	switch {
	case l.fields[0] != "arg":
		return fmt.Errorf("unknown word %q", l.fields[0])
	case m.ArgsUnknown:
		return errors.New(`"arg ?" is the last one`)
	case len(l.fields) == 2 && l.fields[1] == "?":
		m.ArgsUnknown = true
		return nil
	}
	arg, err := p.member(l, 1, m.From, "required", "optional")
	if n := len(m.Args); err == nil && n > 0 && arg.Required() && !m.Args[n-1].Required() {
		err = fmt.Errorf("%s is required, but the one before it is not", arg.Name)
	}
	return m.Args.add(arg, err)
}

func (p *v3Parser) openErrors(l line) (func(line) error, error) {
	head, _, err := l.head(2)
	if err != nil {
		return nil, err
	}
	e := &OperationErrors{Line: l.no, Name: head[1]}
	p.errors = append(p.errors, e)
	return func(l line) error {
		head, _, err := l.head(2)
		if err != nil {
			return err
		}
		id, class := head[0], head[1]
		if !slices.Contains([]string{"fatal", "temporary", "client_recoverable", "support_recoverable", "unknown"}, class) {
			return fmt.Errorf("unknown class %q", class)
		}
		if slices.ContainsFunc(e.Errors, func(o OperationError) bool { return o.ID == id }) {
			return fmt.Errorf("%s is already there", id)
		}
		e.Errors = append(e.Errors, OperationError{ID: id, Class: class})
		return nil
	}, p.define(l, "errors "+e.Name)
}

type v5Parser struct {
	parser
	routes []*Route
}

// ReadV5 reads the contract of the v5 API. An error names the line.
func ReadV5(r io.Reader) (*V5, error) {
	p := v5Parser{parser: newParser("int string number bool null", "object", "documented faq recorded client inferred")}
	if err := scan(r, p.open); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	for _, r := range p.routes {
		if len(r.Answers) == 0 {
			return nil, fmt.Errorf("line %d: %s %s has no answer", r.Line, r.Method, r.Path)
		}
	}
	return &V5{Types: p.Types, Routes: p.routes}, nil
}

func (p *v5Parser) open(l line) (func(line) error, error) {
	switch l.fields[0] {
	case "section":
		return nil, p.openSection(l)
	case "route":
		return p.openRoute(l)
	case "object":
		return p.openStruct(l, []string{"includes="}, func(string) []string { return []string{"required", "optional", "listed"} })
	case "enum":
		return p.openEnum(l)
	}
	return nil, fmt.Errorf("unknown word %q", l.fields[0])
}

func (p *v5Parser) openRoute(l line) (func(line) error, error) {
	head, attrs, err := l.head(3, "dry-run", "consumes=", "produces=", "auth=", "from=")
	if err != nil {
		return nil, err
	}
	r := &Route{Line: l.no, Section: p.section, Method: head[1], Path: head[2], Auth: attrs["auth"] != "none"}
	_, r.DryRun = attrs["dry-run"]
	if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, r.Method) {
		return nil, fmt.Errorf("unknown method %q", r.Method)
	}
	if auth, ok := attrs["auth"]; ok && auth != "none" {
		return nil, fmt.Errorf("auth %q is not none", auth)
	}
	shape := []string{}
	for i, element := range strings.Split(r.Path, "/") {
		isHole := strings.HasPrefix(element, "{") && strings.HasSuffix(element, "}")
		if (i == 0) != (element == "") || !isHole && strings.ContainsAny(element, "{}") {
			return nil, fmt.Errorf("path %q: bad element %q", r.Path, element)
		}
		if isHole {
			element = "{}"
		}
		shape = append(shape, element)
	}
	for key, to := range map[string]*[]string{"consumes": &r.Consumes, "produces": &r.Produces} {
		if list, ok := attrs[key]; ok {
			*to = strings.Split(list, ",")
		}
	}
	if r.From, err = p.source(attrs, p.from); err != nil {
		return nil, err
	}
	p.routes = append(p.routes, r)
	return func(l line) error { return p.routeLine(r, l) }, p.define(l, "route "+r.Method+" "+strings.Join(shape, "/"))
}

func (p *v5Parser) routeLine(r *Route, l line) error {
	switch word := l.fields[0]; {
	case word == "query":
		return r.Query.add(p.member(l, 1, r.From, "required", "optional"))
	case word == "body" && r.Method == http.MethodGet:
		return errors.New("GET has no body")
	case word == "body" && len(l.fields) == 2 && l.fields[1] == "?":
		r.BodyUnknown = true
		return nil
	case word == "body":
		return r.Body.add(p.member(l, 1, r.From, "required", "optional"))
	case word == "answer":
		return p.answer(l, 3, &r.Answers, r.From, 200, 399)
	case word == "error":
		return p.answer(l, 2, &r.Errors, r.From, 400, 599)
	}
	return fmt.Errorf("unknown word %q", l.fields[0])
}

func (p *v5Parser) answer(l line, n int, to *[]Answer, from string, lowest, highest int) error {
	head, attrs, err := l.head(n, "headers=", "cause=", "from=", "unsettled")
	if err != nil {
		return err
	}
	a := Answer{Line: l.no, Cause: attrs["cause"]}
	_, a.Unsettled = attrs["unsettled"]
	if head[1] != "?" {
		if a.Status, err = strconv.Atoi(head[1]); err != nil || a.Status < lowest || a.Status > highest {
			return fmt.Errorf("%q is no status from %d to %d", head[1], lowest, highest)
		}
	}
	if n == 3 && head[2] != "-" {
		t, err := p.typ(l, head[2])
		if err != nil {
			return err
		}
		a.Type = &t
	}
	if list, ok := attrs["headers"]; ok {
		a.Headers = strings.Split(list, ",")
	}
	a.From, err = p.source(attrs, from)
	*to = append(*to, a)
	return err
}
