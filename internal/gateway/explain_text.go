package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"v3gate/internal/translate"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

// secrets puts variables in the place of what only v5 may see, and remembers what
// that was.
type secrets struct {
	names []string // of variables, in the order in which they came
	texts []string
}

// variable is that of a member, such as AUTHINFO of authinfo.
func variable(member string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, member)
}

// hide gives the variable in the place of a value.
func (s *secrets) hide(member string, value any) string {
	name := variable(member)
	if !slices.Contains(s.names, name) {
		s.names = append(s.names, name)
	}
	if text, ok := value.(string); ok && len(text) >= shortestSecret {
		escaped := jsonOf(text)
		s.texts = append(s.texts, text, escaped[1:len(escaped)-1])
	}
	return "$" + name
}

// shortestSecret is the length from which a secret is looked for in other texts: a
// shorter one may be part of an ordinary word.
const shortestSecret = 6

// variables are the names, with the key's first.
func (s *secrets) variables() []string {
	names := slices.Clone(s.names)
	slices.Sort(names)
	return append([]string{"GANDI_KEY"}, names...)
}

// without is a text without the secrets that are known by now.
func (s *secrets) without(text string) string {
	texts := slices.Clone(s.texts)
	slices.SortFunc(texts, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range texts {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

// masked is a value of JSON with variables in the place of secret members.
func (s *secrets) masked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, inner := range v {
			if v5.IsSecret(name) && inner != nil && inner != "" {
				out[name] = s.hide(name, inner)
			} else {
				out[name] = s.masked(inner)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = s.masked(inner)
		}
		return out
	}
	return v
}

// body is a request's body with secrets as variables. What is no JSON is not shown.
func (s *secrets) body(raw string) string {
	if raw == "" || raw == "{}" {
		return ""
	}
	v, err := decodeJSON([]byte(raw))
	if err != nil {
		return "$BODY"
	}
	return s.without(jsonOf(s.masked(v)))
}

func decodeJSON(raw []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return v, dec.Decode(&v)
}

// text is a v3 value as JSON with secrets as variables.
func (s *secrets) text(v xmlrpc.Value) string { return jsonOf(s.masked(plain(v))) }

// call is a v3 call as people write it. A parameter by itself is a secret where the
// reference calls it one.
func (s *secrets) call(row *translate.Row, params []xmlrpc.Value) string {
	var parts []string
	if row.Key != translate.KeyNone && len(params) > 0 {
		parts, params = append(parts, "apikey"), params[1:]
	}
	for i, p := range params {
		if i < len(row.Params) && v5.IsSecret(row.Params[i].Name) && !p.IsNil() {
			parts = append(parts, s.hide(row.Params[i].Name, plain(p)))
		} else {
			parts = append(parts, s.text(p))
		}
	}
	return row.Name + "(" + s.without(strings.Join(parts, ", ")) + ")"
}

// curl is a command that sends a request. All that a caller or the store gave is
// quoted, so that a shell takes it as it is; the variables alone are its own.
func curl(a asked, s *secrets) string {
	var b strings.Builder
	b.WriteString("curl -sS")
	if a.Method != "GET" {
		b.WriteString(" -X " + a.Method)
	}
	b.WriteString(" " + quote(a.origin+maskQuery(a.Target, s)))
	fmt.Fprintf(&b, " \\\n  -H \"Authorization: %s $GANDI_KEY\"", a.scheme)
	if a.DryRun {
		b.WriteString(" \\\n  -H 'Dry-Run: 1'")
	}
	if a.Body != "" {
		b.WriteString(" \\\n  -H 'Content-Type: application/json'")
		b.WriteString(" \\\n  -d " + s.quoteBody(a.Body))
	}
	return b.String()
}

// maskQuery takes secrets out of a query; v5 has none in paths.
func maskQuery(target string, s *secrets) string {
	path, query, found := strings.Cut(target, "?")
	values, err := url.ParseQuery(query)
	if !found || err != nil {
		return path
	}
	masked := false
	for name, list := range values {
		if v5.IsSecret(name) {
			values.Set(name, s.hide(name, strings.Join(list, "")))
			masked = true
		}
	}
	if masked {
		query = values.Encode()
	}
	return path + "?" + query
}

// quote is a word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// quoteBody is a body as a word of a shell in which the variables of secrets are
// filled in. Where a secret stands, the quotes are closed around its variable.
func (s *secrets) quoteBody(raw string) string {
	text := s.body(raw)
	if text == "" {
		return quote(raw)
	}
	text = quote(text)
	for _, name := range s.names {
		text = strings.ReplaceAll(text, `:"$`+name+`"`, `:"'"$`+name+`"'"`)
	}
	return text
}

// plain is a v3 value as encoding/json writes it.
func plain(v xmlrpc.Value) any {
	switch v.Kind() {
	case xmlrpc.KindNil:
		return nil
	case xmlrpc.KindInt:
		return numberOf(v.Text())
	case xmlrpc.KindBool:
		yes, _ := v.Bool()
		return yes
	case xmlrpc.KindDouble:
		return numberOf(v.Text())
	case xmlrpc.KindArray:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plain(v.Index(i))
		}
		return out
	case xmlrpc.KindStruct:
		out := make(map[string]any, v.Len())
		for i := range v.Len() {
			m := v.Member(i)
			out[m.Name] = plain(m.Value)
		}
		return out
	}
	return v.Text()
}

// numberOf is a number as it was sent; what JSON has no number for, such as 01000, is
// a text.
func numberOf(text string) any {
	if json.Valid([]byte(text)) {
		return json.Number(text)
	}
	return text
}

// valuesOf are parameters of JSON as v3 values, members in the order of their
// names.
func valuesOf(params []any) ([]xmlrpc.Value, error) {
	out := make([]xmlrpc.Value, len(params))
	for i, p := range params {
		var err error
		if out[i], err = valueOf(p); err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i+1, err)
		}
	}
	return out, nil
}

func valueOf(v any) (xmlrpc.Value, error) {
	switch v := v.(type) {
	case nil:
		return xmlrpc.Nil(), nil
	case string:
		return xmlrpc.String(v), nil
	case bool:
		return xmlrpc.Bool(v), nil
	case int64:
		return xmlrpc.Int(v), nil
	case float64:
		return xmlrpc.Double(v), nil
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return xmlrpc.Int(n), nil
		}
		f, err := v.Float64()
		return xmlrpc.Double(f), err
	case []any:
		items, err := valuesOf(v)
		return xmlrpc.Array(items...), err
	case map[string]any:
		var list []xmlrpc.Member
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			value, err := valueOf(v[name])
			if err != nil {
				return xmlrpc.Value{}, fmt.Errorf("%s: %w", name, err)
			}
			list = append(list, xmlrpc.M(name, value))
		}
		return xmlrpc.Struct(list...), nil
	}
	return xmlrpc.Value{}, fmt.Errorf("%T has no form in XML-RPC", v)
}

// textsIn are all strings in parameters.
func textsIn(params []xmlrpc.Value) (all []string) {
	var collect func(xmlrpc.Value)
	collect = func(v xmlrpc.Value) {
		switch v.Kind() {
		case xmlrpc.KindString:
			all = append(all, v.Text())
		case xmlrpc.KindArray:
			for i := range v.Len() {
				collect(v.Index(i))
			}
		case xmlrpc.KindStruct:
			for i := range v.Len() {
				collect(v.Member(i).Value)
			}
		}
	}
	for _, p := range params {
		collect(p)
	}
	return all
}
