package gateway

import (
	"context"

	recipesv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/recipes/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// guardedDesk stands before a Desk that a gateway calls in process, where no interceptor runs. Of a method that is
// forgotten below, the embedded type says that it is not implemented.
type guardedDesk struct {
	recipesv1.UnimplementedDeskServer

	interceptor *grpcauth.ServerInterceptor
	desk        recipesv1.DeskServer
}

func (g *guardedDesk) WithToken(
	ctx context.Context, in *recipesv1.WithTokenRequest,
) (*recipesv1.WithTokenResponse, error) {
	ctx, err := g.interceptor.Authorize(ctx, recipesv1.Desk_WithToken_FullMethodName)
	if err != nil {
		return nil, err
	}
	return g.desk.WithToken(ctx, in)
}

func (g *guardedDesk) WithPassword(
	ctx context.Context, in *recipesv1.WithPasswordRequest,
) (*recipesv1.WithPasswordResponse, error) {
	ctx, err := g.interceptor.Authorize(ctx, recipesv1.Desk_WithPassword_FullMethodName)
	if err != nil {
		return nil, err
	}
	return g.desk.WithPassword(ctx, in)
}

func (g *guardedDesk) WithEither(
	ctx context.Context, in *recipesv1.WithEitherRequest,
) (*recipesv1.WithEitherResponse, error) {
	ctx, err := g.interceptor.Authorize(ctx, recipesv1.Desk_WithEither_FullMethodName)
	if err != nil {
		return nil, err
	}
	return g.desk.WithEither(ctx, in)
}

func (g *guardedDesk) ForTenant(
	ctx context.Context, in *recipesv1.ForTenantRequest,
) (*recipesv1.ForTenantResponse, error) {
	ctx, err := g.interceptor.Authorize(ctx, recipesv1.Desk_ForTenant_FullMethodName)
	if err != nil {
		return nil, err
	}
	return g.desk.ForTenant(ctx, in)
}

func (g *guardedDesk) IfKnown(
	ctx context.Context, in *recipesv1.IfKnownRequest,
) (*recipesv1.IfKnownResponse, error) {
	ctx, err := g.interceptor.Authorize(ctx, recipesv1.Desk_IfKnown_FullMethodName)
	if err != nil {
		return nil, err
	}
	return g.desk.IfKnown(ctx, in)
}
