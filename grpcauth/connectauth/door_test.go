package connectauth_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// account is the principal of these tests.
type account string

var errBadToken = errors.New("canary: the verifier's own text")

// bearer is a rule with a bearer token that must grant a scope, and a typed value.
func bearer() authimpl.Method {
	return authimpl.Method{
		Headers: []authimpl.Header{
			{Name: "x-tenant", Present: authimpl.Int64},
			{Name: "authorization", Bearer: true, Scopes: []string{"read"}},
		},
		Denial: authimpl.Denial{Code: codes.Unauthenticated, Message: "Access denied!"},
	}
}

// verify knows some tokens.
func verify(ctx context.Context, _ grpcauth.Call, token grpcauth.Secret) (context.Context, error) {
	switch token.Reveal() {
	case "ann":
		return grpcauth.WithGrantedScopes(grpcauth.WithPrincipal(ctx, account("Ann")), "read"), nil
	case "no scope":
		return ctx, nil
	case "down":
		return nil, grpcauth.Unavailable(errBadToken)
	case "denied":
		return nil, grpcauth.Deny(codes.NotFound, "in the verifier's own words")
	case "bug":
		panic("canary")
	case "expired":
		return grpcauth.WithGrantedScopes(grpcauth.WithExpiry(ctx, time.Now().Add(-time.Hour)), "read"), nil
	case "hour":
		return grpcauth.WithGrantedScopes(grpcauth.WithExpiry(ctx, time.Now().Add(time.Hour)), "read"), nil
	case "waits":
		<-ctx.Done()
		return nil, ctx.Err()
	default:
		return nil, errBadToken
	}
}

func verifier() authimpl.Verifier { return authimpl.VerifyBearer("authorization", verify) }

// decisions collects what a hook is told.
type decisions struct {
	mutex sync.Mutex
	list  []grpcauth.Decision
}

func (d *decisions) record(_ context.Context, decision grpcauth.Decision) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.list = append(d.list, decision)
}

// take returns the one decision that was made since the last time.
func (d *decisions) take(t *testing.T) grpcauth.Decision {
	t.Helper()
	d.mutex.Lock()
	defer d.mutex.Unlock()
	taken := d.list
	d.list = nil
	if len(taken) != 1 {
		t.Errorf("%d decisions, want one: %v", len(taken), taken)
		return grpcauth.Decision{}
	}
	return taken[0]
}

// Verifiers, principals, scopes, values and decisions are the same as at grpc's doors.
func TestVerifiersAndWhatHandlersFind(t *testing.T) {
	table := tableFor(bearer())
	var who account
	var tenant int64
	var known, valued bool
	s := &service{handled: func(ctx context.Context) error {
		who, known = grpcauth.Principal[account](ctx)
		tenant, valued = authimpl.FromContext[int64](ctx, table, "x-tenant")
		return nil
	}}
	var seen decisions
	interceptor := authimpl.NewServerInterceptor(table, []grpcauth.ServerOption{grpcauth.OnDecision(seen.record)}, verifier())
	everyCall(t, interceptor, s, func(t *testing.T, server *served, p protocol, k kind) {
		t.Helper()
		for _, c := range []struct {
			token  string
			reason grpcauth.Reason
			code   connect.Code
			text   string
		}{
			{"unknown", grpcauth.Refused, connect.CodeUnauthenticated, "Access denied!"},
			{"a,b", grpcauth.Malformed, connect.CodeUnauthenticated, "Access denied!"},
			{"no_scope", grpcauth.Refused, connect.CodeUnauthenticated, "Access denied!"},
			{"down", grpcauth.VerifierFailed, connect.CodeUnavailable, "the credential could not be verified"},
			{"denied", grpcauth.Refused, connect.CodeNotFound, "in the verifier's own words"},
			{"bug", grpcauth.VerifierFailed, connect.CodeInternal, "access control failed"},
			{"expired", grpcauth.Refused, connect.CodeUnauthenticated, "Access denied!"},
		} {
			header := http.Header{"X-Tenant": {"7"}, "Authorization": {"Bearer " + c.token}}
			wantError(t, server.call(t.Context(), p, k, header), c.code, c.text)
			decision := seen.take(t)
			if decision.Reason != c.reason || decision.Code != codes.Code(c.code) || decision.Header != "authorization" ||
				decision.FullMethod != methodOf(k) {
				t.Errorf("%s: decision %+v", c.token, decision)
			}
		}
		who, known, tenant, valued = "", false, 0, false
		header := http.Header{"X-Tenant": {"-7"}, "Authorization": {"bearer ann"}}
		if err := server.call(t.Context(), p, k, header); err != nil || !known || who != "Ann" || !valued || tenant != -7 {
			t.Errorf("got %v, principal %q %v, tenant %d %v", err, who, known, tenant, valued)
		}
		if decision := seen.take(t); decision.Reason != grpcauth.Allowed || decision.Code != codes.OK {
			t.Errorf("decision %+v", decision)
		}
	})
}

// A verifier that has no answer before the caller's deadline is not waited for.
func TestVerifiersSeeTheCallersDeadline(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(tableFor(bearer()), nil, verifier())
	for _, install := range installs {
		for _, wire := range []wire{http1, h2} {
			server := wire.serve(t, install.handler(interceptor, &service{}))
			for _, p := range protocols {
				for _, k := range kinds {
					if !wire.carries(p, k) {
						continue
					}
					ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
					err := server.call(ctx, p, k, http.Header{"X-Tenant": {"7"}, "Authorization": {"Bearer waits"}})
					cancel()
					if connect.CodeOf(err) != connect.CodeDeadlineExceeded {
						t.Errorf("%s %s %s %s: got %v", install.name, wire.name, p.name, k, err)
					}
				}
			}
		}
	}
}

// Shadow mode reports and lets pass, here, too.
func TestReportOnly(t *testing.T) {
	var seen decisions
	known := true
	s := &service{handled: func(ctx context.Context) error {
		_, known = grpcauth.Principal[account](ctx)
		return nil
	}}
	interceptor := authimpl.NewServerInterceptor(tableFor(bearer()), []grpcauth.ServerOption{grpcauth.ReportOnly(seen.record)}, verifier())
	everyCall(t, interceptor, s, func(t *testing.T, server *served, p protocol, k kind) {
		t.Helper()
		err := server.call(t.Context(), p, k, http.Header{"X-Tenant": {"7"}, "Authorization": {"Bearer expired"}})
		if decision := seen.take(t); err != nil || known || decision.Reason != grpcauth.Refused {
			t.Errorf("got %v, principal %v, decision %+v", err, known, decision)
		}
	})
}

// Methods without a rule: of a service with rules, and of others.
func TestUnlistedMethods(t *testing.T) {
	t.Parallel()
	rule := headers(authimpl.Header{Name: "x-key", Equals: "42"})
	stale := &authimpl.Service{Name: serviceName, Methods: []authimpl.Method{rule}}
	stale.Methods[0].FullMethod = "/" + serviceName + "/Removed"
	other := &authimpl.Service{Name: "other.v1.Other", Methods: []authimpl.Method{rule}}
	other.Methods[0].FullMethod = "/other.v1.Other/Method"
	for _, c := range []struct {
		name    string
		table   *authimpl.Service
		options []grpcauth.ServerOption
		passes  bool
	}{
		{"of a service with rules", stale, nil, false},
		{"of a service without", other, nil, true},
		{"of a service without, denied", other, []grpcauth.ServerOption{grpcauth.DenyUnlisted()}, false},
		{"of a service without, excepted", other, []grpcauth.ServerOption{grpcauth.DenyUnlisted(serviceName)}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var seen decisions
			interceptor := authimpl.NewServerInterceptor(c.table, append(c.options, grpcauth.OnDecision(seen.record)))
			everyCall(t, interceptor, &service{}, func(t *testing.T, server *served, p protocol, k kind) {
				t.Helper()
				err := server.call(t.Context(), p, k, http.Header{"X-Key": {"42"}})
				if c.passes {
					if err != nil || len(seen.list) > 0 {
						t.Errorf("got %v and decisions %v", err, seen.list)
					}
					return
				}
				wantError(t, err, connect.CodeUnimplemented, "unknown method")
				if decision := seen.take(t); decision.Reason != grpcauth.Unlisted || decision.FullMethod != methodOf(k) {
					t.Errorf("decision %+v", decision)
				}
			})
		})
	}
}

// In shadow mode, a path that only somebody else could take for a method is reported once, and passes.
func TestReportOnlyOfUnlistedPaths(t *testing.T) {
	t.Parallel()
	var seen decisions
	interceptor := authimpl.NewServerInterceptor(tableFor(bearer()), []grpcauth.ServerOption{
		grpcauth.ReportOnly(seen.record), grpcauth.DenyUnlisted(),
	}, verifier())
	server := http1.serve(t, connectauth.NewMiddleware(interceptor)(http.NotFoundHandler()))
	for _, path := range []string{"/other.v1.Other/A", "/door.v1.Door/Unknown", "/a%2Fdoor.v1.Door%2FUnary"} {
		if status := rawHTTP1(t, server, "POST "+path); status != http.StatusNotFound {
			t.Errorf("%s: got %d", path, status)
		}
		if decision := seen.take(t); decision.Reason != grpcauth.Unlisted {
			t.Errorf("%s: decision %+v", path, decision)
		}
	}
}

// What cannot be enforced does not start.
func TestMisuseOfTheDoorPanics(t *testing.T) {
	t.Parallel()
	made := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	for name, misuse := range map[string]func(){
		"the middleware of nil":                 func() { connectauth.NewMiddleware(nil) },
		"the middleware of a zero value":        func() { connectauth.NewMiddleware(&grpcauth.ServerInterceptor{}) },
		"the middleware of nothing":             func() { connectauth.NewMiddleware(made)(nil) },
		"the interceptor of nil":                func() { connectauth.NewInterceptor(nil) },
		"the interceptor of a zero value":       func() { connectauth.NewInterceptor(&grpcauth.ServerInterceptor{}) },
		"the client interceptor of nil":         func() { connectauth.NewClientInterceptor(nil) },
		"the client interceptor of zero":        func() { connectauth.NewClientInterceptor(&grpcauth.ClientInterceptor{}) },
		"an HTTP client that isn't there":       func() { clientOf(t, nil).HTTPClient(nil) },
		"an HTTP client that is a nil pointer ": func() { clientOf(t, nil).HTTPClient((*http.Client)(nil)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if text, ok := recover().(string); !ok || !strings.Contains(text, "auth: ") {
					t.Errorf("got the panic %q", text)
				}
			}()
			misuse()
		})
	}
}

// The halves are not mistaken for each other: neither lets a call pass at the other's place.
func TestInterceptorsOfTheOtherSide(t *testing.T) {
	t.Parallel()
	ran := false
	s := &service{handled: func(context.Context) error {
		ran = true
		return nil
	}}
	table := tableFor(authimpl.Method{Public: true})
	check := connectauth.NewInterceptor(authimpl.NewServerInterceptor(table, nil))
	open := h2.serve(t, s.handler())
	wrong := h2.serve(t, s.handler(connect.WithInterceptors(clientOf(t, nil))))
	for _, p := range protocols {
		for _, k := range kinds {
			wantError(t, open.call(t.Context(), p, k, nil, connect.WithInterceptors(check)), connect.CodeInternal,
				"connectauth: NewInterceptor is for handlers: a client needs NewClientInterceptor")
			wantError(t, wrong.call(t.Context(), p, k, nil), connect.CodeInternal, "access control is not set up")
		}
	}
	if ran {
		t.Error("a handler ran")
	}
}

// Both doors at once check twice, and let pass what passes once.
func TestMiddlewareAndInterceptorTogether(t *testing.T) {
	t.Parallel()
	var seen decisions
	var who account
	s := &service{handled: func(ctx context.Context) error {
		who, _ = grpcauth.Principal[account](ctx)
		return nil
	}}
	interceptor := authimpl.NewServerInterceptor(tableFor(bearer()), []grpcauth.ServerOption{grpcauth.OnDecision(seen.record)}, verifier())
	server := h2.serve(t, connectauth.NewMiddleware(interceptor)(
		s.handler(connect.WithInterceptors(connectauth.NewInterceptor(interceptor)))))
	err := server.call(t.Context(), connectProtocol, unary, http.Header{"X-Tenant": {"7"}, "Authorization": {"Bearer ann"}})
	reasons := []grpcauth.Reason{grpcauth.Allowed, grpcauth.Allowed}
	if err != nil || who != "Ann" || len(seen.list) != 2 || !slices.Equal(reasons, []grpcauth.Reason{seen.list[0].Reason, seen.list[1].Reason}) {
		t.Errorf("got %v, %q, %v", err, who, seen.list)
	}
}
