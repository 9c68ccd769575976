package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/client"
	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/provider"
	bankv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/tokensource"
)

// Sums in cents.
const (
	savings = 10000
	payment = 2500
)

// cast prepares who appears in a chapter. It keeps the first error, and is of no use after one.
type cast struct {
	*world

	ctx context.Context //nolint:containedctx // lives as long as a chapter
	err error
}

// visitor connects to the bank with these credentials.
func (c *cast) visitor(with bankv1.BankCredentials) *visitor { return c.visitorOf(c.bank, with) }

func (c *cast) visitorOf(bank string, with bankv1.BankCredentials) *visitor {
	return c.connected(client.Connect(bank, c.authority.Client(), with))
}

// stranger connects without the generated interceptor: nothing but its metadata is sent.
func (c *cast) stranger() *visitor {
	return c.connected(grpc.NewClient(c.bank, grpc.WithTransportCredentials(credentials.NewTLS(c.authority.Client()))))
}

func (c *cast) connected(connection *grpc.ClientConn, err error) *visitor {
	if err != nil {
		c.err = errors.Join(c.err, err)
		return nil
	}
	c.stops = append(c.stops, func() { _ = connection.Close() })
	return &visitor{bank: bankv1.NewBankClient(connection)}
}

// customer is Ada, with a token for her own tenant.
func (c *cast) customer(token grpcauth.Source[grpcauth.Secret]) *visitor {
	return c.visitor(bankv1.BankCredentials{XTenantId: grpcauth.Static(tenant), AuthorizationBearer: token})
}

// partner is a bookkeeper with this API key.
func (c *cast) partner(key grpcauth.Secret) *visitor {
	return c.visitor(bankv1.BankCredentials{XTenantId: grpcauth.Static(tenant), XApiKey: grpcauth.Static(key)})
}

// operator has a name and a password.
func (c *cast) operator(name string, password grpcauth.Secret) *visitor {
	return c.visitor(bankv1.BankCredentials{
		AuthorizationBasic: grpcauth.Static(grpcauth.BasicAuth{Username: name, Password: password}),
	})
}

// session is what an app of Ada's does: it fetches a token when it needs one, and keeps it.
func (c *cast) session(from *provider.Provider, app string, scopes ...string) grpcauth.Source[grpcauth.Secret] {
	source := c.login(from, app, scopes...)
	if c.err != nil {
		return nil
	}
	return tokensource.New(source)
}

// held is one token that is sent whatever becomes of it. (tokensource does not send a token that has expired.)
func (c *cast) held(from *provider.Provider, app string, scopes ...string) grpcauth.Source[grpcauth.Secret] {
	source := c.login(from, app, scopes...)
	if c.err != nil {
		return nil
	}
	token, err := source.Token()
	if err != nil {
		c.err = fmt.Errorf("%s: %w", app, err)
		return nil
	}
	return grpcauth.Static(grpcauth.NewSecret(token.AccessToken))
}

func (c *cast) login(from *provider.Provider, app string, scopes ...string) oauth2.TokenSource {
	source, err := client.Login(c.ctx, c.web, from.Issuer(), app, c.secret, scopes...)
	c.err = errors.Join(c.err, err)
	return source
}

// visitor calls the bank. Its methods are the calls of the scenes.
type visitor struct {
	bank bankv1.BankClient
}

func (v *visitor) openingHours(ctx context.Context) (string, error) {
	response, err := v.bank.GetOpeningHours(ctx, &bankv1.GetOpeningHoursRequest{})
	return response.GetHours(), err
}

func (v *visitor) offers(ctx context.Context) (string, error) {
	response, err := v.bank.ListOffers(ctx, &bankv1.ListOffersRequest{})
	return strings.Join(response.GetOffers(), ", "), err
}

func (v *visitor) balance(ctx context.Context) (string, error) {
	response, err := v.bank.GetBalance(ctx, &bankv1.GetBalanceRequest{Account: ada})
	return money(response.GetCents()), err
}

func (v *visitor) transfer(ctx context.Context) (string, error) {
	response, err := v.bank.Transfer(ctx, &bankv1.TransferRequest{ToAccount: grace, Cents: payment})
	return money(response.GetCents()) + " left", err
}

func (v *visitor) deposit(ctx context.Context) (string, error) {
	response, err := v.bank.Deposit(ctx, &bankv1.DepositRequest{TenantId: tenant, Account: ada, Cents: savings})
	answer := fmt.Sprintf("%s, booked by %s", money(response.GetCents()), response.GetOperator())
	return answer, err
}

// watch returns a call that waits for the next balance, and opens the stream when it is first made. The stream
// outlives a scene, so it has a context of its own.
func (v *visitor) watch(ctx context.Context) func(context.Context) (string, error) {
	var stream grpc.ServerStreamingClient[bankv1.WatchBalanceResponse]
	return func(context.Context) (string, error) {
		if stream == nil {
			opened, err := v.bank.WatchBalance(ctx, &bankv1.WatchBalanceRequest{})
			if err != nil {
				return "", err
			}
			stream = opened
		}
		response, err := stream.Recv()
		return money(response.GetCents()), err
	}
}

func money(cents int64) string {
	const hundred = 100
	return fmt.Sprintf("%d.%02d", cents/hundred, cents%hundred)
}
