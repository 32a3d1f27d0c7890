package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"v3gate/internal/config"
	"v3gate/internal/exchange"
	"v3gate/internal/xmlrpc"
)

// recorded plays a fixture on a gateway that records, and gives the file of its
// own request, which came last.
func recorded(t *testing.T, f *fixture) (path string) {
	t.Helper()
	dir := t.TempDir()
	f.config.Record = filepath.Join(dir, "recording")
	synctest.Test(t, func(t *testing.T) { f.run(t, dir) })
	f.config.Record = ""
	paths, err := filepath.Glob(filepath.Join(dir, "recording", "*", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var last time.Time
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("%s has mode %s", p, info.Mode())
		}
		if !info.ModTime().Before(last) {
			last, path = info.ModTime(), p
		}
	}
	if path == "" {
		return ""
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", info, err)
	}
	return path
}

// A recorded call is a fixture: its file, moved, passes. One that answered, one
// that found a fault, with the conversation with v5 and with what the store had.
func TestARecordingIsAFixture(t *testing.T) {
	for _, name := range []string{
		"domain.info/ok", "domain.info/fault-not-found", "domain.info/fault-html-404",
		"contact.create/ok-faq", "contact.create/fault-email", "contact.info/ok-struct-key", "contact.update/ok-owner",
		"domain.create/ok-all-parameters", "domain.create/ok-company-contact", "domain.create/fault-exists",
		"domain.renew/ok", "domain.renew/ok-unknown-outcome", "domain.mailbox.create/ok", "domain.forward.create/ok",
		"domain.transferin.proceed/ok", "contact.can_associate/ok-true",
	} {
		t.Run(name, func(t *testing.T) {
			again := readFixture(t, recorded(t, readFixture(t, fixtures+"/"+name+".txtar")))
			for _, line := range again.Lines {
				if line.Word == "call" {
					t.Error("it needs a call before")
				}
			}
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) { again.run(t, dir) })
		})
	}
}

// Calls that came over HTTP, with their traffic to a v5 over HTTP, several at once:
// each file passes as a fixture.
func TestCallsOverHTTPAreRecordedAsFixtures(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recording")
	r := newRig(t, func(c *config.Config) { c.Record = dir })
	handle := r.register(t, keyA, "mine.net")
	for range 2 { // the first finds out what v5 shows
		r.must(t, "domain.info", keyA, "mine.net")
	}
	if err := os.RemoveAll(filepath.Join(dir, "operation.info")); err != nil { // register asks until it is done
		t.Fatal(err)
	}
	var calls sync.WaitGroup
	// Of two that read the same at once only one asks v5, so these are of three.
	for i, key := range []string{keyA, keyB, keyA} {
		calls.Go(func() {
			if _, err := r.call(t, "domain.info", key, fmt.Sprintf("nobodys%d.net", i)); err == nil {
				t.Error("nobody's domain is shown")
			}
		})
	}
	calls.Wait()
	owner := map[string]any{"owner": handle, "admin": handle, "bill": handle, "tech": handle, "duration": 1}
	r.must(t, "domain.create", keyA, "new.net", owner)
	r.stop()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.txtar"))
	if err != nil || len(files) != 8 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{keyA, keyB, orgB, "v5-secret-token", "Zebulon", "Quackenbush", "Xylophone", "hunter2", "198765432"} {
			if bytes.Contains(raw, []byte(text)) {
				t.Errorf("%s is in %s:\n%s", text, file, raw)
			}
		}
		f, dir := readFixture(t, file), t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			if strings.Contains(file, "domain.create") { // its dates are of a moment later
				_, script := f.play(t, dir)
				if diff := cmp.Diff(exchange.Conversation(f.V5), exchange.Conversation(script.written())); diff != "" {
					t.Errorf("v5 requests (-want +got):\n%s", diff)
				}
				return
			}
			f.run(t, dir)
		})
	}
}

// A recording that cannot be written hurts no call.
func TestARecordingThatFailsHurtsNoCall(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recording")
	r := newRig(t, func(c *config.Config) { c.Record, c.RecordFiles = dir, 1 })
	for range 3 {
		r.must(t, "contact.create", keyA, person())
	}
	if err := errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		r.must(t, "contact.create", keyB, person())
	}
}

// Every fixture is recorded, and no secret and nothing of a contact is in the
// file. What plays again with the same conversation and answer is counted: the
// rest depends on the journal, on zones, on what v5 was seen to show before, or on
// the order of what stand-ins have replaced, which a recording does not have.
func TestNoRecordingHasASecret(t *testing.T) {
	paths, err := filepath.Glob(fixtures + "/*/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	same := 0
	for _, path := range paths {
		name := strings.TrimSuffix(strings.TrimPrefix(path, fixtures+"/"), ".txtar")
		t.Run(name, func(t *testing.T) {
			f := readFixture(t, path)
			file := recorded(t, f)
			if stranger := ofStrangers[filepath.Dir(name)] || ofStrangers[name]; stranger != (file == "") {
				t.Fatalf("recorded as %q", file)
			}
			if file == "" {
				return
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for member, text := range hiddenTexts(t, f.File) {
				if hasWord(raw, text) {
					t.Errorf("%s %q is in the recording:\n%s", member, text, raw)
				}
			}
			again, dir := readFixture(t, file), t.TempDir()
			again.lenient = true // it may ask in another order than it is answered
			synctest.Test(t, func(t *testing.T) {
				got, script := again.play(t, dir)
				if bytes.Equal(got, again.Answer) && exchange.Conversation(script.written()) == exchange.Conversation(again.V5) {
					same++
				}
			})
		})
	}
	t.Logf("%d of %d recordings play again as they are", same, len(paths))
	if same < 585 {
		t.Errorf("only %d of %d recordings play again as they are", same, len(paths))
	}
}

// ofStrangers are the methods that ask for no key, and the fixtures without a right
// one: these calls are nobody's.
var ofStrangers = map[string]bool{"system.listMethods": true, "system.methodHelp": true, "system.methodSignature": true, "version.info": true,
	"contact.create/fault-no-key": true, "contact.info/fault-key-malformed": true, "contact.info/fault-key-unknown": true}

// hasWord tells whether a text is in a file as a word of its own.
func hasWord(raw []byte, text string) bool {
	letter := func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c >= 0x80 }
	for rest := raw; ; {
		i := bytes.Index(rest, []byte(text))
		if i < 0 {
			return false
		}
		end := i + len(text)
		if (i == 0 || !letter(rest[i-1])) && (end == len(rest) || !letter(rest[end])) {
			return true
		}
		rest = rest[i+1:]
	}
}

// hiddenTexts are the texts of an exchange that no recording may have, found in
// another way than the recorder does: by the names that v3 and v5 document.
func hiddenTexts(t *testing.T, f *exchange.File) map[string]string {
	t.Helper()
	found := map[string]string{}
	add := func(name, text string) {
		switch strings.ToLower(name) {
		case "password", "authinfo", "given", "family", "email", "phone", "mobile", "fax", "streetaddr", "zip", "city", "orgname",
			"vat_number", "birth_date", "birth_city", "siren", "brand_number", "security_question_answer":
			// What is a word of the protocol too is not looked for.
			if len(text) >= 4 && text != "None" && text != "none" && text != "null" {
				found[name] = text
			}
		}
	}
	call, err := xmlrpc.DecodeCall(f.Request, "", xmlrpc.DefaultLimits())
	if err == nil {
		for _, p := range call.Params {
			eachMember(p, add)
		}
	}
	for _, turn := range f.V5 {
		for _, doc := range []string{turn.Body, turn.Answer} {
			var v any
			if json.Unmarshal([]byte(doc), &v) == nil {
				eachOf(v, add)
			}
		}
	}
	return found
}

func eachMember(v xmlrpc.Value, fn func(name, text string)) {
	for i := range v.Len() {
		m := v.Member(i)
		if m.Value.Kind() == xmlrpc.KindString {
			fn(m.Name, m.Value.Text())
		}
		eachMember(m.Value, fn)
	}
}

func eachOf(v any, fn func(name, text string)) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if s, ok := member.(string); ok {
				fn(name, s)
			}
			eachOf(member, fn)
		}
	case []any:
		for _, item := range v {
			eachOf(item, fn)
		}
	}
}
