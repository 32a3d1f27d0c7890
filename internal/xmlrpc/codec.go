package xmlrpc

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gorilla/rpc/v2"
)

// ContentType is the media type that a [Codec] has to be registered under, and
// that [Front] gives every request.
const ContentType = "text/xml"

// Args is what a service registered in gorilla's server receives: the method's
// name as the caller wrote it, and all parameters, the API key among them.
//
// The service has one exported method,
//
//	func (s *service) Call(r *http.Request, args *xmlrpc.Args, reply *xmlrpc.Answer) error
//
// An error that has a method Fault() (code int, text string), itself or one it
// wraps, is answered as that fault. Any other error is put to Codec.Internal,
// and its text is not sent.
type Args struct {
	Method string
	Params []Value
	Size   int // see Call
}

// ServiceName gives the name to register a method's service under. gorilla wants
// names of exactly one dot, so "domain.zone.list" becomes "domain/zone/list",
// and a call to it is looked up as "domain/zone/list.Call".
func ServiceName(method string) string { return strings.ReplaceAll(method, ".", "/") }

// Targets gives, for each of the methods, what gorilla looks up for a call to it.
func Targets(methods []string) map[string]string {
	targets := make(map[string]string, len(methods))
	for _, method := range methods {
		targets[method] = ServiceName(method) + ".Call"
	}
	return targets
}

// Codec joins gorilla's rpc/v2 server to this package. It reads the body, with
// its compression and charset, decides whether the method exists, and writes
// every answer, faults included, with status 200. It is safe for concurrent use
// as long as its fields are not changed.
type Codec struct {
	Limits Limits
	// Targets are the methods that are served, see the function of that name.
	Targets map[string]string
	// Rejected, unless nil, is told of every call that reached no service, once,
	// before it is answered: unreadable, too large, or of an unknown method.
	Rejected func(r *http.Request, e *Error)
	// Internal gives the fault for an error that has none of its own. nil answers
	// with FaultCode and a text that says nothing.
	Internal func(err error) (code int, text string)
}

// NewRequest reads and decodes the body of r. What goes wrong is kept for Method,
// as gorilla expects.
func (c *Codec) NewRequest(r *http.Request) rpc.CodecRequest {
	x := &exchange{codec: c, r: r}
	x.call, x.err = c.read(r)
	if x.err == nil {
		var known bool
		if x.target, known = c.Targets[x.call.Method]; !known {
			x.err = unknownMethod(x.call.Method)
		}
	}
	return x
}

// exchange is one call on its way through gorilla's server.
type exchange struct {
	codec  *Codec
	r      *http.Request
	call   Call
	err    *Error
	target string // what gorilla looks up
	found  bool   // gorilla has a service for the call
}

// Method gives the name that gorilla looks up, or what is wrong with the call.
func (x *exchange) Method() (string, error) {
	if x.err != nil {
		return "", x.err
	}
	return x.target, nil
}

// ReadRequest hands the call over. gorilla asks for it once it has a service.
func (x *exchange) ReadRequest(args any) error {
	x.found = true
	a, ok := args.(*Args)
	if !ok {
		return fmt.Errorf("read request: service takes %T, not *xmlrpc.Args", args)
	}
	a.Method, a.Params, a.Size = x.call.Method, x.call.Params, x.call.Size
	return nil
}

// WriteResponse answers with what a service has set.
func (x *exchange) WriteResponse(w http.ResponseWriter, reply any) {
	a, ok := reply.(*Answer)
	if !ok || *a == nil {
		x.WriteError(w, 0, fmt.Errorf("write response: service replies %T, not an *xmlrpc.Answer that holds one", reply))
		return
	}
	buf := buffers.Get().(*buffer)
	defer buf.release()
	doc, err := written(buf.b, *a)
	if err != nil {
		x.WriteError(w, 0, err)
		return
	}
	buf.b = doc
	send(w, x.r, buf.b)
}

// written appends an answer. A panic, a mistake of whoever made the answer, is an
// error: callers who hear nothing ask again.
func written(dst []byte, a Answer) (doc []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("write answer: panic of type %T", p)
		}
	}()
	return a.AppendTo(dst)
}

// WriteError answers with a fault. The status that gorilla proposes is dropped:
// clients lose the text of a fault that comes with any status but 200.
func (x *exchange) WriteError(w http.ResponseWriter, _ int, err error) {
	if !x.found {
		// Either the codec refused the call, or it knows a method that nobody has
		// registered.
		if x.err == nil {
			x.err = unknownMethod(x.call.Method)
		}
		if x.codec.Rejected != nil {
			x.codec.Rejected(x.r, x.err)
		}
		err = x.err
	}
	buf := buffers.Get().(*buffer)
	defer buf.release()
	var whole interface{ Document() []byte }
	if errors.As(err, &whole) && len(whole.Document()) > 0 {
		buf.b = append(buf.b, whole.Document()...)
	} else {
		code, text := x.codec.fault(err)
		buf.b = AppendFault(buf.b, code, text)
	}
	send(w, x.r, buf.b)
}

// fault gives what is sent for an error.
func (c *Codec) fault(err error) (code int, text string) {
	var own interface{ Fault() (int, string) }
	switch {
	case errors.As(err, &own):
		return own.Fault()
	case c.Internal != nil:
		return c.Internal(err)
	}
	return FaultCode, "Internal error"
}
