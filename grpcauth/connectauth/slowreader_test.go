package connectauth_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// A caller that reads nothing at all blocks the handler in a write. That must not hide the expiry from anybody:
// nothing is compressed here, so that the connection's buffers do fill up.
func TestCallersThatDoNotReadAreCutOff(t *testing.T) {
	t.Parallel()
	for _, wire := range []wire{http1, h2} {
		for contentType, size := range map[string]int{"application/connect+proto": 1000, "application/grpc-web+proto": mebibyte} {
			t.Run(wire.name+"/"+contentType, func(t *testing.T) {
				t.Parallel()
				large := &message{Value: bytes.Repeat([]byte{1}, size)}
				ended := make(chan error, 1)
				server := wire.serve(t, connectauth.NewMiddleware(expiring(lifetime))(connect.NewServerStreamHandler(
					methodOf(serverStream),
					func(_ context.Context, _ *connect.Request[message], stream *connect.ServerStream[message]) error {
						for {
							if err := stream.Send(large); err != nil {
								ended <- err
								return err
							}
						}
					})))
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+methodOf(serverStream),
					bytes.NewReader(envelope(nil)))
				if err != nil {
					t.Fatal(err)
				}
				request.Header = token.Clone()
				request.Header.Set("Content-Type", contentType)
				response, err := server.client.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				select {
				case <-ended:
				case <-time.After(patience / 2): // before the caller gives up, which wakes it, too
					t.Error("the handler is still blocked in Send")
				}
			})
		}
	}
}
