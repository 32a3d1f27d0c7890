//go:build unix

package store

import (
	"io/fs"
	"os"
	"syscall"
)

// lacksModes tells that files have no modes that say who may read them.
const lacksModes = false

func ownedByRoot(fi fs.FileInfo) bool {
	s, ok := fi.Sys().(*syscall.Stat_t)
	return ok && s.Uid == 0
}

// giveTo makes a file that of the owner of another one: a tool that root runs
// must not take the store away from the daemon.
func giveTo(path string, like fs.FileInfo) error {
	s, ok := like.Sys().(*syscall.Stat_t)
	if !ok || int(s.Uid) == os.Geteuid() && int(s.Gid) == os.Getegid() {
		return nil
	}
	return os.Chown(path, int(s.Uid), int(s.Gid))
}
