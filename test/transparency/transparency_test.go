package transparency

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

// longest is how long a case may take.
const longest = 10 * time.Second

// attempt runs the case. One that does not end in time is ended by force, since it may wait for a cancellation that got
// lost, and so are those after it.
func (c interopCase) attempt(t *testing.T, end *end, options ...grpc.CallOption) failure {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	watch := time.AfterFunc(longest, func() { end.connection.Close() })
	failed := attempt(func() { c.run(ctx, end, options...) })
	if !watch.Stop() {
		return failure(fmt.Sprintf("not over after %v; %s", longest, failed))
	}
	return failed
}

// Calls that pass a check behave as grpc expects of calls, in every setup. The first are without rules.
func TestInteropCases(t *testing.T) {
	t.Parallel()
	for _, setup := range setups() {
		t.Run(setup.String(), func(t *testing.T) {
			t.Parallel()
			end := setup.start(t, true)
			for _, c := range interopCases {
				if c.load && !setup.others {
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					if failed := c.attempt(t, end); failed != "" {
						t.Error(failed)
					}
					if !c.options {
						return
					}
					if failed := c.attempt(t, end, grpc.UseCompressor(gzip.Name), grpc.WaitForReady(true)); failed != "" {
						t.Errorf("compressed: %s", failed)
					}
				})
			}
			end.close()
			end.mustHaveSeenAll(t)
		})
	}
}

// mustHaveSeenAll holds the calls against who should have seen each of them once.
func (e *end) mustHaveSeenAll(t *testing.T) {
	t.Helper()
	for _, method := range []string{
		"EmptyCall", "UnaryCall", "StreamingOutputCall", "StreamingInputCall", "FullDuplexCall", "UnimplementedCall",
	} {
		if e.log.counts[ended][testService+method] == 0 {
			t.Errorf("no case calls %s", method)
		}
	}
	var witnesses []string
	if e.setup.checks() {
		witnesses = append(witnesses, allowed)
	}
	if e.setup.verifies() {
		witnesses = append(witnesses, verifications)
	}
	if e.setup.others {
		witnesses = append(witnesses, "outer", "inner")
	}
	e.log.mustAgree(t, witnesses...)
}

// The same cases, without the client interceptor, show that the checks were there, and that a case that fails is
// noticed.
func TestWithoutTheClientInterceptorNothingPasses(t *testing.T) {
	t.Parallel()
	for _, setup := range setups() {
		if !setup.checks() || setup.others {
			continue
		}
		t.Run(setup.String(), func(t *testing.T) {
			t.Parallel()
			end := setup.start(t, false)
			for _, c := range interopCases {
				if c.load || c.refusal != "" {
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					failed := string(c.attempt(t, end))
					// A stream that is refused early is seen as ended by the sender; a soak test only counts.
					if !strings.Contains(failed, "Unauthenticated") && !strings.Contains(failed, "EOF") &&
						!strings.Contains(failed, "total failures: 4 ") {
						t.Errorf("got %q", failed)
					}
				})
			}
			ctx, cancel := context.WithTimeout(t.Context(), longest)
			defer cancel()
			for kind, call := range kinds(testgrpc.NewTestServiceClient(end.connection)) {
				if err := call(ctx); status.Code(err) != codes.Unauthenticated || status.Convert(err).Message() != setup.refusal() {
					t.Errorf("%s: %v", kind, err)
				}
			}
			end.close()
			end.log.mustAgree(t, refused)
			if ran := end.log.counts[handled]; ran != nil {
				t.Errorf("handlers ran: %v", ran)
			}
		})
	}
}

// kinds are calls of each kind.
func kinds(client testgrpc.TestServiceClient) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"unary": func(ctx context.Context) error {
			_, err := client.EmptyCall(ctx, &testgrpc.Empty{})
			return err
		},
		"server stream": func(ctx context.Context) error {
			stream, err := client.StreamingOutputCall(ctx, &testgrpc.StreamingOutputCallRequest{})
			if err != nil {
				return err
			}
			_, err = stream.Recv()
			return err
		},
		"client stream": func(ctx context.Context) error {
			stream, err := client.StreamingInputCall(ctx)
			if err != nil {
				return err
			}
			_, err = stream.CloseAndRecv()
			return err
		},
		"bidirectional stream": func(ctx context.Context) error {
			stream, err := client.FullDuplexCall(ctx)
			if err != nil {
				return err
			}
			_, err = stream.Recv()
			return err
		},
	}
}
