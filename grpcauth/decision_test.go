package grpcauth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// recordedDecisions keeps what OnDecision reports.
type recordedDecisions struct {
	mutex sync.Mutex
	list  []grpcauth.Decision
}

func (r *recordedDecisions) record(_ context.Context, decision grpcauth.Decision) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.list = append(r.list, decision)
}

// take returns and forgets the decisions so far.
func (r *recordedDecisions) take() []grpcauth.Decision {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	list := r.list
	r.list = nil
	return list
}

// last returns the one decision since the last time, and fails if there was none or more than one.
func (r *recordedDecisions) last(t *testing.T) grpcauth.Decision {
	t.Helper()
	list := r.take()
	if len(list) != 1 {
		t.Errorf("%d decisions on one call: %+v", len(list), list)
		return grpcauth.Decision{}
	}
	return list[0]
}

func TestReasonsHaveNames(t *testing.T) {
	t.Parallel()
	var names []string
	for reason := range grpcauth.Reason(10) {
		names = append(names, reason.String())
	}
	want := "none, allowed, missing, repeated, malformed, refused, scope missing, verifier failed, unlisted, reason 9"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// verdicts is a table whose methods differ, and what a call of each is decided.
func verdicts() (table *authimpl.Service, verifier authimpl.Verifier) {
	table = &authimpl.Service{Name: "test.v1.Service", Methods: []authimpl.Method{
		{FullMethod: "/test.v1.Service/Unary", Denial: refusal, Headers: []authimpl.Header{
			{Name: "authorization", Bearer: true, Scopes: []string{"read", "write"}},
		}},
		{FullMethod: "/test.v1.Service/ServerStream", Public: true},
		{FullMethod: "/test.v1.Service/ClientStream", GuardedBy: "a proxy"},
		{FullMethod: "/test.v1.Service/Bidi", Public: true, Denial: refusal, Headers: []authimpl.Header{
			{Name: "x-user", Optional: true, Present: authimpl.Int64},
		}},
	}}
	return table, authimpl.VerifyBearer("authorization",
		func(ctx context.Context, _ grpcauth.Call, token grpcauth.Secret) (context.Context, error) {
			switch token.Reveal() {
			case "good":
				return grpcauth.WithGrantedScopes(ctx, "write", "read", "more"), nil
			case "weak":
				return grpcauth.WithGrantedScopes(ctx, "read"), nil
			case "down":
				return nil, grpcauth.Unavailable(errBackend)
			case "denied":
				return nil, fmt.Errorf("%w: %w", errBackend, grpcauth.Deny(codes.NotFound, "Nothing here."))
			default:
				return nil, errBackend
			}
		})
}

var errBackend = errors.New("backend says no")

type decided struct {
	kind     kind
	sent     []string
	decision grpcauth.Decision
}

var decidedCases = []decided{
	{unary, nil, grpcauth.Decision{Header: "authorization", Reason: grpcauth.Missing, Code: refusal.Code}},
	{unary, []string{"authorization", "Bearer good", "authorization", "Bearer good"}, grpcauth.Decision{Header: "authorization", Reason: grpcauth.Repeated, Code: refusal.Code}},
	{unary, []string{"authorization", "good"}, grpcauth.Decision{Header: "authorization", Reason: grpcauth.Malformed, Code: refusal.Code}},
	{unary, []string{"authorization", "Bearer bad"}, grpcauth.Decision{Header: "authorization", Reason: grpcauth.Refused, Code: refusal.Code, Err: errBackend}},
	{unary, []string{"authorization", "Bearer denied"}, grpcauth.Decision{Header: "authorization", Reason: grpcauth.Refused, Code: codes.NotFound, Err: errBackend}},
	{unary, []string{"authorization", "Bearer weak"}, grpcauth.Decision{Header: "authorization", Reason: grpcauth.ScopeMissing, Code: codes.PermissionDenied}},
	{unary, []string{"authorization", "Bearer down"}, grpcauth.Decision{Header: "authorization", Reason: grpcauth.VerifierFailed, Code: codes.Unavailable, Err: errBackend}},
	{unary, []string{"authorization", "Bearer good"}, grpcauth.Decision{Reason: grpcauth.Allowed}},
	{serverStream, nil, grpcauth.Decision{Reason: grpcauth.Allowed}},
	{clientStream, nil, grpcauth.Decision{Reason: grpcauth.Allowed}},
	{bidi, nil, grpcauth.Decision{Reason: grpcauth.Allowed}},
	{bidi, []string{"x-user", "7"}, grpcauth.Decision{Reason: grpcauth.Allowed}},
	{bidi, []string{"x-user", "seven"}, grpcauth.Decision{Header: "x-user", Reason: grpcauth.Malformed, Code: refusal.Code}},
}

// One decision for each call, public ones included, to every hook in turn, by every door.
func TestOnDecisionSeesEveryCallOnce(t *testing.T) {
	t.Parallel()
	for _, install := range installs {
		t.Run(install.name, func(t *testing.T) {
			t.Parallel()
			table, verifier := verdicts()
			var first, second recordedDecisions
			interceptor := authimpl.NewServerInterceptor(table, []grpcauth.ServerOption{
				grpcauth.OnDecision(first.record), grpcauth.OnDecision(second.record),
			}, verifier)
			served := &service{name: table.Name}
			connection := install.start(t, loopback, interceptor, served)
			for _, test := range decidedCases {
				want := test.decision
				want.FullMethod = "/test.v1.Service/" + string(test.kind)
				err := call(sent(t, test.sent...), connection, table.Name, test.kind)
				if status.Code(err) != want.Code {
					t.Errorf("%s %q: the caller gets %v, want %v", test.kind, test.sent, err, want.Code)
				}
				if err != nil && strings.Contains(err.Error(), errBackend.Error()) {
					t.Errorf("%s %q: the caller is told %v", test.kind, test.sent, err)
				}
				for _, decisions := range []*recordedDecisions{&first, &second} {
					checkDecision(t, decisions.last(t), want)
				}
				_, _ = interceptor.Authorize(arrived(t, test.sent...), want.FullMethod)
				checkDecision(t, first.last(t), want)
				checkDecision(t, second.last(t), want)
			}
		})
	}
	mustPanic(t, "grpcauth: OnDecision needs a hook, not nil", func() { grpcauth.OnDecision(nil) })
}

// checkDecision compares all but the error's identity, which may be wrapped.
func checkDecision(t *testing.T, got, want grpcauth.Decision) {
	t.Helper()
	if !errors.Is(got.Err, want.Err) || (got.Err == nil) != (want.Err == nil) {
		t.Errorf("decided with error %v, want %v", got.Err, want.Err)
	}
	got.Err, want.Err = nil, nil
	if got != want {
		t.Errorf("decided %+v, want %+v", got, want)
	}
}

// On an allowed call a hook finds who is calling; on a refused one nobody is.
func TestOnDecisionFindsThePrincipal(t *testing.T) {
	t.Parallel()
	table := keyTable()
	var found []string
	interceptor := authimpl.NewServerInterceptor(table, []grpcauth.ServerOption{
		grpcauth.OnDecision(func(ctx context.Context, decision grpcauth.Decision) {
			customer, _ := grpcauth.Principal[Customer](ctx)
			found = append(found, decision.Reason.String()+" "+customer.ID)
		}),
	}, authimpl.VerifyValue("x-api-key", "", func(ctx context.Context, _ grpcauth.Call, key grpcauth.Secret) (context.Context, error) {
		if key.Reveal() == "wrong" {
			return grpcauth.WithPrincipal(ctx, Customer{ID: "eve"}), errBackend
		}
		return grpcauth.WithPrincipal(ctx, Customer{ID: "ada"}), nil
	}))
	for _, key := range []string{"right", "wrong"} {
		_, _ = interceptor.Authorize(arrived(t, "x-api-key", key), table.Methods[0].FullMethod)
	}
	if want := []string{"allowed ada", "refused "}; !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
}

// A path that is the work of somebody who fills logs is cut, and one that is longer than any is not read.
func TestLongPathsAreCut(t *testing.T) {
	t.Parallel()
	var decisions recordedDecisions
	interceptor := authimpl.NewServerInterceptor(guarded("test.v1.Service"), []grpcauth.ServerOption{
		grpcauth.OnDecision(decisions.record), grpcauth.DenyUnlisted(),
	})
	for _, path := range []string{"/other.v1.Other/" + strings.Repeat("a", 300), strings.Repeat("/", 1<<20), "/test.v1.Service/" + strings.Repeat("a", 5000)} {
		err := unaryThrough(t.Context(), interceptor, path)
		if last := decisions.last(t); status.Code(err) != codes.Unimplemented || last.FullMethod != path[:256] {
			t.Errorf("%s…: got %v, told of %d bytes", path[:20], err, len(last.FullMethod))
		}
	}
}

// Neither a hook nor anything that a hook does to what it is given changes what the caller gets.
func TestT10_HooksChangeNothing(t *testing.T) {
	t.Parallel()
	table, verifier := verdicts()
	meddling := func(_ context.Context, decision grpcauth.Decision) {
		meddled := &decision
		//nolint:govet // that this write goes nowhere is what is tested
		meddled.Reason, meddled.Code, meddled.Err = grpcauth.Allowed, codes.OK, nil
	}
	interceptor := authimpl.NewServerInterceptor(table, []grpcauth.ServerOption{grpcauth.OnDecision(meddling)}, verifier)
	served := &service{name: table.Name}
	connection := installs[1].start(t, loopback, interceptor, served)
	for _, test := range decidedCases {
		before := served.runs.Load()
		err := call(sent(t, test.sent...), connection, table.Name, test.kind)
		if ran := served.runs.Load() != before; status.Code(err) != test.decision.Code || ran != (test.decision.Reason == grpcauth.Allowed) {
			t.Errorf("%s %q: got %v, handler ran: %t", test.kind, test.sent, err, ran)
		}
	}
}

// A hook that panics does not open anything: the call ends with the panic, before its handler.
func TestT10_PanickingHooksOpenNothing(t *testing.T) {
	t.Parallel()
	table, verifier := verdicts()
	interceptor := authimpl.NewServerInterceptor(table, []grpcauth.ServerOption{
		grpcauth.OnDecision(func(context.Context, grpcauth.Decision) { panic("hook") }),
	}, verifier)
	for _, token := range []string{"Bearer good", "Bearer bad"} {
		mustPanic(t, "hook", func() {
			admitted, err := interceptor.Authorize(arrived(t, "authorization", token), "/test.v1.Service/Unary")
			t.Errorf("%s: Authorize returned %v, %v", token, admitted, err)
		})
	}
}

// In shadow mode every call passes, and the hook is told what would have happened.
func TestT45_ReportOnlyReportsAndLetsPass(t *testing.T) {
	table, verifier := verdicts()
	var decisions, others recordedDecisions
	var log lockedBuffer
	restore := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	interceptor := authimpl.NewServerInterceptor(table, []grpcauth.ServerOption{
		grpcauth.ReportOnly(decisions.record), grpcauth.OnDecision(others.record), grpcauth.DenyUnlisted(),
	}, verifier)
	slog.SetDefault(restore)
	said := log.String()
	if !strings.Contains(said, "level=WARN") || !strings.Contains(said, "service=test.v1.Service") ||
		!strings.Contains(said, "every one passes") || strings.Count(said, "\n") != 1 {
		t.Errorf("at start it says %q", said)
	}
	for _, install := range installs {
		served := &service{name: table.Name}
		connection := install.start(t, loopback, interceptor, served)
		for _, test := range decidedCases {
			want := test.decision
			want.FullMethod = "/test.v1.Service/" + string(test.kind)
			before := served.runs.Load()
			if err := call(sent(t, test.sent...), connection, table.Name, test.kind); err != nil || served.runs.Load() != before+1 {
				t.Errorf("%s: %s %q: %v", install.name, test.kind, test.sent, err)
			}
			checkDecision(t, decisions.last(t), want)
			checkDecision(t, others.last(t), want)
		}
	}
	for _, path := range []string{"/test.v1.Service/New", "/other.v1.Other/Any"} {
		want := grpcauth.Decision{FullMethod: path, Reason: grpcauth.Unlisted, Code: codes.Unimplemented}
		if err := unaryThrough(t.Context(), interceptor, path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		checkDecision(t, decisions.last(t), want)
		if ctx, err := interceptor.Authorize(t.Context(), path); err != nil || ctx != t.Context() {
			t.Errorf("Authorize %s: %v", path, err)
		}
		checkDecision(t, decisions.last(t), want)
	}
	if later := log.String(); later != said {
		t.Errorf("it goes on saying so: %q", later)
	}
	mustPanic(t, "grpcauth: ReportOnly needs a hook that reports, not nil", func() { grpcauth.ReportOnly(nil) })
}

// The handler of a call that shadow mode lets pass finds nothing that was not verified, and nothing of an
// outer call either.
func TestT45_ReportOnlyPassesNothingOn(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(
		authimpl.Header{Name: "x-s", Present: authimpl.String}, authimpl.Header{Name: "authorization", Bearer: true}))
	verifier := authimpl.VerifyBearer("authorization", func(ctx context.Context, _ grpcauth.Call, token grpcauth.Secret) (context.Context, error) {
		ctx = grpcauth.WithPrincipal(ctx, token.Reveal())
		if token.Reveal() == "bad" {
			return ctx, errBackend
		}
		return ctx, nil
	})
	interceptor := authimpl.NewServerInterceptor(table,
		[]grpcauth.ServerOption{grpcauth.ReportOnly(func(context.Context, grpcauth.Decision) {})}, verifier)
	good, err := interceptor.Authorize(arrived(t, "x-s", "outer", "authorization", "Bearer good"), table.Methods[0].FullMethod)
	if value, ok := authimpl.FromContext[string](good, table, "x-s"); err != nil || !ok || value != "outer" {
		t.Errorf("an allowed call's handler finds %q, %v", value, err)
	}
	if principal, ok := grpcauth.Principal[string](good); !ok || principal != "good" {
		t.Errorf("an allowed call's principal is %q", principal)
	}
	bad, err := interceptor.Authorize(arrived(t, "x-s", "inner", "authorization", "Bearer bad"), table.Methods[0].FullMethod)
	if _, ok := authimpl.FromContext[string](bad, table, "x-s"); err != nil || ok {
		t.Errorf("a refused call's handler finds a value, %v", err)
	}
	if principal, ok := grpcauth.Principal[string](bad); ok {
		t.Errorf("a refused call's principal is %q", principal)
	}
	inside := metadata.NewIncomingContext(good, metadata.Pairs("authorization", "Bearer bad"))
	inner, err := interceptor.Authorize(inside, table.Methods[0].FullMethod)
	if value, ok := authimpl.FromContext[string](inner, table, "x-s"); err != nil || ok {
		t.Errorf("a refused call inside of an allowed one finds the outer one's value %q, %v", value, err)
	}
}

func TestLogDecisions(t *testing.T) {
	t.Parallel()
	var typedNil *nilError
	for _, test := range []struct {
		decision grpcauth.Decision
		level    slog.Level
		want     string
	}{
		{grpcauth.Decision{FullMethod: "/a/B", Reason: grpcauth.Allowed}, slog.LevelDebug, "level=DEBUG msg=grpcauth method=/a/B reason=allowed code=OK"},
		{grpcauth.Decision{FullMethod: "/a/B", Header: "x", Reason: grpcauth.Missing, Code: codes.Unauthenticated}, slog.LevelInfo, "level=WARN msg=grpcauth method=/a/B reason=missing code=Unauthenticated header=x"},
		{grpcauth.Decision{FullMethod: "/a/B", Header: "x", Reason: grpcauth.VerifierFailed, Code: codes.Internal, Err: errBackend}, slog.LevelError, `level=ERROR msg=grpcauth method=/a/B reason="verifier failed" code=Internal header=x error="backend says no"`},
		{grpcauth.Decision{FullMethod: "/a\n/B", Reason: grpcauth.Unlisted, Code: codes.Unimplemented}, slog.LevelWarn, `level=WARN msg=grpcauth method="/a\n/B" reason=unlisted code=Unimplemented`},
		{grpcauth.Decision{FullMethod: "/a/B", Header: "x", Reason: grpcauth.Refused, Err: typedNil}, slog.LevelWarn, "level=WARN msg=grpcauth method=/a/B reason=refused code=OK header=x error=<nil>"},
		{grpcauth.Decision{FullMethod: "/a/B", Reason: grpcauth.Allowed}, slog.LevelInfo, ""},
	} {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: test.level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		grpcauth.LogDecisions(logger)(t.Context(), test.decision)
		if got := strings.TrimSuffix(log.String(), "\n"); got != test.want {
			t.Errorf("%+v is logged as\n%s, want\n%s", test.decision, got, test.want)
		}
	}
	mustPanic(t, "grpcauth: LogDecisions needs a logger such as slog.Default(), not nil", func() { grpcauth.LogDecisions(nil) })
}

// nilError is an error whose methods need what a nil pointer does not have.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }
