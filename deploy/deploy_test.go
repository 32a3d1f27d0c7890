// Package deploy has tests only: what is shipped beside the program is held
// against the program. deploy/test.sh does what needs other tools.
package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"v3gate/internal/config"
)

// scratch is removed when the tests have ended.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "v3gate-deploy-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// documents decodes every document of a YAML text; a key that is there twice is
// an error of the decoder.
func documents[T any](text string) (all []T, err error) {
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var one T
		switch err := dec.Decode(&one); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, one)
	}
}

// document decodes a file of one YAML document.
func document[T any](t *testing.T, path string) T {
	t.Helper()
	all, err := documents[T](read(t, path))
	if err != nil || len(all) != 1 {
		t.Fatalf("%s: %d documents, %v", path, len(all), err)
	}
	return all[0]
}

// binary builds the program once, by the Dockerfile's own command.
var binary = sync.OnceValues(func() (string, error) {
	raw, err := os.ReadFile("Dockerfile")
	if err != nil {
		return "", err
	}
	build := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .* -o) /out/gateway (\./cmd/gateway)`).FindSubmatch(raw)
	if build == nil {
		return "", errors.New("the Dockerfile has no line RUN CGO_ENABLED=0 go build ... -o /out/gateway ./cmd/gateway")
	}
	path := filepath.Join(scratch, "gateway")
	cmd := exec.Command("sh", "-ec", fmt.Sprintf("%s %s %s", build[1], path, build[2]))
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "VERSION=1.2.3-test", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// gateway runs the program and gives what it printed.
func gateway(t *testing.T, args ...string) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, args...).Output()
	if err != nil {
		t.Fatalf("gateway %v: %v", args, err)
	}
	return string(out)
}

// grace is how long the daemon itself waits when it stops; everything that stops
// it has to wait longer.
func grace() time.Duration { return config.Default().StopTimeout }

// Every GATEWAY_ variable in what is shipped is one that the daemon reads:
// another would have no effect and say nothing.
func TestVariablesAreTheDaemons(t *testing.T) {
	known := regexp.MustCompile(`GATEWAY_[A-Z0-9_]+`).FindAllString(config.Doc(), -1)
	if len(known) < 30 {
		t.Fatalf("only %v are known", known)
	}
	seen := 0
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".go") {
			return err
		}
		for _, name := range regexp.MustCompile(`\bGATEWAY_[A-Z0-9_]+\b`).FindAllString(read(t, path), -1) {
			seen++
			if !slices.Contains(known, name) && !strings.HasSuffix(name, "_") {
				t.Errorf("%s: the daemon knows no %s", path, name)
			}
		}
		return nil
	})
	if err != nil || seen < 20 {
		t.Errorf("%d variables were seen, %v", seen, err)
	}
}

// What is shipped must be clean of what only its makers have.
func TestNothingSecretIsShipped(t *testing.T) {
	secret := regexp.MustCompile(`(?i)(token|apikey|v3[_-]key|password|secret)["']?\s*[:=]\s*["']?([A-Za-z0-9_-][A-Za-z0-9+/_-]{19,})`)
	allowed := []string{"sandboxsandboxsandbox123"}
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".go") {
			return err
		}
		raw := read(t, path)
		for _, m := range secret.FindAllStringSubmatch(raw, -1) {
			if !slices.Contains(allowed, m[2]) {
				t.Errorf("%s holds %s=%.4s...", path, m[1], m[2])
			}
		}
		if bytes.Contains([]byte(raw), []byte("BEGIN PRIVATE KEY")) {
			t.Errorf("%s holds a private key", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
