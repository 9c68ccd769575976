package doors

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
)

// grpcGreeter is the greeter as grpc wants it.
type grpcGreeter struct {
	greeterv1.UnimplementedGreeterServer

	answers *answers
}

func (g grpcGreeter) SayHello(
	_ context.Context, request *greeterv1.SayHelloRequest,
) (*greeterv1.SayHelloResponse, error) {
	g.answers.handled.Add(1)
	if request.GetName() != Nobody {
		return &greeterv1.SayHelloResponse{Greeting: hello(request.GetName())}, nil
	}
	refusal, err := status.New(codes.NotFound, failure).WithDetails(advice())
	if err != nil {
		return nil, fmt.Errorf("add a detail: %w", err)
	}
	return nil, refusal.Err()
}

func (g grpcGreeter) RepeatHello(
	request *greeterv1.RepeatHelloRequest, stream grpc.ServerStreamingServer[greeterv1.RepeatHelloResponse],
) error {
	g.answers.handled.Add(1)
	for range request.GetTimes() {
		if err := stream.Send(&greeterv1.RepeatHelloResponse{Greeting: hello(request.GetName())}); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
	return nil
}

func (g grpcGreeter) GreetTogether(
	stream grpc.ClientStreamingServer[greeterv1.GreetTogetherRequest, greeterv1.GreetTogetherResponse],
) error {
	g.answers.handled.Add(1)
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
	if err := stream.SendAndClose(&greeterv1.GreetTogetherResponse{Greeting: together(names)}); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

func (g grpcGreeter) GreetInTurn(
	stream grpc.BidiStreamingServer[greeterv1.GreetInTurnRequest, greeterv1.GreetInTurnResponse],
) error {
	g.answers.handled.Add(1)
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		if err := stream.Send(&greeterv1.GreetInTurnResponse{Greeting: hello(request.GetName())}); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
}

func (g grpcGreeter) Ping(context.Context, *greeterv1.PingRequest) (*greeterv1.PingResponse, error) {
	g.answers.handled.Add(1)
	return &greeterv1.PingResponse{}, nil
}
