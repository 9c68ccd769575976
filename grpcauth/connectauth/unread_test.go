package connectauth_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// sendsUntilItFails is a handler that sends more than any connection holds, in messages of a size in bytes. The error
// that ends it goes to ended.
func sendsUntilItFails(size int, ended chan<- error) http.Handler {
	random := make([]byte, size)
	rand.Read(random) // what compresses well never fills a connection
	large := &message{Value: random}
	return connect.NewServerStreamHandler(methodOf(serverStream),
		func(_ context.Context, _ *connect.Request[message], stream *connect.ServerStream[message]) error {
			for {
				if err := stream.Send(large); err != nil {
					ended <- err
					return err
				}
			}
		})
}

// A handler that sends faster than its caller reads is blocked in Send. It is woken, and the caller finds an end
// that is no success.
func TestStreamsThatAreBlockedInSendEnd(t *testing.T) {
	t.Parallel()
	for _, wire := range []wire{h2, http1} {
		for p, size := range map[*protocol]int{&connectProtocol: kibibyte, &grpcWebProtocol: mebibyte} {
			t.Run(wire.name+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				ended := make(chan error, 1)
				server := wire.serve(t, connectauth.NewMiddleware(expiring(lifetime))(sendsUntilItFails(size, ended)))
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				request := connect.NewRequest(&message{})
				request.Header().Set("Authorization", "Bearer t")
				stream, err := connect.NewClient[message, message](server.client, server.URL+methodOf(serverStream), p.options...).
					CallServerStream(ctx, request)
				if err != nil {
					t.Fatal(err)
				}
				defer stream.Close()
				wantEnd(t, ended)
				for stream.Receive() {
				}
				if stream.Err() == nil {
					t.Error("the caller took it for a success")
				}
			})
		}
	}
}

// wantEnd waits for a handler's end, and not until the caller gives up, which ends it, too.
func wantEnd(t *testing.T, ended <-chan error) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(patience / 2):
		t.Error("the handler is still blocked")
	}
}

// A caller that gave HTTP/2 all the room there is, and then reads nothing at all, blocks the connection itself. What
// the documentation asks for, WriteByteTimeout, ends it.
func TestHTTP2ConnectionsThatNobodyReadsEnd(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	server := h2c.serve(t, connectauth.NewMiddleware(expiring(lifetime))(sendsUntilItFails(mebibyte, ended)),
		func(server *httptest.Server) { server.Config.HTTP2 = &http.HTTP2Config{WriteByteTimeout: lifetime} })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const stream, window = 1, 1 << 30
	var begin, fields bytes.Buffer
	encoder := hpack.NewEncoder(&fields)
	for _, field := range []hpack.HeaderField{
		{Name: ":method", Value: http.MethodPost},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: methodOf(serverStream)},
		{Name: ":authority", Value: "a"},
		{Name: "content-type", Value: "application/grpc+proto"},
		{Name: "authorization", Value: "Bearer t"},
	} {
		encoder.WriteField(field)
	}
	begin.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&begin, nil)
	framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window})
	framer.WriteWindowUpdate(0, window)
	framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: fields.Bytes(), EndHeaders: true})
	framer.WriteData(stream, true, envelope(nil))
	if _, err := conn.Write(begin.Bytes()); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, ended)
}
