package grpcauth

import (
	"context"
	"slices"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/bridge"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// openDoors is called by init, for transports other than grpc's.
func openDoors() {
	bridge.MustBeMade = func(interceptor any) {
		switch made := interceptor.(type) {
		case *ServerInterceptor:
			made.mustBeMade()
		case *ClientInterceptor:
			made.mustBeMade()
		}
	}
	bridge.FindListed = func(interceptor any, fullMethod string) bridge.Check {
		//nolint:forcetypeassert // see package bridge
		if rule := interceptor.(*ServerInterceptor).table.find(fullMethod); rule != nil {
			return doorCheck{rule}
		}
		return nil
	}
	bridge.FindCheck = func(ctx context.Context, interceptor any, fullMethod string) (bridge.Check, error) {
		//nolint:forcetypeassert // as above
		rule, err := interceptor.(*ServerInterceptor).ruleFor(ctx, fullMethod)
		if rule == nil {
			return nil, err
		}
		return doorCheck{rule}, nil
	}
	bridge.FindSupply = func(interceptor any, fullMethod string) bridge.Supply {
		//nolint:forcetypeassert // as above
		if rule := interceptor.(*ClientInterceptor).methods[fullMethod]; rule != nil {
			return doorSupply{rule}
		}
		return nil
	}
}

// doorCheck is a bridge.Check.
type doorCheck struct{ rule *serverRule }

func (c doorCheck) Admit(ctx context.Context) (context.Context, error) {
	admitted, _, err := c.rule.admit(rules.Inner(ctx))
	return admitted, err
}

func (c doorCheck) Expiry(admitted context.Context) (time.Time, bool) { return c.rule.expiry(admitted) }

func (c doorCheck) Challenges() []string { return c.rule.evaluator.Challenges() }

// doorSupply is a bridge.Supply.
type doorSupply struct{ rule *clientRule }

func (s doorSupply) Prepare(outgoing metadata.MD) error {
	for _, lacking := range s.rule.lacking {
		if !lacking.in(outgoing) {
			return lacking.err
		}
	}
	s.rule.creds.removeFrom(outgoing)
	return nil
}

func (s doorSupply) NeedsPrivacy() bool {
	values := slices.Concat(s.rule.creds.headers, slices.Concat(s.rule.creds.anyOf...))
	return !s.rule.creds.allowInsecure &&
		slices.ContainsFunc(values, func(v suppliedValue) bool { return v.required.Secret() })
}

func (s doorSupply) Values(ctx context.Context, private bool) (map[string]string, error) {
	return s.rule.creds.values(ctx, s.rule.creds.allowInsecure || private)
}
