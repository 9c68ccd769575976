package transparency

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/orca"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	rules "github.com/grpcauth/protoc-gen-go-grpcauth/test/transparency/credentials"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/transparency/literal"
)

const testService = "/grpc.testing.TestService/"

// setup is a way to serve the test service and to call it.
type setup struct {
	// rules that both ends have. Each takes other ways through the runtime: a literal changes no context, a verifier
	// does, and a stream whose credential expires has a goroutine of its own.
	rules string
	// install says how the server checks.
	install string
	// transport is grpc's own or net/http's, both with TLS, which tokens need.
	transport string
	// others is true if other interceptors stand before and after ours, at both ends.
	others bool
}

const (
	withoutRules, literals, verified, expiring = "no rules", "literal", "verified", "expiring"
	byOptions, byGuard                         = "ServerOptions", "Guard"
	native, serveHTTP                          = "grpc", "ServeHTTP"
)

func (s setup) String() string {
	parts := []string{s.rules, s.install, s.transport, "alone"}
	if s.others {
		parts[3] = "among others"
	}
	if s.rules == withoutRules {
		parts = append(parts[:1], parts[2:]...)
	}
	return strings.Join(parts, ", ")
}

// checks is false for the control.
func (s setup) checks() bool { return s.rules != withoutRules }

func (s setup) verifies() bool { return s.rules == verified || s.rules == expiring }

// control is the setup without rules.
func (s setup) control() setup {
	return setup{rules: withoutRules, transport: s.transport, others: s.others}
}

// refusal is what a caller gets who sends nothing.
func (s setup) refusal() string {
	if s.rules == literals {
		return "not without a name"
	}
	return "not without a token"
}

// setups are all, the controls first.
func setups() []setup {
	var controls, made []setup
	for _, transport := range []string{native, serveHTTP} {
		for _, others := range []bool{false, true} {
			controls = append(controls, setup{rules: withoutRules, transport: transport, others: others})
			for _, install := range []string{byOptions, byGuard} {
				for _, rules := range []string{literals, verified, expiring} {
					made = append(made, setup{rules, install, transport, others})
				}
			}
		}
	}
	return append(controls, made...)
}

func (s setup) server(log *record) *grpcauth.ServerInterceptor {
	onDecision := grpcauth.OnDecision(log.decided)
	switch s.rules {
	case literals:
		return literal.NewTestServiceServerInterceptor(onDecision)
	case verified, expiring:
		return rules.NewTestServiceServerInterceptor(&verifier{log, s.rules == expiring}, onDecision)
	}
	return nil
}

func (s setup) client() []grpc.DialOption {
	switch s.rules {
	case literals:
		return literal.NewTestServiceClientInterceptor().DialOptions()
	case verified, expiring:
		return rules.NewTestServiceClientInterceptor(rules.TestServiceCredentials{
			AuthorizationBearer: grpcauth.Static(grpcauth.NewSecret(goodToken)),
			XTenantId:           grpcauth.Static(tenant),
			XRegion:             grpcauth.Static(region),
			XNonceBin:           grpcauth.Static([]byte(nonce)),
		}).DialOptions()
	}
	return nil
}

const (
	goodToken, region, nonce       = "good", "south", "\x00\xff"
	tenant                   int64 = -7
)

// account is the principal.
type account string

var errUnknown = errors.New("unknown credential")

type verifier struct {
	log      *record
	expiring bool
}

func (v *verifier) VerifyAuthorizationBearer(ctx context.Context, call grpcauth.Call, secret grpcauth.Secret) (context.Context, error) {
	if secret.Reveal() != goodToken {
		return nil, errUnknown
	}
	v.log.verified(call.FullMethod)
	ctx = grpcauth.WithPrincipal(grpcauth.WithGrantedScopes(ctx, "interop"), account("interop"))
	if v.expiring {
		ctx = grpcauth.WithExpiry(ctx, time.Now().Add(time.Hour))
	}
	return ctx, nil
}

func (v *verifier) VerifyXSession(context.Context, grpcauth.Call, grpcauth.Secret) (context.Context, error) {
	return nil, errUnknown
}

// end is a server and a connection to it.
type end struct {
	setup      setup
	address    string
	connection *grpc.ClientConn
	log        *record
	dial       func(...grpc.DialOption) *grpc.ClientConn
	// close closes the connection and stops the server, and returns when no handler runs any more.
	close func()
}

// start serves and connects. A client that is not equipped has no client interceptor.
func (s setup) start(t *testing.T, equipped bool) *end {
	t.Helper()
	made := &end{setup: s, log: newRecord(s)}
	var options []grpc.ServerOption
	if s.transport == native {
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(new(certificate(t)))))
	}
	options = append(options, grpc.StatsHandler(serverStatistics{made.log}), grpc.WaitForHandlers(true))
	interceptor := s.server(made.log)
	if s.others {
		options = append(options, orca.CallMetricsServerOption(nil))
		options = append(options, made.log.serverInterceptors("outer")...)
	}
	if s.install == byOptions {
		options = append(options, interceptor.ServerOptions()...)
	}
	if s.others {
		options = append(options, made.log.serverInterceptors("inner")...)
	}
	server := grpc.NewServer(options...)
	var registrar grpc.ServiceRegistrar = server
	if s.install == byGuard {
		registrar = interceptor.Guard(server)
	}
	testgrpc.RegisterTestServiceServer(registrar, newHandlers(made.log))
	// A service without rules. Calls of one that is not registered would reach no interceptor.
	testgrpc.RegisterUnimplementedServiceServer(server, testgrpc.UnimplementedUnimplementedServiceServer{})

	var stop func()
	made.address, stop = serve(t, s.transport, server)
	made.dial = func(more ...grpc.DialOption) *grpc.ClientConn { return s.connect(t, made, equipped, more...) }
	made.connection = made.dial()
	made.close = sync.OnceFunc(func() {
		made.connection.Close()
		stop()
	})
	t.Cleanup(made.close)
	return made
}

// serve listens on a loopback port, and returns how to stop.
func serve(t *testing.T, transport string, server *grpc.Server) (address string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if transport == native {
		go server.Serve(listener)
		return listener.Addr().String(), server.Stop
	}
	outer := &http.Server{Handler: server, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate(t)}}}
	go outer.ServeTLS(listener, "", "")
	return listener.Addr().String(), func() {
		outer.Close()
		server.Stop()
	}
}

func (s setup) connect(t *testing.T, to *end, equipped bool, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	trusted := x509.NewCertPool()
	trusted.AddCert(certificate(t).Leaf)
	options = append(options,
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(trusted, "")),
		grpc.WithStatsHandler(clientStatistics{to.log}))
	if s.others {
		options = append(options, to.log.clientInterceptors("outer")...)
		// The policy that hands a server's load reports to the caller.
		options = append(options, grpc.WithDefaultServiceConfig(
			`{"loadBalancingConfig": [{"test_backend_metrics_load_balancer": {}}]}`))
	}
	if equipped {
		options = append(options, s.client()...)
	}
	if s.others {
		options = append(options, to.log.clientInterceptors("inner")...)
	}
	connection, err := grpc.NewClient(to.address, options...)
	if err != nil {
		t.Fatal(err)
	}
	return connection
}

// certificate is for the loopback address, and signed by itself.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	made, err := makeCertificate()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

var makeCertificate = sync.OnceValues(func() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(signed)
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key, Leaf: leaf}, err
})
