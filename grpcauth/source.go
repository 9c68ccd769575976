package grpcauth

import "context"

// Call describes the call for which a value is needed.
type Call struct {
	FullMethod string   // "/greeter.v1.Greeter/SayHello"
	Header     string   // "x-tenant-id"
	Scopes     []string // the scopes that the rule requires; this call's own copy
}

// Source supplies the value of one header to a client. It is called for every attempt at a call,
// retries included, with the call's context, and must be safe for concurrent use.
//
// An error fails the call locally, before anything is sent. An error with a gRPC status keeps its code,
// unless gRFC A54 reserves that code for servers; an ended context gives its own status; any other
// error is UNAUTHENTICATED.
type Source[T any] func(ctx context.Context, call Call) (T, error)

// Static is a source that always supplies v.
func Static[T any](v T) Source[T] {
	return func(context.Context, Call) (T, error) { return v, nil }
}
