package connectauth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/challenge"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/bridge"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// NewInterceptor returns the check as an interceptor for handlers, which runs in its place among others:
//
//	greeterv1connect.NewGreeterHandler(&greeter{}, connect.WithInterceptors(logging, connectauth.NewInterceptor(i)))
//
// It is bound to the handlers, so it does not depend on the paths of requests. What the middleware does and it
// cannot: connect has read, decompressed and decoded a unary request before interceptors run, and tells them
// nothing of TLS. When a credential expires, streams end as with the middleware, except that a caller who does
// not read what has been sent hears of it once it does, and that over HTTP/1 the handler's blocked Receive, and with
// it the response, may last until the caller sends more or goes. A unary handler's context ends, and its
// resulting error becomes UNAUTHENTICATED.
//
// In a client it fails every call: see [NewClientInterceptor]. NewInterceptor panics if the interceptor was not
// made by a generated constructor.
func NewInterceptor(interceptor *grpcauth.ServerInterceptor) connect.Interceptor {
	bridge.MustBeMade(interceptor)
	return &handlerInterceptor{interceptor: interceptor}
}

type handlerInterceptor struct {
	interceptor *grpcauth.ServerInterceptor
}

// errNotInClients is what calls of a client get that a server's check was installed in.
var errNotInClients = connect.NewError(connect.CodeInternal,
	errors.New("connectauth: NewInterceptor is for handlers: a client needs NewClientInterceptor"))

// WrapUnary checks unary calls.
func (i *handlerInterceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		if req.Spec().IsClient {
			return nil, errNotInClients
		}
		admitted, check, err := i.admit(ctx, req.Spec(), req.Peer(), req.Header())
		if err != nil {
			return nil, err
		}
		if check == nil {
			return next(admitted, req)
		}
		expiry, expires := check.Expiry(admitted)
		if !expires {
			return next(admitted, req)
		}
		bounded, cancel := context.WithDeadlineCause(admitted, expiry, rules.ErrExpired)
		defer cancel()
		response, err := next(bounded, req)
		if expiredInstead(bounded, expiry, err) {
			return nil, refusal(req.Spec(), req.Peer(), rules.ErrExpired, check)
		}
		return response, err
	}
}

// WrapStreamingHandler checks streams.
func (i *handlerInterceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		admitted, check, err := i.admit(ctx, conn.Spec(), conn.Peer(), conn.RequestHeader())
		if err != nil {
			return err
		}
		if check != nil {
			if expiry, expires := check.Expiry(admitted); expires {
				return serveStreamUntil(admitted, expiry, conn, next)
			}
		}
		return next(admitted, conn)
	}
}

// WrapStreamingClient fails: see errNotInClients.
func (i *handlerInterceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		return newPreparedConn(ctx, next(ctx, spec), func() error { return errNotInClients })
	}
}

// admit returns the handler's context and the check that let the call pass, nil if there is none.
func (i *handlerInterceptor) admit(
	ctx context.Context, spec connect.Spec, peer connect.Peer, header http.Header,
) (context.Context, bridge.Check, error) {
	check, err := bridge.FindCheck(ctx, i.interceptor, spec.Procedure)
	switch {
	case err != nil:
		return nil, nil, refusal(spec, peer, err, nil)
	case check == nil:
		return ctx, nil, nil
	}
	admitted, err := check.Admit(withIncoming(ctx, header, header.Get("Host"), peerAt(peer.Addr)))
	if err != nil {
		return nil, nil, refusal(spec, peer, err, check)
	}
	return admitted, check, nil
}

// refusal is an error for connect to send. Only a unary call of the Connect protocol gets a status of HTTP's,
// and with 401 a challenge.
func refusal(spec connect.Spec, peer connect.Peer, err error, check bridge.Check) *connect.Error {
	refused := connectError(err)
	unary := peer.Protocol == connect.ProtocolConnect && spec.StreamType == connect.StreamTypeUnary
	if unary && check != nil && refused.Code() == connect.CodeUnauthenticated {
		for _, one := range check.Challenges() {
			refused.Meta().Add(challenge.Header, one)
		}
	}
	return refused
}

// expiredInstead is true for the deadline error of a handler whose context ended because a credential expired.
func expiredInstead(bounded context.Context, expiry time.Time, err error) bool {
	late := errors.Is(err, context.DeadlineExceeded) || connect.CodeOf(err) == connect.CodeDeadlineExceeded ||
		status.Code(err) == codes.DeadlineExceeded
	deadline, _ := bounded.Deadline()
	return late && deadline.Equal(expiry) && rules.Expired(bounded, expiry)
}
