package authz

import (
	"context"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/authz"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

const serviceName = "pair.v1.Pair"

// end is one server with its own interceptors, and a connection to it.
type end struct {
	connection *grpc.ClientConn
	runs       atomic.Int64
}

// ends are a server under our rules and one under grpc/authz's, each with the same methods, among them some
// without a rule.
func ends(t *testing.T, rules map[string]rule, unruled ...string) (ours, theirs *end) {
	t.Helper()
	table := &authimpl.Service{Name: serviceName}
	for path, rule := range rules {
		table.Methods = append(table.Methods, rule.table(path))
	}
	static, err := authz.NewStatic(policyOf(t, rules))
	if err != nil {
		t.Fatal(err)
	}
	paths := slices.AppendSeq(unruled, maps.Keys(rules))
	ours = start(t, paths, authimpl.NewServerInterceptor(table, nil).ServerOptions()...)
	theirs = start(t, paths,
		grpc.ChainUnaryInterceptor(static.UnaryInterceptor), grpc.ChainStreamInterceptor(static.StreamInterceptor))
	return ours, theirs
}

// streams is true for the path of a streaming method.
func streams(path string) bool { return strings.Contains(path, "/Stream") }

func start(t *testing.T, paths []string, options ...grpc.ServerOption) *end {
	t.Helper()
	made := &end{}
	desc := &grpc.ServiceDesc{ServiceName: serviceName, HandlerType: (*any)(nil)}
	for _, path := range paths {
		name := strings.TrimPrefix(path, "/"+serviceName+"/")
		if streams(path) {
			desc.Streams = append(desc.Streams, grpc.StreamDesc{
				StreamName: name, ServerStreams: true, ClientStreams: true, Handler: made.stream,
			})
		} else {
			desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: name, Handler: made.unary(path)})
		}
	}
	server := grpc.NewServer(options...)
	server.RegisterService(desc, made)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	made.connection, err = grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { made.connection.Close() })
	return made
}

func (e *end) unary(path string) grpc.MethodHandler {
	return func(_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		message := &emptypb.Empty{}
		if err := decode(message); err != nil {
			return nil, err
		}
		return interceptor(ctx, message, &grpc.UnaryServerInfo{FullMethod: path}, func(context.Context, any) (any, error) {
			e.runs.Add(1)
			return message, nil
		})
	}
}

func (e *end) stream(_ any, stream grpc.ServerStream) error {
	e.runs.Add(1)
	return stream.SendMsg(&emptypb.Empty{})
}

// allows makes a call with the metadata. The code of a refusal is PERMISSION_DENIED on both ends, and no handler
// runs for one.
func (e *end) allows(t *testing.T, path string, md metadata.MD) bool {
	t.Helper()
	before := e.runs.Load()
	err := e.call(metadata.NewOutgoingContext(t.Context(), md), path)
	ran := e.runs.Load() - before
	switch code := status.Code(err); {
	case code == codes.OK && ran == 1:
		return true
	case code != codes.PermissionDenied || ran != 0:
		t.Fatalf("%s with %.200q: %v, the handler ran %d times", path, md, err, ran)
	}
	return false
}

func (e *end) call(ctx context.Context, path string) error {
	if !streams(path) {
		return e.connection.Invoke(ctx, path, &emptypb.Empty{}, &emptypb.Empty{})
	}
	stream, err := e.connection.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, path)
	if err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return stream.RecvMsg(&emptypb.Empty{})
}
