package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
)

const keyA, keyB = "aaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbb"

// write makes a file of a test and gives its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlagsOverEnvironmentOverFile(t *testing.T) {
	file := write(t, t.TempDir(), "g.toml", `
listen = "127.0.0.1:1"
v5_rate = 10
call_timeout = "1m"
store = "file.db"
`)
	l := From{
		File:    file,
		Environ: []string{"GATEWAY_V5_RATE=20", "GATEWAY_CALL_TIMEOUT=2m", "GATEWAY_V3_KEY=" + keyA, "GATEWAY_V5_TOKEN=tok", "HOME=/"},
		Flags:   map[string]string{"call-timeout": "3m"},
	}.Load()
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	if l.Listen != "127.0.0.1:1" || l.V5Rate != 20 || l.CallTimeout != 3*time.Minute || l.Admin != Default().Admin {
		t.Errorf("loaded %s", l)
	}
	effective := l.Effective()
	for _, want := range []string{
		`listen = "127.0.0.1:1" +# file, g.toml:2`,
		`admin = "127.0.0.1:9090" +# default`,
		`v5_rate = 20 +# environment, GATEWAY_V5_RATE`,
		`call_timeout = "3m" +# flag, --call-timeout`,
		`store = "file.db" +# file, g.toml:5`,
		`\[\[tenant\]\]\nname = "default" +# default\nv3_key = "\(set\)" +# environment, GATEWAY_V3_KEY\n`,
		`mode = "normal" +# default`,
		`rate_window = "2s" +# default`,
	} {
		if !regexp.MustCompile(want).MatchString(effective) {
			t.Errorf("no %s in\n%s", want, effective)
		}
	}
	if strings.Contains(effective, keyA) || strings.Contains(effective, "tok\"") {
		t.Errorf("a secret is shown:\n%s", effective)
	}
	var again map[string]any
	if _, err := toml.Decode(effective, &again); err != nil {
		t.Errorf("what is printed is no TOML: %v", err)
	}
}

// Each says what is wrong with its place, all at once.
func TestWhatAFileCanHaveWrong(t *testing.T) {
	const tenant = "\n[[tenant]]\nname = \"a\"\nv3_key = \"" + keyA + "\"\nv5_token = \"x\"\n"
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"unknown keys", "store = \"s\"\nlisen = \"x\"\n\nmax_conections = 5" + tenant + "sharing = \"s\"\n", []string{
			`g.toml:2: unknown key lisen; the nearest known key is listen`,
			`g.toml:4: unknown key max_conections; the nearest known key is max_connections`,
			`g.toml:9: unknown key sharing; the nearest known key is sharing_id`,
		}},
		{"keys in the wrong place", "store = \"s\"\nsharing_id = \"s\"" + tenant + "listen = \"x\"\n", []string{
			`g.toml:2: unknown key sharing_id; it belongs to a tenant, below [[tenant]]`,
			`g.toml:7: unknown key listen; it is the daemon's and belongs above the first [[tenant]]`,
		}},
		{"a table", "store = \"s\"" + tenant + "[server]\nlisten = \"x\"\n", []string{
			`g.toml:6: unknown key server; the nearest known key is store`,
		}},
		{"types", "store = 1\nv5_rate = \"10\"\ncall_timeout = 25\nmax_body = 1.5\nidle_timeout = \"5\"" + tenant + "anonymous = \"yes\"\nv3_keys = \"k\"\n", []string{
			`g.toml:1: store: want a string in quotes`,
			`g.toml:2: v5_rate: want a whole number without quotes`,
			`g.toml:4: max_body: want a whole number without quotes`,
			`g.toml:5: idle_timeout: want a duration such as "25s" or "1h30m"`,
			`g.toml:3: call_timeout: want a duration such as "25s" or "1h30m"`,
			`g.toml:11: tenant a: v3_keys: want a list of strings such as ["a", "b"]`,
			`g.toml:10: tenant a: anonymous: want true or false`,
		}},
		{"values", "store = \"s\"\nlisten = \"8080\"" + tenant + "mode = \"free\"\n" + tenant, []string{
			`g.toml:2: listen: "8080" is not HOST:PORT, such as 127.0.0.1:8080`,
			`g.toml:7: tenant a: mode: "free" is not normal, read_only or no_spend`,
			`g.toml:10: tenant a: name: "a" is used twice`,
			`g.toml:11: tenant a: v3_key: one of its v3 keys is given twice, here and for tenant a`,
		}},
		{"a table in single brackets", "store = \"s\"\n[tenant]\nname = \"a\"\n", []string{
			`g.toml:2: tenant: each begins with [[tenant]], in two pairs of brackets`,
		}},
		{"given twice", "store = \"s\"\nstore = \"t\"" + tenant, []string{`g.toml:2: Key 'store' has already been defined. (key store)`}},
		{"not closed", "store = \"s\nv5_rate = 3\n" + tenant, []string{`g.toml:1: strings cannot contain newlines (key store)`}},
		{"a secret without quotes", "store = \"s\"\n[[tenant]]\nv5_token = hushhushhush\n", []string{
			`g.toml:3: expected value but found ... instead (key tenant.v5_token); strings stand in quotes`,
		}},
		{"a key of digits without quotes", "store = \"s\"\n[[tenant]]\nv3_key = 999999999999999999999999\n", []string{
			`g.toml:3: ... is out of range for int64 (key tenant.v3_key); strings stand in quotes`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := From{File: write(t, t.TempDir(), "g.toml", c.text)}.Load().Validate()
			if err == nil {
				t.Fatal("taken")
			}
			var got []string
			for _, line := range strings.Split(err.Error(), "\n") {
				if strings.HasPrefix(line, "g.toml:") {
					got = append(got, line)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "9999") {
				t.Errorf("it repeats a secret: %v", err)
			}
		})
	}
}

func TestTenantsInTheFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "token-b", "tok-b\n")
	write(t, dir, "keys-b", keyB+"\r\n"+strings.Repeat("c", 24)+"\n\n")
	file := write(t, dir, "g.toml", `
store = "s"
tenant_rate = 7
[[tenant]]
name = "a"
v3_keys = ["`+keyA+`"]
v5_apikey = "key-a"
sharing_id = "org-a"
own_handle = "FLN1-GANDI"
anonymous = true
mode = "no_spend"
in_flight = 3
rate = 0

[[tenant]]
name = "b"
v3_key_file = "keys-b"
v3_key_sha256 = ["`+strings.Repeat("0", 64)+`"]
v5_token_file = "token-b"
`)
	l := From{File: file}.Load()
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	want := []Tenant{
		{Name: "a", V3Keys: []string{keyA}, V5APIKey: "key-a", SharingID: "org-a", OwnHandle: "FLN1-GANDI", Anonymous: true,
			Mode: "no_spend", Limits: Limits{3, 0, 2 * time.Second}},
		{Name: "b", V3Keys: []string{keyB, strings.Repeat("c", 24)}, V3KeyFile: "keys-b", V3KeySHA256: []string{strings.Repeat("0", 64)},
			V5TokenFile: "token-b", V5Token: "tok-b", Mode: "normal", Limits: Limits{64, 7, 2 * time.Second}},
	}
	if !reflect.DeepEqual(l.Tenants, want) {
		t.Errorf("got %v", l.Tenants)
	}
	if len(l.Warnings) > 0 {
		t.Errorf("warnings %q", l.Warnings)
	}
	// Read again, it has what is there by then.
	write(t, dir, "token-b", "tok-new")
	if again := (From{File: file}).Load(); again.Tenants[1].V5Token != "tok-new" {
		t.Error("a secret is not read again")
	}
	// The other way to write tables.
	inline := write(t, dir, "inline.toml", "store = \"s\"\ntenant = [{name = \"a\", v3_key = \""+keyA+"\", v5_token = \"x\"}]\n")
	if l := (From{File: inline}).Load(); l.Validate() != nil || len(l.Tenants) != 1 {
		t.Errorf("tables in a line: %v", l.Validate())
	}
}

func TestTheTenantOfTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "v3-key", keyA+"\n")
	write(t, dir, "v5-token", "from-credential\n")
	mounted := write(t, t.TempDir(), "mounted", "from-file\n")
	base := Tenant{Name: "default", Mode: "normal", Limits: Default().TenantLimits}
	with := func(change func(*Tenant)) *Tenant { tenant := base; change(&tenant); return &tenant }
	for name, c := range map[string]struct {
		env  []string
		want *Tenant
	}{
		"nothing":         {nil, nil},
		"nothing but air": {[]string{"GATEWAY_V3_KEY=", "GATEWAY_V5_TOKEN="}, nil},
		"all of it": {
			[]string{"GATEWAY_V3_KEY=k", "GATEWAY_V5_APIKEY=v", "GATEWAY_SHARING_ID=s", "GATEWAY_OWN_HANDLE=h", "GATEWAY_ANONYMOUS=1", "GATEWAY_MODE=read_only"},
			with(func(t *Tenant) {
				t.V3Key, t.V5APIKey, t.SharingID, t.OwnHandle, t.Anonymous, t.Mode = "k", "v", "s", "h", true, "read_only"
			}),
		},
		"hashes": {
			[]string{"GATEWAY_V3_KEY_SHA256=aa,bb", "GATEWAY_V5_TOKEN=t"},
			with(func(t *Tenant) { t.V3KeySHA256, t.V5Token = []string{"aa", "bb"}, "t" }),
		},
		"files": {
			[]string{"GATEWAY_V3_KEY=k", "GATEWAY_V5_TOKEN_FILE=" + mounted},
			with(func(t *Tenant) { t.V3Key, t.V5TokenFile, t.V5Token = "k", mounted, "from-file" }),
		},
		"credentials": {
			[]string{"CREDENTIALS_DIRECTORY=" + dir},
			with(func(t *Tenant) {
				t.V3KeyFile, t.V3Keys = filepath.Join(dir, "v3-key"), []string{keyA}
				t.V5TokenFile, t.V5Token = filepath.Join(dir, "v5-token"), "from-credential"
			}),
		},
		"a variable before a credential": {
			[]string{"CREDENTIALS_DIRECTORY=" + dir, "GATEWAY_V5_TOKEN=t", "GATEWAY_V3_KEY=k"},
			with(func(t *Tenant) { t.V3Key, t.V5Token = "k", "t" }),
		},
		"a relative path": {
			[]string{"CREDENTIALS_DIRECTORY=" + dir, "GATEWAY_V5_TOKEN_FILE=v5-token", "GATEWAY_V3_KEY=k"},
			with(func(t *Tenant) { t.V3Key, t.V5TokenFile, t.V5Token = "k", "v5-token", "from-credential" }),
		},
	} {
		l := From{Environ: c.env}.Load()
		if len(l.unread) > 0 {
			t.Errorf("%s: %v", name, l.unread)
		}
		if (c.want == nil) != (len(l.Tenants) == 0) || c.want != nil && !reflect.DeepEqual(l.Tenants[0], *c.want) {
			t.Errorf("%s: got %v, want %v", name, l.Tenants, c.want)
		}
	}
	if l := (From{Environ: []string{"GATEWAY_V3_KEY=k", "GATEWAY_V5_TOKEN_FILE=/absent"}, NoTenants: true}).Load(); len(l.Tenants)+len(l.unread) > 0 {
		t.Errorf("without tenants: %v, %v", l.Tenants, l.unread)
	}
}

func TestWhatTheRestCanHaveWrong(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "g.toml", "store = \"s\"\n[[tenant]]\nname = \"a\"\nv3_key = \""+keyA+"\"\nv5_token = \"x\"\n")
	files := write(t, dir, "files.toml", "store = \"s\"\n[[tenant]]\nname = \"a\"\nv3_key_file = \"empty\"\nv5_token = \"x\"\nv5_token_file = \"two\"\n")
	write(t, dir, "empty", "\n\n")
	write(t, dir, "two", "first\nsecond\n")
	write(t, dir, "huge", strings.Repeat("x", mostSecret+1))
	for name, c := range map[string]struct {
		from From
		want []string
	}{
		"variables": {From{Environ: []string{"GATEWAY_V5_RATE=many", "GATEWAY_MAX_BODY=1e9", "GATEWAY_ANONYMOUS=maybe"}}, []string{
			"GATEWAY_V5_RATE: v5_rate: want a whole number", "GATEWAY_MAX_BODY: max_body: want a whole number",
			"GATEWAY_ANONYMOUS: tenant default: anonymous: want true or false",
		}},
		"a value in a variable": {From{Environ: []string{"GATEWAY_V5_RATE=-1"}}, []string{"GATEWAY_V5_RATE: v5_rate: -1 is below 0"}},
		"a value in a flag":     {From{Flags: map[string]string{"v5-rate": "-1"}}, []string{"--v5-rate: v5_rate: -1 is below 0"}},
		"no file":               {From{File: filepath.Join(dir, "absent")}, []string{"config: open "}},
		"both": {From{File: file, Environ: []string{"GATEWAY_V3_KEY=" + keyB, "GATEWAY_V5_TOKEN=x"}}, []string{
			"g.toml:2: the file names tenants and the environment another (GATEWAY_V3_KEY, GATEWAY_V5_TOKEN); keep one of the two",
		}},
		"files of secrets": {From{File: files}, []string{
			"files.toml:4: tenant a: v3_key_file: ", "empty is empty", "files.toml:6: tenant a: v5_token_file: v5_token is given too; give one",
		}},
		"more than one line": {From{Environ: []string{"GATEWAY_V5_TOKEN_FILE=" + filepath.Join(dir, "two")}}, []string{"two has more than one line"}},
		"too large":          {From{Environ: []string{"GATEWAY_V5_TOKEN_FILE=" + filepath.Join(dir, "huge")}}, []string{"huge is larger than 65536 bytes"}},
		"absent":             {From{Environ: []string{"GATEWAY_V5_TOKEN_FILE=/absent/token"}}, []string{"GATEWAY_V5_TOKEN_FILE: tenant default: v5_token_file: open /absent/token"}},
	} {
		err := c.from.Load().Validate()
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %q in\n%v", name, want, err)
			}
		}
		for _, secret := range []string{"first", "second", "many", keyB} {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%s: it repeats %s: %v", name, secret, err)
			}
		}
		if err != nil && strings.Contains(err.Error(), "credential is missing") && strings.Contains(name, "files") {
			t.Errorf("%s: a file that cannot be read is called missing as well: %v", name, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	token := write(t, dir, "token", "tok")
	file := write(t, dir, "g.toml", "store = \"s\"\n[[tenant]]\nname = \"a\"\nv3_key = \""+keyA+"\"\nv5_token_file = \"token\"\n")
	for _, path := range []string{token, file} {
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	l := From{File: file, Environ: []string{"GATEWAY_V5_RTE=1", "GATEWAY_PORT=tcp://10.0.0.1:80", "GATEWAY_OUTPUT=csv", "GATEWAY_STORE=s"}}.Load()
	want := []string{
		file + " holds a secret and has mode 0640; 0600 is enough",
		token + " holds a secret and has mode 0640; 0600 is enough",
		"GATEWAY_V5_RTE is no variable of the gateway; GATEWAY_V5_RATE is",
	}
	slicesEqual(t, want, l.Warnings)
	// systemd's own files are not to blame.
	l = From{File: file, Environ: []string{"CREDENTIALS_DIRECTORY=" + dir}}.Load()
	slicesEqual(t, []string{file + " holds a secret and has mode 0640; 0600 is enough"}, l.Warnings)
}

func slicesEqual(t *testing.T, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The example loads, gives the defaults, and names every key.
func TestExample(t *testing.T) {
	dir := t.TempDir()
	l := From{File: write(t, dir, "example.toml", Example())}.Load()
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Store = l.Store
	one := want.newTenant()
	one.Name, one.V3Key, one.V5Token = "default", l.Tenants[0].V3Key, l.Tenants[0].V5Token
	want.Tenants = []Tenant{one}
	if !reflect.DeepEqual(want, l.Config) {
		t.Errorf("the example gives %s", l.Config)
	}
	above, below, _ := strings.Cut(Example(), "\n[[tenant]]\n")
	for _, s := range settings {
		named(t, above, s.key)
	}
	for _, k := range tenantKeys {
		named(t, below, k.key)
	}
	// Each line that is commented out is right when it is not, but for what it
	// then clashes with.
	for _, line := range regexp.MustCompile(`(?m)^#(\w+) = .*$`).FindAllStringSubmatch(Example(), -1) {
		l := From{File: write(t, dir, "one.toml", strings.Replace(Example(), line[0], line[0][1:], 1))}.Load()
		for _, err := range l.unread {
			if rowOf(line[1]) == nil || rowOf(line[1]).fills == "" {
				t.Errorf("%s: %v", line[0], err)
			}
		}
		for _, p := range l.problems() {
			if p.key == line[1] && p.key != "v5_apikey" {
				t.Errorf("%s: %s", line[0], p.text)
			}
		}
	}
}

func named(t *testing.T, text, key string) {
	t.Helper()
	if n := len(regexp.MustCompile(fmt.Sprintf(`(?m)^#?%s = .+$`, key)).FindAllString(text, -1)); n != 1 {
		t.Errorf("%s is there %d times", key, n)
	}
}

func TestDocNamesEverything(t *testing.T) {
	doc := Doc()
	for _, s := range settings {
		if !strings.Contains(doc, "| `"+s.key+"` | `"+s.variable()+"` | `--"+flagOf(s.key)+"` |") {
			t.Errorf("no row of %s", s.key)
		}
	}
	for _, k := range tenantKeys {
		if !strings.Contains(doc, "| `"+k.key+"` | ") {
			t.Errorf("no row of %s", k.key)
		}
	}
	if strings.Contains(doc, "\n\n\n") {
		t.Error("the layout is off")
	}
}
