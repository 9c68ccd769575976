package grpcauth_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// keyVerifier is the interface that generated code would have for one x-api-key.
type keyVerifier interface {
	VerifyXApiKey(ctx context.Context, call grpcauth.Call, value grpcauth.Secret) (context.Context, error)
}

type (
	pointerVerifier struct{}
	funcVerifier    func()
	mapVerifier     map[string]bool
	valueVerifier   struct{}
)

func (*pointerVerifier) VerifyXApiKey(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
	return ctx, nil
}

func (funcVerifier) VerifyXApiKey(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
	return ctx, nil
}

func (mapVerifier) VerifyXApiKey(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
	return ctx, nil
}

func (valueVerifier) VerifyXApiKey(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
	return ctx, nil
}

func keyTable() *authimpl.Service {
	return tableFor("test.v1.Service", headers(authimpl.Header{Name: "x-api-key", Verify: authimpl.String}))
}

// newGuarded is what a generated constructor does.
func newGuarded(v keyVerifier) *grpcauth.ServerInterceptor {
	table := keyTable()
	authimpl.MustVerifier(table, v)
	return authimpl.NewServerInterceptor(table, nil, authimpl.VerifyValue("x-api-key", "", v.VerifyXApiKey))
}

func TestT8_NilVerifiersPanic(t *testing.T) {
	t.Parallel()
	for want, verifier := range map[string]keyVerifier{
		`grpcauth: service "test.v1.Service": the verifier is nil`:                                  nil,
		`grpcauth: service "test.v1.Service": the verifier is a nil *grpcauth_test.pointerVerifier`: (*pointerVerifier)(nil),
		`grpcauth: service "test.v1.Service": the verifier is a nil grpcauth_test.funcVerifier`:     funcVerifier(nil),
		`grpcauth: service "test.v1.Service": the verifier is a nil grpcauth_test.mapVerifier`:      mapVerifier(nil),
	} {
		mustPanic(t, want, func() { newGuarded(verifier) })
	}
	for _, verifier := range []keyVerifier{&pointerVerifier{}, valueVerifier{}, funcVerifier(func() {}), mapVerifier{}} {
		if newGuarded(verifier) == nil {
			t.Errorf("%T is refused", verifier)
		}
	}
}

func TestT8_TablesWithoutTheirVerifierPanic(t *testing.T) {
	t.Parallel()
	refuse := func(context.Context, grpcauth.Call, grpcauth.Secret) (context.Context, error) { return nil, errBackend }
	for name, test := range map[string]struct {
		rule      authimpl.Method
		verifiers []authimpl.Verifier
		want      string
	}{
		"none":              {headers(authimpl.Header{Name: "authorization", Bearer: true}), nil, `header "authorization" has no verifier`},
		"of another header": {headers(authimpl.Header{Name: "authorization", Bearer: true}), []authimpl.Verifier{authimpl.VerifyBearer("x-other", refuse)}, `header "authorization" has no verifier`},
		"of another kind": {headers(authimpl.Header{Name: "authorization", Bearer: true}), []authimpl.Verifier{
			authimpl.VerifyValue("authorization", "", refuse), authimpl.VerifyValue("authorization", "Bearer", refuse),
		}, `header "authorization" has no verifier`},
		"of another scheme": {
			headers(authimpl.Header{Name: "authorization", Verify: authimpl.String, Scheme: "DPoP"}),
			[]authimpl.Verifier{authimpl.VerifyValue("authorization", "", refuse)},
			`header "authorization" has no verifier`,
		},
		"of another type": {
			headers(authimpl.Header{Name: "x-n", Verify: authimpl.Int64}),
			[]authimpl.Verifier{authimpl.VerifyValue("x-n", "", refuse)},
			`header "x-n" has a verifier of another type`,
		},
		"of another number": {
			headers(authimpl.Header{Name: "x-n", Verify: authimpl.Int64}),
			[]authimpl.Verifier{authimpl.VerifyValue("x-n", "", func(ctx context.Context, _ grpcauth.Call, _ uint64) (context.Context, error) { return ctx, nil })},
			`header "x-n" has a verifier of another type`,
		},
		"bytes for a string": {
			headers(authimpl.Header{Name: "x-n", Verify: authimpl.String}),
			[]authimpl.Verifier{authimpl.VerifyValue("x-n", "", func(ctx context.Context, _ grpcauth.Call, _ bool) (context.Context, error) { return ctx, nil })},
			`header "x-n" has a verifier of another type`,
		},
		"of an optional header": {authimpl.Method{Public: true, Denial: refusal, Headers: []authimpl.Header{{Name: "x-n", Optional: true, Basic: true}}}, nil, `header "x-n" has no verifier`},
		"in an alternative":     {authimpl.Method{Denial: refusal, AnyOf: [][]authimpl.Header{{{Name: "x-a", Equals: "1"}}, {{Name: "x-n", Basic: true}}}}, nil, `header "x-n" has no verifier`},
		"without a function":    {headers(authimpl.Header{Name: "authorization", Bearer: true}), []authimpl.Verifier{{Slot: authimpl.VerifyBearer("authorization", refuse).Slot}}, `header "authorization" has no verifier`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := tableFor("test.v1.Service", test.rule)
			mustPanic(t, `grpcauth: service "test.v1.Service": method "/test.v1.Service/Unary": `+test.want, func() {
				authimpl.NewServerInterceptor(table, nil, test.verifiers...)
			})
		})
	}
}

// Customer is a principal of the application's own.
type Customer struct{ ID string }

// A principal that a verifier sets is read in the handler with its own Go type; another type finds nothing.
func TestHandlersReadThePrincipalWithItsOwnType(t *testing.T) {
	t.Parallel()
	for _, install := range installs {
		table := keyTable()
		interceptor := authimpl.NewServerInterceptor(table, nil, authimpl.VerifyValue("x-api-key", "",
			func(ctx context.Context, _ grpcauth.Call, key grpcauth.Secret) (context.Context, error) {
				ctx = grpcauth.WithPrincipal(ctx, Customer{ID: key.Reveal()})
				return grpcauth.WithPrincipal(ctx, &Customer{ID: "pointer"}), nil
			}))
		var ids []string
		served := &service{name: table.Name, handled: func(ctx context.Context) {
			customer, ok := grpcauth.Principal[Customer](ctx)
			pointer, okToo := grpcauth.Principal[*Customer](ctx)
			if _, other := grpcauth.Principal[string](ctx); !ok || !okToo || other || pointer.ID != "pointer" {
				t.Errorf("found %+v %t, %+v %t, a string: %t", customer, ok, pointer, okToo, other)
			}
			ids = append(ids, customer.ID)
		}}
		connection := install.start(t, loopback, interceptor, served)
		for _, kind := range kinds {
			if err := call(sent(t, "x-api-key", string(kind)), connection, table.Name, kind); err != nil {
				t.Fatal(err)
			}
		}
		if want := []string{"Unary", "ServerStream", "ClientStream", "Bidi"}; !slices.Equal(ids, want) {
			t.Errorf("%s: handlers read %q, want %q", install.name, ids, want)
		}
	}
	if customer, ok := grpcauth.Principal[Customer](t.Context()); ok || customer != (Customer{}) {
		t.Error("a principal without a verifier")
	}
}

// A handler that calls another service in its process, without a transport, hands on nothing of who called it.
func TestPrincipalsOfAnOuterCallAreNotSeen(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", authimpl.Method{Public: true, Denial: refusal, Headers: []authimpl.Header{{Name: "authorization", Bearer: true, Optional: true}}})
	interceptor := authimpl.NewServerInterceptor(table, nil, authimpl.VerifyBearer("authorization",
		func(ctx context.Context, _ grpcauth.Call, token grpcauth.Secret) (context.Context, error) {
			return grpcauth.WithPrincipal(ctx, Customer{ID: token.Reveal()}), nil
		}))
	sees := func(ctx context.Context, want string) context.Context {
		t.Helper()
		admitted, err := interceptor.Authorize(ctx, table.Methods[0].FullMethod)
		if err != nil {
			t.Fatal(err)
		}
		if customer, ok := grpcauth.Principal[Customer](admitted); customer.ID != want || ok != (want != "") {
			t.Errorf("sees %+v, want %q", customer, want)
		}
		return admitted
	}
	// An interceptor of the server's own may say who is calling, as a legacy one does.
	sees(grpcauth.WithPrincipal(arrived(t), Customer{ID: "legacy"}), "legacy")
	outer := sees(arrived(t, "authorization", "Bearer ada"), "ada")
	inner := sees(metadata.NewIncomingContext(outer, nil), "")
	sees(metadata.NewIncomingContext(inner, metadata.Pairs("authorization", "Bearer eve")), "eve")
	innermost := sees(metadata.NewIncomingContext(outer, metadata.Pairs("authorization", "Bearer eve")), "eve")
	sees(metadata.NewIncomingContext(innermost, nil), "")
	if customer, ok := grpcauth.Principal[Customer](outer); !ok || customer.ID != "ada" {
		t.Errorf("the outer call's handler now sees %+v", customer)
	}
}

// A hook that reads the error that it is given does not end the process, whatever a verifier returned.
func TestT21_HooksCanReadEveryError(t *testing.T) {
	t.Parallel()
	table := keyTable()
	var texts []string
	interceptor := authimpl.NewServerInterceptor(table, []grpcauth.ServerOption{
		grpcauth.OnDecision(func(_ context.Context, decision grpcauth.Decision) { texts = append(texts, decision.Err.Error()) }),
	}, authimpl.VerifyValue("x-api-key", "", func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
		var err *nilError
		return ctx, err
	}))
	_, err := interceptor.Authorize(arrived(t, "x-api-key", "k"), table.Methods[0].FullMethod)
	if want := "grpcauth: the verifier's error, a *grpcauth_test.nilError, cannot be read"; status.Code(err) != refusal.Code || !slices.Equal(texts, []string{want}) {
		t.Errorf("got %v, the hook read %q", err, texts)
	}
}

// The headers' verifiers come before anything of the alternatives is looked at.
func TestVerifiersOfHeadersComeBeforeAlternatives(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", authimpl.Method{
		Denial:  refusal,
		Headers: []authimpl.Header{{Name: "authorization", Bearer: true}},
		AnyOf:   [][]authimpl.Header{{{Name: "x-a", Equals: "1"}}, {{Name: "x-b", Equals: "1"}}},
	})
	var asked int
	interceptor := authimpl.NewServerInterceptor(table, nil, authimpl.VerifyBearer("authorization",
		func(context.Context, grpcauth.Call, grpcauth.Secret) (context.Context, error) {
			asked++
			return nil, grpcauth.Deny(codes.ResourceExhausted, "Slow down.")
		}))
	for _, others := range [][]string{nil, {"x-a", ""}, {"x-a", "1", "x-b", "1", "x-b", "1"}} {
		_, err := interceptor.Authorize(arrived(t, append([]string{"authorization", "Bearer a"}, others...)...), table.Methods[0].FullMethod)
		if status.Code(err) != codes.ResourceExhausted {
			t.Errorf("%q: got %v", others, err)
		}
	}
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
}

// What verifiers return that is neither yes nor no, from hostile types included.
func TestT20_OnlyAContextOfThisQuestionPasses(t *testing.T) {
	t.Parallel()
	type key struct{}
	for name, test := range map[string]struct {
		verify func(ctx context.Context) (context.Context, error)
		code   codes.Code
	}{
		"its own":                  {func(ctx context.Context) (context.Context, error) { return ctx, nil }, codes.OK},
		"one derived from its own": {func(ctx context.Context) (context.Context, error) { return context.WithValue(ctx, key{}, 1), nil }, codes.OK},
		"one that cannot end":      {func(ctx context.Context) (context.Context, error) { return context.WithoutCancel(ctx), nil }, codes.OK},
		"nil":                      {func(context.Context) (context.Context, error) { return neither() }, codes.Internal},
		"a nil pointer":            {func(context.Context) (context.Context, error) { return (*hostileContext)(nil), nil }, codes.Internal},
		"Background":               {func(context.Context) (context.Context, error) { return context.Background(), nil }, codes.Internal},
		"the test's":               {func(context.Context) (context.Context, error) { return t.Context(), nil }, codes.Internal},
		"one with the same metadata": {func(ctx context.Context) (context.Context, error) {
			md, _ := metadata.FromIncomingContext(ctx)
			return metadata.NewIncomingContext(t.Context(), md), nil
		}, codes.Internal},
		"one that panics":                   {func(ctx context.Context) (context.Context, error) { return &hostileContext{ctx}, nil }, codes.Internal},
		"a context and an error":            {func(ctx context.Context) (context.Context, error) { return ctx, errBackend }, refusal.Code},
		"nil and an error":                  {func(context.Context) (context.Context, error) { return nil, errBackend }, refusal.Code},
		"a typed nil error":                 {func(ctx context.Context) (context.Context, error) { var err *nilError; return ctx, err }, refusal.Code},
		"an error that panics":              {func(ctx context.Context) (context.Context, error) { return ctx, hostileError{} }, codes.Internal},
		"status OK as an error":             {func(ctx context.Context) (context.Context, error) { return ctx, okError{} }, codes.Internal},
		"wrapped status OK":                 {func(ctx context.Context) (context.Context, error) { return ctx, fmt.Errorf("%w", okError{}) }, codes.Internal},
		"a nil status as an error":          {func(ctx context.Context) (context.Context, error) { return ctx, nilStatusError{} }, codes.Internal},
		"Deny with OK":                      {func(ctx context.Context) (context.Context, error) { return ctx, grpcauth.Deny(codes.OK, "come in") }, codes.Internal},
		"panic":                             {func(context.Context) (context.Context, error) { panic("boom") }, codes.Internal},
		"panic with an error":               {func(context.Context) (context.Context, error) { panic(errBackend) }, codes.Internal},
		"panic with nil":                    {func(context.Context) (context.Context, error) { panic(nothing()) }, codes.Internal},
		"panic of the Go runtime":           {func(context.Context) (context.Context, error) { return context.Background(), nilMap()["a"]() }, codes.Internal},
		"a context that cannot be compared": {func(ctx context.Context) (context.Context, error) { return sliceContext{ctx, []int{1}}, nil }, codes.OK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := keyTable()
			var decisions recordedDecisions
			interceptor := authimpl.NewServerInterceptor(table, []grpcauth.ServerOption{grpcauth.OnDecision(decisions.record)},
				authimpl.VerifyValue("x-api-key", "", func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
					return test.verify(ctx)
				}))
			served := &service{name: table.Name}
			connection := installs[0].start(t, loopback, interceptor, served)
			for _, kind := range kinds {
				before := served.runs.Load()
				err := call(sent(t, "x-api-key", "k"), connection, table.Name, kind)
				ran := served.runs.Load() - before
				if status.Code(err) != test.code || (ran == 1) != (test.code == codes.OK) {
					t.Errorf("%s: got %v, want %v; the handler ran %d times", kind, err, test.code, ran)
				}
				last := decisions.last(t)
				switch test.code {
				case codes.OK:
					if last.Reason != grpcauth.Allowed {
						t.Errorf("decided %+v", last)
					}
				case codes.Internal:
					if status.Convert(err).Message() != "access control failed" || last.Reason != grpcauth.VerifierFailed || last.Err == nil {
						t.Errorf("%s: got %v, decided %+v", kind, err, last)
					}
				default:
					if status.Convert(err).Message() != refusal.Message || last.Reason != grpcauth.Refused || last.Err == nil {
						t.Errorf("%s: got %v, decided %+v", kind, err, last)
					}
				}
				if strings.HasPrefix(name, "panic") && !strings.Contains(last.Err.Error(), "verifier_test.go") {
					t.Errorf("nobody is told where the panic was: %v", last.Err)
				}
			}
		})
	}
}

type (
	hostileContext struct{ context.Context }
	sliceContext   struct {
		context.Context

		list []int
	}
	hostileError   struct{}
	nilStatusError struct{}
)

func neither() (ctx context.Context, err error) { return ctx, err }
func nothing() any                              { return nil }
func nilMap() map[string]func() error           { return nil }

func (c *hostileContext) Value(any) any { panic("no value") }

func (hostileError) Error() string                { return "hostile" }
func (hostileError) As(any) bool                  { panic("no As") }
func (nilStatusError) Error() string              { return "nil status" }
func (nilStatusError) GRPCStatus() *status.Status { return nil }

// A context that belongs to the same call and not to this question has lost what came between: here the
// expiry that the first verifier reported.
func TestT20_AnEarlierContextOfTheSameCallIsForeign(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(
		authimpl.Header{Name: "authorization", Bearer: true}, authimpl.Header{Name: "x-api-key", Verify: authimpl.String}))
	var first context.Context
	interceptor := authimpl.NewServerInterceptor(table, nil,
		authimpl.VerifyBearer("authorization", func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
			first = ctx //nolint:fatcontext // kept on purpose
			return grpcauth.WithPrincipal(ctx, Customer{ID: "first"}), nil
		}),
		authimpl.VerifyValue("x-api-key", "", func(context.Context, grpcauth.Call, grpcauth.Secret) (context.Context, error) {
			return first, nil
		}))
	_, err := interceptor.Authorize(arrived(t, "authorization", "Bearer a", "x-api-key", "k"), table.Methods[0].FullMethod)
	if status.Code(err) != codes.Internal {
		t.Errorf("got %v", err)
	}
}

// A context that was good for one call lets no other pass, even of the same method and verifier.
func TestT20_AnotherCallsContextIsForeign(t *testing.T) {
	t.Parallel()
	table := keyTable()
	var kept context.Context
	interceptor := authimpl.NewServerInterceptor(table, nil, authimpl.VerifyValue("x-api-key", "",
		func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
			if kept == nil {
				kept = ctx //nolint:fatcontext // kept on purpose
			}
			return kept, nil
		}))
	for _, want := range []codes.Code{codes.OK, codes.Internal, codes.Internal} {
		_, err := interceptor.Authorize(arrived(t, "x-api-key", "k"), table.Methods[0].FullMethod)
		if status.Code(err) != want {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

// A verifier that bounds its own work must not hand the bounded context on: the handler's would end with it.
func TestT20_EndedContextsAreRefused(t *testing.T) {
	t.Parallel()
	table := keyTable()
	var decisions recordedDecisions
	interceptor := authimpl.NewServerInterceptor(table, []grpcauth.ServerOption{grpcauth.OnDecision(decisions.record)},
		authimpl.VerifyValue("x-api-key", "", func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			return grpcauth.WithPrincipal(ctx, Customer{ID: "1"}), nil
		}))
	_, err := interceptor.Authorize(arrived(t, "x-api-key", "k"), table.Methods[0].FullMethod)
	if last := decisions.last(t); status.Code(err) != codes.Internal || !strings.Contains(fmt.Sprint(last.Err), "cancelled or let time out") {
		t.Errorf("got %v, decided %+v", err, last)
	}
}

// What a headers' verifier did to its context is no end of the call: the alternatives are tried all the same.
func TestAVerifiersOwnTimeoutDoesNotEndTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := tableFor("test.v1.Service", authimpl.Method{
			Denial:  refusal,
			Headers: []authimpl.Header{{Name: "authorization", Bearer: true}},
			AnyOf:   [][]authimpl.Header{{{Name: "x-a", Verify: authimpl.String}}, {{Name: "x-b", Verify: authimpl.String}}},
		})
		asked := 0
		late := func(context.Context, grpcauth.Call, grpcauth.Secret) (context.Context, error) {
			asked++
			time.Sleep(2 * time.Second)
			return nil, errBackend
		}
		interceptor := authimpl.NewServerInterceptor(table, nil,
			authimpl.VerifyBearer("authorization", func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
				ctx, cancel := context.WithTimeout(ctx, time.Second)
				context.AfterFunc(t.Context(), cancel)
				return ctx, nil
			}),
			authimpl.VerifyValue("x-a", "", late), authimpl.VerifyValue("x-b", "", late))
		_, err := interceptor.Authorize(arrived(t, "authorization", "Bearer a", "x-a", "wrong", "x-b", "wrong"), table.Methods[0].FullMethod)
		if status.Code(err) != refusal.Code || asked != 2 {
			t.Errorf("got %v, and %d alternatives were tried", err, asked)
		}
	})
}

// An ended call gives its own status, and no alternative is tried for nobody.
func TestVerifiersOfAnEndedCall(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", authimpl.Method{Denial: refusal, AnyOf: [][]authimpl.Header{
		{{Name: "authorization", Bearer: true}}, {{Name: "x-api-key", Verify: authimpl.String}},
	}})
	for name, test := range map[string]struct {
		err  error
		code codes.Code
	}{
		"plain":  {errBackend, codes.Canceled},
		"status": {status.Error(codes.Unavailable, "x"), codes.Canceled},
		"Deny":   {grpcauth.Deny(codes.NotFound, "Nothing here."), codes.NotFound},
	} {
		ctx, cancel := context.WithCancel(arrived(t, "authorization", "Bearer a", "x-api-key", "k"))
		interceptor := authimpl.NewServerInterceptor(table, nil,
			authimpl.VerifyBearer("authorization", func(context.Context, grpcauth.Call, grpcauth.Secret) (context.Context, error) {
				cancel()
				return nil, test.err
			}),
			authimpl.VerifyValue("x-api-key", "", func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
				t.Errorf("%s: the second alternative is tried", name)
				return ctx, nil
			}))
		if _, err := interceptor.Authorize(ctx, table.Methods[0].FullMethod); status.Code(err) != test.code {
			t.Errorf("%s: got %v, want %v", name, err, test.code)
		}
	}
}

// Errors that users make and pass around: what they say, wrap and are.
func TestErrorsOfVerifiers(t *testing.T) {
	t.Parallel()
	deny := grpcauth.Deny(codes.PermissionDenied, "Not for you.")
	if s, ok := status.FromError(deny); !ok || s.Code() != codes.PermissionDenied || s.Message() != "Not for you." || deny.Error() != "PermissionDenied: Not for you." {
		t.Errorf("Deny: %v", deny)
	}
	unavailable := grpcauth.Unavailable(errBackend)
	if s, ok := status.FromError(unavailable); !ok || s.Code() != codes.Unavailable || strings.Contains(s.Message(), "backend") {
		t.Errorf("Unavailable: %v", s)
	}
	if !errors.Is(unavailable, errBackend) || !strings.Contains(unavailable.Error(), "backend says no") {
		t.Errorf("Unavailable: %v", unavailable)
	}
	for _, err := range []error{grpcauth.Unavailable(deny), fmt.Errorf("%w, %w", deny, unavailable), fmt.Errorf("%w, %w", unavailable, deny)} {
		table := keyTable()
		interceptor := authimpl.NewServerInterceptor(table, nil, authimpl.VerifyValue("x-api-key", "",
			func(context.Context, grpcauth.Call, grpcauth.Secret) (context.Context, error) { return nil, err }))
		_, got := interceptor.Authorize(arrived(t, "x-api-key", "k"), table.Methods[0].FullMethod)
		if s := status.Convert(got); s.Code() != codes.Unavailable || s.Message() != "the credential could not be verified" {
			t.Errorf("%v: the caller gets %v", err, got)
		}
	}
	if status.Code(grpcauth.Unavailable(nil)) != codes.Unavailable {
		t.Error("Unavailable(nil)")
	}
}

// Typed values reach their verifier with their Go type, bytes and text as a secret.
func TestVerifiersGetTypedValues(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(
		authimpl.Header{Name: "x-s", Verify: authimpl.String},
		authimpl.Header{Name: "x-b-bin", Verify: authimpl.Bytes},
		authimpl.Header{Name: "x-i", Verify: authimpl.Int64},
		authimpl.Header{Name: "x-u", Verify: authimpl.Uint64},
		authimpl.Header{Name: "x-t", Verify: authimpl.Bool},
		authimpl.Header{Name: "x-d", Verify: authimpl.Int64, Scheme: "Pin"},
		authimpl.Header{Name: "x-basic", Basic: true},
	))
	var got []string
	interceptor := authimpl.NewServerInterceptor(table, nil,
		authimpl.VerifyValue("x-s", "", remember[grpcauth.Secret](&got)), authimpl.VerifyValue("x-b-bin", "", remember[grpcauth.Secret](&got)),
		authimpl.VerifyValue("x-i", "", remember[int64](&got)), authimpl.VerifyValue("x-u", "", remember[uint64](&got)),
		authimpl.VerifyValue("x-t", "", remember[bool](&got)), authimpl.VerifyValue("x-d", "Pin", remember[int64](&got)),
		authimpl.VerifyBasic("x-basic", func(ctx context.Context, call grpcauth.Call, user string, password grpcauth.Secret) (context.Context, error) {
			got = append(got, fmt.Sprintf("%s: %s %q", call.Header, user, password.Reveal()))
			return ctx, nil
		}))
	_, err := interceptor.Authorize(arrived(t, "x-s", "text", "x-b-bin", "\x00\xff", "x-i", "-7", "x-u", "18446744073709551615",
		"x-t", "true", "x-d", "pIN 12", "x-basic", "bAsIc YWRhOmE6Yg=="), table.Methods[0].FullMethod)
	want := []string{
		`x-s: "text"`, `x-b-bin: "\x00\xff"`, "x-i: int64 -7", "x-u: uint64 18446744073709551615", "x-t: bool true", "x-d: int64 12",
		`x-basic: ada "a:b"`,
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("verifiers got %q, %v; want %q", got, err, want)
	}
}

func remember[T authimpl.Verifiable](got *[]string) func(context.Context, grpcauth.Call, T) (context.Context, error) {
	return func(ctx context.Context, call grpcauth.Call, value T) (context.Context, error) {
		if secret, ok := any(value).(grpcauth.Secret); ok {
			*got = append(*got, fmt.Sprintf("%s: %q", call.Header, secret.Reveal()))
		} else {
			*got = append(*got, fmt.Sprintf("%s: %T %v", call.Header, value, value))
		}
		return ctx, nil
	}
}
