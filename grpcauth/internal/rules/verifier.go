package rules

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// mark is what makes a context one of this very question. It is not empty, so that no two share an address.
type mark struct{ _ byte }

var (
	errNilContext     = errors.New("grpcauth: the verifier returned neither a context nor an error")
	errForeignContext = errors.New("grpcauth: the verifier returned a context that is not derived from the one it got")
	errEndedContext   = errors.New("grpcauth: the verifier returned a context that it had cancelled or let time out: " +
		"derive the one for the handler from the one that the verifier got")
	errExpired = errors.New("grpcauth: the credential's expiry has passed")
)

// ask lets the application decide about one credential. Only a nil error with a context derived from ctx
// passes. The context that is returned is ctx itself if the verifier added nothing. ended tells whether the
// call itself, and not something that a verifier derived from it, has ended.
//
// All that the application wrote runs in here, its errors' and contexts' methods included, so that a panic
// in any of it refuses one call and does not end the process.
func (e *Evaluator) ask(
	ctx context.Context, ended func() error, h *header, credential Credential,
) (admitted context.Context, verdict Verdict) {
	defer func() {
		if value := recover(); value != nil {
			verdict = misbehaved(h.Header,
				fmt.Errorf("grpcauth: the verifier panicked: %v\n%s", value, debug.Stack()))
		}
	}()
	call := Call{FullMethod: e.rule.FullMethod, Header: h.Header, Scopes: slices.Clone(h.scopes)}
	own := new(mark)
	handed := context.WithValue(ctx, own, own)
	before := grantedIn(ctx)
	returned, err := h.verifier.Verify(handed, call, credential)
	switch {
	case err != nil:
		return ctx, e.judgeError(ended(), h.Header, err)
	case returned == nil:
		return ctx, misbehaved(h.Header, errNilContext)
	case returned.Value(own) != own:
		return ctx, misbehaved(h.Header, errForeignContext)
	case returned.Err() != nil && ended() == nil:
		return ctx, misbehaved(h.Header, errEndedContext)
	}
	returned.Deadline() // asked for here, where a broken context does no harm
	if expiry, ok := Expiry(returned); ok && !time.Now().Before(expiry) {
		verdict = e.refuse(Refused, h.Header)
		verdict.Err = errExpired
		return ctx, verdict
	}
	if !covers(grantedIn(returned), before, h.scopes) {
		return ctx, Verdict{Reason: ScopeMissing, Header: h.Header, Refusal: e.scopeMissing}
	}
	if returned == handed {
		return ctx, Verdict{Reason: Allowed}
	}
	return returned, Verdict{Reason: Allowed, added: true}
}
