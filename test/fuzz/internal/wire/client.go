// Package wire is a client that writes HTTP/2 frames as a fuzzer's bytes say: mostly calls of gRPC, each part
// wrong in every way now and then, and now and then anything at all.
//
//	client.go  the connection: what is written, and how long an answer is waited for
//	call.go    one call: its header fields and its frames
package wire

import (
	"bytes"
	"net"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/draw"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/oracle"
)

// IDKey is a key by which a handler can tell which of the calls it serves: the call's position in Sent.
const IDKey = "x-call"

// Client writes to one connection.
type Client struct {
	Sent []*Call

	source     *draw.Source
	rule       *oracle.Rule
	service    string // "/fuzz.v1.Fuzz/"
	connection net.Conn
	framer     *http2.Framer
	block      bytes.Buffer
	encoder    *hpack.Encoder
	stream     uint32 // the last that was opened
	answered   chan uint32
}

// NewClient begins with nothing sent.
func NewClient(connection net.Conn, source *draw.Source, rule *oracle.Rule, service string) *Client {
	const enough = 1024 // answers; more are not waited for
	made := &Client{
		source: source, rule: rule, service: service, connection: connection,
		framer:   http2.NewFramer(connection, connection),
		answered: make(chan uint32, enough),
	}
	made.framer.AllowIllegalWrites = true
	made.encoder = hpack.NewEncoder(&made.block)
	return made
}

// Run writes until the source is empty or the server hangs up, and waits for the answers to calls that are
// complete, but not for long.
func (c *Client) Run() {
	const most = 12 // steps on one connection
	go c.read()
	preface := http2.ClientPreface
	if c.source.Chance(64) {
		preface = string(c.source.Bytes(len(preface)))
	}
	if _, err := c.connection.Write([]byte(preface)); err != nil || c.framer.WriteSettings() != nil {
		return
	}
	for range most {
		if c.source.Empty() || c.step() != nil {
			break
		}
	}
	c.wait()
}

// read takes note of the streams that the server has ended, and keeps it from waiting for a reader.
func (c *Client) read() {
	defer close(c.answered)
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return
		}
		header := frame.Header()
		ends := header.Flags.Has(http2.FlagHeadersEndStream) &&
			(header.Type == http2.FrameHeaders || header.Type == http2.FrameData)
		if ends || header.Type == http2.FrameRSTStream {
			select {
			case c.answered <- header.StreamID:
			default:
			}
		}
	}
}

// wait returns when every complete call has its answer, when the server has hung up, or after a moment: what is
// not well formed may never be answered.
func (c *Client) wait() {
	const moment = 30 * time.Millisecond
	open := map[uint32]bool{}
	for _, call := range c.Sent {
		if call.complete {
			open[call.stream] = true
		}
	}
	timer := time.NewTimer(moment)
	defer timer.Stop()
	for len(open) > 0 {
		select {
		case stream, ok := <-c.answered:
			if !ok {
				return
			}
			delete(open, stream)
		case <-timer.C:
			return
		}
	}
}

// step is mostly a call.
func (c *Client) step() error {
	const kinds, most = 24, 64
	stream := c.anyStream()
	switch c.source.Pick(kinds) {
	case 0:
		return c.framer.WriteRSTStream(stream, http2.ErrCode(c.source.Pick(most)))
	case 1:
		return c.framer.WritePing(false, [8]byte{})
	case 2:
		return c.framer.WriteWindowUpdate(stream, uint32(c.source.Pick(most)))
	case 3:
		return c.framer.WriteSettings(http2.Setting{
			ID: http2.SettingID(c.source.Pick(most)), Val: uint32(c.source.Pick(most)),
		})
	case 4:
		return c.framer.WriteData(stream, c.source.Chance(2), c.source.Bytes(most))
	case 5:
		return c.framer.WriteRawFrame(http2.FrameType(c.source.Pick(most)), http2.Flags(c.source.Pick(256)),
			stream, c.source.Bytes(most))
	case 6:
		return c.framer.WriteContinuation(stream, c.source.Chance(2), c.source.Bytes(most))
	case 7: // fields of the fuzzer's own encoding
		return c.framer.WriteHeaders(http2.HeadersFrameParam{
			StreamID: c.open(), BlockFragment: c.source.Bytes(most), EndHeaders: true, EndStream: c.source.Chance(2),
		})
	case 8:
		return c.framer.WriteGoAway(stream, http2.ErrCodeNo, c.source.Bytes(most))
	}
	return c.call()
}

// anyStream is one that is open, or was, or never will be.
func (c *Client) anyStream() uint32 {
	const around = 6
	return max(c.stream+2, around) - uint32(c.source.Pick(around))
}
