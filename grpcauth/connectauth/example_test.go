package connectauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"connectrpc.com/connect"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	recipesv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/recipes/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// newGreeterHandler stands for the constructor that protoc-gen-connect-go writes.
func newGreeterHandler(options ...connect.HandlerOption) (string, http.Handler) {
	hello := connect.NewUnaryHandler(greeterv1.Greeter_SayHello_FullMethodName,
		func(_ context.Context, req *connect.Request[greeterv1.SayHelloRequest]) (*connect.Response[greeterv1.SayHelloResponse], error) {
			return connect.NewResponse(&greeterv1.SayHelloResponse{Greeting: "Hello " + req.Msg.GetName() + "!"}), nil
		}, options...)
	return "/greeter.v1.Greeter/", hello
}

// sayHello returns the greeting, or why there is none.
func sayHello(client connect.HTTPClient, url string, options ...connect.ClientOption) any {
	caller := connect.NewClient[greeterv1.SayHelloRequest, greeterv1.SayHelloResponse](
		client, url+greeterv1.Greeter_SayHello_FullMethodName, options...)
	response, err := caller.CallUnary(context.Background(), connect.NewRequest(&greeterv1.SayHelloRequest{Name: "Ada"}))
	if err != nil {
		return err
	}
	return response.Msg.GetGreeting()
}

func ExampleNewMiddleware() {
	mux := http.NewServeMux()
	path, handler := newGreeterHandler()

	guard := connectauth.NewMiddleware(greeterv1.NewGreeterServerInterceptor())
	mux.Handle(path, guard(handler))

	server := httptest.NewServer(mux)
	defer server.Close()
	fmt.Println(sayHello(server.Client(), server.URL))
	fmt.Println(sayHello(server.Client(), server.URL,
		connect.WithInterceptors(connectauth.NewClientInterceptor(greeterv1.NewGreeterClientInterceptor()))))
	// Output:
	// unauthenticated: Access denied!
	// Hello Ada!
}

func ExampleNewInterceptor() {
	logging := connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			response, err := next(ctx, req)
			fmt.Println("log:", err)
			return response, err
		}
	})
	mux := http.NewServeMux()

	check := connectauth.NewInterceptor(greeterv1.NewGreeterServerInterceptor())
	path, handler := newGreeterHandler(connect.WithInterceptors(logging, check))
	mux.Handle(path, handler)

	server := httptest.NewServer(mux)
	defer server.Close()
	fmt.Println(sayHello(server.Client(), server.URL))
	// Output:
	// log: unauthenticated: Access denied!
	// unauthenticated: Access denied!
}

func ExampleClientInterceptor_HTTPClient() {
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println("the server got:", r.Header.Get("Authorization"))
	}))
	defer server.Close()
	url := server.URL
	credentials := recipesv1.DeskCredentials{AuthorizationBearer: grpcauth.Static(grpcauth.NewSecret("token"))}
	httpClient := server.Client()

	auth := connectauth.NewClientInterceptor(recipesv1.NewDeskClientInterceptor(credentials))
	client := connect.NewClient[recipesv1.WithTokenRequest, recipesv1.WithTokenResponse](
		auth.HTTPClient(httpClient), url+recipesv1.Desk_WithToken_FullMethodName, connect.WithInterceptors(auth))

	_, err := client.CallUnary(context.Background(), connect.NewRequest(&recipesv1.WithTokenRequest{}))
	var refused *connect.Error
	fmt.Println(errors.As(err, &refused))
	// Output:
	// the server got: Bearer token
	// true
}
