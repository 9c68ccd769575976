package vectors

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// script is a verifier that answers as the file says.
type script struct {
	rule    *ruleInForce
	service string
	slot    string
	header  string
	answers map[string]scriptedAnswer
	into    *recorder
}

// verifierFor is what generated code makes of an application's verifier.
func verifierFor(h headerInForce, s *script) authimpl.Verifier {
	switch {
	case h.Bearer != nil:
		return authimpl.VerifyBearer(h.Name, ask(s, grpcauth.Secret.Reveal))
	case h.Basic != nil:
		return authimpl.VerifyBasic(h.Name, func(
			ctx context.Context, call grpcauth.Call, username string, password grpcauth.Secret,
		) (context.Context, error) {
			return s.verify(ctx, call, username+" / "+password.Reveal())
		})
	}
	switch h.typed().Present {
	case authimpl.Int64:
		return authimpl.VerifyValue(h.Name, h.Verify.Scheme, ask(s, func(value int64) string {
			return strconv.FormatInt(value, 10)
		}))
	case authimpl.Uint64:
		return authimpl.VerifyValue(h.Name, h.Verify.Scheme, ask(s, func(value uint64) string {
			return strconv.FormatUint(value, 10)
		}))
	case authimpl.Bool:
		return authimpl.VerifyValue(h.Name, h.Verify.Scheme, ask(s, strconv.FormatBool))
	default:
		return authimpl.VerifyValue(h.Name, h.Verify.Scheme, ask(s, grpcauth.Secret.Reveal))
	}
}

// ask is a verifier's method for values of one type.
func ask[T any](s *script, text func(T) string) func(context.Context, grpcauth.Call, T) (context.Context, error) {
	return func(ctx context.Context, call grpcauth.Call, value T) (context.Context, error) {
		return s.verify(ctx, call, text(value))
	}
}

// verify records the question and gives the answer.
func (s *script) verify(ctx context.Context, call grpcauth.Call, text string) (context.Context, error) {
	credential := marked(s.header, text)
	principal, _ := grpcauth.Principal[caller](ctx)
	s.into.add(func(record *callRecord) {
		record.asked = append(record.asked, question{s.slot, credential, string(principal)})
		if call.Header != s.header || !s.mayAsk(call) {
			record.problems = append(record.problems, fmt.Sprintf("the verifier of %q was told %+v", s.slot, call))
		}
	})
	answer, ok := s.answers[string(credential)]
	if !ok {
		answer, ok = s.answers["*"]
	}
	if !ok {
		answer = scriptedAnswer{Error: "unknown credential"}
	}
	return answer.give(ctx, call, s.into)
}

// mayAsk is true if the rule has this header with these scopes, in a method of this service.
func (s *script) mayAsk(call grpcauth.Call) bool {
	method, ok := strings.CutPrefix(call.FullMethod, "/"+s.service+"/")
	return ok && slices.Contains(Kinds, Kind(method)) && slices.ContainsFunc(s.rule.all(), func(h headerInForce) bool {
		return h.slot() == s.slot && slices.Equal(h.scopes(), call.Scopes)
	})
}
