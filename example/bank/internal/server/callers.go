package server

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	bankv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// Customer is who calls with a token.
type Customer struct {
	ID     string
	Tenant int64
}

// Partner is who calls with an API key: a bookkeeper who sees all accounts of one tenant.
type Partner struct {
	Tenant int64
}

// Operator is who calls with a user name and a password.
type Operator struct {
	Name string
}

var errOtherTenant = status.Error(codes.PermissionDenied, "This tenant is not yours.")

// customer returns who calls and refuses a tenant that is not the caller's. The rules have checked that the
// header is there and a number. That it goes with the credential is for the handler to see: a header is what
// the caller says, a claim is what the provider says.
func customer(ctx context.Context) (Customer, error) {
	caller, ok := grpcauth.Principal[Customer](ctx)
	if !ok || !namesTenant(ctx, caller.Tenant) {
		return Customer{}, errOtherTenant
	}
	return caller, nil
}

// mayRead says whether the caller may read an account of the tenant that the call names.
func mayRead(ctx context.Context, account string) error {
	if partner, ok := grpcauth.Principal[Partner](ctx); ok {
		if !namesTenant(ctx, partner.Tenant) {
			return errOtherTenant
		}
		return nil
	}
	caller, err := customer(ctx)
	if err == nil && caller.ID != account {
		err = status.Error(codes.PermissionDenied, "This account is not yours.")
	}
	return err
}

func namesTenant(ctx context.Context, tenant int64) bool {
	named, ok := bankv1.BankXTenantIdFromContext(ctx)
	return ok && named == tenant
}
