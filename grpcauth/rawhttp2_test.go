package grpcauth_test

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
)

// field is one header field as it stands on the wire.
type field = hpack.HeaderField

// rawAnswer is what a server said on one stream.
type rawAnswer struct {
	fields map[string]string // headers and trailers
	reset  bool              // the stream or the connection was reset instead
}

// rawCall sends one gRPC request in frames of its own making, an empty message as its body, and reads the
// answer to its end.
func rawCall(t *testing.T, address, path string, extra ...field) rawAnswer {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return rawCallOn(t, connection, "http", address, path, extra...)
}

// rawCallOn is rawCall on a connection of its own, which it closes.
func rawCallOn(t *testing.T, connection net.Conn, scheme, authority, path string, extra ...field) rawAnswer {
	t.Helper()
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := connection.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(connection, connection)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	const stream = 1
	err := framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, EndHeaders: true, BlockFragment: encodeFields(t, append([]field{
			{Name: ":method", Value: "POST"},
			{Name: ":scheme", Value: scheme},
			{Name: ":path", Value: path},
			{Name: ":authority", Value: authority},
			{Name: "content-type", Value: "application/grpc"},
			{Name: "te", Value: "trailers"},
		}, extra...)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteData(stream, true, make([]byte, 5)); err != nil { // an empty message
		return rawAnswer{reset: true}
	}
	answer := rawAnswer{fields: map[string]string{}}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return rawAnswer{reset: true} // the server has closed the connection
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			for _, field := range frame.Fields {
				answer.fields[field.Name] = field.Value
			}
			if frame.StreamEnded() {
				return answer
			}
		case *http2.DataFrame:
			if frame.StreamEnded() {
				return answer
			}
		case *http2.RSTStreamFrame:
			if len(answer.fields) > 0 {
				return answer // answered, and not interested in the rest of the request
			}
			return rawAnswer{reset: true}
		case *http2.GoAwayFrame:
			return rawAnswer{reset: true}
		}
	}
}

func encodeFields(t *testing.T, fields []field) []byte {
	t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range fields {
		if err := encoder.WriteField(field); err != nil {
			t.Fatal(err)
		}
	}
	return block.Bytes()
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
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	front := &http.Server{Handler: server, Protocols: protocols, ReadHeaderTimeout: patience}
	done := make(chan error, 1)
	go func() { done <- front.Serve(listener) }()
	t.Cleanup(func() {
		front.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		server.Stop()
	})
	return listener.Addr().String()
}

var listeners = map[string]func(*testing.T, *grpc.Server) string{"native": listen, "ServeHTTP": listenHTTP}

func TestRawCallReachesTheHandler(t *testing.T) {
	t.Parallel()
	for name, listener := range listeners {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			served := &service{name: "test.v1.Service"}
			server := grpc.NewServer()
			server.RegisterService(served.desc(), served)
			answer := rawCall(t, listener(t, server), "/test.v1.Service/Unary")
			if answer.fields["grpc-status"] != "0" || served.runs.Load() != 1 {
				t.Errorf("got %v, handler ran %d times", answer, served.runs.Load())
			}
		})
	}
}
