package translate

import (
	"context"
	"strings"

	"v3gate/internal/fault"
	"v3gate/internal/xmlrpc"
)

// apiVersion is the last version of v3 that was seen.
const apiVersion = "3.3.42"

type versionIn struct {
	// The original answered for any key, even an empty one, and a client uses it
	// as a test of the connection.
	APIKey xmlrpc.Value `v3:"apikey,opt"`
}

type versionOut struct {
	APIVersion string `v3:"api_version"`
}

func versionInfo(context.Context, *Call, versionIn) (versionOut, error) {
	return versionOut{apiVersion}, nil
}

type noneIn struct{}

func listMethods(_ context.Context, c *Call, _ noneIn) ([]string, error) {
	names := make([]string, 0, len(c.Table.Rows))
	for _, r := range c.Table.Rows {
		names = append(names, r.Name)
	}
	return names, nil
}

type methodNameIn struct {
	Name string `v3:"name"`
}

func (c *Call) row(name string) (*Row, error) {
	r, ok := c.Table.Find(name)
	if !ok {
		return nil, fault.New(fault.Method, fault.CauseNotFound, "no method '%s'; system.listMethods names all", clip(name))
	}
	return r, nil
}

// methodSignature answers one signature a method, the longest: the type of the
// result and then of each parameter (XML-RPC introspection convention).
func methodSignature(_ context.Context, c *Call, in methodNameIn) ([][]string, error) {
	r, err := c.row(in.Name)
	if err != nil {
		return nil, err
	}
	signature := []string{wireType(r.ReturnType)}
	if r.Key != KeyNone {
		signature = append(signature, "string")
	}
	for _, p := range r.Params {
		signature = append(signature, wireType(p.Type))
	}
	return [][]string{signature}, nil
}

// wireType is XML-RPC's word for one of ours. A row that is refused has no
// types, and introspection's word for that is undef.
func wireType(t string) string {
	switch {
	case t == "" || t == "any":
		return "undef"
	case strings.HasPrefix(t, "array"):
		return "array"
	}
	return t
}

// methodHelp answers the same text that docs/methods.md has.
func methodHelp(_ context.Context, c *Call, in methodNameIn) (string, error) {
	r, err := c.row(in.Name)
	if err != nil {
		return "", err
	}
	return r.help(), nil
}
