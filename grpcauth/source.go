package grpcauth

import (
	"context"
	"errors"
)

// Call describes the call for which a credential is verified or a value is needed.
type Call struct {
	FullMethod string   // "/greeter.v1.Greeter/SayHello"
	Header     string   // "authorization"
	Scopes     []string // the scopes that the rule requires of this header; this call's own copy
}

// Source supplies the value of one header to a client. It is called for every attempt at a call,
// retries included, with the call's context, and must be safe for concurrent use.
//
// [ErrNoCredential] says that there is none for this call. Any other error fails the call locally, before
// anything is sent. An error with a gRPC status keeps its code, unless gRFC A54 reserves that code for
// servers; an ended context gives its own status; any other error is UNAUTHENTICATED.
type Source[T any] func(ctx context.Context, call Call) (T, error)

// ErrNoCredential is a source's answer where it has nothing for this call: an optional header is left out,
// an alternative is skipped, and a call that requires the header fails locally.
var ErrNoCredential = errors.New("grpcauth: no credential for this call")

// Static is a source that always supplies v.
func Static[T any](v T) Source[T] {
	return func(context.Context, Call) (T, error) { return v, nil }
}
