package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"v3gate/internal/sandbox"
)

// childEnv tells a run of this test binary that it is to be the command.
const childEnv = "V3GATE_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		main()
		os.Exit(0)
	}
	testscript.Main(m, map[string]func(){"gateway": main})
}

// command is the built command, in an environment of nothing but env.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append([]string{childEnv + "=1", "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}, env...)
	return cmd
}

// child is a daemon in a process of its own.
type child struct {
	cmd *exec.Cmd
	url string
	log chan string // its lines
}

func startChild(t *testing.T, env []string, args ...string) *child {
	t.Helper()
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--store", filepath.Join(t.TempDir(), "store.db")}, args...)
	c := &child{cmd: command(t, env, args...), log: make(chan string, 1000)}
	out, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.cmd.Process.Kill(); c.cmd.Wait() })
	go func() {
		defer close(c.log)
		for s := bufio.NewScanner(out); s.Scan(); {
			c.log <- s.Text()
		}
	}()
	var line struct{ Listen string }
	if err := json.Unmarshal([]byte(c.says(t, "gateway is serving")), &line); err != nil {
		t.Fatal(err)
	}
	c.url = "http://" + line.Listen + "/xmlrpc/"
	return c
}

// says waits for a line of the log.
func (c *child) says(t *testing.T, want string) string {
	t.Helper()
	var seen []string
	timeout := time.After(30 * time.Second)
	for {
		select {
		case line, ok := <-c.log:
			if seen = append(seen, line); strings.Contains(line, want) {
				return line
			}
			if !ok {
				t.Fatalf("the log ends without %q:\n%s", want, strings.Join(seen, "\n"))
			}
		case <-timeout:
			t.Fatalf("the log does not say %q:\n%s", want, strings.Join(seen, "\n"))
		}
	}
}

func (c *child) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// status waits for the end of the process.
func (c *child) status(t *testing.T) int {
	t.Helper()
	for range c.log {
	}
	c.cmd.Wait()
	return c.cmd.ProcessState.ExitCode()
}

const childKey = "kkkkkkkkkkkkkkkkkkkkkkkk"

// hungV5 is a v5 that answers when it is let go.
func hungV5(t *testing.T) (url string, arrived <-chan struct{}, release func()) {
	t.Helper()
	sim := sandbox.New(sandbox.Options{}).Handler()
	came, held := make(chan struct{}, 100), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came <- struct{}{}
		select {
		case <-held:
			sim.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/v5", came, func() { close(held) }
}

func sidecar(url string) []string {
	return []string{"GATEWAY_V3_KEY=" + childKey, "GATEWAY_V5_TOKEN=" + sandbox.DefaultToken, "GATEWAY_V5_URL=" + url}
}

// callInFlight makes a call that hangs in v5.
func callInFlight(t *testing.T, c *child, arrived <-chan struct{}) (answer <-chan error) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		client, err := newClient(c.url)
		if err == nil {
			var v any
			err = client.Call("contact.info", []any{childKey}, &v)
			client.Close()
		}
		done <- err
	}()
	<-arrived
	return done
}

// The first signal lets the call in flight end.
func TestASignalDrains(t *testing.T) {
	url, arrived, release := hungV5(t)
	c := startChild(t, sidecar(url))
	answer := callInFlight(t, c, arrived)
	c.signal(t, syscall.SIGTERM)
	c.says(t, "gateway is stopping")
	release()
	if err := <-answer; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	if status := c.status(t); status != 0 {
		t.Errorf("status %d", status)
	}
}

// The second one does not wait for it.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	for _, second := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		url, arrived, _ := hungV5(t)
		c := startChild(t, sidecar(url))
		answer := callInFlight(t, c, arrived)
		c.signal(t, syscall.SIGTERM)
		c.says(t, "gateway is stopping")
		select {
		case err := <-answer:
			t.Fatalf("the call in flight ended with %v", err)
		case <-time.After(200 * time.Millisecond):
		}
		begin := time.Now()
		c.signal(t, second)
		c.says(t, "a second signal")
		if status := c.status(t); status != 1 {
			t.Errorf("%v: status %d, want 1", second, status)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%v: it took %s", second, took)
		}
	}
}

// What does not end by itself is cut off in time.
func TestStoppingIsBounded(t *testing.T) {
	url, arrived, _ := hungV5(t)
	c := startChild(t, append(sidecar(url), "GATEWAY_STOP_TIMEOUT=1s"))
	callInFlight(t, c, arrived)
	begin := time.Now()
	c.signal(t, syscall.SIGTERM)
	if status := c.status(t); status != 0 {
		t.Errorf("status %d", status)
	}
	if took := time.Since(begin); took < 500*time.Millisecond || took > 10*time.Second {
		t.Errorf("it took %s, want about 1 s", took)
	}
}

func TestSIGHUPReadsTheFileAgain(t *testing.T) {
	api := httptest.NewServer(sandbox.New(sandbox.Options{}).Handler())
	defer api.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "gateway.toml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tenant := func(key string) string {
		return "v5_url = \"" + api.URL + "/v5\"\n[[tenant]]\nname = \"a\"\nv3_key = \"" + key + "\"\nv5_token_file = \"token\"\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte(sandbox.DefaultToken+"\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	write(tenant(childKey))
	c := startChild(t, []string{"GATEWAY_CONFIG=" + file})
	other := strings.Repeat("z", 24)
	ask := func(key string) error {
		client, err := newClient(c.url)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		var v any
		return client.Call("contact.info", []any{key}, &v)
	}
	if err := ask(childKey); err != nil {
		t.Fatal(err)
	}
	write("nonsense = 1\n" + tenant(other))
	c.signal(t, syscall.SIGHUP)
	if line := c.says(t, "the one before stays in force"); !strings.Contains(line, "gateway.toml:1: unknown key nonsense") {
		t.Errorf("it does not say why: %s", line)
	}
	if err := ask(childKey); err != nil {
		t.Errorf("the old key after a bad file: %v", err)
	}
	write("v5_rate = 7\n" + tenant(other))
	c.signal(t, syscall.SIGHUP)
	if line := c.says(t, "need a restart"); !strings.Contains(line, `"settings":["v5_rate"]`) {
		t.Errorf("it does not say what: %s", line)
	}
	if err := ask(other); err != nil {
		t.Errorf("the new key: %v", err)
	}
	if err := ask(childKey); err == nil {
		t.Error("the old key is still taken")
	}
	c.signal(t, syscall.SIGTERM)
	if status := c.status(t); status != 0 {
		t.Errorf("status %d", status)
	}
}

// runCommand runs the built command to its end.
func runCommand(t *testing.T, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := command(t, env, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run()
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
