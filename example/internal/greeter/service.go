// Package greeter is the greeter's implementation: business code, without a word about access.
package greeter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
)

const maxTimes = 100

// Service implements greeter.v1.Greeter and counts how often a handler ran.
type Service struct {
	greeterv1.UnimplementedGreeterServer

	handled atomic.Int64
}

// Handled is how many calls have reached a handler.
func (s *Service) Handled() int64 { return s.handled.Load() }

// SayHello greets one person.
func (s *Service) SayHello(
	_ context.Context, request *greeterv1.SayHelloRequest,
) (*greeterv1.SayHelloResponse, error) {
	s.handled.Add(1)
	greeting, err := greet(request.GetName())
	if err != nil {
		return nil, err
	}
	return &greeterv1.SayHelloResponse{Greeting: greeting}, nil
}

// RepeatHello greets one person several times.
func (s *Service) RepeatHello(
	request *greeterv1.RepeatHelloRequest, stream grpc.ServerStreamingServer[greeterv1.RepeatHelloResponse],
) error {
	s.handled.Add(1)
	greeting, err := greet(request.GetName())
	if err != nil {
		return err
	}
	if request.GetTimes() < 1 || request.GetTimes() > maxTimes {
		return status.Errorf(codes.InvalidArgument, "times must be 1 to %d", maxTimes)
	}
	for range request.GetTimes() {
		if err := stream.Send(&greeterv1.RepeatHelloResponse{Greeting: greeting}); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
	return nil
}

// GreetTogether greets several people with one greeting.
func (s *Service) GreetTogether(
	stream grpc.ClientStreamingServer[greeterv1.GreetTogetherRequest, greeterv1.GreetTogetherResponse],
) error {
	s.handled.Add(1)
	var names []string
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		if names = append(names, request.GetName()); len(names) > maxTimes {
			return status.Errorf(codes.InvalidArgument, "at most %d names", maxTimes)
		}
	}
	greeting, err := greet(strings.Join(names, " and "))
	if err != nil {
		return err
	}
	if err := stream.SendAndClose(&greeterv1.GreetTogetherResponse{Greeting: greeting}); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// GreetInTurn greets people one by one, as they come.
func (s *Service) GreetInTurn(
	stream grpc.BidiStreamingServer[greeterv1.GreetInTurnRequest, greeterv1.GreetInTurnResponse],
) error {
	s.handled.Add(1)
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		greeting, err := greet(request.GetName())
		if err != nil {
			return err
		}
		if err := stream.Send(&greeterv1.GreetInTurnResponse{Greeting: greeting}); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
}

// Ping says that the server is there.
func (s *Service) Ping(context.Context, *greeterv1.PingRequest) (*greeterv1.PingResponse, error) {
	s.handled.Add(1)
	return &greeterv1.PingResponse{}, nil
}

func greet(name string) (string, error) {
	if strings.TrimSpace(name) == "" {
		return "", status.Error(codes.InvalidArgument, "name must not be empty")
	}
	return "Hello " + name + "!", nil
}
