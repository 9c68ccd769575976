package connectauth

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// serveStreamUntil runs the handler of a stream that must end when a credential expires, for the reason and in
// the way that serveUntil says.
func serveStreamUntil(
	ctx context.Context, expiry time.Time, conn connect.StreamingHandlerConn, next connect.StreamingHandlerFunc,
) error {
	bounded, cancel := context.WithDeadlineCause(ctx, expiry, rules.ErrExpired)
	defer cancel()
	timer := time.NewTimer(time.Until(expiry))
	defer timer.Stop()
	expiring := newExpiringConn(conn, func() bool { return rules.Expired(bounded, expiry) })
	done := make(chan ending, 1)
	inTime := false
	go run(bounded, conn.Spec().Procedure, func() error {
		err := next(bounded, expiring)
		inTime = !expiring.expired()
		return err
	}, func(end ending) { done <- end })
	select {
	case end := <-done:
		err := end.result()
		expiring.finish(inTime)
		if !inTime { // what was refused since is missing, and the handler need not say so
			return connectError(rules.ErrExpired)
		}
		return err
	case <-timer.C:
		<-bounded.Done() // at the same moment, at the latest; cancel would give it another cause
		expiring.finish(false)
		return connectError(rules.ErrExpired)
	}
}

// expiringConn is a handler's stream until a credential expires. From then on the handler changes nothing of
// it, also where it goes on after connect has ended the call.
type expiringConn struct {
	connect.StreamingHandlerConn

	expired func() bool
	header  http.Header // the handler's, copied when they count: connect reads its own at the end
	trailer http.Header

	mutex sync.Mutex // held while something is sent
	begun bool
	over  bool
}

func newExpiringConn(conn connect.StreamingHandlerConn, expired func() bool) *expiringConn {
	made := &expiringConn{StreamingHandlerConn: conn, expired: expired, header: http.Header{}, trailer: http.Header{}}
	replace(made.header, conn.ResponseHeader())
	replace(made.trailer, conn.ResponseTrailer())
	return made
}

// ResponseHeader is the handler's header.
func (c *expiringConn) ResponseHeader() http.Header { return c.header }

// ResponseTrailer is the handler's trailer.
func (c *expiringConn) ResponseTrailer() http.Header { return c.trailer }

// Send sends until the expiry.
func (c *expiringConn) Send(message any) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.over || c.expired() {
		return connectError(rules.ErrExpired)
	}
	c.copyHeader()
	return c.unlessExpired(c.StreamingHandlerConn.Send(message))
}

// Receive receives until the expiry.
func (c *expiringConn) Receive(message any) error {
	if c.expired() {
		return connectError(rules.ErrExpired)
	}
	return c.unlessExpired(c.StreamingHandlerConn.Receive(message))
}

// unlessExpired is err, or why the stream is over: what fails when the credential has expired failed for that.
func (c *expiringConn) unlessExpired(err error) error {
	if err != nil && !errors.Is(err, io.EOF) && c.expired() {
		return connectError(rules.ErrExpired)
	}
	return err
}

// finish waits for what is being sent, and lets nothing follow. inTime says that the handler returned before the
// expiry.
func (c *expiringConn) finish(inTime bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.over = true
	if inTime {
		c.copyHeader()
		replace(c.StreamingHandlerConn.ResponseTrailer(), c.trailer)
	}
}

func (c *expiringConn) copyHeader() {
	if !c.begun {
		replace(c.StreamingHandlerConn.ResponseHeader(), c.header)
	}
	c.begun = true
}

// replace shares no memory between the two: a handler goes on with its own while the other is read.
func replace(old, with http.Header) {
	clear(old)
	maps.Copy(old, with.Clone())
}
