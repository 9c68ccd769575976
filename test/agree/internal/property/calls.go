package property

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
)

// messages go each way of a stream.
const messages = 2

// describe is what protoc-gen-go-grpc would write for a service. ends is nil for one without rules.
func (w *world) describe(service *plan.Service, ends *Ends) *grpc.ServiceDesc {
	desc := &grpc.ServiceDesc{ServiceName: service.Name, HandlerType: (*any)(nil)}
	for i := range service.Methods {
		method := &service.Methods[i]
		name := method.Name[strings.LastIndex(method.Name, "/")+1:]
		if !method.ClientStreams && !method.ServerStreams {
			desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: name, Handler: w.unary(method.Name, ends)})
			continue
		}
		desc.Streams = append(desc.Streams, grpc.StreamDesc{
			StreamName: name, ClientStreams: method.ClientStreams, ServerStreams: method.ServerStreams,
			Handler: w.stream(method, ends),
		})
	}
	return desc
}

func (w *world) unary(fullMethod string, ends *Ends) grpc.MethodHandler {
	return func(
		srv any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor,
	) (any, error) {
		request := &emptypb.Empty{}
		if err := decode(request); err != nil {
			return nil, err
		}
		handler := func(ctx context.Context, _ any) (any, error) {
			w.ran(ctx, ends)
			return &emptypb.Empty{}, nil
		}
		if interceptor == nil {
			return handler(ctx, request)
		}
		return interceptor(ctx, request, &grpc.UnaryServerInfo{Server: srv, FullMethod: fullMethod}, handler)
	}
}

func (w *world) stream(method *plan.Method, ends *Ends) grpc.StreamHandler {
	return func(_ any, stream grpc.ServerStream) error {
		w.ran(stream.Context(), ends)
		err := receive(stream, method.ClientStreams)
		for i := 0; err == nil && i < count(method.ServerStreams); i++ {
			err = stream.SendMsg(&emptypb.Empty{})
		}
		return err //nolint:wrapcheck // a status
	}
}

func count(streams bool) int {
	if streams {
		return messages
	}
	return 1
}

// receive takes all that one direction of a call carries.
func receive(stream interface{ RecvMsg(message any) error }, streams bool) error {
	for range count(streams) {
		if err := stream.RecvMsg(&emptypb.Empty{}); err != nil {
			return err
		}
	}
	if !streams {
		return nil // grpc has looked for the end by itself
	}
	if err := stream.RecvMsg(&emptypb.Empty{}); !errors.Is(err, io.EOF) {
		return fmt.Errorf("after the last message: %w", err)
	}
	return nil
}

// call makes a call of any kind with a context's outgoing metadata, and returns its status and, whatever that
// is, what the server saw of it.
func (w *world) call(ctx context.Context, conn *grpc.ClientConn, method *plan.Method) (*arrival, error) {
	const patience = 30 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	id := strconv.FormatInt(w.calls.Add(1), 10)
	err := invoke(metadata.AppendToOutgoingContext(ctx, callID, id), conn, method)
	return w.arrived(id), err
}

func invoke(ctx context.Context, conn *grpc.ClientConn, method *plan.Method) error {
	if !method.ClientStreams && !method.ServerStreams {
		return conn.Invoke(ctx, method.Name, &emptypb.Empty{}, &emptypb.Empty{}) //nolint:wrapcheck // a status
	}
	desc := &grpc.StreamDesc{ClientStreams: method.ClientStreams, ServerStreams: method.ServerStreams}
	stream, err := conn.NewStream(ctx, desc, method.Name)
	if err != nil {
		return err //nolint:wrapcheck // a status
	}
	for range count(method.ClientStreams) {
		if err := stream.SendMsg(&emptypb.Empty{}); err != nil && !errors.Is(err, io.EOF) { // EOF: RecvMsg knows why
			return err //nolint:wrapcheck // a status
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err //nolint:wrapcheck // a status
	}
	return receive(stream, method.ServerStreams)
}
