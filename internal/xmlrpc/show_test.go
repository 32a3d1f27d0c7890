package xmlrpc

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// show writes a value so that a test can state kind, received text and order in
// one line: int(007), string("a"), untyped(""), [int(1), nil], {a: boolean(1)}.
func show(v Value) string {
	switch v.Kind() {
	case KindNil:
		return "nil"
	case KindArray:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = show(v.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case KindStruct:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = v.Member(i).Name + ": " + show(v.Index(i))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case KindString:
		if v.flags&flagUntyped != 0 {
			return fmt.Sprintf("untyped(%q)", v.Text())
		}
		return fmt.Sprintf("string(%q)", v.Text())
	case KindBase64:
		return fmt.Sprintf("base64(%q)", v.Text())
	}
	return v.Kind().String() + "(" + v.Text() + ")"
}

// showCall writes a call as name(parameters).
func showCall(c Call) string {
	parts := make([]string, len(c.Params))
	for i, p := range c.Params {
		parts[i] = show(p)
	}
	return c.Method + "(" + strings.Join(parts, ", ") + ")"
}

// needPython gives the path of python3. Where there is none the test is skipped,
// and on CI, where a skipped test would go unseen, it fails.
func needPython(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatal("python3 not found, and CI is set: a skipped test fails when CI is set")
	}
	t.Skip("python3 not found, cannot compare with xmlrpc.client")
	return ""
}
