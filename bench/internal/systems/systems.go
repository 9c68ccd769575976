// Package systems holds whole servers, each with another check in front of the same service.
package systems

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	benchv1 "github.com/grpcauth/protoc-gen-go-grpcauth/bench/v1"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/peers"
)

// The header that every system asks for, and two values of it.
const (
	Header = "authorization"
	Right  = "a-key-of-24-characters-1"
	Wrong  = "a-key-of-24-characters-?"
)

// System is a way to check calls.
type System struct {
	Name    string
	options []grpc.ServerOption
	guard   func(grpc.ServiceRegistrar) grpc.ServiceRegistrar // nil: the service is registered as it is
	bearer  bool                                              // the value travels as a bearer token
	local   bool                                              // needs addresses of a network
}

// Names of the systems.
const (
	None        = "none"
	Careful     = "careful"
	Usual       = "usual"
	Middleware  = "middleware"
	Selected    = "middleware, selector"
	Authz       = "authz"
	Guard       = "guard"
	Interceptor = "interceptor"
)

// All are the systems. The first one checks nothing.
func All() ([]System, error) {
	literal := peers.Literal{Name: Header, Value: Right}
	static, err := peers.Authz(literal, "/bench.v1.Literals/*")
	if err != nil {
		return nil, err
	}
	ours := benchv1.NewLiteralsServerInterceptor()
	return []System{
		{Name: None},
		{Name: Careful, options: chained(peers.Intercept(peers.Careful(literal)))},
		{Name: Usual, options: chained(peers.Intercept(peers.Usual(literal)))},
		{Name: Middleware, options: chained(peers.Middleware(Right)), bearer: true},
		{Name: Selected, options: chained(peers.Selected(Right)), bearer: true},
		{Name: Authz, options: chained(static), local: true},
		{Name: Guard, guard: ours.Guard},
		{Name: Interceptor, options: ours.ServerOptions()},
	}, nil
}

// Named is one of All.
func Named(name string) (System, error) {
	all, err := All()
	if err != nil {
		return System{}, err
	}
	for _, system := range all {
		if system.Name == name {
			return system, nil
		}
	}
	return System{}, fmt.Errorf("no system is called %q", name)
}

func chained(interceptors peers.Interceptors) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(interceptors.Unary), grpc.ChainStreamInterceptor(interceptors.Stream),
	}
}

// NeedsNetwork is true of a system that refuses calls by connections in memory.
func (s System) NeedsNetwork() bool { return s.local }

// Serve starts a server. Stop it.
func (s System) Serve(listener net.Listener) *grpc.Server {
	server := grpc.NewServer(s.options...)
	var registrar grpc.ServiceRegistrar = server
	if s.guard != nil {
		registrar = s.guard(server)
	}
	benchv1.RegisterLiteralsServer(registrar, service{})
	go func() { _ = server.Serve(listener) }()
	return server
}

// Outgoing is the context of a call with a value of the header, in the form that the system reads.
func (s System) Outgoing(value string) context.Context {
	if s.bearer {
		value = "Bearer " + value
	}
	return metadata.AppendToOutgoingContext(context.Background(), Header, value)
}

// service answers at once.
type service struct {
	benchv1.UnimplementedLiteralsServer
}

func (service) One(context.Context, *benchv1.OneRequest) (*benchv1.OneResponse, error) {
	return &benchv1.OneResponse{}, nil
}

func (service) Upload(stream grpc.ClientStreamingServer[benchv1.UploadRequest, benchv1.UploadResponse]) error {
	for {
		switch _, err := stream.Recv(); {
		case errors.Is(err, io.EOF):
			return stream.SendAndClose(&benchv1.UploadResponse{}) //nolint:wrapcheck // as handlers return it
		case err != nil:
			return err //nolint:wrapcheck // a status, as handlers return it
		}
	}
}

func (service) Talk(grpc.BidiStreamingServer[benchv1.TalkRequest, benchv1.TalkResponse]) error {
	return nil
}
