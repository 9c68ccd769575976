package grpcauthtest_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/grpcauthtest"
)

const canary = "canaryinthecoalmine"

func TestContext(t *testing.T) {
	t.Parallel()
	outer := metadata.NewIncomingContext(t.Context(), metadata.Pairs("x-outer", "1"))
	got, _ := metadata.FromIncomingContext(grpcauthtest.Context(outer,
		"Authorization", "Bearer abc", "x-two", "a", "X-TWO", "b", "x-raw-bin", "\x00\xff", "x-empty", ""))
	want := metadata.MD{
		"authorization": {"Bearer abc"}, "x-two": {"a", "b"}, "x-raw-bin": {"\x00\xff"}, "x-empty": {""},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, ok := metadata.FromIncomingContext(grpcauthtest.Context(outer)); !ok || len(got) != 0 {
		t.Errorf("without headers: got %v, %v", got, ok)
	}
	panics(t, "grpcauthtest: Context takes keys and values in turn, not 3 arguments", func() {
		grpcauthtest.Context(t.Context(), "a", "1", "b") //nolint:staticcheck // the mistake is meant
	})
}

func panics(t *testing.T, want string, do func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got != want {
			t.Errorf("got panic %v, want %s", got, want)
		}
	}()
	do()
}

// ask puts a credential to the method that fits it.
func ask(ctx context.Context, v *grpcauthtest.Verifier, header string, credential any) (context.Context, error) {
	call := grpcauth.Call{FullMethod: method, Header: header, Scopes: []string{"read"}}
	switch credential := credential.(type) {
	case string:
		return v.VerifySecret(ctx, call, grpcauth.NewSecret(credential))
	case grpcauth.BasicAuth:
		return v.VerifyBasic(ctx, call, credential.Username, credential.Password)
	default:
		return v.VerifyValue(ctx, call, credential)
	}
}

func basic(username, password string) grpcauth.BasicAuth {
	return grpcauth.BasicAuth{Username: username, Password: grpcauth.NewSecret(password)}
}

// credentials are all different, though some look alike.
var credentials = []any{
	// The acceptable ones.
	"", "7", "true", "ada", "ada:7", basic("ada", "7"), basic("7", "ada"), basic("", ""), basic("ada", ""),
	int64(0), int64(7), uint64(0), uint64(7), true, false,
	// No verifier is asked about these. They must be refused, and not panic.
	nil, 7, 7.5,
	[]string{"7"},
	grpcauth.NewSecret("7"),
	struct{}{},
}

func TestT20_VerifierAcceptsNothingByItself(t *testing.T) {
	t.Parallel()
	for _, v := range []*grpcauthtest.Verifier{
		{},
		new(grpcauthtest.Verifier).Accept("x-other", "7").Accept("x-other", basic("ada", "7")).
			Accept("x-other", int64(7)).Accept("x-other", true),
		new(grpcauthtest.Verifier).Accept("authorization", canary),
	} {
		for _, credential := range credentials {
			ctx, err := ask(t.Context(), v, "authorization", credential)
			if ctx != nil || err == nil {
				t.Errorf("%T %v is accepted", credential, credential)
			}
		}
	}
}

func TestVerifierAcceptsOneOfAll(t *testing.T) {
	t.Parallel()
	const acceptable = 15 // of the list above
	for i, accepted := range credentials[:acceptable] {
		v := new(grpcauthtest.Verifier).Accept("authorization", accepted)
		for j, credential := range credentials {
			ctx, err := ask(t.Context(), v, "authorization", credential)
			if (err == nil) != (i == j) || (ctx == nil) != (err != nil) {
				t.Errorf("told to accept %T %v, asked about %T %v: got %v, %v", accepted, accepted, credential, credential, ctx, err)
			}
			if ctx != nil && ctx != t.Context() {
				t.Error("the context has something added")
			}
		}
	}
	v := new(grpcauthtest.Verifier).Accept("authorization", grpcauth.NewSecret("a")).Accept("authorization", "b")
	for _, credential := range []string{"a", "b"} {
		if _, err := ask(t.Context(), v, "authorization", credential); err != nil {
			t.Errorf("%s: got %v", credential, err)
		}
	}
}

func TestAcceptPanicsOnWhatNoVerifierIsAskedAbout(t *testing.T) {
	t.Parallel()
	for want, credential := range map[string]any{
		"int": 7, "<nil>": nil, "[]uint8": []byte("7"), "*grpcauth.BasicAuth": &grpcauth.BasicAuth{},
	} {
		panics(t, `grpcauthtest: Accept takes a string, grpcauth.Secret, grpcauth.BasicAuth, int64, uint64 or bool `+
			`as the credential in "x-a", not `+want, func() {
			new(grpcauthtest.Verifier).Accept("x-a", credential)
		})
	}
}

type key string

func adds(k, value string) func(context.Context) context.Context {
	return func(ctx context.Context) context.Context { return context.WithValue(ctx, key(k), value) }
}

func TestVerifierAddsToTheContext(t *testing.T) {
	t.Parallel()
	v := new(grpcauthtest.Verifier).
		Accept("x-a", "1", adds("first", "old")).
		Accept("x-a", "2", adds("first", "other")).
		Accept("x-a", "1", adds("first", "overwritten"), adds("first", "new"), adds("second", "too"))
	for range 3 {
		ctx, err := ask(t.Context(), v, "x-a", "1")
		if err != nil {
			t.Fatal(err)
		}
		if first, second := ctx.Value(key("first")), ctx.Value(key("second")); first != "new" || second != "too" {
			t.Errorf("got %v and %v", first, second)
		}
	}
}

func TestVerifierRemembersCalls(t *testing.T) {
	t.Parallel()
	v := new(grpcauthtest.Verifier).Accept("x-a", "1")
	if calls := v.Calls(); len(calls) != 0 {
		t.Errorf("got %v", calls)
	}
	ask(t.Context(), v, "x-a", "1")
	ask(t.Context(), v, "x-b", int64(1))
	want := []grpcauth.Call{
		{FullMethod: method, Header: "x-a", Scopes: []string{"read"}},
		{FullMethod: method, Header: "x-b", Scopes: []string{"read"}},
	}
	got := v.Calls()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got[0].Header = "changed"
	if v.Calls()[0].Header != "x-a" {
		t.Error("who reads the calls can change them")
	}
	scopes := []string{"read"}
	v.VerifySecret(t.Context(), grpcauth.Call{Scopes: scopes}, grpcauth.NewSecret("1"))
	scopes[0] = "changed"
	if got := v.Calls()[2].Scopes[0]; got != "read" {
		t.Errorf("a remembered scope is %s", got)
	}
}

func TestT39_VerifierShowsNoCredential(t *testing.T) {
	t.Parallel()
	v := new(grpcauthtest.Verifier).Accept("x-a", canary).Accept("x-a", basic("ada", canary))
	_, err := ask(t.Context(), v, "x-a", canary+"?")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb+verb, v, err); strings.Contains(text, canary) {
			t.Errorf("%s shows the credential: %s", verb, text)
		}
	}
}

const method = "/test.v1.Service/Unary"

// fake delegates as users' fakes do.
type fake struct{ grpcauthtest.Verifier }

func (f *fake) VerifyAuthorizationBearer(ctx context.Context, call grpcauth.Call, token grpcauth.Secret) (context.Context, error) {
	return f.VerifySecret(ctx, call, token)
}

func (f *fake) VerifyXUserBasic(ctx context.Context, call grpcauth.Call, username string, password grpcauth.Secret) (context.Context, error) {
	return f.VerifyBasic(ctx, call, username, password)
}

func (f *fake) VerifyXShard(ctx context.Context, call grpcauth.Call, value int64) (context.Context, error) {
	return f.VerifyValue(ctx, call, value)
}

// newInterceptor is what would be generated for a service that requires three headers.
func newInterceptor(v *fake, options ...grpcauth.ServerOption) *grpcauth.ServerInterceptor {
	table := &authimpl.Service{Name: "test.v1.Service", Methods: []authimpl.Method{{
		FullMethod: method,
		Headers: []authimpl.Header{
			{Name: "authorization", Bearer: true, Scopes: []string{"read", "write"}},
			{Name: "x-user", Basic: true},
			{Name: "x-shard", Verify: authimpl.Int64},
		},
		Denial: authimpl.Denial{Code: codes.Unauthenticated, Message: "refused"},
	}}}
	return authimpl.NewServerInterceptor(table, options,
		authimpl.VerifyBearer("authorization", v.VerifyAuthorizationBearer),
		authimpl.VerifyBasic("x-user", v.VerifyXUserBasic),
		authimpl.VerifyValue("x-shard", "", v.VerifyXShard))
}

type user struct{ name string }

func TestInAnInterceptor(t *testing.T) {
	t.Parallel()
	v := &fake{}
	v.Accept("authorization", "abc",
		func(ctx context.Context) context.Context { return grpcauth.WithPrincipal(ctx, user{"ada"}) },
		func(ctx context.Context) context.Context { return grpcauth.WithGrantedScopes(ctx, "read", "write") },
		func(ctx context.Context) context.Context { return grpcauth.WithExpiry(ctx, time.Now().Add(time.Hour)) })
	v.Accept("authorization", "short-lived",
		func(ctx context.Context) context.Context { return grpcauth.WithGrantedScopes(ctx, "read", "write") },
		func(ctx context.Context) context.Context { return grpcauth.WithExpiry(ctx, time.Now().Add(-time.Hour)) })
	v.Accept("authorization", "reader",
		func(ctx context.Context) context.Context { return grpcauth.WithGrantedScopes(ctx, "read") })
	v.Accept("x-user", basic("ada", "a:b")).Accept("x-shard", int64(-7))

	var recorder grpcauthtest.Recorder
	interceptor := newInterceptor(v, grpcauth.OnDecision(recorder.Record))
	authorize := func(bearer, basic, shard string) (context.Context, error) {
		return interceptor.Authorize(grpcauthtest.Context(t.Context(),
			"authorization", bearer, "x-user", "Basic "+basic, "x-shard", shard), method)
	}
	const ada, eve = "YWRhOmE6Yg==", "ZXZlOmE6Yg=="
	ctx, err := authorize("Bearer abc", ada, "-7")
	recorder.WantLast(t, grpcauth.Allowed, "")
	if err != nil {
		t.Fatal(err)
	}
	if principal, ok := grpcauth.Principal[user](ctx); !ok || principal.name != "ada" {
		t.Errorf("got principal %v, %v", principal, ok)
	}
	if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > time.Hour {
		t.Errorf("got deadline %v, %v", deadline, ok)
	}
	calls := fmt.Sprint(v.Calls())
	if want := "[{" + method + " authorization [read write]} {" + method + " x-user []} {" + method + " x-shard []}]"; calls != want {
		t.Errorf("got calls %s, want %s", calls, want)
	}
	for _, test := range []struct {
		bearer, basic, shard string
		code                 codes.Code
		reason               grpcauth.Reason
		header               string
	}{
		{"Bearer other", ada, "-7", codes.Unauthenticated, grpcauth.Refused, "authorization"},
		{"Bearer short-lived", ada, "-7", codes.Unauthenticated, grpcauth.Refused, "authorization"},
		{"Bearer reader", ada, "-7", codes.PermissionDenied, grpcauth.ScopeMissing, "authorization"},
		{"abc", ada, "-7", codes.Unauthenticated, grpcauth.Malformed, "authorization"},
		{"Bearer abc", eve, "-7", codes.Unauthenticated, grpcauth.Refused, "x-user"},
		{"Bearer abc", ada, "7", codes.Unauthenticated, grpcauth.Refused, "x-shard"},
	} {
		_, err := authorize(test.bearer, test.basic, test.shard)
		if status.Code(err) != test.code {
			t.Errorf("%v: got %v", test, err)
		}
		recorder.WantLast(t, test.reason, test.header)
	}
}

// stub is a test that fails without failing this one.
type stub struct {
	testing.TB

	helper int
	failed []string
}

func (s *stub) Helper() { s.helper++ }

func (s *stub) Error(args ...any) { s.failed = append(s.failed, fmt.Sprint(args...)) }

func (s *stub) Errorf(format string, args ...any) {
	s.failed = append(s.failed, fmt.Sprintf(format, args...))
}

func TestWantLast(t *testing.T) {
	t.Parallel()
	refused := grpcauth.Decision{FullMethod: method, Header: "x-a", Reason: grpcauth.Refused, Code: codes.Unauthenticated}
	explained := refused
	explained.Err = errors.New("signed by another key")
	allowed := grpcauth.Decision{FullMethod: method, Reason: grpcauth.Allowed}
	for _, test := range []struct {
		recorded []grpcauth.Decision
		reason   grpcauth.Reason
		header   string
		want     string // the failure's text, "" for none
	}{
		{[]grpcauth.Decision{refused}, grpcauth.Refused, "x-a", ""},
		{[]grpcauth.Decision{explained}, grpcauth.Refused, "x-a", ""},
		{[]grpcauth.Decision{allowed}, grpcauth.Allowed, "", ""},
		{[]grpcauth.Decision{allowed, refused}, grpcauth.Refused, "x-a", ""},
		{nil, grpcauth.Refused, "x-a", `no decision was recorded, want "refused" by header "x-a"`},
		{nil, grpcauth.Allowed, "", `no decision was recorded, want "allowed"`},
		{nil, 0, "", `no decision was recorded, want "none"`},
		{
			[]grpcauth.Decision{refused},
			grpcauth.Missing, "x-a",
			`the last decision, about ` + method + `, is "refused" by header "x-a", want "missing" by header "x-a"`,
		},
		{
			[]grpcauth.Decision{explained},
			grpcauth.Refused, "x-b",
			`the last decision, about ` + method + `, is "refused" by header "x-a", want "refused" by header "x-b"` +
				`; the verifier's error is: signed by another key`,
		},
		{
			[]grpcauth.Decision{refused, allowed},
			grpcauth.Refused, "x-a",
			`the last decision, about ` + method + `, is "allowed", want "refused" by header "x-a"`,
		},
		{
			[]grpcauth.Decision{refused},
			grpcauth.Refused, "",
			`the last decision, about ` + method + `, is "refused" by header "x-a", want "refused"`,
		},
	} {
		var recorder grpcauthtest.Recorder
		for _, decision := range test.recorded {
			recorder.Record(t.Context(), decision)
		}
		stub := &stub{}
		recorder.WantLast(stub, test.reason, test.header)
		if got := strings.Join(stub.failed, "\n"); got != test.want {
			t.Errorf("got failure  %s\nwant failure %s", got, test.want)
		}
		if stub.helper != 1 {
			t.Error("the failure is reported at the wrong line")
		}
	}
}

func TestRecorder(t *testing.T) {
	t.Parallel()
	var recorder grpcauthtest.Recorder
	if last, ok := recorder.Last(); ok || last != (grpcauth.Decision{}) || len(recorder.Decisions()) != 0 {
		t.Errorf("got %v, %v", last, ok)
	}
	interceptor := greeterv1.NewGreeterServerInterceptor(grpcauth.OnDecision(recorder.Record))
	interceptor.Authorize(grpcauthtest.Context(t.Context(), "authorization", "42"), greeterv1.Greeter_SayHello_FullMethodName)
	interceptor.Authorize(grpcauthtest.Context(t.Context()), greeterv1.Greeter_SayHello_FullMethodName)
	want := []grpcauth.Decision{
		{FullMethod: greeterv1.Greeter_SayHello_FullMethodName, Reason: grpcauth.Allowed},
		{FullMethod: greeterv1.Greeter_SayHello_FullMethodName, Reason: grpcauth.Missing, Header: "authorization", Code: codes.Unauthenticated},
	}
	got := recorder.Decisions()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if last, ok := recorder.Last(); !ok || last != want[1] {
		t.Errorf("got %v, %v", last, ok)
	}
	got[1].Header = "changed"
	if last, _ := recorder.Last(); last != want[1] {
		t.Error("who reads the decisions can change them")
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	v := &fake{}
	var recorder grpcauthtest.Recorder
	interceptor := newInterceptor(v, grpcauth.OnDecision(recorder.Record))
	var callers sync.WaitGroup
	const each = 50
	for range 4 {
		callers.Go(func() {
			for i := range each {
				v.Accept("authorization", fmt.Sprint(i))
				interceptor.Authorize(grpcauthtest.Context(t.Context(), "authorization", "Bearer 1",
					"x-user", "Basic YTpi", "x-shard", "7"), method)
				v.Calls()
				recorder.Last()
				recorder.Decisions()
			}
		})
	}
	callers.Wait()
	if calls, decisions := len(v.Calls()), len(recorder.Decisions()); calls != 4*each || decisions != 4*each {
		t.Errorf("got %d calls and %d decisions", calls, decisions)
	}
}
