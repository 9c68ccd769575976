package vectors

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Desc is what generated code would register for a service without generated code, with a method of each kind.
// Each handler calls handled.
func Desc(service string, handled func(ctx context.Context)) *grpc.ServiceDesc {
	receiveAll := func(stream grpc.ServerStream) error {
		for {
			if err := stream.RecvMsg(&emptypb.Empty{}); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	return &grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: string(Unary),
			Handler: func(
				_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor,
			) (any, error) {
				in := &emptypb.Empty{}
				if err := decode(in); err != nil {
					return nil, err
				}
				handler := func(ctx context.Context, _ any) (any, error) {
					handled(ctx)
					return &emptypb.Empty{}, nil
				}
				if interceptor == nil {
					return handler(ctx, in)
				}
				info := &grpc.UnaryServerInfo{FullMethod: "/" + service + "/" + string(Unary)}
				return interceptor(ctx, in, info, handler)
			},
		}},
		Streams: []grpc.StreamDesc{
			{
				StreamName: string(ServerStream), ServerStreams: true,
				Handler: func(_ any, stream grpc.ServerStream) error {
					handled(stream.Context())
					if err := stream.RecvMsg(&emptypb.Empty{}); err != nil {
						return err
					}
					return stream.SendMsg(&emptypb.Empty{})
				},
			},
			{
				StreamName: string(ClientStream), ClientStreams: true,
				Handler: func(_ any, stream grpc.ServerStream) error {
					handled(stream.Context())
					if err := receiveAll(stream); err != nil {
						return err
					}
					return stream.SendMsg(&emptypb.Empty{})
				},
			},
			{
				StreamName: string(Bidi), ClientStreams: true, ServerStreams: true,
				Handler: func(_ any, stream grpc.ServerStream) error {
					handled(stream.Context())
					if err := receiveAll(stream); err != nil {
						return err
					}
					return stream.SendMsg(&emptypb.Empty{})
				},
			},
		},
	}
}
