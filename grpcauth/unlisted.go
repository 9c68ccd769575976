package grpcauth

import (
	"context"

	"google.golang.org/grpc/codes"
)

// refuseUnlisted is the interceptors' answer for a method without a rule: nil for one that passes. An
// unknown method of a listed service is refused; methods of other services pass, unless DenyUnlisted is set.
func (t *table) refuseUnlisted(ctx context.Context, fullMethod string) error {
	deciders := t.owners(fullMethod)
	if len(deciders) == 0 {
		deciders = t.deniers(fullMethod)
	}
	if len(deciders) == 0 {
		t.passing.add(fullMethod)
	}
	return decideUnlisted(ctx, fullMethod, deciders)
}

// answerUnlisted is Authorize's answer: a call that nobody has a rule for is refused.
func (t *table) answerUnlisted(ctx context.Context, fullMethod string) (context.Context, error) {
	deciders := t.owners(fullMethod)
	if len(deciders) == 0 {
		deciders = t.services
	}
	if err := decideUnlisted(ctx, fullMethod, deciders); err != nil {
		return nil, err
	}
	return ctx, nil
}

// deniers are the services whose DenyUnlisted does not except the method's service. One that does not is
// enough to refuse, as if each stood in a chain of its own.
func (t *table) deniers(fullMethod string) []*listedService {
	var deniers []*listedService
	name, wellFormed := serviceOf(fullMethod)
	for _, service := range t.services {
		excepted := wellFormed && service.settings.except[name]
		if service.settings.denyUnlisted && !excepted {
			deniers = append(deniers, service)
		}
	}
	return deniers
}

// decideUnlisted refuses if any of the services enforces its rules, and reports to that service, or to the
// first one in shadow mode. Without services it is nil.
func decideUnlisted(ctx context.Context, fullMethod string, services []*listedService) error {
	if len(services) == 0 {
		return nil
	}
	decider := services[0]
	for _, service := range services {
		if !service.settings.reportOnly {
			decider = service
			break
		}
	}
	const enough = 256 // for every real name: the path may be the work of somebody who fills logs
	fullMethod = fullMethod[:min(len(fullMethod), enough)]
	decider.settings.report(ctx, Decision{FullMethod: fullMethod, Reason: Unlisted, Code: codes.Unimplemented})
	if decider.settings.reportOnly {
		return nil
	}
	return errUnlisted
}
