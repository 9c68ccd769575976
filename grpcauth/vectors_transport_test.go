package grpcauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/test/bufconn"
)

// wire is a kind of connection between a client and a server.
type wire struct {
	name    string
	scheme  string
	options func() []grpc.ServerOption
	serve   func(t *testing.T, server *grpc.Server, dial ...grpc.DialOption) ends
}

// ends are the ways to reach a server.
type ends struct {
	client *grpc.ClientConn
	dial   func(ctx context.Context) (net.Conn, error) // for raw frames
}

var wires = []wire{
	{
		name: "loopback TLS", scheme: "https",
		options: func() []grpc.ServerOption {
			return []grpc.ServerOption{grpc.Creds(credentials.NewTLS(madeTLS().server))}
		},
		serve: serveTLS,
	},
	{
		name: "ServeHTTP", scheme: "https",
		options: func() []grpc.ServerOption { return nil }, // TLS is net/http's
		serve:   serveHTTPS,
	},
	{
		name: "bufconn", scheme: "http",
		options: func() []grpc.ServerOption { return nil },
		serve:   serveInMemory,
	},
}

func serveTLS(t *testing.T, server *grpc.Server, dial ...grpc.DialOption) ends {
	t.Helper()
	return reachTLS(t, listen(t, server), dial...)
}

func serveHTTPS(t *testing.T, server *grpc.Server, dial ...grpc.DialOption) ends {
	t.Helper()
	return reachTLS(t, listenHTTPS(t, server), dial...)
}

func reachTLS(t *testing.T, address string, dial ...grpc.DialOption) ends {
	t.Helper()
	client, err := grpc.NewClient(address,
		append(dial, grpc.WithTransportCredentials(credentials.NewTLS(madeTLS().client)))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return ends{client: client, dial: dialTLS(address)}
}

func serveInMemory(t *testing.T, server *grpc.Server, dial ...grpc.DialOption) ends {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	dial = append(dial, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return listener.DialContext(ctx)
	}))
	return ends{client: connect(t, server, listener, "passthrough:///in-memory", dial...), dial: listener.DialContext}
}

// tlsPair is a server's certificate for 127.0.0.1, and what a client needs to trust it.
type tlsPair struct{ server, client *tls.Config }

// madeTLS makes an authority and a certificate, once.
var madeTLS = sync.OnceValue(func() tlsPair {
	authorityKey, serverKey := mustKey(), mustKey()
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server of a test"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	authorityDER := mustSign(authority, authority, authorityKey, authorityKey)
	serverDER := mustSign(server, authority, serverKey, authorityKey)
	trusted := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(authorityDER)
	if err != nil {
		panic(err)
	}
	trusted.AddCert(parsed)
	return tlsPair{
		server: &tls.Config{
			MinVersion:   tls.VersionTLS13,
			Certificates: []tls.Certificate{{Certificate: [][]byte{serverDER}, PrivateKey: serverKey}},
		},
		client: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: trusted, ServerName: "127.0.0.1"},
	}
})

func mustKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func mustSign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) []byte {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		panic(err)
	}
	return der
}
