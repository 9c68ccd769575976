package grpcauth

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// contextStream is a server stream whose handler sees another context.
type contextStream struct {
	grpc.ServerStream

	ctx context.Context //nolint:containedctx // grpc.ServerStream hands out its context through a method
}

func (s *contextStream) Context() context.Context { return s.ctx }

// serveUntil runs the handler of a stream that must end when a credential expires.
//
// A handler that is blocked in Recv or Send is woken by nothing but the end of the call, and a call ends when
// its interceptor returns. So the handler runs in a goroutine of its own, and this returns before it does. The
// clock decides, and not the handler's context, which a verifier may have given an earlier end.
func (r *serverRule) serveUntil(
	ctx context.Context, expiry time.Time, srv any, stream grpc.ServerStream, handler grpc.StreamHandler,
) error {
	bounded, cancel := context.WithDeadlineCause(ctx, expiry, rules.ErrExpired)
	defer cancel()
	timer := time.NewTimer(time.Until(expiry))
	defer timer.Stop()
	done := make(chan ending, 1)
	go func() {
		end := ending{panicked: true}
		defer func() {
			if end.panicked {
				end.value = recover()
				r.logPanic(bounded, end)
			}
			done <- end
		}()
		end.err = handler(srv, &expiringStream{contextStream{ServerStream: stream, ctx: bounded}, expiry})
		end.panicked = false
		if rules.Expired(bounded, expiry) { // what was refused since is missing, and the handler need not say so
			end.err = rules.ErrExpired
		}
	}()
	select {
	case end := <-done:
		return end.result()
	case <-timer.C:
		<-bounded.Done() // at the same moment, at the latest; cancel would give it another cause
		return rules.ErrExpired
	}
}

// ending is how a handler ended that ran in a goroutine of its own.
type ending struct {
	err      error
	panicked bool
	value    any // of the panic; nil for runtime.Goexit
}

// result is the handler's error. A panic goes on in the goroutine that asks, where the server's own
// interceptors may recover it.
func (e ending) result() error {
	if e.panicked {
		if e.value == nil {
			runtime.Goexit()
		}
		panic(e.value)
	}
	return e.err
}

// logPanic says where a handler panicked. Whoever recovers from the panic, or sees it end the process, finds
// another stack; and after the credential's expiry nobody is left to hear of it at all.
func (r *serverRule) logPanic(ctx context.Context, end ending) {
	if end.value == nil {
		return
	}
	slog.ErrorContext(ctx, "grpcauth: the handler of a stream whose credential expires panicked",
		slog.String("method", r.fullMethod),
		slog.String("panic", fmt.Sprint(end.value)),
		slog.String("stack", string(debug.Stack())))
}

// expiringStream tells a handler that its call is over, also where grpc would give another reason, and keeps
// it from touching a stream that grpc has ended.
type expiringStream struct {
	contextStream

	expiry time.Time
}

func (s *expiringStream) SendMsg(m any) error {
	return s.unlessExpired(func() error { return s.ServerStream.SendMsg(m) })
}

func (s *expiringStream) RecvMsg(m any) error {
	return s.unlessExpired(func() error { return s.ServerStream.RecvMsg(m) })
}

func (s *expiringStream) SetHeader(md metadata.MD) error {
	return s.unlessExpired(func() error { return s.ServerStream.SetHeader(md) })
}

func (s *expiringStream) SendHeader(md metadata.MD) error {
	return s.unlessExpired(func() error { return s.ServerStream.SendHeader(md) })
}

func (s *expiringStream) SetTrailer(md metadata.MD) {
	if !s.expired() {
		s.ServerStream.SetTrailer(md)
	}
}

// unlessExpired does something with the stream. What fails when the credential has expired failed for that.
func (s *expiringStream) unlessExpired(do func() error) error {
	if s.expired() {
		return rules.ErrExpired
	}
	err := do()
	if err != nil && s.expired() {
		return rules.ErrExpired
	}
	return err
}

func (s *expiringStream) expired() bool { return rules.Expired(s.ctx, s.expiry) }
