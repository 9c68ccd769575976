package grpcauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// serverRule is one method's rule with its service's settings. All doors of a server lead through it.
type serverRule struct {
	settings   *serverSettings
	evaluator  rules.Evaluator // in place, as one look-up less
	fullMethod string
}

// admit returns the context for the handler, whether it differs from ctx, and the refusal if there is
// one. Only a verdict that says Allowed lets a call pass, or shadow mode.
func (r *serverRule) admit(ctx context.Context) (context.Context, bool, error) {
	admitted, changed, verdict := r.evaluator.Check(ctx)
	if len(r.settings.hooks) > 0 {
		r.report(admitted, verdict) // Check returns ctx itself with a refusal
	}
	switch {
	case verdict.Reason == rules.Allowed:
		return admitted, changed, nil
	case r.settings.reportOnly:
		admitted, changed = r.evaluator.WithoutValues(ctx)
		return admitted, changed, nil
	default:
		return nil, false, verdict.Refusal
	}
}

func (r *serverRule) report(ctx context.Context, verdict rules.Verdict) {
	r.settings.report(ctx, Decision{
		FullMethod: r.fullMethod,
		Header:     verdict.Header,
		Reason:     Reason(verdict.Reason),
		Code:       status.Code(verdict.Refusal),
		Err:        readable(verdict.Err),
	})
}

func (s *serverSettings) report(ctx context.Context, decision Decision) {
	for _, hook := range s.hooks {
		hook(ctx, decision)
	}
}

// readable replaces an error whose text cannot be read, such as a nil pointer in an error. A verifier may
// return one, and a hook that reads it must not end the process.
func readable(err error) (checked error) {
	if err == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			checked = fmt.Errorf("grpcauth: the verifier's error, a %T, cannot be read", err)
		}
	}()
	_ = err.Error()
	return err
}

// expiry is when the credentials of an admitted call expire, if they do and if that is enforced.
func (r *serverRule) expiry(admitted context.Context) (time.Time, bool) {
	if !r.evaluator.Asks() || r.settings.reportOnly {
		return time.Time{}, false
	}
	return rules.Expiry(admitted)
}

// serveUnary runs the handler of a call that passes the check.
func (r *serverRule) serveUnary(ctx context.Context, req any, handler grpc.UnaryHandler) (any, error) {
	admitted, _, err := r.admit(ctx)
	if err != nil {
		return nil, err
	}
	expiry, expires := r.expiry(admitted)
	if !expires {
		return handler(admitted, req)
	}
	bounded, cancel := context.WithDeadlineCause(admitted, expiry, rules.ErrExpired)
	defer cancel()
	response, err := handler(bounded, req)
	return response, expiredInstead(bounded, expiry, err)
}

// serveStream runs the handler of a stream that passes the check.
func (r *serverRule) serveStream(srv any, stream grpc.ServerStream, handler grpc.StreamHandler) error {
	admitted, changed, err := r.admit(stream.Context())
	if err != nil {
		return err
	}
	expiry, expires := r.expiry(admitted)
	switch {
	case expires:
		return r.serveUntil(admitted, expiry, srv, stream, handler)
	case changed:
		return handler(srv, &contextStream{ServerStream: stream, ctx: admitted})
	default:
		return handler(srv, stream)
	}
}

// expiredInstead replaces the deadline error of a handler whose context ended because a credential expired.
func expiredInstead(bounded context.Context, expiry time.Time, err error) error {
	late := status.Code(err) == codes.DeadlineExceeded || errors.Is(err, context.DeadlineExceeded)
	deadline, _ := bounded.Deadline() // the caller's own may have been earlier
	if late && deadline.Equal(expiry) && rules.Expired(bounded, expiry) {
		return rules.ErrExpired
	}
	return err
}
