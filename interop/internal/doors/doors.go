// Package doors serves the greeter by the generated rules, through each door that callers in other languages try.
package doors

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// The protocols that a door speaks.
const (
	GRPC    = "gRPC"
	GRPCWeb = "gRPC-Web"
	Connect = "Connect"
)

// A Door is a way to serve the greeter.
type Door struct {
	Name      string
	Protocols []string

	serve func(net.Listener, *answers) (stop func())
}

// A Server is a greeter behind a door, on a loopback port.
type Server struct {
	Address string // host:port
	Stop    func()

	answers *answers
}

// Handled is how many calls have reached a handler.
func (s *Server) Handled() int { return int(s.answers.handled.Load()) }

// All are the doors, each with what a team would install.
func All() []Door {
	every := []string{GRPC, GRPCWeb, Connect}
	return []Door{
		{"ServerOptions", []string{GRPC}, serveInterceptors},
		{"Guard", []string{GRPC}, serveGuard},
		{"connect middleware", every, serveMiddleware},
		{"connect interceptor", every, serveConnectInterceptor},
	}
}

// Open starts a server behind the door.
func (d Door) Open(ctx context.Context) (*Server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on a loopback port: %w", err)
	}
	answers := &answers{}
	return &Server{listener.Addr().String(), d.serve(listener, answers), answers}, nil
}

func serveInterceptors(listener net.Listener, answers *answers) (stop func()) {
	server := grpc.NewServer(greeterv1.NewGreeterServerInterceptor().ServerOptions()...)
	greeterv1.RegisterGreeterServer(server, grpcGreeter{answers: answers})
	return serveGRPC(server, listener)
}

func serveGuard(listener net.Listener, answers *answers) (stop func()) {
	server := grpc.NewServer()
	guard := greeterv1.NewGreeterServerInterceptor().Guard(server)
	greeterv1.RegisterGreeterServer(guard, grpcGreeter{answers: answers})
	return serveGRPC(server, listener)
}

func serveGRPC(server *grpc.Server, listener net.Listener) (stop func()) {
	reflection.Register(server)
	go server.Serve(listener) //nolint:errcheck // a server that does not serve fails every call
	return server.Stop
}

func serveMiddleware(listener net.Listener, answers *answers) (stop func()) {
	guard := connectauth.NewMiddleware(greeterv1.NewGreeterServerInterceptor())
	return serveHTTP(guard(connectHandlers(answers)), listener)
}

func serveConnectInterceptor(listener net.Listener, answers *answers) (stop func()) {
	check := connectauth.NewInterceptor(greeterv1.NewGreeterServerInterceptor())
	return serveHTTP(connectHandlers(answers, connect.WithInterceptors(check)), listener)
}

// ConnectHandlers are those of the connect doors, for one that is made elsewhere.
func ConnectHandlers(options ...connect.HandlerOption) http.Handler {
	return connectHandlers(&answers{}, options...)
}

// connectHandlers are the greeter's and those of reflection, which have no rules and are open.
func connectHandlers(answers *answers, options ...connect.HandlerOption) http.Handler {
	mux := http.NewServeMux()
	connectGreeter{answers}.register(mux, options...)
	reflector := grpcreflect.NewStaticReflector(greeterv1.Greeter_ServiceDesc.ServiceName)
	mux.Handle(grpcreflect.NewHandlerV1(reflector))
	mux.Handle(grpcreflect.NewHandlerV1Alpha(reflector))
	return mux
}

const headerTimeout = 10 * time.Second

// serveHTTP serves HTTP/1.1 and, to those who know beforehand, HTTP/2 in plaintext, which gRPC needs.
func serveHTTP(handler http.Handler, listener net.Listener) (stop func()) {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: handler, Protocols: &protocols, ReadHeaderTimeout: headerTimeout}
	go server.Serve(listener) //nolint:errcheck // a server that does not serve fails every call
	return func() { _ = server.Close() }
}
