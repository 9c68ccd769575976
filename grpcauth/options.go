package grpcauth

import (
	"fmt"
	"strings"
)

// ServerOption adjusts a generated New...ServerInterceptor.
type ServerOption interface {
	applyServer(i *ServerInterceptor)
}

// ClientOption adjusts a generated New...ClientInterceptor. There is none in this version.
type ClientOption interface {
	applyClient(i *ClientInterceptor)
}

type serverOption func(*ServerInterceptor)

func (o serverOption) applyServer(i *ServerInterceptor) { o(i) }

// DenyUnlisted makes the interceptors refuse, with UNIMPLEMENTED, every service that they have no rules
// for, except those of the given full names:
//
//	grpcauth.DenyUnlisted("grpc.health.v1.Health")
//
// Each interceptor knows its own service only: in a server with several, name the others too.
//
// It has no effect on Guard, which sees only the services that are registered through it. It panics on
// a name that is no full service name.
func DenyUnlisted(except ...string) ServerOption {
	names := make(map[string]bool, len(except))
	for _, name := range except {
		if name == "" || strings.ContainsAny(name, "/ ") {
			panic(fmt.Sprintf("grpcauth: DenyUnlisted takes full service names such as %q, not %q",
				"grpc.health.v1.Health", name))
		}
		names[name] = true
	}
	return serverOption(func(i *ServerInterceptor) {
		i.denyUnlisted = true
		i.except = names
	})
}
