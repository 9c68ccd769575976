package connectauth

import (
	"context"
	"net/http"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/bridge"
)

// NewMiddleware returns HTTP middleware that checks each call before its handler sees it. The caller gets the
// refusal in the protocol that it speaks; one that speaks none of Connect, gRPC and gRPC-Web gets it as a
// unary call of Connect does, as JSON. Refusals with HTTP's status 401 carry WWW-Authenticate if the rule
// takes a scheme (see package challenge).
//
// A request is checked whatever its HTTP method and content type are: its path says which method is called.
// As with grpc's interceptors, an unknown method of a service with rules is refused with UNIMPLEMENTED, also
// where only a lenient router would take the path for one, and other paths pass unless
// [grpcauth.DenyUnlisted] is given. So the middleware must see paths as the handlers do: behind
// [http.StripPrefix] and behind routers that rewrite paths, not before. CORS middleware stands before it and
// answers the preflight requests (OPTIONS), which carry no credentials. What takes over whole connections, such as
// h2c.NewHandler of golang.org/x/net, stands before it as well: behind it, it would serve calls that nobody checks, so
// the middleware does not let it have HTTP/2's preface or a request to upgrade.
//
// A verifier finds the caller's deadline in its context, and the server's own timeouts and limits apply: header
// fields are held in memory, up to [http.Server.MaxHeaderBytes], before anything can be refused. The interceptor's
// chain of connect does not see refusals; [grpcauth.OnDecision] does.
//
// When a credential expires ([grpcauth.WithExpiry]) before its call has ended, the caller gets UNAUTHENTICATED,
// the handler's context ends, and so does whatever it reads or writes. This is so for unary calls as well, unless
// their answer has begun; those of gRPC and gRPC-Web look like streams here. A handler that goes on regardless runs
// in the background, as with grpc. For this an outer middleware that wraps the [http.ResponseWriter] must offer
// Unwrap (see [http.ResponseController]). What the caller has not read a second later is not sent; a caller that
// reads nothing of its whole HTTP/2 connection is held to that by [http.HTTP2Config.WriteByteTimeout] only.
//
// It panics if the interceptor was not made by a generated constructor.
func NewMiddleware(interceptor *grpcauth.ServerInterceptor) func(http.Handler) http.Handler {
	bridge.MustBeMade(interceptor)
	errorWriter := connect.NewErrorWriter()
	return func(next http.Handler) http.Handler {
		if next == nil {
			panic("connectauth: the middleware needs a handler to guard, not nil")
		}
		return &middleware{interceptor: interceptor, errorWriter: errorWriter, next: next}
	}
}

type middleware struct {
	interceptor *grpcauth.ServerInterceptor
	errorWriter *connect.ErrorWriter
	next        http.Handler
}

// ServeHTTP lets a request pass to the next handler, or refuses it.
func (m *middleware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if leavesHTTP1(r) {
		refuseHTTP2Inside(w)
		return
	}
	ignoreUpgrade(r.Header)
	check, err := bridge.FindCheck(r.Context(), m.interceptor, r.URL.Path)
	switch {
	case err != nil:
		m.refuse(w, r, err, nil)
		return
	case check == nil:
		m.next.ServeHTTP(w, r)
		return
	}
	ctx, cancel := withTimeout(r.Context(), r.Header)
	defer cancel()
	admitted, err := check.Admit(withCall(ctx, r))
	if err != nil {
		m.refuse(w, r, err, check)
		return
	}
	if expiry, expires := check.Expiry(admitted); expires {
		m.serveUntil(admitted, expiry, check, w, r)
		return
	}
	m.next.ServeHTTP(w, r.WithContext(admitted))
}

// withCall is the context in which a call is checked.
func withCall(ctx context.Context, r *http.Request) context.Context {
	return withIncoming(ctx, r.Header, r.Host, peerOf(r))
}
