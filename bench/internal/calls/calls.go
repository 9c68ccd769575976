// Package calls measures calls end to end: a client and a server of this process, over loopback and in memory.
package calls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	benchv1 "github.com/grpcauth/protoc-gen-go-grpcauth/bench/v1"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/systems"
)

// Group measures unary calls and streams, accepted and refused, with every system. Client and server are counted
// together; a sample is of so many calls, one after the other.
func Group(rounds, calls int) (*measure.Group, error) {
	group := &measure.Group{
		Name: "calls", Title: "A call end to end, client and server together", Reference: systems.None,
		Rounds: rounds, WarmUp: true,
	}
	all, err := systems.All()
	if err != nil {
		return nil, err
	}
	var stops []func()
	group.Close = func() {
		for _, stop := range stops {
			stop()
		}
	}
	for _, transport := range []struct {
		name    string
		network bool
		listen  func() (net.Listener, []grpc.DialOption, error)
	}{{"loopback", true, loopback}, {"in memory", false, inMemory}} {
		for _, system := range all {
			if system.NeedsNetwork() && !transport.network {
				continue
			}
			listener, dial, err := transport.listen()
			if err != nil {
				return nil, err
			}
			server := system.Serve(listener)
			connection, err := grpc.NewClient("passthrough:///"+listener.Addr().String(),
				append(dial, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
			if err != nil {
				return nil, fmt.Errorf("connect: %w", err)
			}
			stops = append(stops, func() {
				_ = connection.Close()
				server.Stop()
			})
			add(group, transport.name, system, connection, calls)
		}
	}
	return group, nil
}

func add(group *measure.Group, transport string, system systems.System, connection *grpc.ClientConn, calls int) {
	client := benchv1.NewLiteralsClient(connection)
	refused := codes.Unauthenticated
	if system.Name == systems.Authz {
		refused = codes.PermissionDenied
	}
	for _, outcome := range []struct {
		name, value string
		want        codes.Code
	}{{"accepted", systems.Right, codes.OK}, {"refused", systems.Wrong, refused}} {
		if system.Name == systems.None && outcome.want != codes.OK {
			continue
		}
		ctx := system.Outgoing(outcome.value)
		for _, kind := range []struct {
			name string
			call func(context.Context, benchv1.LiteralsClient) error
		}{{"unary", unary}, {"stream", stream}} {
			if kind.name == "stream" && !streams(system) {
				continue
			}
			name := fmt.Sprintf("%s, %s %s/%s", transport, kind.name, outcome.name, system.Name)
			group.Variants = append(group.Variants, measure.Times(name, calls, func(n int) error {
				for range n {
					if err := kind.call(ctx, client); status.Code(err) != outcome.want {
						return fmt.Errorf("got %w, want %v", err, outcome.want)
					}
				}
				return nil
			}))
		}
	}
}

// streams are measured with fewer systems: a check runs once, as they open, whoever makes it.
func streams(system systems.System) bool {
	switch system.Name {
	case systems.None, systems.Careful, systems.Guard, systems.Interceptor:
		return true
	default:
		return false
	}
}

func unary(ctx context.Context, client benchv1.LiteralsClient) error {
	_, err := client.One(ctx, &benchv1.OneRequest{})
	return err
}

func stream(ctx context.Context, client benchv1.LiteralsClient) error {
	stream, err := client.Talk(ctx)
	if err != nil {
		return err
	}
	if _, err = stream.Recv(); errors.Is(err, io.EOF) {
		return nil
	}
	return err //nolint:wrapcheck // a status, to be compared
}

func loopback() (net.Listener, []grpc.DialOption, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen: %w", err)
	}
	return listener, nil, nil
}

func inMemory() (net.Listener, []grpc.DialOption, error) {
	const buffer = 1 << 20
	listener := bufconn.Listen(buffer)
	return listener, []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return listener.DialContext(ctx)
	})}, nil
}
