package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const goodTenant = "[[tenant]]\nname = \"a\"\nv3_key = \"aaaaaaaaaaaaaaaaaaaaaaaa\"\nv5_token = \"hushhush\"\n"

func TestCheckConfig(t *testing.T) {
	sidecar := []string{"GATEWAY_V3_KEY=aaaaaaaaaaaaaaaaaaaaaaaa", "GATEWAY_V5_TOKEN=hushhush", "GATEWAY_STORE=/tmp/s.db"}
	for _, c := range []struct {
		name   string
		file   string
		env    []string
		args   []string
		status int
		stdout []string // patterns
		stderr []string
	}{
		{"a sidecar", "", sidecar, nil, 0, []string{
			`listen = "127.0.0.1:8080" +# default`, `store = "/tmp/s.db" +# environment, GATEWAY_STORE`,
			`v5_token = "\(set\)" +# environment, GATEWAY_V5_TOKEN`,
		}, nil},
		{"a file, a variable, a flag", "store = \"s\"\nv5_rate = 1\nmax_body = 2048\n" + goodTenant, []string{"GATEWAY_V5_RATE=2", "GATEWAY_PAID_WAIT=1s"},
			[]string{"--paid-wait", "2s"}, 0, []string{
				`store = "s" +# file, g.toml:1`, `max_body = 2048 +# file, g.toml:3`, `v5_rate = 2 +# environment, GATEWAY_V5_RATE`,
				`paid_wait = "2s" +# flag, --paid-wait`, `name = "a" +# file, g.toml:5`, `v3_key = "\(set\)" +# file, g.toml:6`,
			}, nil},
		{"a flag of yes and no", "", sidecar, []string{"--v5-dry-run=false"}, 0, []string{`v5_dry_run = false +# flag, --v5-dry-run`}, nil},
		{"warnings", "store = \"s\"\n" + goodTenant, []string{"GATEWAY_V5_RAT=2"}, nil, 0, []string{`v5_rate = 1000 +# default`},
			[]string{"warning: GATEWAY_V5_RAT is no variable of the gateway; GATEWAY_V5_RATE is"}},
		{"everything that is wrong", "stroe = \"s\"\nlisten = \"x\"\nv5_rate = \"many\"\n[[tenant]]\nname = \"a\"\n", nil, nil, 1, nil, []string{
			"gateway: the configuration is wrong:\n", "  g.toml:1: unknown key stroe; the nearest known key is store\n", "  g.toml:2: listen: \"x\" is not",
			"  g.toml:3: v5_rate: want a whole number without quotes\n", "  store: name the file", "  g.toml:5: tenant a: v3_key: it is missing",
			"  g.toml:5: tenant a: v5_token: the v5 credential is missing",
		}},
		{"file and environment", "store = \"s\"\n" + goodTenant, sidecar, nil, 1, nil, []string{"g.toml:2: the file names tenants and the environment another"}},
		{"no TOML", "store = \"s\"\n[[tenant]\n", nil, nil, 1, nil, []string{`g.toml:3: expected end of table array name delimiter ']', but got '\n' instead`}},
		{"nothing", "", nil, nil, 1, nil, []string{"store: name the file", "tenant: there is none: set GATEWAY_V3_KEY"}},
		{"no such file", "", nil, []string{"--config", "/absent.toml"}, 1, nil, []string{"config: open /absent.toml"}},
		{"no such flag", "", nil, []string{"--lisen", "x"}, 1, nil, []string{"unknown flag: --lisen"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"check-config"}, c.args...)
			if c.file != "" {
				path := filepath.Join(t.TempDir(), "g.toml")
				if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "--config", path)
			}
			stdout, stderr, status := runCommand(t, c.env, args...)
			if status != c.status || (status == 0) != (stdout != "") || c.name == "no TOML" && strings.Contains(stderr, "tenant:") || status == 0 && len(c.stderr) == 0 && stderr != "" {
				t.Errorf("status %d\n%s\n%s", status, stdout, stderr)
			}
			for _, want := range c.stdout {
				if !regexp.MustCompile("(?m)^" + want + "$").MatchString(stdout) {
					t.Errorf("no %s in\n%s", want, stdout)
				}
			}
			for _, want := range c.stderr {
				if !strings.Contains(stderr, want) {
					t.Errorf("no %q in\n%s", want, stderr)
				}
			}
			if strings.Contains(stdout+stderr, "hushhush") || strings.Contains(stdout+stderr, "aaaaaaaa") {
				t.Errorf("a secret is shown:\n%s\n%s", stdout, stderr)
			}
		})
	}
}

// The example at the root is right as it stands, and its values are the
// defaults.
func TestTheExampleIsRight(t *testing.T) {
	stdout, stderr, status := runCommand(t, nil, "check-config", "--config", "../../gateway.example.toml")
	if status != 0 {
		t.Fatalf("%s", stderr)
	}
	byDefault, _, _ := runCommand(t, []string{"GATEWAY_V3_KEY=aaaaaaaaaaaaaaaaaaaaaaaa", "GATEWAY_V5_TOKEN=x", "GATEWAY_STORE=/var/lib/v3gate/store.db"}, "check-config")
	comments := regexp.MustCompile(` +# .*`)
	if got, want := comments.ReplaceAllString(stdout, ""), comments.ReplaceAllString(byDefault, ""); got != want {
		t.Errorf("the example gives\n%s\nand the defaults are\n%s", got, want)
	}
}

func TestServeAndCheckConfigTakeTheSameFlags(t *testing.T) {
	for _, name := range []string{"serve", "check-config"} {
		stdout, _, status := runCommand(t, nil, name, "--help")
		for _, flag := range []string{"--config string", "--listen string", "--v5-rate int", "--call-timeout duration", "(default 25s)", `(default "127.0.0.1:8080")`} {
			if status != 0 || !strings.Contains(stdout, flag) {
				t.Errorf("%s --help: status %d, no %s in\n%s", name, status, flag, stdout)
			}
		}
	}
}
