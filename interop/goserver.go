package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
)

// startServer serves the greeter by the generated rules, as interceptors or with Guard, on a free loopback port.
func startServer(ctx context.Context, guard bool) (address string, stop func(), err error) {
	interceptor := greeterv1.NewGreeterServerInterceptor()
	var server *grpc.Server
	if guard {
		server = grpc.NewServer()
		greeterv1.RegisterGreeterServer(interceptor.Guard(server), greeter{})
	} else {
		server = grpc.NewServer(interceptor.ServerOptions()...)
		greeterv1.RegisterGreeterServer(server, greeter{})
	}
	reflection.Register(server)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("listen on a loopback port: %w", err)
	}
	go server.Serve(listener) //nolint:errcheck // a server that does not serve fails every call
	return listener.Addr().String(), server.Stop, nil
}

// greeter answers, without a word about access.
type greeter struct {
	greeterv1.UnimplementedGreeterServer
}

func greeting(name string) string { return "Hello " + name + "!" }

func (greeter) SayHello(
	_ context.Context, request *greeterv1.SayHelloRequest,
) (*greeterv1.SayHelloResponse, error) {
	if request.GetName() != "Nobody" {
		return &greeterv1.SayHelloResponse{Greeting: greeting(request.GetName())}, nil
	}
	failure, err := status.New(codes.NotFound, "nobody to greet").
		WithDetails(&greeterv1.SayHelloResponse{Greeting: "try Ada"})
	if err != nil {
		return nil, fmt.Errorf("add a detail: %w", err)
	}
	return nil, failure.Err()
}

func (greeter) RepeatHello(
	request *greeterv1.RepeatHelloRequest, stream grpc.ServerStreamingServer[greeterv1.RepeatHelloResponse],
) error {
	for range request.GetTimes() {
		if err := stream.Send(&greeterv1.RepeatHelloResponse{Greeting: greeting(request.GetName())}); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
	return nil
}

func (greeter) GreetTogether(
	stream grpc.ClientStreamingServer[greeterv1.GreetTogetherRequest, greeterv1.GreetTogetherResponse],
) error {
	var names []string
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		names = append(names, request.GetName())
	}
	answer := &greeterv1.GreetTogetherResponse{Greeting: greeting(strings.Join(names, " and "))}
	if err := stream.SendAndClose(answer); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

func (greeter) GreetInTurn(
	stream grpc.BidiStreamingServer[greeterv1.GreetInTurnRequest, greeterv1.GreetInTurnResponse],
) error {
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		if err := stream.Send(&greeterv1.GreetInTurnResponse{Greeting: greeting(request.GetName())}); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
}

func (greeter) Ping(context.Context, *greeterv1.PingRequest) (*greeterv1.PingResponse, error) {
	return &greeterv1.PingResponse{}, nil
}
