package gateway

import (
	"context"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/challenge"
)

// passHeaders lets the headers of the rules through to the server, and no others. Authorization passes by itself:
// named here, it would arrive twice, and the server would refuse it.
func passHeaders(name string) (string, bool) {
	switch key := strings.ToLower(name); key {
	case "x-api-key", "x-tenant-id":
		return key, true
	default:
		return "", false
	}
}

// challengingErrors is the gateway's own error handler, except that a 401 says how to authenticate. The gateway
// writes the status's text into WWW-Authenticate, which is no challenge.
func challengingErrors(interceptor *grpcauth.ServerInterceptor) runtime.ErrorHandlerFunc {
	return func(
		ctx context.Context, mux *runtime.ServeMux, marshaler runtime.Marshaler,
		w http.ResponseWriter, r *http.Request, err error,
	) {
		method, _ := runtime.RPCMethod(ctx)
		w = challenge.Writer(w, challenge.For(interceptor, method)...)
		runtime.DefaultHTTPErrorHandler(ctx, mux, marshaler, w, r, err)
	}
}

// challenging is for a gateway that knows the scheme of its services, and not their rules. Streams, which do not
// reach an error handler, get their challenge only so.
func challenging(mux http.Handler, challenges ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(challenge.Writer(w, challenges...), r)
	})
}
