package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	bankv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the provider's library logs its routes
	os.Exit(m.Run())
}

func TestStory(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	var out strings.Builder
	if err := run(ctx, &out); err != nil {
		t.Error(err)
	}
	// Tokens are JWTs, all other secrets are of rand.Text.
	if secret := regexp.MustCompile(`eyJ|[A-Z2-7]{26}`).FindString(out.String()); secret != "" {
		t.Errorf("printed a secret: %s", secret)
	}
	const want = `bank.v1.Bank on ADDRESS trusts the tokens of https://ADDRESS

Who may call what
  anyone asks for the opening hours                      OK               9 to 5
  anyone asks for offers                                 OK               an account
  Ada asks for offers, and the bank knows her            OK               an account, a loan for ada
  an operator deposits money for Ada                     OK               100.00, booked by oscar
  an operator with a wrong password                      Unauthenticated  Operators only.
  Ada reads her balance, with a token                    OK               100.00
  her bookkeeper reads it, with an API key               OK               100.00
  a bookkeeper with a wrong API key                      Unauthenticated  Not with these credentials.
  Ada names a tenant that is not hers                    PermissionDenied This tenant is not yours.
  a stranger without any credential                      Unauthenticated  Not with these credentials.
  Ada's client has no tenant to name: nothing is sent    Unauthenticated  grpcauth: /bank.v1.Bank/Transfer requires header "x-tenant-id": this client has no value for it: set BankCredentials.XTenantId

What is wrong with a token
  no token                                               Unauthenticated  Not with these credentials.
  a foreign issuer                                       Unauthenticated  Not with these credentials.
  a wrong audience                                       Unauthenticated  Not with these credentials.
  expired                                                Unauthenticated  Not with these credentials.
  expired, where a token is optional                     Unauthenticated  Not with these credentials.
  a scope is missing                                     PermissionDenied Not with these credentials.
  the scope suffices for less                            OK               100.00
  the right token                                        OK               75.00 left

The provider rotates its signing key
  a stream is open                                       OK               75.00
  a new call, under the new key                          OK               50.00 left
  a new call, under the withdrawn key                    Unauthenticated  Not with these credentials.
  the open stream goes on                                OK               50.00
  until its token expires                                Unauthenticated  the credential has expired

The provider goes down
  before                                                 OK               50.00
  down: a token under a key that the bank has fetched    OK               50.00
  down: a token under a key that it has not              Unavailable      the credential could not be verified
  down: a bank that has just started                     Unavailable      the credential could not be verified
  down: a client that needs a token: nothing is sent     Unavailable      grpcauth: /bank.v1.Bank/GetBalance requires header "authorization": its source failed: the token endpoint cannot be reached: connection refused
  back: the key is fetched                               OK               50.00
  back: the bank that had just started                   OK               0.00
  back: the client has its token                         OK               50.00
`
	got := regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(out.String(), "ADDRESS")
	got = regexp.MustCompile(`(?m)  \[.*\]$`).ReplaceAllString(got, "") // what the bank knows; the scenes look at it
	if got != want {
		t.Errorf("printed:\n%s\nwant:\n%s", got, want)
	}
}

// The exit status is worth something: a bank that lets everyone in, or nobody, makes the story fail.
func TestStoryFailsWhereTheBankIsWrong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		bank bankv1.BankServer
		want []string // some of the scenes that are not as they should be
	}{
		"lets everyone in": {
			bank: openBank{},
			want: []string{
				"an operator with a wrong password", "a bookkeeper with a wrong API key", "a stranger without any credential",
				"Ada names a tenant that is not hers", "no token", "a foreign issuer", "a wrong audience", "expired",
				"a scope is missing",
			},
		},
		"lets nobody in": {
			bank: closedBank{},
			want: []string{"anyone asks for the opening hours", "her bookkeeper reads it, with an API key", "the right token"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			w, err := newWorld(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer w.stop()
			w.bank = serve(t, w, test.bank)
			err = tell(ctx, &strings.Builder{}, w)
			if err == nil {
				t.Fatal("the story is content")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want+": got ") {
					t.Errorf("no word of %q in: %v", want, err)
				}
			}
		})
	}
}

func TestScenesAreJudgedByCodeAndByWhatTheBankKnows(t *testing.T) {
	t.Parallel()
	refused := grpcauth.Decision{Reason: grpcauth.Refused, Header: "authorization"}
	for name, test := range map[string]struct {
		scene scene
		wrong bool
	}{
		"as it should be": {scene{want: codes.Unauthenticated, knows: "refused authorization"}, false},
		"another code":    {scene{want: codes.PermissionDenied, knows: "refused authorization"}, true},
		"another reason":  {scene{want: codes.Unauthenticated, knows: "missing authorization"}, true},
	} {
		s := &story{ctx: t.Context(), out: io.Discard, decisions: &decisions{}}
		test.scene.call = func(ctx context.Context) (string, error) {
			s.decisions.note(ctx, refused)
			return "", errClosed
		}
		s.tell(test.scene)
		if (s.err != nil) != test.wrong {
			t.Errorf("%s: got %v", name, s.err)
		}
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	addresses := []string{
		w.bank, strings.TrimPrefix(w.provider.Issuer(), "https://"), strings.TrimPrefix(w.foreign.Issuer(), "https://"),
	}
	for _, address := range addresses {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("before: %v", err)
		}
		connection.Close()
	}
	w.stop()
	for _, address := range addresses {
		if connection, err := net.Dial("tcp", address); err == nil {
			connection.Close()
			t.Errorf("%s still listens", address)
		}
	}
}

func TestStoryFailsIfItCannotBeToldInTime(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.stop()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tell(ctx, &strings.Builder{}, w); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := tell(t.Context(), brokenPipe{}, w); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

var errBroken = errors.New("broken pipe")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

// serve serves a bank without the generated check.
func serve(t *testing.T, w *world, bank bankv1.BankServer) (address string) {
	t.Helper()
	config, err := w.authority.Server()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)))
	bankv1.RegisterBankServer(server, bank)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

type openBank struct {
	bankv1.UnimplementedBankServer
}

func (openBank) GetBalance(context.Context, *bankv1.GetBalanceRequest) (*bankv1.GetBalanceResponse, error) {
	return &bankv1.GetBalanceResponse{}, nil
}

func (openBank) Transfer(context.Context, *bankv1.TransferRequest) (*bankv1.TransferResponse, error) {
	return &bankv1.TransferResponse{}, nil
}

func (openBank) Deposit(context.Context, *bankv1.DepositRequest) (*bankv1.DepositResponse, error) {
	return &bankv1.DepositResponse{}, nil
}

func (openBank) ListOffers(context.Context, *bankv1.ListOffersRequest) (*bankv1.ListOffersResponse, error) {
	return &bankv1.ListOffersResponse{}, nil
}

func (openBank) GetOpeningHours(
	context.Context, *bankv1.GetOpeningHoursRequest,
) (*bankv1.GetOpeningHoursResponse, error) {
	return &bankv1.GetOpeningHoursResponse{}, nil
}

func (openBank) WatchBalance(
	_ *bankv1.WatchBalanceRequest, stream grpc.ServerStreamingServer[bankv1.WatchBalanceResponse],
) error {
	return stream.Send(&bankv1.WatchBalanceResponse{})
}

// closedBank refuses everything, in the very words that the rules use.
type closedBank struct {
	bankv1.UnimplementedBankServer
}

var errClosed = status.Error(codes.Unauthenticated, "Not with these credentials.")

func (closedBank) GetBalance(context.Context, *bankv1.GetBalanceRequest) (*bankv1.GetBalanceResponse, error) {
	return nil, errClosed
}

func (closedBank) Transfer(context.Context, *bankv1.TransferRequest) (*bankv1.TransferResponse, error) {
	return nil, errClosed
}
