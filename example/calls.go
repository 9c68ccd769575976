package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
)

// The people to greet.
const (
	ada   = "Ada"
	grace = "Grace"
)

// call calls one method and returns what it answers.
type call struct {
	method string
	run    func(context.Context, greeterv1.GreeterClient) (string, error)
}

// guarded are the methods that require the header: a unary one and one of each streaming kind.
var guarded = []call{
	{"SayHello", sayHello},
	{"RepeatHello", repeatHello},
	{"GreetTogether", greetTogether},
	{"GreetInTurn", greetInTurn},
}

// ping is open to anyone.
var ping = call{"Ping", sendPing}

func sayHello(ctx context.Context, client greeterv1.GreeterClient) (string, error) {
	response, err := client.SayHello(ctx, &greeterv1.SayHelloRequest{Name: ada})
	return response.GetGreeting(), err
}

func repeatHello(ctx context.Context, client greeterv1.GreeterClient) (string, error) {
	const times = 2
	stream, err := client.RepeatHello(ctx, &greeterv1.RepeatHelloRequest{Name: ada, Times: times})
	if err != nil {
		return "", err
	}
	return collect(func() (string, error) {
		response, err := stream.Recv()
		return response.GetGreeting(), err
	})
}

func greetTogether(ctx context.Context, client greeterv1.GreeterClient) (string, error) {
	stream, err := client.GreetTogether(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range []string{ada, grace} {
		if err := stream.Send(&greeterv1.GreetTogetherRequest{Name: name}); err != nil {
			break // the stream has ended: CloseAndRecv says why
		}
	}
	response, err := stream.CloseAndRecv()
	return response.GetGreeting(), err
}

func greetInTurn(ctx context.Context, client greeterv1.GreeterClient) (string, error) {
	stream, err := client.GreetInTurn(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range []string{ada, grace} {
		if err := stream.Send(&greeterv1.GreetInTurnRequest{Name: name}); err != nil {
			break // the stream has ended: Recv says why
		}
	}
	if err := stream.CloseSend(); err != nil {
		return "", fmt.Errorf("close: %w", err)
	}
	return collect(func() (string, error) {
		response, err := stream.Recv()
		return response.GetGreeting(), err
	})
}

func sendPing(ctx context.Context, client greeterv1.GreeterClient) (string, error) {
	_, err := client.Ping(ctx, &greeterv1.PingRequest{})
	return "(open to anyone)", err
}

// collect receives until the stream ends.
func collect(receive func() (string, error)) (string, error) {
	var greetings []string
	for {
		greeting, err := receive()
		if errors.Is(err, io.EOF) {
			return strings.Join(greetings, " "), nil
		}
		if err != nil {
			return "", err
		}
		greetings = append(greetings, greeting)
	}
}
