// Package grpcauthtest helps to test what depends on grpcauth, without a server and without a network: a
// service's rules, the verifier that one has written for them, and handlers behind them.
//
// One call is [Context], with the headers that arrive, and [grpcauth.ServerInterceptor.Authorize], which
// decides about it as it would in a server:
//
//	ctx, err := interceptor.Authorize(grpcauthtest.Context(t.Context(), "authorization", "Bearer abc"), method)
//
// A [Verifier] stands in for one's own where it is not what is tested, and a [Recorder] tells why a
// call was refused, which its caller is not told.
package grpcauthtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// Context returns a context as a server sees it, of a call with these headers, given as keys and values in
// turn, and no others:
//
//	grpcauthtest.Context(t.Context(), "authorization", "Bearer abc", "x-tenant-id", "7")
//
// As on a network, keys are put in lower case, a key that is given twice arrives twice, and the value of a
// -bin key is what it stands for, not its base64. Context panics on an odd number of arguments.
func Context(ctx context.Context, keysAndValues ...string) context.Context {
	if len(keysAndValues)%2 != 0 {
		panic(fmt.Sprintf("grpcauthtest: Context takes keys and values in turn, not %d arguments", len(keysAndValues)))
	}
	return metadata.NewIncomingContext(ctx, metadata.Pairs(keysAndValues...))
}

// Verifier accepts the credentials that it is told to accept, refuses all others, and remembers what it
// was asked. The zero Verifier refuses everything. It is safe for concurrent use.
//
// Its three methods have the shapes of a generated verifier's, which delegates to them in one line each:
//
//	type fake struct{ grpcauthtest.Verifier }
//
//	func (f *fake) VerifyXApiKey(
//		ctx context.Context, call grpcauth.Call, value grpcauth.Secret,
//	) (context.Context, error) {
//		return f.VerifySecret(ctx, call, value)
//	}
type Verifier struct {
	mu       sync.Mutex
	accepted []accepted
	calls    []grpcauth.Call
}

// accepted is a credential in a header, and what it adds to the context of a call.
type accepted struct {
	header     string
	credential any // grpcauth.Secret, grpcauth.BasicAuth, int64, uint64 or bool
	then       []func(context.Context) context.Context
}

// Accept tells the verifier to accept a credential in a header from now on, and returns the verifier. The
// credential is of the type that the generated verifier is asked about, and a string is taken for a
// [grpcauth.Secret]:
//
//	verifier.Accept("authorization", "abc")
//	verifier.Accept("authorization", grpcauth.BasicAuth{Username: "ada", Password: grpcauth.NewSecret("abc")})
//	verifier.Accept("x-tenant-id", int64(7))
//
// What an accepted call's context is to carry is added by then, with [grpcauth.WithPrincipal],
// [grpcauth.WithGrantedScopes] and [grpcauth.WithExpiry]. Of two for the same credential in the same header the
// later counts. Accept panics on a credential of another type: no verifier is asked about one.
func (v *Verifier) Accept(header string, credential any, then ...func(context.Context) context.Context) *Verifier {
	switch value := credential.(type) {
	case string:
		credential = grpcauth.NewSecret(value)
	case grpcauth.Secret, grpcauth.BasicAuth, int64, uint64, bool:
	default:
		panic(fmt.Sprintf("grpcauthtest: Accept takes a string, grpcauth.Secret, grpcauth.BasicAuth, int64, uint64 "+
			"or bool as the credential in %q, not %T", header, credential))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.accepted = append(v.accepted, accepted{header: header, credential: credential, then: then})
	return v
}

// VerifySecret has the shape of a verifier's method for `bearer`, and for `verify` without a type or with
// TYPE_STRING or TYPE_BYTES.
func (v *Verifier) VerifySecret(
	ctx context.Context, call grpcauth.Call, value grpcauth.Secret,
) (context.Context, error) {
	return v.verify(ctx, call, func(accepted any) bool {
		secret, ok := accepted.(grpcauth.Secret)
		return ok && secret.Equal(value)
	})
}

// VerifyBasic has the shape of a verifier's method for `basic`.
func (v *Verifier) VerifyBasic(
	ctx context.Context, call grpcauth.Call, username string, password grpcauth.Secret,
) (context.Context, error) {
	return v.verify(ctx, call, func(accepted any) bool {
		basic, ok := accepted.(grpcauth.BasicAuth)
		return ok && basic.Username == username && basic.Password.Equal(password)
	})
}

// VerifyValue serves a verifier's methods for `verify` with TYPE_INT64, TYPE_UINT64 and TYPE_BOOL.
func (v *Verifier) VerifyValue(ctx context.Context, call grpcauth.Call, value any) (context.Context, error) {
	return v.verify(ctx, call, func(accepted any) bool {
		switch accepted.(type) {
		case int64, uint64, bool:
			return accepted == value
		default:
			return false
		}
	})
}

// Calls returns what the verifier was asked about, in turn, whether it accepted or refused.
func (v *Verifier) Calls() []grpcauth.Call {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.calls)
}

func (v *Verifier) verify(
	ctx context.Context, call grpcauth.Call, matches func(credential any) bool,
) (context.Context, error) {
	for _, accepted := range v.asked(call) {
		if accepted.header == call.Header && matches(accepted.credential) {
			for _, then := range accepted.then {
				ctx = then(ctx) //nolint:fatcontext // a few, each of which adds something
			}
			return ctx, nil
		}
	}
	return nil, fmt.Errorf("grpcauthtest: the Verifier was not told to accept this credential in %q", call.Header)
}

// asked remembers the call, and returns what is accepted, the latest first.
func (v *Verifier) asked(call grpcauth.Call) []accepted {
	v.mu.Lock()
	defer v.mu.Unlock()
	call.Scopes = slices.Clone(call.Scopes)
	v.calls = append(v.calls, call)
	latest := slices.Clone(v.accepted)
	slices.Reverse(latest)
	return latest
}

// Recorder keeps the decisions that are made about calls. The zero Recorder is ready for use:
//
//	var recorder grpcauthtest.Recorder
//	interceptor := greeterv1.NewGreeterServerInterceptor(grpcauth.OnDecision(recorder.Record))
//
// It is safe for concurrent use.
type Recorder struct {
	mu        sync.Mutex
	decisions []grpcauth.Decision
}

// Record is the hook for [grpcauth.OnDecision] and [grpcauth.ReportOnly].
func (r *Recorder) Record(_ context.Context, decision grpcauth.Decision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.decisions = append(r.decisions, decision)
}

// Decisions returns all decisions in turn.
func (r *Recorder) Decisions() []grpcauth.Decision {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.decisions)
}

// Last returns the latest decision. It is false if there is none.
func (r *Recorder) Last() (grpcauth.Decision, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.decisions) == 0 {
		return grpcauth.Decision{}, false
	}
	return r.decisions[len(r.decisions)-1], true
}

// WantLast fails the test, and lets it go on, unless the latest decision was made for this reason and by this
// header, which is "" for [grpcauth.Allowed] and [grpcauth.Unlisted].
func (r *Recorder) WantLast(tb testing.TB, reason grpcauth.Reason, header string) {
	tb.Helper()
	last, ok := r.Last()
	switch {
	case !ok:
		tb.Errorf("no decision was recorded, want %s", describe(reason, header))
	case last.Reason != reason || last.Header != header:
		text := fmt.Sprintf("the last decision, about %s, is %s, want %s",
			last.FullMethod, describe(last.Reason, last.Header), describe(reason, header))
		if last.Err != nil {
			text += fmt.Sprintf("; the verifier's error is: %v", last.Err)
		}
		tb.Error(text)
	}
}

func describe(reason grpcauth.Reason, header string) string {
	if header == "" {
		return fmt.Sprintf("%q", reason)
	}
	return fmt.Sprintf("%q by header %q", reason, header)
}
