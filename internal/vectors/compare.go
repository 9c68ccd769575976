package vectors

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// Answer is what a caller got.
type Answer struct {
	Code    codes.Code
	Message string
	Details int
	Reset   bool // by the transport, without an answer
}

// AnswerOf is what a client of gRPC got.
func AnswerOf(err error) Answer {
	got := status.Convert(err)
	return Answer{Code: got.Code(), Message: got.Message(), Details: len(got.Details())}
}

// Try makes the call of a case in the given way, and lists the differences between what the case says and what was
// seen.
func (s *Service) Try(ctx context.Context, c *Case, kind Kind, send func(ctx context.Context) Answer) []string {
	ctx, cancel := context.WithTimeout(ctx, c.lasts())
	answer := send(ctx)
	cancel()
	return s.compare(c, kind, answer, s.into.take())
}

// compare lists the differences between what a case says and what was seen of a call.
func (s *Service) compare(c *Case, kind Kind, answer Answer, seen callRecord) []string {
	wrong := seen.problems
	differs := func(what string, got, want any) {
		if got, want := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); got != want {
			wrong = append(wrong, fmt.Sprintf("%s: got %s, want %s", what, got, want))
		}
	}
	differs("questions to verifiers", seen.asked, c.Asked)
	if c.Refused != nil {
		differs("handlers that ran", len(seen.handlers), 0)
	}
	if c.Refused != nil && c.Refused.ByTransport {
		differs("refused by the transport", answer.Reset || answer.Code != codes.OK, true)
		differs("decisions", len(seen.decisions), 0)
		return wrong
	}
	want := Answer{}
	if c.Refused != nil {
		want.Code, want.Message = s.denial.Code, s.denial.Message
		if c.Refused.Code != nil {
			want.Code = *c.Refused.Code
		}
		if c.Refused.Message != nil {
			want.Message = *c.Refused.Message
		}
	}
	differs("answer", answer, want)
	decision := grpcauth.Decision{
		FullMethod: "/" + s.Name + "/" + string(kind), Reason: grpcauth.Allowed, Code: want.Code,
	}
	reason := decision.Reason.String()
	if c.Refused != nil {
		reason, decision.Header = c.Refused.Reason, c.Refused.Header
	}
	if len(seen.decisions) != 1 {
		return append(wrong, fmt.Sprintf("%d decisions, want one", len(seen.decisions)))
	}
	got := seen.decisions[0]
	differs("decision's method", got.FullMethod, decision.FullMethod)
	differs("decision's header", got.Header, decision.Header)
	differs("decision's reason", got.Reason, reason)
	differs("decision's code", got.Code, decision.Code)
	switch {
	case c.Refused != nil && c.Refused.Error != "":
		differs("decision's error holds "+c.Refused.Error, strings.Contains(fmt.Sprint(got.Err), c.Refused.Error), true)
	case c.Refused == nil || len(seen.asked) == 0:
		differs("decision's error", got.Err, nil)
	}
	if c.Allowed != nil {
		wrong = append(wrong, c.Allowed.compare(seen)...)
	}
	return wrong
}

// compare is the part about the handler.
func (a *allowedCall) compare(seen callRecord) []string {
	if len(seen.handlers) != 1 {
		return []string{fmt.Sprintf("handlers ran %d times, want once", len(seen.handlers))}
	}
	var wrong []string
	handler := seen.handlers[0]
	if !maps.Equal(handler.values, a.Values) {
		wrong = append(wrong, fmt.Sprintf("the handler's values: got %q, want %q", handler.values, a.Values))
	}
	if handler.principal != a.Principal {
		wrong = append(wrong, fmt.Sprintf("the handler's principal: got %q, want %q", handler.principal, a.Principal))
	}
	expires := 0
	for seconds, expiry := range seen.expiries {
		if handler.deadline.Equal(expiry) {
			expires = seconds
		}
	}
	if expires != a.ExpiresInSeconds {
		wrong = append(wrong, fmt.Sprintf(
			"the handler's context ends with an expiry in %d seconds, want %d", expires, a.ExpiresInSeconds))
	}
	return wrong
}
