package transparency

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

type neighbourKey struct{}

// serverInterceptors are somebody else's, such as those that trace. Each leaves its name in the context.
func (r *record) serverInterceptors(name string) []grpc.ServerOption {
	enter := func(ctx context.Context, method string) context.Context {
		if strings.HasPrefix(method, testService) {
			r.count(name, method)
		}
		before, _ := ctx.Value(neighbourKey{}).([]string)
		return context.WithValue(ctx, neighbourKey{}, append(slices.Clone(before), name))
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(
			ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
		) (any, error) {
			return handler(enter(ctx, info.FullMethod), request)
		}),
		grpc.ChainStreamInterceptor(func(
			server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
		) error {
			return handler(server, &neighbourStream{stream, enter(stream.Context(), info.FullMethod)})
		}),
	}
}

type neighbourStream struct {
	grpc.ServerStream

	ctx context.Context
}

func (s *neighbourStream) Context() context.Context { return s.ctx }

const neighbourHeader = "x-neighbour"

// clientInterceptors are somebody else's. Each sends its name.
func (r *record) clientInterceptors(name string) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(func(
			ctx context.Context, method string, request, reply any, connection *grpc.ClientConn,
			invoker grpc.UnaryInvoker, options ...grpc.CallOption,
		) error {
			ctx = metadata.AppendToOutgoingContext(ctx, neighbourHeader, name)
			return invoker(ctx, method, request, reply, connection, options...)
		}),
		grpc.WithChainStreamInterceptor(func(
			ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, method string,
			streamer grpc.Streamer, options ...grpc.CallOption,
		) (grpc.ClientStream, error) {
			ctx = metadata.AppendToOutgoingContext(ctx, neighbourHeader, name)
			return streamer(ctx, description, connection, method, options...)
		}),
	}
}
