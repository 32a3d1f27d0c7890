//go:build unix

package gateway

import "syscall"

// onlyOurs makes a socket private before it gets its name, where the system
// allows that: between then and a chmod others could connect.
func onlyOurs(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
}
