package vectors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

func (a scriptedAnswer) give(ctx context.Context, call grpcauth.Call, into *recorder) (context.Context, error) {
	if a.EditsScopes {
		for i := range call.Scopes {
			call.Scopes[i] = "edited"
		}
	}
	if a.WaitsForTheEnd {
		<-ctx.Done()
	}
	if a.Panic != "" {
		panic(a.Panic)
	}
	return a.context(ctx, into), a.err()
}

// context is what the verifier returns beside its error.
func (a scriptedAnswer) context(ctx context.Context, into *recorder) context.Context {
	switch a.Context {
	case "":
	case "nil":
		return nil
	case "background":
		ctx = context.Background()
	case "another call's":
		ctx = anothers()
	default:
		panic("unknown context: " + a.Context)
	}
	if a.Principal != "" {
		ctx = grpcauth.WithPrincipal(ctx, caller(a.Principal))
	}
	if a.Scopes != nil {
		ctx = grpcauth.WithGrantedScopes(ctx, a.Scopes...)
	}
	if a.ExpiresInSeconds == nil {
		return ctx
	}
	expiry := time.Now().Add(time.Duration(*a.ExpiresInSeconds) * time.Second)
	into.add(func(record *callRecord) {
		if record.expiries == nil {
			record.expiries = map[int]time.Time{}
		}
		record.expiries[*a.ExpiresInSeconds] = expiry
	})
	return grpcauth.WithExpiry(ctx, expiry)
}

// err is the verifier's error, nil for a credential that it accepts.
func (a scriptedAnswer) err() error {
	var err error
	switch {
	case a.Error != "":
		err = errors.New(a.Error)
	case a.Deny != nil:
		err = grpcauth.Deny(a.Deny.Code, a.Deny.Message)
	case a.Status != nil && a.Status.Code == codes.OK:
		err = saysOKError(a.Status.Message)
	case a.Status != nil: // with details, which must not travel either
		detailed, failed := status.New(a.Status.Code, a.Status.Message).WithDetails(wrapperspb.String(a.Status.Message))
		if failed != nil {
			panic(failed)
		}
		err = detailed.Err()
	case a.Unavailable != "":
		err = grpcauth.Unavailable(errors.New(a.Unavailable))
	case a.TypedNil == "error":
		err = (*typedNilError)(nil)
	case a.TypedNil == "status":
		err = (*typedNilStatusError)(nil)
	}
	if err != nil && a.WrappedIn != "" {
		return fmt.Errorf("%s: %w", a.WrappedIn, err)
	}
	return err
}

// saysOKError is an error whose status says OK.
type saysOKError string

func (e saysOKError) Error() string              { return string(e) }
func (e saysOKError) GRPCStatus() *status.Status { return status.New(codes.OK, string(e)) }

// typedNilError and typedNilStatusError have nil pointers that are no nil errors.
type (
	typedNilError       struct{ text string }
	typedNilStatusError struct{ code codes.Code }
)

func (e *typedNilError) Error() string {
	if e == nil {
		return "typed nil"
	}
	return e.text
}

func (e *typedNilStatusError) Error() string { return "typed nil" }

// GRPCStatus panics for nil, as methods do.
func (e *typedNilStatusError) GRPCStatus() *status.Status { return status.New(e.code, "") }

// anothers is the context of another call of the same rule's service, as its handler got it.
var anothers = sync.OnceValue(func() context.Context {
	var kept context.Context
	verifier := authimpl.VerifyBearer("authorization",
		func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
			kept = ctx //nolint:fatcontext // it is kept beyond its call on purpose
			return grpcauth.WithGrantedScopes(ctx, "read", "write"), nil
		})
	method := authimpl.Method{
		Headers: []authimpl.Header{{Name: "authorization", Bearer: true}},
		Denial:  authimpl.Denial{Code: codes.Unauthenticated, Message: "Access denied!"},
	}
	table := Table("vectors.v1.Another", method)
	ctx := metadata.NewIncomingContext(context.Background(), metadata.Pairs("authorization", "Bearer t"))
	interceptor := authimpl.NewServerInterceptor(table, nil, verifier)
	if _, err := interceptor.Authorize(ctx, table.Methods[0].FullMethod); err != nil {
		panic(err)
	}
	return grpcauth.WithPrincipal(grpcauth.WithGrantedScopes(kept, "read", "write"), caller("another call's"))
})
