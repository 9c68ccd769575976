package authz

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Both decide alike, except where a header that the rule names does not arrive exactly once with a value. There
// ours refuses, and grpc/authz looks at all values joined with commas, of those headers only that it needs.
func TestT11_SameDecisionsAsGRPCAuthz(t *testing.T) {
	t.Parallel()
	const methods, calls, few = 80, 50, 5
	source := rand.New(rand.NewPCG(1, 0))
	rules := map[string]rule{}
	var paths []string
	for i := range methods {
		path := fmt.Sprintf("/%s/%s%d", serviceName, []string{"Unary", "Stream"}[i%2], i)
		paths = append(paths, path)
		rules[path] = random(source)
	}
	ours, theirs := ends(t, rules)
	tally := map[string]int{}
	for _, path := range paths {
		rule := rules[path]
		for range calls {
			md := randomMetadata(source, rule)
			got, other := ours.allows(t, path, md), theirs.allows(t, path, md)
			why := rule.differs(md)
			wantOurs, wantTheirs := why == "" && rule.joined(md), rule.joined(md)
			if got != wantOurs || other != wantTheirs {
				t.Errorf("%s with %.200q (%s): ours %t, want %t; grpc/authz %t, want %t; rule %+v",
					path, md, why, got, wantOurs, other, wantTheirs, rule)
			}
			switch {
			case got != other:
				tally["only grpc/authz allows: "+why]++
			case got:
				tally["both allow"]++
			default:
				tally["both refuse"]++
			}
		}
	}
	t.Log(tally)
	for _, end := range []string{
		"both allow", "both refuse",
		"only grpc/authz allows: repeated", "only grpc/authz allows: empty", "only grpc/authz allows: long",
	} {
		if tally[end] < few {
			t.Errorf("%s: %d calls only", end, tally[end])
		}
	}
}

// randomMetadata is mostly what the rule demands.
func randomMetadata(source *rand.Rand, rule rule) metadata.MD {
	const long = 8193
	value := func(h header) string {
		switch at := source.IntN(16); {
		case at < 10 && len(h.literals) > 0:
			return h.literals[source.IntN(len(h.literals))]
		case at == 10:
			return ""
		case at == 11:
			return strings.Repeat("a", long)
		}
		return []string{"a", "b", "B", "A", "a,b", "b,a", " a", "a b", "*"}[source.IntN(9)]
	}
	md := metadata.MD{"x-unrelated": {"a", "b"}}
	for _, h := range rule.all() {
		switch source.IntN(12) {
		case 0:
		case 1:
			md[h.name] = []string{value(h), value(h)}
		default:
			md[h.name] = []string{value(h)}
		}
	}
	return md
}

// What else differs, one call each.
func TestT11_WhereGRPCAuthzDecidesOtherwise(t *testing.T) {
	t.Parallel()
	const path = "/" + serviceName + "/Unary"
	type want struct{ ours, theirs bool }
	for name, test := range map[string]struct {
		rule rule
		md   metadata.MD
		want want
	}{
		"two values are joined to one literal": {
			rule{headers: []header{{"x-a", []string{"a,b"}}}}, metadata.Pairs("x-a", "a", "x-a", "b"), want{false, true},
		},
		"two empty values are a comma": {
			rule{headers: []header{{"x-a", nil}}}, metadata.Pairs("x-a", "", "x-a", ""), want{false, true},
		},
		"a header of another alternative is there twice": {
			rule{anyOf: [][]header{{{"x-a", nil}}, {{"x-b", nil}}}},
			metadata.Pairs("x-a", "a", "x-b", "1", "x-b", "2"),
			want{false, true},
		},
		"a header of another alternative is empty": {
			rule{anyOf: [][]header{{{"x-a", nil}}, {{"x-b", nil}}}}, metadata.Pairs("x-a", "a", "x-b", ""), want{false, true},
		},
		"one empty value is none": {
			rule{headers: []header{{"x-a", nil}}}, metadata.Pairs("x-a", ""), want{false, false},
		},
		"a star at the end of a literal is a pattern": {
			rule{headers: []header{{"x-a", []string{"a*"}}}}, metadata.Pairs("x-a", "ab"), want{false, true},
		},
		"a star at the beginning of a literal is a pattern": {
			rule{headers: []header{{"x-a", []string{"*b"}}}}, metadata.Pairs("x-a", "ab"), want{false, true},
		},
		"a star as a literal is any value": {
			rule{headers: []header{{"x-a", []string{"*"}}}}, metadata.Pairs("x-a", "ab"), want{false, true},
		},
		"any bytes but a line feed": {
			rule{headers: []header{{"x-a-bin", nil}}}, metadata.Pairs("x-a-bin", "\xff\n"), want{true, false},
		},
		"other bytes": {
			rule{headers: []header{{"x-a-bin", nil}}}, metadata.Pairs("x-a-bin", "\xff\x00"), want{true, true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := ends(t, map[string]rule{path: test.rule})
			if got := (want{ours.allows(t, path, test.md), theirs.allows(t, path, test.md)}); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// A method that nobody has a rule for: ours says that there is none, grpc/authz that the caller may not.
func TestT1_MethodsWithoutARule(t *testing.T) {
	t.Parallel()
	const ruled, unruled = "/" + serviceName + "/Unary", "/" + serviceName + "/UnaryNew"
	ours, theirs := ends(t, map[string]rule{ruled: {}}, unruled)
	for name, test := range map[string]struct {
		end  *end
		want codes.Code
	}{"ours": {ours, codes.Unimplemented}, "grpc/authz": {theirs, codes.PermissionDenied}} {
		if err := test.end.call(t.Context(), ruled); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := test.end.call(t.Context(), unruled); status.Code(err) != test.want || test.end.runs.Load() != 1 {
			t.Errorf("%s: got %v, want %v; handlers ran %d times", name, err, test.want, test.end.runs.Load())
		}
	}
}
