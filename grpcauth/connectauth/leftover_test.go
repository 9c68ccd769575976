package connectauth_test

import (
	"context"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// What a handler leaves behind cannot send when its call has ended, also long before the expiry.
func TestSendersThatHandlersLeaveBehind(t *testing.T) {
	t.Parallel()
	release, sent := make(chan struct{}), make(chan error, 1)
	server := h2c.serve(t, connect.NewServerStreamHandler(methodOf(serverStream),
		func(_ context.Context, _ *connect.Request[message], stream *connect.ServerStream[message]) error {
			go func() {
				<-release
				sent <- stream.Send(&message{})
			}()
			return stream.Send(&message{})
		}, connect.WithInterceptors(connectauth.NewInterceptor(expiring(time.Hour)))))
	err := server.call(t.Context(), connectProtocol, serverStream, token)
	close(release)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, <-sent, connect.CodeUnauthenticated, textExpired)
}
