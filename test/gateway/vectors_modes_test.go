package gateway

import (
	"context"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/vectors"
	greetergw "github.com/grpcauth/protoc-gen-go-grpcauth/test/gateway/greetergw"
)

// The services of the vectors have no generated code. A gateway is generated for the greeter, which has a method of each
// kind as well: each service gets that gateway, and its calls go to the service's methods. All messages are empty.
var greeterMethods = map[vectors.Kind]string{
	vectors.Unary:        greeterv1.Greeter_SayHello_FullMethodName,
	vectors.ServerStream: greeterv1.Greeter_RepeatHello_FullMethodName,
	vectors.ClientStream: greeterv1.Greeter_GreetTogether_FullMethodName,
	vectors.Bidi:         greeterv1.Greeter_GreetInTurn_FullMethodName,
}

// vectorMode is a way to put a gateway before the services of a file.
type vectorMode struct {
	name  string
	kinds []vectors.Kind
	serve func(t *testing.T, services []*vectors.Service) register
}

// register registers the gateway of a service.
type register func(ctx context.Context, mux *runtime.ServeMux, s *vectors.Service) error

var vectorModes = []vectorMode{
	{"dialled, interceptors", vectors.Kinds, func(t *testing.T, services []*vectors.Service) register {
		t.Helper()
		var options []grpc.ServerOption
		for _, s := range services {
			options = append(options, s.Interceptor.ServerOptions()...)
		}
		unguarded := func(_ *vectors.Service, server *grpc.Server) grpc.ServiceRegistrar { return server }
		return dialVectors(t, services, unguarded, options...)
	}},
	{"dialled, guard", vectors.Kinds, func(t *testing.T, services []*vectors.Service) register {
		t.Helper()
		return dialVectors(t, services, func(s *vectors.Service, server *grpc.Server) grpc.ServiceRegistrar {
			return s.Interceptor.Guard(server)
		})
	}},
	// In process, a gateway serves no streams.
	{"in process", []vectors.Kind{vectors.Unary}, func(*testing.T, []*vectors.Service) register {
		return func(ctx context.Context, mux *runtime.ServeMux, s *vectors.Service) error {
			return greetergw.RegisterGreeterHandlerServer(ctx, mux, &guardedVectors{service: s})
		}
	}},
}

// dialVectors serves the services with grpc, for gateways that dial it.
func dialVectors(
	t *testing.T, services []*vectors.Service, guard func(*vectors.Service, *grpc.Server) grpc.ServiceRegistrar,
	options ...grpc.ServerOption,
) register {
	t.Helper()
	connection := dial(t, func(server *grpc.Server) {
		for _, s := range services {
			guard(s, server).RegisterService(vectors.Desc(s.Name, s.Enter), s)
		}
	}, options...)
	return func(ctx context.Context, mux *runtime.ServeMux, s *vectors.Service) error {
		return greetergw.RegisterGreeterHandlerClient(ctx, mux, greeterv1.NewGreeterClient(redirected{connection, s}))
	}
}

// redirected calls the service's methods in place of the greeter's.
type redirected struct {
	connection grpc.ClientConnInterface
	to         *vectors.Service
}

func (r redirected) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return r.connection.Invoke(ctx, r.method(method), args, reply, opts...)
}

func (r redirected) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return r.connection.NewStream(ctx, desc, r.method(method), opts...)
}

func (r redirected) method(called string) string {
	for kind, method := range greeterMethods {
		if method == called {
			return fullMethod(r.to, kind)
		}
	}
	panic("no case calls " + called)
}

func fullMethod(s *vectors.Service, kind vectors.Kind) string {
	return "/" + s.Name + "/" + string(kind)
}

// guardedVectors is the wrapper that docs/transports.md asks for in process, as guardedDesk is.
type guardedVectors struct {
	greeterv1.UnimplementedGreeterServer

	service *vectors.Service
}

func (g *guardedVectors) SayHello(
	ctx context.Context, _ *greeterv1.SayHelloRequest,
) (*greeterv1.SayHelloResponse, error) {
	ctx, err := g.service.Interceptor.Authorize(ctx, fullMethod(g.service, vectors.Unary))
	if err != nil {
		return nil, err
	}
	g.service.Enter(ctx)
	return &greeterv1.SayHelloResponse{}, nil
}
