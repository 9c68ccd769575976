package server

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	bankv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// service implements bank.v1.Bank.
type service struct {
	bankv1.UnimplementedBankServer

	ledger *ledger
}

// GetBalance reads an account of the tenant.
func (s *service) GetBalance(
	ctx context.Context, request *bankv1.GetBalanceRequest,
) (*bankv1.GetBalanceResponse, error) {
	if err := mayRead(ctx, request.GetAccount()); err != nil {
		return nil, err
	}
	tenant, _ := bankv1.BankXTenantIdFromContext(ctx)
	cents, _ := s.ledger.balance(account{tenant, request.GetAccount()})
	return &bankv1.GetBalanceResponse{Cents: cents}, nil
}

// WatchBalance sends the customer's balance now and after each change. It does not look at the token's
// expiry: the stream's context ends then.
func (s *service) WatchBalance(
	_ *bankv1.WatchBalanceRequest, stream grpc.ServerStreamingServer[bankv1.WatchBalanceResponse],
) error {
	ctx := stream.Context()
	caller, err := customer(ctx)
	if err != nil {
		return err
	}
	for sent := int64(-1); ; {
		cents, changed := s.ledger.balance(account{caller.Tenant, caller.ID})
		if cents != sent {
			if err := stream.Send(&bankv1.WatchBalanceResponse{Cents: cents}); err != nil {
				return fmt.Errorf("send: %w", err)
			}
			sent = cents
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // grpc makes a status of it
		}
	}
}

// Transfer moves the customer's money.
func (s *service) Transfer(
	ctx context.Context, request *bankv1.TransferRequest,
) (*bankv1.TransferResponse, error) {
	caller, err := customer(ctx)
	if err != nil {
		return nil, err
	}
	left, err := s.ledger.transfer(
		account{caller.Tenant, caller.ID}, account{caller.Tenant, request.GetToAccount()}, request.GetCents())
	if err != nil {
		return nil, err
	}
	return &bankv1.TransferResponse{Cents: left}, nil
}

// Deposit puts money into an account of any tenant, and says who did.
func (s *service) Deposit(ctx context.Context, request *bankv1.DepositRequest) (*bankv1.DepositResponse, error) {
	cents, err := s.ledger.deposit(account{request.GetTenantId(), request.GetAccount()}, request.GetCents())
	if err != nil {
		return nil, err
	}
	operator, _ := grpcauth.Principal[Operator](ctx)
	return &bankv1.DepositResponse{Cents: cents, Operator: operator.Name}, nil
}

// ListOffers has one more offer for those whom the bank knows.
func (*service) ListOffers(ctx context.Context, _ *bankv1.ListOffersRequest) (*bankv1.ListOffersResponse, error) {
	offers := []string{"an account"}
	if caller, ok := grpcauth.Principal[Customer](ctx); ok {
		offers = append(offers, "a loan for "+caller.ID)
	}
	return &bankv1.ListOffersResponse{Offers: offers}, nil
}

// GetOpeningHours is the same for everyone.
func (*service) GetOpeningHours(
	context.Context, *bankv1.GetOpeningHoursRequest,
) (*bankv1.GetOpeningHoursResponse, error) {
	return &bankv1.GetOpeningHoursResponse{Hours: "9 to 5"}, nil
}
