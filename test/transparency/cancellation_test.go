package transparency

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// A call that its caller cancels ends for its handler as well: its context, and what the handler waits in.
func TestHandlersNoticeCancellation(t *testing.T) {
	t.Parallel()
	for _, setup := range setups() {
		t.Run(setup.String(), func(t *testing.T) {
			t.Parallel()
			end := setup.start(t, true)
			client := testgrpc.NewTestServiceClient(end.connection)
			for kind, call := range map[string]func(context.Context) error{
				"unary": func(ctx context.Context) error {
					_, err := client.UnaryCall(ctx, &testgrpc.SimpleRequest{})
					return err
				},
				"bidirectional stream": kinds(client)["bidirectional stream"],
			} {
				t.Run(kind, func(t *testing.T) { end.cancels(t, call) })
			}
		})
	}
}

func (e *end) cancels(t *testing.T, call func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(t.Context(), waitHeader, "1"))
	defer cancel()
	answers := make(chan error, 1)
	go func() { answers <- call(ctx) }()
	select {
	case <-e.log.waiting:
	case err := <-answers:
		t.Fatalf("ended before it was cancelled: %v", err)
	case <-time.After(longest):
		t.Fatal("reached no handler")
	}
	cancel()
	select {
	case woken := <-e.log.woken:
		if !errors.Is(woken, context.Canceled) {
			t.Errorf("the handler's context ended with %v", woken)
		}
		if received, ok := errors.AsType[receiveError](woken); ok && status.Code(received.error) != codes.Canceled {
			t.Errorf("the handler received %v", received)
		}
	case <-time.After(longest):
		t.Fatal("the handler still waits")
	}
}
