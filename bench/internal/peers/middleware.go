package peers

import (
	"context"
	"crypto/subtle"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/auth"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// Middleware is go-grpc-middleware's auth with its own reader of bearer tokens.
func Middleware(token string) Interceptors {
	want := []byte(token)
	check := func(ctx context.Context) (context.Context, error) {
		got, err := auth.AuthFromMD(ctx, "bearer")
		if err != nil {
			return nil, err //nolint:wrapcheck // a status, as that package's documentation returns it
		}
		if subtle.ConstantTimeCompare([]byte(got), want) != 1 {
			return nil, status.Error(codes.Unauthenticated, "invalid auth token")
		}
		return ctx, nil
	}
	return Interceptors{Unary: auth.UnaryServerInterceptor(check), Stream: auth.StreamServerInterceptor(check)}
}

// Selected is Middleware for all services but the health check's, by go-grpc-middleware's selector.
func Selected(token string) Interceptors {
	inner := Middleware(token)
	match := selector.MatchFunc(func(_ context.Context, call interceptors.CallMeta) bool {
		return call.Service != grpc_health_v1.Health_ServiceDesc.ServiceName
	})
	return Interceptors{
		Unary:  selector.UnaryServerInterceptor(inner.Unary, match),
		Stream: selector.StreamServerInterceptor(inner.Stream, match),
	}
}
