package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/cases"
)

// callByGRPC calls every method with grpc's client, without the header or with the generated client interceptor.
func callByGRPC(ctx context.Context, address, _, header string) ([]cases.Call, error) {
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if header == cases.Right {
		options = append(options, greeterv1.NewGreeterClientInterceptor().DialOptions()...)
	}
	connection, err := grpc.NewClient(address, options...)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer connection.Close() //nolint:errcheck // nothing is left to lose
	client := greeterv1.NewGreeterClient(connection)
	var seen []cases.Call
	for _, kind := range cases.Kinds() {
		answers, err := callOneByGRPC(ctx, client, kind)
		failure := status.Convert(err)
		made := cases.Call{
			Kind: kind, Header: header, Code: failure.Code(), Message: failure.Message(), Answers: answers,
		}
		for _, detail := range failure.Details() {
			made.Details = append(made.Details, greetingIn(detail))
		}
		seen = append(seen, made)
	}
	return seen, nil
}

func callOneByGRPC(ctx context.Context, client greeterv1.GreeterClient, kind string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	switch kind {
	case cases.RepeatHello:
		stream, err := client.RepeatHello(ctx, &greeterv1.RepeatHelloRequest{Name: ada, Times: repeats})
		if err != nil {
			return nil, err
		}
		return receiveAll(stream.Recv)
	case cases.GreetTogether:
		stream, err := client.GreetTogether(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range people() {
			_ = stream.Send(&greeterv1.GreetTogetherRequest{Name: name}) // CloseAndRecv has the status
		}
		answer, err := stream.CloseAndRecv()
		return greetings(err, answer)
	case cases.GreetInTurn:
		stream, err := client.GreetInTurn(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range people() {
			_ = stream.Send(&greeterv1.GreetInTurnRequest{Name: name}) // Recv has the status
		}
		_ = stream.CloseSend()
		return receiveAll(stream.Recv)
	case cases.Ping:
		_, err := client.Ping(ctx, &greeterv1.PingRequest{})
		if err != nil {
			return nil, err
		}
		return []string{""}, nil
	default:
		answer, err := client.SayHello(ctx, &greeterv1.SayHelloRequest{Name: nameFor(kind)})
		return greetings(err, answer)
	}
}

func receiveAll[T greets](receive func() (T, error)) ([]string, error) {
	var answers []string
	for {
		answer, err := receive()
		if errors.Is(err, io.EOF) {
			return answers, nil
		}
		if err != nil {
			return answers, err
		}
		answers = append(answers, answer.GetGreeting())
	}
}
