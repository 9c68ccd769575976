package connectauth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"

	"connectrpc.com/connect"
	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/bridge"
)

// ClientInterceptor supplies what the methods of a client require. It is safe for concurrent use.
//
// A value that the caller put in the request's header under a name that this client supplies is replaced,
// never doubled; what this client has no source for, the caller may put there itself. Interceptors that run
// later, and the HTTP client, could add a name once more, which the server then refuses.
type ClientInterceptor struct {
	interceptor *grpcauth.ClientInterceptor
	private     atomic.Bool // HTTPClient was called
}

var _ connect.Interceptor = (*ClientInterceptor)(nil)

// NewClientInterceptor makes one of a generated client interceptor:
//
//	auth := connectauth.NewClientInterceptor(bankv1.NewBankClientInterceptor(credentials))
//	client := bankv1connect.NewBankClient(
//		auth.HTTPClient(http.DefaultClient), "https://bank.example.com", connect.WithInterceptors(auth))
//
// A client that has no credentials to send (`bearer`, `basic`, `verify`), or was made with
// [grpcauth.AllowInsecureTransport], does without [ClientInterceptor.HTTPClient]. Errors are those of grpc
// clients, as connect's: the same code and text. Values are fetched for each call, and for a call with
// credentials once more where connect makes a second request for it.
//
// It panics if the interceptor was not made by a generated constructor.
func NewClientInterceptor(interceptor *grpcauth.ClientInterceptor) *ClientInterceptor {
	bridge.MustBeMade(interceptor)
	return &ClientInterceptor{interceptor: interceptor}
}

// errNotInHandlers is what callers of a handler get that a client's interceptor was installed in: it may be
// there instead of the check.
var errNotInHandlers = connect.NewError(connect.CodeInternal, errors.New("access control is not set up"))

// WrapUnary supplies the values of unary calls.
func (i *ClientInterceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		if !req.Spec().IsClient {
			return nil, errNotInHandlers
		}
		supply := bridge.FindSupply(i.interceptor, req.Spec().Procedure)
		if supply == nil {
			return next(ctx, req)
		}
		later := &callCredentials{supply: supply, method: req.Spec().Procedure, host: req.Peer().Addr}
		if err := i.prepare(ctx, later, req.Header()); err != nil {
			return nil, err
		}
		return next(context.WithValue(ctx, credentialsKey{}, later), req)
	}
}

// WrapStreamingHandler fails: see errNotInHandlers.
func (i *ClientInterceptor) WrapStreamingHandler(connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(context.Context, connect.StreamingHandlerConn) error { return errNotInHandlers }
}

// WrapStreamingClient supplies the values of streams.
func (i *ClientInterceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		supply := bridge.FindSupply(i.interceptor, spec.Procedure)
		if supply == nil {
			return next(ctx, spec)
		}
		later := &callCredentials{supply: supply, method: spec.Procedure}
		conn := next(context.WithValue(ctx, credentialsKey{}, later), spec)
		later.host = conn.Peer().Addr
		return newPreparedConn(ctx, conn, func() error { return i.prepare(ctx, later, conn.RequestHeader()) })
	}
}

// prepare makes the header of a call carry what its method needs, or leaves that to the HTTP client.
func (i *ClientInterceptor) prepare(ctx context.Context, later *callCredentials, header http.Header) error {
	outgoing := metadata.MD{}
	for name, values := range header {
		key := strings.ToLower(name)
		outgoing[key] = append(outgoing[key], values...)
	}
	if err := later.supply.Prepare(outgoing); err != nil {
		return connectError(err)
	}
	for name := range header {
		if _, kept := outgoing[strings.ToLower(name)]; !kept {
			delete(header, name)
		}
	}
	switch {
	case !later.supply.NeedsPrivacy():
		values, err := later.supply.Values(ctx, false)
		if err != nil {
			return connectError(err)
		}
		addTo(header, values)
	case !i.private.Load():
		return connect.NewError(connect.CodeUnauthenticated, errors.New("grpcauth: "+later.method+" requires a "+
			"credential, and this client does not know whether it uses TLS: give it the HTTP client that "+
			"connectauth.ClientInterceptor.HTTPClient returns, or use grpcauth.AllowInsecureTransport()"))
	default:
		later.wanted.Store(true)
	}
	return nil
}

// addTo adds values by metadata keys.
func addTo(header http.Header, values map[string]string) {
	for key, value := range values {
		if strings.HasSuffix(key, binarySuffix) {
			value = connect.EncodeBinaryHeader([]byte(value))
		}
		header.Set(key, value)
	}
}
