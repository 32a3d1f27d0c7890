package v5

import (
	"bytes"
	"encoding/json"
	"strings"
)

// shortestHidden is the length from which a secret is taken out of texts. A
// shorter one may be part of an ordinary word; v5's keys have 24 characters and
// more, the transfer codes in its documentation 8 and more.
const shortestHidden = 6

// IsSecret tells whether a member of a request holds what only v5 may see: the
// transfer code, a password (of a mailbox, and x-my_admin_contact_password among
// the extra parameters), the key in x-aero_ens_authkey.
func IsSecret(member string) bool {
	member = strings.ToLower(member)
	return member == "authinfo" || strings.Contains(member, "password") || strings.HasSuffix(member, "authkey")
}

// mask is a JSON body with a mark in place of the values of secret members,
// wherever they stand, and those values as far as they are text. All else stays
// as it is. A body that cannot be read is hidden as a whole.
func mask(body []byte) (shown string, secrets []string) {
	if len(body) == 0 {
		return "", nil
	}
	var out bytes.Buffer
	if err := maskInto(&out, body, &secrets); err != nil {
		return hidden, nil
	}
	return out.String(), secrets
}

// maskInto writes the masked form of one JSON value.
func maskInto(out *bytes.Buffer, value json.RawMessage, secrets *[]string) error {
	dec := json.NewDecoder(bytes.NewReader(value))
	open, err := dec.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') && open != json.Delim('[') {
		out.Write(value)
		return nil
	}
	out.WriteString(open.(json.Delim).String())
	for n := 0; dec.More(); n++ {
		if n > 0 {
			out.WriteByte(',')
		}
		secret := false
		if open == json.Delim('{') {
			var name json.RawMessage
			key, err := dec.Token()
			if err != nil {
				return err
			}
			if name, err = json.Marshal(key); err != nil {
				return err
			}
			out.Write(name)
			out.WriteByte(':')
			secret = IsSecret(key.(string))
		}
		var inner json.RawMessage
		if err := dec.Decode(&inner); err != nil {
			return err
		}
		if secret {
			keep(inner, secrets)
			inner = json.RawMessage(`"` + hidden + `"`)
		}
		if err := maskInto(out, inner, secrets); err != nil {
			return err
		}
	}
	end, err := dec.Token()
	if err != nil {
		return err
	}
	out.WriteString(end.(json.Delim).String())
	return nil
}

// keep adds the texts in a value to the secrets.
func keep(value json.RawMessage, secrets *[]string) {
	var text string
	if json.Unmarshal(value, &text) == nil && text != "" {
		*secrets = append(*secrets, text)
	}
}

// without is a text with a mark in place of every secret in it.
func without(text string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) >= shortestHidden {
			text = strings.ReplaceAll(text, secret, hidden)
		}
	}
	return text
}
