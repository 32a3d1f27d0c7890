package record

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// json is a document of JSON on one line, with the order of its members and every
// number as they were. What is no JSON is text.
func (r *redaction) json(p place, doc string) string {
	var one bytes.Buffer
	if err := json.Compact(&one, []byte(doc)); err != nil || one.Len() == 0 {
		return r.within(strings.Join(strings.Fields(doc), " "))
	}
	var out bytes.Buffer
	if err := r.jsonInto(&out, p, one.Bytes()); err != nil {
		return "{}" // it was JSON a line above
	}
	return out.String()
}

func (r *redaction) jsonInto(out *bytes.Buffer, p place, raw json.RawMessage) error {
	switch raw[0] {
	case '{':
		return r.object(out, p, raw)
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return err
		}
		out.WriteByte('[')
		for i, item := range items {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := r.jsonInto(out, p, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
	case '"':
		var was string
		if err := json.Unmarshal(raw, &was); err != nil {
			return err
		}
		is := r.text(p, was)
		if is == was {
			out.Write(raw) // with the escapes that it had
			return nil
		}
		enc, err := json.Marshal(is)
		if err != nil {
			return err
		}
		out.Write(enc)
	default:
		if _, err := strconv.ParseFloat(string(raw), 64); err == nil && p.hides() {
			raw = json.RawMessage(r.text(p, string(raw)))
		}
		out.Write(raw)
	}
	return nil
}

func (r *redaction) object(out *bytes.Buffer, p place, raw json.RawMessage) error {
	type member struct {
		name  string
		value json.RawMessage
	}
	var members []member
	var names []string
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		m := member{name: key.(string)}
		if err := dec.Decode(&m.value); err != nil {
			return err
		}
		members, names = append(members, m), append(names, m.name)
	}
	out.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return err
		}
		out.Write(name)
		out.WriteByte(':')
		if err := r.jsonInto(out, p.member(m.name, names), m.value); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}
