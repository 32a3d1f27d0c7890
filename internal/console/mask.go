package console

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Masked is a text that tells nothing of a person. Only the functions here make
// one that is not empty, so that no plain text gets onto a page by mistake.
type Masked struct{ text string }

// String is the text to be shown.
func (m Masked) String() string { return m.text }

const stars = "***"

// MaskName leaves the first letter of each word, as in J*** D***, of the first
// four words.
func MaskName(parts ...string) Masked {
	words := strings.Fields(strings.Join(parts, " "))
	words = words[:min(len(words), 4)]
	for i, word := range words {
		words[i] = initial(word) + stars
	}
	return Masked{strings.Join(words, " ")}
}

// MaskEmail leaves the first letters of both sides, as in d***@e***.
func MaskEmail(address string) Masked {
	if address == "" {
		return Masked{}
	}
	local, host, found := strings.Cut(address, "@")
	if !found {
		return Masked{initial(local) + stars}
	}
	return Masked{initial(local) + stars + "@" + initial(host) + stars}
}

// MaskPhone leaves the country code of a number that shows it, as in +33.***.
func MaskPhone(number string) Masked {
	if number == "" {
		return Masked{}
	}
	code, _, found := strings.Cut(number, ".")
	if !found || len(code) > 4 || !strings.HasPrefix(code, "+") {
		return Masked{stars}
	}
	return Masked{shown(code, 4) + "." + stars}
}

// initial is the first character, where it is a letter or digit.
func initial(word string) string {
	r, _ := utf8.DecodeRuneInString(word)
	if unicode.IsLetter(r) || unicode.IsDigit(r) {
		return string(r)
	}
	return ""
}

var (
	emails = regexp.MustCompile(`[^\s@<>"'(),;:]+@[^\s@<>"'(),;:]+`)
	phones = regexp.MustCompile(`\+\d[\d .()/-]{3,}\d`)
	// keys are v3 keys, v5 tokens, transfer codes: long, without a dot.
	keys = regexp.MustCompile(`[A-Za-z0-9_+/=-]{20,}`)
	// words are keys where paths and versions are too.
	words  = regexp.MustCompile(`[A-Za-z0-9]{20,}`)
	quoted = regexp.MustCompile(`(^|[\s(\[:=,])("[^"]*"|'[^']*'|“[^”]*”|«[^»]*»)`)
)

// MaskText takes out of a message of v5's what may be contact data or a secret:
// what is quoted, addresses, telephone numbers, what looks like a key, and the
// texts that are known to be private. It hides too much rather than too little.
func MaskText(text string, private ...string) Masked {
	// The longest first, so that none is hidden in part by another.
	private = slices.SortedFunc(slices.Values(private), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, p := range private {
		if utf8.RuneCountInString(p) >= 3 {
			text = strings.ReplaceAll(text, p, stars)
		}
	}
	text = quoted.ReplaceAllString(text, "$1"+stars)
	text = emails.ReplaceAllString(text, stars+"@"+stars)
	text = phones.ReplaceAllString(text, "+"+stars)
	return Masked{shown(keys.ReplaceAllString(text, stars), 1000)}
}

// MaskAgent is a User-Agent as it was sent, without what looks like a key.
func MaskAgent(agent string) Masked {
	return Masked{shown(words.ReplaceAllString(emails.ReplaceAllString(agent, stars+"@"+stars), stars), 200)}
}

// shown is a stranger's text fit to be looked at: valid, bounded, and without
// what could turn the direction of the text around it or hide in it.
func shown(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.In(r, unicode.Zl, unicode.Zp) {
			return '·'
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
