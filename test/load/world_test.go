// Package load_test puts a real server under load, over loopback: many refused calls, a verifier whose backend
// dies, and streams that expire. Nothing here measures time: tests end when they have made their calls.
//
// With -short, and under the race detector, they make a tenth of the calls.
package load_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// patience bounds what ends by itself.
const patience = time.Minute

// fewer is a tenth of the calls where each costs more, or where somebody is in a hurry.
func fewer(calls int) int {
	const part = 10
	if underRace || testing.Short() {
		return calls / part
	}
	return calls
}

// kind is one of the four kinds of methods. Each service has a method of each kind, of that name.
type kind string

const (
	unary        kind = "Unary"
	serverStream kind = "ServerStream"
	clientStream kind = "ClientStream"
	bidi         kind = "Bidi"
)

var kinds = []kind{unary, serverStream, clientStream, bidi}

// denial is what refused callers get.
var denial = authimpl.Denial{Code: codes.FailedPrecondition, Message: "Access denied!"}

// user is the principal that the verifiers set.
type user string

// ann is the only user that there is.
const ann user = "ann"

// service has handlers that count.
type service struct {
	name      string
	stream    func(grpc.ServerStream) error // what the handlers of streams do; by default they receive and answer
	runs      atomic.Int64
	intruders atomic.Int64 // runs for somebody else than ann
}

// table is what generated code would state: each method needs a literal and a verified token.
func (s *service) table() *authimpl.Service {
	table := &authimpl.Service{Name: s.name}
	for _, kind := range kinds {
		table.Methods = append(table.Methods, authimpl.Method{
			FullMethod: s.method(kind), Denial: denial,
			Headers: []authimpl.Header{{Name: "x-key", Equals: "good"}, {Name: "authorization", Bearer: true}},
		})
	}
	return table
}

func (s *service) method(kind kind) string { return "/" + s.name + "/" + string(kind) }

func (s *service) enter(ctx context.Context) {
	s.runs.Add(1)
	if who, _ := grpcauth.Principal[user](ctx); who != ann {
		s.intruders.Add(1)
	}
}

// desc is what generated code would register.
func (s *service) desc() *grpc.ServiceDesc {
	desc := &grpc.ServiceDesc{ServiceName: s.name, HandlerType: (*any)(nil)}
	desc.Methods = []grpc.MethodDesc{{
		MethodName: string(unary),
		Handler: func(_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			in := &wrapperspb.BytesValue{}
			if err := decode(in); err != nil {
				return nil, err
			}
			handler := func(ctx context.Context, _ any) (any, error) {
				s.enter(ctx)
				return in, nil
			}
			if interceptor == nil {
				return handler(ctx, in)
			}
			return interceptor(ctx, in, &grpc.UnaryServerInfo{FullMethod: s.method(unary)}, handler)
		},
	}}
	for _, kind := range kinds[1:] {
		desc.Streams = append(desc.Streams, grpc.StreamDesc{
			StreamName: string(kind), ClientStreams: kind != serverStream, ServerStreams: kind != clientStream,
			Handler: func(_ any, stream grpc.ServerStream) error {
				s.enter(stream.Context())
				if s.stream != nil {
					return s.stream(stream)
				}
				return echo(stream)
			},
		})
	}
	return desc
}

// echo receives to the end and answers once.
func echo(stream grpc.ServerStream) error {
	for {
		if err := stream.RecvMsg(&wrapperspb.BytesValue{}); errors.Is(err, io.EOF) {
			return stream.SendMsg(&wrapperspb.BytesValue{})
		} else if err != nil {
			return err
		}
	}
}

// verify is an application's verifier.
type verify func(ctx context.Context, call grpcauth.Call, token grpcauth.Secret) (context.Context, error)

// serve serves two services until the returned function is called, one behind Guard and one behind
// interceptors, with the same verifier. It returns the address.
func serve(t *testing.T, byGuard, byInterceptors *service, verify verify, options ...grpcauth.ServerOption) (address string, stop func()) {
	t.Helper()
	guard := authimpl.NewServerInterceptor(byGuard.table(), options, authimpl.VerifyBearer("authorization", verify))
	interceptor := authimpl.NewServerInterceptor(byInterceptors.table(), options, authimpl.VerifyBearer("authorization", verify))
	server := grpc.NewServer(interceptor.ServerOptions()...)
	server.RegisterService(byInterceptors.desc(), byInterceptors)
	guard.Guard(server).RegisterService(byGuard.desc(), byGuard)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	return listener.Addr().String(), func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// dial makes connections, which end when the returned function is called.
func dial(t *testing.T, address string, count int) (connections []*grpc.ClientConn, closeAll func()) {
	t.Helper()
	for range count {
		connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		connections = append(connections, connection)
	}
	return connections, func() {
		for _, connection := range connections {
			connection.Close()
		}
	}
}

// call calls a method to its end, with keys and values of metadata in turn.
func call(connection *grpc.ClientConn, s *service, kind kind, pairs ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ctx = metadata.NewOutgoingContext(ctx, metadata.Pairs(pairs...))
	if kind == unary {
		return connection.Invoke(ctx, s.method(kind), &wrapperspb.BytesValue{}, &wrapperspb.BytesValue{})
	}
	stream, err := open(ctx, connection, s, kind)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(&wrapperspb.BytesValue{}); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		err := stream.RecvMsg(&wrapperspb.BytesValue{})
		if errors.Is(err, io.EOF) || (err == nil && kind == clientStream) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func open(ctx context.Context, connection *grpc.ClientConn, s *service, kind kind) (grpc.ClientStream, error) {
	return connection.NewStream(ctx, &grpc.StreamDesc{
		StreamName: string(kind), ClientStreams: kind != serverStream, ServerStreams: kind != clientStream,
	}, s.method(kind))
}

// settle waits until there are no more goroutines than before.
func settle(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// heap is what is reachable: its bytes, and the number of objects.
type heap struct{ bytes, objects int64 }

func measure() heap {
	const collections = 3 // finalizers and pools keep things for one or two
	for range collections {
		runtime.GC()
	}
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/objects:objects"}}
	metrics.Read(samples)
	return heap{int64(samples[0].Value.Uint64()), int64(samples[1].Value.Uint64())}
}
