package xmlrpc

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	kolo "github.com/kolo/xmlrpc"
)

// BenchmarkDecode compares reading with other libraries in one run, so that the
// ratios hold on a busy machine: BenchmarkDecode/DOCUMENT/LIBRARY. kolo reads
// answers only.
func BenchmarkDecode(b *testing.B) {
	python := pythonTimes(b, "loads")
	for _, doc := range documents() {
		body := doc.encoded(b)
		run := func(library string, decode func() error) {
			b.Run(doc.name+"/"+library, func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if err := decode(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		run("ours", func() error { return doc.decode(body) })
		if doc.method == "" {
			run("kolo", func() error {
				var v any
				return kolo.Response(body).Unmarshal(&v)
			})
		}
		run("encodingxml", func() error {
			_, err := xmlTree(body)
			return err
		})
		reportPython(b, doc.name, python)
	}
}

// BenchmarkEncode compares writing: BenchmarkEncode/DOCUMENT/LIBRARY. kolo only
// writes calls, so it writes an answer's value as the parameter of one.
func BenchmarkEncode(b *testing.B) {
	python := pythonTimes(b, "dumps")
	for _, doc := range documents() {
		size := int64(len(doc.encoded(b)))
		run := func(library string, encode func() error) {
			b.Run(doc.name+"/"+library, func(b *testing.B) {
				b.SetBytes(size)
				b.ReportAllocs()
				for b.Loop() {
					if err := encode(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		var buf []byte
		params := doc.params()
		run("ours", func() (err error) {
			if doc.method == "" {
				buf, err = AppendResponse(buf[:0], doc.value)
			} else {
				buf, err = AppendCall(buf[:0], doc.method, params...)
			}
			return err
		})
		args := []any{plainGo(doc.value)}
		run("kolo", func() error {
			_, err := kolo.EncodeMethodCall("m", args...)
			return err
		})
		var out bytes.Buffer
		run("encodingxml", func() error {
			out.Reset()
			return writeXML(&out, doc.value)
		})
		reportPython(b, doc.name, python)
	}
}

// reportPython shows a time measured by Python as if Go had measured it.
func reportPython(b *testing.B, name string, times map[string]float64) {
	if ns, ok := times[name]; ok {
		b.Run(name+"/python", func(b *testing.B) { b.ReportMetric(ns, "ns/op") })
	}
}

// pythonTiming loads or dumps each document for a quarter of a second.
const pythonTiming = `
import base64, json, sys, time, xmlrpc.client as x
job = json.load(sys.stdin)
for name, body in job["documents"].items():
    body = base64.b64decode(body)
    params, method = x.loads(body)
    if job["what"] == "loads":
        f = lambda: x.loads(body)
    elif method:
        f = lambda: x.dumps(params, method, allow_none=True)
    else:
        f = lambda: x.dumps(params, methodresponse=True, allow_none=True)
    n, start = 0, time.perf_counter()
    while time.perf_counter() - start < 0.25:
        f()
        n += 1
    print(name, (time.perf_counter() - start) / n * 1e9)
`

// pythonTimes gives ns per document for Python's xmlrpc.client, all measured in
// one process, or nothing where python3 is missing.
func pythonTimes(b *testing.B, what string) map[string]float64 {
	b.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		b.Log("python3 not found, nothing to compare with")
		return nil
	}
	bodies := map[string]string{}
	for _, doc := range documents() {
		bodies[doc.name] = base64.StdEncoding.EncodeToString(doc.encoded(b))
	}
	job, err := json.Marshal(map[string]any{"what": what, "documents": bodies})
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(python, "-c", pythonTiming)
	cmd.Stdin = bytes.NewReader(job)
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("run python3: %v", err)
	}
	times := map[string]float64{}
	for line := range strings.Lines(string(out)) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		if times[name], err = strconv.ParseFloat(number, 64); err != nil {
			b.Fatal(err)
		}
	}
	return times
}

// xmlTree reads a document with encoding/xml into maps and slices, as one would
// write it by hand.
func xmlTree(body []byte) (any, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var last any
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			return nil, err
		}
		if start, ok := t.(xml.StartElement); ok && start.Name.Local == "value" {
			if last, err = xmlValue(d); err != nil {
				return nil, err
			}
		}
	}
}

// xmlValue reads what follows a <value>.
func xmlValue(d *xml.Decoder) (v any, err error) {
	kind, text, name := "", "", ""
	var items []any
	members := map[string]any{}
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.CharData:
			text = string(t)
		case xml.StartElement:
			if t.Name.Local != "value" {
				if kind == "" {
					kind = t.Name.Local
				}
				continue
			}
			item, err := xmlValue(d)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
			members[name] = item
		case xml.EndElement:
			switch t.Name.Local {
			case "name":
				name = text
			case "value":
				return v, nil
			case "struct":
				v = members
			case "array":
				v = items
			case "int":
				v, err = strconv.Atoi(text)
			case "double":
				v, err = strconv.ParseFloat(text, 64)
			case "dateTime.iso8601":
				v, err = time.Parse("20060102T15:04:05", text)
			case "boolean":
				v = text == "1"
			case "string":
				v = text
			}
			if err != nil {
				return nil, err
			}
		}
	}
}

// writeXML writes a value with encoding/xml's Encoder, token by token.
func writeXML(w io.Writer, v Value) error {
	e := xml.NewEncoder(w)
	for _, name := range []string{"methodResponse", "params", "param"} {
		if err := e.EncodeToken(xml.StartElement{Name: xml.Name{Local: name}}); err != nil {
			return err
		}
	}
	if err := writeXMLValue(e, v); err != nil {
		return err
	}
	for _, name := range []string{"param", "params", "methodResponse"} {
		if err := e.EncodeToken(xml.EndElement{Name: xml.Name{Local: name}}); err != nil {
			return err
		}
	}
	return e.Flush()
}

// writeXMLValue writes one <value>.
func writeXMLValue(e *xml.Encoder, v Value) error {
	kind := v.Kind().String()
	open := func(name string) { _ = e.EncodeToken(xml.StartElement{Name: xml.Name{Local: name}}) }
	shut := func(name string) { _ = e.EncodeToken(xml.EndElement{Name: xml.Name{Local: name}}) }
	open("value")
	open(kind)
	switch v.Kind() {
	case KindArray:
		open("data")
		for i := range v.Len() {
			if err := writeXMLValue(e, v.Index(i)); err != nil {
				return err
			}
		}
		shut("data")
	case KindStruct:
		for i := range v.Len() {
			open("member")
			open("name")
			_ = e.EncodeToken(xml.CharData(v.Member(i).Name))
			shut("name")
			if err := writeXMLValue(e, v.Index(i)); err != nil {
				return err
			}
			shut("member")
		}
	case KindNil:
	default:
		_ = e.EncodeToken(xml.CharData(v.Text()))
	}
	shut(kind)
	return e.EncodeToken(xml.EndElement{Name: xml.Name{Local: "value"}})
}
