// Command example shows a greeter that refuses and accepts calls, by the rules in greeter.proto:
//
//	go generate ./example && go run ./example
//
// It starts a server on a free loopback port and calls every method without the required header and
// with the generated client interceptor. The exit status is 0 only if the server refused and accepted
// what it should.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/example/internal/greeter"
)

const timeout = 10 * time.Second

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for cancel to do
	}
}

func run(ctx context.Context, out io.Writer) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen on a loopback port: %w", err)
	}
	service := &greeter.Service{}
	server := greeter.NewServer(service)
	defer server.Stop()
	go server.Serve(listener) //nolint:errcheck // a server that does not serve fails the calls below

	show := &show{ctx: ctx, out: out, address: listener.Addr().String(), service: service}
	show.printf("greeter.v1.Greeter on %s requires authorization: 42\n", show.address)
	show.refusals()
	show.successes()
	return show.err
}

// show calls the greeter and keeps the first thing that is not as it should be.
type show struct {
	ctx     context.Context //nolint:containedctx // lives as long as run
	out     io.Writer
	address string
	service *greeter.Service
	err     error
}

// refusals calls without the header: nothing but Ping may reach a handler.
func (s *show) refusals() {
	s.printf("\nA caller without the header gets:\n")
	client, done := s.dial()
	defer done()
	before := s.service.Handled()
	for _, call := range guarded {
		_, err := call.run(s.ctx, client)
		s.printf("  %-14s %s: %s\n", call.method, status.Code(err), status.Convert(err).Message())
		if status.Code(err) != codes.Unauthenticated || status.Convert(err).Message() != "Access denied!" {
			s.failf("%s without the header: want Unauthenticated: Access denied!, got: %v", call.method, err)
		}
	}
	if ran := s.service.Handled() - before; ran != 0 {
		s.failf("%d refused calls reached a handler", ran)
	}
	answer, err := ping.run(s.ctx, client)
	s.accepted(ping.method, answer, err)
}

// successes calls with the generated client interceptor.
func (s *show) successes() {
	s.printf("\nA caller with the generated client interceptor gets:\n")
	client, done := s.dial(greeterv1.NewGreeterClientInterceptor().DialOptions()...)
	defer done()
	for _, call := range append(guarded, ping) {
		answer, err := call.run(s.ctx, client)
		s.accepted(call.method, answer, err)
	}
}

func (s *show) accepted(method, answer string, err error) {
	if err != nil {
		s.printf("  %-14s %s: %s\n", method, status.Code(err), status.Convert(err).Message())
		s.failf("%s should have been accepted: %w", method, err)
		return
	}
	s.printf("  %-14s %s\n", method, answer)
}

func (s *show) dial(options ...grpc.DialOption) (client greeterv1.GreeterClient, done func()) {
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	connection, err := grpc.NewClient(s.address, options...)
	if err != nil {
		s.failf("connect: %w", err)
	}
	return greeterv1.NewGreeterClient(connection), func() {
		if err := connection.Close(); err != nil {
			s.failf("disconnect: %w", err)
		}
	}
}

func (s *show) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(s.out, format, args...); err != nil {
		s.failf("print: %w", err)
	}
}

func (s *show) failf(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}
