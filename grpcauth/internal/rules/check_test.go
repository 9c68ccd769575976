package rules

import (
	"testing"

	"google.golang.org/grpc/metadata"
)

// The verdict names the reason and the first header that decided, in declaration order.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	compiled, err := Compile(&Service{Name: "a.v1.A", Methods: []Method{
		{FullMethod: "/a.v1.A/Get", Denial: Denial{Code: 16}, Headers: []Header{
			{Name: "x-equals", Equals: "42"},
			{Name: "x-i", Present: Int64},
			{Name: "x-in", In: []string{"a", "b"}},
		}},
		{FullMethod: "/a.v1.A/Open", Public: true},
		{FullMethod: "/a.v1.A/Elsewhere", GuardedBy: "a proxy"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		sent []string
		want Verdict
	}{
		{nil, Verdict{Missing, "x-equals"}},
		{[]string{"x-equals", ""}, Verdict{Malformed, "x-equals"}},
		{[]string{"x-equals", "43"}, Verdict{Refused, "x-equals"}},
		{[]string{"x-equals", "42", "x-equals", "42"}, Verdict{Repeated, "x-equals"}},
		{[]string{"x-equals", "42"}, Verdict{Missing, "x-i"}},
		{[]string{"x-equals", "42", "x-i", "+7"}, Verdict{Malformed, "x-i"}},
		{[]string{"x-equals", "42", "x-i", "7", "x-i", "8"}, Verdict{Repeated, "x-i"}},
		{[]string{"x-equals", "42", "x-i", "7"}, Verdict{Missing, "x-in"}},
		{[]string{"x-equals", "42", "x-i", "7", "x-in", "c"}, Verdict{Refused, "x-in"}},
		{[]string{"x-equals", "42", "x-i", "7", "x-in", "b"}, Verdict{Allowed, ""}},
		{[]string{"x-equals", "43", "x-i", "seven", "x-in", "c"}, Verdict{Refused, "x-equals"}},
	} {
		ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(test.sent...))
		admitted, changed, verdict := compiled[0].Check(ctx)
		allowed := test.want.Reason == Allowed
		if verdict != test.want || changed != allowed || (admitted != ctx) != allowed {
			t.Errorf("%q: got %+v, changed %t; want %+v", test.sent, verdict, changed, test.want)
		}
	}
	for _, open := range compiled[1:] {
		if admitted, changed, verdict := open.Check(t.Context()); verdict != (Verdict{Reason: Allowed}) || changed || admitted != t.Context() {
			t.Errorf("%s: %+v, changed %t", open.FullMethod, verdict, changed)
		}
	}
	if _, _, verdict := compiled[0].Check(t.Context()); verdict != (Verdict{Missing, "x-equals"}) {
		t.Errorf("without metadata: %+v", verdict)
	}
}
