package vectors_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/vectors"
)

// Two cases, one allowed and one refused. Spaces tell what a verifier does from what the case expects of it.
const twoCases = `{"about": "a",
	"rules": {"r": {"headers": [{"name": "x-tenant", "present": {}}, {"name": "authorization", "bearer": {}}]}},
	"verifiers": {"authorization bearer": {
		"good": {"principal": "ann", "expires_in_seconds": 60}, "bad": {"error": "no such token"}}},
	"cases": [
		{"name": "good", "rule": "r", "send": [["x-tenant", "1"], ["authorization", "Bearer good"]],
			"asked":[["authorization bearer","good"]],
			"allowed":{"values":{"x-tenant":"1"},"principal":"ann","expires_in_seconds":60}},
		{"name": "bad", "rule": "r", "send": [["x-tenant", "1"], ["authorization", "Bearer bad"]],
			"asked":[["authorization bearer","bad"]],
			"refused":{"reason":"refused","header":"authorization","error":"no such token"}}]}`

// call is how a server calls the door of who has none, and a handler.
func call(ctx context.Context, s *vectors.Service, c *vectors.Case, kind vectors.Kind) vectors.Answer {
	ctx, err := s.Interceptor.Authorize(metadata.NewIncomingContext(ctx, c.Metadata()), "/"+s.Name+"/"+string(kind))
	if err == nil {
		s.Enter(ctx)
	}
	return vectors.AnswerOf(err)
}

// differences are those of both cases, as made.
func differences(
	t *testing.T, text string, send func(context.Context, *vectors.Service, *vectors.Case) vectors.Answer,
) map[string][]string {
	t.Helper()
	files, err := vectors.Load(fstest.MapFS{"file.json": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	service := files[0].Services()["r"]
	found := map[string][]string{}
	for _, c := range files[0].Cases {
		wrong := service.Try(t.Context(), c, vectors.Unary, func(ctx context.Context) vectors.Answer {
			return send(ctx, service, c)
		})
		if len(wrong) > 0 {
			found[c.Name] = wrong
		}
	}
	return found
}

func asIs(ctx context.Context, s *vectors.Service, c *vectors.Case) vectors.Answer {
	return call(ctx, s, c, vectors.Unary)
}

// If nothing were noticed, every case would pass at every door.
func TestCasesThatExpectSomethingElse(t *testing.T) {
	t.Parallel()
	if found := differences(t, twoCases, asIs); len(found) > 0 {
		t.Fatalf("the cases are wrong: %v", found)
	}
	const refused = `"refused":{"reason":"refused","header":"authorization","error":"no such token"}`
	for _, change := range [][3]string{
		{"good", `"values":{"x-tenant":"1"}`, `"values":{"x-tenant":"2"}`},
		{"good", `"values":{"x-tenant":"1"},`, ``},
		{"good", `"principal":"ann"`, `"principal":"bob"`},
		{"good", `"principal":"ann",`, ``},
		{"good", `"expires_in_seconds":60`, `"expires_in_seconds":61`},
		{"good", `,"expires_in_seconds":60`, ``},
		{"good", `[["authorization bearer","good"]]`, `[["authorization bearer","good","bob"]]`},
		{"good", `"good"]]`, `"good"],["authorization bearer","good"]]`},
		{"good", `"allowed":{"values":{"x-tenant":"1"},"principal":"ann","expires_in_seconds":60}`, refused},
		{"bad", refused, `"allowed":{}`},
		{"bad", refused, `"refused":{"by_transport":true}`},
		{"bad", `"reason":"refused"`, `"reason":"malformed"`},
		{"bad", `"header":"authorization"`, `"header":"x-tenant"`},
		{"bad", `"error":"no such token"`, `"error":"another"`},
		{"bad", `"error":"no such token"`, `"code":"INTERNAL"`},
		{"bad", `"error":"no such token"`, `"message":"another"`},
	} {
		changed := strings.Replace(twoCases, change[1], change[2], 1)
		if changed == twoCases {
			t.Fatalf("%s is not in the file", change[1])
		}
		if found := differences(t, changed, asIs); len(found) != 1 || found[change[0]] == nil {
			t.Errorf("%s in place of %s: got %v, want something of %q", change[2], change[1], found, change[0])
		}
	}
}

// What a door can do wrong, the check apart.
func TestDoorsThatDoSomethingElse(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		made  func(context.Context, *vectors.Service, *vectors.Case) vectors.Answer
		wrong int // cases
	}{
		"asks nobody": {func(ctx context.Context, s *vectors.Service, _ *vectors.Case) vectors.Answer {
			s.Enter(ctx)
			return vectors.Answer{}
		}, 2},
		"asks twice": {func(ctx context.Context, s *vectors.Service, c *vectors.Case) vectors.Answer {
			asIs(ctx, s, c)
			return asIs(ctx, s, c)
		}, 2},
		"asks about another method": {func(ctx context.Context, s *vectors.Service, c *vectors.Case) vectors.Answer {
			return call(ctx, s, c, vectors.Bidi)
		}, 2},
		"runs a handler all the same": {func(ctx context.Context, s *vectors.Service, c *vectors.Case) vectors.Answer {
			answer := asIs(ctx, s, c)
			s.Enter(ctx)
			return answer
		}, 2},
		"loses the context": {func(ctx context.Context, s *vectors.Service, c *vectors.Case) vectors.Answer {
			_, err := s.Interceptor.Authorize(metadata.NewIncomingContext(ctx, c.Metadata()), "/"+s.Name+"/Unary")
			if err == nil {
				s.Enter(ctx)
			}
			return vectors.AnswerOf(err)
		}, 1},
		"adds details": {func(ctx context.Context, s *vectors.Service, c *vectors.Case) vectors.Answer {
			answer := asIs(ctx, s, c)
			answer.Details++
			return answer
		}, 2},
		"resets": {func(ctx context.Context, s *vectors.Service, c *vectors.Case) vectors.Answer {
			answer := asIs(ctx, s, c)
			answer.Reset = true
			return answer
		}, 2},
		"hides refusals": {func(ctx context.Context, s *vectors.Service, c *vectors.Case) vectors.Answer {
			answer := asIs(ctx, s, c)
			answer.Code = codes.OK
			return answer
		}, 1},
	} {
		if found := differences(t, twoCases, c.made); len(found) != c.wrong {
			t.Errorf("a door that %s: got %v, want something of %d cases", what, found, c.wrong)
		}
	}
}

// A refusal of the transport's is one only if the call did fail.
func TestCallsThatTheTransportShouldRefuse(t *testing.T) {
	t.Parallel()
	const text = `{"about": "a", "rules": {"r": {"headers": [{"name": "a", "equals": "1"}]}},
		"cases": [{"name": "lost", "rule": "r", "refused": {"by_transport": true}}]}`
	for _, c := range []struct {
		answer vectors.Answer
		wrong  int
	}{{vectors.Answer{Reset: true}, 0}, {vectors.Answer{Code: codes.Internal}, 0}, {vectors.Answer{}, 1}} {
		found := differences(t, text, func(context.Context, *vectors.Service, *vectors.Case) vectors.Answer { return c.answer })
		if len(found["lost"]) != c.wrong {
			t.Errorf("%+v: got %v", c.answer, found)
		}
	}
}
