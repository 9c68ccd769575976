package rules

import (
	"context"
	"errors"
	"slices"
	"time"
)

type (
	grantedKey struct{}
	expiryKey  struct{}
	checkedKey struct{}
	insideKey  struct{}
)

// withChecked records that a verifier has added something to this context.
func withChecked(ctx context.Context) context.Context {
	return context.WithValue(ctx, checkedKey{}, checkedKey{})
}

// inner identifies a call by its address. It is not empty, so that no two share one.
type inner struct{ _ byte }

// Inner marks the context of a call that is made, without a transport, from inside of the handler of another
// one: what the outer call's verifiers added is not this call's. Other contexts are left as they are.
func Inner(ctx context.Context) context.Context {
	if ctx.Value(checkedKey{}) == nil {
		return ctx
	}
	ctx = context.WithValue(ctx, checkedKey{}, nil)
	return context.WithValue(ctx, insideKey{}, new(inner))
}

// CallOf tells the calls of one process apart that share a context. It is nil for one that came by a transport.
func CallOf(ctx context.Context) any { return ctx.Value(insideKey{}) }

// granted is one report of scopes. Its address tells it from reports made before.
type granted struct{ scopes []string }

// WithGrantedScopes reports what the credential just verified grants.
func WithGrantedScopes(ctx context.Context, scopes []string) context.Context {
	return context.WithValue(ctx, grantedKey{}, &granted{scopes: slices.Clone(scopes)})
}

func grantedIn(ctx context.Context) *granted {
	report, _ := ctx.Value(grantedKey{}).(*granted)
	return report
}

// covers is true if the report in a verifier's context holds all scopes and was not there before the verifier
// was asked: what an earlier verifier reported says nothing about this credential.
func covers(returned, before context.Context, scopes []string) bool {
	if len(scopes) == 0 {
		return true
	}
	report := grantedIn(returned)
	if report == nil || report == grantedIn(before) {
		return false
	}
	for _, scope := range scopes {
		if !slices.Contains(report.scopes, scope) {
			return false
		}
	}
	return true
}

// WithExpiry reports when the credential just verified expires. The earliest of several reports counts.
func WithExpiry(ctx context.Context, expiry time.Time) context.Context {
	if earlier, ok := Expiry(ctx); ok && earlier.Before(expiry) {
		return ctx
	}
	return context.WithValue(ctx, expiryKey{}, expiry)
}

// Expiry returns the earliest time that was reported, if any was.
func Expiry(ctx context.Context) (time.Time, bool) {
	expiry, ok := ctx.Value(expiryKey{}).(time.Time)
	return expiry, ok
}

// Expired is true once a credential has expired that bounds a context, whose deadline has [ErrExpired] for its cause.
//
// Either the clock or the cause tells: a deadline error that comes from a transport's own arithmetic can be there
// before the context's timer has run, and the clock of the wall can be behind that timer.
func Expired(bounded context.Context, expiry time.Time) bool {
	return !time.Now().Before(expiry) || errors.Is(context.Cause(bounded), ErrExpired)
}
