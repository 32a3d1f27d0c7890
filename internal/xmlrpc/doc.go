// Package xmlrpc is the wire: it turns the bytes of an XML-RPC document into a
// [Value] tree and a tree back into bytes, and joins both to gorilla's
// rpc/v2 server over HTTP.
//
// Reading is lenient, because the clients that must be served were written
// against a service built on Python's xmlrpclib, and between them use every
// liberty that library allows: parameters without <params>, untyped values,
// CDATA, Latin-1, nil in four spellings. Reading is also bounded, in bytes,
// depth and number of values, and it never panics. Writing is the contrary of
// lenient: every answer has exactly the bytes that Python's xmlrpc.client would
// write, since shell clients grep that layout line by line.
//
// The package knows the XML-RPC protocol and nothing of the methods behind it.
// The one fault code it owns is 1, for input that is not a call it can serve.
package xmlrpc
