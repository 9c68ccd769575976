package grpcauth_test

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// named is a table with one literal header, whose value is the service's name.
func named(service string) *authimpl.Service {
	return tableFor(service, headers(authimpl.Header{Name: "x-" + strings.ToLower(service[:1]), Equals: service}))
}

// One merged interceptor on each end serves several services, by both ways of installing it, also merged
// from merged ones; health beside them stays as it was.
func TestMergedInterceptorsServeEachService(t *testing.T) {
	t.Parallel()
	tables := []*authimpl.Service{named("a.v1.A"), named("b.v1.B"), named("c.v1.C")}
	var servers []*grpcauth.ServerInterceptor
	var clients []*grpcauth.ClientInterceptor
	decisions := make([]recordedDecisions, len(tables))
	for i, table := range tables {
		servers = append(servers, authimpl.NewServerInterceptor(table, []grpcauth.ServerOption{grpcauth.OnDecision(decisions[i].record)}))
		clients = append(clients, authimpl.NewClientInterceptor(table, nil))
	}
	merged := grpcauth.MergeServerInterceptors(grpcauth.MergeServerInterceptors(servers[0], servers[1]), servers[2])
	client := grpcauth.MergeClientInterceptors(clients[0], grpcauth.MergeClientInterceptors(clients[1:]...))
	for _, install := range installs {
		seen := &recorder{}
		server := grpc.NewServer(append(seen.options(), install.options(merged)...)...)
		served := make([]*service, len(tables))
		for i, table := range tables {
			served[i] = &service{name: table.Name}
			install.guard(merged, server).RegisterService(served[i].desc(), served[i])
		}
		healthv1.RegisterHealthServer(server, health.NewServer())
		with := loopback(t, server, client.DialOptions()...)
		without, err := grpc.NewClient(with.Target(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { without.Close() })
		for i, table := range tables {
			for _, kind := range kinds {
				if err := call(t.Context(), with, table.Name, kind); err != nil {
					t.Errorf("%s: %s of %s: %v", install.name, kind, table.Name, err)
				}
				want := map[string][]string{"x-a": nil, "x-b": nil, "x-c": nil}
				want["x-"+strings.ToLower(table.Name[:1])] = []string{table.Name}
				if install.name == "interceptors" || kind != unary {
					checkArrived(t, table.Name, seen.got("/"+table.Name+"/"+string(kind)), want)
				}
				if err := call(t.Context(), without, table.Name, kind); status.Code(err) != refusal.Code {
					t.Errorf("%s: %s of %s without the header: %v", install.name, kind, table.Name, err)
				}
				if list := decisions[i].take(); len(list) != 2 || list[0].Reason != grpcauth.Allowed || list[1].Reason != grpcauth.Missing {
					t.Errorf("%s: %s of %s: decided %+v", install.name, kind, table.Name, list)
				}
			}
			if served[i].runs.Load() != int64(len(kinds)) {
				t.Errorf("%s: %d handlers of %s ran", install.name, served[i].runs.Load(), table.Name)
			}
		}
		if _, err := healthv1.NewHealthClient(without).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
			t.Error(err)
		}
	}
	for i := range decisions {
		if list := decisions[i].take(); len(list) != 0 {
			t.Errorf("service %d was told of %+v", i, list)
		}
	}
}

func TestMergedInterceptorsKeepHooksAndLimitsApart(t *testing.T) {
	t.Parallel()
	var strict, shadow recordedDecisions
	present := func(service string) *authimpl.Service {
		return tableFor(service, headers(authimpl.Header{Name: "x-s", Present: authimpl.String}))
	}
	merged := grpcauth.MergeServerInterceptors(
		authimpl.NewServerInterceptor(present("a.v1.Strict"), []grpcauth.ServerOption{
			grpcauth.OnDecision(strict.record), grpcauth.MaxValueBytes(4),
		}),
		authimpl.NewServerInterceptor(present("b.v1.Shadow"), []grpcauth.ServerOption{grpcauth.ReportOnly(shadow.record)}),
	)
	for _, test := range []struct {
		method string
		value  string
		code   codes.Code
		told   *recordedDecisions
		reason grpcauth.Reason
	}{
		{"/a.v1.Strict/Unary", "four", codes.OK, &strict, grpcauth.Allowed},
		{"/a.v1.Strict/Unary", "fiver", refusal.Code, &strict, grpcauth.Malformed},
		{"/b.v1.Shadow/Unary", "fiver", codes.OK, &shadow, grpcauth.Allowed},
		{"/b.v1.Shadow/Unary", "", codes.OK, &shadow, grpcauth.Malformed},
		{"/a.v1.Strict/New", "four", codes.Unimplemented, &strict, grpcauth.Unlisted},
		{"/b.v1.Shadow/New", "four", codes.OK, &shadow, grpcauth.Unlisted},
		{"/%zz", "four", codes.Unimplemented, &strict, grpcauth.Unlisted}, // could be either's: the strict one decides
	} {
		err := unaryThrough(arrived(t, "x-s", test.value), merged, test.method)
		if status.Code(err) != test.code {
			t.Errorf("%s %q: %v, want %v", test.method, test.value, err, test.code)
		}
		if last := test.told.last(t); last.Reason != test.reason || last.FullMethod != test.method {
			t.Errorf("%s %q: decided %+v, want %v", test.method, test.value, last, test.reason)
		}
		if others := append(strict.take(), shadow.take()...); len(others) != 0 {
			t.Errorf("%s %q: told another service, too: %+v", test.method, test.value, others)
		}
	}
}

func TestMergedDenyUnlistedCoversTheUnion(t *testing.T) {
	t.Parallel()
	const healthCheck = "/grpc.health.v1.Health/Check"
	made := func(service string, options ...grpcauth.ServerOption) *grpcauth.ServerInterceptor {
		return authimpl.NewServerInterceptor(named(service), options)
	}
	for name, test := range map[string]struct {
		merged  *grpcauth.ServerInterceptor
		health  codes.Code
		another codes.Code
	}{
		"none": {grpcauth.MergeServerInterceptors(made("a.v1.A"), made("b.v1.B")), codes.OK, codes.OK},
		"the first": {
			grpcauth.MergeServerInterceptors(made("a.v1.A", grpcauth.DenyUnlisted()), made("b.v1.B")),
			codes.Unimplemented, codes.Unimplemented,
		},
		"the second": {
			grpcauth.MergeServerInterceptors(made("a.v1.A"), made("b.v1.B", grpcauth.DenyUnlisted("grpc.health.v1.Health"))),
			codes.OK, codes.Unimplemented,
		},
		"both, with the same exception": {
			grpcauth.MergeServerInterceptors(
				made("a.v1.A", grpcauth.DenyUnlisted("grpc.health.v1.Health")), made("b.v1.B", grpcauth.DenyUnlisted("grpc.health.v1.Health"))),
			codes.OK, codes.Unimplemented,
		},
		"both, one without exception": {
			grpcauth.MergeServerInterceptors(
				made("a.v1.A", grpcauth.DenyUnlisted("grpc.health.v1.Health")), made("b.v1.B", grpcauth.DenyUnlisted())),
			codes.Unimplemented, codes.Unimplemented,
		},
		"one in shadow mode": {
			grpcauth.MergeServerInterceptors(
				made("a.v1.A", grpcauth.DenyUnlisted(), grpcauth.ReportOnly(func(context.Context, grpcauth.Decision) {})), made("b.v1.B")),
			codes.OK, codes.OK,
		},
		"one in shadow mode, one not": {
			grpcauth.MergeServerInterceptors(
				made("a.v1.A", grpcauth.DenyUnlisted(), grpcauth.ReportOnly(func(context.Context, grpcauth.Decision) {})), made("b.v1.B", grpcauth.DenyUnlisted())),
			codes.Unimplemented, codes.Unimplemented,
		},
	} {
		for path, want := range map[string]codes.Code{healthCheck: test.health, "/other.v1.Other/Any": test.another} {
			if err := unaryThrough(t.Context(), test.merged, path); status.Code(err) != want {
				t.Errorf("%s: %s: %v, want %v", name, path, err, want)
			}
		}
		for _, service := range []string{"a.v1.A", "b.v1.B"} {
			if err := unaryThrough(arrived(t, "x-"+service[:1], service), test.merged, "/"+service+"/Unary"); err != nil {
				t.Errorf("%s: %s: %v", name, service, err)
			}
		}
		if _, err := test.merged.Authorize(t.Context(), healthCheck); status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: Authorize answers for what it has no rule for: %v", name, err)
		}
	}
}

func TestMergingWhatCannotBeMergedPanics(t *testing.T) {
	t.Parallel()
	server := func() *grpcauth.ServerInterceptor { return authimpl.NewServerInterceptor(named("a.v1.A"), nil) }
	client := func() *grpcauth.ClientInterceptor { return authimpl.NewClientInterceptor(named("a.v1.A"), nil) }
	for want, merge := range map[string]func(){
		`grpcauth: service "a.v1.A": option 2 is nil`: func() {
			authimpl.NewServerInterceptor(named("a.v1.A"), []grpcauth.ServerOption{grpcauth.MaxValueBytes(1), nil})
		},
		`service "a.v1.A": option 1 is nil`:                func() { authimpl.NewClientInterceptor(named("a.v1.A"), []grpcauth.ClientOption{nil}) },
		"this ClientInterceptor supplies nothing: make it": func() { (&grpcauth.ClientInterceptor{}).DialOptions() },
		`none for service "empty.v1.Empty"`: func() {
			server().Guard(grpc.NewServer()).RegisterService(&grpc.ServiceDesc{ServiceName: "empty.v1.Empty"}, nil)
		},
		"MergeServerInterceptors needs at least one interceptor":                 func() { grpcauth.MergeServerInterceptors() },
		"MergeClientInterceptors needs at least one interceptor":                 func() { grpcauth.MergeClientInterceptors() },
		"this ServerInterceptor holds no rules":                                  func() { grpcauth.MergeServerInterceptors(server(), nil) },
		"this ServerInterceptor holds no rules: make it with the generated":      func() { grpcauth.MergeServerInterceptors(&grpcauth.ServerInterceptor{}) },
		"this ClientInterceptor supplies nothing":                                func() { grpcauth.MergeClientInterceptors(client(), nil) },
		"this ClientInterceptor supplies nothing: make it with the generated":    func() { grpcauth.MergeClientInterceptors(&grpcauth.ClientInterceptor{}) },
		`service "a.v1.A" is in two of the interceptors to merge`:                func() { grpcauth.MergeServerInterceptors(server(), server()) },
		`grpcauth: service "a.v1.A" is in two of the interceptors to merge`:      func() { grpcauth.MergeClientInterceptors(client(), client()) },
		"MaxValueBytes needs a positive number of bytes, not 0":                  func() { grpcauth.MaxValueBytes(0) },
		`DenyUnlisted takes full service names such as "grpc.health.v1.Health",`: func() { grpcauth.DenyUnlisted("/grpc.health.v1.Health/") },
	} {
		mustPanic(t, want, merge)
	}
}
