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
)

// callAll calls every method, without the header or with the generated client interceptor.
func callAll(ctx context.Context, address, header string) ([]call, error) {
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if header == right {
		options = append(options, greeterv1.NewGreeterClientInterceptor().DialOptions()...)
	}
	connection, err := grpc.NewClient(address, options...)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer connection.Close() //nolint:errcheck // nothing is left to lose
	client := greeterv1.NewGreeterClient(connection)
	var seen []call
	for _, kind := range kinds() {
		answers, err := callOne(ctx, client, kind)
		failure := status.Convert(err)
		made := call{Kind: kind, Header: header, Code: failure.Code(), Message: failure.Message(), Answers: answers}
		for _, detail := range failure.Details() {
			text := fmt.Sprintf("%T", detail)
			if greeting, ok := detail.(*greeterv1.SayHelloResponse); ok {
				text = greeting.GetGreeting()
			}
			made.Details = append(made.Details, text)
		}
		seen = append(seen, made)
	}
	return seen, nil
}

func callOne(ctx context.Context, client greeterv1.GreeterClient, kind string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	switch kind {
	case repeatHello:
		stream, err := client.RepeatHello(ctx, &greeterv1.RepeatHelloRequest{Name: ada, Times: repeats})
		if err != nil {
			return nil, err
		}
		return receiveAll(stream.Recv)
	case greetTogether:
		stream, err := client.GreetTogether(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range people() {
			_ = stream.Send(&greeterv1.GreetTogetherRequest{Name: name}) // CloseAndRecv has the status
		}
		answer, err := stream.CloseAndRecv()
		return greetings(err, answer)
	case greetInTurn:
		stream, err := client.GreetInTurn(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range people() {
			_ = stream.Send(&greeterv1.GreetInTurnRequest{Name: name}) // Recv has the status
		}
		_ = stream.CloseSend()
		return receiveAll(stream.Recv)
	case ping:
		_, err := client.Ping(ctx, &greeterv1.PingRequest{})
		if err != nil {
			return nil, err
		}
		return []string{""}, nil
	default:
		name := ada
		if kind == details {
			name = "Nobody"
		}
		answer, err := client.SayHello(ctx, &greeterv1.SayHelloRequest{Name: name})
		return greetings(err, answer)
	}
}

const (
	ada     = "Ada"
	repeats = 2
)

func people() []string { return []string{ada, "Grace"} }

type greets interface{ GetGreeting() string }

func greetings(err error, answer greets) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return []string{answer.GetGreeting()}, nil
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
