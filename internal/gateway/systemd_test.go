package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// manager is a service manager's end of the notification socket.
type manager struct{ conn *net.UnixConn }

func listenAsManager(t *testing.T, socket string) manager {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return manager{conn}
}

// hear is the next message, or "" when none comes within the time.
func (m manager) hear(t *testing.T, within time.Duration) string {
	t.Helper()
	buf := make([]byte, 4096)
	m.conn.SetReadDeadline(time.Now().Add(within))
	n, err := m.conn.Read(buf)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func (m manager) want(t *testing.T, want string) {
	t.Helper()
	if got := m.hear(t, 10*time.Second); got != want {
		t.Errorf("the manager hears %q, want %q", got, want)
	}
}

// environment is a getenv over a map.
func environment(of map[string]string) func(string) string {
	return func(name string) string { return of[name] }
}

// noTicks fails a test that asks for a ticker.
func noTicks(t *testing.T) func(time.Duration) (<-chan time.Time, func()) {
	return func(time.Duration) (<-chan time.Time, func()) {
		t.Error("a ticker was started")
		return nil, func() {}
	}
}

func TestNotifierTellsTheManager(t *testing.T) {
	sockets := map[string]string{"path": filepath.Join(t.TempDir(), "notify")}
	if runtime.GOOS == "linux" { // no other system has abstract sockets
		sockets["abstract"] = fmt.Sprintf("@v3gate-test-%d", os.Getpid())
	}
	for name, socket := range sockets {
		t.Run(name, func(t *testing.T) {
			m := listenAsManager(t, socket)
			n := newNotifier(environment(map[string]string{"NOTIFY_SOCKET": socket}), 1, noTicks(t), zap.NewNop())
			n.Ready("answering on 127.0.0.1:8080")
			m.want(t, "READY=1\nSTATUS=answering on 127.0.0.1:8080")
			n.Stopping()
			m.want(t, "STOPPING=1")
		})
	}
}

func TestNotifierTellsOfReloads(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	m := listenAsManager(t, socket)
	n := newNotifier(environment(map[string]string{"NOTIFY_SOCKET": socket}), 1, noTicks(t), zap.NewNop())
	reload := func(fails error) {
		t.Helper()
		ran := false
		if err := n.Reload(func() error { ran = true; return fails }); err != fails || !ran {
			t.Errorf("it gives %v, want %v; it ran: %t", err, fails, ran)
		}
	}
	reload(nil)
	if more := m.hear(t, 20*time.Millisecond); more != "" {
		t.Errorf("a gateway that is still starting says %q", more)
	}
	n.Ready("up")
	m.want(t, "READY=1\nSTATUS=up")
	reload(nil)
	m.want(t, "RELOADING=1")
	m.want(t, "READY=1\nSTATUS=up")
	reload(errors.New("line 7"))
	m.want(t, "RELOADING=1")
	m.want(t, "READY=1\nSTATUS=up; the configuration was read again and is wrong, the one before stays in force")
	reload(nil)
	m.want(t, "RELOADING=1")
	m.want(t, "READY=1\nSTATUS=up")
	n.Stopping()
	m.want(t, "STOPPING=1")
	reload(nil)
	if more := m.hear(t, 20*time.Millisecond); more != "" {
		t.Errorf("a gateway that is stopping says %q", more)
	}
}

func TestNotifierWithoutAManagerDoesNothing(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	n := newNotifier(environment(map[string]string{"WATCHDOG_USEC": "1000000"}), 1, noTicks(t), zap.New(core))
	n.Ready("up")
	n.Stopping()
	n.Watch(t.Context(), func() error { t.Error("readiness was asked for"); return nil }) // returns at once
	if logs.Len() > 0 {
		t.Errorf("it logs %v", logs.All())
	}
}

func TestNotifierSurvivesABadSocket(t *testing.T) {
	for _, socket := range []string{filepath.Join(t.TempDir(), "nobody"), "vsock:2:1", "relative"} {
		core, logs := observer.New(zap.WarnLevel)
		newNotifier(environment(map[string]string{"NOTIFY_SOCKET": socket}), 1, noTicks(t), zap.New(core)).Ready("up")
		if logs.FilterMessage("the service manager was not told").Len() != 1 {
			t.Errorf("%s: logged %v", socket, logs.All())
		}
	}
}

func TestWatchdogIsFedOnlyWhileReady(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	m := listenAsManager(t, socket)
	tick := make(chan time.Time)
	stopped := make(chan struct{})
	var every time.Duration
	n := newNotifier(environment(map[string]string{"NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "77"}), 77,
		func(d time.Duration) (<-chan time.Time, func()) { every = d; return tick, func() { close(stopped) } }, zap.NewNop())

	answers := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go n.Watch(ctx, func() error { return <-answers })

	answers <- nil
	m.want(t, "WATCHDOG=1")
	tick <- time.Now()
	answers <- errors.New("store is gone")
	tick <- time.Now()
	answers <- nil
	m.want(t, "WATCHDOG=1")
	if more := m.hear(t, 20*time.Millisecond); more != "" {
		t.Errorf("there was one more message, %q: an unready gateway fed the watchdog", more)
	}
	if every != 15*time.Second {
		t.Errorf("it is fed every %s, want half of 30 s", every)
	}
	cancel()
	<-stopped
}

func TestWatchdogOfAnotherProcessIsNotFed(t *testing.T) {
	for _, env := range []map[string]string{
		{"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "78"},
		{"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "-5"}, {"WATCHDOG_USEC": "soon"}, {},
	} {
		env["NOTIFY_SOCKET"] = "/nonexistent"
		newNotifier(environment(env), 77, noTicks(t), zap.NewNop()).Watch(t.Context(), func() error { t.Errorf("%v is watched", env); return nil })
	}
}
