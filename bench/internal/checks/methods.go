package checks

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	benchv1 "github.com/grpcauth/protoc-gen-go-grpcauth/bench/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/many"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/schema"
)

// served is one of the services of package many, with its interceptor.
type served struct {
	name        string
	methods     []string
	interceptor *grpcauth.ServerInterceptor
}

func single() []served {
	return []served{{
		schema.ManyPackage + ".Single", []string{schema.ManyMethod(0)}, many.NewSingleServerInterceptor(),
	}}
}

func services(n int) []served {
	methods := make([]string, 0, schema.ManyMethods)
	for i := range schema.ManyMethods {
		methods = append(methods, schema.ManyMethod(i))
	}
	var list []served
	for i, construct := range many.Constructors[:n] {
		list = append(list, served{schema.ManyPackage + "." + schema.ManyService(i), methods, construct()})
	}
	return list
}

// Methods measures what the number of methods costs: a chain of one interceptor for each service of ten methods,
// one interceptor merged of all, and Guard. Calls of all methods come in a random order.
func Methods(plan Plan) (*measure.Group, error) {
	calls, err := newArrivals()
	if err != nil {
		return nil, err
	}
	group := &measure.Group{
		Name: "methods", Title: "The check alone, by the number of guarded methods", Reference: "1 method/guard",
		Rounds: plan.Rounds, WarmUp: true, Close: calls.close,
	}
	ctx, err := calls.arrived(oneName, header, key)
	if err != nil {
		return nil, err
	}
	for _, situation := range []struct {
		name     string
		services []served
	}{
		{"1 method", single()},
		{"10 methods", services(1)},
		{"100 methods", services(10)}, //nolint:mnd // of ten methods each
		{"1000 methods", services(schema.ManyServices)},
	} {
		add := adder(group, plan, situation.name)
		var interceptors []*grpcauth.ServerInterceptor
		var chained []grpc.UnaryServerInterceptor
		var infos []*grpc.UnaryServerInfo
		var handlers []grpc.MethodHandler
		for _, one := range situation.services {
			interceptors = append(interceptors, one.interceptor)
			chained = append(chained, one.interceptor.UnaryInterceptor)
			captured := guarded(one.interceptor.Guard, one.name, one.methods, nil)
			for _, method := range one.methods {
				path := "/" + one.name + "/" + method
				infos = append(infos, &grpc.UnaryServerInfo{FullMethod: strings.Clone(path)})
				handlers = append(handlers, captured.unary[path])
			}
		}
		order := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // the same order in each run
		order.Shuffle(len(infos), func(i, j int) {
			infos[i], infos[j] = infos[j], infos[i]
			handlers[i], handlers[j] = handlers[j], handlers[i]
		})
		c := call{ctx, situation.name, codes.OK}
		add("chain", interceptedInTurn(chain(chained), infos, c))
		merged := grpcauth.MergeServerInterceptors(interceptors...)
		add("merged", interceptedInTurn(merged.UnaryInterceptor, infos, c))
		add("guard", boundInTurn(handlers, c))
	}
	return group, nil
}

// chain is what grpc.ChainUnaryInterceptor makes of several interceptors.
func chain(interceptors []grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	if len(interceptors) == 1 {
		return interceptors[0]
	}
	rest := chain(interceptors[1:])
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return interceptors[0](ctx, req, info, func(ctx context.Context, req any) (any, error) {
			return rest(ctx, req, info, handler)
		})
	}
}

// interceptedInTurn is intercepted for calls of several methods.
func interceptedInTurn(interceptor grpc.UnaryServerInterceptor, infos []*grpc.UnaryServerInfo, c call) doOften {
	next := 0
	return func(n int) error {
		var err error
		ran := 0
		handler := func(context.Context, any) (any, error) {
			ran++
			return nil, nil
		}
		for range n {
			_, err = interceptor(c.ctx, nil, infos[next], handler)
			next++
			if next == len(infos) {
				next = 0
			}
		}
		return c.verify(err, ran, n)
	}
}

// boundInTurn is bound for calls of several methods.
func boundInTurn(handlers []grpc.MethodHandler, c call) doOften {
	next := 0
	return func(n int) error {
		var err error
		counted := &runs{}
		for range n {
			_, err = handlers[next](counted, c.ctx, nil, nil)
			next++
			if next == len(handlers) {
				next = 0
			}
		}
		return c.verify(err, counted.n, n)
	}
}

// Unconcerned measures interceptors on a method of a service that they have no rules for.
func Unconcerned(plan Plan) (*measure.Group, error) {
	calls, err := newArrivals()
	if err != nil {
		return nil, err
	}
	const method = "/grpc.health.v1.Health/Check"
	group := &measure.Group{
		Name: "unconcerned", Title: "An interceptor on a method that is no concern of it", Reference: "no check",
		Rounds: plan.Rounds, WarmUp: true, Close: calls.close,
	}
	ctx, err := calls.arrived(method)
	if err != nil {
		return nil, err
	}
	c := call{ctx, method, codes.OK}
	all := make([]*grpcauth.ServerInterceptor, 0, schema.ManyServices)
	for _, one := range services(schema.ManyServices) {
		all = append(all, one.interceptor)
	}
	pass := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return handler(ctx, req)
	}
	add := adder(group, plan, "health check")
	add("no check", intercepted(pass, c))
	add("interceptor", intercepted(benchv1.NewLiteralsServerInterceptor().UnaryInterceptor, c))
	merged := grpcauth.MergeServerInterceptors(all...)
	add(fmt.Sprintf("merged of %d", len(all)), intercepted(merged.UnaryInterceptor, c))
	return group, nil
}
