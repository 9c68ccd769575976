package connectauth

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
)

// preparedConn is a client's stream whose header is completed when it is sent: until then the caller may still
// change it. A stream that lacks something is never opened.
type preparedConn struct {
	connect.StreamingClientConn

	ctx     context.Context //nolint:containedctx // the stream's, for the methods that wait for it
	prepare func() error
	asked   bool          // of the sending side
	decided chan struct{} // closed when err is known
	err     error         // why the stream is not opened
}

func newPreparedConn(ctx context.Context, conn connect.StreamingClientConn, prepare func() error) *preparedConn {
	return &preparedConn{StreamingClientConn: conn, ctx: ctx, prepare: prepare, decided: make(chan struct{})}
}

// Send opens the stream, and sends.
func (c *preparedConn) Send(message any) error {
	if err := c.open(); err != nil {
		return err
	}
	return c.StreamingClientConn.Send(message)
}

// CloseRequest opens the stream, too: an empty one is a call.
func (c *preparedConn) CloseRequest() error {
	if err := c.open(); err != nil {
		return err
	}
	return c.StreamingClientConn.CloseRequest()
}

// Receive waits until the stream is opened.
func (c *preparedConn) Receive(message any) error {
	if err := c.opened(); err != nil {
		return err
	}
	return c.StreamingClientConn.Receive(message)
}

// ResponseHeader is empty for a stream that is not opened.
func (c *preparedConn) ResponseHeader() http.Header {
	if c.opened() != nil {
		return http.Header{}
	}
	return c.StreamingClientConn.ResponseHeader()
}

// ResponseTrailer is empty for a stream that is not opened.
func (c *preparedConn) ResponseTrailer() http.Header {
	if c.opened() != nil {
		return http.Header{}
	}
	return c.StreamingClientConn.ResponseTrailer()
}

// CloseResponse has nothing to close in a stream that is not opened.
func (c *preparedConn) CloseResponse() error {
	if c.opened() == nil {
		return c.StreamingClientConn.CloseResponse()
	}
	return nil
}

// open prepares the stream once. It is called by the sending side only, which is not concurrent with itself.
func (c *preparedConn) open() error {
	if !c.asked {
		c.asked = true
		c.err = c.prepare()
		close(c.decided)
	}
	return c.err
}

// opened waits for the sending side, on behalf of the receiving one.
func (c *preparedConn) opened() error {
	select {
	case <-c.decided:
		return c.err
	case <-c.ctx.Done():
		return nil // the stream itself knows what to say
	}
}
