package checks

import (
	"google.golang.org/grpc/codes"

	benchv1 "github.com/grpcauth/protoc-gen-go-grpcauth/bench/v1"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/peers"
)

const (
	talk   = "/" + service + "/Talk"
	tenant = "/bench.v1.Typed/Tenant"
)

// Streams measures the check of a stream as it opens.
func Streams(plan Plan) (*measure.Group, error) {
	calls, err := newArrivals()
	if err != nil {
		return nil, err
	}
	group := &measure.Group{
		Name: "stream", Title: "The check alone, of a stream as it opens", Reference: "allow/careful",
		Rounds: plan.Rounds, WarmUp: true, Close: calls.close,
	}
	for _, situation := range []struct {
		name  string
		value string
		want  codes.Code
	}{{"allow", key, codes.OK}, {"wrong", wrong, codes.Unauthenticated}} {
		plain, err := calls.arrived(talk, header, situation.value)
		if err != nil {
			return nil, err
		}
		bearer, err := calls.arrived(talk, header, "Bearer "+situation.value)
		if err != nil {
			return nil, err
		}
		one, token := call{plain, talk, situation.want}, call{bearer, talk, situation.want}
		add := adder(group, plan, situation.name)
		careful := peers.Careful(peers.Literal{Name: header, Value: key})
		ours := benchv1.NewLiteralsServerInterceptor()
		add("careful", alone(careful, one))
		add("careful, interceptor", streamIntercepted(peers.Intercept(careful).Stream, one))
		add("middleware", streamIntercepted(peers.Middleware(key).Stream, token))
		add("guard", streamBound(guarded(ours.Guard, service, nil, []string{"Talk"}).streams[talk], one))
		add("interceptor", streamIntercepted(ours.StreamInterceptor, one))
	}
	named, err := calls.arrived(tenant, "x-tenant-id", "42")
	if err != nil {
		return nil, err
	}
	typed := benchv1.NewTypedServerInterceptor()
	adder(group, plan, "typed value")("interceptor",
		streamIntercepted(typed.StreamInterceptor, call{named, tenant, codes.OK}))
	return group, nil
}
