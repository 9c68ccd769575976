package grpcauth_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// recorder keeps the metadata of each call that reaches a server, by method.
type recorder struct {
	mutex sync.Mutex
	calls map[string]metadata.MD
}

func (r *recorder) record(ctx context.Context, method string) {
	md, _ := metadata.FromIncomingContext(ctx)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.calls == nil {
		r.calls = map[string]metadata.MD{}
	}
	r.calls[method] = md
}

// options records each call before anything else sees it.
func (r *recorder) options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(
			ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
		) (any, error) {
			r.record(ctx, info.FullMethod)
			return handler(ctx, req)
		}),
		grpc.ChainStreamInterceptor(func(
			srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
		) error {
			r.record(stream.Context(), info.FullMethod)
			return handler(srv, stream)
		}),
	}
}

// got returns and forgets what arrived with a call of the method.
func (r *recorder) got(method string) metadata.MD {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	md := r.calls[method]
	delete(r.calls, method)
	return md
}

// open serves a service without any check, and records what arrives.
func open(t *testing.T, table *authimpl.Service, client *grpcauth.ClientInterceptor) (*grpc.ClientConn, *recorder, *service) {
	t.Helper()
	seen, served := &recorder{}, &service{name: table.Name}
	server := grpc.NewServer(seen.options()...)
	server.RegisterService(served.desc(), served)
	return loopback(t, server, client.DialOptions()...), seen, served
}

func checkArrived(t *testing.T, what string, md metadata.MD, want map[string][]string) {
	t.Helper()
	for key, values := range want {
		if !slices.Equal(md.Get(key), values) {
			t.Errorf("%s: %s arrived as %q, want %q", what, key, md.Get(key), values)
		}
	}
}

func TestClientSuppliesEveryTypeOfValue(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(
		authimpl.Header{Name: "x-literal", Equals: "42"},
		authimpl.Header{Name: "x-in", In: []string{"a", "b"}},
		authimpl.Header{Name: "x-s", Present: authimpl.String},
		authimpl.Header{Name: "x-i", Present: authimpl.Int64},
		authimpl.Header{Name: "x-u", Present: authimpl.Uint64},
		authimpl.Header{Name: "x-b", Present: authimpl.Bool},
		authimpl.Header{Name: "x-bin", Present: authimpl.Bytes},
	))
	client := authimpl.NewClientInterceptor(table, nil,
		authimpl.Supply("x-in", "C.In", grpcauth.Static("b")),
		authimpl.Supply("x-s", "C.S", grpcauth.Static("text, with a comma")),
		authimpl.Supply("x-i", "C.I", grpcauth.Static(int64(-7))),
		authimpl.Supply("x-u", "C.U", grpcauth.Static(uint64(1<<64-1))),
		authimpl.Supply("x-b", "C.B", grpcauth.Static(false)),
		authimpl.Supply("x-bin", "C.Bin", grpcauth.Static([]byte{0, 255})),
	)
	connection, seen, _ := open(t, table, client)
	for _, kind := range kinds {
		if err := call(t.Context(), connection, table.Name, kind); err != nil {
			t.Fatal(err)
		}
		checkArrived(t, string(kind), seen.got("/test.v1.Service/"+string(kind)), map[string][]string{
			"x-literal": {"42"}, "x-in": {"b"}, "x-s": {"text, with a comma"}, "x-i": {"-7"},
			"x-u": {"18446744073709551615"}, "x-b": {"false"}, "x-bin": {"\x00\xff"},
		})
	}
}

// Generated code supplies every header that is no literal; a table that does not is a bug of the generator.
func TestClientWithoutSupplierIsNotMade(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(authimpl.Header{Name: "x-s", Present: authimpl.String}))
	mustPanic(t, `grpcauth: service "test.v1.Service": method "/test.v1.Service/Unary": header "x-s" has no supplier`, func() {
		authimpl.NewClientInterceptor(table, nil, authimpl.Supply("x-other", "C.Other", grpcauth.Static("a")))
	})
	table.Methods[0].Headers, table.Methods[0].AnyOf = nil, [][]authimpl.Header{{{Name: "x-a", Bearer: true}}}
	mustPanic(t, `method "/test.v1.Service/Unary": header "x-a" has no supplier`, func() {
		authimpl.NewClientInterceptor(table, nil, authimpl.SupplyBasic("x-a", "C.XABasic", nil))
	})
}

func TestT25_CallersValueIsReplacedNotDoubled(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(
		authimpl.Header{Name: "authorization", Equals: "42"}, authimpl.Header{Name: "x-s", Present: authimpl.String}))
	client := authimpl.NewClientInterceptor(table, nil, authimpl.Supply("x-s", "C.S", grpcauth.Static("ours")))
	connection, seen, _ := open(t, table, client)
	for _, kind := range kinds {
		ctx := sent(t, "authorization", "theirs", "Authorization", "too", "x-s", "theirs", "other", "kept", "other", "both")
		ctx = metadata.AppendToOutgoingContext(ctx, "AUTHORIZATION", "appended", "X-Other", "appended")
		if err := call(ctx, connection, table.Name, kind); err != nil {
			t.Fatal(err)
		}
		checkArrived(t, string(kind), seen.got("/test.v1.Service/"+string(kind)), map[string][]string{
			"authorization": {"42"}, "x-s": {"ours"}, "other": {"kept", "both"}, "x-other": {"appended"},
		})
		// The caller's context is not ours to change.
		if md, _ := metadata.FromOutgoingContext(ctx); len(md.Get("authorization")) != 3 {
			t.Errorf("%s: the caller's own metadata is now %v", kind, md)
		}
	}
}

// One connection, two services with rules, and health: each header reaches the methods that declared it.
func TestT27_HeadersReachOnlyMethodsThatDeclareThem(t *testing.T) {
	t.Parallel()
	first := tableFor("first.v1.Service", headers(authimpl.Header{Name: "x-first", Equals: "1"}))
	first.Methods[1] = authimpl.Method{FullMethod: first.Methods[1].FullMethod, Public: true}
	second := tableFor("second.v1.Service", headers(authimpl.Header{Name: "x-second", Present: authimpl.String}))
	second.Methods[2] = authimpl.Method{FullMethod: second.Methods[2].FullMethod, GuardedBy: "x"}

	seen := &recorder{}
	server := grpc.NewServer(seen.options()...)
	for _, table := range []*authimpl.Service{first, second} {
		served := &service{name: table.Name}
		authimpl.NewServerInterceptor(table, nil).Guard(server).RegisterService(served.desc(), served)
	}
	healthv1.RegisterHealthServer(server, health.NewServer())
	options := append(authimpl.NewClientInterceptor(first, nil).DialOptions(), authimpl.NewClientInterceptor(second, nil,
		authimpl.Supply("x-second", "C.Second", grpcauth.Static("2"))).DialOptions()...)
	connection := loopback(t, server, options...)

	for i, kind := range kinds {
		for _, name := range []string{first.Name, second.Name} {
			if err := call(t.Context(), connection, name, kind); err != nil {
				t.Errorf("%s of %s: %v", kind, name, err)
			}
		}
		want := map[string][]string{"x-first": {"1"}, "x-second": nil}
		if i == 1 {
			want["x-first"] = nil
		}
		checkArrived(t, "first "+string(kind), seen.got("/first.v1.Service/"+string(kind)), want)
		want = map[string][]string{"x-first": nil, "x-second": {"2"}}
		if i == 2 {
			want["x-second"] = nil
		}
		checkArrived(t, "second "+string(kind), seen.got("/second.v1.Service/"+string(kind)), want)
	}
	if _, err := healthv1.NewHealthClient(connection).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
		t.Error(err)
	}
	checkArrived(t, "health", seen.got("/grpc.health.v1.Health/Check"), map[string][]string{"x-first": nil, "x-second": nil})
}

// callersCreds are a user's own per-RPC credentials.
type callersCreds struct {
	headers map[string]string
	secure  bool
	err     error
}

func (c *callersCreds) RequireTransportSecurity() bool { return c.secure }

func (c *callersCreds) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return c.headers, c.err
}

func TestT29_CallersOwnCredentialsAreComposed(t *testing.T) {
	t.Parallel()
	table := guarded("test.v1.Service")
	connection, seen, served := open(t, table, authimpl.NewClientInterceptor(table, nil))
	theirs := &callersCreds{headers: map[string]string{"x-theirs": "1", "Authorization": "theirs"}}
	before := &callersCreds{headers: map[string]string{"x-before": "1"}}
	for name, options := range map[string][]grpc.CallOption{
		"value":             {grpc.PerRPCCredentials(theirs)},
		"pointer":           {&grpc.PerRPCCredsCallOption{Creds: theirs}},
		"last one wins":     {grpc.PerRPCCredentials(before), grpc.PerRPCCredentials(theirs)},
		"last pointer wins": {grpc.PerRPCCredentials(before), &grpc.PerRPCCredsCallOption{Creds: theirs}},
	} {
		for _, kind := range kinds {
			if err := call(t.Context(), connection, table.Name, kind, options...); err != nil {
				t.Fatal(err)
			}
			checkArrived(t, name+" "+string(kind), seen.got("/test.v1.Service/"+string(kind)), map[string][]string{
				"authorization": {"42"}, "x-theirs": {"1"}, "x-before": nil,
			})
		}
	}
	ran := served.runs.Load()
	failing := &callersCreds{err: status.Error(codes.Unavailable, "no token today")}
	if err := call(t.Context(), connection, table.Name, unary, grpc.PerRPCCredentials(failing)); status.Code(err) != codes.Unavailable {
		t.Errorf("their error became %v", err)
	}
	lacking := authimpl.NewClientInterceptor(tableFor(table.Name, headers(authimpl.Header{Name: "x-s", Present: authimpl.String})),
		nil, authimpl.Supply("x-s", "C.S", grpcauth.Static("")))
	other, _, unreached := open(t, table, lacking)
	err := call(t.Context(), other, table.Name, unary, grpc.PerRPCCredentials(theirs))
	if status.Code(err) != codes.Unauthenticated || !strings.Contains(err.Error(), "the value is empty") || unreached.runs.Load() != 0 {
		t.Errorf("our error beside their credentials: %v", err)
	}
	demanding := &callersCreds{headers: theirs.headers, secure: true}
	err = call(t.Context(), connection, table.Name, unary, grpc.PerRPCCredentials(demanding))
	if status.Code(err) != codes.Unauthenticated || !strings.Contains(err.Error(), "insecure connection") {
		t.Errorf("credentials that demand security, without it: %v", err)
	}
	if served.runs.Load() != ran {
		t.Error("a call that should have failed locally was sent")
	}
}

// Two calls at once with one slice of options that has spare room: neither writes into it.
func TestT29_CallersOptionsAreNotWrittenTo(t *testing.T) {
	t.Parallel()
	table := guarded("test.v1.Service")
	client := authimpl.NewClientInterceptor(table, nil)
	shared := make([]grpc.CallOption, 1, 8)
	shared[0] = grpc.WaitForReady(true)
	err := client.UnaryInterceptor(t.Context(), "/test.v1.Service/Unary", nil, nil, nil,
		func(_ context.Context, _ string, _, _ any, _ *grpc.ClientConn, opts ...grpc.CallOption) error {
			if len(opts) != 2 {
				t.Errorf("%d options", len(opts))
			}
			return nil
		}, shared...)
	if err != nil || shared[:2][1] != nil {
		t.Errorf("got %v; the caller's slice now holds %v", err, shared[:2])
	}
}

// A handler that calls another server with its own context hands on nothing of what it received.
func TestT30_IncomingMetadataIsNotSentOn(t *testing.T) {
	t.Parallel()
	behind := tableFor("behind.v1.Service", headers(authimpl.Header{Name: "x-behind", Equals: "1"}))
	inner, seen, _ := open(t, behind, authimpl.NewClientInterceptor(behind, nil))

	front := guarded("front.v1.Service")
	var inside error
	served := &service{name: front.Name, handled: func(ctx context.Context) {
		inside = call(ctx, inner, behind.Name, unary)
	}}
	outer := installs[0].start(t, loopback, authimpl.NewServerInterceptor(front, nil), served,
		authimpl.NewClientInterceptor(front, nil).DialOptions()...)
	if err := call(sent(t, "x-private", "1"), outer, front.Name, unary); err != nil || inside != nil {
		t.Fatal(err, inside)
	}
	arrived := seen.got("/behind.v1.Service/Unary")
	checkArrived(t, "behind", arrived, map[string][]string{"authorization": nil, "x-private": nil, "x-behind": {"1"}})
	if len(arrived) == 0 {
		t.Error("the inner call was not recorded")
	}
}

// What a client cannot supply fails before anything is sent, and the error says what to do.
func TestClientFailsLocally(t *testing.T) {
	t.Parallel()
	source := func(value string, err error) grpcauth.Source[string] {
		return func(context.Context, grpcauth.Call) (string, error) { return value, err }
	}
	present := authimpl.Header{Name: "x-s", Present: authimpl.String}
	for name, test := range map[string]struct {
		header  authimpl.Header
		source  grpcauth.Source[string]
		code    codes.Code
		message string
	}{
		"no source": {present, nil, codes.Unauthenticated, `"x-s": this client has no value for it: set C.S`},
		"empty":     {present, source("", nil), codes.Unauthenticated, `"x-s": the value is empty`},
		"newline":   {present, source("a\nb", nil), codes.Unauthenticated, "characters other than printable ASCII"},
		"letters":   {present, source("é", nil), codes.Unauthenticated, "characters other than printable ASCII"},
		"not in list": {
			authimpl.Header{Name: "x-s", In: []string{"a"}},
			source("secret", nil), codes.Unauthenticated,
			"the value is not one that the rule allows",
		},
		"plain error":   {present, source("", errors.New("vault is sealed")), codes.Unauthenticated, "its source failed: vault is sealed"},
		"status":        {present, source("", status.Error(codes.Unavailable, "later")), codes.Unavailable, "later"},
		"denied":        {present, source("", status.Error(codes.PermissionDenied, "no")), codes.PermissionDenied, "no"},
		"INVALID":       {present, source("", status.Error(codes.InvalidArgument, "x")), codes.Unauthenticated, "x"},
		"NOT_FOUND":     {present, source("", status.Error(codes.NotFound, "x")), codes.Unauthenticated, "x"},
		"EXISTS":        {present, source("", status.Error(codes.AlreadyExists, "x")), codes.Unauthenticated, "x"},
		"PRECONDITION":  {present, source("", status.Error(codes.FailedPrecondition, "x")), codes.Unauthenticated, "x"},
		"ABORTED":       {present, source("", status.Error(codes.Aborted, "x")), codes.Unauthenticated, "x"},
		"OUT_OF_RANGE":  {present, source("", status.Error(codes.OutOfRange, "x")), codes.Unauthenticated, "x"},
		"DATA_LOSS":     {present, source("", status.Error(codes.DataLoss, "x")), codes.Unauthenticated, "x"},
		"status OK":     {present, source("", okError{}), codes.Unauthenticated, "an error that says OK"},
		"value and err": {present, source("value", errors.New("stale")), codes.Unauthenticated, "stale"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := tableFor("test.v1.Service", headers(test.header))
			client := authimpl.NewClientInterceptor(table, nil, authimpl.Supply("x-s", "C.S", test.source))
			connection, _, served := open(t, table, client)
			for _, kind := range kinds {
				err := call(t.Context(), connection, table.Name, kind)
				if status.Code(err) != test.code || !strings.Contains(err.Error(), test.message) ||
					!strings.Contains(err.Error(), "/test.v1.Service/"+string(kind)) {
					t.Errorf("%s: got %v, want %v with the method and %q", kind, err, test.code, test.message)
				}
				if strings.Contains(err.Error(), "secret") {
					t.Errorf("%s: the error holds the value: %v", kind, err)
				}
			}
			if served.runs.Load() != 0 {
				t.Error("something was sent")
			}
		})
	}
}

// okError is an error whose status says OK.
type okError struct{}

func (okError) Error() string              { return "an error that says OK" }
func (okError) GRPCStatus() *status.Status { return status.New(codes.OK, "") }

func TestClientPassesOnEndedContexts(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(authimpl.Header{Name: "x-s", Present: authimpl.String}))
	ctx, cancel := context.WithCancel(t.Context())
	client := authimpl.NewClientInterceptor(table, nil, authimpl.Supply("x-s", "C.S",
		func(ctx context.Context, _ grpcauth.Call) (string, error) {
			cancel()
			<-ctx.Done()
			return "", errors.New("whatever")
		}))
	connection, _, served := open(t, table, client)
	if err := call(ctx, connection, table.Name, unary); status.Code(err) != codes.Canceled || served.runs.Load() != 0 {
		t.Errorf("got %v, handler ran %d times", err, served.runs.Load())
	}
}

// A header that this client has no source for may come from the caller; it is not replaced then.
func TestClientWithoutSourceLeavesTheCallersValue(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(authimpl.Header{Name: "x-s", Present: authimpl.String}))
	client := authimpl.NewClientInterceptor(table, nil, authimpl.Supply[string]("x-s", "C.S", nil))
	connection, seen, _ := open(t, table, client)
	for _, kind := range kinds {
		if err := call(sent(t, "X-S", "theirs"), connection, table.Name, kind); err != nil {
			t.Fatal(err)
		}
		checkArrived(t, string(kind), seen.got("/test.v1.Service/"+string(kind)), map[string][]string{"x-s": {"theirs"}})
	}
}

// A source is asked for each call, and told which one it is.
func TestSourceIsAskedForEachCall(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(authimpl.Header{Name: "x-i", Present: authimpl.Int64}))
	var asked []grpcauth.Call
	type key struct{}
	client := authimpl.NewClientInterceptor(table, nil, authimpl.Supply("x-i", "C.I",
		func(ctx context.Context, call grpcauth.Call) (int64, error) {
			if ctx.Value(key{}) != "of the call" {
				t.Error("the source was not given the call's context")
			}
			asked = append(asked, call)
			return int64(len(asked)), nil
		}))
	connection, seen, _ := open(t, table, client)
	for i, kind := range kinds {
		method := "/test.v1.Service/" + string(kind)
		if err := call(context.WithValue(t.Context(), key{}, "of the call"), connection, table.Name, kind); err != nil {
			t.Fatal(err)
		}
		if asked[i].FullMethod != method || asked[i].Header != "x-i" || asked[i].Scopes != nil || len(asked) != i+1 {
			t.Errorf("%s: asked %+v", kind, asked)
		}
		checkArrived(t, method, seen.got(method), map[string][]string{"x-i": {string(rune('1' + i))}})
	}
}

// Literals and plain values are no secrets: they travel on any transport.
func TestClientDemandsNoTransportSecurity(t *testing.T) {
	t.Parallel()
	var supplied map[string]string
	client := authimpl.NewClientInterceptor(guarded("test.v1.Service"), nil)
	err := client.UnaryInterceptor(t.Context(), "/test.v1.Service/Unary", nil, nil, nil,
		func(ctx context.Context, _ string, _, _ any, _ *grpc.ClientConn, opts ...grpc.CallOption) error {
			option, ok := opts[0].(grpc.PerRPCCredsCallOption)
			if !ok || option.Creds.RequireTransportSecurity() {
				t.Errorf("option %v", opts[0])
			}
			var err error
			supplied, err = option.Creds.GetRequestMetadata(ctx)
			return err
		})
	if err != nil || supplied["authorization"] != "42" || len(supplied) != 1 {
		t.Errorf("got %v, %v", supplied, err)
	}
}
