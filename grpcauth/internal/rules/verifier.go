package rules

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// question is the context that a verifier gets. It answers to itself, as does every context derived from it
// and no other.
type question struct{ context.Context } //nolint:containedctx // it is one

func (q *question) Value(key any) any {
	if key == any(q) {
		return q
	}
	return q.Context.Value(key)
}

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
	handed := &question{ctx}
	returned, err := h.verifier.Verify(handed, call, credential)
	switch {
	case err != nil:
		return ctx, e.judgeError(ended(), h.Header, err)
	case returned == nil:
		return ctx, misbehaved(h.Header, errNilContext)
	case returned.Value(handed) != handed:
		return ctx, misbehaved(h.Header, errForeignContext)
	case returned.Err() != nil && ended() == nil:
		return ctx, misbehaved(h.Header, errEndedContext)
	}
	returned.Deadline() // asked for here, where a broken context does no harm
	if expiry, ok := Expiry(returned); ok && !time.Now().Before(expiry) {
		return ctx, Verdict{Reason: Refused, outcome: &outcome{Header: h.Header, Refusal: e.denied, Err: errExpired}}
	}
	if !covers(returned, ctx, h.scopes) {
		return ctx, Verdict{Reason: ScopeMissing, outcome: &outcome{Header: h.Header, Refusal: e.scopeMissing}}
	}
	if returned == handed {
		return ctx, allow()
	}
	verdict = allow()
	verdict.added = true
	return returned, verdict
}
