package grpcauth_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/vectors"
)

// patience bounds every call: tests do not wait for what does not come.
const patience = 20 * time.Second

// refusal is the denial of most rules here, unlike any that grpc makes by itself.
var refusal = authimpl.Denial{Code: codes.FailedPrecondition, Message: "Access denied! é"}

// headers is a rule that requires these.
func headers(list ...authimpl.Header) authimpl.Method {
	return authimpl.Method{Headers: list, Denial: refusal}
}

// kind is one of the four kinds of methods. Each test service has a method of each kind, of that name.
type kind = vectors.Kind

const (
	unary        = vectors.Unary
	serverStream = vectors.ServerStream
	clientStream = vectors.ClientStream
	bidi         = vectors.Bidi
)

var kinds = vectors.Kinds

// tableFor is a table with the same rule for a method of each kind.
func tableFor(service string, rule authimpl.Method) *authimpl.Service {
	return vectors.Table(service, rule)
}

// service is a real gRPC service without generated code, with a method of each kind.
type service struct {
	name    string
	runs    atomic.Int64              // how often a handler ran
	handled func(ctx context.Context) // called by each handler, if set
}

func (s *service) enter(ctx context.Context) {
	s.runs.Add(1)
	if s.handled != nil {
		s.handled(ctx)
	}
}

// desc is what generated code would register.
func (s *service) desc() *grpc.ServiceDesc { return vectors.Desc(s.name, s.enter) }

// call calls a method of the given kind to its end, as generated client code does.
func call(ctx context.Context, connection grpc.ClientConnInterface, service string, kind kind, opts ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return callUntil(ctx, connection, service, kind, opts...)
}

// callUntil is call with the deadline of ctx, or none.
func callUntil(ctx context.Context, connection grpc.ClientConnInterface, service string, kind kind, opts ...grpc.CallOption) error {
	method := "/" + service + "/" + string(kind)
	if kind == unary {
		return connection.Invoke(ctx, method, &emptypb.Empty{}, &emptypb.Empty{}, opts...)
	}
	stream, err := connection.NewStream(ctx, &grpc.StreamDesc{
		StreamName: string(kind), ServerStreams: kind != clientStream, ClientStreams: kind != serverStream,
	}, method, opts...)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(&emptypb.Empty{}); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if err := stream.RecvMsg(&emptypb.Empty{}); err != nil || kind == clientStream {
		return err
	}
	if err := stream.RecvMsg(&emptypb.Empty{}); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// install is a way to put the check into a server.
type install struct {
	name    string
	options func(*grpcauth.ServerInterceptor) []grpc.ServerOption
	guard   func(*grpcauth.ServerInterceptor, grpc.ServiceRegistrar) grpc.ServiceRegistrar
}

var installs = []install{
	{
		name:    "interceptors",
		options: (*grpcauth.ServerInterceptor).ServerOptions,
		guard:   func(_ *grpcauth.ServerInterceptor, s grpc.ServiceRegistrar) grpc.ServiceRegistrar { return s },
	},
	{
		name:    "guard",
		options: func(*grpcauth.ServerInterceptor) []grpc.ServerOption { return nil },
		guard:   (*grpcauth.ServerInterceptor).Guard,
	},
}

// start serves with the check installed, and returns a connection.
func (i install) start(
	t *testing.T, transport transport, interceptor *grpcauth.ServerInterceptor, served *service, dial ...grpc.DialOption,
) *grpc.ClientConn {
	t.Helper()
	server := grpc.NewServer(i.options(interceptor)...)
	i.guard(interceptor, server).RegisterService(served.desc(), served)
	return transport(t, server, dial...)
}

// newServer is a server with the check installed, not yet serving.
func newServer(i install, table *authimpl.Service, served *service) *grpc.Server {
	interceptor := authimpl.NewServerInterceptor(table, nil)
	server := grpc.NewServer(i.options(interceptor)...)
	i.guard(interceptor, server).RegisterService(served.desc(), served)
	return server
}

// transport serves on a kind of connection and dials it.
type transport func(t *testing.T, server *grpc.Server, dial ...grpc.DialOption) *grpc.ClientConn

func loopback(t *testing.T, server *grpc.Server, dial ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return connect(t, server, listener, listener.Addr().String(), dial...)
}

func inMemory(t *testing.T, server *grpc.Server, dial ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	return serveInMemory(t, server, dial...).client
}

func connect(t *testing.T, server *grpc.Server, listener net.Listener, target string, dial ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(target, append(dial, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

// sent is outgoing metadata with keys and values in turn.
func sent(t *testing.T, pairs ...string) context.Context {
	t.Helper()
	return metadata.NewOutgoingContext(t.Context(), metadata.Pairs(pairs...))
}

// arrived is incoming metadata with keys and values in turn.
func arrived(t *testing.T, pairs ...string) context.Context {
	t.Helper()
	return metadata.NewIncomingContext(t.Context(), metadata.Pairs(pairs...))
}
