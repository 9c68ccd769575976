package bridge

import (
	"context"
	"time"

	"google.golang.org/grpc/metadata"
)

// Check is one method's check, for servers that are not grpc's.
type Check interface {
	// Admit decides about the call whose incoming metadata is in ctx. It returns the handler's context, or a
	// status.
	Admit(ctx context.Context) (context.Context, error)

	// Expiry is when the credentials of an admitted call expire, if they do and if that is enforced.
	Expiry(admitted context.Context) (time.Time, bool)

	// Challenges are the values of WWW-Authenticate that belong to a refusal with HTTP's status 401.
	Challenges() []string
}

// Supply is what one method needs of clients that are not grpc's.
type Supply interface {
	// Prepare fails, with a status, for a call that would lack a value that neither the client nor the caller
	// supplies. It deletes the caller's own values under the names that the client supplies.
	Prepare(outgoing metadata.MD) error

	// NeedsPrivacy is true if a value is a credential that must not travel where others can read it.
	NeedsPrivacy() bool

	// Values fetches the values by their keys. Errors are statuses. private says that nobody else can read or
	// change what the connection carries.
	Values(ctx context.Context, private bool) (map[string]string, error)
}

// The doors of package grpcauth, which sets them, once, in its init. Interceptors are a
// *grpcauth.ServerInterceptor and a *grpcauth.ClientInterceptor; one that was not made by a generated
// constructor panics in MustBeMade.
//
//nolint:gochecknoglobals // set once
var (
	MustBeMade func(interceptor any)

	// FindCheck returns the check of the method that a request asks for, nil where the request passes without
	// one, or the refusal of one that does not.
	FindCheck func(ctx context.Context, interceptor any, fullMethod string) (Check, error)

	// FindListed is FindCheck without its answer for methods that have no check.
	FindListed func(interceptor any, fullMethod string) Check

	// FindSupply returns nil for a method that needs nothing from a client.
	FindSupply func(interceptor any, fullMethod string) Supply
)
