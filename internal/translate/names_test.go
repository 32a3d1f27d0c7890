package translate

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// The short way for plain names takes only what the rules would leave as it is.
func TestPlainNamesAreNormal(t *testing.T) {
	parts := []string{"a", "b", "0", "9", "-", ".", "--", "xn--", "é", "A", "_", " ", "ab", "com", ".com"}
	random := rand.New(rand.NewPCG(1, 2))
	plain := 0
	for range 100_000 {
		var b strings.Builder
		for range 1 + random.IntN(7) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		name := b.String()
		if !isNormal(name) {
			continue
		}
		plain++
		if ascii, err := names.ToASCII(name); err != nil || ascii != name || !wellFormed(ascii) {
			t.Fatalf("%q is %q, %v", name, ascii, err)
		}
	}
	if plain < 1000 || isNormal("xn--a-9ca.net") || isNormal("A.net") || isNormal("net") {
		t.Errorf("%d names are plain", plain)
	}
}
