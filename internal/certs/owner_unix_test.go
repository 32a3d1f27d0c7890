//go:build unix

package certs

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ownerOf(info fs.FileInfo) [2]uint32 {
	stat := info.Sys().(*syscall.Stat_t)
	return [2]uint32{stat.Uid, stat.Gid}
}

// What root renews stays readable by the gateway's user.
func TestRenewKeepsTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		lacking(t, "only root can give files away")
	}
	dir, _ := create(t, Request{Hosts: []string{gandi}})
	path := filepath.Join(dir, KeyFile)
	if err := os.Chown(path, 65534, 65534); err != nil {
		lacking(t, "this root cannot give files away: "+err.Error())
	}
	was, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Renew(dir, Request{}); err != nil {
		t.Fatal(err)
	}
	is, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ownerOf(was), ownerOf(is)); diff != "" {
		t.Errorf("owner (-want +got):\n%s", diff)
	}
}
