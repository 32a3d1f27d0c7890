package record

import (
	"cmp"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"v3gate/internal/telemetry"
	"v3gate/internal/xmlrpc"
)

// redaction takes secrets and contact data out of one exchange. It goes over all
// of it twice: first it learns what is to be hidden, then it writes, and what it
// has learned in one place is hidden in every other, too.
type redaction struct {
	salt    *salt
	about   map[string]bool   // domain names that the call is about; lower case
	fixed   map[string]string // what stands for the key, the organization, the call's id
	found   map[string]string // what stands for each text that was hidden
	ours    map[string]bool   // addresses of mail that are stand-ins
	secrets map[string]bool   // those of them that nobody may ever see
	writing bool
	longest []string // of found, longest first
}

// place is where a value stands.
type place struct {
	name   string
	hidden bool // within something that is hidden as a whole
	person bool // a member of something that describes a person
}

// whole are members of which everything inside is hidden.
var whole = map[string]bool{"extra_parameters": true, "shippingaddress": true, "shipping_address": true, "responder": true}

// spoken are names that hide a value everywhere, beside those that the log hides.
var spoken = map[string]bool{"login": true, "source": true, "alias": true, "aliases": true, "destinations": true, "username": true}

// ofPerson are names that hide a value of a person or an organization.
var ofPerson = map[string]bool{"name": true, "brand_number": true, "jo_announce_number": true,
	"jo_announce_page": true, "jo_declaration_date": true, "jo_publication_date": true}

// persons are members whose value is a person or an organization though it may
// have little more than a name.
var persons = map[string]bool{"sharing_space": true, "organization": true, "user": true}

// shownNames are hidden in the log, and needed here: they are no secret, and a call
// would not bind, or mean the same, with a stand-in.
var shownNames = map[string]bool{"country": true, "type": true, "lang": true, "birth_country": true, "public_key": true,
	"publickey": true, "keytag": true, "security_question_num": true}

func (p place) hides() bool {
	switch name := strings.ToLower(p.name); {
	case shownNames[name]:
		return false
	case p.hidden, spoken[name], p.person && ofPerson[name]:
		return true
	}
	return telemetry.Hides(p.name)
}

// credential tells whether the value is a secret of which not a trace may stay.
func (p place) credential() bool {
	name := strings.ToLower(p.name)
	for _, word := range [...]string{"password", "passwd", "authinfo", "auth_info", "authcode", "apikey", "token", "secret"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

func (p place) member(name string, names []string) place {
	in := place{name: name, hidden: p.hidden || whole[strings.ToLower(name)], person: persons[strings.ToLower(p.name)]}
	for _, n := range names {
		switch strings.ToLower(n) {
		case "streetaddr", "given", "family", "orgname":
			in.person = true
		}
	}
	return in
}

// text is a text at a place: its stand-in, or the text with a stand-in for each
// thing in it that is hidden elsewhere.
func (r *redaction) text(p place, s string) string {
	if to, ok := r.fixed[s]; ok {
		return to
	}
	if p.name == "tenant" && s == Fixture {
		return s
	}
	if to, ok := r.found[s]; ok && p.hides() {
		return to
	}
	if p.hides() && !plain(s) || emailForm.MatchString(s) {
		to := r.salt.standIn(s, r.about)
		if p.initials() && !emailForm.MatchString(s) {
			to = keepInitials(s, to)
		}
		if to != s && !r.writing {
			r.found[s] = to
			if p.credential() {
				r.secrets[s] = true
			}
		}
		return to
	}
	s = r.mails(s)
	if !r.writing {
		return s
	}
	return r.within(s)
}

// mails replaces addresses of mail within a text, such as a record of DMARC.
func (r *redaction) mails(s string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	return mailWithin.ReplaceAllStringFunc(s, func(mail string) string {
		if r.ours[mail] {
			return mail
		}
		to := r.salt.standIn(mail, r.about)
		if r.found[mail], r.ours[to] = to, true; to == mail {
			delete(r.found, mail)
		}
		return to
	})
}

var (
	mailWithin = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+`)
	handleForm = regexp.MustCompile(`^[A-Za-z]{1,6}[0-9]{0,9}-GANDI$`)
	timeForm   = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T[0-9:.]+(Z|[+-][0-9:]+)?$`)
)

// plain tells of what is no secret whatever its name: handles, points in time, and
// words that stand for a truth.
func plain(s string) bool {
	return s == "" || s == "true" || s == "false" || handleForm.MatchString(s) || timeForm.MatchString(s)
}

// initials tells of names of which handles are made.
func (p place) initials() bool {
	switch strings.ToLower(p.name) {
	case "given", "family", "orgname", "firstname", "lastname":
		return true
	}
	return false
}

// keepInitials gives the words of a stand-in the first letters of the original:
// handles are made of them, and stay.
func keepInitials(from, to string) string {
	f, t := []rune(from), []rune(to)
	for i := range f {
		if i < len(t) && (i == 0 || !unicode.IsLetter(f[i-1]) && !unicode.IsDigit(f[i-1])) {
			t[i] = f[i]
		}
	}
	return string(t)
}

// shortest is the length from which a hidden text is looked for in others. A
// shorter one may be part of an ordinary word.
const shortest = 3

// within replaces what was hidden elsewhere in a text that is not hidden itself:
// all of it, a part of an address, or a word of a sentence.
func (r *redaction) within(s string) string {
	if to, ok := r.found[s]; ok && len(s) >= shortest {
		return to
	}
	for from, to := range r.fixed {
		s = strings.ReplaceAll(s, from, to)
	}
	if strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "/") {
		return r.target(s)
	}
	for _, from := range r.longest {
		sentence := strings.ContainsFunc(s, unicode.IsSpace) && len(from) >= shortest
		if len(from) < shortest { // only what is quoted
			s = strings.ReplaceAll(s, "'"+from+"'", "'"+r.found[from]+"'")
		}
		if sentence || r.secrets[from] && len(from) >= shortest || emailForm.MatchString(from) {
			s = replaceWords(s, from, r.found[from])
		}
	}
	return s
}

// replaceWords replaces what is not part of a longer word.
func replaceWords(s, from, to string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, from)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		end := i + len(from)
		if from == "" {
			return s
		}
		inside := i > 0 && wordByte(s[i-1]) && wordByte(from[0]) || end < len(s) && wordByte(s[end]) && wordByte(from[len(from)-1])
		b.WriteString(s[:i])
		if inside {
			b.WriteString(from)
		} else {
			b.WriteString(to)
		}
		s = s[end:]
	}
}

func wordByte(c byte) bool {
	return c >= 0x80 || c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// routeSegments are the parts of a path that are the route and no value of it:
// "", v5, email, forwards.
const routeSegments = 4

// target is a path and query, or an address, with the values in it replaced.
func (r *redaction) target(s string) string {
	path, query, hasQuery := strings.Cut(s, "?")
	scheme := ""
	if i := strings.Index(path, "://"); i >= 0 {
		if j := strings.IndexByte(path[i+3:], '/'); j >= 0 {
			scheme, path = path[:i+3+j], path[i+3+j:]
		}
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil && i >= routeSegments {
			if to, ok := r.replacement(plain); ok {
				parts[i] = url.PathEscape(to)
			}
		}
	}
	s = scheme + strings.Join(parts, "/")
	if !hasQuery {
		return s
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(value)
		if err != nil {
			continue
		}
		if p := (place{name: name}); p.hides() {
			pairs[i] = name + "=" + url.QueryEscape(r.text(p, plain))
		} else if to, ok := r.replacement(plain); ok {
			pairs[i] = name + "=" + url.QueryEscape(to)
		}
	}
	return s + "?" + strings.Join(pairs, "&")
}

func (r *redaction) replacement(plain string) (string, bool) {
	if to, ok := r.fixed[plain]; ok {
		return to, true
	}
	if to, ok := r.found[plain]; ok {
		return to, true
	}
	if emailForm.MatchString(plain) {
		return r.salt.standIn(plain, r.about), true
	}
	return "", false
}

// write ends learning.
func (r *redaction) write() {
	r.writing = true
	r.longest = slices.SortedFunc(maps.Keys(r.found), func(a, b string) int {
		return cmp.Or(len(b)-len(a), strings.Compare(a, b))
	})
}

// value is a value of v3, of the same kind.
func (r *redaction) value(p place, v xmlrpc.Value) xmlrpc.Value {
	switch v.Kind() {
	case xmlrpc.KindStruct:
		names := make([]string, v.Len())
		for i := range names {
			names[i] = v.Member(i).Name
		}
		members := make([]xmlrpc.Member, v.Len())
		for i := range members {
			m := v.Member(i)
			members[i] = xmlrpc.M(m.Name, r.value(p.member(m.Name, names), m.Value))
		}
		return xmlrpc.Struct(members...)
	case xmlrpc.KindArray:
		return xmlrpc.ArrayOf(v.Len(), func(i int) xmlrpc.Value { return r.value(p, v.Index(i)) })
	case xmlrpc.KindString:
		if v.IsNil() {
			return xmlrpc.Nil() // it means that, and would be an empty string
		}
		return xmlrpc.String(r.text(p, v.Text()))
	}
	if !p.hides() {
		return v
	}
	return r.scalar(p, v)
}

// scalar is the stand-in for what is hidden and no text.
func (r *redaction) scalar(p place, v xmlrpc.Value) xmlrpc.Value {
	switch v.Kind() {
	case xmlrpc.KindInt:
		n, err := strconv.ParseInt(r.text(p, v.Text()), 10, 64)
		if err != nil || n > 1<<31-1 || n < -1<<31 {
			n = 1_111_111_111
		}
		return xmlrpc.Int(n)
	case xmlrpc.KindDouble:
		f, err := strconv.ParseFloat(r.text(p, v.Text()), 64)
		if err != nil {
			f = 1111
		}
		return xmlrpc.Double(f)
	case xmlrpc.KindBase64:
		return xmlrpc.Base64(r.bytes(p, v.Text()))
	case xmlrpc.KindDateTime:
		if p.credential() { // when a transfer code ends is no secret
			return v
		}
		at, _ := v.Time()
		at, err := time.Parse(time.DateOnly, r.text(p, at.Format(time.DateOnly)))
		if err != nil {
			at = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		return xmlrpc.DateTime(at)
	}
	return v
}

// bytes is the stand-in for what came as base64: text, in UTF-8 or, from Perl, in
// Latin-1.
func (r *redaction) bytes(p place, raw string) []byte {
	if utf8.ValidString(raw) {
		return []byte(r.text(p, raw))
	}
	runes := make([]rune, len(raw))
	for i := range len(raw) {
		runes[i] = rune(raw[i])
	}
	var out []byte
	for _, c := range r.text(p, string(runes)) {
		out = append(out, byte(c))
	}
	return out
}
