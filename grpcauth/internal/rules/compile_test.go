package rules

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
)

// A table that could not be enforced, or says two things, does not compile. The rest of each is right.
func TestTablesThatDoNotCompile(t *testing.T) {
	t.Parallel()
	denial := Denial{Code: codes.Unauthenticated}
	right := Header{Name: "x-a", Equals: "1"}
	outer := []Header{{Name: "x-1", Equals: "1"}, {Name: "x-2", Equals: "1"}, {Name: "x-3", Equals: "1"}}
	method := func(change func(*Method)) []Method {
		made := Method{FullMethod: "/a.v1.A/Get", Denial: denial, Headers: []Header{right}}
		change(&made)
		return []Method{made}
	}
	header := func(h Header) []Method { return method(func(m *Method) { m.Headers = []Header{h} }) }
	alternatives := func(lists ...[]Header) []Method {
		return method(func(m *Method) { m.Headers, m.AnyOf = outer, lists })
	}
	for _, test := range []struct {
		name    string
		methods []Method
		problem string
	}{
		{"", nil, "is not a full name"},
		{"a/A", nil, "is not a full name"},
		{"a.v1.A", append(method(func(*Method) {}), method(func(*Method) {})...), `"/a.v1.A/Get" is listed twice`},
		{"a.v1.A", method(func(m *Method) { m.FullMethod = "Get" }), "is no method of service"},
		{"a.v1.A", method(func(m *Method) { m.FullMethod = "a.v1.A/Get" }), "is no method of service"},
		{"a.v1.A", method(func(m *Method) { m.FullMethod = "/a.v1.A/" }), "is no method of service"},
		{"a.v1.A", method(func(m *Method) { m.FullMethod = "/a.v1.A/Get/x" }), "is no method of service"},
		{"a.v1.A", method(func(m *Method) { m.FullMethod = "/a.v1.B/Get" }), "is no method of service"},
		{"a.v1.A", method(func(m *Method) { m.Headers = nil }), "must be set, not 0"},
		{"a.v1.A", method(func(m *Method) { m.Headers[0].Optional = true }), "must be set, not 0"},
		{"a.v1.A", method(func(m *Method) { m.Public = true }), "must be set, not 2"},
		{"a.v1.A", method(func(m *Method) { m.GuardedBy = "x" }), "must be set, not 2"},
		{"a.v1.A", method(func(m *Method) { m.Headers, m.Public, m.GuardedBy = nil, true, "x" }), "must be set, not 2"},
		{"a.v1.A", method(func(m *Method) { m.Headers[0].Optional, m.GuardedBy = true, "x" }), "beside GuardedBy"},
		{"a.v1.A", method(func(m *Method) { m.Denial.Code = codes.OK }), "must not have the code OK"},
		{"a.v1.A", method(func(m *Method) { m.Denial.Code, m.Headers[0].Optional, m.Public = codes.OK, true, true }), "code OK"},
		{"a.v1.A", method(func(m *Method) { m.Denial.Code, m.Headers, m.AnyOf = codes.OK, nil, [][]Header{{right}} }), "code OK"},
		{"a.v1.A", method(func(m *Method) { m.Headers = append(m.Headers, right) }), `"x-a" is required twice`},
		{"a.v1.A", alternatives([]Header{}), "alternative 0: must require something"},
		{"a.v1.A", alternatives([]Header{right}, nil), "alternative 1: must require something"},
		{"a.v1.A", alternatives([]Header{outer[0]}), `"x-1" is required twice`},
		{"a.v1.A", alternatives([]Header{outer[1]}), `"x-2" is required twice`},
		{"a.v1.A", alternatives([]Header{outer[2]}), `"x-3" is required twice`},
		{"a.v1.A", alternatives([]Header{right, right}), `"x-a" is required twice`},
		{"a.v1.A", alternatives([]Header{{Name: "x-b", Equals: "1", Optional: true}}), "must not be optional"},
		{"a.v1.A", alternatives([]Header{right, {Name: "x-b", Equals: "1", Optional: true}}), "must not be optional"},
		{"a.v1.A", header(Header{Equals: "1"}), "lower case"},
		{"a.v1.A", header(Header{Name: "X-A", Equals: "1"}), "lower case"},
		{"a.v1.A", header(Header{Name: "x-a"}), "exactly one check must be set, not 0"},
		{"a.v1.A", header(Header{Name: "x-a", Equals: "1", In: []string{"1"}}), "not 2"},
		{"a.v1.A", header(Header{Name: "x-a", In: []string{"1"}, Present: String}), "not 2"},
		{"a.v1.A", header(Header{Name: "x-a", Present: String, Verify: String}), "not 2"},
		{"a.v1.A", header(Header{Name: "x-a", Bearer: true, Basic: true}), "not 2"},
		{"a.v1.A", header(Header{Name: "x-a", Equals: "1", Basic: true, Bearer: true}), "not 3"},
		{"a.v1.A", header(Header{Name: "x-a", Present: Bytes + 1}), "unknown type 6"},
		{"a.v1.A", header(Header{Name: "x-a", Verify: Bytes + 1}), "unknown type 6"},
		{"a.v1.A", header(Header{Name: "x-a", Equals: "1", Scheme: "S"}), "a scheme only goes with Verify"},
		{"a.v1.A", header(Header{Name: "x-a", Bearer: true, Scheme: "S"}), "a scheme only goes with Verify"},
		{"a.v1.A", header(Header{Name: "x-a", Equals: "1", Scopes: []string{"s"}}), "scopes only go with"},
		{"a.v1.A", header(Header{Name: "x-a", Basic: true, Scopes: []string{"s"}}), "scopes only go with"},
		{"a.v1.A", header(Header{Name: "x-a", In: []string{"1", ""}}), "a literal must not be empty"},
		{"a.v1.A", header(Header{Name: "x-a", In: []string{""}}), "a literal must not be empty"},
	} {
		compiled, err := Compile(&Service{Name: test.name, Methods: test.methods})
		if err == nil || compiled != nil || !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%+v: %v, want %q", test.methods, err, test.problem)
		}
	}
}

func TestTablesThatCompile(t *testing.T) {
	t.Parallel()
	compiled, err := Compile(&Service{Name: "a.v1.A", Methods: []Method{
		{FullMethod: "/a.v1.A/Public", Public: true},
		{FullMethod: "/a.v1.A/Guarded", GuardedBy: "x"},
		{FullMethod: "/a.v1.A/Optional", Public: true, Denial: Denial{Code: 16}, Headers: []Header{
			{Name: "x-a", Verify: Bytes, Optional: true, Scheme: "S", Scopes: []string{"s"}},
		}},
		{FullMethod: "/a.v1.A/AnyOf", Denial: Denial{Code: 16}, AnyOf: [][]Header{
			{{Name: "x-a", Bearer: true, Scopes: []string{"s"}}}, {{Name: "x-a", Present: Bytes}},
		}},
	}})
	if err != nil || len(compiled) != 4 {
		t.Fatal(len(compiled), err)
	}
	for i, want := range []string{"Public", "Guarded", "Optional", "AnyOf"} {
		if compiled[i].FullMethod != "/a.v1.A/"+want {
			t.Errorf("%d is %s, want %s", i, compiled[i].FullMethod, want)
		}
	}
}

// A method's own denial counts, whole, and the service's where it states none. Without any, a table could not refuse.
func TestDenialOfTheService(t *testing.T) {
	t.Parallel()
	header := []Header{{Name: "x-a", Equals: "1"}}
	shared, own := Denial{Code: 16, Message: "shared"}, Denial{Code: 7}
	compiled, err := Compile(&Service{Name: "a.v1.A", Denial: shared, Methods: []Method{
		{FullMethod: "/a.v1.A/Shared", Headers: header},
		{FullMethod: "/a.v1.A/Own", Headers: header, Denial: own},
	}})
	if err != nil || compiled[0].denial != shared || compiled[1].denial != own {
		t.Errorf("%+v, %v", compiled, err)
	}
	for _, method := range []Method{
		{FullMethod: "/a.v1.A/Own", Headers: header, Denial: Denial{Message: "no code"}},
		{FullMethod: "/a.v1.A/Own", Headers: header},
	} {
		service := &Service{Name: "a.v1.A", Methods: []Method{method}}
		if method.Denial != (Denial{}) {
			service.Denial = shared
		}
		if _, err := Compile(service); err == nil || !strings.Contains(err.Error(), "must not have the code OK") {
			t.Errorf("%+v: %v", service, err)
		}
	}
}

// A verifier is bound by all of its slot, and by the type of what it takes.
func TestVerifiersAreBoundBySlotAndType(t *testing.T) {
	t.Parallel()
	verify := func(ctx context.Context, _ Call, _ Credential) (context.Context, error) { return ctx, nil }
	for _, test := range []struct {
		header   Header
		verifier Verifier
		problem  string
	}{
		{Header{Name: "x-a", Bearer: true}, Verifier{Slot: Slot{"x-a", Bearer, ""}, Verify: verify}, ""},
		{Header{Name: "x-a", Bearer: true}, Verifier{Slot: Slot{"x-a", Basic, ""}, Verify: verify}, "has no verifier"},
		{Header{Name: "x-a", Bearer: true}, Verifier{Slot: Slot{"x-b", Bearer, ""}, Verify: verify}, "has no verifier"},
		{Header{Name: "x-a", Bearer: true}, Verifier{Slot: Slot{"x-a", Bearer, ""}}, "has no verifier"},
		{Header{Name: "x-a", Verify: Int64}, Verifier{Slot: Slot{"x-a", Verified, ""}, Type: Int64, Verify: verify}, ""},
		{Header{Name: "x-a", Verify: Int64}, Verifier{Slot: Slot{"x-a", Verified, ""}, Type: Uint64, Verify: verify}, "another type"},
		{Header{Name: "x-a", Verify: Int64}, Verifier{Slot: Slot{"x-a", Verified, ""}, Type: String, Verify: verify}, "another type"},
		{Header{Name: "x-a", Verify: Bytes}, Verifier{Slot: Slot{"x-a", Verified, ""}, Type: String, Verify: verify}, ""},
		{Header{Name: "x-a", Verify: Bytes}, Verifier{Slot: Slot{"x-a", Verified, ""}, Type: Int64, Verify: verify}, "another type"},
		{Header{Name: "x-a", Verify: String, Scheme: "S"}, Verifier{Slot: Slot{"x-a", Verified, "S"}, Type: String, Verify: verify}, ""},
		{Header{Name: "x-a", Verify: String, Scheme: "S"}, Verifier{Slot: Slot{"x-a", Verified, "s"}, Type: String, Verify: verify}, "has no verifier"},
	} {
		for _, method := range []Method{
			{Headers: []Header{{Name: "x-0", Equals: "1"}, test.header}},
			{AnyOf: [][]Header{{{Name: "x-0", Equals: "1"}, test.header}}},
		} {
			method.FullMethod, method.Denial = "/a.v1.A/Get", Denial{Code: 16}
			compiled, err := Compile(&Service{Name: "a.v1.A", Methods: []Method{method}})
			if err != nil {
				t.Fatal(err)
			}
			made, err := NewEvaluator(compiled[0], []Verifier{{}, test.verifier}, 100)
			switch {
			case test.problem == "" && (err != nil || !made.Asks()):
				t.Errorf("%+v: %v", test.verifier.Slot, err)
			case test.problem != "" && (err == nil || made != nil || !strings.Contains(err.Error(), `"x-a" `) ||
				!strings.Contains(err.Error(), test.problem)):
				t.Errorf("%+v: %v, want %q", test.verifier.Slot, err, test.problem)
			}
		}
	}
}

// Rules that ask for the same share what decides, and nothing else does.
func TestLikeRulesShareTheirEvaluator(t *testing.T) {
	t.Parallel()
	asks := func(name, path string, denial Denial, anyOf [][]Header, headers ...Header) Method {
		return Method{FullMethod: "/" + name + path, Denial: denial, Headers: headers, AnyOf: anyOf}
	}
	bearer, key := Header{Name: "x-a", Bearer: true}, Header{Name: "x-b", Present: String}
	denial, either := Denial{Code: codes.Unauthenticated}, [][]Header{{key}}
	compile := func(name string, methods ...Method) []*Rule {
		compiled, err := Compile(&Service{Name: name, Methods: methods})
		if err != nil {
			t.Fatal(err)
		}
		return compiled
	}
	var asked string
	verifier := Verifier{
		Slot: Slot{Header: "x-a", Kind: Bearer},
		Verify: func(ctx context.Context, call Call, _ Credential) (context.Context, error) {
			asked = call.FullMethod
			return ctx, nil
		},
	}
	same := compile("a.v1.A", asks("a.v1.A", "/Get", denial, either, bearer),
		asks("a.v1.A", "/Same", denial, either, bearer),
		asks("a.v1.A", "/Denial", Denial{Code: codes.Unauthenticated, Message: "no"}, either, bearer),
		asks("a.v1.A", "/Headers", denial, either, bearer, Header{Name: "x-c", Bearer: true}),
		asks("a.v1.A", "/AnyOf", denial, [][]Header{{{Name: "x-b", Equals: "1"}}}, bearer),
		Method{FullMethod: "/a.v1.A/Open", Public: true})
	elsewhere := compile("a.v1.B", asks("a.v1.B", "/Get", denial, either, bearer))
	evaluator, err := NewEvaluator(same[0], []Verifier{verifier}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range append(same[2:], elsewhere...) {
		if evaluator.For(other) != nil {
			t.Errorf("%s shares what decides about %s", other.FullMethod, same[0].FullMethod)
		}
	}
	shared := evaluator.For(same[1])
	if shared == nil || (*Evaluator)(nil).For(same[1]) != nil {
		t.Fatal("like rules do not share what decides, or a rule shares that of none")
	}
	for rule, one := range map[*Rule]*Evaluator{same[0]: evaluator, same[1]: shared} {
		_, _, verdict := one.Check(arriving(t, "x-a", "Bearer t", "x-b", "1"))
		if verdict.Reason != Allowed || asked != rule.FullMethod {
			t.Errorf("%s: %+v, asked about %s", rule.FullMethod, verdict, asked)
		}
	}
}
