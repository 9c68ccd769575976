package peers

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Usual is the check as it is mostly written.
func Usual(literal Literal) func(context.Context) error {
	return func(ctx context.Context) error {
		md, ok := metadata.FromIncomingContext(ctx)
		if !ok {
			return status.Errorf(codes.Unauthenticated, "missing metadata")
		}
		values := md.Get(literal.Name)
		if len(values) == 0 {
			return status.Errorf(codes.Unauthenticated, "missing header %q", literal.Name)
		}
		if values[0] != literal.Value {
			return status.Errorf(codes.Unauthenticated, "invalid header %q", literal.Name)
		}
		return nil
	}
}
