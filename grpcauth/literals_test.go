package grpcauth

import (
	"context"
	"maps"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// What a call sends is complete, wherever its literals stand among values that a source supplies. (Not in parallel: the
// allocations of all tests are counted.)
func TestLiteralsBesideOtherValues(t *testing.T) {
	literal, value := rules.Header{Name: "x-a", Equals: "1"}, rules.Header{Name: "x-b", Present: rules.String}
	either := [][]rules.Header{{value}}
	for name, test := range map[string]struct {
		headers []rules.Header
		anyOf   [][]rules.Header
		want    map[string]string
	}{
		"literal":                 {[]rules.Header{literal}, nil, map[string]string{"x-a": "1"}},
		"literal first":           {[]rules.Header{literal, value}, nil, map[string]string{"x-a": "1", "x-b": "2"}},
		"literal last":            {[]rules.Header{value, literal}, nil, map[string]string{"x-a": "1", "x-b": "2"}},
		"literal and alternative": {[]rules.Header{literal}, either, map[string]string{"x-a": "1", "x-b": "2"}},
	} {
		compiled, err := rules.Compile(&rules.Service{Name: "a.v1.A", Methods: []rules.Method{
			{FullMethod: "/a.v1.A/Get", Headers: test.headers, AnyOf: test.anyOf, Denial: rules.Denial{Code: 16}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		supplier := rules.Supplier{
			Slot:  rules.Slot{Header: "x-b", Kind: rules.Value},
			Fetch: func(context.Context, rules.Call) (rules.Credential, error) { return rules.Credential{Text: "2"}, nil },
		}
		rule, err := newClientRule(compiled[0], []rules.Supplier{supplier}, clientSettings{})
		if err != nil {
			t.Fatal(err)
		}
		if allocated := testing.AllocsPerRun(10, func() { rule.creds.GetRequestMetadata(t.Context()) }); (allocated == 0) != (len(test.want) == 1) {
			t.Errorf("%s: %v allocations; literals alone are put together once", name, allocated)
		}
		if sent, err := rule.creds.GetRequestMetadata(t.Context()); err != nil || !maps.Equal(sent, test.want) {
			t.Errorf("%s: %q, %v", name, sent, err)
		}
	}
}
