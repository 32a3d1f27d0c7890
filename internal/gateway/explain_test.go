package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"v3gate/internal/exchange"
	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

// simulated is an Explaining's v5 without anything but the names it is told.
func simulated(testing.TB) func(Explaining) Simulation {
	return func(Explaining) Simulation {
		sim := sandbox.New(sandbox.Options{StepTime: time.Second, PendingChecks: -1})
		return Simulation{
			Handler: sim.Handler(), Advance: sim.Advance, Token: sandbox.DefaultToken,
			Taken: func(fqdn string) error { return sim.Seed(sandbox.Seed{Taken: []string{fqdn}}) },
			Domain: func(fqdn string, contacts map[string]map[string]any) error {
				return sim.Seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, Owner: contacts["owner"],
					Admin: contacts["admin"], Bill: contacts["bill"], Tech: contacts["tech"]}}})
			},
		}
	}
}

func mustExplain(t *testing.T, e Explaining) Explanation {
	t.Helper()
	e.Simulation = simulated(t)
	x, err := Explain(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// requestLines are the requests of an explanation, a line each.
func requestLines(x Explanation) (list []string) {
	for _, r := range x.Requests {
		line := r.Method + " " + r.Target
		if r.DryRun {
			line += " Dry-Run"
		}
		if r.Behind {
			line = "behind: " + line
		}
		list = append(list, line)
	}
	return list
}

// Every recorded exchange is explained as what it was: the requests that the fixture
// has, in its order, from its answers alone.
func TestExplainedExchangesAreThoseRecorded(t *testing.T) {
	paths, err := filepath.Glob(fixtures + "/*/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	for _, path := range paths {
		if strings.Contains(path, "/fault-key-") { // any key is taken for the right one
			continue
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, fixtures+"/"), ".txtar")
		t.Run(name, func(t *testing.T) {
			file := readFixture(t, path).File
			synctest.Test(t, func(t *testing.T) { explainedAsRecorded(t, file) })
		})
	}
}

func explainedAsRecorded(t *testing.T, file *exchange.File) {
	recorded := map[string]int{}
	for _, turn := range file.V5 {
		recorded[turn.Method+" "+turn.Target+fmt.Sprint(turn.DryRun)+turn.Status]++
	}
	x, err := ExplainExchange(t.Context(), file, Explaining{SharingID: testOrg})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range x.Requests {
		key := r.Method + " " + r.Target + fmt.Sprint(r.DryRun) + r.Status
		if recorded[key]--; recorded[key] < 0 || r.Assumed {
			t.Errorf("%s is not recorded", key)
		}
	}
	if diff := cmp.Diff(conversation(file.V5), conversationOf(x)); !hasCalls(file) && diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if x.Left > 0 || x.Assumed {
		t.Errorf("%d answers are left, assumed %t", x.Left, x.Assumed)
	}
	if strings.Contains(x.Fault, "fault 150000") {
		t.Error(x.Fault)
	}
}

func hasCalls(file *exchange.File) bool {
	return slices.ContainsFunc(file.Lines, func(l exchange.Line) bool { return l.Word == "call" })
}

// conversation and conversationOf are requests and the status of their answers, a
// line each.
func conversation(turns []exchange.Turn) (list []string) {
	for _, turn := range turns {
		list = append(list, fmt.Sprint(turn.Method, " ", turn.Target, " ", turn.DryRun))
	}
	return list
}

func conversationOf(x Explanation) (list []string) {
	for _, r := range x.Requests {
		for range r.Times {
			list = append(list, fmt.Sprint(r.Method, " ", r.Target, " ", r.DryRun))
		}
	}
	return list
}

func TestExplainAPurchase(t *testing.T) {
	roles := map[string]any{"owner": "FLN123-GANDI", "admin": "FLN123-GANDI", "bill": "FLN123-GANDI", "tech": "FLN123-GANDI", "duration": int64(1)}
	x := mustExplain(t, Explaining{Method: "domain.create", Params: []any{"new.net", roles}, SharingID: sandbox.DefaultSharingID})
	pays := "?sharing_id=" + sandbox.DefaultSharingID
	want := []string{
		"GET /v5/domain/check?name=new.net&sharing_id=" + sandbox.DefaultSharingID, "GET /v5/domain/domains/new.net",
		"GET /v5/domain/domains/new.net/createstatus", "POST /v5/domain/domains" + pays + " Dry-Run", "POST /v5/domain/domains" + pays,
		"behind: GET /v5/domain/domains/new.net/createstatus", "behind: GET /v5/domain/domains/new.net",
		"behind: GET /v5/domain/domains/new.net/createstatus", "behind: GET /v5/domain/domains/new.net",
	}
	if diff := cmp.Diff(want, requestLines(x)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if !x.Assumed || x.Open || x.Fault != "" || len(x.Placeholders) != 1 || !strings.Contains(x.Requests[4].Body, `"given":"PLACEHOLDER"`) {
		t.Errorf("%+v", x)
	}
	for _, r := range x.Requests {
		if !r.Assumed || !strings.Contains(r.Curl, `-H "Authorization: Bearer $GANDI_KEY"`) || !strings.Contains(r.Curl, "'https://api.gandi.net/v5/") {
			t.Errorf("%+v", r)
		}
	}
}

// No secret is in anything that is told: not in the call, not in a request, not in
// the text of a fault that repeats it.
func TestExplainTellsNoSecrets(t *testing.T) {
	const secret = "S3cret'$(id)`-123\\\""
	for _, e := range []Explaining{
		{Method: "contact.create", Params: []any{map[string]any{"given": "A", "family": "B", "email": "a@example.com", "streetaddr": "C", "zip": "75001",
			"city": "D", "country": "FR", "phone": "+33.123456789", "type": int64(0), "password": secret}}},
		{Method: "domain.mailbox.create", Params: []any{"a.net", "alice", map[string]any{"password": secret}}},
		{Method: "domain.mailbox.create", Params: []any{"a.net", "alice", map[string]any{"password": secret, "quota": secret}}},
		{Method: "domain.transferin.proceed", Params: []any{"b.net", map[string]any{"owner": "FLN1-GANDI", "admin": "FLN1-GANDI", "bill": "FLN1-GANDI",
			"tech": "FLN1-GANDI", "duration": int64(1), "authinfo": secret}}},
		{Method: "domain.info", Params: []any{"a.net"}},
	} {
		x := mustExplain(t, e)
		for _, hidden := range []string{"S3cret", "(id)", explainKey, "Bearer sandbox"} {
			if told := jsonOf(x); strings.Contains(told, hidden) {
				t.Errorf("%s tells %s: %s", e.Method, hidden, told)
			}
		}
		if x.Variables[0] != "GANDI_KEY" {
			t.Errorf("%s: variables %v", e.Method, x.Variables)
		}
	}
}

// An explained call leaves a store as it was, whether a gateway runs on it or not,
// and takes the handles that are in it.
func TestExplainFromAStoreChangesNothing(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	r, _, handle := sessionRig(t)
	file := StoreFile{Path: r.store}
	e := Explaining{Method: "contact.update", Params: []any{handle, map[string]any{"city": "Lyon"}}, Tenant: "a", Store: file}
	sent := len(r.sim.Requests())
	for _, running := range []bool{true, false} {
		if !running {
			r.stop()
		}
		before := countKeys(t, file)
		x := mustExplain(t, e)
		put := ""
		for _, line := range requestLines(x) {
			if strings.HasPrefix(line, "behind: P") {
				put = line
			}
		}
		if x.Fault != "" || x.Open || !strings.Contains(put, "worked.net/contacts") || !strings.Contains(jsonOf(x.Requests), "Quackenbush") {
			t.Errorf("running %t: %v, %+v", running, requestLines(x), x)
		}
		if after := countKeys(t, file); after != before {
			t.Errorf("running %t: keys were %s and are %s", running, before, after)
		}
		if foreign := mustExplain(t, Explaining{Method: "contact.info", Params: []any{handle}, Tenant: "b", Store: file}); foreign.Fault == "" {
			t.Errorf("running %t: another tenant is shown %s", running, foreign.Answer)
		}
	}
	key := keyFile(t, "aa")
	if _, err := file.Rekey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	e.Simulation = simulated(t)
	if _, err := Explain(t.Context(), e); !errors.Is(err, store.ErrSealed) {
		t.Errorf("a sealed store is read without its key: %v", err)
	}
	e.Store.KeyFile = key
	if x := mustExplain(t, e); x.Fault != "" || !strings.Contains(jsonOf(x.Requests), "Quackenbush") {
		t.Errorf("sealed: %+v", x)
	}
	if n := len(r.sim.Requests()); n != sent {
		t.Errorf("%d requests were sent", n-sent)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

func countKeys(t *testing.T, f StoreFile) string {
	t.Helper()
	c, err := f.Check(t.Context(), false)
	if err != nil || c.Wrong > 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	return fmt.Sprint(c.Keys)
}

func TestExplainRefusesByName(t *testing.T) {
	for want, e := range map[string]Explaining{
		"no such method": {Method: "domain.fly"},
		"no such file":   {Method: "domain.info", Store: StoreFile{Path: filepath.Join(t.TempDir(), "absent.db")}},
		"parameter 1":    {Method: "domain.info", Params: []any{make(chan int)}},
	} {
		e.Simulation = simulated(t)
		if _, err := Explain(t.Context(), e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// A shell takes what a caller gave as it is.
func TestCurlIsQuoted(t *testing.T) {
	a := asked{origin: "https://v5.test", scheme: "Bearer"}
	a.Method, a.Target = http.MethodPost, "/v5/x'y?authinfo=abc&q=1"
	a.Body = `{"given":"O'Brien $(id) ` + "`id`" + `","password":"pw","nested":[{"x-aero_ens_authkey":"k"}]}`
	want := `curl -sS -X POST 'https://v5.test/v5/x'\''y?authinfo=%24AUTHINFO&q=1' \
  -H "Authorization: Bearer $GANDI_KEY" \
  -H 'Content-Type: application/json' \
  -d '{"given":"O'\''Brien $(id) ` + "`id`" + `","nested":[{"x-aero_ens_authkey":"'"$X_AERO_ENS_AUTHKEY"'"}],"password":"'"$PASSWORD"'"}'`
	if diff := cmp.Diff(want, curl(a, &secrets{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
