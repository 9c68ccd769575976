package wire

import (
	"encoding/base64"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Call is one call as it was written.
type Call struct {
	Fields []hpack.HeaderField

	stream   uint32
	complete bool // the request has an end, so that there must be an answer
}

// Metadata is what the fields say: each a value of its own, in their order, bytes decoded where the key ends in
// -bin. It is false where gRPC's specification leaves open what is said.
func (c *Call) Metadata() (map[string][]string, bool) {
	md := map[string][]string{}
	for _, field := range c.Fields {
		if strings.HasPrefix(field.Name, ":") {
			continue
		}
		value := field.Value
		if strings.HasSuffix(field.Name, "-bin") {
			decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
			if err != nil || strings.Contains(value, ",") {
				return nil, false
			}
			value = string(decoded)
		}
		md[field.Name] = append(md[field.Name], value)
	}
	return md, true
}

// call writes one call.
func (c *Client) call() error {
	const seldom, often = 12, 3
	call := &Call{Fields: c.fields(), stream: c.open()}
	c.Sent = append(c.Sent, call)
	c.block.Reset()
	for _, field := range call.Fields {
		field.Sensitive = c.source.Chance(often)
		if err := c.encoder.WriteField(field); err != nil {
			return err
		}
	}
	endsAtOnce := c.source.Chance(seldom)
	if err := c.writeBlock(call.stream, endsAtOnce); err != nil || endsAtOnce {
		call.complete = endsAtOnce
		return err
	}
	message := make([]byte, 5)
	if c.source.Chance(seldom) {
		message = c.source.Bytes(seldom)
	}
	call.complete = !c.source.Chance(seldom)
	return c.framer.WriteData(call.stream, call.complete, message)
}

// open is the next stream: clients open odd ones.
func (c *Client) open() uint32 {
	c.stream += 2 - (c.stream+1)%2
	return c.stream
}

// writeBlock writes the header block, now and then in several frames.
func (c *Client) writeBlock(stream uint32, ends bool) error {
	const often, most = 4, 32
	block := c.block.Bytes()
	first := len(block)
	if c.source.Chance(often) {
		first = min(first, c.source.Pick(most))
	}
	err := c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: block[:first], EndHeaders: first == len(block), EndStream: ends,
		PadLength: byte(c.source.Pick(often)),
	})
	if err != nil || first == len(block) {
		return err
	}
	return c.framer.WriteContinuation(stream, true, block[first:])
}

// fields are those of a call to the rule's service, and metadata for the rule.
func (c *Client) fields() []hpack.HeaderField {
	const seldom = 16
	method := "Unary"
	if c.source.Chance(2) {
		method = "Stream"
	}
	fields := []hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: c.service + method},
		{Name: ":authority", Value: "a"},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "te", Value: "trailers"},
	}
	if c.source.Chance(seldom) {
		fields[2].Value = c.path(method)
	}
	if c.source.Chance(seldom) {
		left := c.source.Pick(len(fields))
		fields = append(fields[:left:left], fields[left+1:]...)
	}
	fields = append(fields, hpack.HeaderField{Name: IDKey, Value: strconv.Itoa(len(c.Sent))})
	md := c.source.Call(c.rule).Metadata
	for _, h := range c.rule.All() {
		for _, value := range md[h.Name] {
			fields = append(fields, hpack.HeaderField{Name: c.key(h.Name), Value: c.onWire(h.Name, value)})
		}
		delete(md, h.Name) // another alternative may name it, too
	}
	if c.source.Chance(seldom) {
		fields = append(fields, hpack.HeaderField{Name: c.source.Text(), Value: c.source.Text()})
	}
	return fields
}

// path is one that might be taken for the service's.
func (c *Client) path(method string) string {
	path := c.service + method
	switch c.source.Pick(6) {
	case 0:
		return strings.TrimPrefix(path, "/")
	case 1:
		return "/" + path
	case 2:
		return strings.ToUpper(path)
	case 3:
		return path + "?" + c.source.Text()
	case 4:
		return strings.ReplaceAll(path, ".", "%2e")
	}
	return c.source.Text()
}

// key is seldom in upper case, which HTTP/2 forbids.
func (c *Client) key(name string) string {
	const seldom = 16
	if c.source.Chance(seldom) {
		return strings.ToUpper(name)
	}
	return name
}

// onWire encodes bytes, now and then without the padding or not at all.
func (c *Client) onWire(name, value string) string {
	const seldom = 8
	if !strings.HasSuffix(name, "-bin") {
		return value
	}
	switch c.source.Pick(seldom) {
	case 0:
		return value
	case 1:
		return base64.StdEncoding.EncodeToString([]byte(value))
	}
	return base64.RawStdEncoding.EncodeToString([]byte(value))
}
