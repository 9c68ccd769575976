package grpcauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// callCredentials supplies the headers of one method. grpc asks it once per attempt.
type callCredentials struct {
	fullMethod    string
	allowInsecure bool
	headers       []suppliedValue
	anyOf         [][]suppliedValue // the alternatives that this client has sources for
	names         []string          // every key that may be supplied
	literals      map[string]string // all that is supplied, where that is the same for each call; nil elsewhere
}

// suppliedValue is one header: a literal of its rule, or the value that fetch returns.
type suppliedValue struct {
	required rules.Required
	field    string                                                               // where the user set the source
	fetch    func(ctx context.Context, call rules.Call) (rules.Credential, error) // nil for a literal
}

var _ credentials.PerRPCCredentials = (*callCredentials)(nil)

// RequireTransportSecurity is false, although secrets do require it: what grpc checks for that is satisfied
// by transports that say nothing of their security. GetRequestMetadata checks more strictly.
func (c *callCredentials) RequireTransportSecurity() bool { return false }

// GetRequestMetadata returns the method's headers, for grpc to copy. Its errors are statuses that gRFC A54 allows.
func (c *callCredentials) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	if c.literals != nil {
		return c.literals, nil
	}
	return c.values(ctx, c.allowInsecure || isPrivate(ctx))
}

// values returns the headers for an attempt on a connection that is private or is not.
func (c *callCredentials) values(ctx context.Context, protected bool) (map[string]string, error) {
	if err := c.gate(c.headers, protected); err != nil {
		return nil, err
	}
	if len(c.anyOf) > 0 { // the first that will be tried: nobody is asked if it could not be sent
		if err := c.gate(c.anyOf[0], protected); err != nil {
			return nil, err
		}
	}
	headers := make(map[string]string, len(c.names))
	for i := range c.headers {
		value := &c.headers[i]
		text, err := value.get(ctx, c.fullMethod)
		switch {
		case err == nil:
			headers[value.required.Header] = text
		case !errors.Is(err, ErrNoCredential):
			return nil, err
		case !value.required.Optional:
			return nil, localError(c.fullMethod, value.required.Header,
				value.field+" has no credential for this call")
		}
	}
	if len(c.anyOf) > 0 {
		if err := c.addAlternative(ctx, headers, protected); err != nil {
			return nil, err
		}
	}
	return headers, nil
}

// addAlternative adds the first alternative that all its sources have a value for.
func (c *callCredentials) addAlternative(ctx context.Context, headers map[string]string, protected bool) error {
	var tried []string
	for _, alternative := range c.anyOf {
		if err := c.gate(alternative, protected); err != nil {
			return err // a weaker one in its place would be a surprise
		}
		values, without, err := c.fetchAll(ctx, alternative)
		switch {
		case err != nil:
			return err
		case without == "":
			for i := range alternative {
				headers[alternative[i].required.Header] = values[i]
			}
			return nil
		}
		tried = append(tried, without)
	}
	return localErrorf(c.fullMethod, "requires one of several alternatives, and there is no credential for this "+
		"call from %s", strings.Join(tried, ", "))
}

// fetchAll returns the values of an alternative, or the field of the first source that has none.
func (c *callCredentials) fetchAll(
	ctx context.Context, alternative []suppliedValue,
) (values []string, without string, err error) {
	for i := range alternative {
		text, err := alternative[i].get(ctx, c.fullMethod)
		switch {
		case errors.Is(err, ErrNoCredential):
			return nil, alternative[i].field, nil
		case err != nil:
			return nil, "", err
		}
		values = append(values, text)
	}
	return values, "", nil
}

// gate refuses to ask for secrets that the connection would show to others.
func (c *callCredentials) gate(values []suppliedValue, protected bool) error {
	if protected {
		return nil
	}
	for i := range values {
		if values[i].required.Secret() {
			return localError(c.fullMethod, values[i].required.Header, "it is a credential, and this connection "+
				"does not promise privacy and integrity: use TLS, or grpcauth.AllowInsecureTransport()")
		}
	}
	return nil
}

// isPrivate is true if the connection that the attempt will use says that nobody can read or change what it
// carries. What says nothing is not trusted.
func isPrivate(ctx context.Context) bool {
	info, _ := credentials.RequestInfoFromContext(ctx)
	common, ok := info.AuthInfo.(interface {
		GetCommonAuthInfo() credentials.CommonAuthInfo
	})
	return ok && common.GetCommonAuthInfo().SecurityLevel == credentials.PrivacyAndIntegrity
}

// get returns the value as it travels. Its errors are ErrNoCredential and statuses.
func (v *suppliedValue) get(ctx context.Context, fullMethod string) (string, error) {
	if v.fetch == nil {
		return v.required.Literal, nil
	}
	call := rules.Call{FullMethod: fullMethod, Header: v.required.Header, Scopes: v.required.Scopes()}
	credential, err := v.fetch(ctx, call)
	switch {
	case errors.Is(err, ErrNoCredential):
		return "", ErrNoCredential
	case err != nil:
		return "", sourceError(ctx, fullMethod, v.required.Header, err)
	}
	text, why := v.required.Compose(credential)
	if why != "" {
		return "", localError(fullMethod, v.required.Header, why)
	}
	return text, nil
}

// prepare collects every key that may be supplied, and what is the same for each call.
func (c *callCredentials) prepare() {
	constant := len(c.anyOf) == 0
	literals := make(map[string]string, len(c.headers))
	for i := range c.headers {
		required := &c.headers[i].required
		c.names = append(c.names, required.Header)
		literals[required.Header] = required.Literal
		constant = constant && c.headers[i].fetch == nil
	}
	if constant {
		c.literals = literals
	}
	for _, alternative := range c.anyOf {
		for i := range alternative {
			c.names = append(c.names, alternative[i].required.Header)
		}
	}
}

// removeFrom deletes what the caller put under names that are supplied here. It is true if there was
// any such name.
func (c *callCredentials) removeFrom(outgoing metadata.MD) bool {
	removed := false
	for _, name := range c.names {
		if _, there := outgoing[name]; there {
			delete(outgoing, name)
			removed = true
		}
	}
	return removed
}

// composedCredentials keeps the caller's own call credentials beside ours: grpc uses one per call.
type composedCredentials struct {
	ours    *callCredentials
	callers credentials.PerRPCCredentials
}

// RequireTransportSecurity is what the caller's credentials demand: ours have a gate of their own.
func (c *composedCredentials) RequireTransportSecurity() bool {
	return c.callers.RequireTransportSecurity()
}

// GetRequestMetadata returns the caller's headers and ours, ours winning on a shared key.
func (c *composedCredentials) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	theirs, err := c.callers.GetRequestMetadata(ctx, uri...)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller's own error, which grpc reads as without us
	}
	ours, err := c.ours.GetRequestMetadata(ctx, uri...)
	if err != nil {
		return nil, err
	}
	headers := make(map[string]string, len(theirs)+len(ours))
	for key, value := range theirs {
		headers[strings.ToLower(key)] = value // as grpc sends it
	}
	maps.Copy(headers, ours)
	return headers, nil
}

// localError is the failure of a call that would have been refused, found before anything is sent.
func localError(fullMethod, header, why string) error {
	return localErrorf(fullMethod, "requires header %q: %s", header, why)
}

func localErrorf(fullMethod, format string, args ...any) error {
	return status.Error(codes.Unauthenticated, "grpcauth: "+fullMethod+" "+fmt.Sprintf(format, args...))
}

// sourceError gives the failure of a source a code that a client may see from itself.
func sourceError(ctx context.Context, fullMethod, header string, err error) error {
	if ended := ctx.Err(); ended != nil {
		return status.FromContextError(ended).Err()
	}
	code, text := codes.Unauthenticated, err.Error()
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		text = s.Message()
		if !reservedForServers(s.Code()) {
			code = s.Code()
		}
	}
	return status.Error(code,
		fmt.Sprintf("grpcauth: %s requires header %q: its source failed: %s", fullMethod, header, text))
}

// reservedForServers lists the codes that gRFC A54 forbids to what runs in a client.
func reservedForServers(code codes.Code) bool {
	switch code {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists,
		codes.FailedPrecondition, codes.Aborted, codes.OutOfRange, codes.DataLoss:
		return true
	default:
		return false
	}
}
