package grpcauth_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/credentials/local"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// asked counts the calls of a source and supplies a value, or an error where it is set.
type asked struct {
	times atomic.Int64
	err   error
}

func secretSource(a *asked, value string) grpcauth.Source[grpcauth.Secret] {
	return func(context.Context, grpcauth.Call) (grpcauth.Secret, error) {
		a.times.Add(1)
		return grpcauth.NewSecret(value), a.err
	}
}

// secretKinds are a header of each kind that is a secret, with its supplier.
func secretKinds(a *asked) map[string]struct {
	header   authimpl.Header
	supplier authimpl.Supplier
	sent     string
} {
	type one = struct {
		header   authimpl.Header
		supplier authimpl.Supplier
		sent     string
	}
	return map[string]one{
		"bearer": {
			authimpl.Header{Name: "authorization", Bearer: true},
			authimpl.SupplyBearer("authorization", "C.AuthorizationBearer", secretSource(a, "token")), "Bearer token",
		},
		"basic": {
			authimpl.Header{Name: "authorization", Basic: true},
			authimpl.SupplyBasic("authorization", "C.AuthorizationBasic", func(context.Context, grpcauth.Call) (grpcauth.BasicAuth, error) {
				a.times.Add(1)
				return grpcauth.BasicAuth{Username: "ada", Password: grpcauth.NewSecret("a:b")}, a.err
			}), "Basic YWRhOmE6Yg==",
		},
		"verify": {
			authimpl.Header{Name: "x-api-key", Verify: authimpl.String},
			authimpl.SupplyValue("x-api-key", "", "C.XApiKey", secretSource(a, "key")), "key",
		},
		"verify with a scheme": {
			authimpl.Header{Name: "authorization", Verify: authimpl.String, Scheme: "DPoP"},
			authimpl.SupplyValue("authorization", "DPoP", "C.AuthorizationDPoP", secretSource(a, "proof")), "DPoP proof",
		},
		"verify bytes": {
			authimpl.Header{Name: "x-key-bin", Verify: authimpl.Bytes},
			authimpl.SupplyValue("x-key-bin", "", "C.XKeyBin", secretSource(a, "\x00\xff")), "\x00\xff",
		},
		"verify int64": {
			authimpl.Header{Name: "x-pin", Verify: authimpl.Int64},
			authimpl.SupplyValue("x-pin", "", "C.XPin", func(context.Context, grpcauth.Call) (int64, error) {
				a.times.Add(1)
				return -42, a.err
			}), "-42",
		},
	}
}

// claims are transport credentials over plain TCP that say what they like about their security.
type claims struct {
	credentials.TransportCredentials

	info credentials.AuthInfo
}

type (
	silentInfo   struct{}
	claimingInfo struct{ credentials.CommonAuthInfo }
)

func (silentInfo) AuthType() string   { return "silent" }
func (claimingInfo) AuthType() string { return "claiming" }

func (c claims) ClientHandshake(_ context.Context, _ string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, c.info, nil
}

func (c claims) Clone() credentials.TransportCredentials { return c }

func claim(level credentials.SecurityLevel) credentials.TransportCredentials {
	return claims{insecure.NewCredentials(), claimingInfo{credentials.CommonAuthInfo{SecurityLevel: level}}}
}

// received counts what reaches a server, refused or not.
type received struct{ rpcs atomic.Int64 }

func (r *received) HandleRPC(_ context.Context, s stats.RPCStats) {
	if _, ok := s.(*stats.InHeader); ok {
		r.rpcs.Add(1)
	}
}

func (*received) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*received) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*received) HandleConn(context.Context, stats.ConnStats)                       {}

// Nothing that the application verifies is sent, or even asked for, where others could read or change it.
func TestT26_SecretsOnPlainTransportsFailLocally(t *testing.T) {
	t.Parallel()
	for transportName, transport := range map[string]struct {
		credentials credentials.TransportCredentials
		private     bool
	}{
		"insecure":                        {insecure.NewCredentials(), false},
		"local over TCP":                  {local.NewCredentials(), false},
		"AuthInfo that says nothing":      {claims{insecure.NewCredentials(), silentInfo{}}, false},
		"no AuthInfo":                     {claims{insecure.NewCredentials(), nil}, false},
		"AuthInfo of an unset level":      {claim(credentials.InvalidSecurityLevel), false},
		"AuthInfo without security":       {claim(credentials.NoSecurity), false},
		"integrity only":                  {claim(credentials.IntegrityOnly), false},
		"AuthInfo with privacy, as TLS's": {claim(credentials.PrivacyAndIntegrity), true},
	} {
		var a asked
		for kindName, secret := range secretKinds(&a) {
			for position, rule := range map[string]authimpl.Method{
				"required":                        headers(secret.header),
				"optional":                        {Public: true, Denial: refusal, Headers: []authimpl.Header{optional(secret.header)}},
				"an alternative":                  {AnyOf: [][]authimpl.Header{{secret.header}}, Denial: refusal},
				"an alternative before a literal": {AnyOf: [][]authimpl.Header{{secret.header}, {{Name: "x-dev", Equals: "1"}}}, Denial: refusal},
			} {
				name := fmt.Sprintf("%s, %s, %s", transportName, kindName, position)
				table := tableFor("test.v1.Service", rule)
				for _, allowed := range []bool{false, true} {
					var options []grpcauth.ClientOption
					if allowed {
						options = append(options, grpcauth.AllowInsecureTransport())
					}
					client := authimpl.NewClientInterceptor(table, options, secret.supplier)
					arrivals, seen, served := &received{}, &recorder{}, &service{name: table.Name}
					server := grpc.NewServer(append(seen.options(), grpc.StatsHandler(arrivals))...)
					server.RegisterService(served.desc(), served)
					connection := dialWith(t, server, transport.credentials, client.DialOptions()...)
					for _, kind := range []kind{unary, bidi} {
						before := a.times.Load()
						err := call(t.Context(), connection, table.Name, kind)
						fetched := a.times.Load() - before
						if transport.private || allowed {
							if err != nil || fetched != 1 {
								t.Errorf("%s, %s: %v, fetched %d times", name, kind, err, fetched)
							}
							checkArrived(t, name, seen.got("/test.v1.Service/"+string(kind)), map[string][]string{secret.header.Name: {secret.sent}, "x-dev": nil})
							continue
						}
						if status.Code(err) != codes.Unauthenticated || !strings.Contains(err.Error(), "grpcauth.AllowInsecureTransport()") ||
							!strings.Contains(err.Error(), secret.header.Name) {
							t.Errorf("%s, %s: got %v", name, kind, err)
						}
						if fetched != 0 || arrivals.rpcs.Load() != 0 {
							t.Errorf("%s, %s: fetched %d times, %d calls reached the server", name, kind, fetched, arrivals.rpcs.Load())
						}
					}
				}
			}
		}
	}
}

func optional(header authimpl.Header) authimpl.Header {
	header.Optional = true
	return header
}

// dialWith is loopback with other transport credentials on the client.
func dialWith(t *testing.T, server *grpc.Server, transport credentials.TransportCredentials, dial ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(listener.Addr().String(), append(dial, grpc.WithTransportCredentials(transport))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

// A client that supplies secrets does not get in the way of what needs none on the same plain connection.
func TestT26_PlainValuesTravelBesideAGate(t *testing.T) {
	t.Parallel()
	var a asked
	table := tableFor("test.v1.Service", headers(authimpl.Header{Name: "x-s", Present: authimpl.String}))
	table.Methods[2].Headers = []authimpl.Header{{Name: "authorization", Bearer: true}, {Name: "x-s", Present: authimpl.String}}
	table.Methods[3].Headers = []authimpl.Header{{Name: "x-s", Present: authimpl.String}, {Name: "authorization", Bearer: true}}
	client := authimpl.NewClientInterceptor(table, nil,
		authimpl.Supply("x-s", "C.XS", grpcauth.Static("plain")),
		authimpl.SupplyBearer("authorization", "C.AuthorizationBearer", secretSource(&a, "token")))
	connection, seen, _ := open(t, table, client)
	if err := call(t.Context(), connection, table.Name, unary); err != nil {
		t.Error(err)
	}
	checkArrived(t, "unary", seen.got(table.Methods[0].FullMethod), map[string][]string{"x-s": {"plain"}, "authorization": nil})
	for _, kind := range kinds[2:] {
		if err := call(t.Context(), connection, table.Name, kind); status.Code(err) != codes.Unauthenticated || a.times.Load() != 0 {
			t.Errorf("%s: got %v, fetched %d times", kind, err, a.times.Load())
		}
	}
}

// Real TLS: what the claim above stands for.
// Where the first alternative has no value for a call, the next one is not asked for a secret either that the
// connection would show, and one after that does not step in for it.
func TestT26_AlternativesAfterTheFirstHaveAGate(t *testing.T) {
	t.Parallel()
	var a asked
	table := tableFor("test.v1.Service", authimpl.Method{Denial: refusal, AnyOf: [][]authimpl.Header{
		{{Name: "x-s", Present: authimpl.String}}, {{Name: "authorization", Bearer: true}}, {{Name: "x-e", Equals: "1"}},
	}})
	for _, hasFirst := range []bool{true, false} {
		client := authimpl.NewClientInterceptor(table, nil,
			authimpl.Supply("x-s", "C.XS", sourceThat(map[bool]byte{true: 'v', false: '-'}[hasFirst], "plain")),
			authimpl.SupplyBearer("authorization", "C.AuthorizationBearer", secretSource(&a, "token")))
		connection, _, served := open(t, table, client)
		err := call(t.Context(), connection, table.Name, unary)
		if ran := served.runs.Load() != 0; (err == nil) != hasFirst || ran != hasFirst || a.times.Load() != 0 {
			t.Errorf("has the first %t: got %v, handler ran: %t, fetched %d times", hasFirst, err, ran, a.times.Load())
		}
		if !hasFirst && !strings.Contains(err.Error(), "does not promise privacy and integrity") {
			t.Errorf("got %v", err)
		}
	}
}

// A header's source is not asked for a call whose alternative could not be sent.
func TestT26_NobodyIsAskedBehindAGate(t *testing.T) {
	t.Parallel()
	var a, plain asked
	table := tableFor("test.v1.Service", authimpl.Method{
		Denial:  refusal,
		Headers: []authimpl.Header{{Name: "x-s", Present: authimpl.String}},
		AnyOf:   [][]authimpl.Header{{{Name: "authorization", Bearer: true}}},
	})
	client := authimpl.NewClientInterceptor(table, nil,
		authimpl.Supply("x-s", "C.XS", func(context.Context, grpcauth.Call) (string, error) {
			plain.times.Add(1)
			return "plain", nil
		}),
		authimpl.SupplyBearer("authorization", "C.AuthorizationBearer", secretSource(&a, "token")))
	connection, _, served := open(t, table, client)
	err := call(t.Context(), connection, table.Name, unary)
	if status.Code(err) != codes.Unauthenticated || served.runs.Load() != 0 || a.times.Load()+plain.times.Load() != 0 {
		t.Errorf("got %v, fetched %d and %d times", err, a.times.Load(), plain.times.Load())
	}
}

// What grpc is told of a source that fails, without grpc, which ends a call that has ended whatever it is told.
func TestErrorsOfSourcesAreStatuses(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(authimpl.Header{Name: "x-s", Present: authimpl.String}))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		ctx  context.Context
		err  error
		want string
	}{
		{t.Context(), errors.New("down"), `rpc error: code = Unauthenticated desc = grpcauth: /test.v1.Service/Unary requires header "x-s": its source failed: down`},
		{t.Context(), status.Error(codes.Unavailable, "down"), `rpc error: code = Unavailable desc = grpcauth: /test.v1.Service/Unary requires header "x-s": its source failed: down`},
		{t.Context(), status.Error(codes.DataLoss, "down"), `rpc error: code = Unauthenticated desc = grpcauth: /test.v1.Service/Unary requires header "x-s": its source failed: down`},
		{ended, errors.New("down"), "rpc error: code = Canceled desc = context canceled"},
	} {
		client := authimpl.NewClientInterceptor(table, nil, authimpl.Supply("x-s", "C.XS",
			func(context.Context, grpcauth.Call) (string, error) { return "", test.err }))
		err := client.UnaryInterceptor(test.ctx, table.Methods[0].FullMethod, nil, nil, nil,
			func(ctx context.Context, _ string, _, _ any, _ *grpc.ClientConn, opts ...grpc.CallOption) error {
				option, ok := opts[len(opts)-1].(grpc.PerRPCCredsCallOption)
				if !ok {
					t.Fatalf("%T", opts[len(opts)-1])
				}
				_, err := option.Creds.GetRequestMetadata(ctx)
				return err
			})
		if fmt.Sprint(err) != test.want {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

func TestT26_SecretsTravelOverTLS(t *testing.T) {
	t.Parallel()
	var a asked
	for name, secret := range secretKinds(&a) {
		table := tableFor("test.v1.Service", headers(secret.header))
		seen, served := &recorder{}, &service{name: table.Name}
		server := grpc.NewServer(append(seen.options(), grpc.Creds(credentials.NewTLS(madeTLS().server)))...)
		server.RegisterService(served.desc(), served)
		connection := dialWith(t, server, credentials.NewTLS(madeTLS().client),
			authimpl.NewClientInterceptor(table, nil, secret.supplier).DialOptions()...)
		for _, kind := range kinds {
			if err := call(t.Context(), connection, table.Name, kind); err != nil {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
			checkArrived(t, name, seen.got("/test.v1.Service/"+string(kind)), map[string][]string{secret.header.Name: {secret.sent}})
		}
	}
}

// The caller's own credentials do not open the gate for ours, and theirs keep their own demands.
func TestT26_CallersCredentialsDoNotOpenTheGate(t *testing.T) {
	t.Parallel()
	var a asked
	table := bearerTable()
	client := authimpl.NewClientInterceptor(table, nil, authimpl.SupplyBearer("authorization", "C.AuthorizationBearer", secretSource(&a, "token")))
	connection, seen, served := open(t, table, client)
	theirs := &callersCreds{headers: map[string]string{"x-theirs": "1"}}
	for _, kind := range kinds {
		err := call(t.Context(), connection, table.Name, kind, grpc.PerRPCCredentials(theirs))
		if status.Code(err) != codes.Unauthenticated || !strings.Contains(err.Error(), "privacy and integrity") {
			t.Errorf("%s: got %v", kind, err)
		}
	}
	if a.times.Load() != 0 || served.runs.Load() != 0 || len(seen.got(table.Methods[0].FullMethod)) != 0 {
		t.Errorf("fetched %d times, served %d", a.times.Load(), served.runs.Load())
	}
}

// Three attempts at a call fetch three values; the server sees the one of each attempt.
func TestT28_RetriesFetchTheValueAgain(t *testing.T) {
	t.Parallel()
	const policy = `{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.001s",
		"maxBackoff": "0.001s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			var fetched atomic.Int64
			table := bearerTable()
			client := authimpl.NewClientInterceptor(table, []grpcauth.ClientOption{grpcauth.AllowInsecureTransport()},
				authimpl.SupplyBearer("authorization", "C.AuthorizationBearer", func(context.Context, grpcauth.Call) (grpcauth.Secret, error) {
					return grpcauth.NewSecret(fmt.Sprint("token", fetched.Add(1))), nil
				}))
			var tokens []string // written by one attempt after the other
			interceptor := authimpl.NewServerInterceptor(table, nil, authimpl.VerifyBearer("authorization",
				func(ctx context.Context, _ grpcauth.Call, token grpcauth.Secret) (context.Context, error) {
					tokens = append(tokens, token.Reveal())
					if len(tokens) < 3 {
						return nil, grpcauth.Unavailable(errBackend)
					}
					return ctx, nil
				}))
			served := &service{name: table.Name}
			connection := installs[0].start(t, loopback, interceptor, served,
				append(client.DialOptions(), grpc.WithDefaultServiceConfig(policy))...)
			if err := call(t.Context(), connection, table.Name, kind); err != nil {
				t.Fatal(err)
			}
			if want := []string{"token1", "token2", "token3"}; !slices.Equal(tokens, want) || fetched.Load() != 3 || served.runs.Load() != 1 {
				t.Errorf("the server saw %q, %d were fetched, the handler ran %d times", tokens, fetched.Load(), served.runs.Load())
			}
		})
	}
}

// A secret's source that fails gives a status that a client may see from itself: never a code that gRFC A54
// reserves, never a value.
func TestT28_FailingSourcesOfSecretsGiveAllowedCodes(t *testing.T) {
	t.Parallel()
	for code := codes.Code(1); code <= codes.Unauthenticated; code++ {
		want := code
		switch code {
		case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.FailedPrecondition, codes.Aborted, codes.OutOfRange, codes.DataLoss:
			want = codes.Unauthenticated
		default:
		}
		for position, rule := range map[string]authimpl.Method{
			"required":       headers(authimpl.Header{Name: "authorization", Bearer: true}),
			"an alternative": {AnyOf: [][]authimpl.Header{{{Name: "authorization", Bearer: true}}, {{Name: "x-dev", Equals: "1"}}}, Denial: refusal},
		} {
			table := tableFor("test.v1.Service", rule)
			a := asked{err: fmt.Errorf("sealed: %w", status.Error(code, "vault"))}
			client := authimpl.NewClientInterceptor(table, []grpcauth.ClientOption{grpcauth.AllowInsecureTransport()},
				authimpl.SupplyBearer("authorization", "C.AuthorizationBearer", secretSource(&a, canary)))
			connection, _, served := open(t, table, client)
			err := call(t.Context(), connection, table.Name, unary)
			if status.Code(err) != want || !strings.Contains(err.Error(), "vault") || showsCanary(err.Error()) || served.runs.Load() != 0 {
				t.Errorf("%v, %s: got %v", code, position, err)
			}
		}
	}
}

// The caller's own call credentials stay beside secrets of ours, over any alternative.
func TestT29_CallersCredentialsBesideAlternatives(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", authimpl.Method{Denial: refusal, AnyOf: [][]authimpl.Header{
		{{Name: "authorization", Bearer: true}}, {{Name: "x-api-key", Verify: authimpl.String}},
	}})
	none := asked{err: grpcauth.ErrNoCredential}
	var key asked
	client := authimpl.NewClientInterceptor(table, []grpcauth.ClientOption{grpcauth.AllowInsecureTransport()},
		authimpl.SupplyBearer("authorization", "C.AuthorizationBearer", secretSource(&none, "")),
		authimpl.SupplyValue("x-api-key", "", "C.XApiKey", secretSource(&key, "ours")))
	connection, seen, _ := open(t, table, client)
	theirs := &callersCreds{headers: map[string]string{"X-Api-Key": "theirs", "x-trace": "1"}}
	for _, kind := range kinds {
		if err := call(t.Context(), connection, table.Name, kind, grpc.PerRPCCredentials(theirs)); err != nil {
			t.Fatal(err)
		}
		checkArrived(t, string(kind), seen.got("/test.v1.Service/"+string(kind)), map[string][]string{
			"x-api-key": {"ours"}, "x-trace": {"1"}, "authorization": nil,
		})
	}
}

// The first alternative is sent whose sources are all set and have a value, chosen anew for each call.
func TestClientChoosesAnAlternative(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", authimpl.Method{Denial: refusal, AnyOf: [][]authimpl.Header{
		{{Name: "authorization", Bearer: true}, {Name: "x-tenant", Present: authimpl.Int64}},
		{{Name: "authorization", Basic: true}},
		{{Name: "x-api-key", Verify: authimpl.String}},
	}})
	for name, test := range map[string]struct {
		sources string // of bearer, tenant, basic and key
		callers []string
		want    map[string][]string
		err     string
	}{
		"the first":                          {"vvvv", nil, map[string][]string{"authorization": {"Bearer token"}, "x-tenant": {"7"}, "x-api-key": nil}, ""},
		"no token":                           {"-vvv", nil, map[string][]string{"authorization": {"Basic YWRhOmI="}, "x-tenant": nil, "x-api-key": nil}, ""},
		"no tenant":                          {"v-vv", nil, map[string][]string{"authorization": {"Basic YWRhOmI="}, "x-tenant": nil}, ""},
		"no source of tokens":                {" vvv", nil, map[string][]string{"authorization": {"Basic YWRhOmI="}, "x-tenant": nil}, ""},
		"no source of tenants":               {"v vv", nil, map[string][]string{"authorization": {"Basic YWRhOmI="}, "x-tenant": nil}, ""},
		"only a key":                         {"   v", nil, map[string][]string{"authorization": nil, "x-api-key": {"key"}}, ""},
		"the last has a value":               {"v--v", nil, map[string][]string{"authorization": nil, "x-tenant": nil, "x-api-key": {"key"}}, ""},
		"none has a value":                   {"-v--", nil, nil, "there is no credential for this call from C.AuthorizationBearer, C.AuthorizationBasic, C.XApiKey"},
		"no source":                          {"    ", nil, nil, `this client has the values of none: "authorization" with "x-tenant" (set C.AuthorizationBearer and C.XTenant), or "authorization" (set C.AuthorizationBasic), or "x-api-key" (set C.XApiKey)`},
		"no source, and the caller has some": {"    ", []string{"x-api-key", "theirs"}, map[string][]string{"x-api-key": {"theirs"}}, ""},
		"no source, and the caller has half": {"    ", []string{"x-tenant", "7"}, nil, "this client has the values of none"},
		"the caller's are replaced":          {"vvvv", []string{"x-api-key", "theirs", "authorization", "theirs", "x-tenant", "9", "x-other", "1"}, map[string][]string{"authorization": {"Bearer token"}, "x-tenant": {"7"}, "x-api-key": nil, "x-other": {"1"}}, ""},
		"one that is not supplied stays":     {"vv  ", []string{"x-api-key", "theirs"}, map[string][]string{"authorization": {"Bearer token"}, "x-api-key": {"theirs"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suppliers := []authimpl.Supplier{
				authimpl.SupplyBearer("authorization", "C.AuthorizationBearer", sourceThat(test.sources[0], grpcauth.NewSecret("token"))),
				authimpl.Supply("x-tenant", "C.XTenant", sourceThat(test.sources[1], int64(7))),
				authimpl.SupplyBasic("authorization", "C.AuthorizationBasic", sourceThat(test.sources[2], grpcauth.BasicAuth{Username: "ada", Password: grpcauth.NewSecret("b")})),
				authimpl.SupplyValue("x-api-key", "", "C.XApiKey", sourceThat(test.sources[3], grpcauth.NewSecret("key"))),
			}
			client := authimpl.NewClientInterceptor(table, []grpcauth.ClientOption{grpcauth.AllowInsecureTransport()}, suppliers...)
			connection, seen, served := open(t, table, client)
			for _, kind := range kinds {
				before := served.runs.Load()
				err := call(sent(t, test.callers...), connection, table.Name, kind)
				if test.err != "" {
					if status.Code(err) != codes.Unauthenticated || !strings.Contains(err.Error(), test.err) ||
						!strings.Contains(err.Error(), "/test.v1.Service/"+string(kind)) || served.runs.Load() != before {
						t.Errorf("%s: got %v, want %q", kind, err, test.err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", kind, err)
				}
				checkArrived(t, name, seen.got("/test.v1.Service/"+string(kind)), test.want)
			}
		})
	}
}

// sourceThat has a value, has none, or is not set.
func sourceThat[T any](what byte, value T) grpcauth.Source[T] {
	switch what {
	case 'v':
		return grpcauth.Static(value)
	case '-':
		return func(context.Context, grpcauth.Call) (T, error) {
			return value, fmt.Errorf("not now: %w", grpcauth.ErrNoCredential)
		}
	default:
		return nil
	}
}

func TestClientLeavesOptionalHeadersOut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		source byte
		caller []string
		want   []string
	}{
		{'v', nil, []string{"7"}},
		{'-', nil, nil},
		{' ', nil, nil},
		{'v', []string{"x-user", "8"}, []string{"7"}},
		{'-', []string{"x-user", "8"}, nil}, // this client supplies the name: it is the one to say that there is none
		{' ', []string{"x-user", "8"}, []string{"8"}},
	} {
		table := tableFor("test.v1.Service", authimpl.Method{
			Public: true, Denial: refusal, Headers: []authimpl.Header{{Name: "x-user", Optional: true, Present: authimpl.Int64}},
		})
		client := authimpl.NewClientInterceptor(table, nil, authimpl.Supply("x-user", "C.XUser", sourceThat(test.source, int64(7))))
		connection, seen, _ := open(t, table, client)
		for _, kind := range kinds {
			if err := call(sent(t, test.caller...), connection, table.Name, kind); err != nil {
				t.Errorf("%q, %s: %v", test.source, kind, err)
			}
			checkArrived(t, fmt.Sprintf("%q", test.source), seen.got("/test.v1.Service/"+string(kind)), map[string][]string{"x-user": test.want})
		}
	}
}

func TestClientWithoutACredentialForARequiredHeader(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(authimpl.Header{Name: "x-s", Present: authimpl.String}))
	client := authimpl.NewClientInterceptor(table, nil, authimpl.Supply("x-s", "C.XS", sourceThat('-', "")))
	connection, _, served := open(t, table, client)
	err := call(t.Context(), connection, table.Name, unary)
	if status.Code(err) != codes.Unauthenticated || !strings.Contains(err.Error(), `requires header "x-s": C.XS has no credential for this call`) || served.runs.Load() != 0 {
		t.Errorf("got %v", err)
	}
}

// What the server would refuse is a local error, which does not show the value.
func TestClientRefusesCredentialsThatTheServerWould(t *testing.T) {
	t.Parallel()
	secret := func(value string) grpcauth.Source[grpcauth.Secret] { return grpcauth.Static(grpcauth.NewSecret(value)) }
	basic := func(user, password string) grpcauth.Source[grpcauth.BasicAuth] {
		return grpcauth.Static(grpcauth.BasicAuth{Username: user, Password: grpcauth.NewSecret(password)})
	}
	bearer, basicAuth, dpop := authimpl.Header{Name: "authorization", Bearer: true},
		authimpl.Header{Name: "authorization", Basic: true}, authimpl.Header{Name: "authorization", Verify: authimpl.String, Scheme: "DPoP"}
	for name, test := range map[string]struct {
		header   authimpl.Header
		supplier authimpl.Supplier
		why      string
	}{
		"no token":             {bearer, authimpl.SupplyBearer("authorization", "C.A", secret("")), "the value is empty"},
		"a token with a space": {bearer, authimpl.SupplyBearer("authorization", "C.A", secret(canary+" b")), "not formed as the rule demands"},
		"two tokens":           {bearer, authimpl.SupplyBearer("authorization", "C.A", secret(canary+",b")), "not formed as the rule demands"},
		"a token's newline":    {bearer, authimpl.SupplyBearer("authorization", "C.A", secret(canary+"\n")), "other than printable ASCII"},
		"no password":          {basicAuth, authimpl.SupplyBasic("authorization", "C.A", basic("ada", "")), "the value is empty"},
		"no user":              {basicAuth, authimpl.SupplyBasic("authorization", "C.A", basic("", canary)), "not formed as the rule demands"},
		"a user with a colon":  {basicAuth, authimpl.SupplyBasic("authorization", "C.A", basic("a:b", canary)), "the user name holds a colon"},
		"a password's newline": {basicAuth, authimpl.SupplyBasic("authorization", "C.A", basic("ada", canary+"\n")), "not formed as the rule demands"},
		"a space at the edge":  {dpop, authimpl.SupplyValue("authorization", "DPoP", "C.A", secret(canary+" ")), "not formed as the rule demands"},
		"no proof":             {dpop, authimpl.SupplyValue("authorization", "DPoP", "C.A", secret("")), "the value is empty"},
		"the zero Secret":      {bearer, authimpl.SupplyBearer("authorization", "C.A", grpcauth.Static(grpcauth.Secret{})), "the value is empty"},
	} {
		table := tableFor("test.v1.Service", headers(test.header))
		client := authimpl.NewClientInterceptor(table, []grpcauth.ClientOption{grpcauth.AllowInsecureTransport()}, test.supplier)
		connection, _, served := open(t, table, client)
		err := call(t.Context(), connection, table.Name, unary)
		if status.Code(err) != codes.Unauthenticated || !strings.Contains(err.Error(), test.why) || showsCanary(err.Error()) || served.runs.Load() != 0 {
			t.Errorf("%s: got %v, want %q", name, err, test.why)
		}
	}
}

// A source is told which call it is asked for, with scopes that are its own to change.
func TestT43_SourcesAndVerifiersHaveTheirOwnScopes(t *testing.T) {
	t.Parallel()
	table := tableFor("test.v1.Service", headers(authimpl.Header{Name: "authorization", Bearer: true, Scopes: []string{"read", "write"}}))
	meddle := func(who string, call grpcauth.Call) {
		if !slices.Equal(call.Scopes, []string{"read", "write"}) || call.Header != "authorization" || !strings.HasPrefix(call.FullMethod, "/test.v1.Service/") {
			t.Errorf("the %s is asked for %+v", who, call)
		}
		call.Scopes[0], call.Scopes[1] = "none", "none"
	}
	client := authimpl.NewClientInterceptor(table, []grpcauth.ClientOption{grpcauth.AllowInsecureTransport()},
		authimpl.SupplyBearer("authorization", "C.A", func(_ context.Context, call grpcauth.Call) (grpcauth.Secret, error) {
			meddle("source", call)
			return grpcauth.NewSecret("a"), nil
		}))
	var granted []string
	interceptor := authimpl.NewServerInterceptor(table, nil, authimpl.VerifyBearer("authorization",
		func(ctx context.Context, call grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
			meddle("verifier", call)
			ctx = grpcauth.WithGrantedScopes(ctx, granted...)
			return ctx, nil
		}))
	served := &service{name: table.Name}
	connection := installs[0].start(t, loopback, interceptor, served, client.DialOptions()...)
	for _, test := range []struct {
		granted []string
		code    codes.Code
	}{
		{[]string{"none"}, codes.PermissionDenied},
		{[]string{"read"}, codes.PermissionDenied},
		{[]string{"read", "write"}, codes.OK},
		{nil, codes.PermissionDenied},
		{[]string{"read write"}, codes.PermissionDenied},
		{[]string{"READ", "WRITE"}, codes.PermissionDenied},
		{[]string{"more", "write", "read"}, codes.OK},
	} {
		granted = test.granted
		for _, kind := range kinds {
			err := call(t.Context(), connection, table.Name, kind)
			if status.Code(err) != test.code || (err != nil && status.Convert(err).Message() != refusal.Message) {
				t.Errorf("granted %q, %s: %v, want %v", test.granted, kind, err, test.code)
			}
		}
	}
}

// An ended call gives its own status, whatever the source says; the wait for a source is the call's.
func TestClientOfAnEndedCall(t *testing.T) {
	t.Parallel()
	table := bearerTable()
	client := authimpl.NewClientInterceptor(table, []grpcauth.ClientOption{grpcauth.AllowInsecureTransport()},
		authimpl.SupplyBearer("authorization", "C.A", func(ctx context.Context, _ grpcauth.Call) (grpcauth.Secret, error) {
			<-ctx.Done()
			return grpcauth.Secret{}, errors.New("vault is sealed")
		}))
	connection, _, served := open(t, table, client)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := call(ctx, connection, table.Name, unary); status.Code(err) != codes.DeadlineExceeded || served.runs.Load() != 0 {
		t.Errorf("got %v", err)
	}
}

// The metadata of a caller's context is not ours to change, with secrets neither.
func TestClientDoesNotTouchTheCallersMetadata(t *testing.T) {
	t.Parallel()
	table := bearerTable()
	client := authimpl.NewClientInterceptor(table, []grpcauth.ClientOption{grpcauth.AllowInsecureTransport()},
		authimpl.SupplyBearer("authorization", "C.A", grpcauth.Static(grpcauth.NewSecret("ours"))))
	connection, seen, _ := open(t, table, client)
	ctx := sent(t, "authorization", "theirs")
	if err := call(ctx, connection, table.Name, unary); err != nil {
		t.Fatal(err)
	}
	checkArrived(t, "the call", seen.got(table.Methods[0].FullMethod), map[string][]string{"authorization": {"Bearer ours"}})
	if md, _ := metadata.FromOutgoingContext(ctx); !slices.Equal(md.Get("authorization"), []string{"theirs"}) {
		t.Errorf("the caller's metadata is now %v", md)
	}
}
