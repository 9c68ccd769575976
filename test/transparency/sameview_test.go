package transparency

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/gzip"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// step is a call, in words and as it is made.
type step struct {
	name    string
	call    func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption) (string, error)
	sends   metadata.MD
	options []grpc.CallOption
	bounded bool // by a deadline of the caller
	// fails is true if the call fails at the client, so that the server may not see it.
	fails bool
	// cut is true if the client ends the call, so that it may not see the trailer.
	cut bool
}

const (
	small, aboveLimit = 1000, 5 << 20 // grpc takes messages of 4 MiB, unless it is told otherwise
	limit             = 8 << 20
)

func steps() []step {
	var made []step
	for kind, call := range map[string]func(sent, got int32) func(
		context.Context, testgrpc.TestServiceClient, ...grpc.CallOption) (string, error){"unary": unary, "duplex": duplex} {
		made = append(made,
			step{name: kind, call: call(small, small)},
			step{name: kind + " with metadata", call: call(small, small), sends: metadata.Pairs(
				"x-grpc-test-echo-initial", "echo", "x-grpc-test-echo-trailing-bin", "\x00\x01",
				"x-many", "a", "x-many", "b,c", "x-many", "")},
			step{name: kind + " with a deadline", call: call(small, small), bounded: true},
			step{name: kind + " with a large request", call: call(aboveLimit, small)},
			step{name: kind + " with a large response", call: call(small, aboveLimit), cut: true},
			step{
				name: kind + " with a large response that is allowed", call: call(small, aboveLimit),
				options: []grpc.CallOption{grpc.MaxCallRecvMsgSize(limit)},
			},
			step{
				name: kind + " compressed", call: call(small, small), options: []grpc.CallOption{grpc.UseCompressor(gzip.Name)},
			},
			step{
				name: kind + " compressed by the handler", call: call(small, small),
				sends: metadata.Pairs(compressHeader, gzip.Name),
			},
			step{
				name: kind + " of a named type", call: call(small, small),
				options: []grpc.CallOption{grpc.CallContentSubtype("proto")},
			},
			step{
				name: kind + " with the caller's own credentials", call: call(small, small),
				options: []grpc.CallOption{grpc.PerRPCCredentials(callersOwn{})},
			},
			step{
				name: kind + " that is too large to send", call: call(small, small), fails: true,
				options: []grpc.CallOption{grpc.MaxCallSendMsgSize(small / 2)},
			})
		for failure := range failures {
			made = append(made, step{
				name: kind + " that fails with " + failure, call: call(small, small), sends: metadata.Pairs(failHeader, failure),
			})
		}
	}
	made = append(made, step{name: "cacheable", call: cacheable}, step{name: "half duplex", call: halfDuplex})
	slices.SortFunc(made, func(a, b step) int { return strings.Compare(a.name, b.name) })
	return made
}

func payload(size int32) *testgrpc.Payload { return &testgrpc.Payload{Body: make([]byte, size)} }

func unary(sent, got int32) func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption) (string, error) {
	return func(ctx context.Context, client testgrpc.TestServiceClient, options ...grpc.CallOption) (string, error) {
		out, err := client.UnaryCall(ctx, &testgrpc.SimpleRequest{Payload: payload(sent), ResponseSize: got}, options...)
		return fmt.Sprint(len(out.GetPayload().GetBody())), err
	}
}

func duplex(sent, got int32) func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption) (string, error) {
	return func(ctx context.Context, client testgrpc.TestServiceClient, options ...grpc.CallOption) (string, error) {
		stream, err := client.FullDuplexCall(ctx, options...)
		if err != nil {
			return "", err
		}
		return exchange(stream, sent, got)
	}
}

func halfDuplex(ctx context.Context, client testgrpc.TestServiceClient, options ...grpc.CallOption) (string, error) {
	stream, err := client.HalfDuplexCall(ctx, options...)
	if err != nil {
		return "", err
	}
	return exchange(stream, small, small)
}

// exchange sends twice what asks for two answers, and reads to the end.
func exchange(
	stream grpc.BidiStreamingClient[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse],
	sent, got int32,
) (string, error) {
	request := &testgrpc.StreamingOutputCallRequest{
		Payload: payload(sent), ResponseParameters: []*testgrpc.ResponseParameters{{Size: got}, {Size: 1}},
	}
	for range 2 {
		if err := stream.Send(request); err != nil && !errors.Is(err, io.EOF) { // what ended the stream is read below
			return "", err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return "", err
	}
	var sizes []int
	for {
		out, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return fmt.Sprint(sizes), nil
		}
		if err != nil {
			return fmt.Sprint(sizes), err
		}
		sizes = append(sizes, len(out.GetPayload().GetBody()))
	}
}

func cacheable(ctx context.Context, client testgrpc.TestServiceClient, options ...grpc.CallOption) (string, error) {
	out, err := client.CacheableUnaryCall(ctx, &testgrpc.SimpleRequest{}, options...)
	return out.String(), err
}

// callersOwn are credentials that a caller gives to one call.
type callersOwn struct{}

func (callersOwn) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"x-own": "1"}, nil
}

func (callersOwn) RequireTransportSecurity() bool { return true }

// look makes the call and returns all that both ends can see of it.
func (s step) look(t *testing.T, end *end) string {
	t.Helper()
	ctx := t.Context()
	if s.bounded {
		bounded, cancel := context.WithTimeout(ctx, longest/2)
		defer cancel()
		ctx = bounded
	}
	ctx = metadata.NewOutgoingContext(ctx, s.sends)
	var header, trailer metadata.MD
	var from peer.Peer
	var mutex sync.Mutex
	var finished []error
	answer, err := s.call(ctx, testgrpc.NewTestServiceClient(end.connection), append([]grpc.CallOption{
		grpc.Header(&header), grpc.Trailer(&trailer), grpc.Peer(&from), grpc.OnFinish(func(err error) {
			mutex.Lock()
			defer mutex.Unlock()
			finished = append(finished, err)
		}),
	}, s.options...)...)
	text, marshalErr := proto.Marshal(status.Convert(err).Proto())
	if marshalErr != nil {
		t.Fatal(marshalErr)
	}
	header.Delete("date")
	if s.cut {
		trailer = nil
	}
	seen := []string{fmt.Sprintf("%s, status %q, header %q, trailer %q", answer, text, plain(header), plain(trailer))}
	if from.AuthInfo != nil {
		seen = append(seen, from.AuthInfo.AuthType()+" peer")
	}
	mutex.Lock()
	defer mutex.Unlock()
	seen = append(seen, fmt.Sprintf("finished %v", finished))
	seen = append(seen, end.log.client.take()...)
	if !s.fails {
		seen = append(seen, end.log.server.take()...)
	}
	return strings.Join(seen, "\n")
}

// lookAll makes all calls, in a setup, and returns what is seen of each. The last are those that the server may see
// late.
func lookAll(t *testing.T, setup setup) map[string]string {
	t.Helper()
	end := setup.start(t, true)
	looks := map[string]string{}
	for _, fails := range []bool{false, true} {
		for _, step := range steps() {
			if step.fails == fails {
				looks[step.name] = step.look(t, end)
			}
		}
	}
	end.close()
	end.log.mustAgree(t)
	return looks
}

// What a call carries, how it ends, and what its caller and its handler see is the same with rules as without.
func TestBothEndsSeeTheSame(t *testing.T) {
	t.Parallel()
	controls := map[setup]map[string]string{}
	for _, setup := range setups() {
		if !setup.checks() {
			controls[setup] = lookAll(t, setup)
			mustShow(t, controls[setup])
		}
	}
	for _, setup := range setups() {
		if !setup.checks() {
			continue
		}
		t.Run(setup.String(), func(t *testing.T) {
			t.Parallel()
			looks := lookAll(t, setup)
			for name, want := range controls[setup.control()] {
				if looks[name] != want {
					t.Errorf("%s:\n%s\nwithout rules:\n%s", name, looks[name], want)
				}
			}
		})
	}
}

// mustShow looks for what the calls are about: those that show nothing would all be the same.
func mustShow(t *testing.T, looks map[string]string) {
	t.Helper()
	seen := strings.Join(slices.Collect(maps.Values(looks)), "\n")
	for _, want := range []string{
		"[1000 1 1000 1], status", "[5242880 1 5242880 1], status", "ResourceExhausted", `client got compression "gzip"`,
		`server got compression "gzip"`, `"x-own":["1"]`, `"x-many":["a" "b,c" ""]`, "must answer soon: true",
		`"x-header":["a" "b"]`, `"x-trailer-bin":["\xff"]`, "grpc+proto", "tls tcp", "tls peer", "finished [<nil>]",
	} {
		if !strings.Contains(seen, want) {
			t.Errorf("no call shows %s:\n%s", want, seen)
		}
	}
}
