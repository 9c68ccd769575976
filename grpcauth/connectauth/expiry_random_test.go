package connectauth_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

const mostLife = 30 * time.Millisecond

// randomLives is an interceptor whose credentials live for up to mostLife.
func randomLives() *grpcauth.ServerInterceptor {
	rule := headers(authimpl.Header{Name: "authorization", Bearer: true})
	return authimpl.NewServerInterceptor(tableFor(rule), nil, authimpl.VerifyBearer("authorization",
		func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
			return grpcauth.WithExpiry(ctx, time.Now().Add(time.Millisecond+rand.N(mostLife))), nil
		}))
}

// randomStream sends so many messages, each with their number and its own, at a pace and with a manner of its own. What
// it does after the expiry must fail.
func randomStream(t *testing.T) func(context.Context, func(*message) error) error {
	t.Helper()
	return func(ctx context.Context, send func(*message) error) error {
		most, pace, size := 1+rand.Uint32N(60), rand.N(time.Millisecond), rand.N(1<<15)
		if rand.N(3) == 0 {
			most = 1 // and in time, as a rule
		}
		manner := rand.N(4)
		for i := range most {
			if pace > time.Millisecond/2 {
				time.Sleep(pace)
			}
			value := make([]byte, 8, 8+size)
			binary.BigEndian.PutUint32(value, most)
			binary.BigEndian.PutUint32(value[4:], i)
			if err := send(&message{Value: value[:8+size]}); err != nil {
				switch manner {
				case 0: // as if nothing were missing
					return nil
				case 1:
					return err
				case 2:
					panic(http.ErrAbortHandler)
				}
			}
		}
		if manner == 3 && rand.N(2) == 0 { // it pays no attention
			<-ctx.Done()
			time.Sleep(rand.N(time.Millisecond))
			if send(&message{}) == nil && !errors.Is(context.Cause(ctx), context.Canceled) {
				t.Error("the handler sent something after the expiry")
			}
		}
		return nil
	}
}

// Whatever a handler and its caller do around the expiry, the caller finds all that there was to say, or learns that it
// did not.
func TestStreamsThatExpireAtAnyMoment(t *testing.T) {
	t.Parallel()
	var calls, handlers sync.WaitGroup
	var whole, expired, broken atomic.Int64
	handle := randomStream(t)
	handler := func(options ...connect.HandlerOption) http.Handler {
		return connect.NewServerStreamHandler(methodOf(serverStream),
			func(ctx context.Context, _ *connect.Request[message], stream *connect.ServerStream[message]) error {
				handlers.Add(1)
				defer handlers.Done()
				return handle(ctx, stream.Send)
			}, options...)
	}
	var workers sync.WaitGroup
	for _, guarded := range []http.Handler{
		connectauth.NewMiddleware(randomLives())(handler()),
		handler(connect.WithInterceptors(connectauth.NewInterceptor(randomLives()))),
	} {
		for _, wire := range wires {
			server := wire.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				defer calls.Done()
				guarded.ServeHTTP(w, r)
			}))
			for _, p := range protocols {
				if !wire.carries(p, serverStream) {
					continue
				}
				workers.Go(func() {
					for range randomCalls {
						err := receiveAll(t, server, p)
						switch {
						case err == nil:
							whole.Add(1)
						case connect.CodeOf(err) == connect.CodeUnauthenticated:
							wantError(t, err, connect.CodeUnauthenticated, textExpired)
							expired.Add(1)
						default:
							broken.Add(1)
						}
					}
				})
			}
		}
	}
	workers.Wait()
	if whole.Load() == 0 || expired.Load() == 0 {
		t.Error("the calls were all of one sort")
	}
	t.Logf("%d answers were whole, %d expired, %d broken", whole.Load(), expired.Load(), broken.Load())
	ended := make(chan error, 1)
	go func() {
		calls.Wait()
		handlers.Wait()
		ended <- nil
	}()
	wantEnd(t, ended)
}

const randomCalls = 15

// receiveAll makes a call, and takes what it gets for a success only if all of it is there.
func receiveAll(t *testing.T, server *served, p protocol) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request := connect.NewRequest(&message{})
	request.Header().Set("Authorization", "Bearer t")
	stream, err := connect.NewClient[message, message](server.client, server.URL+methodOf(serverStream), p.options...).
		CallServerStream(ctx, request)
	if err != nil {
		return err
	}
	defer stream.Close()
	var most, received uint32
	slow := rand.N(8) == 0
	for stream.Receive() {
		value := stream.Msg().GetValue()
		if len(value) < 8 || binary.BigEndian.Uint32(value[4:]) != received {
			t.Errorf("message %d is %d bytes, or another one", received, len(value))
			break
		}
		most = binary.BigEndian.Uint32(value)
		received++
		if slow {
			time.Sleep(rand.N(mostLife))
		}
		if rand.N(500) == 0 {
			cancel()
		}
	}
	if stream.Err() == nil && (received == 0 || received != most) {
		t.Errorf("%s: %d messages of %d were taken for all", p.name, received, most)
	}
	return stream.Err()
}
