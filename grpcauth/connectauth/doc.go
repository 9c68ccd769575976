// Package connectauth is the door for services that are served with connectrpc.com/connect, by the protocols
// Connect, gRPC and gRPC-Web. The interceptors are the generated ones, and all that package grpcauth says of
// rules, verifiers, options and decisions holds here: one evaluator decides at every door.
//
// # Servers
//
// [NewMiddleware] refuses a call as soon as its header has arrived, before anything of its body is read,
// decompressed or decoded. It stands around the handlers, or around the mux that they are in:
//
//	path, handler := greeterv1connect.NewGreeterHandler(&greeter{})
//	mux.Handle(path, connectauth.NewMiddleware(greeterv1.NewGreeterServerInterceptor())(handler))
//
// [NewInterceptor] is the same check as a [connect.Interceptor], for teams that want it in order with their
// other interceptors. There a unary request has been read and decoded before it can be refused. Use one of the
// two; together they check twice.
//
// Handlers and verifiers find what they find in a grpc server: values, principal, incoming metadata
// (metadata.FromIncomingContext) and peer. Metadata is the HTTP header with its keys in lower case. Repeated
// header lines are several values; a comma inside of a value splits nothing, except in headers whose name ends
// in -bin: these are base64, padded or not, and a comma separates values. What is no base64 is an empty value,
// which no rule takes. The TLS state, and with it a client's certificate, is known to the middleware only.
//
// # Clients
//
// [NewClientInterceptor] supplies what methods require. Connect's interceptors are not told whether a call
// travels over TLS, so a client that sends credentials gives its HTTP client to
// [ClientInterceptor.HTTPClient] as well, which adds them to requests for https URLs and to no others.
//
// # Version 2 of connect
//
// This package is for connectrpc.com/connect v1. Version 2 has other types for interceptors (functions over
// one kind of stream for all methods, run before a request is received, set on a connect.Server and a
// connect.Client rather than by options) and moves HTTP to the package connecthttp. An interceptor of this
// package does not fit there. The middleware stands before any [http.Handler], so also before what
// connecthttp.Mount has put into a mux: its refusals are the protocols' own, which did not change.
package connectauth
