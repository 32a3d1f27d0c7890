package sandbox

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
)

// dnskey is a DNSSEC key of a domain.
type dnskey struct {
	id, algorithm  int
	typ, publicKey string
}

// mostKeys is v3's documented limit; that v5 has the same is inferred.
const mostKeys = 4

func dnskeyRoutes() []route {
	path := "/domain/domains/{d}/dnskeys"
	key := []member{
		{name: "algorithm", need: true, kind: whole, min: 0, max: 255},
		{name: "public_key", need: true, kind: text, check: base64Error},
		{name: "type", need: true, kind: text, words: []string{"none", "zsk", "ksk"}},
	}
	return []route{
		{
			method: "GET", pattern: path, success: 200, query: paging(), find: (*Sandbox).findDomain,
			do: func(s *Sandbox, c *call) answer {
				items := []any{}
				for _, k := range c.domain.keys {
					items = append(items, keyItem(c, k))
				}
				return page(c, items, len(items))
			},
		},
		{
			method: "POST", pattern: path, success: 202, find: (*Sandbox).findDomain, body: &shape{members: key},
			check: func(s *Sandbox, c *call) *answer {
				if len(c.domain.keys) >= mostKeys {
					return stateError("the domain has as many keys as it can have")
				}
				public := textOf(c.body, "public_key")
				if slices.ContainsFunc(c.domain.keys, func(k dnskey) bool { return k.publicKey == public }) {
					return conflict("Duplicate Entry", "the key is there already", problem{Location: "body", Name: "public_key"})
				}
				return nil
			},
			do: func(s *Sandbox, c *call) answer {
				d := c.domain
				s.counter++
				k := dnskey{id: s.counter, algorithm: wholeOf(c.body, "algorithm", 0), typ: textOf(c.body, "type"), publicKey: textOf(c.body, "public_key")}
				s.change(d, func() { d.keys = append(slices.Clone(d.keys), k) })
				return accepted("the key is being added", "")
			},
		},
		{
			method: "DELETE", pattern: path + "/{id}", success: 202, find: (*Sandbox).findKey,
			do: func(s *Sandbox, c *call) answer {
				d, id := c.domain, c.vars["id"]
				s.change(d, func() {
					d.keys = slices.DeleteFunc(slices.Clone(d.keys), func(k dnskey) bool { return strconv.Itoa(k.id) == id })
				})
				return accepted("the key is being deleted", "")
			},
		},
	}
}

func (s *Sandbox) findKey(c *call) *answer {
	if a := s.findDomain(c); a != nil {
		return a
	}
	if !slices.ContainsFunc(c.domain.keys, func(k dnskey) bool { return strconv.Itoa(k.id) == c.vars["id"] }) {
		a := notFound()
		return &a
	}
	return nil
}

func base64Error(text string) string {
	if _, err := base64.StdEncoding.DecodeString(text); err != nil {
		return "is not base64"
	}
	return ""
}

// keyItem has a digest of the right form; it is not the registry's.
func keyItem(c *call, k dnskey) members {
	digest := sha256.Sum256([]byte(c.domain.fqdn + k.publicKey))
	return members{
		"id": k.id, "algorithm": k.algorithm, "type": k.typ, "public_key": k.publicKey,
		"digest": fmt.Sprintf("%X", digest), "digest_type": 2, "keytag": int(digest[0])<<8 | int(digest[1]),
		"href": c.url("/domain/domains/" + c.domain.fqdn + "/dnskeys/" + strconv.Itoa(k.id)),
	}
}
