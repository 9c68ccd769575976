// Package clients measures what it costs a client to send one header.
package clients

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	benchv1 "github.com/grpcauth/protoc-gen-go-grpcauth/bench/v1"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/systems"
)

const method = "/bench.v1.Literals/One"

// appended is the interceptor that teams write.
func appended(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn,
	invoker grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	ctx = metadata.AppendToOutgoingContext(ctx, systems.Header, systems.Right)
	return invoker(ctx, method, req, reply, conn, opts...)
}

// Interceptors measures the client's part before grpc's own.
func Interceptors(rounds int, sample time.Duration) *measure.Group {
	invoked := 0
	invoker := func(_ context.Context, called string, _, _ any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
		invoked++
		if called != method {
			return fmt.Errorf("%s was called", called)
		}
		return nil
	}
	intercepted := func(interceptor grpc.UnaryClientInterceptor) func(n int) error {
		return func(n int) error {
			invoked = 0
			for range n {
				if err := interceptor(context.Background(), method, nil, nil, nil, invoker); err != nil {
					return err
				}
			}
			if invoked != n {
				return fmt.Errorf("of %d calls %d were made", n, invoked)
			}
			return nil
		}
	}
	return &measure.Group{
		Name: "client", Title: "A client's interceptor, one header", Reference: "AppendToOutgoingContext",
		Rounds: rounds, WarmUp: true,
		Variants: []measure.Variant{
			measure.Loop("interceptor/AppendToOutgoingContext", sample, func(n int) error {
				for range n {
					ctx := metadata.AppendToOutgoingContext(context.Background(), systems.Header, systems.Right)
					if ctx == nil {
						return errors.New("no context")
					}
				}
				return nil
			}),
			measure.Loop("interceptor/AppendToOutgoingContext in an interceptor", sample, intercepted(appended)),
			measure.Loop("interceptor/ours", sample,
				intercepted(benchv1.NewLiteralsClientInterceptor().UnaryInterceptor)),
		},
	}
}

// Calls measures calls end to end to a server that checks nothing, so many for each sample.
func Calls(rounds, calls int) (*measure.Group, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	system, err := systems.Named(systems.None)
	if err != nil {
		return nil, err
	}
	server := system.Serve(listener)
	stops := []func(){server.Stop}
	group := &measure.Group{
		Name: "client calls", Title: "A call end to end to a server without a check", Reference: "no header",
		Rounds: rounds, WarmUp: true,
		Close: func() {
			for _, stop := range stops {
				stop()
			}
		},
	}
	for _, one := range []struct {
		name    string
		options []grpc.DialOption
	}{
		{"no header", nil},
		{"AppendToOutgoingContext", []grpc.DialOption{grpc.WithChainUnaryInterceptor(appended)}},
		{"ours", benchv1.NewLiteralsClientInterceptor().DialOptions()},
	} {
		connection, err := grpc.NewClient(listener.Addr().String(),
			append(one.options, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
		if err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		stops = append(stops, func() { _ = connection.Close() })
		client := benchv1.NewLiteralsClient(connection)
		group.Variants = append(group.Variants, measure.Times("loopback, unary/"+one.name, calls, func(n int) error {
			for range n {
				if _, err := client.One(context.Background(), &benchv1.OneRequest{}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return group, nil
}
