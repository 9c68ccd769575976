package grpcauth

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// WithGrantedScopes returns a context that reports what the credential just verified grants. A verifier of
// a rule with scopes returns it; the runtime refuses the call with PERMISSION_DENIED unless all scopes of
// the rule are among them. Of several reports in one verifier the last counts.
func WithGrantedScopes(ctx context.Context, scopes ...string) context.Context {
	return rules.WithGrantedScopes(ctx, scopes)
}

// WithExpiry returns a context that reports when the credential just verified expires. A verifier returns
// it. Of several times on one call the earliest counts, and one in the past refuses the call.
//
// A unary handler's context gets the time as its deadline, and the deadline error that results from it
// becomes UNAUTHENTICATED. An open stream ends then: the caller gets UNAUTHENTICATED, blocked Send and Recv
// return, and the handler's context is cancelled. A credential that does not expire has no time to report: the
// zero time is in the past.
//
// The caller does not wait for the handler of a stream that ends so, and nor does grpc: GracefulStop and
// MaxConcurrentStreams count the call as over while a handler that ignores its context goes on. Stream
// interceptors that run before the check return then, too, so those that share state with the stream that they
// hand on must guard it.
func WithExpiry(ctx context.Context, t time.Time) context.Context {
	return rules.WithExpiry(ctx, t)
}

// Deny is the error with which a verifier decides what its caller gets: exactly this code and message.
// Any other error sends no text of its own. The code OK is refused as INTERNAL.
func Deny(code codes.Code, message string) error {
	return &rules.DeniedError{Code: code, Message: message}
}

// Unavailable is the error of a verifier that cannot tell at the moment, because what it asks does not
// answer. The caller gets UNAVAILABLE and a constant text; err is for [OnDecision] alone.
func Unavailable(err error) error {
	return &rules.UnavailableError{Err: err}
}
