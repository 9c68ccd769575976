package grpcauth

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
)

// Guard returns a registrar that binds the check to the handlers of a service as it is registered:
//
//	greeterv1.RegisterGreeterServer(interceptor.Guard(server), implementation)
//
// The check then covers unary and streaming methods, does not depend on the path of a call, and refuses
// before the request message is received and decoded. The server's unary interceptors run after it and
// do not see a refusal; stream interceptors run before it, and return before the handler does where a stream
// ends because its credential expires (see [WithExpiry]). A server with an [grpc.UnknownServiceHandler] needs
// ServerOptions.
//
// Registering panics, and says why, on a service that the interceptor has no rules for, on a method
// missing from its rules (the generated code is older than the service), and on a hand-made stream
// description with neither direction set. Guard itself panics if s is nil or if the interceptor was not
// made by a generated constructor.
func (i *ServerInterceptor) Guard(s grpc.ServiceRegistrar) grpc.ServiceRegistrar {
	i.mustBeMade()
	if s == nil {
		panic("grpcauth: Guard needs a grpc.ServiceRegistrar such as *grpc.Server, not nil")
	}
	return &guardedRegistrar{interceptor: i, next: s}
}

type guardedRegistrar struct {
	interceptor *ServerInterceptor
	next        grpc.ServiceRegistrar
}

// RegisterService registers a copy of desc whose handlers check each call first.
func (g *guardedRegistrar) RegisterService(desc *grpc.ServiceDesc, implementation any) {
	if !g.interceptor.table.lists(desc.ServiceName) {
		panic(fmt.Sprintf("grpcauth: this interceptor has rules for %q and none for service %q: "+
			"register that service without Guard, or with the Guard of its own interceptor",
			g.interceptor.table.names(), desc.ServiceName))
	}
	guarded := *desc
	guarded.Methods = make([]grpc.MethodDesc, 0, len(desc.Methods))
	for _, method := range desc.Methods {
		rule := g.mustFind(desc.ServiceName, method.MethodName)
		method.Handler = guardUnary(rule, method.Handler)
		guarded.Methods = append(guarded.Methods, method)
	}
	guarded.Streams = make([]grpc.StreamDesc, 0, len(desc.Streams))
	for _, stream := range desc.Streams {
		rule := g.mustFind(desc.ServiceName, stream.StreamName)
		if !stream.ClientStreams && !stream.ServerStreams {
			panic(fmt.Sprintf("grpcauth: stream %q of service %q sets neither ClientStreams nor ServerStreams; "+
				"grpc would let it past stream interceptors", stream.StreamName, desc.ServiceName))
		}
		stream.Handler = guardStream(rule, stream.Handler)
		guarded.Streams = append(guarded.Streams, stream)
	}
	g.next.RegisterService(&guarded, implementation)
}

// mustFind panics where a method has no rule: a server must not start with an open method.
func (g *guardedRegistrar) mustFind(service, method string) *serverRule {
	rule := g.interceptor.table.find("/" + service + "/" + method)
	if rule == nil {
		panic(fmt.Sprintf("grpcauth: method %q of service %q has no rule in the generated code: "+
			"it is older than the .proto file; generate it again", method, service))
	}
	return rule
}

func guardUnary(rule *serverRule, handler grpc.MethodHandler) grpc.MethodHandler {
	return func(
		srv any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor,
	) (any, error) {
		return rule.serveUnary(ctx, nil, func(admitted context.Context, _ any) (any, error) {
			return handler(srv, admitted, decode, interceptor)
		})
	}
}

func guardStream(rule *serverRule, handler grpc.StreamHandler) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) error {
		return rule.serveStream(srv, stream, handler)
	}
}
