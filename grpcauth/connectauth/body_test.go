package connectauth_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// countingListener counts what a server reads from its connections.
type countingListener struct {
	net.Listener

	read *atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &countingConn{Conn: conn, read: l.read}, err
}

type countingConn struct {
	net.Conn

	read *atomic.Int64
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

const (
	kibibyte = 1 << 10
	mebibyte = 1 << 20
)

// envelope is a message as streams and gRPC carry it.
func envelope(payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(payload))), payload...)
}

// The body of a refused call stays where it is. What is counted here is all that the server reads of the
// connection, the header and HTTP/2's own frames included, of a call with a body of 1 MiB.
func TestT42_TheBodyOfARefusedCallIsNotRead(t *testing.T) {
	t.Parallel()
	payload := make([]byte, mebibyte)
	calls := []struct {
		contentType string
		method      kind
		body        []byte
		status      int
	}{
		{"application/proto", unary, payload, http.StatusBadRequest},
		{"application/json", unary, payload, http.StatusBadRequest},
		{"application/connect+proto", clientStream, envelope(payload), http.StatusOK},
		{"application/grpc-web+proto", unary, envelope(payload), http.StatusOK},
		{"application/grpc-web+proto", clientStream, envelope(payload), http.StatusOK},
		{"application/grpc+proto", unary, envelope(payload), http.StatusOK},
		{"text/plain", unary, payload, http.StatusBadRequest},
	}
	for _, wire := range []wire{http1, h2c} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/chunked %v", wire.name, chunked), func(t *testing.T) {
				t.Parallel()
				interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
				for _, call := range calls {
					var read atomic.Int64
					server := wire.serve(t, connectauth.NewMiddleware(interceptor)((&service{}).handler()),
						func(server *httptest.Server) {
							server.Listener = &countingListener{server.Listener, &read}
							server.Config.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10}
						})
					var body io.Reader = bytes.NewReader(call.body)
					if chunked {
						body = io.MultiReader(body)
					}
					request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+methodOf(call.method), body)
					if err != nil {
						t.Fatal(err)
					}
					request.Header.Set("Content-Type", call.contentType)
					response, err := server.client.Do(request)
					if err != nil {
						t.Fatalf("%s: %v", call.contentType, err)
					}
					answer, err := io.ReadAll(response.Body)
					response.Body.Close()
					if err != nil || response.StatusCode != call.status {
						t.Errorf("%s: got %s %q and %v", call.contentType, response.Status, answer, err)
					}
					share := float64(read.Load()) / mebibyte
					if share >= 0.1 {
						t.Errorf("%s: the server read %.3f of the body's length", call.contentType, share)
					}
					t.Logf("%s to %s: the server read %.3f of the body's length", call.contentType, call.method, share)
				}
			})
		}
	}
}

// The same call with the header is read whole, so the test above measures something.
func TestTheBodyOfAnAllowedCallIsRead(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	var read atomic.Int64
	server := http1.serve(t, connectauth.NewMiddleware(interceptor)((&service{}).handler()),
		func(server *httptest.Server) { server.Listener = &countingListener{server.Listener, &read} })
	caller := connect.NewClient[message, message](server.client, server.URL+methodOf(unary))
	request := connect.NewRequest(&message{Value: make([]byte, mebibyte)})
	request.Header().Set("X-Key", "42")
	if _, err := caller.CallUnary(t.Context(), request); err != nil || read.Load() < mebibyte {
		t.Errorf("got %v, and the server read %d bytes", err, read.Load())
	}
}

// dialRaw opens a connection on which a test writes HTTP/1.1 itself.
func dialRaw(t *testing.T, server *served) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn, bufio.NewReader(conn)
}

// A caller that announces its body, and waits for the server's consent, is refused without it.
func TestARefusalComesBeforeTheConsentToSendABody(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	server := http1.serve(t, connectauth.NewMiddleware(interceptor)((&service{}).handler()))
	for key, want := range map[string]string{"41": "400 Bad Request", "42": "100 Continue"} {
		conn, reader := dialRaw(t, server)
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/proto\r\nX-Key: %s\r\n"+
			"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", methodOf(unary), key, mebibyte)
		line, err := reader.ReadString('\n')
		if err != nil || !strings.Contains(line, want) {
			t.Errorf("key %s: got %q and %v, want %s", key, line, err, want)
		}
	}
}

// A caller that sends part of a body of unknown length, and no more, gets its refusal at once. What it sends
// afterwards is no request.
func TestARefusalDoesNotWaitForAChunkedBody(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{}, 1)
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	s := &service{handled: func(context.Context) error {
		entered <- struct{}{}
		return nil
	}}
	server := http1.serve(t, connectauth.NewMiddleware(interceptor)(s.handler()))
	conn, reader := dialRaw(t, server)
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/connect+proto\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", methodOf(clientStream))
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || !bytes.Contains(body, []byte("failed_precondition")) || !response.Close {
		t.Fatalf("got %q, %v and close %v", body, err, response.Close)
	}
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/proto\r\nX-Key: 42\r\n"+
		"Content-Length: 0\r\n\r\n", methodOf(unary))
	if more, err := reader.ReadString('\n'); err == nil {
		t.Errorf("the connection goes on with %q", more)
	}
	if len(entered) > 0 {
		t.Error("what followed the refused request was served")
	}
}
