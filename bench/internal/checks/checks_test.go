package checks

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	benchv1 "github.com/grpcauth/protoc-gen-go-grpcauth/bench/v1"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/peers"
)

// Each variant verifies its own outcome: the code, and how often the handler ran.
func TestEveryVariantDoesWhatItsNameSays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		prepare  func(Plan) (*measure.Group, error)
		variants int
	}{{One, 33}, {Headers, 18}, {Methods, 12}, {Unconcerned, 3}, {Streams, 11}} {
		group, err := test.prepare(Plan{Rounds: 1, Sample: time.Microsecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(group.Close)
		results := measure.Results{}
		if err := group.Run(regexp.MustCompile(""), results); err != nil {
			t.Error(err)
		}
		if len(results) != test.variants {
			t.Errorf("%s: %d variants, want %d", group.Name, len(results), test.variants)
		}
	}
}

// That verification notices a call that comes out otherwise, by every door.
func TestWrongOutcomesAreNoticed(t *testing.T) {
	t.Parallel()
	with := func(value string) context.Context {
		return metadata.NewIncomingContext(t.Context(), metadata.Pairs(header, value))
	}
	literal := peers.Literal{Name: header, Value: key}
	ours := benchv1.NewLiteralsServerInterceptor()
	doors := map[string]func(fullMethod string, c call) doOften{
		"alone":       func(_ string, c call) doOften { return alone(peers.Careful(literal), c) },
		"interceptor": func(_ string, c call) doOften { return intercepted(ours.UnaryInterceptor, c) },
		"bound": func(method string, c call) doOften {
			return bound(guarded(ours.Guard, service, []string{"One"}, nil).unary[method], c)
		},
		"stream": func(_ string, c call) doOften { return streamIntercepted(ours.StreamInterceptor, c) },
		"stream bound": func(_ string, c call) doOften {
			return streamBound(guarded(ours.Guard, service, nil, []string{"Talk"}).streams[talk], c)
		},
		"several": func(method string, c call) doOften {
			return interceptedInTurn(ours.UnaryInterceptor, []*grpc.UnaryServerInfo{{FullMethod: method}}, c)
		},
		"several bound": func(method string, c call) doOften {
			handlers := []grpc.MethodHandler{guarded(ours.Guard, service, []string{"One"}, nil).unary[method]}
			return boundInTurn(handlers, c)
		},
	}
	for name, door := range doors {
		method := oneName
		if strings.HasPrefix(name, "stream") {
			method = talk
		}
		for _, test := range []struct {
			value string
			want  codes.Code
			right bool
		}{
			{key, codes.OK, true},
			{wrong, codes.Unauthenticated, true},
			{key, codes.Unauthenticated, false},
			{wrong, codes.OK, false},
			{wrong, codes.PermissionDenied, false},
		} {
			if err := door(method, call{with(test.value), method, test.want})(3); (err == nil) != test.right {
				t.Errorf("%s: %q that should end with %v: %v", name, test.value, test.want, err)
			}
		}
	}
	skipping := func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) { return "", nil }
	if err := intercepted(skipping, call{with(key), oneName, codes.OK})(3); err == nil {
		t.Error("an interceptor that skips the handler is not noticed")
	}
}

// What is measured as a stream that is not wrapped is handed on as it is, and one with a value to pass on is not.
func TestStreamsAreWrappedForAContextAlone(t *testing.T) {
	t.Parallel()
	handedOn := func(method string, interceptor grpc.StreamServerInterceptor, pairs ...string) bool {
		ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(pairs...))
		stream := &openStream{ctx: ctx}
		var got grpc.ServerStream
		if err := interceptor(nil, stream, &grpc.StreamServerInfo{FullMethod: method},
			func(_ any, handed grpc.ServerStream) error {
				got = handed
				return nil
			}); err != nil {
			t.Fatal(err)
		}
		return got == grpc.ServerStream(stream)
	}
	if !handedOn(talk, benchv1.NewLiteralsServerInterceptor().StreamInterceptor, header, key) {
		t.Error("a stream without a value to pass on is wrapped")
	}
	if handedOn(tenant, benchv1.NewTypedServerInterceptor().StreamInterceptor, "x-tenant-id", "42") {
		t.Error("the handler of a typed value is not given its context")
	}
}

// The contexts are those of a real server's calls, with what a Go client sends.
func TestContextsArrived(t *testing.T) {
	t.Parallel()
	calls, err := newArrivals()
	if err != nil {
		t.Fatal(err)
	}
	defer calls.close()
	ctx, err := calls.arrived(oneName, header, key)
	if err != nil {
		t.Fatal(err)
	}
	if method, ok := grpc.Method(ctx); method != oneName || !ok {
		t.Errorf("the method is %q", method)
	}
	got, _ := metadata.FromIncomingContext(ctx)
	var names []string
	for name := range got {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{":authority", header, "content-type", "user-agent"}) || got[header][0] != key {
		t.Errorf("the metadata is %v", got)
	}
	if ctx.Err() != nil {
		t.Error("the call has ended")
	}
}

func TestChainIsThatOfGRPC(t *testing.T) {
	t.Parallel()
	var order []string
	named := func(name string) grpc.UnaryServerInterceptor {
		return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			order = append(order, name)
			return handler(ctx, req)
		}
	}
	_, err := chain([]grpc.UnaryServerInterceptor{named("a"), named("b"), named("c")})(t.Context(), nil, nil,
		func(context.Context, any) (any, error) {
			order = append(order, "handler")
			return "", nil
		})
	if err != nil || !slices.Equal(order, []string{"a", "b", "c", "handler"}) {
		t.Errorf("the order is %v, %v", order, err)
	}
}
