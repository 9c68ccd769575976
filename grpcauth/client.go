package grpcauth

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// ClientInterceptor supplies the metadata that methods require, and only to methods that require it. A
// generated constructor makes it. It is safe for concurrent use.
//
// Values travel as per-RPC credentials, so they are fetched for each attempt at a call. Where a rule has
// alternatives, the first one is sent whose sources are all set and have a value for the attempt. Credentials
// (`bearer`, `basic`, `verify`) need a connection with privacy and integrity, unless
// [AllowInsecureTransport] is given.
//
// A value that the caller put in the outgoing metadata under a name that this client supplies is replaced,
// never doubled. What this client has no source for, the caller may put there itself. The caller's own
// [grpc.PerRPCCredentials] call option is kept beside ours, ours winning on a shared key; wrapped in a call
// option of another type, it is lost. Two things are out of sight and would double a header, which the server
// then refuses: interceptors that run later and append the same name, and grpc.WithPerRPCCredentials on the
// connection.
type ClientInterceptor struct {
	services map[string]bool        // full names
	methods  map[string]*clientRule // by full method
}

// newClientInterceptor is what generated constructors reach.
func newClientInterceptor(
	service *rules.Service, options []ClientOption, suppliers []rules.Supplier,
) *ClientInterceptor {
	compiled, err := rules.Compile(service)
	if err != nil {
		panic(fmt.Sprintf("grpcauth: service %q: %v", service.Name, err))
	}
	var settings clientSettings
	for at, option := range options {
		if option == nil {
			panic(fmt.Sprintf("grpcauth: service %q: option %d is nil", service.Name, at+1))
		}
		option.applyClient(&settings)
	}
	interceptor := &ClientInterceptor{
		services: map[string]bool{service.Name: true},
		methods:  make(map[string]*clientRule, len(compiled)),
	}
	for _, rule := range compiled {
		made, err := newClientRule(rule, suppliers, settings)
		if err != nil {
			panic(fmt.Sprintf("grpcauth: service %q: method %q: %v", service.Name, rule.FullMethod, err))
		}
		if made != nil {
			interceptor.methods[rule.FullMethod] = made
		}
	}
	return interceptor
}

// DialOptions returns both interceptors, chained after those of earlier options:
//
//	conn, err := grpc.NewClient(target, append(interceptor.DialOptions(), transport)...)
//
// It panics if the interceptor was not made by a generated constructor.
func (i *ClientInterceptor) DialOptions() []grpc.DialOption {
	i.mustBeMade()
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(i.UnaryInterceptor),
		grpc.WithChainStreamInterceptor(i.StreamInterceptor),
	}
}

// UnaryInterceptor is a [grpc.UnaryClientInterceptor], for clients that order their interceptors
// themselves. DialOptions installs both halves.
func (i *ClientInterceptor) UnaryInterceptor(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn,
	invoker grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	if rule := i.methods[method]; rule != nil {
		var err error
		if ctx, opts, err = rule.prepare(ctx, opts); err != nil {
			return err
		}
	}
	return invoker(ctx, method, req, reply, conn, opts...)
}

// StreamInterceptor is a [grpc.StreamClientInterceptor], for clients that order their interceptors
// themselves. DialOptions installs both halves.
func (i *ClientInterceptor) StreamInterceptor(
	ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string,
	streamer grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	if rule := i.methods[method]; rule != nil {
		var err error
		if ctx, opts, err = rule.prepare(ctx, opts); err != nil {
			return nil, err
		}
	}
	return streamer(ctx, desc, conn, method, opts...)
}

func (i *ClientInterceptor) mustBeMade() {
	if i == nil || i.methods == nil {
		panic("grpcauth: this ClientInterceptor supplies nothing: make it with the generated New...ClientInterceptor")
	}
}
