package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"v3gate/internal/store"
)

// lookAtStore looks whether the store can be opened, or who has it open.
func (d *Doctor) lookAtStore(ctx context.Context) []Finding {
	if d.Store.Path == "" {
		return []Finding{broken("no store is configured", "name the file with --store, or with store in the configuration")}
	}
	client, err := d.Store.daemon()
	switch {
	case err != nil:
		return []Finding{broken(err.Error(), "run doctor as the user of the daemon")}
	case client == nil:
		return d.lookAtFile()
	}
	defer client.CloseIdleConnections()
	v, err := readDaemon[StoreView](ctx, client, "/store")
	if err != nil {
		return []Finding{broken(err.Error(), "see the log of the gateway, and restart it")}
	}
	found := []Finding{fine("a gateway runs on %s: %s, %s free in it, %s", v.Path, size(v.Bytes), size(v.Free), sealedAs(v.Sealed))}
	if v.Replaced {
		found = append(found, broken("the file of the store was replaced or removed under the running gateway; what it writes is lost when it stops",
			"find out who did it; gateway backup saves what the running gateway knows; then stop it and put that backup in place"))
	}
	if v.Health != "" {
		found = append(found, broken("the disk does not take what is written: "+v.Health, "make room, or see why the volume is read-only"))
	}
	if v.OldKey {
		found = append(found, warning("the store is sealed with an old key", "stop the gateway, run gateway store rekey, and take the old key out of the configuration"))
	}
	return append(found, roomInStore(v.Bytes, v.Free)...)
}

// roomInStore says when a store is worth to be compacted.
func roomInStore(bytes, free int64) []Finding {
	if bytes < 64<<20 || free < bytes/2 {
		return nil
	}
	return []Finding{warning(fmt.Sprintf("%s of the store's %s hold nothing, and slow each commit down", size(free), size(bytes)),
		"stop the gateway once and run gateway store compact")}
}

func sealedAs(id string) string {
	if id == "" {
		return "not sealed"
	}
	return "sealed with key " + id
}

// lookAtFile opens the store that no daemon answers for.
func (d *Doctor) lookAtFile() []Finding {
	dir := filepath.Dir(d.Store.Path)
	if _, err := os.Stat(d.Store.Path); errors.Is(err, fs.ErrNotExist) {
		if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
			return []Finding{broken("there is no directory "+dir, "make it, for the user of the daemon, with mode 0700")}
		}
		return []Finding{warning("there is no store "+d.Store.Path+" yet", "nothing, before the first start; else the path is wrong, or the volume not mounted: do not start a gateway on an empty store")}
	}
	keys, err := d.Store.keys()
	if err != nil {
		return []Finding{broken(err.Error(), "give the file of the key that the store is sealed with")}
	}
	db, err := store.Inspect(d.Store.Path, lockWait, keys)
	switch {
	case errors.Is(err, store.ErrHeld):
		return []Finding{warning(fmt.Sprintf("a process has %s open and does not answer at %s", d.Store.Path, socketOf(d.Store.Path)),
			"see in its log why it has no socket; a file system without sockets costs the commands for operators only")}
	case errors.Is(err, store.ErrWrongKey):
		return []Finding{broken(err.Error(), "give the file of that key; a key that is lost cannot be replaced")}
	case err != nil:
		return []Finding{broken(err.Error(), "if it is damaged, restore a backup; see the chapter on the store")}
	}
	defer db.Close()
	return d.opened(db)
}

func (d *Doctor) opened(db *store.DB) []Finding {
	v := viewStore(db)
	switch {
	case v.Sealed != "" && d.Store.KeyFile == "":
		return []Finding{broken("the store is sealed with key "+v.Sealed+", and no key is given: the gateway will not start",
			"give the file of that key (--seal-key-file)")}
	case v.Sealed == "" && d.Store.KeyFile != "":
		return []Finding{broken("a key is given, and the store is not sealed: the gateway will not start",
			"seal it with gateway store rekey --key-file "+d.Store.KeyFile+", or give no key")}
	}
	found := []Finding{fine("%s can be opened, and no gateway runs on it: %s, %s free in it, %s", v.Path, size(v.Bytes), size(v.Free), sealedAs(v.Sealed))}
	if v.OldKey {
		found = append(found, warning("the store is sealed with an old key", "run gateway store rekey, and take the old key out of the configuration"))
	}
	if taken, err := db.BackupTaken(); err == nil && !taken.IsZero() {
		found = append(found, warning("the store is a backup of "+taken.Format("2006-01-02 15:04 MST"),
			"the next start takes it into use; look first at what has happened since, as the chapter on the store says"))
	}
	return append(found, roomInStore(v.Bytes, v.Free)...)
}

// lookInStore makes the quick part of the check.
func (d *Doctor) lookInStore(ctx context.Context) []Finding {
	if _, err := os.Stat(d.Store.Path); err != nil {
		return nil // lookAtStore says it
	}
	c, err := d.Store.Check(ctx, true)
	if errors.Is(err, store.ErrHeld) || errors.Is(err, store.ErrWrongKey) {
		return nil // likewise
	}
	const do = "stop the gateway, run gateway store check, and ask the makers before anything else is done to the file"
	if err != nil {
		return []Finding{broken(err.Error(), do)}
	}
	if c.Wrong == 0 {
		return []Finding{fine("what open operations depend on is consistent (%d open, %d hold a name); gateway store check looks at the rest",
			c.Keys["op-open"], c.Keys["op-guard"])}
	}
	var lines []string
	for _, i := range c.Found[:min(3, len(c.Found))] {
		lines = append(lines, i.String())
	}
	return []Finding{broken(fmt.Sprintf("%d inconsistencies, such as: %s", c.Wrong, strings.Join(lines, "; ")), do)}
}

// lookAtModes looks at who may read what only the daemon should.
func (d *Doctor) lookAtModes(context.Context) []Finding {
	if runtime.GOOS == "windows" {
		return []Finding{fine("files have no modes here")}
	}
	if d.Store.Path == "" {
		return nil // lookAtStore says it
	}
	var found []Finding
	files := append([]string{d.Store.Path, d.Store.Path + ".archive.jsonl", d.Config.Archive}, d.Secrets...)
	for _, t := range d.Config.Tenants {
		files = append(files, t.V3KeyFile, t.V5TokenFile, t.V5APIKeyFile)
	}
	for _, path := range files {
		fi, err := os.Stat(path)
		if path == "" || err != nil {
			continue
		}
		if err := store.CheckSecretMode(path, fi); err != nil {
			found = append(found, warning(err.Error(), "chmod 600 "+path))
		}
	}
	if d.Store.KeyFile != "" {
		if _, err := d.Store.keys(); err != nil {
			found = append(found, broken(err.Error(), "see to the key file: without it the gateway does not start on a sealed store"))
		}
	}
	if fi, err := os.Stat(socketOf(d.Store.Path)); err == nil && fi.Mode().Perm()&0o077 != 0 {
		found = append(found, broken(fmt.Sprintf("others may use the operators' socket %s (mode %04o)", socketOf(d.Store.Path), fi.Mode().Perm()),
			"chmod 600 "+socketOf(d.Store.Path)))
	}
	if fi, err := os.Stat(filepath.Dir(d.Store.Path)); err == nil && fi.Mode().Perm()&0o022 != 0 && fi.Mode()&fs.ModeSticky == 0 {
		found = append(found, broken(fmt.Sprintf("others may put files into %s (mode %04o): they could replace the store", filepath.Dir(d.Store.Path), fi.Mode().Perm()),
			"chmod 700 "+filepath.Dir(d.Store.Path)))
	}
	if len(found) == 0 {
		found = []Finding{fine("store, socket and files with secrets are private")}
	}
	return found
}

// leastFree is the free space below which a store is in danger.
const leastFree = 64 << 20

// lookAtDisk looks at the space on the store's volume.
func (d *Doctor) lookAtDisk(context.Context) []Finding {
	dir := filepath.Dir(d.Store.Path)
	free, total, err := d.free(dir)
	if err != nil {
		return []Finding{warning("the free space of "+dir+" is not known: "+err.Error(), "look at it by other means")}
	}
	used := int64(0)
	if fi, err := os.Stat(d.Store.Path); err == nil {
		used = fi.Size()
	}
	what := fmt.Sprintf("%s of %s are free at %s", size(int64(free)), size(int64(total)), dir)
	switch {
	case free < leastFree:
		return []Finding{broken(what+": soon the gateway takes no more calls that write", "make room")}
	case free < max(4*leastFree, 2*uint64(used)):
		return []Finding{warning(what+": not enough to compact a store of "+size(used)+", or to back it up there", "make room")}
	}
	return []Finding{fine("%s", what)}
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KiB", (n+1023)>>10)
}
