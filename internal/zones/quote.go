package zones

import (
	"errors"
	"fmt"
	"strings"
)

// mostString is how long one character string of a TXT record can be (RFC 1035).
const mostString = 255

// textOf reads the value of a TXT record: strings in double quotes one after the
// other, or a text without quotes, which is one string as it is, blanks included.
func textOf(value string) ([]string, error) {
	if strings.HasPrefix(value, `"`) {
		return quotedTexts(value)
	}
	if strings.Contains(value, `"`) {
		return nil, errors.New("the double quotes do not begin at its begin")
	}
	return []string{value}, nil
}

// quotedTexts reads strings in double quotes, with \ before a character and \ddd
// for a byte (RFC 1035, section 5.1).
func quotedTexts(value string) (texts []string, err error) {
	var text strings.Builder
	quoted := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"':
			if quoted {
				texts = append(texts, text.String())
				text.Reset()
			}
			quoted = !quoted
		case !quoted && c == ' ':
		case !quoted:
			return nil, errors.New("something stands outside of the double quotes")
		case c != '\\':
			text.WriteByte(c)
		default:
			b, n, err := escaped(value[i+1:])
			if err != nil {
				return nil, err
			}
			text.WriteByte(b)
			i += n
		}
	}
	if quoted {
		return nil, errors.New("the double quotes are not closed")
	}
	return texts, nil
}

// escaped reads what stands behind a backslash.
func escaped(rest string) (b byte, n int, err error) {
	if rest == "" {
		return 0, 0, errors.New("nothing stands behind the last backslash")
	}
	if c := rest[0]; c < '0' || c > '9' {
		return c, 1, nil
	}
	code := 0
	for n = 0; n < 3; n++ {
		if n >= len(rest) || rest[n] < '0' || rest[n] > '9' {
			return 0, 0, errors.New("a backslash and a digit need three digits")
		}
		code = 10*code + int(rest[n]-'0')
	}
	if code > 255 {
		return 0, 0, fmt.Errorf("\\%d is no byte", code)
	}
	return byte(code), n, nil
}

// quote writes strings in double quotes; one that is too long becomes several.
func quote(texts []string) string {
	var out strings.Builder
	for _, text := range texts {
		for first := true; first || text != ""; first = false {
			part := text[:min(len(text), mostString)]
			text = text[len(part):]
			if out.Len() > 0 {
				out.WriteByte(' ')
			}
			out.WriteByte('"')
			for i := range len(part) {
				switch c := part[i]; {
				case c == '"' || c == '\\':
					out.WriteByte('\\')
					out.WriteByte(c)
				case c < ' ' || c > '~':
					fmt.Fprintf(&out, "\\%03d", c)
				default:
					out.WriteByte(c)
				}
			}
			out.WriteByte('"')
		}
	}
	return out.String()
}
