package connectauth_test

import (
	"cmp"
	"context"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// A handler may hear of the deadline before the timer of its call does: from a clock, or from a server that it has
// called. The caller hears of the credential nevertheless.
func TestStreamsWhoseHandlerIsAheadOfTheTimer(t *testing.T) {
	t.Parallel()
	s := &service{handled: func(ctx context.Context) error {
		deadline, _ := ctx.Deadline()
		time.Sleep(time.Until(deadline) - time.Millisecond)
		for time.Now().Before(deadline) { // the runtime's timers are not so exact
		}
		return context.DeadlineExceeded
	}}
	server := h2c.serve(t, s.handler(connect.WithInterceptors(connectauth.NewInterceptor(expiring(shortLife)))))
	for range 10 {
		wantError(t, server.call(t.Context(), connectProtocol, serverStream, token), connect.CodeUnauthenticated, textExpired)
	}
}

// Neither does such a handler send or receive any more, also when a message waits for it.
func TestStreamsBetweenTheExpiryAndTheTimer(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	for name, next := range map[string]func(receive, send func() error) error{
		"send":    func(_, send func() error) error { return send() },
		"receive": func(receive, _ func() error) error { return receive() },
	} {
		s := &service{receive: func(ctx context.Context, receive, send func() error) error {
			if err := receive(); err != nil {
				ended <- err
				return err
			}
			deadline, _ := ctx.Deadline()
			time.Sleep(time.Until(deadline) - time.Millisecond)
			for time.Now().Before(deadline) {
			}
			err := next(receive, send)
			ended <- err
			return err
		}}
		server := h2c.serve(t, s.handler(connect.WithInterceptors(connectauth.NewInterceptor(expiring(shortLife)))))
		for range 10 {
			stream := server.stream(t, connectProtocol)
			if err := stream.Send(&message{}); err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Receive(); connect.CodeOf(err) != connect.CodeUnauthenticated {
				t.Errorf("%s: the caller got %v", name, err)
			}
			wantError(t, <-ended, connect.CodeUnauthenticated, textExpired)
			stream.CloseRequest()
			stream.CloseResponse()
		}
	}
}

// A handler whose Send is refused may end without an error, as one does whose caller is gone. What it left out is no
// success all the same.
func TestStreamsWhoseHandlersEndQuietlyAtTheExpiry(t *testing.T) {
	t.Parallel()
	for _, install := range installs {
		s := &service{receive: func(ctx context.Context, _, send func() error) error {
			deadline, _ := ctx.Deadline()
			time.Sleep(time.Until(deadline) - time.Millisecond)
			for send() == nil { // the runtime's timers are not so exact
			}
			return nil
		}}
		server := h2c.serve(t, install.handler(expiring(shortLife), s))
		for _, p := range protocols {
			for range 4 {
				wantError(t, server.call(t.Context(), p, serverStream, token), connect.CodeUnauthenticated, textExpired)
			}
		}
	}
}

// What interceptors put into header and trailer before is the handler's to keep and to delete, and arrives without a
// message as well.
func TestHeadersOfStreamsWithAnExpiry(t *testing.T) {
	t.Parallel()
	check := connectauth.NewInterceptor(expiring(time.Hour))
	server := h2c.serve(t, connect.NewServerStreamHandler(methodOf(serverStream),
		func(_ context.Context, _ *connect.Request[message], stream *connect.ServerStream[message]) error {
			for _, header := range []http.Header{stream.ResponseHeader(), stream.ResponseTrailer()} {
				header.Set("Own", "1")
				header.Del("Dropped")
			}
			return nil
		}, connect.WithInterceptors(outerHeaders{}, check)))
	for _, p := range protocols {
		request := connect.NewRequest(&message{})
		request.Header().Set("Authorization", "Bearer t")
		stream, err := connect.NewClient[message, message](server.client, server.URL+methodOf(serverStream), p.options...).
			CallServerStream(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		for stream.Receive() {
		}
		if stream.Err() != nil {
			t.Error(stream.Err())
		}
		for name, header := range map[string]http.Header{"header": stream.ResponseHeader(), "trailer": stream.ResponseTrailer()} {
			if header.Get("Own") != "1" || header.Get("Kept") != "1" || header.Get("Dropped") != "" {
				t.Errorf("%s: the %s is %v", p.name, name, header)
			}
		}
		stream.Close()
	}
}

// outerHeaders is an interceptor that stands before the check.
type outerHeaders struct{}

func (outerHeaders) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc { return next }

func (outerHeaders) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (outerHeaders) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		for _, header := range []http.Header{conn.ResponseHeader(), conn.ResponseTrailer()} {
			header.Set("Kept", "1")
			header.Set("Dropped", "1")
		}
		return next(ctx, conn)
	}
}

// What a handler would have sent with its answer goes nowhere when the credential expires first.
func TestStreamsThatExpireLeaveHandlersHeadersOut(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	check := connectauth.NewInterceptor(expiring(lifetime))
	server := h2c.serve(t, connect.NewServerStreamHandler(methodOf(serverStream),
		func(_ context.Context, _ *connect.Request[message], stream *connect.ServerStream[message]) error {
			stream.ResponseHeader().Set("Draft", "header")
			stream.ResponseTrailer().Set("Draft", "trailer")
			<-release
			return nil
		}, connect.WithInterceptors(check)))
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			request := connect.NewRequest(&message{})
			request.Header().Set("Authorization", "Bearer t")
			stream, err := connect.NewClient[message, message](server.client, server.URL+methodOf(serverStream), p.options...).
				CallServerStream(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			for stream.Receive() {
			}
			wantError(t, stream.Err(), connect.CodeUnauthenticated, textExpired)
			if header, trailer := stream.ResponseHeader()["Draft"], stream.ResponseTrailer()["Draft"]; header != nil || trailer != nil {
				t.Errorf("the caller got the header %q and the trailer %q", header, trailer)
			}
		})
	}
}

// A caller that breaks off before its credential expires did just that.
func TestBodiesThatBreakOffBeforeTheExpiry(t *testing.T) {
	t.Parallel()
	for _, install := range installs {
		t.Run(install.name, func(t *testing.T) {
			t.Parallel()
			received, ended := make(chan struct{}), make(chan error, 1)
			s := &service{receive: func(_ context.Context, receive, send func() error) error {
				if err := receive(); err != nil {
					return err
				}
				close(received)
				err := receive()
				var failed error
				for range 10_000 { // the first ones go into a buffer
					failed = cmp.Or(failed, send())
				}
				if failed == nil {
					t.Error("the handler could still send")
				}
				ended <- err
				return err
			}}
			server := h2c.serve(t, install.handler(expiring(time.Hour), s))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stream := connect.NewClient[message, message](server.client, server.URL+methodOf(bidi)).CallBidiStream(ctx)
			stream.RequestHeader().Set("Authorization", "Bearer t")
			if err := stream.Send(&message{}); err != nil {
				t.Fatal(err)
			}
			<-received
			cancel()
			if err := <-ended; err == nil || connect.CodeOf(err) == connect.CodeUnauthenticated {
				t.Errorf("the handler got %v", err)
			}
		})
	}
}
