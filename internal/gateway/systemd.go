package gateway

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Notifier tells the service manager how the process fares, in the words of
// sd_notify(3). Where none listens it says nothing, so it needs no condition
// around it; a message that cannot be sent is logged and costs nothing else.
type Notifier struct {
	socket  string        // empty: nobody listens
	watched time.Duration // silence after which the manager restarts us; 0: it does not watch
	ticks   func(time.Duration) (<-chan time.Time, func())
	log     *zap.Logger

	status atomic.Pointer[string] // the line of a gateway that serves; nil before and after
}

// NewNotifier finds the service manager in the environment of the process.
func NewNotifier(log *zap.Logger) *Notifier {
	return newNotifier(os.Getenv, os.Getpid(), func(every time.Duration) (<-chan time.Time, func()) {
		t := time.NewTicker(every)
		return t.C, t.Stop
	}, log)
}

func newNotifier(getenv func(string) string, pid int, ticks func(time.Duration) (<-chan time.Time, func()), log *zap.Logger) *Notifier {
	n := &Notifier{socket: getenv("NOTIFY_SOCKET"), ticks: ticks, log: log}
	// WATCHDOG_PID is somebody else's where a wrapper started us and passed its
	// environment on.
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if p := getenv("WATCHDOG_PID"); err == nil && usec > 0 && (p == "" || p == strconv.Itoa(pid)) {
		n.watched = time.Duration(usec) * time.Microsecond
	}
	return n
}

// Ready says that calls are answered; status is the line that systemctl status
// shows.
func (n *Notifier) Ready(status string) {
	n.status.Store(&status)
	n.tell("READY=1\nSTATUS=" + status)
}

// Reload runs fn, which reads the configuration again, between the two messages
// that systemctl reload waits for. The second comes also when fn fails, since
// the gateway then goes on with what it had.
func (n *Notifier) Reload(fn func() error) error {
	if n.status.Load() == nil {
		return fn() // still starting, or stopping already: ready would be a lie
	}
	n.tell("RELOADING=1")
	err := fn()
	if status := n.status.Load(); status != nil {
		line := *status
		if err != nil {
			line += "; the configuration was read again and is wrong, the one before stays in force"
		}
		n.tell("READY=1\nSTATUS=" + line)
	}
	return err
}

// Stopping says that the end has begun. It also ends the manager's watch, so
// that waiting for purchases in flight is not taken for being stuck.
func (n *Notifier) Stopping() {
	n.status.Store(nil)
	n.tell("STOPPING=1")
}

// Watch keeps the manager's watchdog quiet until ctx ends, twice as often as it
// asks for, and only while ready gives nil: a gateway that has lost its store,
// or hangs on it, is killed and started again. It returns at once where nobody
// watches.
func (n *Notifier) Watch(ctx context.Context, ready func() error) {
	if n.socket == "" || n.watched == 0 {
		return
	}
	tick, stop := n.ticks(n.watched / 2)
	defer stop()
	for {
		if err := ready(); err != nil {
			n.log.Warn("gateway is not ready, the watchdog is not fed", zap.Error(err))
		} else if ctx.Err() == nil {
			n.tell("WATCHDOG=1")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
	}
}

func (n *Notifier) tell(state string) {
	if n.socket == "" {
		return
	}
	if err := notify(n.socket, state); err != nil {
		n.log.Warn("the service manager was not told", zap.String("state", state), zap.Error(err))
	}
}

// notify sends one datagram. A name that begins with @ is in Linux's abstract
// namespace, which is net's own way to write it too.
func notify(socket, state string) error {
	if socket[0] != '/' && socket[0] != '@' {
		return fmt.Errorf("NOTIFY_SOCKET=%s is neither a path nor an abstract socket", socket)
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetWriteDeadline(time.Now().Add(2 * time.Second)) // a manager that does not read must not hold us up
	_, err = c.Write([]byte(state))
	return err
}
