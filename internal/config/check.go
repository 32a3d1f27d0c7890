package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a row of the tables may ask of its value. Each says what is wrong and the
// way out, or nothing. None repeats a secret.

func hostPort(field any) string {
	if s := *field.(*string); !isHostPort(s) {
		return fmt.Sprintf("%q is not HOST:PORT, such as 127.0.0.1:8080", s)
	}
	return ""
}

func hostPortIfGiven(field any) string {
	if *field.(*string) == "" {
		return ""
	}
	return hostPort(field)
}

func oldServer(field any) string {
	if *field.(*string) == "" {
		return ""
	}
	u, err := url.Parse(*field.(*string))
	if err != nil || u.User != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "it is no http or https address without a user, such as https://rpc.gandi.net/xmlrpc/"
	}
	return ""
}

func isHostPort(s string) bool {
	_, _, err := net.SplitHostPort(s)
	return err == nil
}

func given(field any) string {
	if *field.(*string) == "" {
		return "name the file that keeps handles and operations, such as --store /var/lib/v3gate/store.db"
	}
	return ""
}

func webAddress(field any) string {
	s := *field.(*string)
	u, err := url.Parse(s)
	if err != nil || u.User != nil {
		return "it cannot be read as an address, or holds a user; want one such as https://api.gandi.net/v5"
	}
	if u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" {
		return fmt.Sprintf("%q is not an http or https address such as https://api.gandi.net/v5", s)
	}
	return ""
}

func atLeast(least int64) func(any) string {
	return func(field any) string {
		if n := number(field); n < least {
			return fmt.Sprintf("%d is below %d", n, least)
		}
		return ""
	}
}

func above0(field any) string {
	if number(field) <= 0 {
		return fmt.Sprintf("%s is not above 0", text(field))
	}
	return ""
}

func aDay(field any) string {
	if time.Duration(number(field)) < 24*time.Hour {
		return fmt.Sprintf("%s is less than a day; callers still ask for operations of today", text(field))
	}
	return ""
}

func aDayOr0(field any) string {
	if d := time.Duration(number(field)); d != 0 && d < 24*time.Hour {
		return fmt.Sprintf("%s is neither 0 nor a day or more; calls are counted by day", text(field))
	}
	return ""
}

func firstID(field any) string {
	if n := number(field); n < 1 || n > 1<<31-1_000_000 {
		return fmt.Sprintf("%d is below 1 or too near 2147483648, where v3's ints end", n)
	}
	return ""
}

func oneOf(names ...string) func(any) string {
	return func(field any) string {
		for _, s := range words(field) {
			if !slices.Contains(names, s) {
				return fmt.Sprintf("%q is not %s or %s", s, strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
			}
		}
		return ""
	}
}

// matching checks the texts of a field, and shows them where they are no secret.
func matching(pattern, wrong string) func(any) string {
	p := regexp.MustCompile(pattern)
	return func(field any) string {
		for _, s := range words(field) {
			if !p.MatchString(s) {
				return strings.ReplaceAll(wrong, "%", fmt.Sprintf("%.100q", s))
			}
		}
		return ""
	}
}

var (
	v3Key      = matching(`^[A-Za-z0-9]{24}$`, "it is not 24 letters or digits")
	v3Handle   = matching(`^[A-Z]+[0-9]+-GANDI$`, "% is not like FLN123-GANDI")
	sha256Hex  = matching(`^[0-9A-Fa-f]{64}$`, "it is not a SHA-256 in hex, 64 digits")
	sendable   = matching(`^[!-~]+$`, "it holds blanks or characters that no header can have")
	methodPath = matching(`^[a-z0-9_.*]+:[^\s:]+$`, "% is not like domain.info:contacts.owner.id")
	tenantName = matching(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`, "% is not 1 to 64 letters, digits, dots, dashes and underscores")
)

// slot is a place for a value: a key of a tenant, or of the daemon.
type slot struct {
	tenant int // its index, or daemon
	key    string
}

const daemon = -1

// problem is what is wrong with one value.
type problem struct {
	slot
	text string
}

// problems are all that is wrong with the values.
func (c *Config) problems() (all []problem) {
	for _, s := range settings {
		if s.check != nil {
			if text := s.check(s.field(c)); text != "" {
				all = append(all, problem{slot{daemon, s.key}, text})
			}
		}
	}
	if len(c.Tenants) == 0 {
		all = append(all, problem{slot{daemon, "tenant"}, "there is none: set GATEWAY_V3_KEY and GATEWAY_V5_TOKEN (or GATEWAY_V5_APIKEY), " +
			"write a [[tenant]] into the file of --config, or try serve --sandbox"})
	}
	for i := range c.Tenants {
		all = append(all, c.Tenants[i].problems(i)...)
	}
	return append(all, c.between()...)
}

func (t *Tenant) problems(i int) (all []problem) {
	for _, k := range tenantKeys {
		if k.check != nil {
			if text := k.check(k.field(t)); text != "" {
				all = append(all, problem{slot{i, k.key}, text})
			}
		}
	}
	bad := func(key, text string) { all = append(all, problem{slot{i, key}, text}) }
	if t.Name == "" {
		bad("name", "it is missing; handles and operations are stored under it, so choose it for ever")
	}
	if len(t.Keys())+len(t.V3KeySHA256) == 0 && t.V3KeyFile == "" && !t.Anonymous {
		bad("v3_key", "it is missing (GATEWAY_V3_KEY): the key that your integration sends")
	}
	token, apikey := t.V5Token+t.V5TokenFile != "", t.V5APIKey+t.V5APIKeyFile != ""
	switch {
	case !token && !apikey:
		bad("v5_token", "the v5 credential is missing: set GATEWAY_V5_TOKEN, a personal access token, or GATEWAY_V5_APIKEY, or their keys in the file")
	case token && apikey:
		bad("v5_apikey", "both a v5 token and a v5 API key are given; give one")
	}
	if t.Limits.Rate > 0 && t.Limits.Window <= 0 {
		bad("rate_window", "it is not above 0")
	}
	return all
}

// called is the name of a tenant, or its number where it has none.
func (c *Config) called(i int) string {
	if name := c.Tenants[i].Name; name != "" {
		return name
	}
	return strconv.Itoa(i + 1)
}

// between finds what is wrong with tenants only as neighbours.
func (c *Config) between() (all []problem) {
	names, keys, anonymous := map[string]bool{}, map[string]int{}, -1
	for i, t := range c.Tenants {
		if names[t.Name] && t.Name != "" {
			all = append(all, problem{slot{i, "name"}, fmt.Sprintf("%q is used twice", t.Name)})
		}
		for _, hash := range t.hashes() {
			if other, ok := keys[hash]; ok {
				all = append(all, problem{slot{i, "v3_key"}, fmt.Sprintf("one of its v3 keys is given twice, here and for tenant %s", c.called(other))})
			}
			keys[hash] = i
		}
		if t.Anonymous && anonymous >= 0 {
			all = append(all, problem{slot{i, "anonymous"}, fmt.Sprintf("tenant %s is anonymous already; only one can be", c.called(anonymous))})
		}
		if t.Anonymous {
			anonymous = i
		}
		names[t.Name] = true
	}
	return all
}

// hashes are the SHA-256 of all keys, in lower-case hex.
func (t *Tenant) hashes() []string {
	var list []string
	for _, key := range t.Keys() {
		sum := sha256.Sum256([]byte(key))
		list = append(list, hex.EncodeToString(sum[:]))
	}
	for _, hash := range t.V3KeySHA256 {
		list = append(list, strings.ToLower(hash))
	}
	return list
}

// Validate says everything that is wrong with the values at once, each by its
// key. A configuration that was loaded knows more: see Loaded.Validate.
func (c Config) Validate() error { return (&Loaded{Config: c}).Validate() }
