package transparency

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

var errClosed = errors.New("the door is closed")

// door lets connections through once it is open.
type door struct {
	open    atomic.Bool
	knocked chan struct{}
}

func (d *door) dial(ctx context.Context, address string) (net.Conn, error) {
	if d.open.Load() {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	select {
	case d.knocked <- struct{}{}:
	default: // nobody waits for it
	}
	return nil, errClosed
}

// A call that waits for a connection waits as long with rules as without, and one that does not fails at once.
func TestCallsWaitForReady(t *testing.T) {
	t.Parallel()
	for _, setup := range setups() {
		if setup.others || setup.transport != native {
			continue
		}
		t.Run(setup.String(), func(t *testing.T) {
			t.Parallel()
			end := setup.start(t, true)
			door := &door{knocked: make(chan struct{})}
			connection := end.dial(grpc.WithContextDialer(door.dial), grpc.WithConnectParams(grpc.ConnectParams{
				Backoff: backoff.Config{BaseDelay: time.Millisecond, Multiplier: 1, MaxDelay: time.Millisecond},
			}))
			defer connection.Close()
			client := testgrpc.NewTestServiceClient(connection)
			ctx, cancel := context.WithTimeout(t.Context(), longest)
			defer cancel()
			for kind, call := range kinds(client) {
				if err := call(ctx); status.Code(err) != codes.Unavailable {
					t.Errorf("%s: got %v, want UNAVAILABLE", kind, err)
				}
			}
			answers := make(chan error)
			go func() {
				_, err := client.EmptyCall(ctx, &testgrpc.Empty{}, grpc.WaitForReady(true))
				answers <- err
			}()
			for range 2 { // the second connection is tried when the call may have begun
				select {
				case <-door.knocked:
				case err := <-answers:
					t.Fatalf("a call that waits ended while the door was closed: %v", err)
				}
			}
			door.open.Store(true)
			if err := <-answers; err != nil {
				t.Errorf("a call that waits: %v", err)
			}
		})
	}
}
