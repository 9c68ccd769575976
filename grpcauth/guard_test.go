package grpcauth_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

var errHandlers = errors.New("the handler's own error")

func TestAuthorizeAnswersForItsOwnServiceOnly(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(guarded("test.v1.Service"), nil)
	right, wrong := arrived(t, "authorization", "42"), arrived(t, "authorization", "43")
	for _, test := range []struct {
		ctx     context.Context
		method  string
		code    codes.Code
		message string
	}{
		{right, "/test.v1.Service/Unary", codes.OK, ""},
		{right, "/test.v1.Service/Bidi", codes.OK, ""},
		{wrong, "/test.v1.Service/Unary", refusal.Code, refusal.Message},
		{t.Context(), "/test.v1.Service/Unary", refusal.Code, refusal.Message},
		{right, "/test.v1.Service/Nothing", codes.Unimplemented, "unknown method"},
		{right, "test.v1.Service/Unary", codes.Unimplemented, "unknown method"},
		{right, "/other.v1.Service/Unary", codes.Unimplemented, "unknown method"},
		{right, "", codes.Unimplemented, "unknown method"},
	} {
		ctx, err := interceptor.Authorize(test.ctx, test.method)
		if status.Code(err) != test.code || status.Convert(err).Message() != test.message {
			t.Errorf("%s: got %v, want %v %q", test.method, err, test.code, test.message)
		}
		if (ctx == nil) != (err != nil) {
			t.Errorf("%s: context %v with error %v", test.method, ctx, err)
		}
	}
}

// countingCodec counts the messages that the server decodes.
type countingCodec struct {
	encoding.CodecV2

	decoded *atomic.Int64
}

func (c countingCodec) Unmarshal(data mem.BufferSlice, v any) error {
	c.decoded.Add(1)
	return c.CodecV2.Unmarshal(data, v)
}

// Guard's promise beside the interceptors': a refused unary call costs no decoding.
func TestGuardRefusesBeforeTheMessageIsDecoded(t *testing.T) {
	t.Parallel()
	for _, install := range installs {
		var decoded atomic.Int64
		interceptor := authimpl.NewServerInterceptor(guarded("test.v1.Service"), nil)
		served := &service{name: "test.v1.Service"}
		server := grpc.NewServer(append(install.options(interceptor),
			grpc.ForceServerCodecV2(countingCodec{encoding.GetCodecV2("proto"), &decoded}))...)
		install.guard(interceptor, server).RegisterService(served.desc(), served)
		connection := loopback(t, server)

		wantRefused := int64(0)
		if install.name == "interceptors" {
			wantRefused = 1 // grpc decodes before it calls a unary interceptor
		}
		if err := call(t.Context(), connection, served.name, unary); status.Code(err) != refusal.Code {
			t.Fatal(err)
		}
		if got := decoded.Load(); got != wantRefused {
			t.Errorf("%s: %d messages of a refused unary call were decoded, want %d", install.name, got, wantRefused)
		}
		decoded.Store(0)
		for _, kind := range kinds[1:] {
			if err := call(t.Context(), connection, served.name, kind); status.Code(err) != refusal.Code {
				t.Fatal(err)
			}
		}
		if got := decoded.Load(); got != 0 {
			t.Errorf("%s: %d messages of refused streams were decoded", install.name, got)
		}
		if err := call(sent(t, "authorization", "42"), connection, served.name, unary); err != nil || decoded.Load() != 1 {
			t.Errorf("%s: an accepted call: %v, %d messages decoded", install.name, err, decoded.Load())
		}
	}
}

// Where the check stands among a server's own interceptors, as the README's table says.
func TestOrderAmongTheServersInterceptors(t *testing.T) {
	t.Parallel()
	for _, install := range installs {
		var unarySeen, streamSeen atomic.Int64
		interceptor := authimpl.NewServerInterceptor(guarded("test.v1.Service"), nil)
		served := &service{name: "test.v1.Service"}
		server := grpc.NewServer(append([]grpc.ServerOption{
			grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
				unarySeen.Add(1)
				return handler(ctx, req)
			}),
			grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
				streamSeen.Add(1)
				return handler(srv, stream)
			}),
		}, install.options(interceptor)...)...)
		install.guard(interceptor, server).RegisterService(served.desc(), served)
		connection := loopback(t, server)
		for _, kind := range kinds {
			if err := call(t.Context(), connection, served.name, kind); status.Code(err) != refusal.Code {
				t.Errorf("%s %s: %v", install.name, kind, err)
			}
		}
		wantUnary := int64(1)
		if install.name == "guard" {
			wantUnary = 0
		}
		if unarySeen.Load() != wantUnary || streamSeen.Load() != 3 {
			t.Errorf("%s: interceptors before ours saw %d unary calls and %d streams, want %d and 3",
				install.name, unarySeen.Load(), streamSeen.Load(), wantUnary)
		}
		// Behind the check, both see an accepted call.
		if err := call(sent(t, "authorization", "42"), connection, served.name, unary); err != nil || unarySeen.Load() != wantUnary+1 {
			t.Errorf("%s: an accepted call: %v, seen %d times", install.name, err, unarySeen.Load())
		}
	}
}

// A guarded service looks like an unguarded one: to the server, to reflection, and to who owns its desc.
func TestGuardKeepsTheServicesDescription(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(guarded("test.v1.Service"), nil)
	served := &service{name: "test.v1.Service"}
	desc := served.desc()
	desc.Metadata = "test/v1/service.proto"
	server := grpc.NewServer()
	interceptor.Guard(server).RegisterService(desc, served)
	reflection.Register(server)

	plain := grpc.NewServer()
	plain.RegisterService(desc, served) // unchanged: an unguarded server from the same description stays one
	want, got := plain.GetServiceInfo()[served.name], server.GetServiceInfo()[served.name]
	if len(got.Methods) != len(kinds) || got.Metadata != want.Metadata {
		t.Errorf("registered %+v, want %+v", got, want)
	}
	connection := loopback(t, plain)
	for _, kind := range kinds {
		if err := call(t.Context(), connection, served.name, kind); err != nil {
			t.Errorf("Guard changed the description it was given: %s: %v", kind, err)
		}
	}

	stream, err := reflectionv1.NewServerReflectionClient(loopback(t, server)).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	}); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	for _, listed := range answer.GetListServicesResponse().GetService() {
		if listed.GetName() == served.name {
			return
		}
	}
	t.Errorf("reflection lists %v", answer)
}
