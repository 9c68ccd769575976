package server_test

import (
	"context"
	stdbase64 "encoding/base64"
	"log/slog"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/pki"
	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/provider"
	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/server"
	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/tokens"
	bankv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

const (
	tenant  = 7
	timeout = 20 * time.Second
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the provider's library logs its routes
	os.Exit(m.Run())
}

// A header is what the caller says. It opens nothing that the credential does not.
func TestTenantAndAccountGoWithTheCredential(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	bank, idp := start(t)
	ada := "Bearer " + sign(t, idp, time.Hour, "accounts.read payments.write")
	for name, test := range map[string]struct {
		tenant  int64
		header  string
		value   string
		account string
		want    codes.Code
	}{
		"her own account":                {tenant, "authorization", ada, "ada", codes.OK},
		"another's account":              {tenant, "authorization", ada, "grace", codes.PermissionDenied},
		"her name with another tenant":   {tenant + 1, "authorization", ada, "ada", codes.PermissionDenied},
		"partner, any account":           {tenant, "x-api-key", "key", "grace", codes.OK},
		"partner, another tenant":        {tenant + 1, "x-api-key", "key", "ada", codes.PermissionDenied},
		"a password is no token":         {tenant, "authorization", "Basic b3NjYXI6cGFzc3dvcmQ=", "ada", codes.Unauthenticated},
		"a key is no token":              {tenant, "authorization", "Bearer key", "ada", codes.Unauthenticated},
		"the partner's key, wrong place": {tenant, "authorization", "key", "ada", codes.Unauthenticated},
	} {
		ctx := metadata.AppendToOutgoingContext(ctx,
			"x-tenant-id", strconv.FormatInt(test.tenant, 10), test.header, test.value)
		_, err := bank.GetBalance(ctx, &bankv1.GetBalanceRequest{Account: test.account})
		if status.Code(err) != test.want {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
	for name, method := range map[string]func(context.Context) error{
		"Transfer": func(ctx context.Context) error {
			_, err := bank.Transfer(ctx, &bankv1.TransferRequest{ToAccount: "grace", Cents: 1})
			return err
		},
		"WatchBalance": func(ctx context.Context) error {
			stream, err := bank.WatchBalance(ctx, &bankv1.WatchBalanceRequest{})
			if err != nil {
				return err
			}
			_, err = stream.Recv()
			return err
		},
	} {
		err := method(metadata.AppendToOutgoingContext(ctx, "x-tenant-id", "8", "authorization", ada))
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s with another tenant: got %v", name, err)
		}
	}
}

func TestOperators(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	bank, _ := start(t)
	for credential, want := range map[string]codes.Code{
		"oscar:password":  codes.OK,
		"oscar:passwor":   codes.Unauthenticated,
		"oscar:":          codes.Unauthenticated,
		"Oscar:password":  codes.Unauthenticated,
		"nobody:password": codes.Unauthenticated,
		"nobody:":         codes.Unauthenticated,
		":":               codes.Unauthenticated,
	} {
		ctx := metadata.AppendToOutgoingContext(ctx, "authorization", "Basic "+base64(credential))
		response, err := bank.Deposit(ctx, &bankv1.DepositRequest{TenantId: tenant, Account: "ada", Cents: 1})
		if status.Code(err) != want || (err == nil && response.GetOperator() != "oscar") {
			t.Errorf("%s: got %v, %v, want %v", credential, response, err, want)
		}
	}
}

// A customer can transfer what is there, and only that.
func TestTransfer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	bank, idp := start(t)
	oscar := metadata.AppendToOutgoingContext(ctx, "authorization", "Basic "+base64("oscar:password"))
	ada := metadata.AppendToOutgoingContext(ctx, "x-tenant-id", "7",
		"authorization", "Bearer "+sign(t, idp, time.Hour, "payments.write accounts.read"))
	if _, err := bank.Deposit(oscar, &bankv1.DepositRequest{TenantId: tenant, Account: "ada", Cents: 10}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		cents, left int64
		want        codes.Code
	}{
		{4, 6, codes.OK}, {7, 0, codes.FailedPrecondition}, {0, 0, codes.InvalidArgument}, {-1, 0, codes.InvalidArgument}, {6, 0, codes.OK},
	} {
		response, err := bank.Transfer(ada, &bankv1.TransferRequest{ToAccount: "grace", Cents: test.cents})
		if status.Code(err) != test.want || response.GetCents() != test.left {
			t.Errorf("%d cents: got %v, %v", test.cents, response, err)
		}
	}
}

// An idle stream ends when its token does, although its handler waits for something else.
func TestWatchEndsWithItsToken(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	bank, idp := start(t)
	ctx = metadata.AppendToOutgoingContext(ctx, "x-tenant-id", "7",
		"authorization", "Bearer "+sign(t, idp, 2*time.Second, "accounts.read"))
	stream, err := bank.WatchBalance(ctx, &bankv1.WatchBalanceRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unauthenticated {
		t.Errorf("got %v", err)
	}
}

// start starts a bank and its provider and connects to the bank without a generated client.
func start(t *testing.T) (bankv1.BankClient, *provider.Provider) {
	t.Helper()
	authority, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	idp, err := provider.Start(t.Context(), authority)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { idp.Down() })
	config, err := authority.Server()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bank := server.New(config, &server.Verifier{
		Tokens:        tokens.New(idp.Issuer(), "bank", authority.HTTPClient()),
		PartnerKeys:   grpcauth.NewSecretSet(grpcauth.NewSecret("key")),
		PartnerTenant: tenant,
		Operators:     map[string]grpcauth.Secret{"oscar": grpcauth.NewSecret("password")},
	})
	go bank.Serve(listener)
	t.Cleanup(bank.Stop)
	connection, err := grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(credentials.NewTLS(authority.Client())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return bankv1.NewBankClient(connection), idp
}

func sign(t *testing.T, idp *provider.Provider, lifetime time.Duration, scope string) string {
	t.Helper()
	token, err := idp.Sign(map[string]any{
		"iss": idp.Issuer(), "aud": "bank", "sub": "ada", "tenant": tenant, "scope": scope,
		"exp": time.Now().Add(lifetime).Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func base64(text string) string { return stdbase64.StdEncoding.EncodeToString([]byte(text)) }
