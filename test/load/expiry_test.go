package load_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// lifetime is that of the tokens. It only has to be long enough for a stream to begin.
const lifetime = 500 * time.Millisecond

// waits are what handlers wait in when the token of their stream expires.
var waits = []func(grpc.ServerStream) error{
	func(stream grpc.ServerStream) error { // in Recv
		for {
			if err := stream.RecvMsg(&wrapperspb.BytesValue{}); err != nil {
				return err
			}
		}
	},
	func(stream grpc.ServerStream) error { // in Send, as nobody receives
		for message := wrapperspb.Bytes(make([]byte, 8<<10)); ; {
			if err := stream.SendMsg(message); err != nil {
				return err
			}
		}
	},
	func(stream grpc.ServerStream) error { // for the context
		<-stream.Context().Done()
		return stream.Context().Err()
	},
}

// 2,000 streams are open when their tokens expire. Each caller gets UNAUTHENTICATED, each handler returns, and
// no goroutine is left while the server and the connections go on.
func TestStreamsThatExpireLeaveNothing(t *testing.T) {
	const connectionCount = 20
	streams := fewer(2_000)
	before := runtime.NumGoroutine()
	var turn, ended atomic.Int64
	waiting := func(stream grpc.ServerStream) error {
		defer ended.Add(1)
		return waits[int(turn.Add(1))%len(waits)](stream)
	}
	byGuard := &service{name: "load.v1.ByGuard", stream: waiting}
	byInterceptors := &service{name: "load.v1.ByInterceptors", stream: waiting}
	address, stop := serve(t, byGuard, byInterceptors,
		func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
			return grpcauth.WithExpiry(grpcauth.WithPrincipal(ctx, ann), time.Now().Add(lifetime)), nil
		})
	connections, closeAll := dial(t, address, connectionCount)
	services := []*service{byGuard, byInterceptors}
	for i, connection := range connections { // so that all that serving needs is there
		if err := call(connection, services[i%len(services)], unary, accepted...); err != nil {
			t.Fatal(err)
		}
	}
	warm := byGuard.runs.Load() + byInterceptors.runs.Load()
	running := runtime.NumGoroutine()

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ctx = metadata.NewOutgoingContext(ctx, metadata.Pairs(accepted...))
	var callers sync.WaitGroup
	allEnded := make(chan struct{})
	for i := range streams {
		callers.Go(func() {
			stream, err := open(ctx, connections[i%len(connections)], services[i/len(connections)%len(services)], bidi)
			if err != nil {
				t.Error(err)
				return
			}
			<-allEnded // until then nobody receives
			for err == nil {
				err = stream.RecvMsg(&wrapperspb.BytesValue{})
			}
			if status.Code(err) != codes.Unauthenticated || status.Convert(err).Message() != "the credential has expired" {
				t.Errorf("stream %d ended with %v", i, err)
			}
		})
	}
	for ended.Load() < int64(streams) && ctx.Err() == nil && !t.Failed() {
		time.Sleep(time.Millisecond)
	}
	close(allEnded)
	callers.Wait()
	if ran := byGuard.runs.Load() + byInterceptors.runs.Load() - warm; ran != int64(streams) || ended.Load() != ran {
		t.Errorf("handlers ran %d times and ended %d times, want %d", ran, ended.Load(), streams)
	}
	settle(t, running)
	closeAll()
	stop()
	settle(t, before)
}
