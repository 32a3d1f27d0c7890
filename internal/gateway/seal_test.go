package gateway

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"v3gate/internal/config"
)

// A gateway that is given a key keeps its store sealed from the first byte: the
// file has no contact text, and opens with the key only.
func TestASealedStoreIsServed(t *testing.T) {
	key := filepath.Join(t.TempDir(), "seal.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("0123456789abcdef", 4)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *config.Config) { c.SealKeyFile = key })
	handle := r.register(t, keyA, "sealed.net")
	if got := r.must(t, "contact.info", keyA, handle)["family"]; got != "Quackenbush" {
		t.Errorf("read back: %v", got)
	}
	cfg := r.cfg
	r.stop()
	raw, err := os.ReadFile(r.store)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"Quackenbush", "Xylophone", "quackenbush.example"} {
		if bytes.Contains(raw, []byte(text)) {
			t.Errorf("the file holds %q", text)
		}
	}
	cfg.SealKeyFile = ""
	if g, err := New(cfg, Hooks{}); err == nil {
		t.Error("it opens without its key")
		g.Stop(t.Context())
	}
	cfg.SealKeyFile = key + ".gone"
	if _, err := New(cfg, Hooks{}); err == nil || !strings.Contains(err.Error(), "seal-key-file") {
		t.Errorf("a key file that is not there: %v", err)
	}
}
