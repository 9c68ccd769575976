package grpcauth

import (
	"context"

	"google.golang.org/grpc"
)

// contextStream is a server stream whose handler sees another context.
type contextStream struct {
	grpc.ServerStream

	ctx context.Context //nolint:containedctx // grpc.ServerStream hands out its context through a method
}

func (s *contextStream) Context() context.Context { return s.ctx }

// withContext wraps the stream only where there is something to pass on.
func withContext(stream grpc.ServerStream, ctx context.Context, changed bool) grpc.ServerStream {
	if !changed {
		return stream
	}
	return &contextStream{ServerStream: stream, ctx: ctx}
}
