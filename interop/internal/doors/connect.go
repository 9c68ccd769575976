package doors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"connectrpc.com/connect"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
)

// connectGreeter is the greeter as connect wants it. A team would have connect generate what register does.
type connectGreeter struct{ answers *answers }

func (g connectGreeter) register(mux *http.ServeMux, options ...connect.HandlerOption) {
	for method, handler := range map[string]*connect.Handler{
		greeterv1.Greeter_SayHello_FullMethodName: connect.NewUnaryHandler(
			greeterv1.Greeter_SayHello_FullMethodName, g.sayHello, options...),
		greeterv1.Greeter_RepeatHello_FullMethodName: connect.NewServerStreamHandler(
			greeterv1.Greeter_RepeatHello_FullMethodName, g.repeatHello, options...),
		greeterv1.Greeter_GreetTogether_FullMethodName: connect.NewClientStreamHandler(
			greeterv1.Greeter_GreetTogether_FullMethodName, g.greetTogether, options...),
		greeterv1.Greeter_GreetInTurn_FullMethodName: connect.NewBidiStreamHandler(
			greeterv1.Greeter_GreetInTurn_FullMethodName, g.greetInTurn, options...),
		greeterv1.Greeter_Ping_FullMethodName: connect.NewUnaryHandler(
			greeterv1.Greeter_Ping_FullMethodName, g.ping, options...),
	} {
		mux.Handle(method, handler)
	}
}

func (g connectGreeter) sayHello(
	_ context.Context, request *connect.Request[greeterv1.SayHelloRequest],
) (*connect.Response[greeterv1.SayHelloResponse], error) {
	g.answers.handled.Add(1)
	if request.Msg.GetName() != Nobody {
		return connect.NewResponse(&greeterv1.SayHelloResponse{Greeting: hello(request.Msg.GetName())}), nil
	}
	detail, err := connect.NewErrorDetail(advice())
	if err != nil {
		return nil, fmt.Errorf("make a detail: %w", err)
	}
	refusal := connect.NewError(connect.CodeNotFound, errors.New(failure))
	refusal.AddDetail(detail)
	return nil, refusal
}

func (g connectGreeter) repeatHello(
	_ context.Context, request *connect.Request[greeterv1.RepeatHelloRequest],
	stream *connect.ServerStream[greeterv1.RepeatHelloResponse],
) error {
	g.answers.handled.Add(1)
	for range request.Msg.GetTimes() {
		if err := stream.Send(&greeterv1.RepeatHelloResponse{Greeting: hello(request.Msg.GetName())}); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
	return nil
}

func (g connectGreeter) greetTogether(
	_ context.Context, stream *connect.ClientStream[greeterv1.GreetTogetherRequest],
) (*connect.Response[greeterv1.GreetTogetherResponse], error) {
	g.answers.handled.Add(1)
	var names []string
	for stream.Receive() {
		names = append(names, stream.Msg().GetName())
	}
	if err := stream.Err(); err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	return connect.NewResponse(&greeterv1.GreetTogetherResponse{Greeting: together(names)}), nil
}

func (g connectGreeter) greetInTurn(
	_ context.Context, stream *connect.BidiStream[greeterv1.GreetInTurnRequest, greeterv1.GreetInTurnResponse],
) error {
	g.answers.handled.Add(1)
	for {
		request, err := stream.Receive()
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

func (g connectGreeter) ping(
	context.Context, *connect.Request[greeterv1.PingRequest],
) (*connect.Response[greeterv1.PingResponse], error) {
	g.answers.handled.Add(1)
	return connect.NewResponse(&greeterv1.PingResponse{}), nil
}
