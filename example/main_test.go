package main

import (
	"context"
	"errors"
	"net"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/example/internal/greeter"
)

func TestDemonstrationShowsRefusalsAndGreetings(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	const want = `greeter.v1.Greeter on ADDRESS requires authorization: 42

A caller without the header gets:
  SayHello       Unauthenticated: Access denied!
  RepeatHello    Unauthenticated: Access denied!
  GreetTogether  Unauthenticated: Access denied!
  GreetInTurn    Unauthenticated: Access denied!
  Ping           (open to anyone)

A caller with the generated client interceptor gets:
  SayHello       Hello Ada!
  RepeatHello    Hello Ada! Hello Ada!
  GreetTogether  Hello Ada and Grace!
  GreetInTurn    Hello Ada! Hello Grace!
  Ping           (open to anyone)
`
	if got := regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(out.String(), "ADDRESS"); got != want {
		t.Errorf("printed:\n%s\nwant:\n%s", got, want)
	}
}

// The exit status is worth something: whatever is not as it should be makes the demonstration fail.
func TestDemonstrationFailsWhereTheServerIsWrong(t *testing.T) {
	t.Parallel()
	refuse := grpc.ChainUnaryInterceptor(
		func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
			return nil, status.Error(codes.Unauthenticated, "Access denied!")
		})
	otherText := grpc.ChainUnaryInterceptor(
		func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
			return nil, status.Error(codes.Unauthenticated, "Go away!")
		})
	for name, test := range map[string]struct {
		options []grpc.ServerOption
		want    string
	}{
		"open":        {nil, "SayHello without the header: want Unauthenticated"},
		"all refused": {[]grpc.ServerOption{refuse}, "without the header"},
		"other text":  {[]grpc.ServerOption{otherText}, "SayHello without the header: want Unauthenticated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := &greeter.Service{}
			server := grpc.NewServer(test.options...)
			greeterv1.RegisterGreeterServer(server, service)
			address := listen(t, server)
			demonstration := &show{ctx: t.Context(), out: &strings.Builder{}, address: address, service: service}
			demonstration.refusals()
			demonstration.successes()
			if demonstration.err == nil || !strings.Contains(demonstration.err.Error(), test.want) {
				t.Errorf("got %v, want %q", demonstration.err, test.want)
			}
		})
	}
	if err := run(t.Context(), brokenPipe{}); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

var errBroken = errors.New("broken pipe")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

func listen(t *testing.T, server *grpc.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}
