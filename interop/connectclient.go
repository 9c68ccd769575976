package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/cases"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/doors"
)

// callByConnect calls every method with connect's client, without the header or with the generated client
// interceptor, over HTTP/2 in plaintext.
func callByConnect(ctx context.Context, address, protocol, header string) ([]cases.Call, error) {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	defer transport.CloseIdleConnections()
	client := connectClient{http: &http.Client{Transport: transport}, url: "http://" + address}
	switch protocol {
	case doors.GRPC:
		client.options = append(client.options, connect.WithGRPC())
	case doors.GRPCWeb:
		client.options = append(client.options, connect.WithGRPCWeb())
	}
	if header == cases.Right {
		auth := connectauth.NewClientInterceptor(greeterv1.NewGreeterClientInterceptor())
		client.options = append(client.options, connect.WithInterceptors(auth))
	}
	var seen []cases.Call
	for _, kind := range cases.Kinds() {
		answers, err := client.call(ctx, kind)
		made := cases.Call{Kind: kind, Header: header, Answers: answers}
		if err != nil {
			made.Code, made.Message, made.Details = failureOf(err)
		}
		seen = append(seen, made)
	}
	return seen, nil
}

// connectClient is the greeter's client. A team would have connect generate it.
type connectClient struct {
	http    connect.HTTPClient
	url     string
	options []connect.ClientOption
}

func (c connectClient) call(ctx context.Context, kind string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	switch kind {
	case cases.RepeatHello:
		return c.repeatHello(ctx)
	case cases.GreetTogether:
		return c.greetTogether(ctx)
	case cases.GreetInTurn:
		return c.greetInTurn(ctx)
	case cases.Ping:
		client := connect.NewClient[greeterv1.PingRequest, greeterv1.PingResponse](
			c.http, c.url+greeterv1.Greeter_Ping_FullMethodName, c.options...)
		if _, err := client.CallUnary(ctx, connect.NewRequest(&greeterv1.PingRequest{})); err != nil {
			return nil, err
		}
		return []string{""}, nil
	default:
		client := connect.NewClient[greeterv1.SayHelloRequest, greeterv1.SayHelloResponse](
			c.http, c.url+greeterv1.Greeter_SayHello_FullMethodName, c.options...)
		answer, err := client.CallUnary(ctx, connect.NewRequest(&greeterv1.SayHelloRequest{Name: nameFor(kind)}))
		if err != nil {
			return nil, err
		}
		return greetings(nil, answer.Msg)
	}
}

func (c connectClient) repeatHello(ctx context.Context) ([]string, error) {
	client := connect.NewClient[greeterv1.RepeatHelloRequest, greeterv1.RepeatHelloResponse](
		c.http, c.url+greeterv1.Greeter_RepeatHello_FullMethodName, c.options...)
	request := connect.NewRequest(&greeterv1.RepeatHelloRequest{Name: ada, Times: repeats})
	stream, err := client.CallServerStream(ctx, request)
	if err != nil {
		return nil, err
	}
	defer stream.Close() //nolint:errcheck // Err has what matters
	var answers []string
	for stream.Receive() {
		answers = append(answers, stream.Msg().GetGreeting())
	}
	return answers, stream.Err()
}

func (c connectClient) greetTogether(ctx context.Context) ([]string, error) {
	client := connect.NewClient[greeterv1.GreetTogetherRequest, greeterv1.GreetTogetherResponse](
		c.http, c.url+greeterv1.Greeter_GreetTogether_FullMethodName, c.options...)
	stream := client.CallClientStream(ctx)
	for _, name := range people() {
		_ = stream.Send(&greeterv1.GreetTogetherRequest{Name: name}) // CloseAndReceive has the status
	}
	answer, err := stream.CloseAndReceive()
	if err != nil {
		return nil, err
	}
	return greetings(nil, answer.Msg)
}

func (c connectClient) greetInTurn(ctx context.Context) ([]string, error) {
	client := connect.NewClient[greeterv1.GreetInTurnRequest, greeterv1.GreetInTurnResponse](
		c.http, c.url+greeterv1.Greeter_GreetInTurn_FullMethodName, c.options...)
	stream := client.CallBidiStream(ctx)
	defer stream.CloseResponse() //nolint:errcheck // Receive has what matters
	for _, name := range people() {
		_ = stream.Send(&greeterv1.GreetInTurnRequest{Name: name}) // Receive has the status
	}
	_ = stream.CloseRequest()
	return receiveAll(stream.Receive)
}

// failureOf is what a caller sees of an error.
func failureOf(err error) (code codes.Code, message string, details []string) {
	var failure *connect.Error
	if !errors.As(err, &failure) {
		return codes.Unknown, fmt.Sprintf("not an error of connect: %v", err), nil
	}
	for _, detail := range failure.Details() {
		value, err := detail.Value()
		if err != nil {
			details = append(details, err.Error())
			continue
		}
		details = append(details, greetingIn(value))
	}
	return codes.Code(failure.Code()), failure.Message(), details
}
