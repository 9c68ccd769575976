package grpcauth_test

import (
	"bytes"
	"net"
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

// emptyMessage is a gRPC message of no bytes: not compressed, of length 0.
var emptyMessage = make([]byte, 5)

// rawConnection is an HTTP/2 connection on which a test writes frames of its own making.
type rawConnection struct {
	net.Conn

	framer *http2.Framer
	scheme string
}

// openRaw begins HTTP/2 on a connection.
func openRaw(t *testing.T, connection net.Conn, scheme string) *rawConnection {
	t.Helper()
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
	return &rawConnection{Conn: connection, framer: framer, scheme: scheme}
}

// request sends the header fields of a gRPC request, in as many frames as it takes, without ending the stream.
// The error is the connection's, which the server may have closed.
func (c *rawConnection) request(t *testing.T, stream uint32, path string, extra ...field) error {
	t.Helper()
	block := encodeFields(t, append([]field{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: c.scheme},
		{Name: ":path", Value: path},
		{Name: ":authority", Value: "127.0.0.1"},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "te", Value: "trailers"},
	}, extra...))
	const frame = 16 << 10 // the largest that a server must take
	first, rest := block[:min(len(block), frame)], block[min(len(block), frame):]
	err := c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: first, EndHeaders: len(rest) == 0,
	})
	for err == nil && len(rest) > 0 {
		size := min(len(rest), frame)
		err = c.framer.WriteContinuation(stream, size == len(rest), rest[:size])
		rest = rest[size:]
	}
	return err
}

// answer reads what the server says on a stream, to its end.
func (c *rawConnection) answer(stream uint32) rawAnswer {
	answer := rawAnswer{fields: map[string]string{}}
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return rawAnswer{reset: true} // the server has closed the connection
		}
		switch frame := frame.(type) {
		case *http2.GoAwayFrame:
			return rawAnswer{reset: true}
		case *http2.MetaHeadersFrame:
			if frame.StreamID != stream {
				continue
			}
			for _, field := range frame.Fields {
				answer.fields[field.Name] = field.Value
			}
			if frame.StreamEnded() {
				return answer
			}
		case *http2.DataFrame:
			if frame.StreamID == stream && frame.StreamEnded() {
				return answer
			}
		case *http2.RSTStreamFrame:
			if frame.StreamID != stream {
				continue
			}
			if len(answer.fields) > 0 {
				return answer // answered, and not interested in the rest of the request
			}
			return rawAnswer{reset: true}
		}
	}
}

// heard waits until the server has read all that was sent before.
func (c *rawConnection) heard(t *testing.T) {
	t.Helper()
	if err := c.framer.WritePing(false, [8]byte{1}); err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if ping, ok := frame.(*http2.PingFrame); ok && ping.IsAck() {
			return
		}
	}
}

// rawCallOn sends one request, an empty message as its body, and reads the answer. It closes the connection.
func rawCallOn(t *testing.T, on net.Conn, scheme, path string, extra ...field) rawAnswer {
	t.Helper()
	defer on.Close()
	connection := openRaw(t, on, scheme)
	const stream = 1
	if err := connection.request(t, stream, path, extra...); err != nil {
		return rawAnswer{reset: true}
	}
	if err := connection.framer.WriteData(stream, true, emptyMessage); err != nil {
		return rawAnswer{reset: true}
	}
	return connection.answer(stream)
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

func TestRawCallReachesTheHandler(t *testing.T) {
	t.Parallel()
	for name, door := range rawDoors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			served := &service{name: "test.v1.Service"}
			server := grpc.NewServer()
			server.RegisterService(served.desc(), served)
			answer := door(t, server).call(t, "/test.v1.Service/Unary")
			if answer.fields["grpc-status"] != "0" || served.runs.Load() != 1 {
				t.Errorf("got %v, handler ran %d times", answer, served.runs.Load())
			}
		})
	}
}
