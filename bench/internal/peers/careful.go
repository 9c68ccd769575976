// Package peers holds what ours is compared with: checks as teams write them by hand, and other packages.
package peers

import (
	"context"
	"crypto/subtle"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Literal is a header with the value that it must have.
type Literal struct{ Name, Value string }

// ErrDenied is the prebuilt refusal of the careful check.
var ErrDenied = status.Error(codes.Unauthenticated, "Access denied!")

// Careful is the check as somebody writes it who knows grpc well, for one header.
func Careful(literal Literal) func(context.Context) error {
	name, want := literal.Name, []byte(literal.Value)
	return func(ctx context.Context) error {
		values := metadata.ValueFromIncomingContext(ctx, name)
		if len(values) != 1 || subtle.ConstantTimeCompare([]byte(values[0]), want) != 1 {
			return ErrDenied
		}
		return nil
	}
}

// CarefulAll is the same for several headers.
func CarefulAll(literals []Literal) func(context.Context) error {
	return func(ctx context.Context) error {
		for i := range literals {
			values := metadata.ValueFromIncomingContext(ctx, literals[i].Name)
			if len(values) != 1 || subtle.ConstantTimeCompare([]byte(values[0]), []byte(literals[i].Value)) != 1 {
				return ErrDenied
			}
		}
		return nil
	}
}

// Interceptors are the two halves of a system.
type Interceptors struct {
	Unary  grpc.UnaryServerInterceptor
	Stream grpc.StreamServerInterceptor
}

// Intercept makes interceptors of a check.
func Intercept(check func(context.Context) error) Interceptors {
	return Interceptors{
		Unary: func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			if err := check(ctx); err != nil {
				return nil, err
			}
			return handler(ctx, req)
		},
		Stream: func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			if err := check(stream.Context()); err != nil {
				return err
			}
			return handler(srv, stream)
		},
	}
}

// Bind binds a check to the handler of a unary method, as Guard does.
func Bind(check func(context.Context) error, handler grpc.MethodHandler) grpc.MethodHandler {
	return func(
		srv any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor,
	) (any, error) {
		if err := check(ctx); err != nil {
			return nil, err
		}
		return handler(srv, ctx, decode, interceptor)
	}
}
