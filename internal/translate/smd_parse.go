package translate

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of a signed mark. Real files have some 10 KB, most of it certificates.
const (
	maxSMDBytes    = 256 << 10 // of the file as the caller gave it
	maxSMDDepth    = 24
	maxSMDElements = 2000
	maxSMDLabels   = 1000
)

const (
	smdSpace  = "urn:ietf:params:xml:ns:signedMark-1.0"
	markSpace = "urn:ietf:params:xml:ns:mark-1.0"
	smdBegin  = "-----BEGIN ENCODED SMD-----"
	smdEnd    = "-----END ENCODED SMD-----"
)

// signedMark is what a signed mark says of itself (RFC 7848). The signature is
// not verified.
type signedMark struct {
	UID          string    // smd:id
	Expire       time.Time // smd:notAfter
	MarkID       string
	MarkName     string
	Labels       []string
	HolderName   string // of the first holder
	HolderOrg    string
	Jurisdiction string // of a trademark
	RegNum       string // of a trademark; the reference of another kind of mark
	Holders      int    // how many there are
}

// parseSMD reads a signed mark: an SMD file with an encoded part, bare base64, or
// XML. Its error says in words for the caller what is wrong.
func parseSMD(text string) (signedMark, error) {
	if len(text) > maxSMDBytes {
		return signedMark{}, fmt.Errorf("it is longer than %d bytes", maxSMDBytes)
	}
	raw, err := decodeSMD(text)
	if err != nil {
		return signedMark{}, err
	}
	if !utf8.Valid(raw) {
		return signedMark{}, errors.New("it is not UTF-8")
	}
	return walkSMD(raw)
}

// decodeSMD gives the XML in any of the three forms.
func decodeSMD(text string) ([]byte, error) {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if strings.HasPrefix(text, "<") {
		return []byte(text), nil
	}
	if _, rest, ok := strings.Cut(text, smdBegin); ok {
		if text, _, ok = strings.Cut(rest, smdEnd); !ok {
			return nil, errors.New("its encoded part has no end")
		}
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, errors.New("it is neither XML nor base64")
	}
	return bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\ufeff"))), nil
}

// walkSMD reads the elements one by one, so that the bounds hold before memory is
// spent. Directives are refused, and with them every entity of a DOCTYPE.
func walkSMD(raw []byte) (signedMark, error) {
	dec := xml.NewDecoder(bytes.NewReader(raw))
	dec.CharsetReader = func(label string, _ io.Reader) (io.Reader, error) { return nil, errors.New("charset " + label) }
	var m signedMark
	var path []xml.Name
	var value strings.Builder
	for elements := 0; ; {
		token, err := dec.Token()
		if err == io.EOF {
			return m, m.complete()
		}
		if err != nil {
			return signedMark{}, errors.New("its XML is not well-formed UTF-8 XML")
		}
		switch t := token.(type) {
		case xml.Directive:
			return signedMark{}, errors.New("its XML has a DOCTYPE")
		case xml.StartElement:
			elements++
			if len(path) == 0 && (elements > 1 || t.Name != xml.Name{Space: smdSpace, Local: "signedMark"}) {
				return signedMark{}, errors.New("its XML is not one signedMark")
			}
			if path = append(path, t.Name); elements > maxSMDElements || len(path) > maxSMDDepth {
				return signedMark{}, errors.New("its XML has too many elements or levels")
			}
			if within := len(path) - 2; within >= 0 && isSMDValue(path[:within+1]) {
				return signedMark{}, errors.New("its id, date, name or label holds an element")
			}
			value.Reset()
		case xml.CharData:
			value.Write(t)
		case xml.EndElement:
			if err := m.take(path, strings.TrimSpace(value.String())); err != nil {
				return signedMark{}, err
			}
			path = path[:len(path)-1]
			value.Reset()
		}
	}
}

// take keeps the value of an element that v3 shows. A second id, date or name is
// an error: no caller shall see one and the registry another.
func (m *signedMark) take(path []xml.Name, value string) error {
	last := path[len(path)-1]
	switch {
	case len(path) == 2 && last == xml.Name{Space: smdSpace, Local: "id"}:
		return once(&m.UID, value)
	case len(path) == 2 && last == xml.Name{Space: smdSpace, Local: "notAfter"}:
		at, err := time.Parse(time.RFC3339, value)
		if err != nil || !m.Expire.IsZero() {
			return errors.New("its notAfter is not one date")
		}
		m.Expire = at.UTC()
	case len(path) >= 4 && path[1] == xml.Name{Space: markSpace, Local: "mark"} && last.Space == markSpace:
		return m.takeOfMark(path[3:], value)
	}
	return nil
}

// takeOfMark is take for an element below the mark. Of several holders the first one
// is shown.
func (m *signedMark) takeOfMark(path []xml.Name, value string) error {
	last := path[len(path)-1].Local
	if len(path) == 2 && path[0].Local == "holder" && m.Holders == 0 {
		switch last {
		case "name":
			return once(&m.HolderName, value)
		case "org":
			return once(&m.HolderOrg, value)
		}
	}
	if len(path) > 1 {
		return nil
	}
	switch last {
	case "id":
		return once(&m.MarkID, value)
	case "markName":
		return once(&m.MarkName, value)
	case "jurisdiction":
		return once(&m.Jurisdiction, value)
	case "regNum", "refNum":
		return once(&m.RegNum, value)
	case "holder":
		m.Holders++
	case "label":
		if m.Labels = append(m.Labels, value); len(m.Labels) > maxSMDLabels {
			return errors.New("it has too many labels")
		}
	}
	return nil
}

// isSMDValue tells the elements whose text take keeps. One that holds an element
// would be read in part.
func isSMDValue(path []xml.Name) bool {
	switch path[len(path)-1].Local {
	case "id", "notAfter", "markName", "label", "name", "org", "jurisdiction", "regNum", "refNum":
		return true
	}
	return false
}

func once(into *string, value string) error {
	if *into != "" {
		return errors.New("it has two ids or marks")
	}
	*into = value
	return nil
}

// complete says which of what v3 always shows is missing.
func (m *signedMark) complete() error {
	switch {
	case m.UID == "":
		return errors.New("it has no id")
	case m.Expire.IsZero():
		return errors.New("it has no notAfter")
	case m.MarkName == "":
		return errors.New("it has no markName")
	}
	return nil
}
