package grpcauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// entry calls a method with metadata by one way into a service.
type entry func(ctx context.Context, kind kind, md metadata.MD) error

// caller is the principal of these calls.
type caller string

// entryCases are the same calls for each way in. They go to a method that needs a literal, and a token of
// which the verifier of checkEntry knows one.
var entryCases = []struct {
	name string
	sent []string
	want codes.Code
}{
	{"right", []string{"x-key", "good", "authorization", "Bearer good"}, codes.OK},
	{"right, with others", []string{"x-other", "a", "x-key", "good", "authorization", "bearer good"}, codes.OK},
	{"nothing", nil, refusal.Code},
	{"no token", []string{"x-key", "good"}, refusal.Code},
	{"no key", []string{"authorization", "Bearer good"}, refusal.Code},
	{"an empty key", []string{"x-key", "", "authorization", "Bearer good"}, refusal.Code},
	{"a wrong key", []string{"x-key", "bad", "authorization", "Bearer good"}, refusal.Code},
	{"a repeated key", []string{"x-key", "good", "x-key", "good", "authorization", "Bearer good"}, refusal.Code},
	{"a repeated token", []string{"x-key", "good", "authorization", "Bearer good", "authorization", "Bearer good"}, refusal.Code},
	{"a token without a scheme", []string{"x-key", "good", "authorization", "good"}, refusal.Code},
	{"a token of another scheme", []string{"x-key", "good", "authorization", "Basic good"}, refusal.Code},
	{"a forged token", []string{"x-key", "good", "authorization", "Bearer bad"}, refusal.Code},
	{"a token that cannot be verified", []string{"x-key", "good", "authorization", "Bearer unknown"}, codes.Unavailable},
	{"a token that breaks the verifier", []string{"x-key", "good", "authorization", "Bearer broken"}, codes.Internal},
}

// checkEntry sends all cases by one way in. What is refused reaches no handler; what passes reaches one, with
// the principal that the verifier told.
func checkEntry(t *testing.T, enter func(t *testing.T, interceptor *grpcauth.ServerInterceptor, served *service) entry) {
	t.Helper()
	table := tableFor("test.v1.Service", headers(
		authimpl.Header{Name: "x-key", Equals: "good"}, authimpl.Header{Name: "authorization", Bearer: true}))
	interceptor := authimpl.NewServerInterceptor(table, nil, authimpl.VerifyBearer("authorization",
		func(ctx context.Context, _ grpcauth.Call, token grpcauth.Secret) (context.Context, error) {
			switch token.Reveal() {
			case "good":
				return grpcauth.WithPrincipal(ctx, caller("ann")), nil
			case "unknown":
				return nil, grpcauth.Unavailable(errors.New("no route"))
			case "broken":
				panic("broken")
			default:
				return nil, errors.New("forged")
			}
		}))
	var principals atomic.Int64
	served := &service{name: table.Name, handled: func(ctx context.Context) {
		if who, ok := grpcauth.Principal[caller](ctx); ok && who == "ann" {
			principals.Add(1)
		}
	}}
	enterBy := enter(t, interceptor, served)
	for _, test := range entryCases {
		for _, kind := range kinds {
			ran := served.runs.Load()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			err := enterBy(ctx, kind, metadata.Pairs(test.sent...))
			cancel()
			wantRuns := ran
			if test.want == codes.OK {
				wantRuns++
			}
			if status.Code(err) != test.want || served.runs.Load() != wantRuns || principals.Load() != wantRuns {
				t.Errorf("%s, %s: got %v, want %v; handlers ran %d times, want %d, %d of them for ann",
					kind, test.name, err, test.want, served.runs.Load(), wantRuns, principals.Load())
			}
		}
	}
}

// overNetwork is the way in through a server on a kind of connection.
func overNetwork(serve func(*testing.T, *grpc.Server, ...grpc.DialOption) ends, install install) func(*testing.T, *grpcauth.ServerInterceptor, *service) entry {
	return func(t *testing.T, interceptor *grpcauth.ServerInterceptor, served *service) entry {
		t.Helper()
		server := grpc.NewServer(install.options(interceptor)...)
		install.guard(interceptor, server).RegisterService(served.desc(), served)
		reached := serve(t, server)
		return func(ctx context.Context, kind kind, md metadata.MD) error {
			return callUntil(metadata.NewOutgoingContext(ctx, md), reached.client, served.name, kind)
		}
	}
}

func throughNetwork(t *testing.T, serve func(*testing.T, *grpc.Server, ...grpc.DialOption) ends) {
	t.Helper()
	t.Parallel()
	for _, install := range installs {
		t.Run(install.name, func(t *testing.T) {
			t.Parallel()
			checkEntry(t, overNetwork(serve, install))
		})
	}
}

func TestT4_TheNativeServer(t *testing.T) {
	throughNetwork(t, func(t *testing.T, server *grpc.Server, dial ...grpc.DialOption) ends {
		t.Helper()
		return ends{client: loopback(t, server, dial...)}
	})
}

func TestT4_ServeHTTP(t *testing.T) { throughNetwork(t, serveHTTPS) }

func TestT4_Bufconn(t *testing.T) { throughNetwork(t, serveInMemory) }

// Calls that no server carries, as the in-process registration of a gateway makes them: Authorize stands
// before the implementation.
func TestT4_InProcessBehindAuthorize(t *testing.T) {
	t.Parallel()
	checkEntry(t, func(_ *testing.T, interceptor *grpcauth.ServerInterceptor, served *service) entry {
		return func(ctx context.Context, kind kind, md metadata.MD) error {
			ctx, err := interceptor.Authorize(metadata.NewIncomingContext(ctx, md), "/"+served.name+"/"+string(kind))
			if err != nil {
				return err
			}
			return callImplementation(ctx, served, kind)
		}
	})
}

// callImplementation runs a handler with nothing in front of it.
func callImplementation(ctx context.Context, served *service, kind kind) error {
	desc := served.desc()
	if kind == unary {
		_, err := desc.Methods[0].Handler(served, ctx, func(any) error { return nil }, nil)
		return err
	}
	for _, stream := range desc.Streams {
		if stream.StreamName == string(kind) {
			return stream.Handler(served, &localStream{ctx: ctx, messages: 1})
		}
	}
	return fmt.Errorf("no method %s", kind)
}

// localStream carries one message in, and any number out to nobody.
type localStream struct {
	grpc.ServerStream

	ctx      context.Context
	messages int
}

func (s *localStream) Context() context.Context { return s.ctx }
func (s *localStream) SendMsg(any) error        { return nil }

func (s *localStream) RecvMsg(any) error {
	if s.messages == 0 {
		return io.EOF
	}
	s.messages--
	return nil
}

// Why Authorize must stand there, and why README says so: what calls the implementation itself passes no
// check, whatever is installed in a server beside it.
func TestT4_WhatCallsTheImplementationPassesNoCheck(t *testing.T) {
	t.Parallel()
	for _, install := range installs {
		table := guarded("test.v1.Service")
		served := &service{name: table.Name}
		newServer(install, table, served)
		for i, kind := range kinds {
			if err := callImplementation(t.Context(), served, kind); err != nil || served.runs.Load() != int64(i)+1 {
				t.Errorf("%s, %s: got %v, handlers ran %d times", install.name, kind, err, served.runs.Load())
			}
		}
	}
}

// Why a tap is no place for a check: behind net/http it is not asked. If this fails, grpc has changed, and so
// may README.
func TestT4_TapsAreNotAskedUnderServeHTTP(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		serve func(*testing.T, *grpc.Server, ...grpc.DialOption) ends
		asked int64
	}{"native": {serveTLS, 1}, "ServeHTTP": {serveHTTPS, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			options := []grpc.ServerOption{grpc.InTapHandle(func(ctx context.Context, _ *tap.Info) (context.Context, error) {
				asked.Add(1)
				return ctx, nil
			})}
			if name == "native" {
				options = append(options, wires[0].options()...)
			}
			served := &service{name: "test.v1.Service"}
			server := grpc.NewServer(options...)
			server.RegisterService(served.desc(), served)
			if err := call(t.Context(), test.serve(t, server).client, served.name, unary); err != nil {
				t.Fatal(err)
			}
			if asked.Load() != test.asked {
				t.Errorf("the tap was asked %d times, want %d", asked.Load(), test.asked)
			}
		})
	}
}

// What cannot be guarded stands where users look: in README, under a heading that says so.
func TestT4_WhatIsNotGuardedIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## What is not guarded\n")
	if !found {
		t.Fatal("README has no section on what is not guarded")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for _, word := range []string{
		"in-process gateway", "`Authorize`", "`tap.InTapHandle`", "stats handlers", "interceptors that stand earlier",
		"`grpc.StreamDesc`", "health and reflection", "`grpcauth.DenyUnlisted(", "mixed-case keys",
	} {
		if !strings.Contains(section, word) {
			t.Errorf("the section does not name %s", word)
		}
	}
}
