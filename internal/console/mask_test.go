package console

import (
	"strings"
	"testing"
)

func TestNamesAndAddressesAreMasked(t *testing.T) {
	for _, c := range []struct {
		got  Masked
		want string
	}{
		{MaskName("Jane", "Doe"), "J*** D***"},
		{MaskName("Émile", "de la Tour du Pin"), "É*** d*** l*** T***"},
		{MaskName("", ""), ""},
		{MaskName("王", "小明"), "王*** 小***"},
		{MaskName("<b>", "\u202ex"), "*** ***"},
		{MaskName("\xff"), "***"},
		{MaskEmail("doe@example.com"), "d***@e***"},
		{MaskEmail("no address"), "n***"},
		{MaskEmail("@"), "***@***"},
		{MaskEmail(""), ""},
		{MaskPhone("+33.123456789"), "+33.***"},
		{MaskPhone("0123456789"), "***"},
		{MaskPhone("+33123456789.1"), "***"},
		{MaskPhone(""), ""},
	} {
		if c.got.String() != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestMessagesAreMasked(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"owner.email: zeb@quack.example is refused", "owner.email: ***@*** is refused"},
		{"owner.phone: +33.198765432 is refused", "owner.phone: +*** is refused"},
		{"given: 'Zebulon' is too short", "given: *** is too short"},
		{`family "Quackenbush" is not allowed`, "family *** is not allowed"},
		{"v5 can't take it, and that isn't known", "v5 can't take it, and that isn't known"},
		{"Xylophone Lane 7 is no street", "*** is no street"},
		{"authinfo: abcdefghijkl12345678 is wrong", "authinfo: *** is wrong"},
		{"outcome unknown: its name is unavailable", "outcome unknown: its name is unavailable"},
		{"v5 answered 500", "v5 answered 500"},
		{"a\u202eb\x00c\nd", "a·b·c·d"},
	} {
		if got := MaskText(c.text, "Lane", "Xylophone Lane 7", "v5", "").String(); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.text, got, c.want)
		}
	}
	if n := len([]rune(MaskText(strings.Repeat("é ", 5000)).String())); n != 1001 {
		t.Errorf("%d runes", n)
	}
}

func TestAgentsAreShownWithoutKeys(t *testing.T) {
	for agent, want := range map[string]string{
		"XML-RPC for PHP 4.10.1 (https://github.com/gggeek/phpxmlrpc)": "XML-RPC for PHP 4.10.1 (https://github.com/gggeek/phpxmlrpc)",
		"curl/8 aaaaaaaaaaaaaaaaaaaaaaaa":                              "curl/8 ***",
		"bot (+mailto:jane@doe.example)":                               "bot (+mailto:***@***)",
		"":                                                             "",
		"x\xff\u202e":                                                  "x··",
	} {
		if got := MaskAgent(agent).String(); got != want {
			t.Errorf("%q becomes %q, want %q", agent, got, want)
		}
	}
}
