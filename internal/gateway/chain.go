package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"v3gate/internal/fault"
	"v3gate/internal/telemetry"
	"v3gate/internal/tenant"
	"v3gate/internal/translate"
	"v3gate/internal/usage"
	"v3gate/internal/xmlrpc"
)

// Service is what gorilla dispatches a method to: one for each row.
type Service struct {
	g     *Gateway
	row   *translate.Row
	chain handler // of g, made once
}

// Call answers one call. An error it gives always is a fault.
func (s *Service) Call(r *http.Request, args *xmlrpc.Args, reply *xmlrpc.Answer) error {
	c := &call{
		Call: translate.Call{Services: s.g.services, Method: s.row.Name, Remote: remote(r), ID: s.g.requestID()},
		row:  s.row, params: args.Params, size: args.Size, userAgent: r.UserAgent(),
	}
	answer, err := s.chain(r.Context(), c)
	if err != nil {
		return err
	}
	*reply = answer
	return nil
}

// call is a call on its way through the chain.
type call struct {
	translate.Call
	row       *translate.Row
	params    []xmlrpc.Value
	size      int // bytes that params hold on to
	userAgent string
	forwarded bool   // the answer is the old server's
	job       *job   // nil where nothing is to be compared
	keyID     string // tenant.KeyID of the key that found the tenant
}

// caller is who makes the call, as far as it is known by now.
func (c *call) caller() telemetry.Caller {
	who := telemetry.Caller{Agent: c.userAgent, Remote: c.Remote}
	if c.Tenant != nil {
		who.Tenant = c.Tenant.Name
	}
	return who
}

type handler func(context.Context, *call) (xmlrpc.Answer, error)

// chain is what every row goes through, outermost first.
func (g *Gateway) chain() handler {
	return g.record(g.shadow(g.observe(g.recover(g.identify(g.remember(g.mode(g.deadline(g.limit(g.route(func(ctx context.Context, c *call) (xmlrpc.Answer, error) {
		return c.row.Call(ctx, &c.Call, c.params)
	}))))))))))
}

// observe counts and logs the call, and turns its error into a fault. Texts of
// faults are not logged: they may repeat what the caller sent.
func (g *Gateway) observe(next handler) handler {
	return func(ctx context.Context, c *call) (xmlrpc.Answer, error) {
		begin := time.Now()
		answer, err := next(ctx, c)
		if err = g.observed(c, time.Since(begin), err); err != nil {
			return nil, err
		}
		return answer, nil
	}
}

// observed is observe after the call; the error is the fault to be sent.
func (g *Gateway) observed(c *call, took time.Duration, err error) error {
	g.activity.Call(c.Method, c.caller(), err != nil)
	line := &logLine{call: c, took: took, outcome: "ok"}
	if err == nil {
		g.metrics.Call(c.Method, "ok", took)
		g.count(c.counted(0))
		g.log.Info("call", zap.Inline(line))
		return nil
	}
	if foreign := (*foreignFault)(nil); errors.As(err, &foreign) {
		g.metrics.Call(c.Method, "fault", took)
		line.outcome, line.fault = "fault", foreign.a.Fault.Code
		g.log.Info("call", zap.Inline(line))
		return foreign
	}
	f, known := g.services.Fault(&c.Call, err)
	line.outcome, line.fault = outcomeOf(f), f.Code()
	g.metrics.Call(c.Method, line.outcome, took)
	g.metrics.Fault(f.Code())
	g.count(c.counted(f.Code()))
	if known {
		g.log.Info("call", zap.Inline(line))
	} else {
		g.log.Error("call", zap.Inline(line), zap.Error(err))
	}
	return f
}

// logLine is a call as the log has it.
type logLine struct {
	call    *call
	took    time.Duration
	outcome string
	fault   int // 0 for none
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (l *logLine) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("request_id", l.call.ID)
	enc.AddString("method", l.call.Method)
	enc.AddDuration("duration", l.took)
	enc.AddString("remote", l.call.Remote)
	enc.AddString("user_agent", l.call.userAgent)
	if l.call.Tenant != nil {
		enc.AddString("tenant", l.call.Tenant.Name)
	}
	enc.AddString("outcome", l.outcome)
	if l.fault != 0 {
		enc.AddInt("fault", l.fault)
	}
	return nil
}

func outcomeOf(f *fault.Error) string {
	switch {
	case f.Server():
		return "error"
	case f.Object == fault.Method && f.Cause == fault.CauseDisabled:
		return "refused"
	}
	return "fault"
}

// recover turns a panic into an internal error with its stack in the log.
func (g *Gateway) recover(next handler) handler {
	return func(ctx context.Context, c *call) (answer xmlrpc.Answer, err error) {
		defer func() {
			if p := recover(); p != nil {
				g.log.Error("handler panicked", zap.String("request_id", c.ID), zap.String("method", c.Method),
					zap.String("panic", fmt.Sprintf("%T", p)), zap.ByteString("stack", debug.Stack()))
				err = fmt.Errorf("panic in %s", c.Method)
			}
		}()
		return next(ctx, c)
	}
}

// identify takes the API key off the parameters and finds the tenant.
func (g *Gateway) identify(next handler) handler {
	return func(ctx context.Context, c *call) (xmlrpc.Answer, error) {
		if err := g.identified(c); err != nil {
			return nil, err
		}
		return next(ctx, c)
	}
}

// identified is identify up to the rest of the call.
func (g *Gateway) identified(c *call) error {
	if c.row.Key == translate.KeyNone {
		return nil
	}
	var key credential
	if len(c.params) > 0 {
		var err error
		if key, err = readKey(c.params[0]); err != nil {
			return err
		}
		c.params = c.params[1:]
	}
	if err := g.authenticate(c, key); err != nil {
		return err
	}
	c.V5 = g.sessionOf(c.Tenant)
	if key.handle != "" {
		contact, err := g.services.Book.Get(c.Tenant.Name, strings.ToUpper(key.handle))
		if err != nil {
			return fault.New(fault.Contact, fault.CauseNoRight, "You aren't allowed to read that contact")
		}
		c.As = contact.Handle
	}
	return nil
}

// authenticate finds the tenant of a key, or the anonymous one where v3 asked
// for no key. It is asked once in a call, which keeps that tenant whatever a
// reload brings.
func (g *Gateway) authenticate(c *call, key credential) error {
	set := g.tenants.Load()
	if key.apikey == "" && c.row.Key == translate.KeyOptional && set.Anonymous() != nil {
		c.Tenant = set.Anonymous()
		return nil
	}
	t, keyID, err := set.Lookup(key.apikey)
	switch err {
	case nil:
		c.Tenant, c.keyID = t, keyID
		return nil
	case tenant.ErrUnknown:
		return fault.New(fault.Account, fault.CauseNoRight, "Invalid API key")
	}
	return fault.New(fault.Unknown, fault.CauseBadParameter, "string '%.100s' does not match '^[a-z0-9]{24}$'", key.apikey)
}

// credential is the first parameter: a key, or a struct that also names the
// handle to act as.
type credential struct{ apikey, handle string }

func readKey(v xmlrpc.Value) (credential, error) {
	if v.Kind() != xmlrpc.KindStruct {
		return credential{apikey: keyText(v)}, nil
	}
	var key credential
	for i := range v.Len() {
		m := v.Member(i)
		switch m.Name {
		case "apikey":
			key.apikey = keyText(m.Value)
		case "handle":
			key.handle = keyText(m.Value)
		case "no_useraccess":
			if yes, ok := m.Value.Bool(); yes || !ok && !m.Value.IsNil() {
				return key, fault.New(fault.Method, fault.CauseBadParameter,
					"apikey.no_useraccess is not supported: v5 tells no rights of sub-accounts apart")
			}
		default:
			return key, fault.New(fault.Struct, fault.CauseUnexpected, "apikey has no member '%.100s'", m.Name)
		}
	}
	return key, nil
}

// keyText is a key as text. Perl libraries may send one of digits as a number,
// and nil stands for no key (Gandi's own client).
func keyText(v xmlrpc.Value) string {
	switch v.Kind() {
	case xmlrpc.KindString, xmlrpc.KindInt, xmlrpc.KindDouble, xmlrpc.KindBase64:
		return v.Text()
	}
	return ""
}

// mode refuses what the tenant's mode forbids. A tenant that may not spend has
// its paid calls checked first, which the row does.
func (g *Gateway) mode(next handler) handler {
	return func(ctx context.Context, c *call) (xmlrpc.Answer, error) {
		if c.Tenant != nil && c.Tenant.Mode == tenant.ReadOnly && c.row.Class != translate.Read {
			return nil, fault.Disabled("this account is read only at the gateway")
		}
		return next(ctx, c)
	}
}

// rejected counts and logs what never reached a row: no XML-RPC, or an unknown
// method.
func (g *Gateway) rejected(r *http.Request, e *xmlrpc.Error) {
	code, _ := e.Fault()
	g.metrics.Call("unknown", "fault", 0)
	g.activity.Call("unknown", telemetry.Caller{Agent: r.UserAgent(), Remote: remote(r)}, true)
	g.count(usage.Call{Agent: r.UserAgent(), Remote: remote(r), Method: "unknown", Fault: code})
	g.metrics.Fault(code)
	g.log.Info("call", zap.String("request_id", g.requestID()), zap.String("method", "unknown"),
		zap.String("remote", remote(r)), zap.String("user_agent", r.UserAgent()),
		zap.String("outcome", "fault"), zap.Int("fault", code))
}

// unwritable logs an answer that could not be written, and gives the fault that is
// sent in its place. The call itself is counted and logged already, as answered.
func (g *Gateway) unwritable(err error) (code int, text string) {
	id := g.requestID()
	g.log.Error("an answer could not be written", zap.String("request_id", id), zap.Error(err))
	code, text = fault.Internal(id).Fault()
	g.metrics.Fault(code)
	return code, text
}

// randomID is a random UUID; operations show it as their tracker_id, which was
// one (recorded).
func randomID() string {
	var b [16]byte
	rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := make([]byte, 0, 36)
	for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, part)
	}
	return string(text)
}

// remote is the caller's address without its port.
func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
