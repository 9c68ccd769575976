package grpcauth

import (
	"context"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// principalKey is one key for each Go type, so that a principal is read without a type assertion.
type principalKey[P any] struct{}

// principal is of one call: a context can pass from one call's handler to another call, in one process.
type principal[P any] struct {
	value P
	call  any // see rules.CallOf
}

// WithPrincipal returns a context that tells handlers who is calling. A verifier returns it:
//
//	return grpcauth.WithPrincipal(ctx, User{ID: claims.Subject}), nil
//
// P is a type of your own. One call can have a principal of each of several types: a user and a tenant, say.
func WithPrincipal[P any](ctx context.Context, p P) context.Context {
	return context.WithValue(ctx, principalKey[P]{}, principal[P]{value: p, call: rules.CallOf(ctx)})
}

// Principal returns what a verifier of this call gave to [WithPrincipal] with the same type P:
//
//	user, ok := grpcauth.Principal[User](ctx)
//
// It is false where none did: on a call that came without an optional credential, or by an alternative whose
// verifier sets another type.
func Principal[P any](ctx context.Context) (P, bool) {
	set, ok := ctx.Value(principalKey[P]{}).(principal[P])
	if !ok || set.call != rules.CallOf(ctx) {
		var none P
		return none, false
	}
	return set.value, true
}
