package tokensource_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	recipesv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/recipes/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/tokensource"
)

// A client that gets its tokens from a token endpoint, and keeps each until shortly before it expires.
func ExampleNew() {
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"access_token": "ab.cd.ef", "token_type": "Bearer", "expires_in": 300}`)
	}))
	defer endpoint.Close()

	// x/oauth2's own client has no timeout, and the context is that of the program, not of a call.
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Timeout: 10 * time.Second})
	config := clientcredentials.Config{
		ClientID:     "greeter-client",
		ClientSecret: "s3cr3t",
		TokenURL:     endpoint.URL,
	}
	sources := recipesv1.DeskCredentials{
		AuthorizationBearer: tokensource.New(config.TokenSource(ctx)),
	}
	connection, err := grpc.NewClient("desk.example.com:443", append(
		recipesv1.NewDeskClientInterceptor(sources).DialOptions(),
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(nil, "")),
	)...)
	if err != nil {
		panic(err)
	}
	defer connection.Close()

	// What each attempt at a call asks for:
	token, err := sources.AuthorizationBearer(ctx, grpcauth.Call{Header: "authorization"})
	fmt.Println(token, token.Reveal(), err)

	// Output:
	// [redacted] ab.cd.ef <nil>
}
