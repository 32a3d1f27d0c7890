//go:build !unix

package v5

import "net"

// canTellQuiet: no connection is kept for reads where nobody can look into a
// socket without waiting; net/http sends them.
const canTellQuiet = false

func silent(net.Conn) func() bool { return func() bool { return false } }
