package store

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// credentialPrefix names a key that systemd hands over: credential:NAME is the
// file NAME in $CREDENTIALS_DIRECTORY.
const credentialPrefix = "credential:"

// ReadRing reads the keys of a ring from their files, the current one first.
// Without a current one there is no ring.
func ReadRing(current string, older ...string) (*Ring, error) {
	if current == "" {
		if len(older) > 0 {
			return nil, errors.New("an old sealing key is given and no current one")
		}
		return nil, nil
	}
	r := &Ring{}
	for _, name := range append([]string{current}, older...) {
		k, err := ReadSealKey(name)
		if err != nil {
			return nil, err
		}
		r.keys = append(r.keys, k)
	}
	return r, nil
}

// ReadSealKey reads a key from a file, or with credential:NAME from a credential
// of systemd: 32 bytes in hex or base64. A file that others can read is refused.
// No error shows anything of what is in it.
func ReadSealKey(name string) (SealKey, error) {
	path, err := keyPath(name)
	if err != nil {
		return SealKey{}, fmt.Errorf("read sealing key %s: %w", name, err)
	}
	text, err := readSecret(path)
	if err != nil {
		return SealKey{}, fmt.Errorf("read sealing key %s: %w", name, err)
	}
	secret, err := decodeKey(strings.TrimSpace(text))
	if err != nil {
		return SealKey{}, fmt.Errorf("read sealing key %s: %w", name, err)
	}
	k, err := NewSealKey(secret)
	if err != nil {
		return SealKey{}, fmt.Errorf("read sealing key %s: %w", name, err)
	}
	return k, nil
}

func keyPath(name string) (string, error) {
	credential, ok := strings.CutPrefix(name, credentialPrefix)
	if !ok {
		return name, nil
	}
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	switch {
	case credential == "" || credential != filepath.Base(credential):
		return "", errors.New("a credential's name is one word")
	case dir == "":
		return "", errors.New("$CREDENTIALS_DIRECTORY is not set: run it as a systemd service with LoadCredential=" + credential + ":FILE, or name the file")
	}
	return filepath.Join(dir, credential), nil
}

func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return "", err
	}
	if err := CheckSecretMode(path, fi); err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	return string(text), err
}

// CheckSecretMode says what is wrong with the mode of a file that holds a
// secret: nobody but its owner may read it, or, where that is root, its group,
// too, which is how systemd and Kubernetes hand secrets over.
func CheckSecretMode(path string, fi fs.FileInfo) error {
	most := fs.FileMode(0o700)
	if ownedByRoot(fi) {
		most = 0o740
	}
	switch {
	case !fi.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", path)
	case fi.Mode().Perm()&^most != 0 && !lacksModes:
		return fmt.Errorf("%s has mode %04o, so that others can read it; run: chmod 600 %s", path, fi.Mode().Perm(), path)
	}
	return nil
}

func decodeKey(text string) (secret [32]byte, err error) {
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		if b, err := decode(text); err == nil && len(b) == len(secret) {
			return [32]byte(b), nil
		}
	}
	return secret, errors.New("it is not 32 bytes in hex or base64; make one with: (umask 077; openssl rand -hex 32 >FILE)")
}
