package connectauth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

var installs = []install{
	{"middleware", func(i *grpcauth.ServerInterceptor, s *service) http.Handler {
		return connectauth.NewMiddleware(i)(s.handler())
	}},
	{"interceptor", func(i *grpcauth.ServerInterceptor, s *service) http.Handler {
		return s.handler(connect.WithInterceptors(connectauth.NewInterceptor(i)))
	}},
}

// everyCall runs a test for each installation, kind of connection, protocol and kind of method.
func everyCall(t *testing.T, interceptor *grpcauth.ServerInterceptor, s *service, test func(*testing.T, *served, protocol, kind)) {
	t.Helper()
	for _, install := range installs {
		for _, wire := range wires {
			server := wire.serve(t, install.handler(interceptor, s))
			for _, protocol := range protocols {
				for _, kind := range kinds {
					if wire.carries(protocol, kind) {
						t.Run(strings.Join([]string{install.name, wire.name, protocol.name, string(kind)}, "/"), func(t *testing.T) {
							test(t, server, protocol, kind)
						})
					}
				}
			}
		}
	}
}

// Each caller gets the rule's code and text in its own protocol, and no handler runs; with the header it passes.
func TestCallsAreRefusedInTheCallersProtocol(t *testing.T) {
	ran := make(chan struct{}, 1)
	s := &service{handled: func(context.Context) error {
		ran <- struct{}{}
		return nil
	}}
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	everyCall(t, interceptor, s, func(t *testing.T, server *served, p protocol, k kind) {
		t.Helper()
		for _, values := range [][]string{nil, {""}, {"41"}, {"42", "42"}, {"42,42"}} {
			header := http.Header{}
			if values != nil {
				header["X-Key"] = values
			}
			wantError(t, server.call(t.Context(), p, k, header), connect.CodeFailedPrecondition, refusal.Message)
		}
		if len(ran) > 0 {
			t.Fatal("a handler ran")
		}
		if err := server.call(t.Context(), p, k, http.Header{"X-Key": {"42"}}); err != nil {
			t.Fatal(err)
		}
		<-ran
	})
}

// A handler's own error is what its caller gets.
func TestErrorsOfHandlersReachTheirCallers(t *testing.T) {
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	s := &service{handled: func(context.Context) error {
		return connect.NewError(connect.CodeAborted, errors.New("the handler's own"))
	}}
	everyCall(t, interceptor, s, func(t *testing.T, server *served, p protocol, k kind) {
		t.Helper()
		wantError(t, server.call(t.Context(), p, k, http.Header{"X-Key": {"42"}}), connect.CodeAborted, "the handler's own")
	})
}
