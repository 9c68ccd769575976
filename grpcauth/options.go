package grpcauth

import (
	"context"
	"fmt"
	"maps"
	"strings"
)

// ServerOption adjusts a generated New...ServerInterceptor.
type ServerOption interface {
	applyServer(settings *serverSettings)
}

// ClientOption adjusts a generated New...ClientInterceptor.
type ClientOption interface {
	applyClient(settings *clientSettings)
}

// serverSettings are one service's, also in a merged interceptor.
type serverSettings struct {
	hooks         []func(context.Context, Decision)
	reportOnly    bool
	maxValueBytes int
	denyUnlisted  bool
	except        map[string]bool // full service names that DenyUnlisted lets pass
}

type clientSettings struct {
	allowInsecure bool // secrets may travel where others can read them
}

type serverOption func(*serverSettings)

func (o serverOption) applyServer(settings *serverSettings) { o(settings) }

type clientOption func(*clientSettings)

func (o clientOption) applyClient(settings *clientSettings) { o(settings) }

// OnDecision calls hook once for each check, of public methods, too, and before the handler runs. Its context
// is the call's; on an allowed call it is the handler's, so that [Principal] finds who is calling. The hook
// changes nothing. It runs in the call's goroutine: the caller waits for what it does, and if it panics the
// handler does not run, and the process ends unless the server's interceptors recover. Several hooks are
// called in their order. It panics if hook is nil. [LogDecisions] makes one that logs.
func OnDecision(hook func(context.Context, Decision)) ServerOption {
	if hook == nil {
		panic("grpcauth: OnDecision needs a hook, not nil")
	}
	return serverOption(func(settings *serverSettings) { settings.hooks = append(settings.hooks, hook) })
}

// ReportOnly is shadow mode, for rules that are new to a service with traffic: calls are checked, verifiers
// asked and decisions reported, and then every call passes, for which expiry is not enforced either. What is
// refused is known from hook, as with [OnDecision], before anybody is. A handler of a call that would have
// been refused finds no values and no principal.
//
// The service is open as long as this stands. The generated constructor says so through log/slog's default
// logger, at LevelWarn. It panics if hook is nil.
func ReportOnly(hook func(context.Context, Decision)) ServerOption {
	if hook == nil {
		panic("grpcauth: ReportOnly needs a hook that reports, not nil: nobody would know what it lets pass")
	}
	return serverOption(func(settings *serverSettings) {
		settings.hooks = append(settings.hooks, hook)
		settings.reportOnly = true
	})
}

// DenyUnlisted makes the interceptors refuse, with UNIMPLEMENTED, every service that they have no rules
// for, except those of the given full names:
//
//	grpcauth.DenyUnlisted("grpc.health.v1.Health")
//
// Each interceptor knows its own services only: in a server with several, merge them with
// [MergeServerInterceptors], or name the other services, too.
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
	return serverOption(func(settings *serverSettings) {
		settings.denyUnlisted = true
		if settings.except == nil {
			settings.except = map[string]bool{}
		}
		maps.Copy(settings.except, names)
	})
}

const defaultMaxValueBytes = 8192

// MaxValueBytes refuses calls in which the value of a header of the rule is longer than n bytes, its scheme
// included, before a verifier sees it. Without this option n is 8192. It panics if n is not positive.
func MaxValueBytes(n int) ServerOption {
	if n <= 0 {
		panic(fmt.Sprintf("grpcauth: MaxValueBytes needs a positive number of bytes, not %d", n))
	}
	return serverOption(func(settings *serverSettings) { settings.maxValueBytes = n })
}

// AllowInsecureTransport lets a client send credentials (`bearer`, `basic`, `verify`) on connections that
// others can read or change. Without it such a call fails before anything is sent. It is meant for tests, and
// for connections that something else protects, such as a sidecar.
func AllowInsecureTransport() ClientOption {
	return clientOption(func(settings *clientSettings) { settings.allowInsecure = true })
}
