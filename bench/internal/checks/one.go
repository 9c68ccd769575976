package checks

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"

	benchv1 "github.com/grpcauth/protoc-gen-go-grpcauth/bench/v1"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/peers"
)

// The headers of bench.proto, and one of their names with a value of the same length that is not right.
const (
	key     = "a-key-of-24-characters-1"
	wrong   = "a-key-of-24-characters-?"
	header  = "authorization"
	service = "bench.v1.Literals"
	oneName = "/" + service + "/One"
)

// Plan says how long a group takes.
type Plan struct {
	Rounds int
	Sample time.Duration
}

// One measures the check for one header: allowed, refused for a wrong value, refused for a missing one.
func One(plan Plan) (*measure.Group, error) {
	calls, err := newArrivals()
	if err != nil {
		return nil, err
	}
	group := &measure.Group{
		Name: "check", Title: "The check alone, one header", Reference: "allow/careful",
		Rounds: plan.Rounds, WarmUp: true, Close: calls.close,
	}
	for _, situation := range []struct {
		name    string
		headers []string
		bearer  []string
		denied  bool
	}{
		{"allow", []string{header, key}, []string{header, "Bearer " + key}, false},
		{"wrong", []string{header, wrong}, []string{header, "Bearer " + wrong}, true},
		{"missing", nil, nil, true},
	} {
		plain, err := calls.arrived(oneName, situation.headers...)
		if err != nil {
			return nil, err
		}
		bearer, err := calls.arrived(oneName, situation.bearer...)
		if err != nil {
			return nil, err
		}
		one := call{plain, oneName, codes.OK}
		token := call{bearer, oneName, codes.OK}
		policy := one
		if situation.denied {
			one.want, token.want, policy.want = codes.Unauthenticated, codes.Unauthenticated, codes.PermissionDenied
		}
		if err := addOne(group, plan, situation.name, one, token, policy); err != nil {
			return nil, err
		}
	}
	return group, nil
}

// addOne adds every system in one situation. The middleware's calls carry a bearer token, and grpc's policy denies
// with a code of its own.
func addOne(group *measure.Group, plan Plan, situation string, one, token, policy call) error {
	add := adder(group, plan, situation)
	literal := peers.Literal{Name: header, Value: key}
	careful, usual := peers.Careful(literal), peers.Usual(literal)
	static, err := peers.Authz(literal, oneName)
	if err != nil {
		return err
	}
	ours := benchv1.NewLiteralsServerInterceptor()
	guard := guarded(ours.Guard, service, []string{"One"}, nil)

	add("careful", alone(careful, one))
	add("careful, interceptor", intercepted(peers.Intercept(careful).Unary, one))
	add("careful, bound", bound(peers.Bind(careful, handle), one))
	add("usual", alone(usual, one))
	add("usual, interceptor", intercepted(peers.Intercept(usual).Unary, one))
	add("middleware", intercepted(peers.Middleware(key).Unary, token))
	add("middleware, selector", intercepted(peers.Selected(key).Unary, token))
	add("authz", intercepted(static.Unary, policy))
	add("guard", bound(guard.unary[oneName], one))
	add("interceptor", intercepted(ours.UnaryInterceptor, one))
	add("authorize", alone(func(ctx context.Context) error {
		_, err := ours.Authorize(ctx, oneName)
		return err
	}, one))
	return nil
}
