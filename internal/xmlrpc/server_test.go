package xmlrpc

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/rpc/v2"
	kolo "github.com/kolo/xmlrpc"
)

// service is a gorilla service whose one method is a function.
type service struct {
	call func(args *Args) (Answer, error)
}

func (s *service) Call(_ *http.Request, args *Args, reply *Answer) (err error) {
	*reply, err = s.call(args)
	return err
}

// testFault is an error with a fault of its own.
type testFault struct{}

func (testFault) Error() string        { return "secret" }
func (testFault) Fault() (int, string) { return 510042, "no such <domain>" }

// testServer is a gorilla server with our codec and front over HTTP. It keeps
// what the codec rejected.
type testServer struct {
	*httptest.Server
	mu       sync.Mutex
	rejected []*Error
}

// newTestServer serves test.echo (its parameters as an array), test.first (its
// first parameter), test.fault, test.wrapped, test.error, test.panic (in the midst
// of its answer), and test.big (an int that cannot be sent). test.missing is known
// and not registered.
func newTestServer(t *testing.T, lim Limits) *testServer {
	t.Helper()
	s := &testServer{}
	server := rpc.NewServer()
	methods := map[string]func(*Args) (Answer, error){
		"test.echo":    func(a *Args) (Answer, error) { return Array(a.Params...), nil },
		"test.first":   func(a *Args) (Answer, error) { return a.Params[0], nil },
		"test.fault":   func(*Args) (Answer, error) { return Nil(), testFault{} },
		"test.wrapped": func(*Args) (Answer, error) { return Nil(), errors.Join(errors.New("secret"), testFault{}) },
		"test.error":   func(*Args) (Answer, error) { return Nil(), errors.New("secret") },
		"test.panic":   func(*Args) (Answer, error) { return byItself(nil), nil },
		"test.big":     func(*Args) (Answer, error) { return Int(1 << 40), nil },
	}
	for name, call := range methods {
		if err := server.RegisterService(&service{call}, ServiceName(name)); err != nil {
			t.Fatal(err)
		}
	}
	server.RegisterCodec(&Codec{
		Limits:   lim,
		Targets:  Targets(append(slices.Collect(maps.Keys(methods)), "test.missing")),
		Rejected: s.reject,
		Internal: func(error) (int, string) { return 150000, "internal" },
	}, ContentType)
	s.Server = httptest.NewServer(NewFront(server, lim))
	s.Client().Transport.(*http.Transport).DisableCompression = true
	t.Cleanup(s.Close)
	return s
}

func (s *testServer) reject(_ *http.Request, e *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected = append(s.rejected, e)
}

// reasons gives what was rejected so far, as reason and method.
func (s *testServer) reasons() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, e := range s.rejected {
		all = append(all, string(e.Reason)+" "+e.Method)
	}
	return all
}

// post sends a body and gives the answer with its body, which is not unpacked.
func (s *testServer) post(t *testing.T, path string, body io.Reader, header map[string]string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, got
}

// result gives the value of an answer, or its error, in one line.
func result(doc []byte) string {
	v, err := DecodeResponse(doc, DefaultLimits())
	if err != nil {
		return err.Error()
	}
	return show(v)
}

// named is a call of a method with the given param elements.
func named(method, params string) string {
	return "<methodCall><methodName>" + method + "</methodName><params>" + params + "</params></methodCall>"
}

func TestServerAnswers(t *testing.T) {
	s := newTestServer(t, Limits{})
	long := strings.Repeat("é", 200)
	for _, c := range []struct{ name, body, want, rejected string }{
		{"result", named("test.echo", "<param><value>a</value></param><param><value><nil/></value></param>"), `[string("a"), nil]`, ""},
		{"no parameters", named("test.echo", ""), "[]", ""},
		{"fault", named("test.fault", ""), "fault 510042: no such <domain>", ""},
		{"wrapped fault", named("test.wrapped", ""), "fault 510042: no such <domain>", ""},
		{"error hides its text", named("test.error", ""), "fault 150000: internal", ""},
		{"result that cannot be sent", named("test.big", ""), "fault 150000: internal", ""},
		{"result whose writing panics", named("test.panic", ""), "fault 150000: internal", ""},
		{"unknown method, recorded", named("unknownmethod", ""), `fault 1: Method "unknownmethod" is not supported`, "unknown_method unknownmethod"},
		{"known and not registered", named("test.missing", ""), `fault 1: Method "test.missing" is not supported`, "unknown_method test.missing"},
		{"names have their case", named("Test.Echo", ""), `fault 1: Method "Test.Echo" is not supported`, "unknown_method Test.Echo"},
		{"service name as method", named("test/echo.Call", ""), `fault 1: Method "test/echo.Call" is not supported`, "unknown_method test/echo.Call"},
		{"markup in the name", named("&lt;b&gt;", ""), `fault 1: Method "<b>" is not supported`, "unknown_method <b>"},
		{"long name is cut", named(long, ""), `fault 1: Method "` + long[:200] + `..." is not supported`, "unknown_method " + long[:200] + "..."},
		{"empty int, recorded", named("test.echo", "<param><value><int/></value></param>"), "fault 1: Invalid XMLRPC input: invalid literal for int() with base 10: ''", "malformed test.echo"},
		{"no body", "", "fault 1: Invalid XMLRPC input: unexpected end of the document at line 1, column 1", "malformed "},
		{"not xml", "a=b", "fault 1: Invalid XMLRPC input: unexpected text between elements at line 1, column 1", "malformed "},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(s.reasons())
			res, body := s.post(t, "/xmlrpc/", strings.NewReader(c.body), nil)
			if diff := cmp.Diff(c.want, result(body)); diff != "" {
				t.Errorf("answer differs (-want +got):\n%s", diff)
			}
			if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/xml; charset=utf-8" || res.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("status %d, header %v", res.StatusCode, res.Header)
			}
			if res.ContentLength != int64(len(body)) {
				t.Errorf("Content-Length is %d, body has %d", res.ContentLength, len(body))
			}
			if got := strings.Join(s.reasons()[before:], ","); got != c.rejected {
				t.Errorf("rejected %q, want %q", got, c.rejected)
			}
		})
	}
}

func TestServerTakesAnyPathAndContentType(t *testing.T) {
	s := newTestServer(t, Limits{})
	latin := named("test.echo", "<param><value>\xE9</value></param>")
	utf8 := named("test.echo", "<param><value>é</value></param>")
	for _, c := range []struct{ name, path, contentType, body string }{
		{"python", "/xmlrpc/", "text/xml", utf8},
		{"old path of Net::Gandi", "/xmlrpc/2.0/", "text/xml", utf8},
		{"root", "", "text/xml", utf8},
		{"double slash", "//xmlrpc", "text/xml", utf8},
		{"davexmlrpc sends none", "/", "", utf8},
		{"ruby", "/", "text/xml; charset=utf-8", utf8},
		{"capitals", "/", "Text/XML; Charset=\"UTF-8\"", utf8},
		{"blank before the parameter", "/", "text/xml ; charset=utf-8", utf8},
		{"application/xml", "/", "application/xml", utf8},
		{"form", "/", "application/x-www-form-urlencoded", utf8},
		{"nonsense", "/", ";;;=/,", utf8},
		{"latin-1 in the header", "/", "text/xml; charset=iso-8859-1", latin},
		{"latin-1 in another type", "/", "application/xml;version=1;charset='ISO-8859-1'", latin},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := s.post(t, c.path, strings.NewReader(c.body), map[string]string{"Content-Type": c.contentType})
			if got := result(body); got != `[string("é")]` || res.StatusCode != 200 {
				t.Errorf("status %d, answer %s", res.StatusCode, got)
			}
		})
	}
	_, body := s.post(t, "", strings.NewReader(utf8), map[string]string{"Content-Type": "text/xml; charset=ebcdic"})
	if got := result(body); got != "fault 1: Invalid XMLRPC input: unknown encoding 'ebcdic'" {
		t.Errorf("answer %s", got)
	}
}

func TestServerRefusesOtherVerbs(t *testing.T) {
	s := newTestServer(t, Limits{})
	for _, verb := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		req, err := http.NewRequest(verb, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 405 || res.Header.Get("Allow") != "POST" {
			t.Errorf("%s: status %d, Allow %q", verb, res.StatusCode, res.Header.Get("Allow"))
		}
	}
}

// packed compresses a body in one of the ways that clients do.
func packed(t *testing.T, encoding, body string) []byte {
	t.Helper()
	var out bytes.Buffer
	var z io.WriteCloser = gzip.NewWriter(&out)
	switch encoding {
	case "zlib":
		z = zlib.NewWriter(&out)
	case "flate":
		z, _ = flate.NewWriter(&out, 6)
	}
	if _, err := io.WriteString(z, body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestServerUnpacksRequests(t *testing.T) {
	lim := Limits{MaxBytes: 64 << 10}
	s := newTestServer(t, lim)
	small := named("test.echo", "<param><value>a</value></param>")
	bomb := named("test.echo", "<param><value>"+strings.Repeat("a", 50<<20)+"</value></param>")
	zipped := packed(t, "gzip", small)
	for _, c := range []struct {
		name, encoding string
		body           []byte
		want, rejected string
	}{
		{"phpxmlrpc gzip", "gzip", zipped, `[string("a")]`, ""},
		{"phpxmlrpc deflate", "deflate", packed(t, "zlib", small), `[string("a")]`, ""},
		{"bare deflate", "deflate", packed(t, "flate", small), `[string("a")]`, ""},
		{"x-gzip in capitals", " X-GZIP ", zipped, `[string("a")]`, ""},
		{"identity", "identity", []byte(small), `[string("a")]`, ""},
		{"gzip bomb", "gzip", packed(t, "gzip", bomb), "fault 1: Invalid XMLRPC input: larger than 65536 bytes", "limit "},
		{"deflate bomb", "deflate", packed(t, "zlib", bomb), "fault 1: Invalid XMLRPC input: larger than 65536 bytes", "limit "},
		{"too large as it is", "", []byte(bomb[:100<<10]), "fault 1: Invalid XMLRPC input: larger than 65536 bytes", "limit "},
		{"brotli", "br", []byte(small), "fault 1: Invalid XMLRPC input: unknown content encoding 'br'", "encoding "},
		{"not gzip", "gzip", []byte(small), "fault 1: Invalid XMLRPC input: damaged gzip data", "encoding "},
		{"half of gzip", "gzip", zipped[:len(zipped)/2], "fault 1: Invalid XMLRPC input: damaged gzip data", "encoding "},
		{"wrong gzip checksum", "gzip", append(bytes.Clone(zipped[:len(zipped)-8]), 1, 2, 3, 4, 5, 6, 7, 8), "fault 1: Invalid XMLRPC input: damaged gzip data", "encoding "},
		{"empty deflate", "deflate", nil, "fault 1: Invalid XMLRPC input: damaged deflate data", "encoding "},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(s.reasons())
			res, body := s.post(t, "", bytes.NewReader(c.body), map[string]string{"Content-Encoding": c.encoding})
			if got := result(body); got != c.want || res.StatusCode != 200 {
				t.Errorf("status %d, answer %s", res.StatusCode, got)
			}
			if got := strings.Join(s.reasons()[before:], ","); got != c.rejected {
				t.Errorf("rejected %q, want %q", got, c.rejected)
			}
		})
	}
}

func TestServerPacksAnswers(t *testing.T) {
	s := newTestServer(t, Limits{})
	text := strings.Repeat("a & b ", 2000)
	for accept, want := range map[string]bool{
		"gzip": true, "gzip, deflate": true, "deflate, gzip;q=1.0, *;q=0.5": true, "gzip;q=0.001": true, "x-gzip": true, "GZIP": true,
		"gzip;q=1.0,deflate;q=0.6,identity;q=0.3": true, "br, zstd, gzip": true,
		"": false, "identity": false, "deflate": false, "gzip;q=0": false, "gzip; q=0.0, identity": false, "*": false, "gzipped": false,
	} {
		t.Run("accept "+accept, func(t *testing.T) {
			for _, method := range []string{"test.echo", "test.fault"} {
				res, body := s.post(t, "", strings.NewReader(named(method, "<param><value>"+strings.ReplaceAll(text, "&", "&amp;")+"</value></param>")),
					map[string]string{"Accept-Encoding": accept})
				// Ruby's client compares the length with what it received, unpacked or not.
				if res.Header.Get("Content-Length") != strconv.Itoa(len(body)) {
					t.Errorf("Content-Length %q for %d bytes", res.Header.Get("Content-Length"), len(body))
				}
				if got := res.Header.Get("Content-Encoding") == "gzip"; got != want {
					t.Fatalf("packed: %v, want %v", got, want)
				}
				if want {
					z, err := gzip.NewReader(bytes.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					if body, err = io.ReadAll(z); err != nil {
						t.Fatal(err)
					}
				}
				wanted := "fault 510042: no such <domain>"
				if method == "test.echo" {
					wanted = show(Array(String(text)))
				}
				if result(body) != wanted || res.Header.Get("Vary") != "Accept-Encoding" {
					t.Errorf("answer %.100s", result(body))
				}
			}
		})
	}
}

func TestServerUnderConcurrentCalls(t *testing.T) {
	s := newTestServer(t, Limits{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				text := strings.Repeat(strconv.Itoa(i*100+j)+" ", j*20)
				doc, err := AppendCall(nil, "test.first", String(text))
				if err != nil {
					t.Error(err)
					return
				}
				header := map[string]string{}
				if j%2 == 0 {
					doc, header = packed(t, "gzip", string(doc)), map[string]string{"Content-Encoding": "gzip"}
				}
				if _, body := s.post(t, "", bytes.NewReader(doc), header); result(body) != show(String(text)) {
					t.Errorf("call %d of client %d got the answer of another", j, i)
				}
			}
		})
	}
	wg.Wait()
}

// strange has the shape of a service and the wrong types.
type strange struct{}

func (*strange) Call(*http.Request, *string, *Value) error { return nil }

// TestCodecWithStrangeServices has a service take and give what the codec does
// not: a mistake in the wiring, answered as an internal error.
func TestCodecWithStrangeServices(t *testing.T) {
	server := rpc.NewServer()
	if err := server.RegisterService(&strange{}, "test"); err != nil {
		t.Fatal(err)
	}
	server.RegisterCodec(&Codec{Targets: Targets([]string{"test"})}, ContentType)
	w := httptest.NewRecorder()
	NewFront(server, Limits{}).ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(named("test", ""))))
	if got := result(w.Body.Bytes()); got != "fault 1: Internal error" {
		t.Errorf("arguments of another type: %s", got)
	}
	x := (&Codec{}).NewRequest(httptest.NewRequest("POST", "/", strings.NewReader(named("test", ""))))
	if err := x.ReadRequest(&Args{}); err != nil {
		t.Fatal(err)
	}
	for _, reply := range []any{new(string), new(Answer)} {
		w = httptest.NewRecorder()
		x.WriteResponse(w, reply)
		if got := result(w.Body.Bytes()); got != "fault 1: Internal error" {
			t.Errorf("reply %T: %s", reply, got)
		}
	}
}

// TestKoloAsClient has kolo/xmlrpc, a client in use, call the server. It reads an
// empty string, list or struct as nothing, so there are none in what it sends.
func TestKoloAsClient(t *testing.T) {
	s := newTestServer(t, Limits{})
	client, err := kolo.NewClient(s.URL+"/xmlrpc/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, v := range []Value{
		contact(),
		Struct(M("status", Array(String("a<b>&"), String("日本"), Int(-7))), M("price", Double(15.5)),
			M("date", DateTime(time.Date(2013, 4, 4, 3, 21, 39, 0, time.UTC))), M("deep", Array(Struct(M("a", Array(Bool(true))))))),
	} {
		sent := plainGo(v)
		var got any
		if err := client.Call("test.first", sent, &got); err != nil {
			t.Fatalf("call with %s: %v", show(v), err)
		}
		if diff := cmp.Diff(sent, got); diff != "" {
			t.Errorf("value came back different (-sent +got):\n%s", diff)
		}
	}
	if err := client.Call("test.fault", nil, nil); err == nil || err.Error() != "Fault(510042): no such <domain>" {
		t.Errorf("fault: %v", err)
	}
}
