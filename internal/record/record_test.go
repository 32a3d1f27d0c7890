package record

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"v3gate/internal/exchange"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

// rig is a recorder whose counts and log can be looked at once it is closed.
type rig struct {
	*Recorder
	logged *observer.ObservedLogs
	mu     sync.Mutex
	counts []string
}

func open(t *testing.T, o Options) *rig {
	t.Helper()
	core, logged := observer.New(zap.InfoLevel)
	r := &rig{logged: logged}
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "recording")
	}
	if o.MostFiles == 0 {
		o.MostFiles = 100
	}
	if o.MostBytes == 0 {
		o.MostBytes = 1 << 20
	}
	if o.FileBytes == 0 {
		o.FileBytes = 1 << 20
	}
	o.Log = zap.New(core)
	o.Count = func(result string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.counts = append(r.counts, result)
	}
	var err error
	if r.Recorder, err = Open(o); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) close(t *testing.T) []string {
	t.Helper()
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

func (r *rig) files(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(r.o.Dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func call(id string) *Call {
	return &Call{
		Method: "domain.info", ID: id, At: time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC), Names: []string{"apikey", "domain"},
		Params: []xmlrpc.Value{xmlrpc.String("kkkkkkkkkkkkkkkkkkkkkkkk"), xmlrpc.String("mydomain.net")},
		Known:  "kkkkkkkkkkkkkkkkkkkkkkkk", Organization: "11111111-0000-0000-0000-000000000000", Base: "/v5",
		V5: []v5.Attempt{{Method: "GET", Target: "/v5/domain/domains/mydomain.net", Status: 200,
			Answer: `{"contacts": {"owner": {"given": "Jean", "email": "jean@dupont.fr"}}, "authinfo": "Geheim-42"}`}},
		Answer: xmlrpc.Struct(xmlrpc.M("authinfo", xmlrpc.String("Geheim-42"))),
	}
}

func TestWhatIsFullStopsAndSaysSoOnce(t *testing.T) {
	for name, o := range map[string]Options{"files": {MostFiles: 2}, "bytes": {MostBytes: 2500}} {
		t.Run(name, func(t *testing.T) {
			r := open(t, o)
			for _, id := range []string{"a", "b", "c", "d", "e"} {
				r.Add(call(id))
			}
			counts := r.close(t)
			written := 0
			for _, c := range counts {
				if c == Written {
					written++
				}
			}
			if full := len(counts) - written; written == 0 || full < 2 || len(r.files(t)) != written {
				t.Errorf("counted %v, %d files", counts, len(r.files(t)))
			}
			if n := r.logged.FilterMessageSnippet("recording has ended").Len(); n != 1 {
				t.Errorf("it was said %d times", n)
			}
			// What is there counts after a restart, too.
			o.Dir = r.o.Dir
			again := open(t, o)
			again.Add(call("f"))
			if counts := again.close(t); !slices.Equal(counts, []string{Full}) {
				t.Errorf("counted %v after a restart", counts)
			}
		})
	}
}

func TestALargeCallIsLeftOut(t *testing.T) {
	r := open(t, Options{FileBytes: 2000})
	c := call("a")
	c.Params = append(c.Params, xmlrpc.String(strings.Repeat("x", 2000)))
	r.Add(c)
	r.Add(call("b"))
	if counts := r.close(t); !slices.Equal(counts, []string{TooBig, Written}) {
		t.Errorf("counted %v", counts)
	}
}

// A disk that takes nothing is counted and said once, and what a process that died
// has left half written is removed.
func TestADiskThatFailsIsSurvived(t *testing.T) {
	r := open(t, Options{})
	// A file where the directory of the method belongs: nothing can be written.
	in := filepath.Join(r.o.Dir, "domain.info")
	if err := os.WriteFile(in, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.Add(call("a"))
	r.Add(call("b"))
	if counts := r.close(t); !slices.Equal(counts, []string{Failed, Failed}) {
		t.Errorf("counted %v", counts)
	}
	if n := r.logged.FilterMessageSnippet("could not be written").Len(); n != 1 {
		t.Errorf("it was said %d times", n)
	}
	left := filepath.Join(r.o.Dir, unfinished+"1")
	if err := errors.Join(os.Remove(in), os.WriteFile(left, []byte("half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	again := open(t, Options{Dir: r.o.Dir})
	again.Add(call("c"))
	if counts := again.close(t); !slices.Equal(counts, []string{Written}) {
		t.Errorf("counted %v", counts)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("half a file is left: %v", err)
	}
}

func TestADirectoryForAllIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir, Log: zap.NewNop()}); err == nil || !strings.Contains(err.Error(), "0700") {
		t.Errorf("it was opened: %v", err)
	}
}

// The same value has the same stand-in in the forms of both sides, and another one
// in another recording.
func TestStandInsKeepTheForm(t *testing.T) {
	s, other := &salt{1}, &salt{2}
	about := map[string]bool{"mydomain.net": true}
	for from, form := range map[string]string{
		"Jean-Luc Élan":       "Aaaa-Aaa Aaaa",
		"75011":               "99999",
		"+33.123456789":       "+33.999999999",
		"+33 1 23 45":         "+33 9 99 99",
		"jean@dupont.fr":      "*.example.org",
		"jean@mydomain.net":   "aaaa@mydomain.net",
		"$6$ab$cdE":           "$6$aa$aaA",
		"1970-12-24":          "19*",
		"Passwort1!":          "Aaaaaaaa9!",
		" ":                   " ",
		"Jean (Dupont)\nTel.": "Aaaa (Aaaaaa)\nAaa.",
	} {
		to := s.standIn(from, about)
		if !hasForm(to, form) {
			t.Errorf("%q became %q, which is not like %q", from, to, form)
		}
		if to != s.standIn(from, about) || strings.TrimSpace(from) != "" && to == other.standIn(from, about) {
			t.Errorf("%q became %q", from, to)
		}
	}
	v3, v5 := s.standIn("+33 1 23 45 67 89", nil), s.standIn("+33.123456789", nil)
	if strings.ReplaceAll(v3, " ", "") != strings.ReplaceAll(v5, ".", "") {
		t.Errorf("one number became %s and %s", v3, v5)
	}
}

// hasForm compares with a for a small letter, A for a capital one, 9 for a digit,
// and * for anything.
func hasForm(s, form string) bool {
	begin, end, any := strings.Cut(form, "*")
	if any {
		return strings.HasPrefix(s, begin) && strings.HasSuffix(s, end)
	}
	if len(s) != len(form) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch form[i] {
		case 'a':
			if c < 'a' || c > 'z' {
				return false
			}
		case 'A':
			if c < 'A' || c > 'Z' {
				return false
			}
		case '9':
			if c < '0' || c > '9' {
				return false
			}
		default:
			if c != form[i] {
				return false
			}
		}
	}
	return true
}

func TestASecretIsHiddenWhereverItStands(t *testing.T) {
	r := open(t, Options{})
	c := call("the-id")
	c.Answer = xmlrpc.Struct(
		xmlrpc.M("tracker_id", xmlrpc.String("the-id")),
		xmlrpc.M("detail", xmlrpc.String("the code Geheim-42 of Jean <jean@dupont.fr> is known")),
		xmlrpc.M("note", xmlrpc.String("Geheim-42")),
		xmlrpc.M("record", xmlrpc.String("v=DMARC1;rua=mailto:postmaster@schmidt.example")),
		xmlrpc.M("password_hash", xmlrpc.Int(123456)),
		xmlrpc.M("extra_parameters", xmlrpc.Struct(xmlrpc.M("x-id", xmlrpc.String("AB1234")))),
	)
	c.V5[0].Answer = strings.TrimSuffix(c.V5[0].Answer, "}") +
		`, "sharing_space": {"id": "11111111-0000-0000-0000-000000000000", "name": "Dupont SARL"}, "href": "https://v5.test/v5/a/b/jean@dupont.fr"}`
	c.V5 = append(c.V5, v5.Attempt{Method: "GET", Target: "/v5/email/mailboxes/mydomain.net?login=someone&page=1", Status: 200, Answer: "[]"})
	r.Add(c)
	if counts := r.close(t); !slices.Equal(counts, []string{Written}) {
		t.Fatalf("counted %v; %v", counts, r.logged.All())
	}
	raw, err := os.ReadFile(r.files(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"kkkkkkkk", "11111111-0", "the-id", "Geheim", "Jean", "jean", "dupont", "Dupont", "123456", "AB1234", "postmaster@", "schmidt", "someone"} {
		if strings.Contains(string(raw), text) {
			t.Errorf("%s is in the file:\n%s", text, raw)
		}
	}
	for _, text := range []string{Key, Organization, RequestID, "mydomain.net"} {
		if !strings.Contains(string(raw), text) {
			t.Errorf("%s is not in the file:\n%s", text, raw)
		}
	}
	if _, err := exchange.Parse(raw); err != nil {
		t.Error(err)
	}
}

// A password that is a word of the protocol cannot be hidden everywhere: the file is
// not written.
func TestAFileThatWouldHaveASecretIsNotWritten(t *testing.T) {
	r := open(t, Options{})
	c := call("a")
	c.Params = append(c.Params, xmlrpc.Struct(xmlrpc.M("password", xmlrpc.String("methodName"))))
	r.Add(c)
	if counts := r.close(t); !slices.Equal(counts, []string{Failed}) || len(r.files(t)) != 0 {
		t.Errorf("counted %v, %v", counts, r.files(t))
	}
	for _, entry := range r.logged.All() {
		if strings.Contains(entry.Message, "methodName") {
			t.Error(entry)
		}
	}
}

// A value that would break the form is no reason to fail.
func TestWhatHasNoPlaceInTheFormIsCounted(t *testing.T) {
	r := open(t, Options{})
	c := call("a")
	c.Params = append(c.Params, xmlrpc.String("\n-- v5 --\n"))
	r.Add(c)
	r.Add(call("b"))
	if counts := r.close(t); !slices.Equal(counts, []string{Failed, Written}) {
		t.Errorf("counted %v", counts)
	}
}
