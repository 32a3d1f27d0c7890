package certs

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The files of a directory of certificates.
const (
	CAFile    = "ca.pem"         // what clients trust
	CAKeyFile = "ca-key.pem"     // needed to renew; the gateway never reads it
	CertFile  = "server.pem"     // leaf, then CA
	KeyFile   = "server-key.pem" // the leaf's
)

const (
	certMode = 0o644
	keyMode  = 0o600
)

// Made is what a directory of certificates holds.
type Made struct {
	CA, Leaf *x509.Certificate
}

// Hosts are the names and addresses that the leaf is for.
func (m *Made) Hosts() []string { return hosts(m.Leaf) }

// Create makes a CA and a leaf and writes them into a directory, which it makes
// where it is missing. A file that is there already is never touched: then
// nothing is written at all.
func Create(dir string, r Request) (*Made, error) {
	var there []string
	for _, name := range []string{CAFile, CAKeyFile, CertFile, KeyFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			there = append(there, name)
		}
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("out: %s has %s already, and clients may trust it; "+
			"make a new certificate from its CA with --renew, or name another directory", dir, strings.Join(there, ", "))
	}
	ca, err := MakeCA(r)
	if err != nil {
		return nil, err
	}
	leaf, err := MakeLeaf(ca, r)
	if err != nil {
		return nil, err
	}
	caKey, err := keyPEM(ca.Key)
	if err != nil {
		return nil, err
	}
	key, err := keyPEM(leaf.Key)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the directory: %w", err)
	}
	return &Made{CA: ca.Cert, Leaf: leaf.Cert}, createAll(dir, []file{
		{CAKeyFile, caKey, keyMode}, {CAFile, certPEM(ca.Cert), certMode},
		{KeyFile, key, keyMode}, {CertFile, certPEM(leaf.Cert, ca.Cert), certMode},
	})
}

// Renew makes a new leaf, with a new key, from the CA that is in a directory. No
// hosts means those of the leaf that is there. Each file is replaced at once; a
// gateway that reloads between the two keeps the old pair.
func Renew(dir string, r Request) (*Made, error) {
	ca, err := loadCA(dir)
	if err != nil {
		return nil, err
	}
	if len(r.Hosts) == 0 {
		if r.Hosts, err = presentHosts(dir, ca.Cert); err != nil {
			return nil, err
		}
	}
	leaf, err := MakeLeaf(ca, r)
	if err != nil {
		return nil, err
	}
	key, err := keyPEM(leaf.Key)
	if err != nil {
		return nil, err
	}
	return &Made{CA: ca.Cert, Leaf: leaf.Cert}, replaceAll(dir, []file{
		{KeyFile, key, keyMode}, {CertFile, certPEM(leaf.Cert, ca.Cert), certMode},
	})
}

// loadCA reads the CA and its key.
func loadCA(dir string) (*Pair, error) {
	path := filepath.Join(dir, CAFile)
	pair, err := tls.LoadX509KeyPair(path, filepath.Join(dir, CAKeyFile))
	if err != nil {
		hint := "bring both files back, or make a new CA without --renew in another directory"
		if errors.Is(err, fs.ErrPermission) {
			hint = "call it as the user that owns the files"
		}
		return nil, fmt.Errorf("out: read the CA of %s (%s and %s): %w; %s", dir, CAFile, CAKeyFile, err, hint)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("out: %s is no CA's certificate", path)
	}
	return &Pair{Cert: pair.Leaf, Key: key}, nil
}

// presentHosts are the hosts of the leaf that is there, else those of the CA.
func presentHosts(dir string, ca *x509.Certificate) ([]string, error) {
	path := filepath.Join(dir, CertFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return permitted(ca), nil
	}
	if err != nil {
		return nil, fmt.Errorf("out: read the certificate to renew: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("out: %s has no certificate in PEM; name the hosts with --host", path)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("out: %s: %w; name the hosts with --host", path, err)
	}
	return hosts(leaf), nil
}

// hosts are the names and addresses of a leaf.
func hosts(leaf *x509.Certificate) []string {
	all := append([]string(nil), leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		all = append(all, ip.String())
	}
	return all
}

func certPEM(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.Bytes()
}

func keyPEM(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write the private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// file is one to be written.
type file struct {
	name string
	data []byte
	mode fs.FileMode
}

// createAll writes new files, or none.
func createAll(dir string, files []file) error {
	for i, f := range files {
		if err := f.create(filepath.Join(dir, f.name)); err != nil {
			for _, written := range files[:i] {
				err = errors.Join(err, os.Remove(filepath.Join(dir, written.name)))
			}
			return err
		}
	}
	return nil
}

// create writes a file that must not be there yet.
func (f file) create(path string) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	if err != nil {
		return fmt.Errorf("out: %w", err)
	}
	_, err = out.Write(f.data)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("out: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}

// replaceAll puts files in the place of older ones. All are written before the
// first is moved, so that a full disk leaves the old ones as they were.
func replaceAll(dir string, files []file) (err error) {
	staged := map[string]string{}
	defer func() {
		for _, temporary := range staged {
			err = errors.Join(err, os.Remove(temporary))
		}
	}()
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		suffix := make([]byte, 4)
		rand.Read(suffix) // never fails
		temporary := path + "." + hex.EncodeToString(suffix) + ".new"
		if err := f.create(temporary); err != nil {
			return err
		}
		staged[path] = temporary
		if err := f.like(path, temporary); err != nil {
			return fmt.Errorf("out: %w", err)
		}
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := os.Rename(staged[path], path); err != nil {
			return fmt.Errorf("out: %w; call --renew again, for one of the files may be new and the other old", err)
		}
		delete(staged, path)
	}
	return nil
}

// like gives a new file owner and mode of the one that it is to replace: the
// gateway's user must still be able to read it after root renewed it. A key is
// readable by its owner and group at most.
func (f file) like(path, temporary string) error {
	old, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	mode := old.Mode().Perm()
	if f.mode == keyMode {
		mode &= 0o640
	}
	return errors.Join(giveTo(temporary, old), os.Chmod(temporary, mode))
}
