// Package checks measures the check alone: in this process, on the contexts of calls that really arrived, with a
// handler that does nothing.
package checks

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// arrivals is a server that keeps every call open, whatever its method.
type arrivals struct {
	server     *grpc.Server
	connection *grpc.ClientConn
	contexts   chan context.Context
	end        chan struct{}
}

func newArrivals() (*arrivals, error) {
	a := &arrivals{contexts: make(chan context.Context), end: make(chan struct{})}
	a.server = grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		a.contexts <- stream.Context()
		<-a.end
		return nil
	}))
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	go func() { _ = a.server.Serve(listener) }()
	a.connection, err = grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		a.server.Stop()
		return nil, fmt.Errorf("connect: %w", err)
	}
	return a, nil
}

// arrived makes a call and returns the context that its handler gets. It lives until close.
func (a *arrivals) arrived(fullMethod string, headers ...string) (context.Context, error) {
	ctx := metadata.AppendToOutgoingContext(context.Background(), headers...)
	desc := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := a.connection.NewStream(ctx, desc, fullMethod)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", fullMethod, err)
	}
	_ = stream // close ends it
	return <-a.contexts, nil
}

func (a *arrivals) close() {
	close(a.end)
	_ = a.connection.Close()
	a.server.Stop()
}
