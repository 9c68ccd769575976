package grpcauthtest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	recipesv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/recipes/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/grpcauthtest"
)

// One call through the rules of the greeter, without a server.
func ExampleContext() {
	interceptor := greeterv1.NewGreeterServerInterceptor()
	ctx := grpcauthtest.Context(context.Background(), "authorization", "43")
	_, err := interceptor.Authorize(ctx, greeterv1.Greeter_SayHello_FullMethodName)
	fmt.Println(err)

	// Output:
	// rpc error: code = Unauthenticated desc = Access denied!
}

// The caller of a refused call is not told why. A test can be.
func ExampleRecorder() {
	var recorder grpcauthtest.Recorder
	interceptor := greeterv1.NewGreeterServerInterceptor(grpcauth.OnDecision(recorder.Record))
	ctx := grpcauthtest.Context(context.Background(), "authorization", "42", "authorization", "42")
	_, err := interceptor.Authorize(ctx, greeterv1.Greeter_SayHello_FullMethodName)

	last, _ := recorder.Last() // in a test: recorder.WantLast(t, grpcauth.Repeated, "authorization")
	fmt.Println(err)
	fmt.Println(last.Reason, last.Header)

	// Output:
	// rpc error: code = Unauthenticated desc = Access denied!
	// repeated authorization
}

// Caller is what handlers of this example want to know.
type Caller struct{ Name string }

// fakeVerifier stands in for a verifier of the recipes' service. Its other methods are left out here.
type fakeVerifier struct {
	recipesv1.DeskVerifier

	told grpcauthtest.Verifier
}

func (f *fakeVerifier) VerifyAuthorizationBearer(
	ctx context.Context, call grpcauth.Call, token grpcauth.Secret,
) (context.Context, error) {
	return f.told.VerifySecret(ctx, call, token)
}

// A verifier for tests of handlers, which need a caller and no real tokens.
func ExampleVerifier() {
	verifier := &fakeVerifier{}
	verifier.told.Accept("authorization", "token-of-ada", func(ctx context.Context) context.Context {
		ctx = grpcauth.WithPrincipal(ctx, Caller{Name: "Ada"})
		return grpcauth.WithGrantedScopes(ctx, "desk.read")
	})
	interceptor := recipesv1.NewDeskServerInterceptor(verifier)

	ctx := grpcauthtest.Context(context.Background(), "authorization", "Bearer token-of-ada")
	ctx, err := interceptor.Authorize(ctx, recipesv1.Desk_WithToken_FullMethodName)
	caller, _ := grpcauth.Principal[Caller](ctx) // as the handler would ask
	fmt.Println(caller.Name, err)
	fmt.Println(verifier.told.Calls())

	// Output:
	// Ada <nil>
	// [{/recipes.v1.Desk/WithToken authorization [desk.read]}]
}

// ownVerifier is what is to be tested.
type ownVerifier struct {
	recipesv1.DeskVerifier // the methods that this example leaves out
}

func (*ownVerifier) VerifyAuthorizationBearer(
	ctx context.Context, _ grpcauth.Call, token grpcauth.Secret,
) (context.Context, error) {
	name, ok := strings.CutPrefix(token.Reveal(), "token-of-")
	if !ok {
		return nil, errors.New("no token of ours")
	}
	return grpcauth.WithGrantedScopes(grpcauth.WithPrincipal(ctx, Caller{Name: name}), "desk.read"), nil
}

// One's own verifier is tested together with the rules, so that the test also shows what callers get.
func Example_ownVerifier() {
	var recorder grpcauthtest.Recorder
	interceptor := recipesv1.NewDeskServerInterceptor(&ownVerifier{}, grpcauth.OnDecision(recorder.Record))

	for _, header := range []string{"Bearer token-of-ada", "Bearer forged", "token-of-ada"} {
		ctx := grpcauthtest.Context(context.Background(), "authorization", header)
		ctx, err := interceptor.Authorize(ctx, recipesv1.Desk_WithToken_FullMethodName)
		last, _ := recorder.Last() // in a test: recorder.WantLast(t, grpcauth.Refused, "authorization")
		if err != nil {
			fmt.Printf("%s: %v (%v: %v)\n", header, err, last.Reason, last.Err)
			continue
		}
		caller, _ := grpcauth.Principal[Caller](ctx)
		fmt.Printf("%s: %s\n", header, caller.Name)
	}

	// Output:
	// Bearer token-of-ada: ada
	// Bearer forged: rpc error: code = Unauthenticated desc = access denied (refused: no token of ours)
	// token-of-ada: rpc error: code = Unauthenticated desc = access denied (malformed: <nil>)
}
