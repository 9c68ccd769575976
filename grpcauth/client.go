package grpcauth

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// ClientInterceptor supplies the metadata that methods require, and only to methods that require it. A
// generated constructor makes it. It is safe for concurrent use.
//
// Values travel as per-RPC credentials, so they are fetched for each attempt at a call. A value that the
// caller put in the outgoing metadata under a name that this client supplies is replaced, never doubled.
// The caller's own [grpc.PerRPCCredentials] call option is kept beside ours, ours winning on a shared
// key. Two things are out of its sight and would double a header, which the server then refuses:
// interceptors that run later and append the same name, and grpc.WithPerRPCCredentials on the connection.
type ClientInterceptor struct {
	methods map[string]*clientRule // by full method
}

// newClientInterceptor is what generated constructors reach.
func newClientInterceptor(
	service *rules.Service, options []ClientOption, suppliers []rules.Supplier,
) *ClientInterceptor {
	compiled, err := rules.Compile(service)
	if err != nil {
		panic(fmt.Sprintf("grpcauth: service %q: %v", service.Name, err))
	}
	interceptor := &ClientInterceptor{methods: make(map[string]*clientRule, len(compiled))}
	for _, rule := range compiled {
		made, err := newClientRule(rule, suppliers)
		if err != nil {
			panic(fmt.Sprintf("grpcauth: service %q: method %q: %v", service.Name, rule.FullMethod, err))
		}
		if made != nil {
			interceptor.methods[rule.FullMethod] = made
		}
	}
	for _, option := range options {
		option.applyClient(interceptor)
	}
	return interceptor
}

// DialOptions returns both interceptors, chained after those of earlier options:
//
//	conn, err := grpc.NewClient(target, append(interceptor.DialOptions(), transport)...)
func (i *ClientInterceptor) DialOptions() []grpc.DialOption {
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

// clientRule is what one method's calls need, made once.
type clientRule struct {
	creds   *callCredentials
	option  grpc.CallOption
	lacking []lacking // headers whose source the user left nil
}

// lacking is a header that this client cannot supply, with the error for a call without it.
type lacking struct {
	header string
	err    error
}

// newClientRule returns nil for a method that needs nothing from a client.
func newClientRule(rule *rules.Rule, suppliers []rules.Supplier) (*clientRule, error) {
	required := rule.Required()
	if len(required) == 0 {
		return nil, nil //nolint:nilnil // "nothing to do" is no error
	}
	made := &clientRule{creds: &callCredentials{fullMethod: rule.FullMethod}}
	for _, header := range required {
		if header.Literal != "" {
			made.creds.values = append(made.creds.values, suppliedValue{required: header})
			continue
		}
		supplier := supplierOf(header.Name, suppliers)
		switch {
		case supplier == nil:
			return nil, fmt.Errorf("header %q has no supplier", header.Name)
		case supplier.Fetch == nil:
			made.lacking = append(made.lacking, lacking{
				header: header.Name,
				err: localError(rule.FullMethod, header.Name,
					"this client has no value for it: set "+supplier.Field),
			})
		default:
			made.creds.values = append(made.creds.values, suppliedValue{required: header, fetch: supplier.Fetch})
		}
	}
	made.option = grpc.PerRPCCredentials(made.creds)
	return made, nil
}

func supplierOf(header string, suppliers []rules.Supplier) *rules.Supplier {
	for i := range suppliers {
		if suppliers[i].Header == header {
			return &suppliers[i]
		}
	}
	return nil
}

// prepare arranges for a call's values to be sent. It fails where the call would lack one.
func (r *clientRule) prepare(
	ctx context.Context, opts []grpc.CallOption,
) (context.Context, []grpc.CallOption, error) {
	outgoing, present := metadata.FromOutgoingContext(ctx)
	for _, lacking := range r.lacking {
		if len(outgoing[lacking.header]) == 0 { // else the caller supplies it itself
			return nil, nil, lacking.err
		}
	}
	if present && r.creds.removeFrom(outgoing) {
		ctx = metadata.NewOutgoingContext(ctx, outgoing)
	}
	option := r.option
	if callers := callersCredentials(opts); callers != nil {
		option = grpc.PerRPCCredentials(&composedCredentials{ours: r.creds, callers: callers})
	}
	// The slice may be the caller's own: appending in its spare room would be a data race.
	return ctx, append(slices.Clip(opts), option), nil
}

// callersCredentials returns the credentials that grpc would use without us: those of the last option.
func callersCredentials(opts []grpc.CallOption) credentials.PerRPCCredentials {
	for _, opt := range slices.Backward(opts) {
		switch option := opt.(type) {
		case grpc.PerRPCCredsCallOption:
			return option.Creds
		case *grpc.PerRPCCredsCallOption:
			return option.Creds
		}
	}
	return nil
}
