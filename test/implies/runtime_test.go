package implies

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

const fullMethod = "/a.v1.A/Get"

// slot names a verifier, whichever rule it is asked for: a scheme matches without regard to case.
type slot struct {
	name   string
	check  policy.Check
	scheme string
	typ    grpcauthv1.Type
}

func slotOf(h *policy.Header) slot {
	return slot{name: h.Name, check: h.Check, scheme: strings.ToLower(h.Scheme), typ: h.Type}
}

func verified(h *policy.Header) bool {
	return slices.Contains([]policy.Check{policy.Bearer, policy.Basic, policy.Verify}, h.Check)
}

// call is what a server gets: metadata, and what its verifiers say about it.
type call struct {
	md metadata.MD
	// grants holds what the credential of each slot grants. A slot that is not there refuses.
	grants map[slot][]string
}

func (c call) String() string { return fmt.Sprintf("%q, verified: %v", c.md, c.grants) }

// server enforces one rule with the real runtime.
type server struct{ interceptor *grpcauth.ServerInterceptor } // nil for a service without rules

func newServer(method *policy.Method) *server {
	if method == nil {
		return &server{}
	}
	stated := authimpl.Method{
		FullMethod: fullMethod,
		Public:     method.Access == policy.Public,
		GuardedBy:  method.GuardedBy,
		Headers:    headers(method.Headers),
		Denial:     authimpl.Denial{Code: codes.Unauthenticated, Message: "no"},
	}
	for _, alternative := range method.AnyOf {
		stated.AnyOf = append(stated.AnyOf, headers(alternative.Headers))
	}
	var verifiers []authimpl.Verifier
	for header := range method.All() {
		if verified(header) {
			verifiers = append(verifiers, verifier(header))
		}
	}
	table := &authimpl.Service{Name: "a.v1.A", Methods: []authimpl.Method{stated}}
	return &server{interceptor: authimpl.NewServerInterceptor(table, nil, verifiers...)}
}

func headers(from []*policy.Header) []authimpl.Header {
	var stated []authimpl.Header
	for _, h := range from {
		one := authimpl.Header{Name: h.Name, Optional: h.Optional, Scopes: h.Scopes, Scheme: h.Scheme}
		switch h.Check {
		case policy.Equals:
			one.Equals = h.Literals[0]
		case policy.In:
			one.In = h.Literals
		case policy.Present:
			setType(&one.Present, h.Type)
		case policy.Bearer:
			one.Bearer = true
		case policy.Basic:
			one.Basic = true
		case policy.Verify:
			setType(&one.Verify, h.Type)
		}
		stated = append(stated, one)
	}
	return stated
}

// setType writes through a pointer, because package authimpl has no name for the type of types.
func setType[T ~uint8](to *T, typ grpcauthv1.Type) {
	*to = map[grpcauthv1.Type]T{
		grpcauthv1.Type_TYPE_STRING: T(authimpl.String), grpcauthv1.Type_TYPE_BYTES: T(authimpl.Bytes),
		grpcauthv1.Type_TYPE_INT64: T(authimpl.Int64), grpcauthv1.Type_TYPE_UINT64: T(authimpl.Uint64),
		grpcauthv1.Type_TYPE_BOOL: T(authimpl.Bool),
	}[typ]
}

func verifier(h *policy.Header) authimpl.Verifier {
	at := slotOf(h)
	switch {
	case h.Check == policy.Bearer:
		return authimpl.VerifyBearer(h.Name, answer[grpcauth.Secret](at))
	case h.Check == policy.Basic:
		return authimpl.VerifyBasic(h.Name, func(
			ctx context.Context, call grpcauth.Call, _ string, password grpcauth.Secret,
		) (context.Context, error) {
			return answer[grpcauth.Secret](at)(ctx, call, password)
		})
	case h.Type == grpcauthv1.Type_TYPE_INT64:
		return authimpl.VerifyValue(h.Name, h.Scheme, answer[int64](at))
	case h.Type == grpcauthv1.Type_TYPE_UINT64:
		return authimpl.VerifyValue(h.Name, h.Scheme, answer[uint64](at))
	case h.Type == grpcauthv1.Type_TYPE_BOOL:
		return authimpl.VerifyValue(h.Name, h.Scheme, answer[bool](at))
	default:
		return authimpl.VerifyValue(h.Name, h.Scheme, answer[grpcauth.Secret](at))
	}
}

type grantsKey struct{}

var errRefused = errors.New("refused")

// answer is a verifier that says what the call says that it says.
func answer[T any](at slot) func(context.Context, grpcauth.Call, T) (context.Context, error) {
	return func(ctx context.Context, _ grpcauth.Call, _ T) (context.Context, error) {
		granted, ok := ctx.Value(grantsKey{}).(map[slot][]string)[at]
		if !ok {
			return nil, errRefused
		}
		return grpcauth.WithGrantedScopes(ctx, granted...), nil
	}
}

func (s *server) admits(c call) bool {
	if s.interceptor == nil {
		return true
	}
	ctx := context.WithValue(context.Background(), grantsKey{}, c.grants)
	_, err := s.interceptor.Authorize(metadata.NewIncomingContext(ctx, c.md), fullMethod)
	return err == nil
}
