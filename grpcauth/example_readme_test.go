package grpcauth_test

// What README.md shows of server and client. A test compares the two.

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// greeter implements greeterv1.GreeterServer, without a word about access.
type greeter struct {
	greeterv1.UnimplementedGreeterServer
}

func (*greeter) SayHello(
	_ context.Context, request *greeterv1.SayHelloRequest,
) (*greeterv1.SayHelloResponse, error) {
	return &greeterv1.SayHelloResponse{Greeting: "Hello " + request.GetName() + "!"}, nil
}

// serve serves on a free loopback port and returns its address.
func serve(server *grpc.Server) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go server.Serve(listener)
	return listener.Addr().String()
}

// A server refuses calls without the header that greeter.proto requires, and the generated client
// interceptor supplies it.
func Example() {
	server := grpc.NewServer(greeterv1.NewGreeterServerInterceptor().ServerOptions()...)
	greeterv1.RegisterGreeterServer(server, &greeter{})
	address := serve(server)
	defer server.Stop()
	ctx := context.Background()

	connection, err := grpc.NewClient(address, append(
		greeterv1.NewGreeterClientInterceptor().DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	)...)
	if err != nil {
		panic(err)
	}
	defer connection.Close()
	client := greeterv1.NewGreeterClient(connection)
	response, err := client.SayHello(ctx, &greeterv1.SayHelloRequest{Name: "Ada"})
	fmt.Println(response.GetGreeting(), err)

	without, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	defer without.Close()
	_, err = greeterv1.NewGreeterClient(without).SayHello(ctx, &greeterv1.SayHelloRequest{Name: "Ada"})
	fmt.Println(status.Code(err), status.Convert(err).Message())
	// Output:
	// Hello Ada! <nil>
	// Unauthenticated Access denied!
}

// Guard binds the check to the handlers of one service instead.
func Example_guard() {
	server := grpc.NewServer()
	greeterv1.RegisterGreeterServer(greeterv1.NewGreeterServerInterceptor().Guard(server), &greeter{})
	defer server.Stop()
	connection, err := grpc.NewClient(serve(server), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	defer connection.Close()
	_, err = greeterv1.NewGreeterClient(connection).SayHello(context.Background(), &greeterv1.SayHelloRequest{})
	fmt.Println(status.Code(err), status.Convert(err).Message())
	// Output: Unauthenticated Access denied!
}

// DenyUnlisted closes what has no rules, except the services that are meant to be open.
func Example_denyUnlisted() {
	interceptor := greeterv1.NewGreeterServerInterceptor(
		grpcauth.DenyUnlisted("grpc.reflection.v1.ServerReflection"),
	)
	server := grpc.NewServer(interceptor.ServerOptions()...)
	healthv1.RegisterHealthServer(server, healthv1.UnimplementedHealthServer{})
	defer server.Stop()
	connection, err := grpc.NewClient(serve(server), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	defer connection.Close()
	_, err = healthv1.NewHealthClient(connection).Check(context.Background(), &healthv1.HealthCheckRequest{})
	fmt.Println(status.Code(err), status.Convert(err).Message())
	// Output: Unimplemented unknown method
}
