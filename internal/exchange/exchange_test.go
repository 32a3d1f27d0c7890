package exchange

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Every fixture is read and written again to the last byte.
func TestFixturesComeBackAsTheyAre(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/fixtures/*/*.txtar")
	if err != nil || len(paths) < 700 {
		t.Fatalf("%d fixtures: %v", len(paths), err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(raw)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		again, err := f.Format()
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if diff := cmp.Diff(string(raw), string(again)); diff != "" {
			t.Errorf("%s (-was +is):\n%s", path, diff)
		}
	}
}

func whole() *File {
	return &File{
		Lines:   []Line{{"source", "a test"}, {"call", `contact.info "X"`}, {"now", "2026-11-26T01:02:03.5Z"}, {"after", "1m"}},
		Request: []byte("<methodCall/>\n"),
		V5: []Turn{
			{Method: "GET", Target: "/v5/x?y=1", Status: "200", Answer: "{}"},
			{Method: "POST", Target: "/v5/x", DryRun: true, Body: `{"a":1}`, Status: Cut},
		},
		Store:  []byte("{}\n"),
		Answer: []byte("<methodResponse/>\n"),
	}
}

func TestEveryPartComesBack(t *testing.T) {
	f := whole()
	raw, err := f.Format()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, again); diff != "" {
		t.Errorf("(-was +is):\n%s", diff)
	}
	now, err := again.Now()
	if want := time.Date(2026, 11, 26, 1, 2, 3, 500_000_000, time.UTC); err != nil || !now.Equal(want) {
		t.Errorf("now is %s, %v", now, err)
	}
	after, err := again.After()
	if err != nil || after != time.Minute || again.Source() != "a test" {
		t.Errorf("after %s, %v, source %q", after, err, again.Source())
	}
}

func TestWhatHasNoPlaceInTheFormIsRefused(t *testing.T) {
	for name, change := range map[string]func(*File){
		"a line that begins a part": func(f *File) { f.Request = []byte("<string>\n-- v5 --\n</string>\n") },
		"two lines of a body":       func(f *File) { f.V5[0].Body = "{\n}" },
		"two lines of an answer":    func(f *File) { f.V5[0].Answer = "<pre>\n</pre>" },
		"a line with a break":       func(f *File) { f.Lines[0].Text = "a\nb" },
		"a word nobody knows":       func(f *File) { f.Lines[0].Word = "sauce" },
	} {
		f := whole()
		change(f)
		if raw, err := f.Format(); err == nil {
			t.Errorf("%s was written:\n%s", name, raw)
		}
	}
	good, err := whole().Format()
	if err != nil {
		t.Fatal(err)
	}
	for name, swap := range map[string][2]string{
		"an unknown word":           {"source:", "sauce:"},
		"an unknown part":           {"-- v5 --", "-- v6 --"},
		"a part twice":              {"-- response.xml --", "-- request.xml --"},
		"no request":                {"-- request.xml --\n<methodCall/>", "-- request.xml --"},
		"a line of neither side":    {"< 200", "= 200"},
		"a request without answer":  {"< cut", "> x"},
		"a request without a path":  {"> GET /v5/x?y=1", "> GET"},
		"a comment without a colon": {"source: ", "source "},
	} {
		raw := strings.Replace(string(good), swap[0], swap[1], 1)
		if _, err := Parse([]byte(raw)); err == nil {
			t.Errorf("%s was read:\n%s", name, raw)
		}
	}
}
