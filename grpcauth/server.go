package grpcauth

import (
	"context"
	"fmt"
	"log/slog"

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
	table table
}

// errUnlisted is what a caller of a method without a rule gets, where such methods are refused.
var errUnlisted = status.Error(codes.Unimplemented, "unknown method")

// errNotMade is what callers get from an interceptor that holds no rules.
var errNotMade = status.Error(codes.Internal, "access control is not set up")

const notMade = "grpcauth: this ServerInterceptor holds no rules: make it with the generated New...ServerInterceptor"

// newServerInterceptor is what generated constructors reach. It panics on a table that could not be
// enforced: a server must not start without its checks.
func newServerInterceptor(
	service *rules.Service, options []ServerOption, verifiers []rules.Verifier,
) *ServerInterceptor {
	settings := &serverSettings{maxValueBytes: defaultMaxValueBytes}
	for at, option := range options {
		if option == nil {
			panic(fmt.Sprintf("grpcauth: service %q: option %d is nil", service.Name, at+1))
		}
		option.applyServer(settings)
	}
	listed, err := newTable(service, settings, verifiers)
	if err != nil {
		panic(fmt.Sprintf("grpcauth: service %q: %v", service.Name, err))
	}
	if settings.reportOnly {
		slog.Warn("grpcauth: ReportOnly is set: calls are checked and reported, and every one passes",
			slog.String("service", service.Name))
	}
	return &ServerInterceptor{table: listed}
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
	rule, err := i.ruleFor(ctx, info.FullMethod)
	switch {
	case err != nil:
		return nil, err
	case rule == nil:
		return handler(ctx, req)
	}
	return rule.serveUnary(ctx, req, handler)
}

// StreamInterceptor is a [grpc.StreamServerInterceptor], for servers that order their interceptors
// themselves. Alone it leaves unary methods open; ServerOptions installs both halves.
//
// grpc does not call it for a hand-made grpc.StreamDesc that sets neither direction; Guard refuses to
// register one.
func (i *ServerInterceptor) StreamInterceptor(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	rule, err := i.ruleFor(stream.Context(), info.FullMethod)
	switch {
	case err != nil:
		return err
	case rule == nil:
		return handler(srv, stream)
	}
	return rule.serveStream(srv, stream, handler)
}

// Authorize checks a call that reaches a handler by another door, such as an in-process gateway, a test
// or a transport of one's own. ctx carries the call's incoming metadata; fullMethod is
// "/package.Service/Method". The handler must run with the context that is returned. It ends when a
// credential of the call expires; that is all that can be done here about an open stream. Until then it keeps
// a timer, so let ctx end with the call.
//
// The error is a status with the rule's code and message. Unlike the interceptors, Authorize refuses
// methods of services that it has no rules for, with UNIMPLEMENTED: whoever asks wants an answer.
func (i *ServerInterceptor) Authorize(ctx context.Context, fullMethod string) (context.Context, error) {
	if !i.made() {
		return nil, errNotMade
	}
	rule := i.table.find(fullMethod)
	if rule == nil {
		return i.table.answerUnlisted(ctx, fullMethod)
	}
	admitted, _, err := rule.admit(rules.Inner(ctx))
	if err != nil {
		return nil, err
	}
	if expiry, expires := rule.expiry(admitted); expires {
		bounded, cancel := context.WithDeadlineCause(admitted, expiry, rules.ErrExpired)
		stop := context.AfterFunc(ctx, cancel) // the call's own context ends with the call
		context.AfterFunc(bounded, func() { stop() })
		admitted = bounded
	}
	return admitted, nil
}

// ruleFor returns the rule of a method, nil for a method that passes without one, or the refusal of one
// that does not.
func (i *ServerInterceptor) ruleFor(ctx context.Context, fullMethod string) (*serverRule, error) {
	if !i.made() {
		return nil, errNotMade
	}
	if i.table.passing.holds(fullMethod) {
		return nil, nil //nolint:nilnil // "passes without a rule" is an answer
	}
	if rule := i.table.find(fullMethod); rule != nil {
		return rule, nil
	}
	return nil, i.table.refuseUnlisted(ctx, fullMethod)
}

func (i *ServerInterceptor) made() bool {
	return i != nil && i.table.methods != nil
}

func (i *ServerInterceptor) mustBeMade() {
	if !i.made() {
		panic(notMade)
	}
}
