package grpcauth_test

import (
	"context"
	"reflect"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// tenants is a service whose unary method needs a tenant, whose streams need a literal, a region, nothing.
func tenants(name string) *authimpl.Service {
	table := tableFor(name, headers(authimpl.Header{Name: "x-tenant-id", Present: authimpl.Int64}))
	table.Methods[1].Headers = []authimpl.Header{{Name: "authorization", Equals: "42"}}
	table.Methods[2].Headers = []authimpl.Header{{Name: "x-region", In: []string{"eu", "us"}}}
	table.Methods[3] = authimpl.Method{FullMethod: table.Methods[3].FullMethod, Public: true}
	return table
}

func checkTenant(t *testing.T, ctx context.Context, table *authimpl.Service, want int64, wantOK bool) {
	t.Helper()
	if tenant, ok := authimpl.FromContext[int64](ctx, table, "x-tenant-id"); tenant != want || ok != wantOK {
		t.Errorf("tenant %d, %t; want %d, %t", tenant, ok, want, wantOK)
	}
}

func authorize(t *testing.T, ctx context.Context, table *authimpl.Service, kind kind) context.Context {
	t.Helper()
	admitted, err := authimpl.NewServerInterceptor(table, nil).Authorize(ctx, "/"+table.Name+"/"+string(kind))
	if err != nil {
		t.Fatal(err)
	}
	return admitted
}

// What arrives in metadata is no value until the check of that service has found it good, on this call.
func TestAccessorsKnowOnlyWhatWasChecked(t *testing.T) {
	t.Parallel()
	table, other := tenants("test.v1.Service"), tenants("other.v1.Service")
	ctx := arrived(t, "x-tenant-id", "7", "x-region", "eu", "authorization", "42")

	checkTenant(t, ctx, table, 0, false) // no check ran
	admitted := authorize(t, ctx, table, unary)
	checkTenant(t, admitted, table, 7, true)
	checkTenant(t, admitted, other, 0, false) // another service's check did not run
	if region, ok := authimpl.FromContext[string](admitted, table, "x-region"); ok {
		t.Errorf("region %q, although the method's rule does not mention it", region)
	}
	for _, kind := range []kind{serverStream, clientStream, bidi} { // rules without a tenant
		checkTenant(t, authorize(t, ctx, table, kind), table, 0, false)
	}
}

// A handler may call another method of its process through Authorize: the values of the outer call are
// not those of the inner one, and come back when it ends.
func TestAccessorsOfNestedCallsDoNotMix(t *testing.T) {
	t.Parallel()
	table, other := tenants("test.v1.Service"), tenants("other.v1.Service")
	outer := authorize(t, arrived(t, "x-tenant-id", "7"), table, unary)
	nested := func(pairs ...string) context.Context {
		return metadata.NewIncomingContext(outer, metadata.Pairs(pairs...))
	}
	checkTenant(t, authorize(t, nested("x-tenant-id", "8"), table, unary), table, 8, true)
	checkTenant(t, authorize(t, nested("authorization", "42"), table, serverStream), table, 0, false)
	checkTenant(t, authorize(t, nested("x-region", "eu"), table, clientStream), table, 0, false)
	checkTenant(t, authorize(t, nested(), table, bidi), table, 0, false)
	inner := authorize(t, nested("x-tenant-id", "9"), other, unary)
	checkTenant(t, inner, other, 9, true)
	checkTenant(t, inner, table, 7, true) // still inside the outer call
	checkTenant(t, outer, table, 7, true)
}

func TestAccessorsReturnBytesOfTheirOwn(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(authimpl.Header{Name: "x-bin", Present: authimpl.Bytes}))
	ctx := authorize(t, arrived(t, "x-bin", "abc"), table, unary)
	first, _ := authimpl.FromContext[[]byte](ctx, table, "x-bin")
	copy(first, "xyz")
	if second, ok := authimpl.FromContext[[]byte](ctx, table, "x-bin"); !ok || string(second) != "abc" {
		t.Errorf("a handler's change is seen by the next reader: %q, %t", second, ok)
	}
}

// Where nothing is passed on, handlers get the very context and stream that they would get without us.
func TestHandlersGetTheirOwnContextWhereNothingIsPassedOn(t *testing.T) {
	t.Parallel()
	table := tenants("test.v1.Service")
	interceptor := authimpl.NewServerInterceptor(table, nil)
	for _, test := range []struct {
		kind kind
		same bool
	}{{unary, false}, {serverStream, true}, {clientStream, false}, {bidi, true}} {
		ctx := arrived(t, "x-tenant-id", "7", "x-region", "eu", "authorization", "42")
		method := "/test.v1.Service/" + string(test.kind)

		_, err := interceptor.UnaryInterceptor(ctx, nil, &grpc.UnaryServerInfo{FullMethod: method},
			func(handlers context.Context, _ any) (any, error) {
				if (handlers == ctx) != test.same {
					t.Errorf("%s: same context: %t, want %t", method, handlers == ctx, test.same)
				}
				return struct{}{}, nil
			})
		if err != nil {
			t.Error(err)
		}

		stream := &fixedStream{ctx: ctx}
		err = interceptor.StreamInterceptor(nil, stream, &grpc.StreamServerInfo{FullMethod: method},
			func(_ any, handlers grpc.ServerStream) error {
				if (handlers == grpc.ServerStream(stream)) != test.same || (handlers.Context() == ctx) != test.same {
					t.Errorf("%s: same stream: %t, want %t", method, handlers == grpc.ServerStream(stream), test.same)
				}
				return nil
			})
		if err != nil {
			t.Error(err)
		}
	}
}

// fixedStream is a stream that has a context and nothing else.
type fixedStream struct {
	grpc.ServerStream

	ctx context.Context
}

func (s *fixedStream) Context() context.Context { return s.ctx }

// The interceptors hand on what is not theirs as it is: request, server, answer and error.
func TestInterceptorsHandOnEverythingElse(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(guarded("test.v1.Service"), nil)
	ctx := arrived(t, "authorization", "42")
	answer, err := interceptor.UnaryInterceptor(ctx, "request",
		&grpc.UnaryServerInfo{FullMethod: "/test.v1.Service/Unary"},
		func(_ context.Context, req any) (any, error) { return []any{req, "answer"}, errHandlers })
	if !reflect.DeepEqual(answer, []any{"request", "answer"}) || err != errHandlers { //nolint:errorlint // not wrapped
		t.Errorf("got %v, %v", answer, err)
	}
	err = interceptor.StreamInterceptor("server", &fixedStream{ctx: ctx},
		&grpc.StreamServerInfo{FullMethod: "/test.v1.Service/Bidi"},
		func(srv any, _ grpc.ServerStream) error {
			if srv != "server" {
				t.Errorf("server %v", srv)
			}
			return errHandlers
		})
	if err != errHandlers { //nolint:errorlint // not wrapped
		t.Errorf("got %v", err)
	}
}
