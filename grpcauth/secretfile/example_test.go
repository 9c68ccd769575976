package secretfile_test

import (
	"context"
	"fmt"
	"os"

	recipesv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/recipes/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/grpcauthtest"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/secretfile"
)

// verifier is one of the recipes' service. Its other methods are left out here.
type verifier struct {
	recipesv1.DeskVerifier

	keys *secretfile.Keys
}

func (v *verifier) VerifyXApiKey(
	ctx context.Context, call grpcauth.Call, value grpcauth.Secret,
) (context.Context, error) {
	return v.keys.Verify(ctx, call, value)
}

// A key rotates at both ends, and neither restarts.
func Example() {
	dir, err := os.MkdirTemp("", "secretfile")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	serverFile, clientFile := dir+"/keys", dir+"/key"
	put := func(path, content string) { // beside the old file and then in its place, as Kubernetes does
		os.WriteFile(path+".new", []byte(content), 0o600)
		os.Rename(path+".new", path)
	}
	put(serverFile, "spring\n")
	put(clientFile, "spring\n")

	keys, err := secretfile.NewKeys(serverFile)
	if err != nil {
		panic(err) // a server does not start without keys
	}
	server := recipesv1.NewDeskServerInterceptor(&verifier{keys: keys})

	// For recipesv1.NewDeskClientInterceptor.
	client := recipesv1.DeskCredentials{XApiKey: secretfile.Source(clientFile)}

	call := func(when string) {
		ctx := context.Background()
		key, err := client.XApiKey(ctx, grpcauth.Call{})
		if err == nil {
			ctx = grpcauthtest.Context(ctx, "x-api-key", key.Reveal())
			_, err = server.Authorize(ctx, recipesv1.Desk_WithKey_FullMethodName)
		}
		fmt.Printf("%s: %s, error: %v\n", when, key.Reveal(), err)
	}
	call("before")
	put(serverFile, "spring\nsummer\n")
	call("server accepts both")
	put(clientFile, "summer\n")
	call("client sends the new one")
	put(serverFile, "summer\n")
	call("server accepts the new one only")

	// Output:
	// before: spring, error: <nil>
	// server accepts both: spring, error: <nil>
	// client sends the new one: summer, error: <nil>
	// server accepts the new one only: summer, error: <nil>
}
