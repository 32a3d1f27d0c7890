//go:build unix

package v5

import (
	"crypto/tls"
	"net"
	"syscall"
)

// canTellQuiet: silent can look into a socket.
const canTellQuiet = true

// silent makes what tells whether the socket of a connection is open with
// nothing to read in it. It must not be called while something reads.
func silent(conn net.Conn) func() bool {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return func() bool { return false }
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return func() bool { return false }
	}
	var seen error
	var one [1]byte
	look := func(fd uintptr) {
		_, seen = syscall.Read(int(fd), one[:]) // sockets of net do not block
	}
	return func() bool { return raw.Control(look) == nil && seen == syscall.EAGAIN }
}
