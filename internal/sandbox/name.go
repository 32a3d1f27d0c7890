package sandbox

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

var (
	labelForm   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	serverLabel = regexp.MustCompile(`^ns-[0-9]{1,3}-[abc]\.gandi\.net$`)
)

// fqdnError says what is wrong with a domain name in ASCII form, "" meaning
// nothing.
func fqdnError(name string) string {
	labels := strings.Split(strings.ToLower(name), ".")
	if len(labels) < 2 || len(name) > 253 {
		return "is not a domain name"
	}
	for _, l := range labels {
		if len(l) > 63 || !labelForm.MatchString(l) {
			return "is not a domain name"
		}
	}
	return ""
}

func ipError(s string) string {
	if _, err := netip.ParseAddr(s); err != nil {
		return "is not an IP address"
	}
	return ""
}

// unicodeName decodes the punycode labels of a name (RFC 3492); a label that
// does not decode stays as it is.
func unicodeName(fqdn string) string {
	labels := strings.Split(fqdn, ".")
	for i, l := range labels {
		if rest, encoded := strings.CutPrefix(l, "xn--"); encoded {
			if plain, ok := decodeLabel(rest); ok {
				labels[i] = plain
			}
		}
	}
	return strings.Join(labels, ".")
}

func decodeLabel(in string) (string, bool) {
	const base, tmin, tmax = 36, 1, 26
	n, i, bias := 128, 0, 72
	var out []rune
	if at := strings.LastIndexByte(in, '-'); at >= 0 {
		out, in = []rune(in[:at]), in[at+1:]
	}
	for pos := 0; pos < len(in); {
		old, weight := i, 1
		for k := base; ; k += base {
			if pos == len(in) {
				return "", false
			}
			digit := strings.IndexByte("abcdefghijklmnopqrstuvwxyz0123456789", in[pos])
			pos++
			if digit < 0 || i > 1<<40 || weight > 1<<40 {
				return "", false
			}
			i += digit * weight
			t := min(max(k-bias, tmin), tmax)
			if digit < t {
				break
			}
			weight *= base - t
		}
		bias = adapt(i-old, len(out)+1, old == 0)
		n += i / (len(out) + 1)
		i %= len(out) + 1
		if n > 0x10ffff {
			return "", false
		}
		out = append(out[:i], append([]rune{rune(n)}, out[i:]...)...)
		i++
	}
	return string(out), true
}

func adapt(delta, points int, first bool) int {
	delta /= 2
	if first {
		delta /= 350
	}
	delta += delta / points
	k := 0
	for ; delta > 455; k += 36 {
		delta /= 35
	}
	return k + 36*delta/(delta+38)
}

// uuidFrom is a uuid that depends on its parts alone.
func uuidFrom(parts ...any) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	h[6], h[8] = h[6]&0x0f|0x50, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// codeFrom is a transfer code like the recorded ones: ten characters, the last
// of them punctuation.
func codeFrom(parts ...any) string {
	const letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	h := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	code := make([]byte, 10)
	for i := range code {
		code[i] = letters[int(h[i])%len(letters)]
	}
	code[9] = "+!?"[int(h[9])%3]
	return string(code)
}

// liveServers are the three LiveDNS servers of a name. Their form is recorded,
// which number a domain gets is not known.
func liveServers(fqdn string) []string {
	n := int(sha256.Sum256([]byte(fqdn))[0])%255 + 1
	out := make([]string, 3)
	for i, letter := range []string{"a", "b", "c"} {
		out[i] = fmt.Sprintf("ns-%d-%s.gandi.net", n, letter)
	}
	return out
}

// serverKind is livedns, classic or other, judged by the servers' names.
func serverKind(servers []string) string {
	live, classic := len(servers) > 0, len(servers) > 0
	for _, ns := range servers {
		live = live && serverLabel.MatchString(ns)
		classic = classic && strings.HasSuffix(ns, ".dns.gandi.net")
	}
	switch {
	case live:
		return "livedns"
	case classic:
		return "classic"
	}
	return "other"
}
