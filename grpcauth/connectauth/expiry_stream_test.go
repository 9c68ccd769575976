package connectauth_test

import (
	"context"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// A handler may hear of the deadline before the timer of its call does: from a clock, or from a server that it has
// called. The caller hears of the credential nevertheless.
func TestStreamsWhoseHandlerIsAheadOfTheTimer(t *testing.T) {
	t.Parallel()
	s := &service{handled: func(ctx context.Context) error {
		deadline, _ := ctx.Deadline()
		time.Sleep(time.Until(deadline) - time.Millisecond)
		for time.Now().Before(deadline) { // the runtime's timers are not so exact
		}
		return context.DeadlineExceeded
	}}
	server := h2c.serve(t, s.handler(connect.WithInterceptors(connectauth.NewInterceptor(expiring(shortLife)))))
	for range 10 {
		wantError(t, server.call(t.Context(), connectProtocol, serverStream, token), connect.CodeUnauthenticated, textExpired)
	}
}

// What a handler would have sent with its answer goes nowhere when the credential expires first.
func TestStreamsThatExpireLeaveHandlersHeadersOut(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	check := connectauth.NewInterceptor(expiring(lifetime))
	server := h2c.serve(t, connect.NewServerStreamHandler(methodOf(serverStream),
		func(_ context.Context, _ *connect.Request[message], stream *connect.ServerStream[message]) error {
			stream.ResponseHeader().Set("Draft", "header")
			stream.ResponseTrailer().Set("Draft", "trailer")
			<-release
			return nil
		}, connect.WithInterceptors(check)))
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			request := connect.NewRequest(&message{})
			request.Header().Set("Authorization", "Bearer t")
			stream, err := connect.NewClient[message, message](server.client, server.URL+methodOf(serverStream), p.options...).
				CallServerStream(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			for stream.Receive() {
			}
			wantError(t, stream.Err(), connect.CodeUnauthenticated, textExpired)
			if header, trailer := stream.ResponseHeader()["Draft"], stream.ResponseTrailer()["Draft"]; header != nil || trailer != nil {
				t.Errorf("the caller got the header %q and the trailer %q", header, trailer)
			}
		})
	}
}
