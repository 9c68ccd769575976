package rules

import (
	"context"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
)

func TestChallenges(t *testing.T) {
	t.Parallel()
	never := func(context.Context, Call, Credential) (context.Context, error) { panic("nobody calls") }
	verifiers := []Verifier{
		{Slot: Slot{Header: "authorization", Kind: Bearer}, Verify: never},
		{Slot: Slot{Header: "authorization", Kind: Basic}, Verify: never},
		{Slot: Slot{Header: "authorization", Kind: Verified, Scheme: "DPoP"}, Type: String, Verify: never},
		{Slot: Slot{Header: "authorization", Kind: Verified}, Type: String, Verify: never},
		{Slot: Slot{Header: "proof", Kind: Bearer}, Verify: never},
	}
	for name, c := range map[string]struct {
		headers []Header
		anyOf   [][]Header
		want    []string
	}{
		"none":           {[]Header{{Name: "x-key", Equals: "1"}}, nil, nil},
		"no scheme":      {[]Header{{Name: "authorization", Verify: String}}, nil, nil},
		"another header": {[]Header{{Name: "proof", Bearer: true}}, nil, nil},
		"optional":       {[]Header{{Name: "x-key", Equals: "1"}, {Name: "authorization", Bearer: true, Optional: true}}, nil, []string{`Bearer realm="a.v1.A"`}},
		"in alternatives": {
			[]Header{{Name: "proof", Bearer: true}},
			[][]Header{
				{{Name: "authorization", Verify: String, Scheme: "DPoP"}},
				{{Name: "x-key", Equals: "1"}, {Name: "authorization", Basic: true}},
				{{Name: "authorization", Verify: String, Scheme: "DPoP"}, {Name: "x-key", Equals: "2"}},
			},
			[]string{`DPoP realm="a.v1.A"`, `Basic realm="a.v1.A"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compiled, err := Compile(&Service{Name: "a.v1.A", Methods: []Method{{
				FullMethod: "/a.v1.A/M", Headers: c.headers, AnyOf: c.anyOf, Denial: Denial{Code: codes.Unauthenticated},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			evaluator, err := NewEvaluator(compiled[0], verifiers, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := evaluator.Challenges(); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
