package grpcauth_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"testing"

	"google.golang.org/grpc"
)

// rawDoor is where frames reach a server.
type rawDoor struct {
	scheme string
	dial   func(ctx context.Context) (net.Conn, error)
}

// rawDoors serve a gRPC server in each way in which frames reach it.
var rawDoors = map[string]func(*testing.T, *grpc.Server) rawDoor{
	"native": func(t *testing.T, server *grpc.Server) rawDoor {
		t.Helper()
		return plainDoor(listen(t, server))
	},
	"ServeHTTP": func(t *testing.T, server *grpc.Server) rawDoor {
		t.Helper()
		return plainDoor(listenHTTP(t, server))
	},
	"ServeHTTP with TLS": func(t *testing.T, server *grpc.Server) rawDoor {
		t.Helper()
		return rawDoor{"https", dialTLS(listenHTTPS(t, server))}
	},
}

func plainDoor(address string) rawDoor {
	return rawDoor{"http", func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}}
}

// dialTLS dials for HTTP/2 over TLS.
func dialTLS(address string) func(ctx context.Context) (net.Conn, error) {
	config := madeTLS().client.Clone()
	config.NextProtos = []string{"h2"}
	dialer := &tls.Dialer{Config: config}
	return func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", address) }
}

// open makes a connection, which ends with the test at the latest.
func (d rawDoor) open(t *testing.T) *rawConnection {
	t.Helper()
	connection, err := d.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return openRaw(t, connection, d.scheme)
}

// call sends one request, an empty message as its body, on a connection of its own, and reads the answer to
// its end.
func (d rawDoor) call(t *testing.T, path string, extra ...field) rawAnswer {
	t.Helper()
	connection, err := d.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rawCallOn(t, connection, d.scheme, path, extra...)
}

// listen serves a gRPC server itself, and returns its address.
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

// listenHTTP serves a gRPC server behind net/http's HTTP/2, and returns the address.
func listenHTTP(t *testing.T, server *grpc.Server) string {
	t.Helper()
	return listenBehind(t, server, (*http.Protocols).SetUnencryptedHTTP2, (*http.Server).Serve)
}

// listenHTTPS is listenHTTP over TLS, as browsers' traffic and most ingresses come.
func listenHTTPS(t *testing.T, server *grpc.Server) string {
	t.Helper()
	return listenBehind(t, server, (*http.Protocols).SetHTTP2, func(front *http.Server, listener net.Listener) error {
		front.TLSConfig = madeTLS().server.Clone()
		return front.ServeTLS(listener, "", "")
	})
}

func listenBehind(
	t *testing.T, server *grpc.Server, speak func(*http.Protocols, bool), serve func(*http.Server, net.Listener) error,
) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	protocols := &http.Protocols{}
	speak(protocols, true)
	front := &http.Server{
		Handler: server, Protocols: protocols, ReadHeaderTimeout: patience,
		MaxHeaderBytes: 32 << 20, // the tests of the check must reach the check
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	done := make(chan error, 1)
	go func() { done <- serve(front, listener) }()
	t.Cleanup(func() {
		front.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		server.Stop()
	})
	return listener.Addr().String()
}
