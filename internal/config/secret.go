package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// mostSecret bounds the file of a secret.
const mostSecret = 64 << 10

// credential is the path of a credential that systemd passed (LoadCredential=),
// or "".
func credential(env map[string]string, name string) string {
	dir := env["CREDENTIALS_DIRECTORY"]
	if dir == "" {
		return ""
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// readSecrets reads the files that the tenants name. A relative path is a
// credential of systemd where there is one of that name, else it stands beside
// the configuration file.
func (l *Loaded) readSecrets(file string, env map[string]string) {
	for i := range l.Tenants {
		t := &l.Tenants[i]
		for _, k := range tenantKeys {
			path, _ := k.field(t).(*string)
			if k.fills == "" || *path == "" {
				continue
			}
			found := *path
			if !filepath.IsAbs(found) {
				if found = credential(env, *path); found == "" {
					found = filepath.Join(filepath.Dir(file), *path)
				}
			}
			at := slot{i, k.key}
			if err := l.fill(slot{i, k.fills}, t, found); err != nil {
				l.fail(at, l.origins[at], err)
			} else if dir := env["CREDENTIALS_DIRECTORY"]; dir == "" || filepath.Dir(found) != filepath.Clean(dir) {
				// systemd grants its files by access lists, which show as wider modes.
				l.warnWide(found)
			}
		}
	}
}

// fill puts the content of a file into the field that it stands for.
func (l *Loaded) fill(at slot, t *Tenant, path string) error {
	lines, err := secretLines(path)
	if err != nil {
		return err
	}
	switch field := rowOf(at.key).field(t).(type) {
	case *[]string:
		*field = append(*field, lines...)
	case *string:
		if *field != "" {
			return fmt.Errorf("%s is given too; give one", at.key)
		}
		if len(lines) > 1 {
			return fmt.Errorf("%s has more than one line", path)
		}
		*field = lines[0]
	}
	if _, ok := l.origins[at]; !ok {
		l.origins[at] = origin{"file", path}
	}
	return nil
}

func rowOf(key string) *row[Tenant] {
	for i := range tenantKeys {
		if tenantKeys[i].key == key {
			return &tenantKeys[i]
		}
	}
	return nil
}

// secretLines are the lines of a file, without those at its end that are empty.
// An error shows nothing of them.
func secretLines(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, mostSecret+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > mostSecret {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, mostSecret)
	}
	text := strings.TrimRight(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n")
	if text == "" {
		return nil, errors.New(path + " is empty")
	}
	return strings.Split(text, "\n"), nil
}

// warnWide warns of a file with secrets that others than its owner may use.
func (l *Loaded) warnWide(path string) {
	info, err := os.Stat(path)
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&^0o600 != 0 {
		l.Warnings = append(l.Warnings, fmt.Sprintf("%s holds a secret and has mode %04o; 0600 is enough", path, info.Mode().Perm()))
	}
}
