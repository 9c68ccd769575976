package grpcauth

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// callCredentials supplies the headers of one method. grpc asks it once per attempt.
type callCredentials struct {
	fullMethod string
	values     []suppliedValue
}

// suppliedValue is one header: a literal of its rule, or the value that fetch returns.
type suppliedValue struct {
	required rules.Required
	fetch    func(ctx context.Context, fullMethod string) (string, error) // nil for a literal
}

var _ credentials.PerRPCCredentials = (*callCredentials)(nil)

// RequireTransportSecurity is false: literals and plain values are no secrets.
func (c *callCredentials) RequireTransportSecurity() bool { return false }

// GetRequestMetadata returns the method's headers. Its errors are statuses that gRFC A54 allows.
func (c *callCredentials) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	headers := make(map[string]string, len(c.values))
	for i := range c.values {
		value := &c.values[i]
		text, err := value.get(ctx, c.fullMethod)
		if err != nil {
			return nil, err
		}
		headers[value.required.Name] = text
	}
	return headers, nil
}

func (v *suppliedValue) get(ctx context.Context, fullMethod string) (string, error) {
	if v.fetch == nil {
		return v.required.Literal, nil
	}
	text, err := v.fetch(ctx, fullMethod)
	if err != nil {
		return "", sourceError(ctx, fullMethod, v.required.Name, err)
	}
	if why := v.required.Refuses(text); why != "" {
		return "", localError(fullMethod, v.required.Name, why)
	}
	return text, nil
}

// removeFrom deletes what the caller put under names that are supplied here. It is true if there was
// any such name.
func (c *callCredentials) removeFrom(outgoing metadata.MD) bool {
	removed := false
	for i := range c.values {
		name := c.values[i].required.Name
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

// RequireTransportSecurity is what the caller's credentials demand.
func (c *composedCredentials) RequireTransportSecurity() bool {
	return c.callers.RequireTransportSecurity() || c.ours.RequireTransportSecurity()
}

// GetRequestMetadata returns the caller's headers and ours, ours winning on a shared key.
func (c *composedCredentials) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	theirs, err := c.callers.GetRequestMetadata(ctx, uri...)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller's own error, which grpc reads as without us
	}
	headers, err := c.ours.GetRequestMetadata(ctx, uri...)
	if err != nil {
		return nil, err
	}
	for key, value := range theirs {
		key = strings.ToLower(key) // as grpc sends it
		if _, taken := headers[key]; !taken {
			headers[key] = value
		}
	}
	return headers, nil
}

// localError is the failure of a call that would have been refused, found before anything is sent.
func localError(fullMethod, header, why string) error {
	return status.Error(codes.Unauthenticated,
		fmt.Sprintf("grpcauth: %s requires header %q: %s", fullMethod, header, why))
}

// sourceError gives the failure of a source a code that a client may see from itself.
func sourceError(ctx context.Context, fullMethod, header string, err error) error {
	if ended := ctx.Err(); ended != nil {
		return status.FromContextError(ended).Err()
	}
	code := codes.Unauthenticated
	if s, ok := status.FromError(err); ok && !reservedForServers(s.Code()) {
		code = s.Code()
	}
	return status.Error(code,
		fmt.Sprintf("grpcauth: %s requires header %q: its source failed: %v", fullMethod, header, err))
}

// reservedForServers lists the codes that gRFC A54 forbids to what runs in a client, and OK.
func reservedForServers(code codes.Code) bool {
	switch code {
	case codes.OK, codes.InvalidArgument, codes.NotFound, codes.AlreadyExists,
		codes.FailedPrecondition, codes.Aborted, codes.OutOfRange, codes.DataLoss:
		return true
	default:
		return false
	}
}
