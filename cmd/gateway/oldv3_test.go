package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/tools/txtar"
)

// oldV3 is a server that speaks v3 from answers in testdata/oldv3.txtar: a file
// named METHOD or METHOD ARGUMENT or METHOD page N is what it answers. The shapes
// are those that were recorded of the old service.
type oldV3 struct {
	answers map[string]string
	calls   atomic.Int64
}

var (
	methodName = regexp.MustCompile(`<methodName>([^<]+)</methodName>`)
	pageNumber = regexp.MustCompile(`<name>page</name>\s*<value><(?:int|i4)>(\d+)<`)
	firstTexts = regexp.MustCompile(`<value><string>([^<]*)</string></value>`)
)

func startOldV3(t testing.TB) (url, address string) {
	t.Helper()
	_, srv := newOldV3(t)
	address = strings.TrimPrefix(srv.URL, "http://")
	return srv.URL + "/xmlrpc/", address
}

func newOldV3(t testing.TB) (*oldV3, *httptest.Server) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/oldv3.txtar")
	if err != nil {
		t.Fatal(err)
	}
	o := &oldV3{answers: map[string]string{}}
	for _, f := range archive.Files {
		o.answers[f.Name] = string(f.Data)
	}
	srv := httptest.NewServer(o)
	t.Cleanup(srv.Close)
	return o, srv
}

func (o *oldV3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.calls.Add(1)
	body, err := io.ReadAll(r.Body)
	method := methodName.FindSubmatch(body)
	if err != nil || method == nil {
		http.Error(w, "no call", http.StatusBadRequest)
		return
	}
	name := string(method[1])
	if m := pageNumber.FindSubmatch(body); m != nil {
		name += " page " + string(m[1])
	} else if m := firstTexts.FindAllSubmatch(body, 2); len(m) == 2 {
		name += " " + string(m[1][1])
	}
	if m := firstTexts.FindSubmatch(body); m == nil || string(m[1]) != demoKey {
		name = "wrong key"
	}
	answer, ok := o.answers[name]
	if !ok {
		answer = `<fault><value><struct><member><name>faultCode</name><value><int>500000</int></value></member>` +
			`<member><name>faultString</name><value><string>not recorded: ` + name + `</string></value></member></struct></value></fault>`
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	io.WriteString(w, "<?xml version='1.0'?>\n<methodResponse>\n"+answer+"</methodResponse>\n")
}
