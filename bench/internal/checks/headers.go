package checks

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"

	benchv1 "github.com/grpcauth/protoc-gen-go-grpcauth/bench/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/peers"
)

// literals are the headers that bench.proto asks for, in its order, from authorization to x-key-8.
func literals(n int) []peers.Literal {
	list := []peers.Literal{{Name: header, Value: key}}
	for i := 2; i <= n; i++ {
		list = append(list, peers.Literal{
			Name: fmt.Sprintf("x-key-%d", i), Value: fmt.Sprintf("a-key-of-24-characters-%d", i),
		})
	}
	return list
}

// pairs are literals as a client adds them to a call.
func pairs(literals []peers.Literal) []string {
	var list []string
	for _, one := range literals {
		list = append(list, one.Name, one.Value)
	}
	return list
}

// Headers measures rules of several headers, of alternatives, and one with a verifier that accepts everything.
func Headers(plan Plan) (*measure.Group, error) {
	calls, err := newArrivals()
	if err != nil {
		return nil, err
	}
	group := &measure.Group{
		Name: "headers", Title: "The check alone, by what a method asks for", Reference: "careful",
		Rounds: plan.Rounds, WarmUp: true, Close: calls.close,
	}
	const four, eight = 4, 8
	second := literals(2)[1:] //nolint:mnd // the second alternative
	for _, situation := range []struct {
		name, method string
		careful      func(context.Context) error
		headers      []peers.Literal
	}{
		{"one", "One", peers.Careful(literals(1)[0]), literals(1)},
		{"four", "Four", peers.CarefulAll(literals(four)), literals(four)},
		{"eight", "Eight", peers.CarefulAll(literals(eight)), literals(eight)},
		{"first alternative", "AnyOf", either(literals(1)[0], second[0]), literals(1)},
		{"second alternative", "AnyOf", either(literals(1)[0], second[0]), second},
	} {
		fullMethod := "/" + service + "/" + situation.method
		ctx, err := calls.arrived(fullMethod, pairs(situation.headers)...)
		if err != nil {
			return nil, err
		}
		c := call{ctx, fullMethod, codes.OK}
		add := adder(group, plan, situation.name)
		ours := benchv1.NewLiteralsServerInterceptor()
		add("careful", alone(situation.careful, c))
		add("guard", bound(guarded(ours.Guard, service, []string{situation.method}, nil).unary[fullMethod], c))
		add("interceptor", intercepted(ours.UnaryInterceptor, c))
	}
	const method = "/bench.v1.Tokens/Bearer"
	ctx, err := calls.arrived(method, header, "Bearer "+key)
	if err != nil {
		return nil, err
	}
	c := call{ctx, method, codes.OK}
	add := adder(group, plan, "bearer token")
	ours := benchv1.NewTokensServerInterceptor(anyone{})
	add("middleware", intercepted(peers.Middleware(key).Unary, c))
	add("guard", bound(guarded(ours.Guard, "bench.v1.Tokens", []string{"Bearer"}, nil).unary[method], c))
	add("interceptor", intercepted(ours.UnaryInterceptor, c))
	return group, nil
}

// adder adds variants to a group, for one situation.
func adder(group *measure.Group, plan Plan, situation string) func(system string, do doOften) {
	return func(system string, do doOften) {
		group.Variants = append(group.Variants, measure.Loop(situation+"/"+system, plan.Sample, do))
	}
}

// either is the careful check for one of two headers.
func either(first, second peers.Literal) func(context.Context) error {
	one, other := peers.Careful(first), peers.Careful(second)
	return func(ctx context.Context) error {
		if one(ctx) == nil {
			return nil
		}
		return other(ctx)
	}
}

// anyone is a verifier that does nothing.
type anyone struct{}

func (anyone) VerifyAuthorizationBearer(
	ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret,
) (context.Context, error) {
	return ctx, nil
}
