package grpcauth_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

var errBroken = errors.New("broken")

// brokenStream fails in ways that a real one does at moments that no test can choose.
type brokenStream struct {
	grpc.ServerStream

	ctx  context.Context
	wait time.Time // RecvMsg returns after it
	err  error
}

func (s *brokenStream) Context() context.Context     { return s.ctx }
func (s *brokenStream) SendMsg(any) error            { return s.err }
func (s *brokenStream) SetHeader(metadata.MD) error  { return s.err }
func (s *brokenStream) SendHeader(metadata.MD) error { return s.err }

func (s *brokenStream) RecvMsg(any) error {
	time.Sleep(time.Until(s.wait))
	return s.err
}

// A stream's errors are its own until the credential expires. What fails across that moment failed for it, and what
// succeeds across it has succeeded.
func TestStreamsErrorsBeforeAndAcrossExpiry(t *testing.T) {
	t.Parallel()
	for _, fails := range []error{errBroken, nil} {
		expiry := time.Now().Add(300 * time.Millisecond)
		table := tableFor("test.v1.Service", headers(authimpl.Header{Name: "authorization", Bearer: true}))
		interceptor := authimpl.NewServerInterceptor(table, nil, authimpl.VerifyBearer("authorization",
			func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
				return grpcauth.WithExpiry(ctx, expiry), nil
			}))
		stream := &brokenStream{
			ctx: arrived(t, "authorization", "Bearer a"), wait: expiry.Add(50 * time.Millisecond), err: fails,
		}
		finished := make(chan struct{})
		err := interceptor.StreamInterceptor(nil, stream, &grpc.StreamServerInfo{FullMethod: table.Methods[3].FullMethod},
			func(_ any, stream grpc.ServerStream) error {
				defer close(finished)
				before := []error{stream.SendMsg(nil), stream.SetHeader(nil), stream.SendHeader(nil)}
				if time.Now().Before(expiry) {
					for i, err := range before {
						if !errors.Is(err, fails) {
							t.Errorf("%d: %v, want %v", i, err, fails)
						}
					}
				}
				across := stream.RecvMsg(nil)
				if fails == nil && across != nil || fails != nil && status.Code(across) != codes.Unauthenticated {
					t.Errorf("across the expiry: %v", across)
				}
				return nil
			})
		<-finished
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("the stream ends with %v", err)
		}
	}
}

// A handler whose Send or Recv is refused may end without an error, as one does whose caller is gone. It may be ahead
// of its call's timer, and what it left out is no success all the same.
func TestStreamsWhoseHandlersEndQuietlyAtTheExpiry(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(authimpl.Header{Name: "authorization", Bearer: true}))
	interceptor := expiring(table, nil, 20*time.Millisecond)
	for name, refused := range map[string]func(grpc.ServerStream) error{
		"Send": func(stream grpc.ServerStream) error { return stream.SendMsg(nil) },
		"Recv": func(stream grpc.ServerStream) error { return stream.RecvMsg(nil) },
	} {
		for range 10 {
			stream := &brokenStream{ctx: arrived(t, "authorization", "Bearer a")}
			err := interceptor.StreamInterceptor(nil, stream, &grpc.StreamServerInfo{FullMethod: table.Methods[3].FullMethod},
				func(_ any, stream grpc.ServerStream) error {
					deadline, _ := stream.Context().Deadline()
					time.Sleep(time.Until(deadline) - time.Millisecond)
					for refused(stream) == nil { // the runtime's timers are not so exact
					}
					return nil
				})
			if status.Code(err) != codes.Unauthenticated {
				t.Errorf("%s: the stream ends with %v", name, err)
			}
		}
	}
}
