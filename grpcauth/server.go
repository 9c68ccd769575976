package grpcauth

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// ServerInterceptor refuses calls that lack what their method requires. A generated constructor makes
// it; one that was made otherwise refuses every call. It is safe for concurrent use.
//
// Install it with [ServerInterceptor.ServerOptions] or [ServerInterceptor.Guard], not with both: each
// covers unary and all streaming methods, and together they check twice.
type ServerInterceptor struct {
	table        table
	denyUnlisted bool
	except       map[string]bool // full service names that DenyUnlisted lets pass
}

// errUnlisted is what a caller of a method without a rule gets, where such methods are refused.
var errUnlisted = status.Error(codes.Unimplemented, "unknown method")

// errNotMade is what callers get from an interceptor that holds no rules.
var errNotMade = status.Error(codes.Internal, "access control is not set up")

const notMade = "grpcauth: this ServerInterceptor holds no rules: make it with the generated New...ServerInterceptor"

// newServerInterceptor is what generated constructors reach. It panics on a table that could not be
// enforced: a server must not start without its checks.
func newServerInterceptor(service *rules.Service, options []ServerOption) *ServerInterceptor {
	listed, err := newTable(service)
	if err != nil {
		panic(fmt.Sprintf("grpcauth: service %q: %v", service.Name, err))
	}
	interceptor := &ServerInterceptor{table: listed}
	for _, option := range options {
		option.applyServer(interceptor)
	}
	return interceptor
}

// ServerOptions returns both interceptors, chained after those of earlier options:
//
//	server := grpc.NewServer(interceptor.ServerOptions()...)
//
// It panics if the interceptor was not made by a generated constructor.
func (i *ServerInterceptor) ServerOptions() []grpc.ServerOption {
	i.mustBeMade()
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(i.UnaryInterceptor),
		grpc.ChainStreamInterceptor(i.StreamInterceptor),
	}
}

// UnaryInterceptor is a [grpc.UnaryServerInterceptor], for servers that order their interceptors
// themselves. Alone it leaves streaming methods open; ServerOptions installs both halves.
func (i *ServerInterceptor) UnaryInterceptor(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	admitted, _, err := i.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handler(admitted, req)
}

// StreamInterceptor is a [grpc.StreamServerInterceptor], for servers that order their interceptors
// themselves. Alone it leaves unary methods open; ServerOptions installs both halves.
//
// grpc does not call it for a hand-made grpc.StreamDesc that sets neither direction; Guard refuses to
// register one.
func (i *ServerInterceptor) StreamInterceptor(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	admitted, changed, err := i.admit(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return handler(srv, withContext(stream, admitted, changed))
}

// Authorize checks a call that reaches a handler by another door, such as an in-process gateway, a test
// or a transport of one's own. ctx carries the call's incoming metadata; fullMethod is
// "/package.Service/Method". The handler must run with the context that is returned.
//
// The error is a status with the rule's code and message. Unlike the interceptors, Authorize refuses
// methods of services that it has no rules for, with UNIMPLEMENTED: whoever asks wants an answer.
func (i *ServerInterceptor) Authorize(ctx context.Context, fullMethod string) (context.Context, error) {
	if !i.made() {
		return nil, errNotMade
	}
	rule := i.table.find(fullMethod)
	if rule == nil {
		return nil, errUnlisted
	}
	admitted, _, err := rule.admit(ctx)
	if err != nil {
		return nil, err
	}
	return admitted, nil
}

// admit is the check of both interceptors. Methods of other services pass, unless DenyUnlisted is set.
func (i *ServerInterceptor) admit(ctx context.Context, fullMethod string) (context.Context, bool, error) {
	if !i.made() {
		return nil, false, errNotMade
	}
	if rule := i.table.find(fullMethod); rule != nil {
		return rule.admit(ctx)
	}
	if i.table.owns(fullMethod) || (i.denyUnlisted && !i.excepted(fullMethod)) {
		return nil, false, errUnlisted
	}
	return ctx, false, nil
}

// excepted is true for the methods of a service that DenyUnlisted names.
func (i *ServerInterceptor) excepted(fullMethod string) bool {
	service, ok := serviceOf(fullMethod)
	return ok && i.except[service]
}

func (i *ServerInterceptor) made() bool {
	return i != nil && i.table.methods != nil
}

func (i *ServerInterceptor) mustBeMade() {
	if !i.made() {
		panic(notMade)
	}
}

// serverRule is one method's rule with the refusal that its callers get, made once.
type serverRule struct {
	rule   *rules.Rule
	denied error
}

func newServerRule(rule *rules.Rule) *serverRule {
	return &serverRule{rule: rule, denied: status.Error(rule.Denial.Code, rule.Denial.Message)}
}

// admit returns the context for the handler, whether it differs from ctx, and the refusal if there is
// one. Only a verdict that says Allowed lets a call pass.
func (r *serverRule) admit(ctx context.Context) (context.Context, bool, error) {
	admitted, changed, verdict := r.rule.Check(ctx)
	if verdict.Reason != rules.Allowed {
		return nil, false, r.denied
	}
	return admitted, changed, nil
}
