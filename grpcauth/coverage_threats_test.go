package grpcauth_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// guarded is a table that requires a header of every kind of method.
func guarded(name string) *authimpl.Service {
	return tableFor(name, headers(authimpl.Header{Name: "authorization", Equals: "42"}))
}

// oddPaths are spellings of a method's path that some router, somewhere, might take for it.
var oddPaths = []string{
	"test.v1.Service/Unary", "//test.v1.Service/Unary", "///test.v1.Service/Unary", "/test.v1.Service//Unary",
	"/test.v1.Service/Unary/", "/test.v1.Service/", "/test.v1.Service/unary", "/test.v1.Service/UNARY",
	"/TEST.V1.SERVICE/Unary", "/test.v1.service/Unary", "/test.v1.Service%2FUnary/x", "/test.v1.Service%2fUnary/x",
	"/test%2Ev1.Service/Unary", "/test%2ev1%2EService/Unary", "/%74est.v1.Service/Unary", "/%2574est.v1.Service/Unary",
	"/test.v1.Service/Un%61ry", "/test.v1.Service/Unary?x=1", "/test.v1.Service/Unary#x", "/x/test.v1.Service/Unary",
	"/./test.v1.Service/Unary", "/../test.v1.Service/Unary", "/test.v1.Service/../test.v1.Service/Unary",
	"/test.v1.Service/Unary;x", "/test.v1.Service/ Unary", "/test.v1.Service/Nothing", "/test.v1.Service?/Unary",
	"/test.v1.Service;x/Unary", "/%zz/test%2Ev1.Service/Unary", "/%252525252574est.v1.Service/Unary",
	"/%" + strings.Repeat("25", 100_000) + "74est.v1.Service/Unary", // a pass for each 25 would take hours
}

// Whatever the path, a call without the header reaches neither a handler nor the handler for unknown
// services: grpc, net/http or the interceptor refuses it before.
func TestT1_OddPathsReachNoHandler(t *testing.T) {
	t.Parallel()
	for _, install := range installs {
		for doorName, door := range rawDoors {
			for _, withUnknown := range []bool{false, true} {
				if withUnknown && install.name == "guard" {
					continue // documented: such a server needs ServerOptions
				}
				t.Run(fmt.Sprintf("%s/%s/unknown %t", install.name, doorName, withUnknown), func(t *testing.T) {
					t.Parallel()
					served := &service{name: "test.v1.Service"}
					var unknown atomic.Int64
					interceptor := authimpl.NewServerInterceptor(guarded(served.name), nil)
					options := install.options(interceptor)
					if withUnknown {
						options = append(options, grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
							unknown.Add(1)
							return nil
						}))
					}
					server := grpc.NewServer(options...)
					install.guard(interceptor, server).RegisterService(served.desc(), served)
					reached := door(t, server)
					for _, path := range append(oddPaths, "/test.v1.Service/Unary") {
						answer := reached.call(t, path)
						if served.runs.Load() != 0 || unknown.Load() != 0 || answer.fields["grpc-status"] == "0" {
							t.Fatalf("%.100q: %v; handler ran %d times, unknown handler %d times",
								path, answer, served.runs.Load(), unknown.Load())
						}
					}
					// The check is not what stops everything: the right call passes, by the same frames.
					answer := reached.call(t, "/test.v1.Service/Unary", field{Name: "authorization", Value: "42"})
					if answer.fields["grpc-status"] != "0" || served.runs.Load() != 1 {
						t.Errorf("the right call: %v, handler ran %d times", answer, served.runs.Load())
					}
					if withUnknown {
						reached.call(t, "/other.v1.Service/Unary")
						if unknown.Load() != 1 {
							t.Errorf("another service reached the unknown handler %d times, want once", unknown.Load())
						}
					}
				})
			}
		}
	}
}

// The interceptors' own decision about each path, which in the test above grpc often makes before them.
func TestT1_InterceptorsRefuseUnknownMethodsOfTheirService(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(guarded("test.v1.Service"), nil)
	for _, path := range oddPaths {
		err := unaryThrough(arrived(t, "authorization", "42"), interceptor, path)
		if status.Code(err) != codes.Unimplemented || status.Convert(err).Message() != "unknown method" {
			t.Errorf("%.100q: got %v, want UNIMPLEMENTED", path, err)
		}
	}
	for _, path := range []string{
		"/other.v1.Service/Unary", "/test.v1.ServiceX/Unary", "/xtest.v1.Service/Unary", "/test.v1/Service/Unary",
		"/other.v1.Service/test.v1.Service", "/grpc.health.v1.Health/Check", "/", "", "test.v1.Service",
	} {
		if err := unaryThrough(t.Context(), interceptor, path); err != nil {
			t.Errorf("%q: got %v, want the call to pass", path, err)
		}
	}
}

// That methods of other services passed makes no difference to paths that resemble them.
func TestT1_MethodsThatPassedOpenNoOthers(t *testing.T) {
	t.Parallel()
	for _, odd := range oddPaths {
		if len(odd) > 100 {
			continue
		}
		interceptor := authimpl.NewServerInterceptor(guarded("test.v1.Service"), nil)
		for at := range odd { // all that pass have the length of the path, so that some share its place
			foreign := strings.Repeat("x", at) + odd[at:at+1] + strings.Repeat("x", len(odd)-at-1)
			for range 2 {
				if err := unaryThrough(t.Context(), interceptor, foreign); err != nil && odd[at] != '%' {
					t.Errorf("%q: %v", foreign, err)
				}
			}
		}
		if err := unaryThrough(t.Context(), interceptor, odd); status.Code(err) != codes.Unimplemented {
			t.Errorf("%q: %v", odd, err)
		}
	}
}

// unaryThrough calls the unary interceptor as grpc does.
func unaryThrough(ctx context.Context, interceptor *grpcauth.ServerInterceptor, path string) error {
	_, err := interceptor.UnaryInterceptor(ctx, nil, &grpc.UnaryServerInfo{FullMethod: path},
		func(context.Context, any) (any, error) { return struct{}{}, nil })
	return err
}

func TestDenyUnlisted(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(guarded("test.v1.Service"), []grpcauth.ServerOption{
		grpcauth.DenyUnlisted("grpc.health.v1.Health", "other.v1.Service"),
	})
	for path, passes := range map[string]bool{
		"/grpc.health.v1.Health/Check": true, "/other.v1.Service/Any": true, "/test.v1.Service/Unary": true,
		"/third.v1.Service/Any": false, "/other.v1.service/Any": false, "other.v1.Service/Any": false,
		"//other.v1.Service/Any": false, "/other.v1.Service/": false, "/other.v1.Service": false,
		"/other.v1.Service/Any/More": false, "/": false, "": false, "/test.v1.Service/Nothing": false,
	} {
		err := unaryThrough(arrived(t, "authorization", "42"), interceptor, path)
		if (err == nil) != passes || (!passes && status.Code(err) != codes.Unimplemented) {
			t.Errorf("%q: got %v; should it pass: %t", path, err, passes)
		}
	}
	both := authimpl.NewServerInterceptor(guarded("test.v1.Service"), []grpcauth.ServerOption{
		grpcauth.DenyUnlisted("a.v1.A"), grpcauth.DenyUnlisted("b.v1.B"),
	})
	for path, want := range map[string]codes.Code{"/a.v1.A/Any": codes.OK, "/b.v1.B/Any": codes.OK, "/c.v1.C/Any": codes.Unimplemented} {
		if err := unaryThrough(t.Context(), both, path); status.Code(err) != want {
			t.Errorf("said twice, %s: got %v", path, err)
		}
	}
	for _, name := range []string{"", "/grpc.health.v1.Health", "grpc.health.v1.Health/Check", "a b"} {
		mustPanic(t, "full service names", func() { grpcauth.DenyUnlisted(name) })
	}
}

// mustPanic checks that f panics with a text that contains what is wanted.
func mustPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
			t.Errorf("panics with %q, want %q", got, want)
		}
	}()
	f()
}

func TestT2_OneCallCoversAllFourKinds(t *testing.T) {
	t.Parallel()
	for _, install := range installs {
		t.Run(install.name, func(t *testing.T) {
			t.Parallel()
			served := &service{name: "test.v1.Service"}
			connection := install.start(t, loopback, authimpl.NewServerInterceptor(guarded(served.name), nil), served)
			for _, kind := range kinds {
				if err := call(t.Context(), connection, served.name, kind); status.Code(err) != refusal.Code {
					t.Errorf("%s without the header: %v", kind, err)
				}
				if err := call(sent(t, "authorization", "42"), connection, served.name, kind); err != nil {
					t.Errorf("%s with the header: %v", kind, err)
				}
			}
			if served.runs.Load() != int64(len(kinds)) {
				t.Errorf("handlers ran %d times, want once for each accepted call", served.runs.Load())
			}
		})
	}
}

// bare is a hand-made description of a stream that sets neither direction.
func bare(handled *atomic.Int64) *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: "test.v1.Service", HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{
			StreamName: string(unary), Handler: func(_ any, stream grpc.ServerStream) error {
				handled.Add(1)
				return stream.SendMsg(&emptypb.Empty{})
			},
		}},
	}
}

func TestT3_GuardRefusesStreamsWithoutDirection(t *testing.T) {
	t.Parallel()
	guard := authimpl.NewServerInterceptor(guarded("test.v1.Service"), nil).Guard(grpc.NewServer())
	mustPanic(t, `stream "Unary" of service "test.v1.Service" sets neither ClientStreams nor ServerStreams`, func() {
		guard.RegisterService(bare(&atomic.Int64{}), nil)
	})
}

// Why Guard refuses them: grpc calls no interceptor. If this fails, grpc has changed, and so may README.
func TestT3_GrpcLetsStreamsWithoutDirectionPastInterceptors(t *testing.T) {
	t.Parallel()
	var handled atomic.Int64
	server := grpc.NewServer(authimpl.NewServerInterceptor(guarded("test.v1.Service"), nil).ServerOptions()...)
	server.RegisterService(bare(&handled), nil)
	connection := loopback(t, server)
	if err := call(t.Context(), connection, "test.v1.Service", unary); err != nil || handled.Load() != 1 {
		t.Errorf("got %v, handler ran %d times", err, handled.Load())
	}
}

func TestT5_GuardRefusesServicesNewerThanTheirRules(t *testing.T) {
	t.Parallel()
	for _, missing := range []kind{unary, bidi} {
		table := &authimpl.Service{Name: "test.v1.Service"}
		for _, method := range guarded("test.v1.Service").Methods {
			if !strings.HasSuffix(method.FullMethod, "/"+string(missing)) {
				table.Methods = append(table.Methods, method)
			}
		}
		server := grpc.NewServer()
		guard := authimpl.NewServerInterceptor(table, nil).Guard(server)
		served := &service{name: "test.v1.Service"}
		mustPanic(t, fmt.Sprintf(`method %q of service "test.v1.Service" has no rule in the generated code`, missing), func() {
			guard.RegisterService(served.desc(), served)
		})
		if len(server.GetServiceInfo()) != 0 {
			t.Error("the service was registered all the same")
		}
	}
}

func TestT5_GuardRefusesServicesWithoutRules(t *testing.T) {
	t.Parallel()
	served := &service{name: "other.v1.Service"}
	guard := authimpl.NewServerInterceptor(guarded("test.v1.Service"), nil).Guard(grpc.NewServer())
	mustPanic(t, `has rules for ["test.v1.Service"] and none for service "other.v1.Service"`, func() {
		guard.RegisterService(served.desc(), served)
	})
}

// In interceptor mode, a method that the generated code does not know yet is refused.
func TestT5_InterceptorsRefuseMethodsNewerThanTheirRules(t *testing.T) {
	t.Parallel()
	table := guarded("test.v1.Service")
	table.Methods = table.Methods[:1]
	served := &service{name: table.Name}
	connection := installs[0].start(t, loopback, authimpl.NewServerInterceptor(table, nil), served)
	for _, kind := range kinds[1:] {
		err := call(sent(t, "authorization", "42"), connection, table.Name, kind)
		if status.Code(err) != codes.Unimplemented || served.runs.Load() != 0 {
			t.Errorf("%s: got %v, handlers ran %d times", kind, err, served.runs.Load())
		}
	}
}

func TestT8_InterceptorsWithoutRulesAreClosed(t *testing.T) {
	t.Parallel()
	for name, interceptor := range map[string]*grpcauth.ServerInterceptor{"nil": nil, "zero": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const want = "grpcauth: this ServerInterceptor holds no rules: make it with the generated New...ServerInterceptor"
			mustPanic(t, want, func() { interceptor.ServerOptions() })
			mustPanic(t, want, func() { interceptor.Guard(grpc.NewServer()) })
			if err := unaryThrough(t.Context(), interceptor, "/any.Service/Method"); status.Code(err) != codes.Internal {
				t.Errorf("the unary interceptor: %v", err)
			}
			err := interceptor.StreamInterceptor(nil, &contextStream{ctx: t.Context()},
				&grpc.StreamServerInfo{FullMethod: "/any.Service/Method"}, func(any, grpc.ServerStream) error { return nil })
			if status.Code(err) != codes.Internal {
				t.Errorf("the stream interceptor: %v", err)
			}
			if ctx, err := interceptor.Authorize(t.Context(), "/any.Service/Method"); status.Code(err) != codes.Internal || ctx != nil {
				t.Errorf("Authorize: %v, %v", ctx, err)
			}
		})
	}
	mustPanic(t, "Guard needs a grpc.ServiceRegistrar", func() {
		authimpl.NewServerInterceptor(guarded("test.v1.Service"), nil).Guard(nil)
	})
}

// contextStream is as much of a server stream as the interceptor looks at.
type contextStream struct {
	grpc.ServerStream

	ctx context.Context
}

func (s *contextStream) Context() context.Context { return s.ctx }

// A table that could not be enforced, such as one made for a later runtime, stops the program at start.
func TestT8_TablesThatCannotBeEnforcedPanic(t *testing.T) {
	t.Parallel()
	const full = "/test.v1.Service/Unary"
	denial := authimpl.Denial{Code: codes.Unauthenticated}
	one := func(header authimpl.Header) []authimpl.Method {
		return []authimpl.Method{{FullMethod: full, Headers: []authimpl.Header{header}, Denial: denial}}
	}
	right := authimpl.Header{Name: "x-a", Equals: "1"}
	for name, test := range map[string]struct {
		methods []authimpl.Method
		want    string
	}{
		"nothing set":       {[]authimpl.Method{{FullMethod: full}}, "exactly one of Public, GuardedBy and a requirement must be set, not 0"},
		"public and header": {[]authimpl.Method{{FullMethod: full, Public: true, Headers: []authimpl.Header{right}, Denial: denial}}, "not 2"},
		"public and guard":  {[]authimpl.Method{{FullMethod: full, Public: true, GuardedBy: "x"}}, "not 2"},
		"code OK":           {[]authimpl.Method{{FullMethod: full, Headers: []authimpl.Header{right}}}, "must not have the code OK"},
		"no check":          {one(authimpl.Header{Name: "x-a"}), `header "x-a": exactly one check must be set, not 0`},
		"two checks":        {one(authimpl.Header{Name: "x-a", Equals: "1", Present: authimpl.String}), "not 2"},
		"equals and in":     {one(authimpl.Header{Name: "x-a", Equals: "1", In: []string{"1"}}), "not 2"},
		"empty literal":     {one(authimpl.Header{Name: "x-a", In: []string{"1", ""}}), "a literal must not be empty"},
		"unknown type":      {one(authimpl.Header{Name: "x-a", Present: authimpl.Bytes + 1}), "unknown type 6"},
		"upper case":        {one(authimpl.Header{Name: "X-A", Equals: "1"}), `header "X-A": the name must be in lower case`},
		"no name":           {one(authimpl.Header{Equals: "1"}), `header "": the name must be in lower case`},
		"header twice": {[]authimpl.Method{{
			FullMethod: full, Headers: []authimpl.Header{right, right}, Denial: denial,
		}}, `header "x-a" is required twice`},
		"bearer and verify":     {one(authimpl.Header{Name: "x-a", Bearer: true, Verify: authimpl.String}), "not 2"},
		"present and verify":    {one(authimpl.Header{Name: "x-a", Present: authimpl.Int64, Verify: authimpl.Int64}), "not 2"},
		"unknown verified type": {one(authimpl.Header{Name: "x-a", Verify: authimpl.Bytes + 1}), "unknown type 6"},
		"scheme of a bearer":    {one(authimpl.Header{Name: "x-a", Bearer: true, Scheme: "DPoP"}), "a scheme only goes with Verify"},
		"scopes of a literal":   {one(authimpl.Header{Name: "x-a", Equals: "1", Scopes: []string{"a"}}), "scopes only go with Bearer and Verify"},
		"scopes of Basic":       {one(authimpl.Header{Name: "x-a", Basic: true, Scopes: []string{"a"}}), "scopes only go with Bearer and Verify"},
		"only optional":         {one(authimpl.Header{Name: "x-a", Equals: "1", Optional: true}), "a requirement must be set, not 0"},
		"public and any_of":     {[]authimpl.Method{{FullMethod: full, Public: true, AnyOf: [][]authimpl.Header{{right}}, Denial: denial}}, "not 2"},
		"guard and any_of":      {[]authimpl.Method{{FullMethod: full, GuardedBy: "x", AnyOf: [][]authimpl.Header{{right}}, Denial: denial}}, "not 2"},
		"guard and optional": {[]authimpl.Method{{
			FullMethod: full, GuardedBy: "x", Headers: []authimpl.Header{optional(right)}, Denial: denial,
		}}, "nothing is checked beside GuardedBy, but Headers are set"},
		"code OK, optional": {[]authimpl.Method{{
			FullMethod: full, Public: true, Headers: []authimpl.Header{optional(right)},
		}}, "must not have the code OK"},
		"empty alternative":        {[]authimpl.Method{{FullMethod: full, AnyOf: [][]authimpl.Header{{right}, {}}, Denial: denial}}, "alternative 1: must require something"},
		"optional in alternative":  {[]authimpl.Method{{FullMethod: full, AnyOf: [][]authimpl.Header{{optional(right)}}, Denial: denial}}, `alternative 0: header "x-a": must not be optional`},
		"no check in alternative":  {[]authimpl.Method{{FullMethod: full, AnyOf: [][]authimpl.Header{{{Name: "x-a"}}}, Denial: denial}}, `alternative 0: header "x-a": exactly one check`},
		"twice in one alternative": {[]authimpl.Method{{FullMethod: full, AnyOf: [][]authimpl.Header{{right, right}}, Denial: denial}}, `alternative 0: header "x-a" is required twice`},
		"beside an alternative": {[]authimpl.Method{{
			FullMethod: full, Headers: []authimpl.Header{right}, AnyOf: [][]authimpl.Header{{right}}, Denial: denial,
		}}, `alternative 0: header "x-a" is required twice`},
		"method twice":   {append(one(right), one(right)...), `method "/test.v1.Service/Unary" is listed twice`},
		"other service":  {[]authimpl.Method{{FullMethod: "/other.v1.Service/Unary", Public: true}}, `is no method of service "test.v1.Service"`},
		"no method name": {[]authimpl.Method{{FullMethod: "/test.v1.Service/", Public: true}}, "is no method of service"},
		"odd method":     {[]authimpl.Method{{FullMethod: "/test.v1.Service/a/b", Public: true}}, "is no method of service"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := &authimpl.Service{Name: "test.v1.Service", Methods: test.methods}
			for _, construct := range []func(){
				func() { authimpl.NewServerInterceptor(table, nil) },
				func() { authimpl.NewClientInterceptor(table, nil) },
			} {
				mustPanic(t, `grpcauth: service "test.v1.Service": method "`+test.methods[0].FullMethod+`"`, construct)
				mustPanic(t, test.want, construct)
			}
		})
	}
	mustPanic(t, "is not a full name", func() { authimpl.NewServerInterceptor(&authimpl.Service{}, nil) })
	mustPanic(t, "is not a full name", func() { authimpl.NewServerInterceptor(&authimpl.Service{Name: "a/b"}, nil) })
}

func TestT9_PublicDropsOnlyItsOwnMethodsRule(t *testing.T) {
	t.Parallel()
	for _, install := range installs {
		table := guarded("test.v1.Service")
		table.Methods[1] = authimpl.Method{FullMethod: table.Methods[1].FullMethod, Public: true}
		served := &service{name: table.Name}
		connection := install.start(t, loopback, authimpl.NewServerInterceptor(table, nil), served)
		for i, kind := range kinds {
			err := call(t.Context(), connection, table.Name, kind)
			if open := i == 1; open != (err == nil) {
				t.Errorf("%s: %s without the header: %v", install.name, kind, err)
			}
		}
	}
}
